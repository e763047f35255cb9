// measure.h: what a stretch of work cost: time, CPU and memory of a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace fieldsync::bench {

[[nodiscard]] double now_seconds();
// User and system time of the process so far, all its threads, to the nanosecond (clock_getcpuclockid(3)).
[[nodiscard]] double cpu_seconds(pid_t process);
// Largest resident size since the start or the last reset, bytes.
[[nodiscard]] std::uint64_t peak_memory(pid_t process);
void reset_peak_memory(pid_t process);
// All files below the folder.
[[nodiscard]] std::uint64_t bytes_on_disk(const std::string& folder);

}  // namespace fieldsync::bench

// report.h: tells a person or a script how a command ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fieldsync::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_refused = 1;  // refused or failed
inline constexpr int exit_usage = 2;    // the command line is wrong
inline constexpr int exit_offline = 3;  // try again when there is a connection

[[nodiscard]] int exit_code(Errc code);

// On standard error: "fieldsync: <sentence> [code]", or with `json`
// {"error": {"code": ..., "message": ...}}. Returns the exit code.
int report_error(const Error& error, bool json);

// "512 bytes", "1.5 MB".
[[nodiscard]] std::string byte_count(std::uint64_t bytes);
// "1 record", "2 records".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one, std::string_view several);

}  // namespace fieldsync::cli

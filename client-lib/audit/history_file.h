// history_file.h: an exported history as a file: what its records look like. The format is
// described in ARCHITECTURE.md.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>

#include "audit/checkpoint.h"
#include "fieldsync/v1/operation.pb.h"

namespace fieldsync::audit {

inline constexpr std::string_view history_file_begins = "fieldsync history 1\n";
// Of one record: a batch has at most 2 MiB, and a read names the records of one page.
inline constexpr std::size_t history_record_bytes_max = 16 * 1024 * 1024;

// A letter and the length of what follows.
inline constexpr std::size_t history_record_head_bytes = 5;

enum class HistoryRecordKind : char { key = 'K', entry = 'E', batch = 'B', end = 'Z' };

struct HistoryRecord {
  HistoryRecordKind kind = HistoryRecordKind::key;
  std::string bytes;
};

// An entry with the checkpoint that followed it.
struct HistoryEntry {
  Checkpoint checkpoint;  // its size is the entry's number
  std::string entry;
};

[[nodiscard]] std::string key_record(const codec::VerifyingKey& key);
[[nodiscard]] std::string entry_record(const HistoryEntry& entry);
[[nodiscard]] std::string batch_record(const v1::Batch& batch);
// `size`: how many entries there were.
[[nodiscard]] std::string end_record(std::uint64_t size);

// Nothing where the bytes are too few.
[[nodiscard]] std::optional<HistoryEntry> read_entry(std::string_view bytes);
[[nodiscard]] std::optional<std::uint64_t> read_end(std::string_view bytes);

enum class ReadOutcome : std::uint8_t { record, end_of_file, cut, damaged };

// The next record of a file whose beginning was read. damaged: what stands there is not one.
[[nodiscard]] ReadOutcome read_record(std::istream& file, HistoryRecord& into);

}  // namespace fieldsync::audit

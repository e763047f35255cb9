#include "audit/history_file.h"

#include <cstring>

namespace fieldsync::audit {
namespace {

constexpr std::size_t number_bytes = 8;
constexpr std::size_t length_bytes = 4;
constexpr std::size_t entry_head_bytes = 2 * number_bytes + 32 + 64;

void put_number(std::string& bytes, std::uint64_t number, std::size_t size = number_bytes) {
  for (std::size_t i = size; i-- > 0;) bytes += static_cast<char>(number >> (8 * i));
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size = number_bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

std::string record(HistoryRecordKind kind, std::string_view content) {
  std::string bytes(1, static_cast<char>(kind));
  put_number(bytes, content.size(), length_bytes);
  return bytes.append(content);
}

bool is_kind(char byte) { return std::string_view("KEBZ").find(byte) != std::string_view::npos; }

}  // namespace

std::string key_record(const codec::VerifyingKey& key) { return record(HistoryRecordKind::key, view_of_key(key)); }

std::string entry_record(const HistoryEntry& entry) {
  std::string bytes;
  put_number(bytes, entry.checkpoint.size);
  put_number(bytes, static_cast<std::uint64_t>(entry.checkpoint.time.ms));
  bytes += view_of(entry.checkpoint.root);
  bytes.append(reinterpret_cast<const char*>(entry.checkpoint.signature.data()), entry.checkpoint.signature.size());
  return record(HistoryRecordKind::entry, bytes + entry.entry);
}

std::string batch_record(const v1::Batch& batch) { return record(HistoryRecordKind::batch, batch.SerializeAsString()); }

std::string end_record(std::uint64_t size) {
  std::string bytes;
  put_number(bytes, size);
  return record(HistoryRecordKind::end, bytes);
}

std::optional<HistoryEntry> read_entry(std::string_view bytes) {
  if (bytes.size() < entry_head_bytes) return std::nullopt;
  HistoryEntry entry;
  entry.checkpoint.size = number_at(bytes, 0);
  entry.checkpoint.time.ms = static_cast<std::int64_t>(number_at(bytes, number_bytes));
  entry.checkpoint.root = hash_from(bytes.substr(2 * number_bytes, 32));
  std::memcpy(entry.checkpoint.signature.data(), bytes.data() + 2 * number_bytes + 32, 64);
  entry.entry = bytes.substr(entry_head_bytes);
  return entry;
}

std::optional<std::uint64_t> read_end(std::string_view bytes) {
  if (bytes.size() != number_bytes) return std::nullopt;
  return number_at(bytes, 0);
}

ReadOutcome read_record(std::istream& file, HistoryRecord& into) {
  char head[1 + length_bytes];
  file.read(head, sizeof head);
  if (file.gcount() == 0) return ReadOutcome::end_of_file;
  if (!is_kind(head[0])) return ReadOutcome::damaged;
  if (file.gcount() < static_cast<std::streamsize>(sizeof head)) return ReadOutcome::cut;
  const std::uint64_t size = number_at({head, sizeof head}, 1, length_bytes);
  if (size > history_record_bytes_max) return ReadOutcome::damaged;
  into.kind = static_cast<HistoryRecordKind>(head[0]);
  into.bytes.resize(size);
  file.read(into.bytes.data(), static_cast<std::streamsize>(size));
  return static_cast<std::uint64_t>(file.gcount()) == size ? ReadOutcome::record : ReadOutcome::cut;
}

}  // namespace fieldsync::audit

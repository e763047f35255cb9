#include "audit/history_file.h"

#include <cstring>

#include "codec/big_endian.h"

namespace fieldsync::audit {
namespace {

constexpr std::size_t number_bytes = 8;
constexpr std::size_t length_bytes = 4;
constexpr std::size_t entry_head_bytes = 2 * number_bytes + 32 + 64;

std::string record(HistoryRecordKind kind, std::string_view content) {
  std::string bytes(1, static_cast<char>(kind));
  codec::append_big_endian(bytes, content.size(), length_bytes);
  return bytes.append(content);
}

bool is_kind(char byte) { return std::string_view("KEBZ").find(byte) != std::string_view::npos; }

}  // namespace

std::string key_record(const codec::VerifyingKey& key) { return record(HistoryRecordKind::key, view_of_key(key)); }

std::string entry_record(const HistoryEntry& entry) {
  std::string bytes;
  codec::append_big_endian(bytes, entry.checkpoint.size);
  codec::append_big_endian(bytes, static_cast<std::uint64_t>(entry.checkpoint.time.ms));
  bytes += view_of(entry.checkpoint.root);
  bytes.append(reinterpret_cast<const char*>(entry.checkpoint.signature.data()), entry.checkpoint.signature.size());
  return record(HistoryRecordKind::entry, bytes + entry.entry);
}

std::string batch_record(const v1::Batch& batch) { return record(HistoryRecordKind::batch, batch.SerializeAsString()); }

std::string end_record(std::uint64_t size) {
  std::string bytes;
  codec::append_big_endian(bytes, size);
  return record(HistoryRecordKind::end, bytes);
}

std::optional<HistoryEntry> read_entry(std::string_view bytes) {
  if (bytes.size() < entry_head_bytes) return std::nullopt;
  HistoryEntry entry;
  entry.checkpoint.size = codec::read_big_endian(bytes.substr(0, number_bytes));
  entry.checkpoint.time.ms =
      static_cast<std::int64_t>(codec::read_big_endian(bytes.substr(number_bytes, number_bytes)));
  entry.checkpoint.root = hash_from(bytes.substr(2 * number_bytes, 32));
  std::memcpy(entry.checkpoint.signature.data(), bytes.data() + 2 * number_bytes + 32, 64);
  entry.entry = bytes.substr(entry_head_bytes);
  return entry;
}

std::optional<std::uint64_t> read_end(std::string_view bytes) {
  if (bytes.size() != number_bytes) return std::nullopt;
  return codec::read_big_endian(bytes.substr(0, number_bytes));
}

ReadOutcome read_record(std::istream& file, HistoryRecord& into) {
  char head[1 + length_bytes];
  file.read(head, sizeof head);
  if (file.gcount() == 0) return ReadOutcome::end_of_file;
  if (!is_kind(head[0])) return ReadOutcome::damaged;
  if (file.gcount() < static_cast<std::streamsize>(sizeof head)) return ReadOutcome::cut;
  const std::uint64_t size = codec::read_big_endian({head + 1, length_bytes});
  if (size > history_record_bytes_max) return ReadOutcome::damaged;
  into.kind = static_cast<HistoryRecordKind>(head[0]);
  into.bytes.resize(size);
  file.read(into.bytes.data(), static_cast<std::streamsize>(size));
  return static_cast<std::uint64_t>(file.gcount()) == size ? ReadOutcome::record : ReadOutcome::cut;
}

}  // namespace fieldsync::audit

#include "storage/identity.h"

#include "storage/packing.h"

namespace fieldsync::storage {
namespace {

constexpr std::size_t pin_bytes = 32;

}  // namespace

void Identity::set_key(std::string_view private_key, std::string_view certificate, const core::DeviceId& device_id) {
  set_text("private_key", private_key);
  set_text("certificate", certificate);
  set_text("device", device_id.view());
  read_device_again();
}

void Identity::set_next_key(std::string_view private_key, std::string_view certificate) {
  set_text("next_private_key", private_key);
  set_text("next_certificate", certificate);
}

void Identity::set_person(const core::PersonId& person_id, std::string_view name) {
  set_text("person", person_id.view());
  set_text("person_name", name);
}

std::vector<std::string> Identity::server_pins() {
  const std::string joined = text("server_pins");
  std::vector<std::string> pins;
  for (std::size_t at = 0; at + pin_bytes <= joined.size(); at += pin_bytes)
    pins.push_back(joined.substr(at, pin_bytes));
  return pins;
}

void Identity::set_server_pins(const std::vector<std::string>& pins) {
  std::string joined;
  for (const std::string& pin : pins) joined += pin;
  set_text("server_pins", joined);
}

codec::ChainPosition Identity::acknowledged() {
  return {acknowledged_counter(), codec::hash_from(text("acknowledged_hash"))};
}

void Identity::set_acknowledged(const codec::ChainPosition& position) {
  set_number("acknowledged_counter", position.counter);
  set_text("acknowledged_hash", codec::bytes_of(position.hash));
}

audit::KnownHistory Identity::history() {
  audit::KnownHistory history{audit::read_key(text("log_key")), {}};
  v1::Checkpoint checkpoint;
  if (checkpoint.ParseFromString(text("checkpoint"))) history.checkpoint = audit::read_checkpoint(checkpoint);
  return history;
}

void Identity::set_history(const audit::KnownHistory& history) {
  v1::Checkpoint checkpoint;
  if (history.checkpoint) audit::write_checkpoint(*history.checkpoint, checkpoint);
  set_text("log_key", history.key ? audit::view_of_key(*history.key) : std::string_view());
  set_text("checkpoint", checkpoint.SerializeAsString());
}

std::vector<v1::SetBackEvidence> Identity::set_back_evidence() {
  v1::SetBackEvidenceList list;
  static_cast<void>(list.ParseFromString(text("set_back_evidence")));
  return {list.evidence().begin(), list.evidence().end()};
}

void Identity::add_set_back_evidence(const v1::SetBackEvidence& evidence) {
  v1::SetBackEvidenceList list;
  static_cast<void>(list.ParseFromString(text("set_back_evidence")));
  *list.add_evidence() = evidence;
  set_text("set_back_evidence", list.SerializeAsString());
}

std::optional<core::Instant> Identity::last_sync() {
  const std::uint64_t at = number("last_sync");
  if (at == 0) return std::nullopt;
  return core::Instant{static_cast<std::int64_t>(at)};
}

std::string Identity::text(std::string_view key) {
  auto select = connection_.prepare("SELECT value FROM setting WHERE key = ?1");
  select.bind_text(1, key);
  return select.step() ? vault_.read({seal::Place::setting, key}, select.blob(0)) : std::string();
}

void Identity::set_text(std::string_view key, std::string_view value) {
  auto insert = connection_.prepare("INSERT OR REPLACE INTO setting(key, value) VALUES(?1, ?2)");
  insert.bind_text(1, key).bind_copy(2, vault_.seal({seal::Place::setting, key}, value)).run();
}

std::uint64_t Identity::number(std::string_view key) {
  const std::string packed = text(key);
  return Unpacker(packed).number();
}

void Identity::set_number(std::string_view key, std::uint64_t value) {
  std::string packed;
  pack_number(packed, value);
  set_text(key, packed);
}

}  // namespace fieldsync::storage

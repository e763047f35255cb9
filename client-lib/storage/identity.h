// identity.h: who this store belongs to: the device's key, its person, its
// server, and the counters that say how far its operations have come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/history_check.h"
#include "codec/batch.h"
#include "core/id.h"
#include "core/time.h"
#include "sqlite/connection.h"
#include "storage/vault.h"

namespace fieldsync::storage {

// Everything small that is one value each. Calls throw SqliteError.
class Identity {
 public:
  Identity(sqlite::Connection& connection, const Vault& vault) : connection_(connection), vault_(vault) {}

  // The device's private key and certificate in PEM; empty before the first start.
  [[nodiscard]] std::string private_key_pem() { return text("private_key"); }
  [[nodiscard]] std::string certificate_pem() { return text("certificate"); }
  void set_key(std::string_view private_key_pem, std::string_view certificate_pem, const core::DeviceId& device);
  [[nodiscard]] core::DeviceId device() {
    if (device_.is_none()) device_ = id<core::DeviceId>("device");
    return device_;
  }
  // After a transaction with set_key() that may have been undone.
  void read_device_again() { device_ = {}; }

  // None before enrolment.
  [[nodiscard]] core::PersonId person() { return id<core::PersonId>("person"); }
  [[nodiscard]] std::string person_name() { return text("person_name"); }
  void set_person(const core::PersonId& person, std::string_view name);
  [[nodiscard]] std::string server() { return text("server"); }
  void set_server(std::string_view address) { set_text("server", address); }
  // SHA-256 of the public keys that the server may show, 32 bytes each.
  [[nodiscard]] std::vector<std::string> server_pins();
  void set_server_pins(const std::vector<std::string>& pins);

  // Counters of this device's operations. last >= acknowledged >= durable.
  [[nodiscard]] std::uint64_t last_counter() { return number("last_counter"); }
  void set_last_counter(std::uint64_t counter) { set_number("last_counter", counter); }
  [[nodiscard]] std::uint64_t acknowledged_counter() { return number("acknowledged_counter"); }
  // Where the next batch goes on. The hash is zeros where a comparison ended within a
  // batch: nothing is sent then (storage/fork.h).
  [[nodiscard]] codec::ChainPosition acknowledged();
  void set_acknowledged(const codec::ChainPosition& position);
  [[nodiscard]] std::uint64_t durable_counter() { return number("durable_counter"); }
  void set_durable_counter(std::uint64_t counter) { set_number("durable_counter", counter); }
  // Up to here the office has proven that this device's operations stand in its history: by a
  // receipt, in the history that history() names. 0 in a store from before there were receipts.
  [[nodiscard]] std::uint64_t receipted_counter() { return number("receipted_counter"); }
  void set_receipted_counter(std::uint64_t counter) { set_number("receipted_counter", counter); }
  // The store gave up operations to a former id of this device on the office's word alone.
  [[nodiscard]] bool gave_up_unproven() { return number("gave_up_unproven") != 0; }
  void set_gave_up_unproven() { set_number("gave_up_unproven", 1); }
  // The office keeps all that this store ever saved, and has proven it.
  [[nodiscard]] bool all_is_proven() {
    return last_counter() <= durable_counter() && last_counter() <= receipted_counter() && !gave_up_unproven();
  }

  // The first of this device's counters under which the server has, or may have, what
  // another copy of this store saved; 0 where no such copy is known (storage/fork.h).
  [[nodiscard]] std::uint64_t forked_from() { return number("forked_from"); }
  void set_forked_from(std::uint64_t counter) { set_number("forked_from", counter); }
  // True while acknowledged_counter() says how far the server's history was compared
  // with this store's, after it turned out to be another copy's.
  [[nodiscard]] bool comparing() { return number("comparing") != 0; }
  void set_comparing(bool comparing) { set_number("comparing", comparing ? 1 : 0); }
  // The key with which a forked store enrols anew; empty before it first asks.
  [[nodiscard]] std::string next_private_key_pem() { return text("next_private_key"); }
  [[nodiscard]] std::string next_certificate_pem() { return text("next_certificate"); }
  void set_next_key(std::string_view private_key_pem, std::string_view certificate_pem);

  [[nodiscard]] std::uint64_t forms_version() { return number("forms_version"); }
  void set_forms_version(std::uint64_t version) { set_number("forms_version", version); }
  [[nodiscard]] std::uint64_t directory_version() { return number("directory_version"); }
  void set_directory_version(std::uint64_t version) { set_number("directory_version", version); }

  // The greatest that the office named of an attachment (AttachmentStatus.version).
  [[nodiscard]] std::uint64_t attachments_version() { return number("attachments_version"); }
  void set_attachments_version(std::uint64_t version) { set_number("attachments_version", version); }

  // What this device knows of the office's history.
  [[nodiscard]] audit::KnownHistory history();
  void set_history(const audit::KnownHistory& history);
  // Every time that it was set back, the oldest first: kept for ever.
  [[nodiscard]] std::vector<v1::SetBackEvidence> set_back_evidence();
  void add_set_back_evidence(const v1::SetBackEvidence& evidence);

  [[nodiscard]] std::optional<core::Instant> last_sync();
  void set_last_sync(core::Instant at) { set_number("last_sync", static_cast<std::uint64_t>(at.ms)); }

 private:
  template <typename IdType>
  IdType id(std::string_view key) {
    return IdType::from_bytes(text(key)).value_or(IdType{});
  }
  [[nodiscard]] std::string text(std::string_view key);
  void set_text(std::string_view key, std::string_view value);
  [[nodiscard]] std::uint64_t number(std::string_view key);
  void set_number(std::string_view key, std::uint64_t value);

  sqlite::Connection& connection_;
  const Vault& vault_;
  core::DeviceId device_;  // kept once it was read
};

}  // namespace fieldsync::storage

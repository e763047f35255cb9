// directory.h: what the server told about forms, people and scopes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/form.h"
#include "core/id.h"
#include "core/result.h"
#include "fieldsync/v1/sync.pb.h"
#include "sqlite/connection.h"
#include "storage/vault.h"

namespace fieldsync::storage {

struct ScopeRow {
  core::ScopeId id;
  std::string name;
  v1::Role role = v1::ROLE_UNSPECIFIED;  // none: the person left it
  bool reads_own_only = false;           // the records that they take part in, and reference data
  std::string cursor;                    // empty before anything was read
  std::uint64_t digest = 0;              // sum of the replica's hashes
};

// Calls throw SqliteError.
class Directory {
 public:
  Directory(sqlite::Connection& connection, const Vault& vault) : connection_(connection), vault_(vault) {}

  // By name.
  [[nodiscard]] std::vector<ScopeRow> scopes();
  [[nodiscard]] std::optional<ScopeRow> scope(const core::ScopeId& id);
  // Name and role, where they came with the reply.
  void put_scope(const v1::ScopeChanges& changes);
  void set_position(const core::ScopeId& id, std::string_view cursor, std::uint64_t digest);
  // The person left the scope, and saves in it wait: it has no role until it is named anew.
  void leave_scope(const core::ScopeId& id);
  void remove_scope(const core::ScopeId& id);

  void put_people(const google::protobuf::RepeatedPtrField<v1::Person>& people);
  [[nodiscard]] std::string person_name(const core::PersonId& person);

  // From the reply's forms and its forms_frame. incompatible_server: the frame
  // cannot be read.
  Result<void> put_forms(const v1::SyncReply& reply);
  [[nodiscard]] std::vector<core::Form> forms();
  // Null where the device does not have it. Valid until the next put_forms.
  [[nodiscard]] const core::Form* form(std::string_view name);
  // What was read of them stays in memory else.
  void forget_forms() {
    known_forms_.clear();
    ++forms_version_;
  }
  // Another one where a form may be another.
  [[nodiscard]] std::uint64_t forms_version() const { return forms_version_; }

 private:
  friend class Sealing;
  void put_form(const v1::Form& form);
  [[nodiscard]] ScopeRow read_scope(const sqlite::Statement& row) const;
  void put_about(const core::ScopeId& id, v1::Role role, bool reads_own_only, std::string_view name);

  sqlite::Connection& connection_;
  const Vault& vault_;
  std::map<std::string, std::optional<core::Form>, std::less<>> known_forms_;
  std::uint64_t forms_version_ = 0;
};

}  // namespace fieldsync::storage

#include "storage/directory.h"

#include <algorithm>
#include <tuple>

#include "codec/form_codec.h"
#include "codec/frame.h"
#include "storage/packing.h"

namespace fieldsync::storage {
namespace {

constexpr std::size_t form_list_bytes_max = 16 * 1024 * 1024;
// Of a scope's role, as it is stored.
constexpr std::uint64_t own_only_bit = 0x100;

[[noreturn]] void damaged() { throw sqlite::SqliteError(Errc::storage_corrupt, "a scope or form could not be read"); }

}  // namespace

ScopeRow Directory::read_scope(const sqlite::Statement& row) const {
  const std::string_view id = row.blob(0);
  ScopeRow scope;
  scope.id = core::ScopeId::from_bytes(id).value_or(core::ScopeId{});
  const std::string about = vault_.read({seal::Place::scope, id}, row.blob(1));
  Unpacker about_fields(about);
  const std::uint64_t role = about_fields.number();
  scope.role = static_cast<v1::Role>(role & ~own_only_bit);
  scope.reads_own_only = (role & own_only_bit) != 0;
  scope.name = about_fields.rest();
  if (row.is_null(2)) return scope;
  const std::string position = vault_.read({seal::Place::scope_position, id}, row.blob(2));
  Unpacker position_fields(position);
  scope.digest = position_fields.number();
  scope.cursor = position_fields.rest();
  if (!about_fields.done() || !position_fields.done()) damaged();
  return scope;
}

std::vector<ScopeRow> Directory::scopes() {
  auto select = connection_.prepare("SELECT id, about, position FROM scope");
  std::vector<ScopeRow> rows;
  while (select.step()) rows.push_back(read_scope(select));
  std::sort(rows.begin(), rows.end(), [](const ScopeRow& left, const ScopeRow& right) {
    return std::tie(left.name, left.id) < std::tie(right.name, right.id);
  });
  return rows;
}

std::optional<ScopeRow> Directory::scope(const core::ScopeId& id) {
  auto select = connection_.prepare("SELECT id, about, position FROM scope WHERE id = ?1");
  select.bind_blob(1, id.view());
  if (!select.step()) return std::nullopt;
  return read_scope(select);
}

void Directory::put_about(const core::ScopeId& id, v1::Role role, bool reads_own_only, std::string_view name) {
  std::string about;
  pack_number(about, static_cast<std::uint64_t>(role) | (reads_own_only ? own_only_bit : 0));
  about += name;
  auto upsert = connection_.prepare(
      "INSERT INTO scope(id, about) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET about = excluded.about");
  upsert.bind_blob(1, id.view()).bind_copy(2, vault_.seal({seal::Place::scope, id.view()}, about)).run();
}

void Directory::put_scope(const v1::ScopeChanges& changes) {
  const auto id = core::ScopeId::from_bytes(changes.scope());
  if (changes.role() == v1::ROLE_UNSPECIFIED || !id) return;
  put_about(*id, changes.role(), changes.reading_mode() == v1::READING_MODE_OWN, changes.name());
}

void Directory::set_position(const core::ScopeId& id, std::string_view cursor, std::uint64_t digest) {
  std::string position;
  pack_number(position, digest);
  position += cursor;
  auto update = connection_.prepare("UPDATE scope SET position = ?2 WHERE id = ?1");
  update.bind_blob(1, id.view()).bind_copy(2, vault_.seal({seal::Place::scope_position, id.view()}, position)).run();
}

void Directory::leave_scope(const core::ScopeId& id) {
  if (const auto known = scope(id)) put_about(id, v1::ROLE_UNSPECIFIED, known->reads_own_only, known->name);
}

void Directory::remove_scope(const core::ScopeId& id) {
  auto remove = connection_.prepare("DELETE FROM scope WHERE id = ?1");
  remove.bind_blob(1, id.view()).run();
}

void Directory::put_people(const google::protobuf::RepeatedPtrField<v1::Person>& people) {
  for (const v1::Person& person : people) {
    auto upsert = connection_.prepare("INSERT OR REPLACE INTO person(id, name) VALUES(?1, ?2)");
    upsert.bind_blob(1, person.id()).bind_copy(2, vault_.seal({seal::Place::person, person.id()}, person.name()));
    upsert.run();
  }
}

std::string Directory::person_name(const core::PersonId& person) {
  auto select = connection_.prepare("SELECT name FROM person WHERE id = ?1");
  select.bind_blob(1, person.view());
  if (!select.step()) return person.hex().substr(0, 8);
  return vault_.read({seal::Place::person, person.view()}, select.blob(0));
}

Result<void> Directory::put_forms(const v1::SyncReply& reply) {
  for (const v1::Form& form : reply.forms()) put_form(form);
  if (reply.forms_frame().empty()) return {};
  const auto content = codec::FrameReader().decompress(reply.forms_frame(), form_list_bytes_max);
  v1::FormList list;
  if (!content || !list.ParseFromString(*content)) {
    return Error{Errc::incompatible_server,
                 "The server's answer could not be read: its forms are not a frame of this app's dictionary."};
  }
  for (const v1::Form& form : list.forms()) put_form(form);
  return {};
}

void Directory::put_form(const v1::Form& form) {
  const std::string tag = vault_.tag_of(form.name());
  auto upsert = connection_.prepare("INSERT OR REPLACE INTO form(tag, content) VALUES(?1, ?2)");
  upsert.bind_blob(1, tag).bind_copy(2, vault_.seal({seal::Place::form, tag}, form.SerializeAsString())).run();
  forget_forms();
}

std::vector<core::Form> Directory::forms() {
  auto select = connection_.prepare("SELECT tag, content FROM form");
  std::vector<core::Form> forms;
  while (select.step()) {
    // A form of a newer kind that this program cannot read is relayed, not shown.
    const std::string content = vault_.read({seal::Place::form, select.blob(0)}, select.blob(1));
    if (auto form = codec::decode_form(content)) forms.push_back(std::move(*form));
  }
  std::sort(forms.begin(), forms.end(),
            [](const core::Form& left, const core::Form& right) { return left.name < right.name; });
  return forms;
}

const core::Form* Directory::form(std::string_view name) {
  const auto known = known_forms_.find(name);
  if (known != known_forms_.end()) return known->second ? &*known->second : nullptr;
  const std::string tag = vault_.tag_of(name);
  auto select = connection_.prepare("SELECT content FROM form WHERE tag = ?1");
  select.bind_blob(1, tag);
  std::optional<core::Form> form;
  if (select.step()) {
    if (auto decoded = codec::decode_form(vault_.read({seal::Place::form, tag}, select.blob(0))))
      form = std::move(*decoded);
  }
  const auto& stored = known_forms_.emplace(std::string(name), std::move(form)).first->second;
  return stored ? &*stored : nullptr;
}

}  // namespace fieldsync::storage

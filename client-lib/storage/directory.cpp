#include "storage/directory.h"

#include "codec/form_codec.h"
#include "codec/frame.h"

namespace fieldsync::storage {
namespace {

constexpr std::size_t form_list_bytes_max = 16 * 1024 * 1024;

ScopeRow read_scope(const sqlite::Statement& row) {
  return {core::ScopeId::from_bytes(row.blob(0)).value_or(core::ScopeId{}), std::string(row.text(1)),
          static_cast<v1::Role>(row.integer(2)), std::string(row.blob(3)), row.unsigned_integer(4)};
}

}  // namespace

std::vector<ScopeRow> Directory::scopes() {
  auto select = connection_.prepare("SELECT id, name, role, cursor, digest FROM scope ORDER BY name, id");
  std::vector<ScopeRow> rows;
  while (select.step()) rows.push_back(read_scope(select));
  return rows;
}

std::optional<ScopeRow> Directory::scope(const core::ScopeId& id) {
  auto select = connection_.prepare("SELECT id, name, role, cursor, digest FROM scope WHERE id = ?1");
  select.bind_blob(1, id.view());
  if (!select.step()) return std::nullopt;
  return read_scope(select);
}

void Directory::put_scope(const v1::ScopeChanges& changes) {
  if (changes.role() == v1::ROLE_UNSPECIFIED) return;
  auto upsert = connection_.prepare(
      "INSERT INTO scope(id, name, role, reading_mode) VALUES(?1, ?2, ?3, ?4)"
      " ON CONFLICT(id) DO UPDATE SET name = ?2, role = ?3, reading_mode = ?4");
  upsert.bind_blob(1, changes.scope())
      .bind_text(2, changes.name())
      .bind(3, changes.role())
      .bind(4, changes.reading_mode());
  upsert.run();
}

void Directory::set_position(const core::ScopeId& id, std::string_view cursor, std::uint64_t digest) {
  auto update = connection_.prepare("UPDATE scope SET cursor = ?2, digest = ?3 WHERE id = ?1");
  update.bind_blob(1, id.view()).bind_blob(2, cursor).bind_unsigned(3, digest).run();
}

void Directory::leave_scope(const core::ScopeId& id) {
  auto update = connection_.prepare("UPDATE scope SET role = 0 WHERE id = ?1");
  update.bind_blob(1, id.view()).run();
}

void Directory::remove_scope(const core::ScopeId& id) {
  auto remove = connection_.prepare("DELETE FROM scope WHERE id = ?1");
  remove.bind_blob(1, id.view()).run();
}

void Directory::put_people(const google::protobuf::RepeatedPtrField<v1::Person>& people) {
  for (const v1::Person& person : people) {
    auto upsert = connection_.prepare("INSERT OR REPLACE INTO person(id, name) VALUES(?1, ?2)");
    upsert.bind_blob(1, person.id()).bind_text(2, person.name()).run();
  }
}

std::string Directory::person_name(const core::PersonId& person) {
  auto select = connection_.prepare("SELECT name FROM person WHERE id = ?1");
  select.bind_blob(1, person.view());
  return select.step() ? std::string(select.text(0)) : person.hex().substr(0, 8);
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
  const std::string bytes = form.SerializeAsString();
  auto upsert = connection_.prepare("INSERT OR REPLACE INTO form(name, version, bytes) VALUES(?1, ?2, ?3)");
  upsert.bind_text(1, form.name()).bind(2, form.version()).bind_blob(3, bytes).run();
  known_forms_.clear();
}

std::vector<core::Form> Directory::forms() {
  auto select = connection_.prepare("SELECT bytes FROM form ORDER BY name");
  std::vector<core::Form> forms;
  while (select.step()) {
    // A form of a newer kind that this program cannot read is relayed, not shown.
    if (auto form = codec::decode_form(select.blob(0))) forms.push_back(std::move(*form));
  }
  return forms;
}

const core::Form* Directory::form(std::string_view name) {
  const auto known = known_forms_.find(name);
  if (known != known_forms_.end()) return known->second ? &*known->second : nullptr;
  auto select = connection_.prepare("SELECT bytes FROM form WHERE name = ?1");
  select.bind_text(1, name);
  std::optional<core::Form> form;
  if (select.step()) {
    if (auto decoded = codec::decode_form(select.blob(0))) form = std::move(*decoded);
  }
  const auto& stored = known_forms_.emplace(std::string(name), std::move(form)).first->second;
  return stored ? &*stored : nullptr;
}

}  // namespace fieldsync::storage

// named_rows.h: the rows that a command names: by a name, or the first letters of an id.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "store/store.h"

namespace fieldsync::server {

// A name goes before an id; two people may have one name. `what`: the command that lists them.
// ambiguous, not_found.
template <typename Row, typename Name>
Result<Row> find_one(const std::vector<Row>& rows, const std::string& wanted, const std::string& what, Name name) {
  std::vector<Row> named, begun;
  for (const Row& row : rows) {
    if (name(row) == wanted) named.push_back(row);
    if (row.id.hex().starts_with(wanted) && wanted.size() >= 4) begun.push_back(row);
  }
  const std::vector<Row>& found = named.empty() ? begun : named;
  if (found.size() == 1) return found.front();
  if (found.size() > 1)
    return Error{Errc::ambiguous, "More than one " + what + " matches '" + wanted +
                                      "'. Give more letters of the id. See: fieldsync-server " + what + " list"};
  return Error{Errc::not_found, "There is no " + what + " '" + wanted + "'. See: fieldsync-server " + what + " list"};
}

[[nodiscard]] inline Result<PersonRow> find_person(ReadTransaction& transaction, const std::string& wanted) {
  return find_one(transaction.people(), wanted, "person", [](const PersonRow& row) { return row.name; });
}

[[nodiscard]] inline Result<ScopeRow> find_scope(ReadTransaction& transaction, const std::string& wanted) {
  return find_one(transaction.scopes(), wanted, "scope", [](const ScopeRow& row) { return row.name; });
}

// By its name, whole. unknown_form.
[[nodiscard]] inline Result<FormRow> find_form(ReadTransaction& transaction, const std::string& wanted) {
  auto row = transaction.form(wanted);
  if (!row) return Error{Errc::unknown_form, "There is no form '" + wanted + "'. See: fieldsync-server form list"};
  return std::move(*row);
}

// By the first digits of its fingerprint, with blanks or without.
[[nodiscard]] inline Result<DeviceRow> find_device(ReadTransaction& transaction, std::string wanted) {
  std::erase(wanted, ' ');
  return find_one(transaction.devices(), wanted, "device", [](const DeviceRow& row) { return row.id.hex(); });
}

}  // namespace fieldsync::server

// laid_open.h: what a sealed store holds, as the plain tables that stores had before they
// were sealed: to be asked with SQL, and to be sealed once more.
#pragma once

#include <string>

#include "storage/vault.h"

namespace fieldsync::testing {

// SQL that makes and fills those tables in a database that has none of them. Pre: the vault
// is open. Throws SqliteError.
[[nodiscard]] std::string laid_open(sqlite::Connection& connection, const storage::Vault& vault);
// The same of the store at `path`, which nobody has open.
[[nodiscard]] std::string laid_open(const std::string& path);

}  // namespace fieldsync::testing

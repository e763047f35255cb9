// enrolment.h: binds a store to a person at a server, once and for all. It enrols again
// for the same person at the same server where another copy of the store took its place
// there (storage/fork.h), and where the server was restored and does not know it.
#pragma once

#include <string>

#include "api/local_store.h"

namespace fieldsync::api {

// Errors as Database::enrol. No sync may run meanwhile. Throws SqliteError.
[[nodiscard]] Result<void> enrol(LocalStore& store, const std::string& text, const std::string& device_name);

}  // namespace fieldsync::api

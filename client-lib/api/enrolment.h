// enrolment.h: binds a store to a person at a server, once and for all. It enrols again
// for the same person at the same server where another copy of the store took its place
// there (storage/fork.h), and where the server was restored and does not know it.
#pragma once

#include <functional>
#include <string>

#include "api/local_store.h"

namespace fieldsync::api {

// Is told how to cancel what runs, and with nothing when there is nothing to cancel any more.
using CanCancel = std::function<void(std::function<void()> cancel)>;

// Errors as Database::enrol. No sync may run meanwhile. Throws SqliteError.
[[nodiscard]] Result<void> enrol(LocalStore& store, const std::string& text, const std::string& device_name,
                                 const CanCancel& can_cancel);

}  // namespace fieldsync::api

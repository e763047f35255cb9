// unlocking.h: what opens a store, as an app gives it and as the store takes it.
#pragma once

#include "api/local_store.h"
#include "fieldsync/database.h"

namespace fieldsync::api {

// Errors as Database::unlock.
[[nodiscard]] Result<void> unlock_with(LocalStore& store, const Credentials& credentials);

// `added` null: only `known` goes. The lock is taken. Errors as Database's.
enum class Known : std::uint8_t { stays, goes };
[[nodiscard]] Result<void> change_credentials(LocalStore& store, const Credentials& known, Known fate,
                                              const Credentials* added);

}  // namespace fieldsync::api

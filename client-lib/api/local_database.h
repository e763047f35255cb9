// local_database.h: the public Database over a store that is open already.
#pragma once

#include <chrono>
#include <memory>

#include "api/local_store.h"
#include "fieldsync/database.h"

namespace fieldsync::api {

// Locks itself after so long without a call; never for 0.
[[nodiscard]] std::unique_ptr<Database> make_database(std::unique_ptr<LocalStore> store,
                                                      std::chrono::seconds lock_after = {});

}  // namespace fieldsync::api

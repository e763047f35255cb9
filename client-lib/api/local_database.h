// local_database.h: the public Database over a store that is open already.
#pragma once

#include <memory>

#include "api/local_store.h"
#include "fieldsync/database.h"

namespace fieldsync::api {

[[nodiscard]] std::unique_ptr<Database> make_database(std::unique_ptr<LocalStore> store);

}  // namespace fieldsync::api

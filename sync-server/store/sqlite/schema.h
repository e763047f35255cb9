// schema.h: the server's tables in SQLite.
#pragma once

#include <span>

#include "sqlite/migrations.h"

namespace fieldsync::server {

inline constexpr int application_id = 0x46535352;  // "FSSR"

[[nodiscard]] std::span<const sqlite::Migration> server_migrations();

}  // namespace fieldsync::server

// cursor.h: how far a device has read a scope, in bytes that only this server
// can make and only this device can use.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/id.h"
#include "core/result.h"

namespace fieldsync::server {

using CursorKey = std::array<std::uint8_t, 16>;

struct Cursor {
  std::int64_t scope = 0;   // ScopeRow::key
  std::uint64_t epoch = 0;  // ScopeRow::epoch when it was given
  // Every record whose last change is at most this was read.
  std::uint64_t seq = 0;
  // The last position at which nothing was left to read. Between pages a record
  // that changes moves behind `seq`: what the device has of it is as of here.
  std::uint64_t complete = 0;
  // What the device read was its person's own (ReadersView), not all of the scope.
  bool is_of_own = false;
};

// 1, or 2 where it is of the person's own (1) | scope (4) | epoch (8) | seq (8) | complete (8), big endian, then
// SipHash-2-4 over the device's id and these. A forged cursor would open nothing: rights are checked in each request.
[[nodiscard]] std::string seal_cursor(const Cursor& cursor, const core::DeviceId& device, const CursorKey& key);

// bad_cursor: another device's, another server's, or altered.
[[nodiscard]] Result<Cursor> open_cursor(std::string_view bytes, const core::DeviceId& device, const CursorKey& key);

}  // namespace fieldsync::server

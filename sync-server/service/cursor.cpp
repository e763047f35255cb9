#include "service/cursor.h"

#include <sodium.h>

#include "codec/big_endian.h"

namespace fieldsync::server {
namespace {

using codec::append_big_endian;
using codec::read_big_endian;

constexpr char version_of_scope = 1;
constexpr char version_of_own = 2;
constexpr std::size_t plain_bytes = 1 + 4 + 8 + 8 + 8;

std::string mac_of(std::string_view plain, const core::DeviceId& device, const CursorKey& key) {
  static_assert(crypto_shorthash_KEYBYTES == sizeof(CursorKey));
  const std::string bytes = std::string(device.view()) + std::string(plain);
  std::string mac(crypto_shorthash_BYTES, '\0');
  crypto_shorthash(reinterpret_cast<unsigned char*>(mac.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                   bytes.size(), key.data());
  return mac;
}

}  // namespace

std::string seal_cursor(const Cursor& cursor, const core::DeviceId& device, const CursorKey& key) {
  std::string bytes(1, cursor.is_of_own ? version_of_own : version_of_scope);
  append_big_endian(bytes, static_cast<std::uint64_t>(cursor.scope), 4);
  append_big_endian(bytes, cursor.epoch, 8);
  append_big_endian(bytes, cursor.seq, 8);
  append_big_endian(bytes, cursor.complete, 8);
  return bytes + mac_of(bytes, device, key);
}

Result<Cursor> open_cursor(std::string_view bytes, const core::DeviceId& device, const CursorKey& key) {
  if (bytes.size() != plain_bytes + crypto_shorthash_BYTES) return Error{Errc::bad_cursor, {}};
  if (bytes[0] != version_of_scope && bytes[0] != version_of_own) return Error{Errc::bad_cursor, {}};
  const std::string expected = mac_of(bytes.substr(0, plain_bytes), device, key);
  if (sodium_memcmp(expected.data(), bytes.data() + plain_bytes, expected.size()) != 0)
    return Error{Errc::bad_cursor, {}};
  return Cursor{static_cast<std::int64_t>(read_big_endian(bytes.substr(1, 4))), read_big_endian(bytes.substr(5, 8)),
                read_big_endian(bytes.substr(13, 8)), read_big_endian(bytes.substr(21, 8)), bytes[0] == version_of_own};
}

}  // namespace fieldsync::server

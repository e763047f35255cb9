// cursor_fuzz.cpp: cursors, which only this server makes and only one device uses.
#include "fuzz/input.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"
#include "service/cursor.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

constexpr server::CursorKey key{1, 2, 3, 4, 5, 6, 7, 8};

core::DeviceId device_of(char letter) {
  core::DeviceId device;
  device.bytes.fill(static_cast<std::uint8_t>(letter));
  return device;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool forged = input.below(2) == 0;
  if (forged) {
    const std::string_view bytes = input.rest();
    const auto opened = server::open_cursor(bytes, device_of('d'), key);
    if (opened) must_hold(server::seal_cursor(*opened, device_of('d'), key) == bytes, "a cursor has one form");
    return 0;
  }
  const server::Cursor cursor{static_cast<std::int64_t>(input.wide_number() >> 32), input.wide_number(),
                              input.wide_number(), input.wide_number()};
  std::string sealed = server::seal_cursor(cursor, device_of('d'), key);
  const auto opened = server::open_cursor(sealed, device_of('d'), key);
  must_hold(opened && opened->scope == cursor.scope && opened->epoch == cursor.epoch && opened->seq == cursor.seq &&
                opened->complete == cursor.complete,
            "a cursor says what it was made of");
  must_hold(!server::open_cursor(sealed, device_of('e'), key), "a cursor is one device's");
  const std::size_t at = input.byte() % sealed.size();
  const std::uint8_t change = input.byte();
  sealed[at] = static_cast<char>(sealed[at] ^ change);
  must_hold(change == 0 || !server::open_cursor(sealed, device_of('d'), key), "an altered cursor is refused");
  return 0;
}

// qr_code.h: a text as a QR code, for a phone's camera.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fieldsync::server {

// Light modules that stand around a code on each side (ISO/IEC 18004).
inline constexpr int quiet_zone_modules = 4;

class QrCode {
 public:
  // value_too_large: more than 2,331 bytes.
  [[nodiscard]] static Result<QrCode> of(std::string_view text);

  // Modules on each side, without the quiet zone.
  [[nodiscard]] int size() const { return size_; }
  // Outside the code every module is light.
  [[nodiscard]] bool is_dark(int column, int row) const;

 private:
  int size_ = 0;
  std::vector<bool> dark_;  // row by row
};

// Two modules to a character, with the quiet zone. It sets both colours itself: on a terminal's own
// the code may be the wrong way round.
[[nodiscard]] std::string terminal_text(const QrCode& code);

// A whole SVG document, black on white, with the quiet zone.
[[nodiscard]] std::string svg_text(const QrCode& code);

}  // namespace fieldsync::server

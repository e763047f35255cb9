#include "app/qr_code.h"

#include <qrencode.h>

#include <memory>

namespace fieldsync::server {
namespace {

constexpr std::string_view white_on_black = "\x1b[97;40m";
constexpr std::string_view terminals_own_colours = "\x1b[0m";

}  // namespace

Result<QrCode> QrCode::of(std::string_view text) {
  // Level M: a sixth of it may be dirty. Version 0: the smallest that fits.
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> encoded(
      QRcode_encodeData(static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0,
                        QR_ECLEVEL_M),
      QRcode_free);
  if (!encoded) return Error{Errc::value_too_large, "The text does not fit a QR code."};
  QrCode code;
  code.size_ = encoded->width;
  const auto modules = static_cast<std::size_t>(encoded->width) * static_cast<std::size_t>(encoded->width);
  for (std::size_t i = 0; i < modules; ++i) code.dark_.push_back((encoded->data[i] & 1) != 0);
  return code;
}

bool QrCode::is_dark(int column, int row) const {
  if (column < 0 || row < 0 || column >= size_ || row >= size_) return false;
  return dark_[static_cast<std::size_t>(row) * static_cast<std::size_t>(size_) + static_cast<std::size_t>(column)];
}

std::string terminal_text(const QrCode& code) {
  const int end = code.size() + quiet_zone_modules;
  std::string text;
  for (int row = -quiet_zone_modules; row < end; row += 2) {
    text += white_on_black;
    for (int column = -quiet_zone_modules; column < end; ++column) {
      const bool upper_is_light = !code.is_dark(column, row);
      const bool lower_is_light = !code.is_dark(column, row + 1);
      if (upper_is_light) {
        text += lower_is_light ? "\u2588" : "\u2580";
      } else {
        text += lower_is_light ? "\u2584" : " ";
      }
    }
    text += terminals_own_colours;
    text += '\n';
  }
  return text;
}

std::string svg_text(const QrCode& code) {
  const std::string side = std::to_string(code.size() + 2 * quiet_zone_modules);
  std::string dark;
  for (int row = 0; row < code.size(); ++row) {
    for (int column = 0; column < code.size(); ++column) {
      if (!code.is_dark(column, row)) continue;
      dark += "M" + std::to_string(column + quiet_zone_modules) + " " + std::to_string(row + quiet_zone_modules) +
              "h1v1h-1z";
    }
  }
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + side + " " + side +
         "\" shape-rendering=\"crispEdges\">\n<rect width=\"" + side + "\" height=\"" + side +
         "\" fill=\"#fff\"/>\n<path fill=\"#000\" d=\"" + dark + "\"/>\n</svg>\n";
}

}  // namespace fieldsync::server

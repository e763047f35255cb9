// What is drawn is read by a QR reader that is not ours, and says exactly what was asked for.
#include "app/qr_code.h"

#include <zbar.h>

#include <catch2/catch.hpp>
#include <memory>
#include <sstream>

#include "engine/enrolment_text.h"

using namespace fieldsync;
using server::QrCode;

namespace {

const std::string enrolment = engine::format_enrolment(
    {"office.example.org:9443", {std::string(32, '\x5a'), std::string(32, '\xa5')}, "0123456789ABCDEFG"});

// Rows of modules, true where dark, as a camera sees them.
using Picture = std::vector<std::vector<bool>>;

Picture picture_of_terminal(const std::string& text) {
  Picture picture;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    REQUIRE(line.starts_with("\x1b[97;40m"));
    REQUIRE(line.ends_with("\x1b[0m"));
    std::string_view cells = std::string_view(line).substr(8, line.size() - 8 - 4);
    std::vector<bool> upper, lower;
    while (!cells.empty()) {
      const std::size_t bytes = cells.front() == ' ' ? 1 : 3;
      const std::string_view cell = cells.substr(0, bytes);
      cells.remove_prefix(bytes);
      REQUIRE((cell == " " || cell == "\u2588" || cell == "\u2580" || cell == "\u2584"));
      // White is drawn, black is the ground.
      upper.push_back(cell != "\u2588" && cell != "\u2580");
      lower.push_back(cell != "\u2588" && cell != "\u2584");
    }
    picture.push_back(upper);
    picture.push_back(lower);
  }
  return picture;
}

Picture picture_of_svg(const std::string& svg) {
  const std::size_t box = svg.find("viewBox=\"0 0 ") + 13;
  const std::size_t side = std::stoul(svg.substr(box));
  Picture picture(side, std::vector<bool>(side));
  CHECK(svg.find("<rect width=\"" + std::to_string(side) + "\" height=\"" + std::to_string(side) +
                 "\" fill=\"#fff\"/>") != std::string::npos);
  const std::size_t path = svg.find("<path fill=\"#000\" d=\"");
  REQUIRE(path != std::string::npos);
  std::istringstream moves(svg.substr(path + 21, svg.find('"', path + 21) - path - 21));
  char move = 0;
  std::size_t column = 0;
  std::size_t row = 0;
  std::string one(8, '\0');
  while (moves >> move >> column >> row) {
    REQUIRE(moves.read(one.data(), 8));
    REQUIRE((move == 'M' && one == "h1v1h-1z"));
    picture.at(row).at(column) = true;
  }
  return picture;
}

// What a reader finds, with four points to a module.
std::string read_by_zbar(const Picture& picture) {
  constexpr unsigned points = 4;
  const auto height = static_cast<unsigned>(picture.size()) * points;
  const auto width = static_cast<unsigned>(picture.front().size()) * points;
  std::string grey;
  for (unsigned y = 0; y < height; ++y) {
    for (unsigned x = 0; x < width; ++x) grey += picture[y / points][x / points] ? '\x00' : '\xff';
  }
  zbar::Image image(width, height, "Y800", grey.data(), grey.size());
  zbar::ImageScanner scanner;
  scanner.set_config(zbar::ZBAR_NONE, zbar::ZBAR_CFG_ENABLE, 0);
  scanner.set_config(zbar::ZBAR_QRCODE, zbar::ZBAR_CFG_ENABLE, 1);
  if (scanner.scan(image) != 1) return "not read";
  return image.symbol_begin()->get_data();
}

}  // namespace

TEST_CASE("A QR code on the terminal is read as the enrolment text") {
  const auto code = QrCode::of(enrolment);
  REQUIRE(code);
  CHECK(read_by_zbar(picture_of_terminal(server::terminal_text(*code))) == enrolment);
}

TEST_CASE("A QR code in a file is read as the enrolment text") {
  const auto code = QrCode::of(enrolment);
  REQUIRE(code);
  CHECK(read_by_zbar(picture_of_svg(server::svg_text(*code))) == enrolment);
}

TEST_CASE("Four light modules stand around a QR code") {
  const auto code = QrCode::of(enrolment);
  REQUIRE(code);
  const Picture picture = picture_of_terminal(server::terminal_text(*code));
  const auto side = static_cast<std::size_t>(code->size());
  REQUIRE(picture.size() >= side + 8);
  for (std::size_t y = 0; y < picture.size(); ++y) {
    REQUIRE(picture[y].size() == side + 8);
    for (std::size_t x = 0; x < picture[y].size(); ++x) {
      const bool within = x >= 4 && x < side + 4 && y >= 4 && y < side + 4;
      const bool is_dark = code->is_dark(static_cast<int>(x) - 4, static_cast<int>(y) - 4);
      CHECK(picture[y][x] == (within && is_dark));
    }
  }
  // The corner of a finder pattern is dark.
  CHECK(code->is_dark(0, 0));
}

TEST_CASE("A text that no QR code holds is refused") {
  const auto code = QrCode::of(std::string(3000, 'a'));
  REQUIRE_FALSE(code);
  CHECK(code.error().code == Errc::value_too_large);
}

// progress_bar.h: how far a long command has come: a bar on a terminal, now and
// then a plain line elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace fieldsync::cli {

// One line: "[####....]  50 %  text", or only the text where `total` is 0, for
// not known. At most `columns` wide.
[[nodiscard]] std::string bar_line(std::uint64_t done, std::uint64_t total, std::string_view text, std::size_t columns);

class ProgressBar {
 public:
  // `columns` of the terminal, 0 where `out` is none. `out` must outlive the bar.
  ProgressBar(std::ostream& out, std::size_t columns);
  // Takes the bar off the terminal, so that what follows begins on a clean line.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Draws a bar at once and then as often as an eye can follow; a plain line now
  // and then, and none for what is done in a moment.
  void show(std::uint64_t done, std::uint64_t total, std::string_view text);

 private:
  using Clock = std::chrono::steady_clock;

  std::ostream& out_;
  std::size_t columns_;
  Clock::time_point next_at_;
  bool drawn_ = false;
};

}  // namespace fieldsync::cli

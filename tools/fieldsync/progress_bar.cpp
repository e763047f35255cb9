#include "fieldsync/progress_bar.h"

#include <algorithm>

#include "fieldsync/text_display.h"

namespace fieldsync::cli {
namespace {

constexpr std::size_t cells = 24;
constexpr std::string_view clear_line = "\r\x1b[K";
constexpr std::chrono::milliseconds bar_pause{50};
constexpr std::chrono::milliseconds line_pause{2000};

std::string percent_text(std::uint64_t percent) {
  const std::string digits = std::to_string(percent);
  return std::string(3 - digits.size(), ' ') + digits + " %";
}

}  // namespace

std::string bar_line(std::uint64_t done, std::uint64_t total, std::string_view text, std::size_t columns) {
  if (total == 0) return shortened(text, columns);
  const double part = static_cast<double>(std::min(done, total)) / static_cast<double>(total);
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(cells));
  const std::string bar = '[' + std::string(filled, '#') + std::string(cells - filled, '.') + "] " +
                          percent_text(static_cast<std::uint64_t>(part * 100)) + "  ";
  return shortened(bar + std::string(text), columns);
}

ProgressBar::ProgressBar(std::ostream& out, std::size_t columns)
    : out_(out), columns_(columns), next_at_(columns > 0 ? Clock::now() : Clock::now() + line_pause) {}

ProgressBar::~ProgressBar() {
  if (drawn_ && columns_ > 0) out_ << clear_line << std::flush;
}

void ProgressBar::show(std::uint64_t done, std::uint64_t total, std::string_view text) {
  const auto now = Clock::now();
  if (now < next_at_) return;
  next_at_ = now + (columns_ > 0 ? bar_pause : line_pause);
  drawn_ = true;
  if (columns_ == 0) {
    out_ << text << '\n';
  } else {
    // The last column stays free: some terminals wrap as soon as it is written.
    out_ << clear_line << bar_line(done, total, text, columns_ - 1);
  }
  out_ << std::flush;
}

}  // namespace fieldsync::cli

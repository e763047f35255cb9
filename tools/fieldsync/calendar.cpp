#include "fieldsync/calendar.h"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>

namespace fieldsync::cli {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::seconds;

// 0000-01-01T00:00:00Z and the first millisecond of the year 10000.
constexpr std::int64_t calendar_begin_ms = -62'167'219'200'000;
constexpr std::int64_t calendar_end_ms = 253'402'300'800'000;
constexpr std::int64_t ms_per_day = 86'400'000;

// Reads from the front of a text; the first failure fails all that follow.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  // Exactly `digits` decimal digits, of a number from `least` to `most`.
  int number(std::size_t digits, int least, int most) {
    if (rest_.size() < digits || rest_.substr(0, digits).find_first_not_of("0123456789") != std::string_view::npos) {
      return fail();
    }
    int value = 0;
    std::from_chars(rest_.data(), rest_.data() + digits, value);
    rest_.remove_prefix(digits);
    return value < least || value > most ? fail() : value;
  }

  // One of `characters`, taken off; 0 where none is next.
  char any_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return 0;
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  char required_of(std::string_view characters) {
    const char found = any_of(characters);
    if (found == 0) fail();
    return found;
  }

  // The digits of a fraction as milliseconds; finer digits are dropped.
  std::int64_t fraction_ms() {
    std::int64_t value = 0;
    std::int64_t unit = 100;
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') fail();
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), unit /= 10) {
      value += unit * (rest_.front() - '0');
    }
    return value;
  }

  [[nodiscard]] bool finished() const { return !failed_ && rest_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  int fail() {
    failed_ = true;
    return 0;
  }

  std::string_view rest_;
  bool failed_ = false;
};

std::optional<std::int32_t> scan_days(Scanner& scanner) {
  const int year = scanner.number(4, 0, 9999);
  scanner.required_of("-");
  const int month = scanner.number(2, 1, 12);
  scanner.required_of("-");
  const int day = scanner.number(2, 1, 31);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (scanner.failed() || !date.ok()) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::int64_t scan_time_ms(Scanner& scanner) {
  std::int64_t ms = scanner.number(2, 0, 23) * std::int64_t{3'600'000};
  scanner.required_of(":");
  ms += scanner.number(2, 0, 59) * std::int64_t{60'000};
  if (scanner.any_of(":") == 0) return ms;
  ms += scanner.number(2, 0, 59) * std::int64_t{1'000};
  if (scanner.any_of(".") != 0) ms += scanner.fraction_ms();
  return ms;
}

std::int64_t scan_offset_ms(Scanner& scanner) {
  scanner.any_of(" ");
  const char sign = scanner.required_of("Zz+-");
  if (sign != '+' && sign != '-') return 0;
  std::int64_t ms = scanner.number(2, 0, 23) * std::int64_t{3'600'000};
  scanner.required_of(":");
  ms += scanner.number(2, 0, 59) * std::int64_t{60'000};
  return sign == '-' ? -ms : ms;
}

bool in_calendar(std::int64_t ms) { return ms >= calendar_begin_ms && ms < calendar_end_ms; }

std::string digits(std::int64_t number, std::size_t width) {
  std::string text = std::to_string(number);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

// `ms` counts from 1970-01-01T00:00 in whatever zone the text is for.
std::string day_of(std::int64_t ms) {
  const auto at = std::chrono::floor<days>(std::chrono::sys_time<milliseconds>(milliseconds(ms)));
  const std::chrono::year_month_day date(at);
  return digits(static_cast<int>(date.year()), 4) + '-' + digits(static_cast<unsigned>(date.month()), 2) + '-' +
         digits(static_cast<unsigned>(date.day()), 2);
}

std::string minute_of(std::int64_t ms) {
  const std::int64_t minutes = ((ms % ms_per_day + ms_per_day) % ms_per_day) / 60'000;
  return digits(minutes / 60, 2) + ':' + digits(minutes % 60, 2);
}

// ":05" or ":05.250".
std::string second_of(std::int64_t ms) {
  const std::int64_t within = ((ms % 60'000) + 60'000) % 60'000;
  const std::string text = ':' + digits(within / 1'000, 2);
  return within % 1'000 == 0 ? text : text + '.' + digits(within % 1'000, 3);
}

std::int64_t zone_offset_seconds(std::int64_t ms) {
  const auto at = static_cast<std::time_t>(std::chrono::floor<seconds>(milliseconds(ms)).count());
  std::tm local{};
  return localtime_r(&at, &local) == nullptr ? 0 : local.tm_gmtoff;
}

std::string offset_text(std::int64_t offset_seconds) {
  const std::int64_t minutes = std::abs(offset_seconds) / 60;
  return (offset_seconds < 0 ? '-' : '+') + digits(minutes / 60, 2) + ':' + digits(minutes % 60, 2);
}

}  // namespace

std::optional<core::Date> parse_date(std::string_view text) {
  Scanner scanner(text);
  const auto day_count = scan_days(scanner);
  if (!day_count || !scanner.finished()) return std::nullopt;
  return core::Date{*day_count};
}

std::string date_text(core::Date date) {
  const std::int64_t ms = date.days * ms_per_day;
  return in_calendar(ms) ? day_of(ms) : '@' + std::to_string(date.days);
}

std::optional<core::Instant> parse_instant(std::string_view text) {
  Scanner scanner(text);
  const auto day_count = scan_days(scanner);
  scanner.required_of("Tt ");
  const std::int64_t time_ms = scan_time_ms(scanner);
  const std::int64_t offset_ms = scan_offset_ms(scanner);
  if (!day_count || !scanner.finished()) return std::nullopt;
  return core::Instant{*day_count * ms_per_day + time_ms - offset_ms};
}

std::string rfc3339(core::Instant instant) {
  if (!in_calendar(instant.ms)) return '@' + std::to_string(instant.ms);
  return day_of(instant.ms) + 'T' + minute_of(instant.ms) + second_of(instant.ms) + 'Z';
}

std::string local_time(core::Instant instant) {
  if (!in_calendar(instant.ms)) return '@' + std::to_string(instant.ms);
  const std::int64_t offset = zone_offset_seconds(instant.ms);
  const std::int64_t local = instant.ms + offset * 1'000;
  const std::string second = second_of(local);
  return day_of(local) + ' ' + minute_of(local) + (second == ":00" ? "" : second) + ' ' + offset_text(offset);
}

std::string local_minute(core::Instant instant) {
  if (!in_calendar(instant.ms)) return '@' + std::to_string(instant.ms);
  const std::int64_t local = instant.ms + zone_offset_seconds(instant.ms) * 1'000;
  return day_of(local) + ' ' + minute_of(local);
}

}  // namespace fieldsync::cli

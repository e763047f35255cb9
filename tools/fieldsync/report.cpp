#include "fieldsync/report.h"

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "fieldsync/text_display.h"

namespace fieldsync::cli {

int exit_code(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return exit_usage;
    case Errc::offline:
    case Errc::connection_lost:
    case Errc::timeout: return exit_offline;
    default: return exit_refused;
  }
}

int report_error(const Error& error, bool json) {
  const std::string_view name = describe(error.code).name;
  std::string message = error.message();
  if (error.code == Errc::journal_missing) message += " To go on without it: fieldsync unlock --without-journal.";
  if (json) {
    const boost::json::object content{{"code", name}, {"message", message}};
    std::cerr << boost::json::serialize(boost::json::object{{"error", content}}) << '\n';
  } else {
    std::cerr << "fieldsync: " << for_terminal(message) << " [" << name << "]\n";
  }
  return exit_code(error.code);
}

std::string byte_count(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> units = {"bytes", "kB", "MB", "GB"};
  double amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1000 && unit + 1 < units.size(); ++unit) amount /= 1000;
  std::ostringstream text;
  text << std::fixed << std::setprecision(unit == 0 ? 0 : 1) << amount << ' ' << units[unit];
  return text.str();
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view several) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : several);
}

}  // namespace fieldsync::cli

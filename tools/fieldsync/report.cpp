#include "fieldsync/report.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

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
  if (json) {
    const boost::json::object content{{"code", name}, {"message", error.message()}};
    std::cerr << boost::json::serialize(boost::json::object{{"error", content}}) << '\n';
  } else {
    std::cerr << "fieldsync: " << for_terminal(error.message()) << " [" << name << "]\n";
  }
  return exit_code(error.code);
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view several) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : several);
}

}  // namespace fieldsync::cli

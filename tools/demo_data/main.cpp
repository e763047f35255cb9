// fieldsync-demo-data: turns the public data of tests/data into what the
// server imports and what the devices of tools/demo write.
#include <sodium.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "facilities.h"
#include "reports.h"
#include "tables.h"

namespace {

constexpr std::size_t devices = 4;
constexpr const char* usage =
    "Usage: fieldsync-demo-data --scope-id HEX DATA OUTPUT\n\n"
    "Writes prisons.csv, centres.csv and reports_1.jsonl to reports_4.jsonl into the\n"
    "folder OUTPUT, from the folder DATA (tests/data). HEX is the id of the scope, as\n"
    "`fieldsync-server scope list` prints it. Prints the number of rows of each.\n";

bool is_scope_id(const std::string& text) {
  return text.size() == 32 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

void convert(const std::string& scope, const std::filesystem::path& data, const std::filesystem::path& output) {
  using namespace fieldsync::demo;
  std::filesystem::create_directories(output);
  const auto prisons = british_prisons(data);
  const auto centres = irish_centres(data, reported_centres(data));
  const auto reports = visit_reports(data, scope, devices);
  write_file(output / "prisons.csv", to_csv(prisons));
  write_file(output / "centres.csv", to_csv(centres));
  std::printf("prisons=%zu\ncentres=%zu\n", prisons.size() - 1, centres.size() - 1);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    write_file(output / ("reports_" + std::to_string(i + 1) + ".jsonl"), reports[i]);
    std::printf("reports_%zu=%td\n", i + 1, std::count(reports[i].begin(), reports[i].end(), '\n'));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && arguments[0] == "--help") {
    std::fputs(usage, stdout);
    return 0;
  }
  if (arguments.size() != 4 || arguments[0] != "--scope-id" || !is_scope_id(arguments[1])) {
    std::fputs(usage, stderr);
    return 2;
  }
  try {
    if (sodium_init() < 0) throw std::runtime_error("libsodium does not start.");
    convert(arguments[1], arguments[2], arguments[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fieldsync-demo-data: %s\n", error.what());
    return 1;
  }
}

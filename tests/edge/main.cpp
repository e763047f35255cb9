// fieldsync-edge: how long a sync takes over a simulated EDGE link. A server behind the link, a
// device before it, both the real programs with TCP and TLS. Prints JSON.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "bench/measure.h"
#include "bench/report_generator.h"
#include "edge/link.h"
#include "edge/must.h"
#include "edge/photo.h"
#include "fieldsync/database.h"
#include "support/unlocked_store.h"

namespace {

using namespace fieldsync;
using namespace fieldsync::edge;
namespace json = boost::json;

std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct Bar {
  const char* name;
  double seconds_max;
  int reports;  // new ones
  bool edit;    // of one report, one field
};

// Each sync opens its connection anew.
constexpr Bar bars[] = {
    {"nothing_new", 1.2, 0, false}, {"one_edited_report", 1.3, 0, true}, {"100_new_reports", 5.0, 100, false}};

void write_reports(Database& database, bench::ReportGenerator& generator, int count) {
  const core::ScopeId scope = must(database.scopes()).front().id;
  for (int i = 0; i < count; ++i) {
    RecordEditor editor = must(database.create("bench_report", scope));
    for (const bench::Field& field : generator.report()) must(editor.set(field.name, field.value));
    must(editor.save());
  }
}

json::object measured(Database& database, bench::ReportGenerator& generator, const Bar& bar, int rounds) {
  std::vector<double> seconds;
  SyncReport last;
  for (int round = 0; round < rounds; ++round) {
    write_reports(database, generator, bar.reports);
    if (bar.edit) {
      RecordEditor editor = must(database.edit(must(database.query({.limit = 1})).front().id));
      must(editor.set("text_0", generator.phrase()));
      must(editor.save());
    }
    const double began = bench::now_seconds();
    last = must(database.sync({}));
    seconds.push_back(bench::now_seconds() - began);
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  return {{"seconds_median", median},
          {"seconds_max_allowed", bar.seconds_max},
          {"seconds_least", seconds.front()},
          {"seconds_most", seconds.back()},
          {"requests", last.requests},
          {"wire_bytes_up", last.wire_bytes_up},
          {"wire_bytes_down", last.wire_bytes_down},
          {"within", median <= bar.seconds_max}};
}

// On the device's side of the link.
int be_device(const std::string& folder, int rounds) {
  const auto database = must(
      Database::open({.directory = folder + "/device", .credentials = testing::app_credentials(), .lock_after = {}}));
  must(database->enrol(content_of(folder + "/enrolment"), "edge"));
  must(database->sync({}));
  bench::ReportGenerator generator(FIELDSYNC_TEXTS, 1);
  write_reports(*database, generator, 1);
  must(database->sync({}));
  json::object out;
  bool within = true;
  for (const Bar& bar : bars) {
    std::cerr << bar.name << " ..." << std::endl;
    json::object result = measured(*database, generator, bar, rounds);
    within = within && result.at("within").as_bool();
    out[bar.name] = std::move(result);
  }
  std::cout << json::serialize(out) << std::endl;
  return within ? 0 : 1;
}

int run_to_end(const std::vector<std::string>& arguments, const std::string& output = "/dev/null") {
  std::string command;
  for (const std::string& argument : arguments) command += "'" + argument + "' ";
  return std::system((command + "> '" + output + "'").c_str());
}

// Makes a server with one person, and an enrolment text in folder/enrolment.
void make_office(const std::string& folder) {
  const std::string server = folder + "/server";
  const std::vector<std::string> program{FIELDSYNC_SERVER, "--dir", server};
  const auto administer = [&](std::vector<std::string> arguments, const std::string& output = "/dev/null") {
    arguments.insert(arguments.begin(), program.begin(), program.end());
    if (run_to_end(arguments, output) != 0) throw std::runtime_error("fieldsync-server refused a command");
  };
  administer({"init", "--host", office_address});
  administer({"scope", "add", "Edge"});
  administer({"person", "add", "Edge", "--scope", "Edge"});
  std::ofstream(folder + "/form.textproto") << bench::ReportGenerator::form_text();
  administer({"form", "import", folder + "/form.textproto"});
  administer({"enrol-code", "Edge", "--json"}, folder + "/code");
  std::ofstream(folder + "/enrolment") << std::string(
      json::parse(content_of(folder + "/code")).at("enrolment").as_string());
}

int be_link(const std::string& folder, const LinkSettings& settings, int rounds) {
  make_office(folder);
  const Namespaces namespaces(settings.congestion_control);
  const OfficeProcess office(namespaces, folder + "/server");
  Link link(namespaces, settings);
  return link.carry(
      namespaces.start(Namespaces::device, {"/proc/self/exe", "--device", folder, "--rounds", std::to_string(rounds)}));
}

}  // namespace

int main(int count, char** values) {
  CLI::App app{"How long a sync takes over a simulated EDGE link. JSON out; exits 1 where a bar is missed."};
  LinkSettings settings;
  int rounds = 5;
  int round_trip = static_cast<int>(settings.round_trip.count());
  double loss_percent = 0;
  bool photo = false;
  std::string device_folder;
  std::string photo_device_folder;
  app.add_option("--rounds", rounds, "How often each is measured")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--round-trip", round_trip, "Milliseconds")->check(CLI::Range(0, 60'000))->capture_default_str();
  app.add_option("--rate", settings.bits_per_second, "Bits per second, each way")->capture_default_str();
  app.add_option("--queue", settings.queue_bytes, "Bytes that wait at either end")->capture_default_str();
  app.add_option("--loss", loss_percent, "Of packets, in percent")->check(CLI::Range(0, 100))->capture_default_str();
  app.add_flag("--lost-on-air", settings.lost_on_air,
               "A lost packet takes its time on the link first: harder than netem");
  app.add_option("--seed", settings.seed, "Which packets are lost")->capture_default_str();
  app.add_option("--congestion-control", settings.congestion_control, "TCP's, if not the kernel's default: reno, bbr");
  app.add_flag("--photo", photo, "A photo of 1 MB instead, cut off in every way");
  app.add_option("--device", device_folder)->group("");
  app.add_option("--photo-device", photo_device_folder)->group("");
  CLI11_PARSE(app, count, values);
  settings.round_trip = std::chrono::milliseconds(round_trip);
  settings.loss = loss_percent / 100;
  std::string folder = (std::filesystem::temp_directory_path() / "fieldsync-edge-XXXXXX").string();
  int result = 2;
  try {
    if (!device_folder.empty()) return be_device(device_folder, rounds);
    if (!photo_device_folder.empty()) return send_photo(photo_device_folder);
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no temporary folder");
    if (photo) make_office(folder);
    result = photo ? measure_photos(folder, settings) : be_link(folder, settings, rounds);
    std::filesystem::remove_all(folder);
  } catch (const std::exception& error) {
    std::cerr << "fieldsync-edge: " << error.what() << "\n";
  }
  return result;
}

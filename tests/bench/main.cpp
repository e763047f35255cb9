// fieldsync-bench: N reports from one device to a durable server over TLS on
// loopback, and back to a fresh device. Prints JSON.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "bench/bare_program.h"
#include "bench/measure.h"
#include "bench/report_generator.h"
#include "fieldsync/database.h"
#include "sqlite/connection.h"
#include "support/laid_open.h"
#include "support/unlocked_store.h"

extern char** environ;

namespace {

using namespace fieldsync;
using namespace fieldsync::bench;
namespace json = boost::json;

constexpr int store_rounds = 15;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

template <typename T>
T must(Result<T> result) {
  if (!result) fail(result.error().message());
  return std::move(*result);
}

void must(const Result<void>& result) {
  if (!result) fail(result.error().message());
}

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) fail("cannot run " + command);
  std::string text;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
  if (::pclose(pipe) != 0) fail("failed: " + command);
  return text;
}

// A server of its own, in a folder of its own.
class BenchServer {
 public:
  BenchServer(const std::string& folder, int port) : command_(std::string(FIELDSYNC_SERVER) + " --dir " + folder) {
    output_of(command_ + " init --port " + std::to_string(port));
    output_of(command_ + " scope add Bench");
    output_of(command_ + " person add Bench --scope Bench");
    const std::string form = folder + "/bench_report.textproto";
    std::ofstream(form) << ReportGenerator::form_text();
    output_of(command_ + " form import " + form);
    std::string program = FIELDSYNC_SERVER;
    std::string option = "--dir";
    std::string value = folder;
    std::string serve = "serve";
    char* arguments[] = {program.data(), option.data(), value.data(), serve.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (::posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments, environ) != 0)
      fail("the server did not start");
    posix_spawn_file_actions_destroy(&actions);
    while (!std::filesystem::exists(folder + "/control.sock"))
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ~BenchServer() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  BenchServer(const BenchServer&) = delete;
  BenchServer& operator=(const BenchServer&) = delete;

  [[nodiscard]] pid_t process() const { return process_; }
  std::unique_ptr<Database> device(const std::string& folder) {
    const json::value code = json::parse(output_of(command_ + " enrol-code Bench --json"));
    auto database = must(Database::open({.directory = folder, .credentials = testing::app_credentials()}));
    must(database->enrol(std::string(code.at("enrolment").as_string()), "bench"));
    return database;
  }

 private:
  std::string command_;
  pid_t process_ = 0;
};

json::object measured_sync(Database& database, pid_t server, std::size_t reports) {
  reset_peak_memory(::getpid());
  reset_peak_memory(server);
  const double client_cpu = cpu_seconds(::getpid());
  const double server_cpu = cpu_seconds(server);
  const double began = now_seconds();
  const SyncReport report = must(database.sync({}));
  const double seconds = now_seconds() - began;
  json::object out;
  out["seconds"] = seconds;
  if (reports > 0) out["reports_per_second"] = static_cast<double>(reports) / seconds;
  out["requests"] = report.requests;
  out["body_bytes_up"] = report.body_bytes_up;
  out["body_bytes_down"] = report.body_bytes_down;
  out["wire_bytes_up"] = report.wire_bytes_up;
  out["wire_bytes_down"] = report.wire_bytes_down;
  if (reports > 0)
    out["body_bytes_up_per_report"] = static_cast<double>(report.body_bytes_up) / static_cast<double>(reports);
  out["client_cpu_seconds"] = cpu_seconds(::getpid()) - client_cpu;
  out["server_cpu_seconds"] = cpu_seconds(server) - server_cpu;
  out["client_peak_memory_bytes"] = peak_memory(::getpid());
  out["server_peak_memory_bytes"] = peak_memory(server);
  return out;
}

// The device's database is locked while it is open: a copy of it is read.
std::vector<std::string> stored_operations(const std::string& folder, const std::string& scratch) {
  std::filesystem::create_directories(scratch);
  for (const char* name : {"fieldsync.db", "fieldsync.db-wal"}) {
    if (std::filesystem::exists(folder + "/" + name))
      std::filesystem::copy_file(folder + "/" + name, scratch + "/" + name);
  }
  sqlite::Connection plain(":memory:", sqlite::OpenMode::read_write);
  plain.execute(testing::laid_open(scratch + "/fieldsync.db").c_str());
  auto select = plain.prepare("SELECT bytes FROM operation ORDER BY counter");
  std::vector<std::string> operations;
  while (select.step()) operations.emplace_back(select.blob(0));
  return operations;
}

std::vector<BareRow> server_rows(const std::string& file) {
  sqlite::Connection database(file, sqlite::OpenMode::read_only);
  auto select = database.prepare("SELECT id, form, head, body, hash FROM record ORDER BY last_seq");
  std::vector<BareRow> rows;
  while (select.step()) {
    rows.push_back({std::string(select.blob(0)), std::string(select.text(1)), std::string(select.blob(2)),
                    std::string(select.blob(3)), select.integer(4)});
  }
  return rows;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

template <typename Action>
double median_ms(int times, Action action) {
  std::vector<double> values;
  for (int i = 0; i < times; ++i) {
    const double began = now_seconds();
    action();
    values.push_back((now_seconds() - began) * 1000);
  }
  return median(std::move(values));
}

// Of copies. Its keys are gone at the first of its steps.
double median_wipe_ms(const std::string& folder) {
  const std::string copy = folder + "-to-wipe";
  std::vector<double> values;
  for (int i = 0; i < store_rounds; ++i) {
    std::filesystem::copy(folder, copy);
    ::sync();
    const double began = now_seconds();
    must(Database::wipe(copy));
    values.push_back((now_seconds() - began) * 1000);
    std::filesystem::remove_all(copy);
  }
  return median(std::move(values));
}

// What a monitor waits for on a device that holds all reports.
json::object measured_store(const std::string& folder, ReportGenerator& generator) {
  json::object out;
  std::unique_ptr<Database> database;
  const Query anything{.text = "zzzz", .limit = 100};
  const auto open = [&] {
    database.reset();
    database = must(Database::open({.directory = folder, .credentials = testing::app_credentials()}));
  };
  open();
  out["open_and_unlock_ms"] = median_ms(store_rounds, open);
  out["open_unlock_and_first_query_ms"] = median_ms(store_rounds, [&] {
    open();
    must(database->query(anything));
  });
  // The facilities of the reports; a word that few, and one that nearly all of them have.
  std::vector<core::RecordId> facilities;
  for (const RecordView& view : must(database->query({.limit = store_rounds})))
    facilities.push_back(std::get<core::RecordId>(view.find("reference_0")->values.front().value));
  std::size_t next = 0;
  std::size_t found = 0;
  out["query_by_form_and_facility_ms"] = median_ms(store_rounds, [&] {
    found += must(database->query({.form = "bench_report",
                                   .reference_field = "reference_0",
                                   .reference = facilities[next++ % facilities.size()]}))
                 .size();
  });
  out["found_by_form_and_facility"] = found / store_rounds;
  out["search_phrase_ms"] =
      median_ms(store_rounds, [&] { must(database->query({.text = generator.phrase(), .limit = 100})); });
  out["search_missing_word_ms"] = median_ms(store_rounds, [&] { must(database->query(anything)); });
  out["search_two_letters_ms"] =
      median_ms(store_rounds, [&] { must(database->query({.text = "\u0447\u0430", .limit = 100})); });
  out["status_ms"] = median_ms(store_rounds, [&] { must(database->status()); });
  database.reset();
  out["whole_wipe_ms"] = median_wipe_ms(folder);
  return out;
}

json::object run(std::size_t reports, const std::string& folder, int port) {
  std::filesystem::create_directories(folder);
  BenchServer server(folder + "/server", port);
  auto writer = server.device(folder + "/writer");
  must(writer->sync({}));
  const core::ScopeId scope = must(writer->scopes()).front().id;
  ReportGenerator generator(FIELDSYNC_TEXTS, 1);
  std::vector<core::RecordId> ids;
  std::size_t json_size = 0;
  const double began = now_seconds();
  for (std::size_t i = 0; i < reports; ++i) {
    auto editor = must(writer->create("bench_report", scope));
    const auto report = generator.report();
    json_size += ReportGenerator::json_bytes(report);
    for (const Field& field : report) must(editor.set(field.name, field.value));
    must(editor.save());
    ids.push_back(editor.id());
    if (i % 500 == 0 && ::isatty(STDERR_FILENO) == 1) std::cerr << "\rwriting " << i << " of " << reports << std::flush;
  }
  if (::isatty(STDERR_FILENO) == 1) std::cerr << "\rwriting done            \n";
  json::object out;
  out["reports"] = reports;
  out["json_bytes_per_report"] = json_size / reports;
  out["write_offline"] = json::object{{"seconds", now_seconds() - began},
                                      {"ms_per_save", (now_seconds() - began) * 1000 / static_cast<double>(reports)}};
  writer.reset();
  const auto operations = stored_operations(folder + "/writer", folder + "/copy");
  writer = must(Database::open({.directory = folder + "/writer", .credentials = testing::app_credentials()}));
  out["push"] = measured_sync(*writer, server.process(), reports);
  const auto rows = server_rows(folder + "/server/fieldsync-server.db");
  std::filesystem::create_directories(folder + "/bare");
  const BareResult bare = run_bare_program(folder + "/bare", operations, rows, 500);
  out["bare_program"] = json::object{
      {"seconds", bare.seconds},
      {"cpu_seconds", bare.cpu_seconds},
      {"bytes", bare.bytes},
      {"what", "the same operations through zstd, TLS, protobuf, and the same rows into durable SQLite, nothing else"}};
  const json::object& push = out["push"].as_object();
  out["push_cpu_to_bare_cpu"] =
      (push.at("client_cpu_seconds").as_double() + push.at("server_cpu_seconds").as_double()) / bare.cpu_seconds;
  auto reader = server.device(folder + "/reader");
  out["pull_by_a_fresh_device"] = measured_sync(*reader, server.process(), reports);
  out["nothing_new"] = measured_sync(*writer, server.process(), 0);
  {
    auto editor = must(writer->edit(ids.front()));
    must(editor.set("integer_0", std::int64_t{777}));
    must(editor.save());
  }
  out["one_field_of_one_report"] = measured_sync(*writer, server.process(), 1);
  for (std::size_t i = 0; i < reports; i += 100) {
    auto editor = must(writer->edit(ids[i]));
    must(editor.set("text_0", generator.phrase()));
    must(editor.save());
  }
  out["one_field_of_one_percent"] = measured_sync(*writer, server.process(), reports / 100);
  out["pull_of_one_percent"] = measured_sync(*reader, server.process(), reports / 100);
  const bool equal = must(reader->scopes()).front().digest == must(writer->scopes()).front().digest;
  out["digests_equal"] = equal;
  reader.reset();
  out["store"] = measured_store(folder + "/reader", generator);
  out["disk_bytes"] = json::object{{"server", bytes_on_disk(folder + "/server")},
                                   {"writer", bytes_on_disk(folder + "/writer")},
                                   {"reader", bytes_on_disk(folder + "/reader")}};
  if (!equal) fail("the replicas differ");
  return out;
}

double median_at(const json::array& rounds, const char* path) {
  std::vector<double> values;
  for (const json::value& round : rounds) values.push_back(round.at_pointer(path).to_number<double>());
  return median(std::move(values));
}

// What the bars are about. One short run says little on a busy machine.
json::object medians(const json::array& rounds) {
  json::object out;
  for (const char* path :
       {"/push/reports_per_second", "/push_cpu_to_bare_cpu", "/pull_by_a_fresh_device/reports_per_second"})
    out[path] = median_at(rounds, path);
  return out;
}

json::value other_run(const std::string& program, std::size_t reports, int port) {
  const json::value printed = json::parse(
      output_of(program + " --rounds 1 --reports " + std::to_string(reports) + " --port " + std::to_string(port)));
  return printed.at_pointer("/results/0/rounds/0");
}

json::object ratios(const json::array& rounds, const json::array& others) {
  json::object out;
  for (const char* path : {"/write_offline/ms_per_save", "/push/seconds", "/pull_by_a_fresh_device/seconds",
                           "/store/open_unlock_and_first_query_ms", "/disk_bytes/writer"})
    out[path] = median_at(rounds, path) / median_at(others, path);
  return out;
}

}  // namespace

int main(int count, char** values) {
  CLI::App app{"Benchmarks of fieldsync: one device, a durable server, TLS on loopback. JSON out."};
  std::vector<std::size_t> sizes{1000, 10000};
  int port = 19443;
  app.add_option("--reports", sizes, "How many reports; may be given more than once")->capture_default_str();
  std::string beside;
  app.add_option("--beside", beside,
                 "Another program of this kind, which runs each round too: how many times its figures are these?")
      ->check(CLI::ExistingFile);
  int rounds = 5;
  app.add_option("--rounds", rounds, "How often each size is run, each time anew")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--port", port, "Port on 127.0.0.1")->capture_default_str();
  CLI11_PARSE(app, count, values);
  std::string folder = (std::filesystem::temp_directory_path() / "fieldsync-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  int status = 0;
  try {
    json::array results;
    for (const std::size_t reports : sizes) {
      json::array runs;
      json::array others;
      for (int round = 1; round <= rounds; ++round) {
        const std::string own = folder + "/" + std::to_string(reports) + "-" + std::to_string(round);
        runs.push_back(run(reports, own, port));
        std::filesystem::remove_all(own);
        if (!beside.empty()) others.push_back(other_run(beside, reports, port));
      }
      json::object result{{"reports", reports}, {"medians", medians(runs)}, {"rounds", runs}};
      if (!beside.empty()) result["times_the_other"] = ratios(runs, others);
      results.push_back(std::move(result));
    }
    std::cout << json::serialize(json::object{{"made_with", "tools/dev bench"},
                                              {"cores", std::thread::hardware_concurrency()},
                                              {"results", results}})
              << "\n";
  } catch (const std::exception& error) {
    std::cerr << "fieldsync-bench: " << error.what() << "\n";
    status = 1;
  }
  std::filesystem::remove_all(folder);
  return status;
}

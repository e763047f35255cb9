#include "support/test_server.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "fieldsync/unlocking.h"
#include "support/loopback.h"

namespace fieldsync::testing {
namespace {

Finished succeed(Finished finished) {
  INFO(finished.output);
  REQUIRE(finished.exit_code == 0);
  return finished;
}

}  // namespace

TestServer::TestServer() : port_(free_port()) {
  succeed(administer({"init", "--port", std::to_string(port_)}));
  succeed(administer({"scope", "add", "Osh region"}));
  succeed(administer({"person", "add", "Bakyt", "--scope", "Osh region"}));
  start();
}

void TestServer::start(std::vector<std::string> before) {
  before.insert(before.end(), {FIELDSYNC_SERVER, "--dir", path("server"), "serve"});
  process_ = std::make_unique<Process>(before, path("server.log"));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!accepts(port_)) {
    REQUIRE(process_->running());
    REQUIRE(std::chrono::steady_clock::now() < until);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

int TestServer::stop() {
  process_->ask_to_stop();
  return process_->wait();
}

Finished TestServer::administer(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {FIELDSYNC_SERVER, "--dir", path("server")});
  return run(arguments);
}

std::vector<std::string> TestServer::app_command(const std::string& store, std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {FIELDSYNC_APP, "--store", path(store), "--key-file", key_file()});
  return arguments;
}

Finished TestServer::app(const std::string& store, std::vector<std::string> arguments) const {
  return run(app_command(store, std::move(arguments)));
}

std::string TestServer::enrolment_text() const {
  return json_value(succeed(administer({"enrol-code", "Bakyt", "--json"})).output, "enrolment");
}

void TestServer::enrol(const std::string& store) const {
  succeed(app(store, {"enrol", enrolment_text(), "--name", store}));
  succeed(app(store, {"sync"}));
}

std::unique_ptr<Database> TestServer::open(const std::string& store) const {
  auto opened = Database::open({.directory = path(store)});
  REQUIRE(opened);
  cli::Settings settings;
  settings.key_file = key_file();
  REQUIRE(cli::unlock_store(settings, **opened));
  return std::move(*opened);
}

std::string TestServer::digest() const {
  return json_value(succeed(administer({"scope", "list", "--json"})).output, "digest");
}

std::string TestServer::digest(const std::string& store) const {
  return json_value(succeed(app(store, {"--json", "status"})).output, "digest");
}

std::string json_value(const std::string& json, const std::string& name) {
  const std::string key = '"' + name + '"';
  const auto found = json.find(key);
  REQUIRE(found != std::string::npos);
  std::size_t at = json.find_first_not_of(" \n:", found + key.size());
  REQUIRE(at != std::string::npos);
  if (json[at] == '"') ++at;
  return json.substr(at, json.find_first_of("\",}]", at) - at);
}

}  // namespace fieldsync::testing

#include "support/test_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <regex>
#include <thread>

namespace fieldsync::testing {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

bool accepts(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

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

void TestServer::start() {
  process_ = std::make_unique<Process>(std::vector<std::string>{FIELDSYNC_SERVER, "--dir", path("server"), "serve"}, path("server.log"));
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
  arguments.insert(arguments.begin(), {FIELDSYNC_APP, "--store", path(store)});
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

std::string TestServer::digest() const { return json_value(succeed(administer({"scope", "list", "--json"})).output, "digest"); }

std::string TestServer::digest(const std::string& store) const {
  return json_value(succeed(app(store, {"--json", "status"})).output, "digest");
}

std::string json_value(const std::string& json, const std::string& name) {
  std::smatch found;
  const std::regex pattern("\"" + name + "\"\\s*:\\s*\"?([^\",}\\]]*)");
  REQUIRE(std::regex_search(json, found, pattern));
  return found[1];
}

}  // namespace fieldsync::testing

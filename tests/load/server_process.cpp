#include "load/server_process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace fieldsync::load {
namespace {

using testing::Finished;

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool is_bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  if (!is_bound) throw std::runtime_error("no port is free");
  return ntohs(address.sin_port);
}

Finished succeed(Finished finished) {
  if (finished.exit_code != 0) throw std::runtime_error("a command failed: " + finished.output);
  return finished;
}

std::size_t entries_of(const std::string& folder) {
  const auto all = std::filesystem::directory_iterator(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::string value_of(const std::string& json, const char* name) {
  return std::string(boost::json::parse(json).at(name).as_string());
}

}  // namespace

ServerProcess::ServerProcess(const std::vector<std::string>& settings, const std::string& program)
    : program_(program.empty() ? FIELDSYNC_SERVER : program), port_(free_port()) {
  succeed(administer({"init", "--port", std::to_string(port_)}));
  succeed(administer({"scope", "add", "Osh region"}));
  succeed(administer({"person", "add", "Bakyt", "--scope", "Osh region"}));
  change_settings(settings);
  process_ = std::make_unique<testing::Process>(std::vector<std::string>{program_, "--dir", path("server"), "serve"},
                                                path("server.log"));
  while (!std::filesystem::exists(path("server/control.sock"))) {
    if (!running()) throw std::runtime_error("the server did not start: " + testing::content_of(path("server.log")));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  enrol_key();
}

Usage ServerProcess::usage() const {
  const std::string folder = "/proc/" + std::to_string(id());
  Usage usage;
  std::ifstream status(folder + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) usage.resident_bytes = std::stoull(line.substr(6)) * 1024;
    if (line.starts_with("Threads:")) usage.threads = std::stoull(line.substr(8));
  }
  usage.descriptors = entries_of(folder + "/fd");
  return usage;
}

std::set<std::string> ServerProcess::peers() const {
  std::ostringstream own_port;
  own_port << ':' << std::hex << std::uppercase << port_;
  std::set<std::string> peers;
  std::ifstream table("/proc/net/tcp");
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    // 0A listens; without an inode the program has closed it.
    if (local.ends_with(own_port.str()) && state != "0A" && inode != "0") peers.insert(remote);
  }
  return peers;
}

std::string ServerProcess::bring_attachment(std::size_t bytes) {
  std::string content(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) content[i] = static_cast<char>((i * 2654435761U) >> 13);
  testing::write_to(path("photo.jpg"), content);
  const auto app = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {FIELDSYNC_APP, "--store", path("phone"), "--key-file", path("key"), "--json"});
    return succeed(testing::run(arguments)).output;
  };
  app({"enrol", new_code(), "--name", "phone"});
  app({"sync"});
  const std::string record = value_of(app({"new", "register_check", "entries_sampled=12"}), "id");
  app({"attach", record, "anomalies[new].anomaly_photo=" + path("photo.jpg")});
  app({"sync"});
  const Finished summed = succeed(testing::run({"sha256sum", path("photo.jpg")}));
  return "/v1/attachments/" + summed.output.substr(0, 64);
}

Finished ServerProcess::administer(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {program_, "--dir", path("server")});
  return testing::run(arguments);
}

std::string ServerProcess::new_code() const {
  return value_of(succeed(administer({"enrol-code", "Bakyt", "--json"})).output, "enrolment");
}

void ServerProcess::change_settings(const std::vector<std::string>& settings) const {
  const std::string file = path("server/fieldsync-server.toml");
  std::istringstream old(testing::content_of(file));
  std::string changed;
  for (std::string line; std::getline(old, line);) {
    for (const std::string& setting : settings) {
      if (line.starts_with(setting.substr(0, setting.find('=')))) line = setting;
    }
    changed += line + "\n";
  }
  testing::write_to(file, changed);
}

void ServerProcess::enrol_key() {
  const std::string text = new_code();
  // Its last part is the code.
  const std::string code = text.substr(text.find_last_of("#/:?=&|. ") + 1);
  const std::string body = R"({"protocol_version":1,"device_name":"load","code":")" + code + "\"}";
  TlsClient client(port_, 1);
  if (!client.handshake(enrolled_)) throw std::runtime_error("no handshake");
  const std::string answer =
      client.ask("POST /v1/enrol HTTP/1.1\r\nHost: office\r\nContent-Type: application/json\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body);
  if (!answer.starts_with("HTTP/1.1 200")) throw std::runtime_error("not enrolled: " + answer);
}

std::string sync_request() {
  const std::string body = R"({"protocol_version":1})";
  return "POST /v1/sync HTTP/1.1\r\nHost: office\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string missing_attachment_request() {
  return "GET /v1/attachments/" + std::string(64, '0') + " HTTP/1.1\r\nHost: office\r\n\r\n";
}

}  // namespace fieldsync::load

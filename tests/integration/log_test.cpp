// What the server writes while people work, while it is attacked and while it is administered: events,
// and nothing that anybody wrote.
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <regex>
#include <sstream>
#include <thread>

#include "support/raw_client.h"
#include "support/stranger.h"

using namespace fieldsync::testing;

namespace {

std::string code_in(const std::string& enrolment) { return enrolment.substr(enrolment.rfind(':') + 1); }

std::string succeed(const Finished& finished) {
  INFO(finished.output);
  REQUIRE(finished.exit_code == 0);
  return finished.output;
}

std::vector<std::string> lines_of(const std::string& log) {
  std::vector<std::string> lines;
  std::istringstream text(log);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::string log_of(const TestServer& server) { return content_of(server.path("server.log")); }

void set(const TestServer& server, const std::string& setting) {
  const std::string file = server.path("server/fieldsync-server.toml");
  const std::string name = setting.substr(0, setting.find(" ="));
  write_to(file, std::regex_replace(content_of(file), std::regex(name + " = .*"), setting));
}

}  // namespace

TEST_CASE("Nothing that anybody wrote is in the log: no name, text, code, key, file or header") {
  RawClient client;
  TestServer& server = client.server;
  // In words that stand nowhere in the program.
  std::vector<std::string> markers;
  const auto marked = [&](const std::string& what) {
    markers.push_back("zq" + what + "qz" + std::to_string(markers.size()));
    return markers.back();
  };
  const std::string scope = marked("scope");
  const std::string person = marked("person");
  succeed(server.administer({"scope", "add", scope}));
  succeed(server.administer({"person", "add", person, "--scope", scope}));
  succeed(server.administer({"person", "join", "Bakyt", scope, "--role", "board"}));
  const std::string text = json_value(succeed(server.administer({"enrol-code", person, "--json"})), "enrolment");
  markers.push_back(code_in(text));
  markers.push_back(code_in(text).substr(4));
  const std::string store = marked("devicename");
  succeed(server.app(store, {"enrol", text, "--name", store}));
  succeed(server.app(store, {"sync"}));
  const auto app = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--json");
    return succeed(server.app(store, arguments));
  };
  const std::string facility = json_value(
      app({"new", "facility", "names=en:" + marked("facility"), "kind=sizo", "address=" + marked("address")}), "id");
  const std::string visit = json_value(
      app({"new", "visit", "facility=" + facility, "type=comprehensive", "summary=" + marked("summary")}), "id");
  markers.push_back(facility);
  markers.push_back(visit);
  const std::string photo = marked("photoname") + ".jpg";
  write_to(server.path(photo), marked("photobytes") + std::string(5000, 'x'));
  markers.push_back(server.path(photo));
  app({"attach", json_value(app({"new", "register_check", "visit=" + visit}), "id"),
       "anomalies[new].anomaly_photo=" + server.path(photo)});
  app({"sync"});
  // Refused, returned with a note, looked for under a wrong name.
  succeed(server.administer({"person", "join", person, scope, "--role", "board"}));
  app({"edit", visit, "summary=" + marked("refused")});
  app({"sync"});
  const std::string refused = json_value(succeed(server.administer({"quarantine", "list", "--json"})), "id");
  succeed(server.administer({"quarantine", "show", refused}));
  succeed(server.administer({"quarantine", "return", refused, "--note", marked("note")}));
  app({"sync"});
  for (const std::string& what : {marked("nobody"), marked("with\nline"), marked("with\x1b[31mcolour")}) {
    CHECK(server.administer({"person", "join", what, scope}).exit_code != 0);
    CHECK(server.administer({"code", "withdraw", what}).exit_code != 0);
    CHECK(server.administer({"quarantine", "accept", what}).exit_code != 0);
    CHECK(server.administer({"form", "import", what}).exit_code != 0);
    CHECK(server.administer({what}).exit_code != 0);
    CHECK(server.administer({"status", "--" + what}).exit_code != 0);
  }
  const std::string broken_form = server.path(marked("form"));
  write_to(broken_form, "name: \"" + marked("formname") + "\" " + marked("formtext"));
  CHECK(server.administer({"form", "import", broken_form}).exit_code != 0);
  const std::string table = server.path(marked("csv"));
  write_to(table, "name,kind\n" + marked("cell") + "," + marked("kind") + "\n");
  CHECK(server.administer({"import", "facility", table, "--scope", scope, "--key", "name"}).exit_code != 0);
  // What strangers and enrolled clients send.
  for (int enrolled = 0; enrolled < 2; ++enrolled) {
    if (enrolled == 1) client.enrol();
    const auto send = [&](const std::string& target, std::vector<std::string> arguments) {
      for (const char* header : {"User-Agent", "Cookie", "Authorization", "X-Forwarded-For", "Referer"})
        arguments.insert(arguments.end(), {"-H", std::string(header) + ": " + marked("header")});
      static_cast<void>(client.curl(target, arguments));
    };
    send("/" + marked("path"), {});
    send("/v1/sync?" + marked("query"), {"-d", marked("body")});
    send("/v1/attachments/" + marked("attachment"), {});
    send("/v1/sync", {"-H", "Content-Type: " + marked("type"), "-d", "x"});
    send("/v1/sync", {"-H", "Content-Type: application/json", "-d", "{\"" + marked("json") + "\":1}"});
    send("/v1/enrol",
         {"-H", "Content-Type: application/json", "-d",
          R"({"protocol_version":1,"device_name":")" + marked("name") + R"(","code":"ZZZZ0123456789ABC"})"});
    send("/v1/sync", {"-X", marked("METHOD")});
    send("/v1/sync",
         {"-H", "Content-Type: application/json", "-H", "Content-Encoding: " + marked("encoding"), "-d", "{}"});
    static_cast<void>(client.raw("GET /" + marked("raw") + "\r\n\r\nX: " + marked("line") + "\n\n"));
    static_cast<void>(client.raw("POST /v1/sync HTTP/1.1\r\nHost: x\r\nX-A: \x1b[31m" + marked("escape") +
                                 "\x01\r\n folded: " + marked("fold") + "\r\n\r\n"));
  }
  markers.push_back("ZZZZ0123456789ABC");
  markers.push_back("0123456789ABC");
  markers.push_back("127.0.0.1");
  markers.emplace_back("Bakyt");
  for (const auto& entry : std::filesystem::directory_iterator(server.path("server")))
    if (entry.path().extension() == ".key") markers.push_back(content_of(entry.path()).substr(40, 20));
  markers.push_back(content_of(client.key()).substr(40, 20));
  CHECK(server.stop() == 0);
  const std::string log = log_of(server);
  CHECK(markers.size() >= 30);
  for (const std::string& marker : markers) {
    INFO(marker);
    CHECK(log.find(marker) == std::string::npos);
  }
  CHECK(log.find("zq") == std::string::npos);
  CHECK(log.find('\x1b') == std::string::npos);
  // Each line is an event; nothing wrote a line of its own.
  const std::regex event(
      R"(time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(info|error) event=[a-z_]+( [a-z_]+=([^ "]+|"[^"]*"))*)");
  for (const std::string& line : lines_of(log)) {
    INFO(line);
    CHECK(std::regex_match(line, event));
  }
  for (const char* part : {"event=serving port=", "event=command command=\"scope add\" outcome=ok",
                           "command=\"person join\" outcome=not_found", "command=\"quarantine return\" outcome=ok",
                           "command=\"quarantine accept\" outcome=invalid_argument",
                           " route=/v1/sync outcome=ok status=200 ms=", " route=/v1/enrol outcome=ok",
                           "device=- route=other outcome=unknown_endpoint status=404",
                           "outcome=enrolment_code_invalid status=401", "event=stopped"}) {
    INFO(part);
    CHECK(log.find(part) != std::string::npos);
  }
}

TEST_CASE("Strangers fill no disk: of 100 bad requests ten are in the log, and how many more there were") {
  TestServer server;
  for (int i = 0; i < 100; ++i) {
    Stranger client(server.port());
    client.send("GET /nothing HTTP/1.1\r\nHost: office\r\n\r\n");
    CHECK(client.answer().starts_with("HTTP/1.1 404"));
  }
  const auto lines = lines_of(log_of(server));
  CHECK(std::count_if(lines.begin(), lines.end(),
                      [](const std::string& line) { return line.find("event=request ") != std::string::npos; }) == 10);
  CHECK(server.stop() == 0);
  CHECK(log_of(server).find("event=left_out device=- lines=90 ") != std::string::npos);
}

TEST_CASE("What is refused to a device, and what breaks off, is told with the device") {
  RawClient client;
  client.enrol();
  const fieldsync::load::ClientContext enrolled({content_of(client.key()), content_of(client.certificate())});
  CHECK(client.curl("/nothing", {}).output.ends_with("404"));
  {
    fieldsync::load::TlsClient device(client.server.port(), 1);
    REQUIRE(device.handshake(enrolled));
    REQUIRE(
        device.send("POST /v1/sync HTTP/1.1\r\nHost: office\r\nContent-Type: application/json\r\n"
                    "Content-Length: 100\r\n\r\n{"));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  const std::string devices = succeed(client.server.administer({"device", "list", "--json"}));
  const std::string id = json_value(devices.substr(devices.rfind('{', devices.find("\"raw\""))), "id");
  succeed(client.server.administer({"device", "revoke", id}));
  const std::vector<std::string> json_sync{"-H", "Content-Type: application/json", "-d", "{}"};
  CHECK(client.curl("/v1/sync", json_sync).output.ends_with("401"));
  CHECK(client.server.stop() == 0);
  const std::string log = log_of(client.server);
  INFO(log);
  for (const char* part :
       {"route=other outcome=unknown_endpoint", "outcome=connection_lost", "route=/v1/sync outcome=device_revoked"}) {
    INFO(part);
    CHECK(log.find(" device=" + id.substr(0, 8) + " " + part) != std::string::npos);
  }
}

TEST_CASE("The log is in JSON, and names addresses, where the operator set it so") {
  TestServer server;
  CHECK(server.stop() == 0);
  set(server, "log_format = 'json'");
  set(server, "log_addresses = true");
  std::filesystem::remove(server.path("server.log"));
  server.start();
  server.enrol("phone");
  CHECK(server.stop() == 0);
  const std::string log = log_of(server);
  INFO(log);
  CHECK(log.find("\"address\":\"127.0.0.1\"") != std::string::npos);
  const std::regex line(R"(\{"time":"[^"]+","level":"info","event":"[a-z_]+".*\})");
  for (const std::string& each : lines_of(log)) CHECK(std::regex_match(each, line));
}

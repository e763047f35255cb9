// What the commands say to wrong input: a sentence with its code on standard
// error, an exit code that scripts can tell apart, and nothing changed.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <thread>

#include "fieldsync/database.h"
#include "support/server_folder.h"
#include "support/test_server.h"

using namespace fieldsync::testing;

namespace {

// A server that dies over its first command: before it takes it, or before it answers.
class DyingServer {
 public:
  DyingServer(const std::string& folder, bool takes_it) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_ = folder + "/control.sock";
    REQUIRE(path_.size() < sizeof address.sun_path);
    path_.copy(address.sun_path, path_.size());
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    thread_ = std::thread([this, takes_it] {
      const int peer = ::accept(socket_, nullptr, nullptr);
      ::unlink(path_.c_str());
      if (takes_it) {
        ::send(peer, "+", 1, MSG_NOSIGNAL);
        char taken[4096];
        while (::read(peer, taken, sizeof taken) > 0) continue;
      }
      ::close(peer);
    });
  }
  ~DyingServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  DyingServer(const DyingServer&) = delete;
  DyingServer& operator=(const DyingServer&) = delete;

 private:
  std::string path_;
  int socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::thread thread_;
};

// Each waits two seconds for the store.
std::vector<Finished> all_at_once(const TestServer& server, const std::string& store,
                                  const std::vector<std::vector<std::string>>& commands) {
  std::vector<std::unique_ptr<Process>> running;
  const auto log_of = [&](std::size_t number) { return server.path("command-" + std::to_string(number) + ".log"); };
  for (const auto& command : commands)
    running.push_back(std::make_unique<Process>(server.app_command(store, command), log_of(running.size())));
  std::vector<Finished> finished;
  for (const auto& process : running) {
    const int exit_code = process->wait();
    finished.push_back({exit_code, content_of(log_of(finished.size()))});
  }
  return finished;
}

// Every file of a folder with its content. Not for a store that this process has open:
// closing a file here would give up the lock that SQLite has on it.
std::map<std::string, std::string> everything_in(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) files[file.path()] = content_of(file.path());
  return files;
}

// The id of a new record on Bakyt's device.
std::string made_record(const TestServer& server, std::vector<std::string> what) {
  what.insert(what.begin(), {"--json", "new"});
  const Finished made = server.app("Bakyt", what);
  INFO(made.output);
  REQUIRE(made.exit_code == 0);
  return json_value(made.output, "id");
}

// A fieldsync that has opened its store and waits for what to save: `new --from` a pipe.
class OpenStore {
 public:
  OpenStore(const TestServer& server, const std::string& store)
      : process_(server.app_command(store, {"new", "facility", "--from", made_pipe(server.path("pipe"))}),
                 server.path("first.log")),
        lines_(server.path("pipe")) {}  // waits until the program reads, the store being open

  int save_and_close(const std::string& name) {
    lines_ << R"({"names": ["en:)" << name << R"("]})" << std::endl;
    lines_.close();
    return process_.wait();
  }

 private:
  static const std::string& made_pipe(const std::string& path) {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    return path;
  }

  Process process_;
  std::ofstream lines_;
};

}  // namespace

TEST_CASE("fieldsync-server tells wrong usage from a refusal") {
  const ServerFolder server;
  const std::vector<std::vector<std::string>> wrong{{},
                                                    {"dance"},
                                                    {"scope"},
                                                    {"scope", "add"},
                                                    {"person", "add", "A", "--role", "king"},
                                                    {"enrol-code"},
                                                    {"scope", "list", "--yaml"},
                                                    {"import", "facility"}};
  for (const auto& arguments : wrong) {
    const Finished finished = server.administer(arguments);
    INFO(finished.output);
    CHECK(finished.exit_code == wrong_usage);
    CHECK(finished.output.size() > 20);
  }
}

TEST_CASE("Unknown people, scopes, devices and files are refused, and nothing changes") {
  const ServerFolder server;
  server.succeeds({"scope", "add", "Osh region"});
  server.succeeds({"person", "add", "Bakyt", "--scope", "Osh region"});
  const std::string before = server.standing();
  check_refusal(server.administer({"enrol-code", "Nobody"}), refused, "not_found");
  check_refusal(server.administer({"person", "join", "Nobody", "Osh region"}), refused, "not_found");
  check_refusal(server.administer({"person", "join", "Bakyt", "Nowhere"}), refused, "not_found");
  check_refusal(server.administer({"person", "leave", "Bakyt", "Nowhere"}), refused, "not_found");
  check_refusal(server.administer({"person", "add", "Aigul", "--scope", "Nowhere"}), refused, "not_found");
  check_refusal(server.administer({"device", "revoke", "abcdef"}), refused, "not_found");
  check_refusal(server.administer({"form", "import", "missing.textproto"}), refused, "not_found");
  check_refusal(
      server.administer({"import", "facility", "missing.csv", "--scope", "Osh region", "--key", "external_code"}),
      refused, "not_found");
  check_refusal(server.administer({"scope", "add", "Osh region"}), refused, "invalid_argument");
  CHECK(server.standing() == before);
}

TEST_CASE("Two people of one name are told apart before one of them gets a code") {
  const ServerFolder server;
  server.succeeds({"scope", "add", "Osh region"});
  server.succeeds({"person", "add", "Aigul"});
  const std::string first = json_value(server.succeeds({"person", "list", "--json"}), "id");
  server.succeeds({"person", "add", "Aigul"});
  const std::string before = server.standing();
  check_refusal(server.administer({"enrol-code", "Aigul"}), refused, "ambiguous");
  check_refusal(server.administer({"person", "join", "Aigul", "Osh region", "--role", "coordinator"}), refused,
                "ambiguous");
  CHECK(server.standing() == before);
  server.succeeds({"enrol-code", first.substr(0, 12)});
}

TEST_CASE("A form that is none, or that takes something away, is refused") {
  const ServerFolder server;
  const std::string file = server.path + "/form.textproto";
  const auto import_of = [&](const std::string& text) {
    write_to(file, text);
    return server.administer({"form", "import", file});
  };
  const std::string head = R"(name: "note" labels { language: "en" text: "Note" } )";
  const std::string first =
      R"(fields { number: 1 name: "a" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM labels { language: "en" text: "A" } } )";
  const std::string second =
      R"(fields { number: 2 name: "b" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM labels { language: "en" text: "B" } } )";
  REQUIRE(import_of(head + "version: 1 " + first + second).exit_code == 0);
  const std::string before = server.standing();
  for (
      const std::string& wrong :
      {std::string("not a form"), head + "version: 2 " + first, head + "version: 1 " + first + second,
       head + "version: 2 " + first +
           R"(fields { number: 2 name: "b" type: FIELD_TYPE_INTEGER confidentiality: CONFIDENTIALITY_TEAM labels { language: "en" text: "B" } })"}) {
    const Finished finished = import_of(wrong);
    INFO(finished.output);
    CHECK(finished.exit_code == refused);
    CHECK(server.standing() == before);
  }
}

TEST_CASE("Without a server in the folder every command says how to make one, and makes none") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "nothing").string();
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"serve"}, {"scope", "list"}, {"check"}}) {
    std::vector<std::string> all{FIELDSYNC_SERVER, "--dir", path};
    all.insert(all.end(), arguments.begin(), arguments.end());
    check_refusal(run(all), refused, "not_found");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("A server is made once") {
  const ServerFolder server;
  const std::string key = content_of(server.path + "/server.key");
  check_refusal(server.administer({"init"}), refused, "invalid_argument");
  CHECK(content_of(server.path + "/server.key") == key);
}

TEST_CASE("An init that did not come to its end is run again and keeps what it made") {
  const ServerFolder server;
  const std::string key = content_of(server.path + "/server.key");
  const std::string forms = server.succeeds({"form", "list", "--json"});
  std::filesystem::remove(server.path + "/fieldsync-server.toml");
  std::filesystem::remove(server.path + "/spare.crt");
  std::filesystem::remove(server.path + "/spare.key");
  server.succeeds({"init", "--port", "9443"});
  CHECK(content_of(server.path + "/server.key") == key);
  CHECK(server.succeeds({"form", "list", "--json"}) == forms);
  CHECK(std::filesystem::exists(server.path + "/spare.crt"));
}

TEST_CASE("An init over a key without its certificate keeps the key, and without the key it is refused") {
  const ServerFolder server;
  const std::string key = content_of(server.path + "/server.key");
  std::filesystem::remove(server.path + "/fieldsync-server.toml");
  std::filesystem::remove(server.path + "/server.crt");
  server.succeeds({"init", "--port", "9443"});
  CHECK(content_of(server.path + "/server.key") == key);
  CHECK(std::filesystem::exists(server.path + "/server.crt"));
  std::filesystem::remove(server.path + "/fieldsync-server.toml");
  std::filesystem::remove(server.path + "/server.key");
  check_refusal(server.administer({"init"}), refused, "not_found");
  CHECK_FALSE(std::filesystem::exists(server.path + "/fieldsync-server.toml"));
}

TEST_CASE("Settings that cannot be meant are refused with their name, by serve and by every command") {
  const ServerFolder server;
  const std::string file = server.path + "/fieldsync-server.toml";
  const std::string good = content_of(file);
  for (const char* wrong :
       {"port = ", "port = \"nine\"", "port = 70000", "prot = 9443", "blocking_threads = 0", "connections_max = 0",
        "connections_per_address_max = \"many\"", "strangers_per_address_max = 0", "blocking_threads = \"many\"",
        "listen_address = 7", "public_address = 7", "code_lifetime_minutes = 0", "code_lifetime_minutes = \"day\"",
        "log_level = \"loud\"", "log_level = 1", "log_format = \"xml\"", "log_format = true", "log_addresses = 1",
        "log_addresses = \"yes\""}) {
    INFO(wrong);
    write_to(file, std::string(wrong) + "\n");
    for (const char* command : {"serve", "check"})
      check_refusal(server.administer({command}), refused, "invalid_argument");
    CHECK(content_of(file) == std::string(wrong) + "\n");
  }
  write_to(file, good);
  server.succeeds({"check"});
}

TEST_CASE("A database that is damaged, gone or in use is refused and left as it is") {
  const ServerFolder server;
  const std::string file = server.path + "/fieldsync-server.db";
  const std::string good = content_of(file);
  const std::string bad = "not a database" + std::string(5'000, 'x');
  write_to(file, bad);
  for (const char* command : {"serve", "check"}) {
    check_refusal(server.administer({command}), refused, "storage_corrupt");
    CHECK((content_of(file) == bad));
  }
  std::filesystem::remove(file);
  for (const char* command : {"serve", "check"}) {
    check_refusal(server.administer({command}), refused, "not_found");
    CHECK_FALSE(std::filesystem::exists(file));
  }
  write_to(file, good);
  server.succeeds({"check"});
}

TEST_CASE("A command waits a moment for a server that is on its way up or down, and no longer") {
  const ServerFolder server;
  // As such a server: it has its database, and takes no commands.
  const std::string lock = server.path + "/fieldsync-server.db.lock";
  int held = ::open(lock.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(::flock(held, LOCK_EX | LOCK_NB) == 0);
  std::thread ends([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    ::close(held);
  });
  const Finished waited = server.administer({"check"});
  ends.join();
  INFO(waited.output);
  CHECK(waited.exit_code == 0);
  held = ::open(lock.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(::flock(held, LOCK_EX | LOCK_NB) == 0);
  check_refusal(server.administer({"check"}), refused, "in_use");
  ::close(held);
}

TEST_CASE("A command that a dying server took is not carried out a second time; one that it did not take is, once") {
  const ServerFolder server;
  const std::string before = server.standing();
  {
    const DyingServer dying(server.path, true);
    check_refusal(server.administer({"scope", "add", "North"}), refused, "connection_lost");
  }
  CHECK(server.standing() == before);
  {
    const DyingServer dying(server.path, false);
    server.succeeds({"scope", "add", "North"});
  }
  CHECK(server.standing() != before);
}

TEST_CASE("A command that is not UTF-8 is refused by a running server, which carries nothing of it out") {
  const TestServer server;
  const std::string before = server.administer({"scope", "list"}).output;
  // "Ош" in CP1251.
  const Finished finished = server.administer({"scope", "add", "\xCE\xF8"});
  INFO(finished.output);
  CHECK(finished.exit_code == wrong_usage);
  CHECK(finished.output.find("UTF-8") != std::string::npos);
  CHECK(server.administer({"scope", "list"}).output == before);
}

TEST_CASE("A folder whose path is too long for a socket is refused with the limit, and served from within") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / std::string(100, 'a')).string();
  REQUIRE(run({FIELDSYNC_SERVER, "--dir", path, "init"}).exit_code == 0);
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"serve"}, {"scope", "list"}}) {
    std::vector<std::string> all{FIELDSYNC_SERVER, "--dir", path};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Finished finished = run(all);
    check_refusal(finished, refused, "invalid_argument");
    CHECK(finished.output.find("107") != std::string::npos);
  }
  CHECK(run({"sh", "-c", "cd \"$1\" && exec \"$0\" --dir . scope list", FIELDSYNC_SERVER, path}).exit_code == 0);
}

TEST_CASE("A second server in one folder is refused, the first goes on") {
  const TestServer server;
  check_refusal(server.administer({"serve"}), refused, "in_use");
  CHECK(server.administer({"check"}).exit_code == 0);
}

TEST_CASE("fieldsync tells wrong usage from a refusal") {
  const TestServer server;
  server.enrol("Bakyt");
  const std::vector<std::vector<std::string>> wrong{{},
                                                    {"dance"},
                                                    {"new"},
                                                    {"edit"},
                                                    {"--language", "fr", "status"},
                                                    {"export", "--form", "visit", "--format", "pdf"},
                                                    {"resolve", "abcd", "summary", "--pick", "1", "--value", "x"},
                                                    {"enrol", "nonsense", "--name", "x"}};
  for (const auto& arguments : wrong) {
    INFO((arguments.empty() ? "" : arguments[0]));
    check_refusal(server.app("Bakyt", arguments), wrong_usage, "invalid_argument");
  }
  const Finished json = server.app("Bakyt", {"--json", "dance"});
  CHECK(json.exit_code == wrong_usage);
  CHECK(json_value(json.output, "code") == "invalid_argument");
}

TEST_CASE("What fieldsync does not know is refused, and nothing is saved") {
  const TestServer server;
  server.enrol("Bakyt");
  const auto refuses = [&](const std::vector<std::string>& arguments, int exit_code, const std::string& code) {
    INFO(arguments[0]);
    check_refusal(server.app("Bakyt", arguments), exit_code, code);
  };
  refuses({"new", "diary", "a=b"}, refused, "unknown_form");
  refuses({"new", "facility", "nothing=b"}, refused, "unknown_field");
  refuses({"new", "facility", "names=en:Osh", "--scope", "Nowhere"}, refused, "scope_not_found");
  refuses({"new", "facility", "names=en:Osh", "capacity=-1"}, refused, "value_out_of_range");
  refuses({"show", "abcdef"}, refused, "not_found");
  refuses({"edit", "abcdef", "summary=x"}, refused, "not_found");
  refuses({"delete", "abcdef"}, refused, "not_found");
  refuses({"show", "xyz"}, wrong_usage, "invalid_argument");
  refuses({"forms", "diary"}, refused, "unknown_form");
  REQUIRE(server.administer({"person", "add", "Chynara"}).exit_code == 0);
  const std::string anothers = json_value(server.administer({"enrol-code", "Chynara", "--json"}).output, "enrolment");
  refuses({"enrol", anothers, "--name", "again"}, refused, "device_already_enrolled");
  CHECK(json_value(server.app("Bakyt", {"--json", "status"}).output, "saved_here") == "0");
}

TEST_CASE("A refusal whose number is none, or that is not there, is neither amended nor let be") {
  const TestServer server;
  server.enrol("Bakyt");
  REQUIRE(server.app("Bakyt", {"new", "visit", "summary=Cell 4."}).exit_code == 0);
  for (const char* number : {"seventeen", "1x", "1a2b:", ":x", "99999999999999999999"}) {
    INFO(number);
    check_refusal(server.app("Bakyt", {"amend", number, "summary=Cell 5."}), wrong_usage, "invalid_argument");
    check_refusal(server.app("Bakyt", {"amend", number, "--let-be"}), wrong_usage, "invalid_argument");
  }
  // 1 is saved and not refused.
  for (const char* number : {"1", "17", "1a2b:1"}) {
    INFO(number);
    check_refusal(server.app("Bakyt", {"amend", number, "summary=Cell 5."}), refused, "not_found");
    check_refusal(server.app("Bakyt", {"amend", number, "--into", "Osh region"}), refused, "not_found");
    check_refusal(server.app("Bakyt", {"amend", number, "--let-be"}), refused, "not_found");
  }
  CHECK(json_value(server.app("Bakyt", {"--json", "status"}).output, "saved_here") == "1");
}

TEST_CASE("A file that is not there is not attached, none to a field that takes none, and no bytes are stored") {
  const TestServer server;
  server.enrol("Bakyt");
  const std::string record = made_record(server, {"follow_up", "evidence=The window is mended."});
  const std::string file = server.path("letter.pdf");
  write_to(file, "%PDF-1.7");
  write_to(server.path("empty.pdf"), "");
  const auto refuses = [&](const std::vector<std::string>& arguments, int exit_code, const std::string& code) {
    std::vector<std::string> all{"attach"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    INFO(arguments[0] << " " << arguments[1]);
    check_refusal(server.app("Bakyt", all), exit_code, code);
  };
  refuses({record, "evidence_files=" + server.path("missing.pdf")}, refused, "not_found");
  refuses({record, "evidence_files=" + server.path("Bakyt")}, refused, "not_found");
  refuses({record, "evidence_files=" + server.path("empty.pdf")}, refused, "value_too_large");
  refuses({record, "evidence_files=" + file, "--preview", server.path("missing.jpg")}, refused, "not_found");
  refuses({record, "evidence_files"}, wrong_usage, "invalid_argument");
  refuses({record, "evidence=" + file}, refused, "wrong_value_type");
  refuses({record, "nothing=" + file}, refused, "unknown_field");
  refuses({record, "anomalies[new].anomaly_photo=" + file}, refused, "unknown_field");
  refuses({"abcdef", "evidence_files=" + file}, refused, "not_found");
  CHECK(server.app("Bakyt", {"--json", "attachments"}).output == "[]\n");
  CHECK(json_value(server.app("Bakyt", {"--json", "status"}).output, "saved_here") == "1");
}

TEST_CASE("A file is not attached to a field that must be sealed, and no bytes are stored") {
  const TestServer server;
  write_to(server.path("form.textproto"), R"(name: "note" version: 1 labels { language: "en" text: "Note" }
fields { number: 1 name: "a" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM }
fields { number: 2 name: "b" type: FIELD_TYPE_ATTACHMENT confidentiality: CONFIDENTIALITY_SEALED })");
  const Finished imported = server.administer({"form", "import", server.path("form.textproto")});
  INFO(imported.output);
  REQUIRE(imported.exit_code == 0);
  server.enrol("Bakyt");
  const std::string record = made_record(server, {"note", "a=Cell 4."});
  write_to(server.path("letter.pdf"), "%PDF-1.7");
  check_refusal(server.app("Bakyt", {"attach", record, "b=" + server.path("letter.pdf")}), refused, "must_be_sealed");
  CHECK(server.app("Bakyt", {"--json", "attachments"}).output == "[]\n");
}

TEST_CASE("A field without an attachment is not opened, and no file that is there is written over") {
  const TestServer server;
  server.enrol("Bakyt");
  const std::string record = made_record(server, {"follow_up", "evidence=The window is mended."});
  const std::string output = server.path("copy.pdf");
  const auto open = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"open", record});
    arguments.insert(arguments.end(), {"--output", output});
    return server.app("Bakyt", arguments);
  };
  check_refusal(open({"evidence_files"}), refused, "not_found");
  check_refusal(open({"evidence"}), refused, "wrong_value_type");
  check_refusal(open({"nosuch"}), refused, "unknown_field");
  write_to(server.path("letter.pdf"), "%PDF-1.7");
  REQUIRE(server.app("Bakyt", {"attach", record, "evidence_files=" + server.path("letter.pdf")}).exit_code == 0);
  check_refusal(open({"evidence_files", "--pick", "2"}), refused, "not_found");
  check_refusal(open({"evidence_files", "--preview"}), refused, "not_found");
  CHECK_FALSE(std::filesystem::exists(output));
  write_to(output, "mine");
  check_refusal(open({"evidence_files"}), wrong_usage, "invalid_argument");
  CHECK(content_of(output) == "mine");
}

TEST_CASE("An import from a standard input that cannot be read is no empty one") {
  const TestServer server;
  server.enrol("Bakyt");
  std::vector<std::string> reads_a_folder = {"sh", "-c", "exec \"$@\" < /", "sh"};
  for (std::string& word : server.app_command(server.path("Bakyt"), {"new", "facility", "--from", "-"}))
    reads_a_folder.push_back(std::move(word));
  check_refusal(run(reads_a_folder), refused, "storage_failed");
}

TEST_CASE("A store that is not there or damaged is told, and left as it is") {
  const TestServer server;
  check_refusal(server.app("nobody", {"status"}), refused, "not_found");
  CHECK_FALSE(std::filesystem::exists(server.path("nobody")));
  std::filesystem::create_directory(server.path("damaged"));
  const std::string file = server.path("damaged") + "/fieldsync.db";
  write_to(file, "not a database" + std::string(5'000, 'x'));
  const std::string before = content_of(file);
  for (const char* command : {"status", "sync"})
    check_refusal(server.app("damaged", {command}), refused, "storage_corrupt");
  CHECK((content_of(file) == before));
}

TEST_CASE("A store that another program has is refused to every command, and left to the first") {
  const TestServer server;
  server.enrol("Bakyt");
  REQUIRE(server.app("Bakyt", {"new", "facility", "names=en:Osh"}).exit_code == 0);
  OpenStore first(server, "Bakyt");
  const std::string enrolment = server.enrolment_text();
  const auto before = everything_in(server.path("Bakyt"));
  const std::vector<std::vector<std::string>> second{{"status"},
                                                     {"sync"},
                                                     {"new", "facility", "names=en:Batken"},
                                                     {"list", "facility"},
                                                     {"enrol", enrolment, "--name", "again"}};
  for (const Finished& finished : all_at_once(server, "Bakyt", second)) {
    check_refusal(finished, refused, "in_use");
    CHECK(finished.output.find("Another program has this store open. Close it first.") != std::string::npos);
  }
  const Finished for_scripts = server.app("Bakyt", {"--json", "status"});
  CHECK(for_scripts.exit_code == refused);
  CHECK(json_value(for_scripts.output, "code") == "in_use");
  CHECK((everything_in(server.path("Bakyt")) == before));
  // The library says the same to another app.
  const auto opened = fieldsync::Database::open({.directory = server.path("Bakyt")});
  CHECK((!opened && opened.error().code == fieldsync::Errc::in_use));
  CHECK((everything_in(server.path("Bakyt")) == before));
  CHECK(first.save_and_close("Naryn") == 0);
  CHECK(server.app("Bakyt", {"sync"}).exit_code == 0);
  const std::string status = server.app("Bakyt", {"--json", "status"}).output;
  CHECK(json_value(status, "saved_here") == "0");
  CHECK(json_value(status, "records") == "2");
}

TEST_CASE("A store that an app has open is refused to every command until the app closes it") {
  const TestServer server;
  server.enrol("Bakyt");
  auto app = server.open("Bakyt");
  for (const Finished& finished :
       all_at_once(server, "Bakyt", {{"status"}, {"sync"}, {"new", "facility", "names=en:Osh"}}))
    check_refusal(finished, refused, "in_use");
  const auto status = app->status();
  REQUIRE(status);
  CHECK((status->saved_here == 0 && status->records == 0));
  app.reset();
  CHECK(server.app("Bakyt", {"new", "facility", "names=en:Osh"}).exit_code == 0);
}

TEST_CASE("Without a connection fieldsync says so with an exit code of its own, and loses nothing") {
  TestServer server;
  server.enrol("Bakyt");
  REQUIRE(server.app("Bakyt", {"new", "facility", "names=en:Osh"}).exit_code == 0);
  server.kill();
  check_refusal(server.app("Bakyt", {"sync"}), 3, "offline");
  CHECK(json_value(server.app("Bakyt", {"--json", "status"}).output, "saved_here") == "1");
  server.start();
  CHECK(server.app("Bakyt", {"sync"}).exit_code == 0);
}

TEST_CASE("A revoked device hands in what it holds, and nobody reads it any more") {
  const TestServer server;
  server.enrol("Bakyt");
  REQUIRE(server.app("Bakyt", {"new", "facility", "names=en:Osh"}).exit_code == 0);
  const std::string device = json_value(server.administer({"device", "list", "--json"}).output, "id");
  REQUIRE(server.administer({"device", "revoke", device}).exit_code == 0);
  check_refusal(server.app("Bakyt", {"sync"}), refused, "wiped");
  CHECK(json_value(server.administer({"check", "--json"}).output, "quarantined") == "1");
  // What is left of it is deleted.
  check_refusal(server.app("Bakyt", {"status"}), refused, "wiped");
  CHECK_FALSE(std::filesystem::exists(server.path("Bakyt/fieldsync.db")));
}

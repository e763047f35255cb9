// What is left of a person's words in the memory of an app whose store is locked, and in the
// files beside it: nothing, in no encoding.
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <thread>

#include "core/id.h"
#include "support/test_server.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// The same bytes as somebody would look for them.
std::map<std::string, std::string> encodings_of(const std::string& text) {
  std::map<std::string, std::string> encodings{{"plain", text}, {"hex", core::to_hex(text)}};
  for (const char letter : text) (encodings["UTF-16"] += letter) += '\0';
  encodings["UTF-16"].pop_back();
  // As libraries for Unicode work on it.
  for (const char letter : text) (encodings["UTF-32"] += letter).append(3, '\0');
  encodings["UTF-32"].resize(encodings["UTF-32"].size() - 3);
  // Base64 of longer text has it at one of three places; what its neighbours decide is left out.
  for (std::size_t place = 0; place < 3; ++place) {
    const std::string moved = std::string(place, 'x') + text;
    std::string base64(sodium_base64_ENCODED_LEN(moved.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(base64.data(), base64.size(), reinterpret_cast<const unsigned char*>(moved.data()), moved.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    const std::size_t first = place == 0 ? 0 : 4;
    encodings["base64 at " + std::to_string(place)] = base64.substr(first, moved.size() / 3 * 4 - first);
  }
  return encodings;
}

// All that the process may write, as a core of it would hold.
std::vector<std::string> memory_of(pid_t process) {
  std::vector<std::string> memory;
  std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
  const int file = ::open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(file >= 0);
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::array<char, 5> rights{};
    REQUIRE(std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights.data()) == 3);
    if (rights[0] != 'r' || rights[1] != 'w') continue;
    std::string& content = memory.emplace_back(end - begin, '\0');
    const ssize_t got = ::pread(file, content.data(), content.size(), static_cast<off_t>(begin));
    content.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  ::close(file);
  return memory;
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> contents;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    contents.push_back(file.path().filename());
    if (file.is_regular_file()) contents.push_back(content_of(file.path()));
  }
  return contents;
}

// How often which encoding stands there: "plain: 3 ".
std::string found_in(const std::vector<std::string>& places, const std::string& secret) {
  std::string found;
  for (const auto& [name, bytes] : encodings_of(secret)) {
    const std::boyer_moore_searcher searcher(bytes.begin(), bytes.end());
    int count = 0;
    for (const std::string& place : places) {
      for (auto at = std::search(place.begin(), place.end(), searcher); at != place.end();
           at = std::search(at + 1, place.end(), searcher))
        ++count;
    }
    if (count > 0) found += name + ": " + std::to_string(count) + " ";
  }
  return found;
}

// A running app, and what it says.
class LockedApp {
 public:
  LockedApp(const std::string& folder, const std::string& letters, const std::string& lock_after)
      : log_(folder + "/log"), process_({FIELDSYNC_LOCKED_APP, folder, letters, lock_after}, log_) {}

  void wait_for(const std::string& line) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (content_of(log_).find("\n" + line + "\n") == std::string::npos) {
      INFO(content_of(log_));
      REQUIRE(process_.running());
      REQUIRE(std::chrono::steady_clock::now() < until);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  [[nodiscard]] std::vector<std::string> memory() const { return memory_of(process_.id()); }

 private:
  std::string log_;
  Process process_;
};

}  // namespace

TEST_CASE("A locked app holds nothing of what a person wrote, and neither do its files") {
  // Locked by the app, and by itself.
  const std::string lock_after = GENERATE("0", "3");
  const TestServer server;
  const std::string folder = server.path("phone");
  std::filesystem::create_directories(folder);
  const std::string enrolment = server.enrolment_text();
  std::ofstream(folder + "/enrolment") << enrolment;
  const std::string mark = "qzjxkwvq";
  std::string letters = mark;
  for (char& letter : letters) ++letter;
  LockedApp app(folder, letters, lock_after);
  app.wait_for("unlocked");
  const std::string code = enrolment.substr(enrolment.rfind(':') + 1);
  // Else nothing could be found where something is.
  CHECK(found_in(app.memory(), mark).find("plain: ") == 0);
  std::ofstream(folder + "/lock").put('\n');
  app.wait_for("locked");
  const auto memory = app.memory();
  CHECK(found_in(memory, mark) == "");
  CHECK(found_in(memory, code) == "");
  const auto files = files_in(folder);
  CHECK(files.size() > 3);
  CHECK(found_in(files, mark) == "");
  CHECK(found_in(files, code) == "");
}

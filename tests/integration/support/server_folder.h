// server_folder.h: a server's folder that no server process uses, and how its commands refuse.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/temporary_folder.h"

namespace fieldsync::testing {

inline constexpr int refused = 1;
inline constexpr int wrong_usage = 2;

inline void check_refusal(const Finished& finished, int exit_code, const std::string& code) {
  INFO(finished.output);
  CHECK(finished.exit_code == exit_code);
  CHECK(finished.output.find("[" + code + "]\n") != std::string::npos);
  CHECK(finished.output.find("[" + code + "]") > 20);
}

struct ServerFolder {
  TemporaryFolder folder;
  std::string path = (folder.path() / "server").string();

  ServerFolder() { succeeds({"init", "--port", "9443"}); }

  Finished administer(std::vector<std::string> arguments) const {
    // A server that starts where it should refuse to is stopped.
    arguments.insert(arguments.begin(), {"timeout", "20", FIELDSYNC_SERVER, "--dir", path});
    return run(arguments);
  }
  std::string succeeds(const std::vector<std::string>& arguments) const {
    const Finished finished = administer(arguments);
    INFO(finished.output);
    REQUIRE(finished.exit_code == 0);
    return finished.output;
  }
  // All that the lists show.
  std::string standing() const {
    std::string all;
    for (const char* what : {"scope", "person", "device", "form"}) all += succeeds({what, "list", "--json"});
    return all;
  }
};

}  // namespace fieldsync::testing

// raw_client.h: a client that is not ours, with a server of its own: curl, or bytes through
// `openssl s_client`.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/test_server.h"

namespace fieldsync::testing {

class RawClient {
 public:
  RawClient() {
    const Finished made = run({"openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "90", "-subj",
                               "/CN=device", "-keyout", key(), "-out", certificate()});
    INFO(made.output);
    REQUIRE(made.exit_code == 0);
  }

  TestServer server;

  [[nodiscard]] std::string key() const { return server.path("raw.key"); }
  [[nodiscard]] std::string certificate() const { return server.path("raw.crt"); }

  void enrol() const {
    const std::string text = server.enrolment_text();
    // Its last part is the code.
    const std::string code = text.substr(text.find_last_of("#/:?=&|. ") + 1);
    const Finished done = curl("/v1/enrol", {"-H", "Content-Type: application/json", "-d",
                                             R"({"protocol_version":1,"device_name":"raw","code":")" + code + "\"}"});
    INFO(text << "\n" << done.output);
    REQUIRE(done.output.ends_with("200"));
  }

  // The answer, and its status as the last three characters.
  [[nodiscard]] Finished curl(const std::string& target, std::vector<std::string> arguments,
                              bool with_key = true) const {
    std::vector<std::string> all{"curl", "-sS", "-k",           "--http1.1", "--max-time",
                                 "20",   "-w",  "%{http_code}", "-H",        "Accept: application/json"};
    if (with_key) all.insert(all.end(), {"--cert", certificate(), "--key", key()});
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.push_back(server.url() + target);
    return run(all);
  }

  // Everything the server answers to these bytes until it closes.
  [[nodiscard]] std::string raw(const std::string& bytes) const {
    return run({"timeout", "20", "openssl", "s_client", "-quiet", "-connect",
                "127.0.0.1:" + std::to_string(server.port()), "-cert", certificate(), "-key", key()},
               bytes)
        .output;
  }
};

}  // namespace fieldsync::testing

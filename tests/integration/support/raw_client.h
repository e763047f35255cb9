// raw_client.h: a client that is not ours, with a server of its own: curl, or bytes through
// `openssl s_client`. Each refusal that it gets is looked through for what it tells of the server's inside.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <mutex>
#include <string>
#include <vector>

#include "support/generic_refusal.h"
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
  ~RawClient() {
    INFO(told_);
    CHECK(told_.empty());
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

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
    Finished done = run(all);
    look_through(done.output);
    return done;
  }

  // Everything the server answers to these bytes until it closes.
  [[nodiscard]] std::string raw(const std::string& bytes) const {
    std::string said = run({"timeout", "20", "openssl", "s_client", "-quiet", "-connect",
                            "127.0.0.1:" + std::to_string(server.port()), "-cert", certificate(), "-key", key()},
                           bytes)
                           .output;
    look_through(said);
    return said;
  }

 private:
  // Kept until the client ends: others than the test's own thread ask too, and Catch's checks are for that one.
  void look_through(const std::string& output) const {
    // Before it s_client speaks of the certificate.
    const std::size_t head = output.find("HTTP/1.1 ");
    const std::string answer = output.substr(head == std::string::npos ? 0 : head);
    const std::string telling = telling_in(answer);
    const std::lock_guard lock(mutex_);
    if (!telling.empty()) told_ += telling + " in: " + answer.substr(0, 2'000) + "\n";
  }

  mutable std::mutex mutex_;
  mutable std::string told_;
};

}  // namespace fieldsync::testing

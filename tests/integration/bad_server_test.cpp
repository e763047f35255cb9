// What an app says where the server at its office's address is a bad one: it names what is wrong, keeps what waits, and
// goes on working offline. Histories that were set back or forked: tests/unit/api/history_test.cpp.
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "support/test_server.h"

using namespace fieldsync::testing;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Bakyt's phone, with a save that waits; its office is gone, and another server answers in its place.
class BadServer {
 public:
  BadServer() {
    office_.enrol("phone");
    REQUIRE(office_.app("phone", {"new", "visit", "summary=Cell 4."}).exit_code == 0);
    office_.kill();
  }

  // The office's own key, unless another certificate is named.
  void answers(const std::string& manner, const std::string& certificate = "server/server.crt") {
    server_ = std::make_unique<Process>(
        std::vector<std::string>{"python3", FIELDSYNC_BAD_SERVER, std::to_string(office_.port()),
                                 office_.path(certificate), office_.path("server/server.key"), manner},
        office_.path("bad_server.log"));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!has(content_of(office_.path("bad_server.log")), "ready")) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  // The code and the sentence.
  std::string sync() {
    const Finished synced = office_.app("phone", {"sync"});
    CHECK(synced.exit_code != 0);
    return synced.output;
  }
  // Nothing is lost, work goes on, and the office itself gets all of it.
  void all_is_kept() {
    server_.reset();
    CHECK(office_.app("phone", {"new", "visit", "summary=Cell 5."}).exit_code == 0);
    CHECK(json_value(office_.app("phone", {"--json", "status"}).output, "saved_here") == "2");
    CHECK(has(office_.app("phone", {"list", "visit"}).output, "2"));
    office_.start();
    CHECK(office_.app("phone", {"sync"}).exit_code == 0);
    CHECK(json_value(office_.app("phone", {"--json", "status"}).output, "saved_here") == "0");
  }
  [[nodiscard]] const TestServer& office() const { return office_; }

 private:
  TestServer office_;
  std::unique_ptr<Process> server_;
};

// The same certificate, but that it begins tomorrow. Commands of OpenSSL 3.0 make none that is not valid yet.
void begin_tomorrow(const std::string& certificate_file, const std::string& key_file) {
  const auto bio_of = [](const std::string& file) {
    return std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new_file(file.c_str(), "r+"), BIO_free);
  };
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bio_of(certificate_file).get(), nullptr, nullptr, nullptr), X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio_of(key_file).get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  REQUIRE(certificate);
  REQUIRE(key);
  REQUIRE(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 24L * 3600) != nullptr);
  REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  REQUIRE(PEM_write_bio_X509(bio_of(certificate_file).get(), certificate.get()) == 1);
}

}  // namespace

TEST_CASE("A bad server with the office's own key is named, and nothing is lost") {
  struct Case {
    std::string manner, code;
  };
  const auto bad =
      GENERATE(Case{"tls_1_2", "[connection_lost]"}, Case{"huge_body", "[incompatible_server]"},
               Case{"huge_without_length", "[incompatible_server]"}, Case{"endless_head", "[incompatible_server]"},
               Case{"cut_before_the_last_byte", "[connection_lost]"}, Case{"not_http", "[incompatible_server]"},
               Case{"web_page", "[incompatible_server]"});
  BadServer server;
  server.answers(bad.manner);
  const std::string said = server.sync();
  INFO(bad.manner << ": " << said);
  CHECK(has(said, bad.code));
  if (bad.manner == "tls_1_2") CHECK(has(said, "protocol version"));
  server.all_is_kept();
}

TEST_CASE(
    "A certificate that has ended, has not begun, or is for another name, is named; with the office's key the sync "
    "goes on") {
  TestServer office;
  office.enrol("phone");
  const std::string key = office.path("server/server.key");
  const std::string certificate = office.path("server/server.crt");
  const auto succeeds = [](const std::vector<std::string>& command) {
    const Finished made = run(command);
    INFO(made.output);
    REQUIRE(made.exit_code == 0);
  };
  const auto shown = [&] {
    REQUIRE(office.administer({"reload-certificate"}).exit_code == 0);
    return json_value(office.app("phone", {"--json", "sync"}).output, "certificate_flaw");
  };
  CHECK(json_value(office.app("phone", {"--json", "sync"}).output, "certificate_flaw") == "none");
  succeeds({"openssl", "req", "-x509", "-key", key, "-out", certificate, "-config", "/dev/null", "-days", "90", "-subj",
            "/CN=elsewhere"});
  CHECK(shown() == "other_name");
  CHECK(has(office.app("phone", {"sync"}).output, "for another name"));
  const std::string wish = office.path("wish");
  succeeds({"openssl", "req", "-new", "-key", key, "-out", wish, "-config", "/dev/null", "-subj", "/CN=office"});
  succeeds({"openssl", "x509", "-req", "-in", wish, "-signkey", key, "-days", "-1", "-out", certificate});
  CHECK(shown() == "ended");
  CHECK(has(office.app("phone", {"sync"}).output, "has ended"));
  REQUIRE(office.administer({"renew-certificate"}).exit_code == 0);
  begin_tomorrow(certificate, key);
  CHECK(shown() == "not_begun");
  CHECK(has(office.app("phone", {"sync"}).output, "not valid yet"));
  REQUIRE(office.administer({"renew-certificate"}).exit_code == 0);
  CHECK(json_value(office.app("phone", {"--json", "sync"}).output, "certificate_flaw") == "none");
}

TEST_CASE("An answer of 10 GB costs an app little memory") {
  BadServer server;
  server.answers("huge_body");
  rusage before{};
  getrusage(RUSAGE_CHILDREN, &before);
  server.sync();
  rusage after{};
  getrusage(RUSAGE_CHILDREN, &after);
  // The largest of all programs that this one waited for, in KiB.
  CHECK(after.ru_maxrss < std::max(before.ru_maxrss, 200L * 1024));
}

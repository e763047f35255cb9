#include "app/configuration.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

#include "support/temporary_folder.h"

using namespace fieldsync;

TEST_CASE("Settings with quotes and backslashes are read as they were written") {
  server::Configuration configuration;
  configuration.public_address = "office \"Osh\" \\ 2:9443";
  const auto read = server::parse_configuration(server::configuration_text(configuration), "/srv/fieldsync");
  REQUIRE(read);
  CHECK(read->public_address == configuration.public_address);
}

TEST_CASE("What the log is like is read as it was written") {
  server::Configuration configuration;
  configuration.log_format = "json";
  configuration.log_addresses = true;
  const auto read = server::parse_configuration(server::configuration_text(configuration), "/srv/fieldsync");
  REQUIRE(read);
  CHECK(read->log_format == "json");
  CHECK(read->log_addresses);
  const auto without = server::parse_configuration("", "/srv/fieldsync");
  REQUIRE(without);
  CHECK(without->log_format == "text");
  CHECK_FALSE(without->log_addresses);
}

TEST_CASE("Settings that cannot be read are not taken for none") {
  const testing::TemporaryFolder folder;
  server::Configuration configuration;
  configuration.folder = folder.path();
  // A folder opens as a file does, and fails at the first read.
  std::filesystem::create_directory(configuration.file());
  const auto read = server::read_configuration(folder.path());
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Errc::storage_failed);
}

TEST_CASE("A key of which only half could be written leaves no file behind") {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "key.pem";
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{100, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto written = server::write_private_file(file, std::string(200, 'k'));
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(written);
  CHECK(written.error().code == Errc::storage_full);
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(server::write_private_file(file, std::string(200, 'k')));
}

#include "app/configuration.h"

#include <catch2/catch.hpp>

using namespace fieldsync;

TEST_CASE("Settings with quotes and backslashes are read as they were written") {
  server::Configuration configuration;
  configuration.public_address = "office \"Osh\" \\ 2:9443";
  const auto read = server::parse_configuration(server::configuration_text(configuration), "/srv/fieldsync");
  REQUIRE(read);
  CHECK(read->public_address == configuration.public_address);
}

// settings.h: a server that is started again with other settings.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "support/test_server.h"

namespace fieldsync::testing {

// `setting`: its name and what stands in the place of its value.
inline void restart_with(TestServer& server, const std::string& name, const std::string& value) {
  const std::string file = server.path("server") + "/fieldsync-server.toml";
  std::string settings = content_of(file);
  const std::size_t at = settings.find("\n" + name + " = ") + 1;
  REQUIRE(at > 0);
  settings.replace(at, settings.find('\n', at) - at, name + " = " + value);
  REQUIRE(server.stop() == 0);
  write_to(file, settings);
  server.start();
}

}  // namespace fieldsync::testing

// scenarios.h: what the server is put under, and what it has to hold. Each gives what it measured, and under
// "within" whether that is within its bars.
#pragma once

#include <boost/json.hpp>
#include <string>

namespace fieldsync::load {

// `program`, in each: the server; empty: the one that was built.
struct IdleOptions {
  std::size_t connections = 10'000;
  double kib_max = 30;
  std::string program;
};
// Memory of connections that wait.
[[nodiscard]] boost::json::object measure_idle(const IdleOptions& options);

struct SlopeOptions {
  std::size_t idle = 5'000;
  std::size_t active = 50;
  double minutes = 30;
  double warm_minutes = 5;
  std::string program;
};
// Whether memory, descriptors and threads grow under a steady load.
[[nodiscard]] boost::json::object measure_slope(const SlopeOptions& options);

struct SlowOptions {
  std::size_t clients = 1'000;
  int rounds = 3;
  std::string program;
};
// Slow clients in five manners, and what healthy ones notice of them.
[[nodiscard]] boost::json::object measure_slow(const SlowOptions& options);

// Small requests that want much.
[[nodiscard]] boost::json::object measure_bombs();

}  // namespace fieldsync::load

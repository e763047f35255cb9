#include "sim/team/script.h"

#include <catch2/catch.hpp>
#include <random>

namespace fieldsync::team {
namespace {

TEST_CASE("the script runs, ends in agreement, and may be run again", "[sim][team]") {
  const std::uint64_t seed = GENERATE(1U, 2U, 3U);
  std::mt19937_64 generator(seed);
  Team team([&] { return generator(); });
  const Script script(seed);
  for (const Run run : {Run::first, Run::again}) {
    for (const Step& step : script.steps()) {
      const auto done = step.run(team, run);
      INFO(step.phase << (done ? "" : ": " + done.error().message()));
      REQUIRE(done);
    }
    CHECK(disagreement(team, script) == "");
  }
}

}  // namespace
}  // namespace fieldsync::team

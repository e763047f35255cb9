// How much is under way: enough to fill the link, and not much more.
#include <catch2/catch.hpp>

#include "transport/pace.h"

using namespace fieldsync;
using transport::Pace;

namespace {

// A link that acknowledges at a rate, a round trip after the bytes were written, and a writer
// that writes as much as the pace lets it. Returns what is allowed in the end.
struct Link {
  double bytes_per_ms;
  std::int64_t round_trip_ms;

  [[nodiscard]] std::uint64_t allowed_after(std::int64_t end_ms, double* carried = nullptr) const {
    Pace pace;
    std::uint64_t written = 0;
    double acknowledged = 0;
    std::vector<std::uint64_t> written_at;
    for (std::int64_t now = 0; now < end_ms; ++now) {
      const std::int64_t then = now - round_trip_ms;
      const double reached = then >= 0 ? static_cast<double>(written_at[static_cast<std::size_t>(then)]) : 0;
      acknowledged = std::min(reached, acknowledged + bytes_per_ms);
      const std::uint64_t under_way = written - static_cast<std::uint64_t>(acknowledged);
      pace.observe({now}, written, under_way, {round_trip_ms});
      if (under_way <= pace.under_way_max()) written += 4096;
      written_at.push_back(written);
    }
    if (carried != nullptr) *carried = acknowledged / (bytes_per_ms * static_cast<double>(end_ms));
    return pace.under_way_max();
  }
};

}  // namespace

TEST_CASE("On a slow link little is under way, and it is full all the same") {
  double carried = 0;
  const std::uint64_t allowed = Link{12.5, 300}.allowed_after(60'000, &carried);
  CHECK(allowed >= 8 * 1024);
  CHECK(allowed <= 14 * 1024);
  CHECK(carried > 0.97);
}

TEST_CASE("A fast link is filled within moments") {
  double carried = 0;
  CHECK(Link{1'250, 20}.allowed_after(3'000) > 200 * 1024);
  static_cast<void>(Link{1'250, 20}.allowed_after(20'000, &carried));
  CHECK(carried > 0.9);
  static_cast<void>(Link{125, 600}.allowed_after(60'000, &carried));
  CHECK(carried > 0.85);
}

TEST_CASE("Where nothing is known of the link, a little may be under way") {
  Pace pace;
  pace.observe({0}, 100'000, 100'000, {});
  pace.observe({10'000}, 100'000, 100'000, {});
  CHECK(pace.under_way_max() == 8 * 1024);
}

TEST_CASE("What seemed to have arrived, and had not, lets no more be under way") {
  Pace pace;
  pace.observe({0}, 100'000, 10'000, {100});
  pace.observe({1'000}, 100'000, 12'000, {100});
  CHECK(pace.under_way_max() == Pace().under_way_max());
}

TEST_CASE("On a link whose round trip grows, as much is under way as that takes, and no more than before") {
  Pace pace;
  std::uint64_t written = 0;
  // A rate of 100 bytes in a millisecond, and a round trip as the kernel tells of it.
  const auto run = [&](std::int64_t from, std::int64_t to, std::int64_t shortest_ms, std::uint64_t under_way) {
    for (std::int64_t now = from; now < to; now += 5) {
      written += 500;
      pace.observe({now}, written, under_way, {shortest_ms});
    }
    return pace.under_way_max();
  };
  const std::uint64_t at_first = run(0, 20'000, 100, 30'000);
  CHECK(at_first >= 100 * 100);
  CHECK(at_first <= 100 * 400);
  // The queue of the last body is no reason for more in the next one: the shortest is what it was.
  CHECK(run(20'000, 40'000, 100, 120'000) <= 100 * 400);
  CHECK(run(40'000, 60'000, 700, 120'000) >= 100 * 700);
}

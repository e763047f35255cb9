// How much a device is told in a day of what is put on record.
#include "service/read_allowance.h"

#include <catch2/catch.hpp>

#include "service/day.h"

using namespace fieldsync;
using namespace fieldsync::server;

namespace {

core::DeviceId device(std::uint8_t number) {
  core::DeviceId id;
  id.bytes[0] = number;
  return id;
}

constexpr core::Instant noon{100 * ms_per_day + ms_per_day / 2};
constexpr std::size_t most = records_read_per_day_max - records_worth_of_an_entry;

}  // namespace

TEST_CASE("A device reads so many sensitive records in a day and not one more, and another device as many") {
  ReadAllowance allowance;
  CHECK_FALSE(allowance.take(device(1), most + 1, noon));
  CHECK(allowance.take(device(1), most, noon));
  CHECK_FALSE(allowance.take(device(1), 1, noon));
  CHECK(allowance.take(device(2), most, noon));
  const core::Instant midnight{101 * ms_per_day};
  CHECK_FALSE(allowance.take(device(1), 1, core::Instant{midnight.ms - 1}));
  CHECK(allowance.take(device(1), most, midnight));
}

TEST_CASE("An entry counts for itself too, however few records it names") {
  ReadAllowance allowance;
  std::size_t entries = 0;
  while (allowance.take(device(1), 0, noon)) ++entries;
  CHECK(entries == records_read_per_day_max / records_worth_of_an_entry);
}

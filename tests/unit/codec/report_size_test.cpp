// What reports weigh on their way, of a form and in words that the dictionary
// was not trained on.
#include <catch2/catch.hpp>

#include "bench/report_generator.h"
#include "codec/frame.h"
#include "codec/operation_codec.h"

using namespace fieldsync;

namespace {

template <typename Id>
Id random_id(std::mt19937_64& random) {
  Id id;
  for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(random());
  return id;
}

// New reports of one device, as its outbox holds them.
std::vector<std::string> new_reports(std::size_t count) {
  std::mt19937_64 random(7);
  bench::ReportGenerator generator(FIELDSYNC_TEXTS, 1);
  core::Operation operation;
  operation.scope = random_id<core::ScopeId>(random);
  operation.id = {random_id<core::DeviceId>(random), 0};
  operation.form = "bench_report";
  std::vector<std::string> encoded;
  for (std::size_t i = 0; i < count; ++i) {
    ++operation.id.counter;
    operation.record = random_id<core::RecordId>(random);
    operation.claimed = {1'795'500'000'000 + static_cast<std::int64_t>(i) * 60'000};
    operation.writes.clear();
    for (const bench::Field& field : generator.report()) {
      operation.writes.push_back({{{}, static_cast<std::uint32_t>(operation.writes.size() + 1)}, field.value, {}});
    }
    encoded.push_back(codec::encode_operation(operation));
  }
  return encoded;
}

std::size_t frame_bytes(const std::vector<std::string>& operations) {
  std::string list;
  for (const std::string& operation : operations) codec::append_to_list(list, operation);
  return codec::FrameWriter().compress(list).size();
}

}  // namespace

TEST_CASE("New reports of about 2 KB travel in less than 500 bytes each") {
  CHECK(frame_bytes(new_reports(100)) / 100 < 450);
}

TEST_CASE("The dictionary makes a report that travels alone a fifth lighter") {
  std::size_t bytes = 0;
  for (const std::string& report : new_reports(50)) bytes += frame_bytes({report});
  // Without a dictionary it is 1,036 bytes on average.
  CHECK(bytes / 50 < 850);
}

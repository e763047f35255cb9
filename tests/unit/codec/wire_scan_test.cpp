#include "codec/wire_scan.h"

#include <catch2/catch.hpp>

#include "fieldsync/v1/operation.pb.h"
#include "fieldsync/v1/sync.pb.h"

using namespace fieldsync;
using codec::WireLimits;

namespace {

template <typename Message>
std::string_view verdict_on(std::string_view bytes, const WireLimits& limits = codec::request_limits,
                            std::size_t elements = 0) {
  const auto scanned = codec::scan_message(bytes, *Message::descriptor(), limits, elements);
  return scanned ? std::string_view("passed") : describe(scanned.error().code).name;
}

std::string positions(int count) {
  v1::SyncRequest request;
  for (int i = 0; i < count; ++i) request.add_positions();
  return request.SerializeAsString();
}

// Six messages deep: reply, scope, change, changed fields, entry, value.
std::string six_deep() {
  v1::SyncReply reply;
  reply.add_scopes()->add_changes()->mutable_changed()->add_entries()->mutable_value()->set_empty(true);
  return reply.SerializeAsString();
}

}  // namespace

TEST_CASE("As many elements as allowed pass, one more does not") {
  CHECK(verdict_on<v1::SyncRequest>(positions(60'000)) == "passed");
  CHECK(verdict_on<v1::SyncRequest>(positions(60'001)) == "too_many_elements");
}

TEST_CASE("What was counted before counts with the rest") {
  CHECK(verdict_on<v1::SyncRequest>(positions(10), {30, 16}, 20) == "passed");
  CHECK(verdict_on<v1::SyncRequest>(positions(11), {30, 16}, 20) == "too_many_elements");
}

TEST_CASE("Each entry of a packed list counts") {
  v1::FieldWrite write;
  for (int i = 0; i < 10; ++i) write.add_replaced_counter(1);
  std::size_t elements = 0;
  REQUIRE(
      codec::scan_message(write.SerializeAsString(), *v1::FieldWrite::descriptor(), codec::request_limits, elements));
  // The ten, and the list itself.
  CHECK(elements == 11);
  CHECK(verdict_on<v1::FieldWrite>(write.SerializeAsString(), {11, 16}) == "passed");
  CHECK(verdict_on<v1::FieldWrite>(write.SerializeAsString(), {10, 16}) == "too_many_elements");
}

TEST_CASE("As deep as allowed passes, one level more does not") {
  CHECK(verdict_on<v1::SyncReply>(six_deep(), {100, 6}) == "passed");
  CHECK(verdict_on<v1::SyncReply>(six_deep(), {100, 5}) == "malformed_request");
}

TEST_CASE("A message cut short inside a field is refused, at every byte") {
  const std::string whole = six_deep();
  REQUIRE(verdict_on<v1::SyncReply>(whole) == "passed");
  for (std::size_t size = 1; size < whole.size(); ++size)
    CHECK(verdict_on<v1::SyncReply>(whole.substr(0, size)) == "malformed_request");
}

TEST_CASE("A length that reaches past the end of its own message is refused") {
  // positions { cursor: 5 bytes declared, 1 there }, with enough bytes behind it.
  CHECK(verdict_on<v1::SyncRequest>(std::string("\x1a\x03\x0a\x05x\x20\x01\x20\x01", 9)) == "malformed_request");
}

TEST_CASE("A number of ten bytes passes, a longer or larger one does not") {
  const std::string nines(9, '\xff');
  CHECK(verdict_on<v1::SyncRequest>("\x20" + nines + '\x01') == "passed");
  CHECK(verdict_on<v1::SyncRequest>("\x20" + nines + '\x02') == "malformed_request");
  CHECK(verdict_on<v1::SyncRequest>("\x20" + nines + '\x80' + '\x01') == "malformed_request");
}

TEST_CASE("A field that nobody knows is refused, at any depth") {
  CHECK(verdict_on<v1::SyncRequest>("\xf8\x06\x01") == "malformed_request");
  CHECK(verdict_on<v1::SyncRequest>(std::string("\x1a\x03\xf8\x06\x01", 5)) == "malformed_request");
  CHECK(verdict_on<v1::SyncRequest>(std::string("\x00\x01", 2)) == "malformed_request");
}

TEST_CASE("Groups and wire types that do not exist are refused") {
  for (const char wire_type : {3, 4, 6, 7}) {
    CHECK(verdict_on<v1::SyncRequest>(std::string(1, static_cast<char>(0x20 | wire_type)) + "\x01") ==
          "malformed_request");
  }
}

TEST_CASE("Nothing at all is an empty message") { CHECK(verdict_on<v1::SyncRequest>("") == "passed"); }

// The canonical bytes of a record, and what is refused as not canonical.
#include "codec/record_codec.h"

#include <google/protobuf/stubs/logging.h>

#include <catch2/catch.hpp>

#include "fieldsync/v1/record.pb.h"
#include "support/core_builders.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

core::Stamp stamp_of(const core::Operation& made, std::uint64_t seq, std::int64_t received_ms = 100) {
  core::Stamp stamp = honest_stamp(made);
  stamp.received = {received_ms};
  stamp.seq = seq;
  return stamp;
}

// A register with two siblings, an item, a set with two elements of one operation.
std::vector<core::Operation> history() {
  return {operation(op_id(1, 1), {sets(key(fields::place_name), text("Ош")), sets(key(fields::languages), text("ky")),
                                  sets(key(fields::languages), text("ru"))}),
          operation(op_id(2, 4), {sets(key(fields::place_name), text("Osh"))}),
          operation(op_id(3, 2),
                    {sets(key(fields::interviews, 1), text("a")), sets(key(fields::answer, 1), text("Ооба"))})};
}

core::RecordState state_in(std::initializer_list<int> order) {
  const auto operations = history();
  core::RecordState state;
  for (const int at : order)
    state.apply(operations[static_cast<std::size_t>(at)],
                stamp_of(operations[static_cast<std::size_t>(at)], static_cast<std::uint64_t>(at) + 1));
  return state;
}

// A write that replaces what has not arrived leaves it awaited.
core::RecordState state_that_awaits() {
  core::RecordState state;
  const auto late = operation(op_id(2, 5), {sets(key(fields::beds), integer(4), {value_id(1, 3), value_id(1, 4)})});
  state.apply(late, stamp_of(late, 9));
  REQUIRE(state.awaited.size() == 2);
  return state;
}

struct Wire {
  v1::RecordHead head;
  v1::RecordBody body;
  explicit Wire(const core::RecordState& state) {
    REQUIRE(head.ParseFromString(codec::encode_head(state)));
    REQUIRE(body.ParseFromString(codec::encode_body(state)));
  }
  [[nodiscard]] std::string_view verdict() const {
    const auto decoded = codec::decode_record(head.SerializeAsString(), body.SerializeAsString());
    return decoded ? std::string_view("read") : describe(decoded.error().code).name;
  }
};

}  // namespace

TEST_CASE("A record comes back as it went, and encodes to the same bytes again") {
  for (const core::RecordState& state : {state_in({0, 1, 2}), state_that_awaits(), state_in({0})}) {
    const auto encoded = codec::encode_record(state);
    const auto decoded = codec::decode_record(encoded.head, encoded.body);
    REQUIRE(decoded);
    CHECK((*decoded == state));
    CHECK((codec::encode_head(*decoded) == encoded.head));
    CHECK((codec::encode_body(*decoded) == encoded.body));
  }
}

TEST_CASE("Equal states are equal bytes, whatever the order of arrival") {
  const auto encoded = codec::encode_record(state_in({0, 1, 2}));
  for (const core::RecordState& state : {state_in({2, 1, 0}), state_in({1, 0, 2}), state_in({1, 2, 0})}) {
    CHECK((codec::encode_head(state) == encoded.head));
    CHECK((codec::encode_body(state) == encoded.body));
  }
}

TEST_CASE("The body depends on no clock, the head does") {
  core::RecordState early, late;
  for (const core::Operation& each : history()) {
    early.apply(each, stamp_of(each, 1, 100));
    late.apply(each, stamp_of(each, 8, 900));
  }
  CHECK((codec::encode_body(early) == codec::encode_body(late)));
  CHECK((codec::encode_head(early) != codec::encode_head(late)));
}

TEST_CASE("Ids of a wrong length are refused") {
  const core::RecordState state = state_in({0, 1, 2});
  Wire wire(state);
  wire.head.set_record("short");
  CHECK(wire.verdict() == "malformed_request");
  wire = Wire(state);
  wire.head.clear_scope();
  CHECK(wire.verdict() == "malformed_request");
  wire = Wire(state);
  wire.head.set_seen_device(0, "short");
  CHECK(wire.verdict() == "malformed_request");
  wire = Wire(state);
  wire.head.mutable_stamps(0)->set_author("short");
  CHECK(wire.verdict() == "malformed_request");
  wire = Wire(state);
  wire.body.mutable_entries(0)->set_item("short");
  CHECK(wire.verdict() == "malformed_request");
  Wire awaits(state_that_awaits());
  awaits.head.mutable_awaited(0)->set_device("short");
  CHECK(awaits.verdict() == "malformed_request");
  awaits = Wire(state_that_awaits());
  awaits.head.mutable_awaited(0)->set_item("short");
  CHECK(awaits.verdict() == "malformed_request");
}

TEST_CASE("A list that is not sorted is refused") {
  const core::RecordState state = state_in({0, 1, 2});
  Wire wire(state);
  wire.head.mutable_seen_device()->SwapElements(0, 1);
  CHECK(wire.verdict() == "malformed_request");
  wire = Wire(state);
  wire.head.mutable_stamps()->SwapElements(0, 1);
  CHECK(wire.verdict() == "malformed_request");
  wire = Wire(state);
  wire.body.mutable_entries()->SwapElements(0, 1);
  CHECK(wire.verdict() == "malformed_request");
  wire = Wire(state);
  wire.body.mutable_entries()->SwapElements(0, wire.body.entries_size() - 1);
  CHECK(wire.verdict() == "malformed_request");
  Wire awaits(state_that_awaits());
  awaits.head.mutable_awaited()->SwapElements(0, 1);
  CHECK(awaits.verdict() == "malformed_request");
}

TEST_CASE("A value that stands twice is refused") {
  Wire wire(state_in({0, 1, 2}));
  *wire.body.add_entries() = wire.body.entries(wire.body.entries_size() - 1);
  CHECK(wire.verdict() == "malformed_request");
}

TEST_CASE("What names something that is not there is refused") {
  const core::RecordState state = state_in({0, 1, 2});
  Wire wire(state);
  wire.body.mutable_entries(0)->set_stamp(3);
  CHECK(wire.verdict() == "malformed_request");
  wire = Wire(state);
  wire.head.mutable_stamps(2)->set_device(3);
  CHECK(wire.verdict() == "malformed_request");
  wire = Wire(state);
  wire.head.mutable_seen_counter()->RemoveLast();
  CHECK(wire.verdict() == "malformed_request");
}

TEST_CASE("A value that cannot be read makes the record unreadable") {
  Wire wire(state_in({0, 1, 2}));
  wire.body.mutable_entries(0)->mutable_value()->Clear();
  CHECK(wire.verdict() == "malformed_request");
}

TEST_CASE("A record cut short or with a bit flipped is refused or read, and never crashes") {
  const google::protobuf::LogSilencer silence;
  const auto encoded = codec::encode_record(state_in({0, 1, 2}));
  for (std::size_t size = 0; size < encoded.head.size(); ++size) {
    const auto decoded = codec::decode_record(encoded.head.substr(0, size), encoded.body);
    CHECK_FALSE(decoded);
  }
  for (std::size_t bit = 0; bit < 8 * encoded.head.size(); ++bit) {
    std::string head = encoded.head;
    head[bit / 8] = static_cast<char>(head[bit / 8] ^ (1 << (bit % 8)));
    // What is read can be written.
    if (const auto decoded = codec::decode_record(head, encoded.body))
      CHECK_FALSE(codec::encode_head(*decoded).empty());
  }
  for (std::size_t bit = 0; bit < 8 * encoded.body.size(); ++bit) {
    std::string body = encoded.body;
    body[bit / 8] = static_cast<char>(body[bit / 8] ^ (1 << (bit % 8)));
    if (const auto decoded = codec::decode_record(encoded.head, body))
      CHECK_FALSE(codec::encode_head(*decoded).empty());
  }
}

TEST_CASE("The changed fields bring an older copy to the newer state, and no other field is sent") {
  const core::RecordState older = state_in({0, 1, 2});
  core::RecordState newer = older;
  const auto edit =
      operation(op_id(2, 9), {sets(key(fields::place_name), text("Ош шаары"), {value_id(1, 1), value_id(2, 4)})});
  newer.apply(edit, stamp_of(edit, 4));
  const std::string changed = codec::encode_changed_fields(newer, 3);
  v1::ChangedFields wire;
  REQUIRE(wire.ParseFromString(changed));
  CHECK(wire.entries_size() == 1);
  const auto applied = codec::apply_changed_fields(older, codec::encode_head(newer), changed);
  REQUIRE(applied);
  CHECK((*applied == newer));
}

TEST_CASE("Changed fields that do not fit the copy are refused") {
  const core::RecordState older = state_in({0});
  core::RecordState newer = state_in({0, 1, 2});
  const auto edit =
      operation(op_id(1, 8), {sets(key(fields::languages), empty(), {value_id(1, 1), value_id(1, 1, 1)})});
  newer.apply(edit, stamp_of(edit, 4));
  // The copy's place name is by an operation that the new head still names; take it away.
  const auto gone =
      operation(op_id(1, 9), {sets(key(fields::place_name), text("x"), {value_id(1, 1), value_id(2, 4)})});
  newer.apply(gone, stamp_of(gone, 5));
  const auto applied =
      codec::apply_changed_fields(older, codec::encode_head(newer), codec::encode_changed_fields(newer, 5));
  REQUIRE_FALSE(applied);
  CHECK(applied.error().code == Errc::malformed_request);
}

TEST_CASE("Changed fields with a head that names an operation without a value are refused") {
  const core::RecordState older = state_in({0, 1, 2});
  core::RecordState newer = older;
  const auto edit = operation(op_id(2, 9), {sets(key(fields::place_name), text("Ош шаары"), {})});
  newer.apply(edit, stamp_of(edit, 4));
  // Taken up, it would be a record that this device itself cannot read any more.
  const auto applied = codec::apply_changed_fields(older, codec::encode_head(newer), {});
  REQUIRE_FALSE(applied);
  CHECK(applied.error().code == Errc::malformed_request);
}

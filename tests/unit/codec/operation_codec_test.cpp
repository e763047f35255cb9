#include "codec/operation_codec.h"

#include <catch2/catch.hpp>

#include "codec/wire_scan.h"
#include "fieldsync/v1/operation.pb.h"
#include "support/core_builders.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// One value of every kind.
std::vector<core::Value> all_kinds() {
  core::Attachment attachment;
  attachment.file.id.sha256.fill(7);
  attachment.file.size = 1'000'000;
  attachment.kind = core::AttachmentKind::photo;
  attachment.media_type = "image/jpeg";
  attachment.name = "Камера 4.jpg";
  attachment.preview = core::AttachmentFile{{{1, 2}}, 300};
  return {empty(),
          text("Камера 4"),
          integer(INT64_MIN),
          core::Value{-0.5},
          no(),
          choice("sizo"),
          date(-20'000),
          core::Value{core::Instant{-1}},
          core::Value{record(9)},
          core::Value{core::Position{429'000'000, -745'000'000}},
          core::Value{attachment},
          core::Value{core::LocalText{"ky", "Ош"}},
          core::Value{core::SealedValue{3, "ciphertext", {{"holder", "box"}}}},
          core::Value{core::Deletion{{{op_id(1, 4), op_id(2, 5)}}}}};
}

core::Operation sample() {
  std::vector<core::FieldWrite> writes;
  std::uint32_t field = 1;
  for (core::Value& value : all_kinds()) writes.push_back(sets(key(field++), std::move(value)));
  writes[1].replaces = {value_id(1, 6), value_id(2, 40, 3)};
  writes[2].key = key(3, 5);
  core::Operation made = operation(op_id(1, 7), std::move(writes), -5);
  made.origin = core::OperationOrigin::machine;
  return made;
}

Result<core::Operation> decode(const std::string& bytes, core::OperationId id = op_id(1, 7)) {
  std::size_t elements = 0;
  return codec::decode_operation(bytes, id, person(1), elements);
}

std::string_view verdict_on(const v1::Operation& wire) {
  const auto decoded = decode(wire.SerializeAsString());
  return decoded ? std::string_view("read") : describe(decoded.error().code).name;
}

v1::Operation wire_of(const core::Operation& made) {
  v1::Operation wire;
  REQUIRE(wire.ParseFromString(codec::encode_operation(made)));
  return wire;
}

v1::Operation small() { return wire_of(operation(op_id(1, 7), {sets(key(1), text("x"), {value_id(1, 3)})})); }

std::string list_of(std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) codec::append_to_list(list, "abc");
  return list;
}

}  // namespace

TEST_CASE("An operation with a value of every kind comes back as it went") {
  const auto decoded = decode(codec::encode_operation(sample()));
  REQUIRE(decoded);
  CHECK((*decoded == sample()));
}

TEST_CASE("Id and author are not in the bytes: they are the batch's and the device's") {
  const auto decoded = decode(codec::encode_operation(sample()), op_id(3, 50));
  REQUIRE(decoded);
  CHECK(decoded->id == op_id(3, 50));
  CHECK(decoded->author == person(1));
}

TEST_CASE("What replaces a value of its own future is refused") {
  v1::Operation wire = small();
  REQUIRE(verdict_on(wire) == "read");
  for (const std::uint64_t counter : {0U, 7U, 8U}) {
    wire.mutable_writes(0)->set_replaced_counter(0, counter);
    CHECK(verdict_on(wire) == "malformed_operation");
  }
}

TEST_CASE("Lists of replaced values that differ in length are refused") {
  v1::Operation wire = small();
  wire.mutable_writes(0)->add_replaced_counter(1);
  CHECK(verdict_on(wire) == "malformed_operation");
  wire = small();
  wire.mutable_writes(0)->add_replaced_place(1);
  CHECK(verdict_on(wire) == "read");
  wire.mutable_writes(0)->add_replaced_place(0);
  CHECK(verdict_on(wire) == "malformed_operation");
}

TEST_CASE("Ids that are not 16 bytes are refused, and an item that is none") {
  const std::string fifteen(15, 'a');
  v1::Operation wire = small();
  wire.set_record(fifteen);
  CHECK(verdict_on(wire) == "malformed_operation");
  wire = small();
  wire.set_scope(fifteen + "aa");
  CHECK(verdict_on(wire) == "malformed_operation");
  wire = small();
  wire.mutable_writes(0)->set_replaced_device(0, fifteen);
  CHECK(verdict_on(wire) == "malformed_operation");
  wire = small();
  wire.mutable_writes(0)->set_item(fifteen);
  CHECK(verdict_on(wire) == "malformed_operation");
  wire.mutable_writes(0)->set_item(std::string(16, '\0'));
  CHECK(verdict_on(wire) == "malformed_operation");
}

TEST_CASE("A value without a kind, and one that is not what its kind says, are refused") {
  v1::Operation wire = small();
  wire.mutable_writes(0)->mutable_value()->Clear();
  CHECK(verdict_on(wire) == "malformed_operation");
  wire.mutable_writes(0)->mutable_value()->set_empty(false);
  CHECK(verdict_on(wire) == "malformed_operation");
  wire.mutable_writes(0)->mutable_value()->set_reference("short");
  CHECK(verdict_on(wire) == "malformed_operation");
}

TEST_CASE("An attachment without a hash, a kind or its preview's hash is refused") {
  v1::Operation wire = small();
  v1::Attachment& attachment = *wire.mutable_writes(0)->mutable_value()->mutable_attachment();
  attachment.set_size(5);
  attachment.set_kind(v1::ATTACHMENT_KIND_PHOTO);
  CHECK(verdict_on(wire) == "malformed_operation");
  attachment.set_sha256(std::string(31, 'a'));
  CHECK(verdict_on(wire) == "malformed_operation");
  attachment.set_sha256(std::string(32, 'a'));
  CHECK(verdict_on(wire) == "read");
  attachment.mutable_preview()->set_size(1);
  CHECK(verdict_on(wire) == "malformed_operation");
  attachment.mutable_preview()->set_sha256(std::string(32, 'b'));
  CHECK(verdict_on(wire) == "read");
  attachment.set_kind(static_cast<v1::AttachmentKind>(4));
  CHECK(verdict_on(wire) == "malformed_operation");
  attachment.clear_kind();
  CHECK(verdict_on(wire) == "malformed_operation");
}

TEST_CASE("A deletion's list must be sorted and complete") {
  v1::Operation wire = small();
  v1::Deletion& deletion = *wire.mutable_writes(0)->mutable_value()->mutable_deletion();
  deletion.add_device(std::string(device(2).view()));
  CHECK(verdict_on(wire) == "malformed_operation");
  deletion.add_counter(1);
  CHECK(verdict_on(wire) == "read");
  deletion.add_device(std::string(device(1).view()));
  deletion.add_counter(1);
  CHECK(verdict_on(wire) == "malformed_operation");
}

TEST_CASE("A kind or origin that nobody knows is refused") {
  v1::Operation wire = small();
  wire.set_kind(static_cast<v1::OperationKind>(9));
  CHECK(verdict_on(wire) == "malformed_operation");
  wire = small();
  wire.set_origin(static_cast<v1::OperationOrigin>(9));
  CHECK(verdict_on(wire) == "malformed_operation");
}

TEST_CASE("An edition's digest and signature belong to what finalises, and come back as they went") {
  v1::Operation wire = small();
  wire.set_edition_digest(std::string(32, 'd'));
  CHECK(verdict_on(wire) == "malformed_operation");
  wire = small();
  wire.set_edition_signature(std::string(64, 's'));
  CHECK(verdict_on(wire) == "malformed_operation");
  wire.set_edition_digest(std::string(32, 'd'));
  CHECK(verdict_on(wire) == "malformed_operation");
  wire.set_kind(v1::OPERATION_KIND_FINALISE);
  const auto decoded = decode(wire.SerializeAsString());
  REQUIRE(decoded);
  CHECK((codec::encode_operation(*decoded) == wire.SerializeAsString()));
}

TEST_CASE("A former time in an operation is refused, whatever its kind") {
  v1::Operation wire = small();
  for (const auto kind : {v1::OPERATION_KIND_EDIT, v1::OPERATION_KIND_FINALISE}) {
    wire.set_kind(kind);
    wire.set_former_effective_time_ms(1);
    CHECK(verdict_on(wire) == "malformed_operation");
    wire.clear_former_effective_time_ms();
    CHECK(verdict_on(wire) == "read");
  }
}

TEST_CASE("A form's name is read only where it can be one") {
  v1::Operation wire = small();
  for (const std::string& name : {std::string(), std::string("Visit"), std::string("a b"), std::string(65, 'a')}) {
    wire.set_form(name);
    CHECK(verdict_on(wire) == "malformed_operation");
  }
  wire.set_form(std::string(64, 'a'));
  CHECK(verdict_on(wire) == "read");
}

TEST_CASE("The bytes of an operation are those that protobuf's own library writes") {
  const std::string bytes = codec::encode_operation(sample());
  v1::Operation wire;
  REQUIRE(wire.ParseFromString(bytes));
  CHECK((wire.SerializeAsString() == bytes));
}

TEST_CASE("Whatever bytes are read as an operation are the ones that it is written as") {
  const std::string bytes = codec::encode_operation(sample());
  int read = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int change : {1, 2, 8, 0x80, 0xFF}) {
      std::string altered = bytes;
      altered[at] = static_cast<char>(altered[at] ^ change);
      const auto decoded = decode(altered);
      if (!decoded) continue;
      ++read;
      CHECK((codec::encode_operation(*decoded) == altered));
    }
  }
  CHECK(read > 0);
}

TEST_CASE("All operations of a request share one budget of elements") {
  const std::string bytes = codec::encode_operation(sample());
  std::size_t one = 0;
  REQUIRE(codec::decode_operation(bytes, op_id(1, 7), person(1), one));
  std::size_t used = codec::request_limits.elements_max - one;
  CHECK(codec::decode_operation(bytes, op_id(1, 7), person(1), used));
  CHECK(used == codec::request_limits.elements_max);
  const auto over = codec::decode_operation(bytes, op_id(1, 7), person(1), used);
  REQUIRE_FALSE(over);
  CHECK(over.error().code == Errc::too_many_elements);
}

TEST_CASE("A list of 500 operations is split, one of 501 is refused") {
  const std::string list = list_of(500);
  const auto split = codec::split_list(list);
  REQUIRE(split);
  CHECK(split->size() == 500);
  CHECK(split->back() == "abc");
  const auto over = codec::split_list(list_of(501));
  REQUIRE_FALSE(over);
  CHECK(over.error().code == Errc::too_many_elements);
}

TEST_CASE("A list cut short at any byte, or with something else in it, is refused") {
  const std::string list = list_of(1);
  for (std::size_t size = 1; size < list.size(); ++size) {
    const auto split = codec::split_list(list.substr(0, size));
    REQUIRE_FALSE(split);
    CHECK(split.error().code == Errc::malformed_request);
  }
  CHECK_FALSE(codec::split_list("\x12\x01x"));
  CHECK_FALSE(codec::split_list(list + "\xff"));
}

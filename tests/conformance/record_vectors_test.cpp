// Records of the vectors: merged, written, read, changed and refused.
#include <algorithm>
#include <catch2/catch.hpp>

#include "codec/digest.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "core/field_view.h"
#include "vectors.h"

using namespace fieldsync;
using namespace fieldsync::conformance;

namespace {

struct Arrival {
  core::Operation operation;
  core::Stamp stamp;
};

Result<core::RecordState> read_record(const object& one) {
  return codec::decode_record(bytes_of(one, "head"), bytes_of(one, "body"));
}

std::string read_or_refused(const object& one) {
  const auto read = read_record(one);
  return read ? "none" : code_of(read.error());
}

void check_bytes(const core::RecordState& state, const object& one) {
  CHECK(core::to_hex(codec::encode_head(state)) == text_of(one, "head"));
  CHECK(core::to_hex(codec::encode_body(state)) == text_of(one, "body"));
}

Arrival arrival_of(const object& one) {
  const auto author = id_of<core::PersonId>(one, "author");
  std::size_t elements = 0;
  const auto operation = codec::decode_operation(
      bytes_of(one, "bytes"), {id_of<core::DeviceId>(one, "device"), counter_of(one, "counter")}, author, elements);
  REQUIRE(operation);
  return {*operation,
          {author,
           operation->claimed,
           {integer_of(one, "effective")},
           {integer_of(one, "received")},
           counter_of(one, "seq"),
           operation->origin == core::OperationOrigin::machine}};
}

std::string hash_of(const core::RecordState& state) {
  const auto [head, body] = codec::encode_record(state);
  std::string bytes;
  const std::uint64_t hash = codec::hash_record(head, codec::hash_bytes(body));
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(hash >> shift);
  return core::to_hex(bytes);
}

void check_shown(const core::RecordState& state, const object& expected) {
  const auto number = boost::json::value_to<std::uint32_t>(expected.at("field"));
  const core::FormField* field = form().find(number);
  REQUIRE(field != nullptr);
  const core::FieldView view = core::view_field(state, {id_of<core::ItemId>(expected, "item"), number}, field);
  std::vector<core::Value> shown, wanted;
  for (const auto& value : view.shown) shown.push_back(value.value);
  for (const auto& value : expected.at("values").as_array()) wanted.push_back(value_of(value.as_object()));
  if (field->policy == core::MergePolicy::set) {
    std::sort(shown.begin(), shown.end());
    std::sort(wanted.begin(), wanted.end());
  }
  INFO("field " << number);
  CHECK((shown == wanted));
  CHECK(view.conflict == expected.at("conflict").as_bool());
}

void check_state(const core::RecordState& state, const object& one) {
  check_bytes(state, one);
  CHECK(hash_of(state) == text_of(one, "hash"));
  for (const auto& shown : one.at("shown").as_array()) check_shown(state, shown.as_object());
  CHECK(state.hidden() == one.at("hidden").as_bool());
  for (const core::ItemId& item : state.items()) {
    const auto& hidden = one.at("hidden_items").as_array();
    const bool expected = std::find(hidden.begin(), hidden.end(), boost::json::value(item.hex())) != hidden.end();
    CHECK(state.item_hidden(item) == expected);
  }
}

}  // namespace

TEST_CASE("The vectors' operations merge to the same bytes in every order") {
  each_case(
      "merges",
      [](const object& one) {
        std::vector<Arrival> arrivals;
        for (const auto& operation : one.at("operations").as_array())
          arrivals.push_back(arrival_of(operation.as_object()));
        for (const auto& order : one.at("orders").as_array()) {
          core::RecordState state;
          for (const auto& place : order.as_array()) {
            const Arrival& next = arrivals[boost::json::value_to<std::size_t>(place)];
            state.apply(next.operation, next.stamp);
          }
          INFO("in the order " << order);
          check_state(state, one);
        }
        const auto read = read_record(one);
        REQUIRE(read);
        check_bytes(*read, one);
      },
      read_or_refused);
}

TEST_CASE("The vectors' records are read and written the same, or are refused") {
  each_case(
      "records",
      [](const object& one) {
        const auto read = read_record(one);
        REQUIRE(read);
        check_bytes(*read, one);
      },
      read_or_refused);
}

TEST_CASE("The vectors' changed fields make the new record of the old one") {
  each_case(
      "changed_fields",
      [](const object& one) {
        const auto before = read_record(one.at("before").as_object());
        REQUIRE(before);
        const auto after = codec::apply_changed_fields(*before, bytes_of(one, "head"), bytes_of(one, "changed"));
        REQUIRE(after);
        check_bytes(*after, one);
        CHECK(core::to_hex(codec::encode_changed_fields(*after, 2)) == text_of(one, "changed"));
      },
      [](const object&) { return "none"; });
}

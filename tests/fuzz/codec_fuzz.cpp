// codec_fuzz.cpp: operations, records, changed fields, lists and frames. What is
// read is written as the same bytes; what was read can be looked at.
#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "core/field_view.h"
#include "fuzz/input.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

constexpr std::size_t frame_content_bytes_max = 1024 * 1024;

core::OperationId some_operation() {
  core::DeviceId device;
  device.bytes.fill('d');
  return {device, 7};
}

void try_operation(std::string_view bytes) {
  std::size_t elements = 0;
  const auto operation = codec::decode_operation(bytes, some_operation(), {}, elements);
  if (operation) must_hold(codec::encode_operation(*operation) == bytes, "an operation has one encoding");
}

void look_at(const core::RecordState& state) {
  for (const core::FieldState& field : state.fields) {
    must_hold(state.shown_order(field.key).size() == field.siblings.size(), "every value is shown");
    static_cast<void>(core::view_field(state, field.key, nullptr));
  }
  static_cast<void>(state.hidden());
  static_cast<void>(state.contested_deletions());
  for (const core::ItemId& item : state.items()) static_cast<void>(state.contested_item_deletions(item));
  static_cast<void>(core::open_conflicts(state, nullptr));
}

void try_changed_fields(const core::RecordState& state, std::string_view head, std::string_view fields) {
  const auto merged = codec::apply_changed_fields(state, head, fields);
  if (!merged) return;
  const codec::EncodedRecord encoded = codec::encode_record(*merged);
  must_hold(encoded.head == head, "the head is the one that came with the fields");
  must_hold(static_cast<bool>(codec::decode_record(encoded.head, encoded.body)), "a merged record can be read");
  look_at(*merged);
}

void try_record(fuzz::Input& input) {
  const std::string_view head = input.chunk();
  const std::string_view body = input.chunk();
  const auto state = codec::decode_record(head, body);
  if (!state) return;
  const codec::EncodedRecord encoded = codec::encode_record(*state);
  must_hold(encoded.head == head && encoded.body == body, "a record has one encoding");
  look_at(*state);
  const std::uint64_t cursor = input.number();
  try_changed_fields(*state, head, codec::encode_changed_fields(*state, cursor));
  const std::string_view next_head = input.chunk();
  try_changed_fields(*state, next_head, input.rest());
}

void try_list(std::string_view bytes) {
  const auto operations = codec::split_list(bytes);
  if (!operations) return;
  std::string list;
  for (const std::string_view operation : *operations) codec::append_to_list(list, operation);
  must_hold(list.size() <= bytes.size(), "a list is no longer than its bytes");
  const auto again = codec::split_list(list);
  must_hold(again && again->size() == operations->size(), "a list that is written is read");
}

void try_frame(std::string_view bytes) {
  static codec::FrameReader reader;
  static codec::FrameWriter writer;
  const auto content = reader.decompress(bytes, frame_content_bytes_max);
  if (!content) return;
  must_hold(content->size() <= frame_content_bytes_max, "a frame's content has its limit");
  const auto again = reader.decompress(writer.compress(*content), frame_content_bytes_max);
  must_hold(again && *again == *content, "what is compressed comes out the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.below(4)) {
    case 0: try_operation(input.rest()); break;
    case 1: try_record(input); break;
    case 2: try_list(input.rest()); break;
    default: try_frame(input.rest()); break;
  }
  return 0;
}

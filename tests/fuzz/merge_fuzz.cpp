// merge_fuzz.cpp: the laws of the merge, over histories that no honest team would write.
#include <algorithm>
#include <array>
#include <vector>

#include "codec/record_codec.h"
#include "core/field_view.h"
#include "core/record_state.h"
#include "fuzz/made_operations.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

constexpr std::size_t operations_max = 24;

struct Stamped {
  core::Operation operation;
  core::Stamp stamp;
};
using History = std::array<std::vector<Stamped>, fuzz::device_count>;

History make_history(fuzz::Input& input) {
  History history;
  for (std::uint64_t seq = 1; seq <= operations_max && !input.is_empty(); ++seq) {
    const std::uint32_t device = input.below(fuzz::device_count);
    const std::uint64_t counter = history[device].size() + 1;
    core::Operation operation = fuzz::make_operation(input, {fuzz::made_device(device), counter}, fuzz::made_record(0));
    operation.scope.bytes.fill('s');
    operation.form = "visit";
    const core::Stamp stamp{operation.author, operation.claimed, operation.claimed, {0}, seq, false};
    history[device].push_back({std::move(operation), stamp});
  }
  return history;
}

// Each device's operations in their order, the devices' as `next_device` says.
template <typename NextDevice>
core::RecordState merge(const History& history, const NextDevice& next_device) {
  core::RecordState state;
  std::array<std::size_t, fuzz::device_count> at{};
  std::size_t left = 0;
  for (const auto& operations : history) left += operations.size();
  while (left > 0) {
    std::uint32_t device = next_device();
    while (at[device] == history[device].size()) device = (device + 1) % fuzz::device_count;
    const Stamped& next = history[device][at[device]++];
    must_hold(state.apply(next.operation, next.stamp), "a new operation is taken up");
    --left;
  }
  return state;
}

void check_canonical(const core::RecordState& state) {
  const codec::EncodedRecord encoded = codec::encode_record(state);
  const auto decoded = codec::decode_record(encoded.head, encoded.body);
  must_hold(decoded && *decoded == state, "a merged record is read as it was written");
}

void check_views(const core::RecordState& state) {
  for (const core::FieldState& field : state.fields) {
    must_hold(!field.siblings.empty(), "a field without values is not kept");
    must_hold(!core::view_field(state, field.key, nullptr).shown.empty() || field.key.field == core::existence_field ||
                  std::all_of(field.siblings.begin(), field.siblings.end(),
                              [](const auto& sibling) { return std::holds_alternative<core::Empty>(sibling.value); }),
              "a value that nobody replaced is shown");
  }
  must_hold(!state.hidden() || state.contested_deletions().empty(), "what is hidden is not contested");
  for (const core::ItemId& item : state.items()) {
    must_hold(!state.item_hidden(item) || state.contested_item_deletions(item).empty(), "nor is an item");
  }
  static_cast<void>(core::open_conflicts(state, nullptr));
}

// A device that holds what was written up to `cursor` gets the head and the fields
// that changed after `sent_after`: too few, where that is later.
void check_changed_fields(const History& history, const core::RecordState& whole, std::uint64_t cursor,
                          std::uint64_t sent_after) {
  core::RecordState known;
  for (std::uint64_t seq = 1; seq <= cursor; ++seq) {
    for (const auto& operations : history) {
      for (const Stamped& stamped : operations) {
        if (stamped.stamp.seq == seq) known.apply(stamped.operation, stamped.stamp);
      }
    }
  }
  if (known.id.is_none()) return;
  const auto merged =
      codec::apply_changed_fields(known, codec::encode_head(whole), codec::encode_changed_fields(whole, sent_after));
  if (merged) check_canonical(*merged);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint64_t order = input.wide_number();
  const History history = make_history(input);
  const core::RecordState one_after_another = merge(history, [] { return 0u; });
  std::uint64_t chance = order;
  core::RecordState mixed = merge(history, [&] {
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(chance >> 33) % static_cast<std::uint32_t>(fuzz::device_count);
  });
  must_hold(mixed == one_after_another, "the order of the devices does not matter");
  for (const auto& operations : history) {
    for (const Stamped& stamped : operations) {
      must_hold(!mixed.apply(stamped.operation, stamped.stamp), "an operation counts once");
    }
  }
  must_hold(mixed == one_after_another, "an operation that comes again changes nothing");
  if (mixed.id.is_none()) return 0;
  check_canonical(mixed);
  check_views(mixed);
  const std::uint64_t cursor = order % operations_max;
  check_changed_fields(history, mixed, cursor, cursor + order / operations_max % 3);
  return 0;
}

#include "fuzz/made_operations.h"

#include <algorithm>
#include <limits>

namespace fieldsync::fuzz {
namespace {

constexpr std::uint32_t fields = 7;  // two more than the form has
constexpr std::uint32_t items = 3;
constexpr std::uint32_t counters = 6;

template <typename Id>
Id made_id(char kind, std::uint32_t number) {
  Id id;
  id.bytes.fill(static_cast<std::uint8_t>(kind));
  id.bytes.back() = static_cast<std::uint8_t>(number);
  return id;
}

core::Deletion make_deletion(Input& input) {
  core::Deletion deletion;
  for (std::uint32_t device = 0; device < device_count; ++device) {
    const std::uint64_t counter = input.below(counters);
    if (counter > 0) deletion.seen.add({made_device(device), counter});
  }
  return deletion;
}

// Letters: what is not text is refused before it is merged.
std::string make_text(Input& input, std::uint32_t below) {
  std::string text(input.bytes(input.below(below)));
  for (char& letter : text) letter = static_cast<char>('a' + static_cast<std::uint8_t>(letter) % 26);
  return text;
}

core::Value make_value(Input& input) {
  switch (input.below(12)) {
    case 0: return core::Empty{};
    case 1: return static_cast<std::int64_t>(input.number()) - 100;
    case 2: return std::numeric_limits<std::int64_t>::max() - static_cast<std::int64_t>(input.byte());
    case 3: return static_cast<double>(input.number()) / 8;
    case 4: return input.below(2) == 1;
    case 5: return core::Choice{make_text(input, 9)};
    case 6: return core::Date{static_cast<std::int32_t>(input.number())};
    case 7: return made_record(input.below(4));
    case 8: return core::LocalText{"ky", make_text(input, 9)};
    case 9: return core::SealedValue{input.byte(), std::string(input.bytes(input.below(9))), {}};
    default: return make_text(input, 20);
  }
}

std::vector<core::ValueId> make_replaced(Input& input) {
  std::vector<core::ValueId> replaced;
  for (std::uint32_t left = input.below(4); left > 0; --left) {
    const std::uint64_t counter = 1 + input.below(counters);
    replaced.push_back({{made_device(input.below(device_count)), counter}, input.below(3)});
  }
  return replaced;
}

}  // namespace

core::DeviceId made_device(std::uint32_t number) { return made_id<core::DeviceId>('d', number); }
core::RecordId made_record(std::uint32_t number) { return made_id<core::RecordId>('r', number); }

core::Operation make_operation(Input& input, const core::OperationId& id, const core::RecordId& record) {
  core::Operation operation;
  operation.id = id;
  operation.record = record;
  operation.origin = input.below(8) == 0 ? core::OperationOrigin::machine : core::OperationOrigin::person;
  operation.author = made_id<core::PersonId>('p', id.device.bytes.back());
  operation.claimed = {static_cast<std::int64_t>(input.wide_number())};
  for (std::uint32_t left = 1 + input.below(6); left > 0; --left) {
    core::FieldWrite write;
    const std::uint32_t item = input.below(items);
    if (item > 0) write.key.item = made_id<core::ItemId>('i', item);
    write.key.field = input.below(fields);
    write.value = write.key.field == core::existence_field ? core::Value{make_deletion(input)} : make_value(input);
    write.replaces = make_replaced(input);
    operation.writes.push_back(std::move(write));
  }
  // As the encoding wants it: the writes of one field stand together.
  std::stable_sort(operation.writes.begin(), operation.writes.end(),
                   [](const auto& left, const auto& right) { return left.key < right.key; });
  return operation;
}

}  // namespace fieldsync::fuzz

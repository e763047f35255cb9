#include "sim/counts.h"

#include <algorithm>

namespace fieldsync::sim {
namespace {

const core::FieldWrite* write_of(const Book& book, const core::FieldKey& key, std::uint64_t counter) {
  for (const core::FieldWrite& write : book.saved.at(counter - 1).operation.writes) {
    if (write.key == key) return &write;
  }
  return nullptr;
}

std::vector<std::uint64_t> own_named(const Book& book, const core::FieldWrite& write) {
  std::vector<std::uint64_t> counters;
  for (const core::ValueId& named : write.replaces) {
    if (named.operation.device == book.device) counters.push_back(named.operation.counter);
  }
  return counters;
}

}  // namespace

bool is_part_of(const Book& book, const core::FieldKey& key, std::uint64_t earlier, std::uint64_t later) {
  if (earlier == later) return true;
  const core::FieldWrite* write = write_of(book, key, later);
  if (write == nullptr) return false;
  const auto named = own_named(book, *write);
  return std::any_of(named.begin(), named.end(),
                     [&](std::uint64_t counter) { return is_part_of(book, key, earlier, counter); });
}

std::int64_t counted_before(const Book& book, const core::FieldWrite& write) {
  const auto named = own_named(book, write);
  std::int64_t sum = 0;
  for (const std::uint64_t counter : named) {
    const core::FieldWrite* count = write_of(book, write.key, counter);
    const auto* value = count == nullptr ? nullptr : std::get_if<std::int64_t>(&count->value);
    const bool held = std::any_of(named.begin(), named.end(), [&](std::uint64_t other) {
      return other != counter && is_part_of(book, write.key, counter, other);
    });
    if (value != nullptr && !held) sum += *value;
  }
  return sum;
}

}  // namespace fieldsync::sim

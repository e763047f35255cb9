// counts.h: what a device's counts hold, from the books.
#pragma once

#include "sim/book.h"

namespace fieldsync::sim {

// Whether the later one was counted over the earlier one, perhaps over others between them.
[[nodiscard]] bool is_part_of(const Book& book, const core::FieldKey& key, std::uint64_t earlier, std::uint64_t later);

// What the device had counted in all that its write names.
[[nodiscard]] std::int64_t counted_before(const Book& book, const core::FieldWrite& write);

}  // namespace fieldsync::sim

// text_compare.h: whether two texts are the same to a person.
#pragma once

#include <string_view>

namespace fieldsync::cli {

// Compares in NFC and without regard to case. Text that is not UTF-8 is the same
// as nothing.
[[nodiscard]] bool same_text(std::string_view left, std::string_view right);

}  // namespace fieldsync::cli

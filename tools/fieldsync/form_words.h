// form_words.h: the names of a form's types and policies, as its author writes them.
#pragma once

#include <string_view>

#include "core/form.h"

namespace fieldsync::cli {

[[nodiscard]] std::string_view type_word(core::FieldType type);
[[nodiscard]] std::string_view policy_word(core::MergePolicy policy);
[[nodiscard]] std::string_view confidentiality_word(core::Confidentiality confidentiality);

}  // namespace fieldsync::cli

// search_text.h: text made comparable: NFC and case-folded (Unicode, by utf8proc).
#pragma once

#include <string>
#include <string_view>

namespace fieldsync::api {

[[nodiscard]] std::string fold(std::string_view text);

}  // namespace fieldsync::api

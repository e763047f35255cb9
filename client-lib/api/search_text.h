// search_text.h: text made comparable: NFC and case-folded (Unicode, by utf8proc).
#pragma once

#include <string>
#include <string_view>

namespace fieldsync::api {

// Text that is not UTF-8 as it is.
[[nodiscard]] std::string fold(std::string_view text);
void append_folded(std::string& to, std::string_view text);

}  // namespace fieldsync::api

// form_codec.h: forms as proto text (as people write them) and as bytes (as they travel).
#pragma once

#include <string>
#include <string_view>

#include "core/form.h"
#include "core/result.h"

namespace fieldsync::v1 {
class Form;
}

namespace fieldsync::codec {

struct ParsedForm {
  core::Form form;
  std::string bytes;  // as it is stored and sent: what our types do not hold is in it too
};

// Reads and checks a form in proto text format; the error names line and column.
[[nodiscard]] Result<ParsedForm> parse_form_text(std::string_view text);

[[nodiscard]] Result<core::Form> decode_form(std::string_view bytes);
[[nodiscard]] Result<core::Form> decode_form(const v1::Form& wire);

}  // namespace fieldsync::codec

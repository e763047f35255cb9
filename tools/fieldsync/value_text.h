// value_text.h: one value as a person types and reads it, by the type of its field.
//
//   text          as it is                     Cell 4 has no window.
//   local_text    language:text                ky:Ош ТКИ
//   integer       digits                       120
//   number        with a decimal point         3.5
//   boolean       yes, no, true, false         yes
//   choice        code, or label in any        ivs
//                 language
//   date          year-month-day               2026-11-24
//   instant       RFC 3339                     2026-11-24T16:00+06:00
//   position      degrees: latitude,longitude  42.8746,74.5698
//   reference     first digits of a record id  1a2b3c4d
//   attachment    is shown, not typed           cell.jpg (photo, 1.2 MB)
//
// What value_text() writes, parse_value() reads as the same value, but for the
// titles of referenced records and for values that nobody types (attachments, sealed ones).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/form.h"
#include "core/result.h"
#include "core/value.h"

namespace fieldsync::cli {

// The record whose id begins with some digits.
using FindRecord = std::function<Result<core::RecordId>(std::string_view prefix)>;
// What a person calls a record.
using TitleOf = std::function<std::string(const core::RecordId&)>;

// wrong_value_type, value_out_of_range; what find_record says. The form's own
// limits are checked when the value is set. A reference in full, 32 digits, may
// point to a record that is not on this device yet.
[[nodiscard]] Result<core::Value> parse_value(const core::FormField& field, std::string_view text,
                                              const FindRecord& find_record);

// For whom a value is written.
struct Reader {
  std::string language;
  TitleOf title_of;
};

// `field` is null where the form does not know it. Not yet safe for a terminal.
[[nodiscard]] std::string value_text(const core::Value& value, const core::FormField* field, const Reader& reader);

// "photo": stable, for programs too.
[[nodiscard]] std::string_view attachment_kind_name(core::AttachmentKind kind);
// "1.2 MB", in powers of 1000.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// The first eight digits of an id: enough to tell records apart on a screen.
template <typename Tag>
[[nodiscard]] std::string short_id(const core::Id<Tag>& id) {
  return id.hex().substr(0, 8);
}

}  // namespace fieldsync::cli

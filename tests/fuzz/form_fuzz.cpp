// form_fuzz.cpp: forms, as text that people write and as bytes that travel.
#include <google/protobuf/stubs/logging.h>

#include "codec/form_codec.h"
#include "core/operation.h"
#include "core/validation.h"
#include "fuzz/input.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

void check_accepted(const core::Form& form) {
  must_hold(static_cast<bool>(core::check_form(form)), "a form that is read is a sound one");
  must_hold(!core::check_succession(form, form), "a form does not follow itself");
  core::Form next = form;
  ++next.version;
  must_hold(next.version == 0 || core::check_succession(form, next), "its next version may be the same");
  for (const core::FormField& field : form.fields) {
    must_hold(form.find(field.number) == &field && form.find(field.name) == &field, "a field is found");
    static_cast<void>(core::label_in(field.labels, "ky", field.name));
    for (const core::Value& value : {core::Value{core::Empty{}}, core::Value{std::string("a")}, core::Value{1.5},
                                     core::Value{std::int64_t{-1}}, core::Value{core::Choice{"yes"}}}) {
      static_cast<void>(core::check_value(value, &field));
    }
  }
}

void try_succession(std::string_view bytes, const core::Form& next) {
  const auto current = codec::decode_form(bytes);
  if (current && core::check_succession(*current, next)) {
    for (const core::FormField& field : current->fields) {
      const core::FormField* kept = next.find(field.number);
      must_hold(kept != nullptr && kept->type == field.type && kept->policy == field.policy, "a form only adds");
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  google::protobuf::SetLogHandler(nullptr);
  fuzz::Input input(data, size);
  if (input.below(2) == 0) {
    const auto parsed = codec::parse_form_text(input.rest());
    if (!parsed) return 0;
    check_accepted(parsed->form);
    must_hold(static_cast<bool>(codec::decode_form(parsed->bytes)), "a form that was imported reaches devices");
    return 0;
  }
  const std::string_view bytes = input.chunk();
  const auto form = codec::decode_form(bytes);
  if (!form) return 0;
  check_accepted(*form);
  try_succession(input.rest(), *form);
  return 0;
}

#include "codec/form_codec.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <algorithm>

#include "fieldsync/v1/form.pb.h"

namespace fieldsync::codec {
namespace {

using core::Form;
using core::FormField;

class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& text) override {
    if (!message.empty()) return;
    message = "line " + std::to_string(line + 1) + ", column " + std::to_string(column + 1) + ": " + text;
  }
  std::string message;
};

template <typename Wire>
std::vector<core::Label> decode_labels(const Wire& wire) {
  std::vector<core::Label> labels;
  for (const v1::Label& label : wire) labels.push_back({label.language(), label.text()});
  return labels;
}

FormField decode_field(const v1::Field& wire) {
  FormField field;
  field.number = wire.number();
  field.name = wire.name();
  // Enumerators of core and wire have the same numbers; check_form refuses others.
  field.type = static_cast<core::FieldType>(wire.type());
  field.policy = static_cast<core::MergePolicy>(wire.policy());
  field.confidentiality = static_cast<core::Confidentiality>(wire.confidentiality());
  field.labels = decode_labels(wire.labels());
  for (const v1::Choice& choice : wire.choices())
    field.choices.push_back({choice.code(), decode_labels(choice.labels())});
  field.group = wire.group();
  field.required = wire.required();
  if (wire.has_range()) field.range = core::Range{wire.minimum(), wire.maximum()};
  field.maximum_characters = wire.maximum_characters();
  field.refers_to = wire.refers_to();
  field.in_title = wire.in_title();
  return field;
}

bool enumerators_known(const v1::Field& field) {
  return v1::FieldType_IsValid(field.type()) && field.type() != v1::FIELD_TYPE_UNSPECIFIED &&
         v1::MergePolicy_IsValid(field.policy()) && v1::Confidentiality_IsValid(field.confidentiality()) &&
         field.confidentiality() != v1::CONFIDENTIALITY_UNSPECIFIED;
}

}  // namespace

Result<Form> decode_form(const v1::Form& wire) {
  Form form;
  form.name = wire.name();
  form.version = wire.version();
  form.labels = decode_labels(wire.labels());
  form.help = decode_labels(wire.help());
  form.reference_data = wire.reference_data();
  form.part_of = wire.part_of();
  for (const v1::Field& field : wire.fields()) {
    if (!enumerators_known(field)) {
      return Error{Errc::malformed_request, "Form '" + form.name + "': field '" + field.name() +
                                                "' needs a known type, merge policy and confidentiality."};
    }
    form.fields.push_back(decode_field(field));
  }
  std::stable_sort(form.fields.begin(), form.fields.end(),
                   [](const FormField& left, const FormField& right) { return left.number < right.number; });
  if (auto checked = core::check_form(form); !checked) return checked.error();
  return form;
}

Result<Form> decode_form(std::string_view bytes) {
  // On an arena: without memory protobuf loses what it allocates one by one.
  google::protobuf::Arena arena;
  auto& wire = *google::protobuf::Arena::CreateMessage<v1::Form>(&arena);
  if (!wire.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error{Errc::malformed_request, "The form could not be read."};
  }
  return decode_form(wire);
}

Result<ParsedForm> parse_form_text(std::string_view text) {
  FirstError first;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&first);
  v1::Form wire;
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  if (!parser.Parse(&stream, &wire))
    return Error{Errc::malformed_request, "The form could not be read: " + first.message};
  auto form = decode_form(wire);
  if (!form) return form.error();
  std::string bytes = wire.SerializeAsString();
  // The text format lets any bytes be text; a device's parser does not, and would
  // refuse every reply that holds them.
  if (!decode_form(bytes))
    return Error{Errc::invalid_text, "The form holds text that is not UTF-8. Save the file as UTF-8."};
  return ParsedForm{std::move(*form), std::move(bytes)};
}

}  // namespace fieldsync::codec

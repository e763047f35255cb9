#include "fieldsync/json_output.h"

#include <array>
#include <boost/json/serialize.hpp>
#include <cinttypes>
#include <cstdio>

#include "fieldsync/calendar.h"
#include "fieldsync/field_path.h"
#include "fieldsync/form_words.h"
#include "fieldsync/json_value.h"

namespace fieldsync::cli {
namespace {

std::string_view name_of(CertificateFlaw flaw) {
  switch (flaw) {
    case CertificateFlaw::none: return "none";
    case CertificateFlaw::ended: return "ended";
    case CertificateFlaw::not_begun: return "not_begun";
    case CertificateFlaw::other_name: return "other_name";
  }
  return "none";
}

namespace json = boost::json;

json::object labels_json(const std::vector<core::Label>& labels) {
  json::object object;
  for (const core::Label& label : labels) object[label.language] = label.text;
  return object;
}

json::array choices_json(const core::FormField& field) {
  json::array choices;
  for (const core::FormChoice& choice : field.choices) {
    choices.push_back(json::object{{"code", choice.code}, {"labels", labels_json(choice.labels)}});
  }
  return choices;
}

json::object field_json(const core::Form& form, const core::FormField& field) {
  json::object object{{"name", field.name},
                      {"number", field.number},
                      {"type", type_word(field.type)},
                      {"policy", policy_word(field.policy)},
                      {"confidentiality", confidentiality_word(field.confidentiality)},
                      {"labels", labels_json(field.labels)},
                      {"required", field.required},
                      {"in_title", field.in_title}};
  if (const core::FormField* group = form.find(field.group)) object["group"] = group->name;
  if (!field.choices.empty()) object["choices"] = choices_json(field);
  if (!field.refers_to.empty()) object["refers_to"] = field.refers_to;
  if (field.range) object["range"] = json::array{field.range->minimum, field.range->maximum};
  if (field.maximum_characters != 0) object["maximum_characters"] = field.maximum_characters;
  return object;
}

json::value person_json(const core::PersonId& person, Wording& wording) {
  if (person.is_none()) return nullptr;
  return json::object{{"id", person.hex()}, {"name", wording.person(person)}};
}

// A sum has neither one author nor one time.
json::value time_json(const ShownValue& shown, core::Instant time) {
  if (shown.author.is_none()) return nullptr;
  return json::string(rfc3339(time));
}

json::object shown_value_json(const ShownValue& shown, Wording& wording) {
  return {{"value", value_json(shown.value)},
          {"author", person_json(shown.author, wording)},
          {"claimed", time_json(shown, shown.claimed)},
          {"effective", time_json(shown, shown.effective)},
          {"unsent", shown.unsent}};
}

json::array shown_values_json(const std::vector<ShownValue>& values, Wording& wording) {
  json::array array;
  for (const ShownValue& shown : values) array.push_back(shown_value_json(shown, wording));
  return array;
}

json::object shown_field_json(const ShownField& field, Wording& wording) {
  json::object object{
      {"field", field.name}, {"conflict", field.conflict}, {"values", shown_values_json(field.values, wording)}};
  if (!field.item.is_none()) object["item"] = field.item.hex();
  return object;
}

std::string_view progress_code(Progress progress) {
  return progress == Progress::saved_here ? "saved_here" : progress_words(progress);
}

}  // namespace

json::object form_json(const core::Form& form) {
  json::array fields;
  for (const core::FormField& field : form.fields) fields.push_back(field_json(form, field));
  return {{"name", form.name},
          {"version", form.version},
          {"labels", labels_json(form.labels)},
          {"help", labels_json(form.help)},
          {"reference_data", form.reference_data},
          {"fields", std::move(fields)}};
}

json::object scope_json(const ScopeInfo& scope) {
  return {{"id", scope.id.hex()},
          {"name", scope.name},
          {"role", scope.role},
          {"records", scope.records},
          {"digest", digest_hex(scope.digest)}};
}

json::object record_json(const RecordView& record, Wording& wording) {
  json::array fields;
  for (const ShownField& field : record.fields) fields.push_back(shown_field_json(field, wording));
  json::array deleters;
  for (const core::PersonId& person : record.deleted_while_edited) deleters.push_back(person_json(person, wording));
  return {{"id", record.id.hex()},
          {"scope", record.scope.hex()},
          {"form", record.form},
          {"title", wording.title(record)},
          {"deleted", record.deleted},
          {"deleted_while_edited", std::move(deleters)},
          {"progress", progress_code(record.progress)},
          {"changed", rfc3339(record.changed)},
          {"fields", std::move(fields)}};
}

json::object conflict_json(const Conflict& conflict, Wording& wording) {
  json::object object{{"record", conflict.record.hex()},
                      {"form", conflict.form},
                      {"title", wording.title(conflict.record)},
                      {"field", path_text(wording.form(conflict.form), conflict.item, conflict.field_name)},
                      {"values", shown_values_json(conflict.values, wording)}};
  if (!conflict.item.is_none()) object["item"] = conflict.item.hex();
  return object;
}

json::object identity_json(const Identity& identity) {
  json::object object{{"device", identity.device.hex()}, {"enrolled", identity.enrolled}};
  if (!identity.enrolled) return object;
  object["person"] = json::object{{"id", identity.person.hex()}, {"name", identity.person_name}};
  object["server"] = identity.server;
  return object;
}

json::object history_json(const HistoryStatus& history) {
  json::array set_back;
  for (const HistorySetBack& time : history.set_back) {
    set_back.push_back(json::object{{"at", rfc3339(time.at)},
                                    {"entries_gone", time.entries_gone},
                                    {"checkpoint_before", time.checkpoint_before},
                                    {"checkpoint_after", time.checkpoint_after}});
  }
  return {{"fingerprint", history.fingerprint},
          {"entries", history.entries},
          {"checkpoint", history.checkpoint},
          {"set_back", std::move(set_back)}};
}

json::object status_json(const Status& status) {
  json::object object{{"saved_here", status.saved_here},
                      {"sent", status.sent},
                      {"durable", status.durable},
                      {"refused", status.refused},
                      {"attachments_waiting", status.attachments_waiting},
                      {"attachment_bytes_waiting", status.attachment_bytes_waiting},
                      {"safe_to_erase", status.safe_to_erase},
                      {"conflicts", status.open_conflicts},
                      {"records", status.records},
                      {"last_sync", nullptr}};
  if (status.last_sync) object["last_sync"] = rfc3339(*status.last_sync);
  object["history"] = history_json(status.history);
  return object;
}

json::object refused_json(const RefusedOperation& operation) {
  return {{"operation", operation_json(operation.operation)},
          {"record", operation.record.hex()},
          {"code", operation.code},
          {"message", operation.message}};
}

json::object report_json(const SyncReport& report) {
  return {{"requests", report.requests},
          {"operations_acknowledged", report.operations_acknowledged},
          {"operations_refused", report.operations_refused},
          {"records_received", report.records_received},
          {"body_bytes_up", report.body_bytes_up},
          {"body_bytes_down", report.body_bytes_down},
          {"wire_bytes_up", report.wire_bytes_up},
          {"wire_bytes_down", report.wire_bytes_down},
          {"attachment_bytes_up", report.attachment_bytes_up},
          {"attachment_bytes_down", report.attachment_bytes_down},
          {"revoked", report.revoked},
          {"history_set_back", report.history_set_back},
          {"certificate_flaw", name_of(report.certificate_flaw)}};
}

json::object operation_json(const core::OperationId& operation) {
  return {{"device", operation.device.hex()}, {"counter", operation.counter}};
}

std::string digest_hex(std::uint64_t digest) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016" PRIx64, digest);
  return digits.data();
}

void print_json(std::ostream& out, const json::value& value) { out << json::serialize(value) << '\n'; }

}  // namespace fieldsync::cli

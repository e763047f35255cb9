#include <fstream>
#include <iostream>

#include "fieldsync/calendar.h"
#include "fieldsync/commands.h"
#include "fieldsync/csv.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/report.h"

namespace fieldsync::cli {
namespace {

// Fields with values of their own; a group is only the frame of its fields.
std::vector<const core::FormField*> columns_of(const core::Form& form) {
  std::vector<const core::FormField*> columns;
  for (const core::FormField& field : form.fields) {
    if (field.type != core::FieldType::group) columns.push_back(&field);
  }
  return columns;
}

std::string column_title(const core::Form& form, const core::FormField& field, const Wording& wording) {
  const core::FormField* group = form.find(field.group);
  const std::string label = wording.field_label(field);
  return group == nullptr ? label : wording.field_label(*group) + ": " + label;
}

std::string fields_in_conflict(const core::Form& form, const RecordView& record) {
  std::string names = record.deleted_while_edited.empty() ? "" : "existence";
  for (const ShownField& field : record.fields) {
    if (field.conflict) names += (names.empty() ? "" : "; ") + path_text(&form, field.item, field.name);
  }
  return names;
}

void write_csv(std::ostream& out, const core::Form& form, const std::vector<RecordView>& records, Wording& wording) {
  const auto columns = columns_of(form);
  CsvWriter csv(out);
  std::vector<std::string> titles = {"id", "scope"};
  for (const core::FormField* field : columns) titles.push_back(column_title(form, *field, wording));
  titles.insert(titles.end(), {"changed", "progress", "conflict"});
  csv.row(titles);
  for (const RecordView& record : records) {
    std::vector<std::string> cells = {record.id.hex(), wording.scope_name(record.scope)};
    for (const core::FormField* field : columns) cells.push_back(wording.all_values(record, *field));
    cells.insert(cells.end(), {rfc3339(record.changed), std::string(progress_words(record.progress)),
                               fields_in_conflict(form, record)});
    csv.row(cells);
  }
}

void write_json_lines(std::ostream& out, const std::vector<RecordView>& records, Wording& wording) {
  for (const RecordView& record : records) print_json(out, record_json(record, wording));
}

}  // namespace

Result<void> run_export(const Settings& settings, const ExportOptions& options) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto form = find_form(**database, options.form);
  if (!form) return form.error();
  Query query;
  query.form = form->name;
  const auto records = (*database)->query(query);
  if (!records) return records.error();
  std::ofstream file;
  if (!options.output.empty()) file.open(options.output, std::ios::binary | std::ios::trunc);
  std::ostream& out = options.output.empty() ? std::cout : file;
  Wording wording(**database, settings.language);
  if (options.format == ExportFormat::csv) {
    write_csv(out, *form, *records, wording);
  } else {
    write_json_lines(out, *records, wording);
  }
  out.flush();
  if (!out) {
    return Error{Errc::storage_failed, "The export could not be written to " +
                                           (options.output.empty() ? "standard output" : options.output) + "."};
  }
  if (!options.output.empty()) {
    std::cerr << counted(records->size(), "record", "records") << " written to " << options.output << ".\n";
  }
  return {};
}

}  // namespace fieldsync::cli

#include <unistd.h>

#include <boost/json/array.hpp>
#include <iostream>

#include "fieldsync/calendar.h"
#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/report.h"
#include "fieldsync/table.h"
#include "fieldsync/terminal.h"

namespace fieldsync::cli {
namespace {

Result<Query> query_of(Database& database, const ListOptions& options) {
  Query query;
  query.text = options.text;
  query.include_deleted = options.deleted;
  if (options.limit) query.limit = *options.limit;
  if (!options.form.empty()) {
    const auto form = find_form(database, options.form);
    if (!form) return form.error();
    query.form = form->name;
  }
  if (!options.scope.empty()) {
    const auto scope = find_scope(database, options.scope);
    if (!scope) return scope.error();
    query.scope = *scope;
  }
  return query;
}

bool has_conflict(const RecordView& record) {
  for (const ShownField& field : record.fields) {
    if (field.conflict) return true;
  }
  return !record.deleted_while_edited.empty();
}

std::string state_of(const RecordView& record) {
  std::string state(progress_words(record.progress));
  if (record.deleted) state += ", deleted";
  if (has_conflict(record)) state += ", CONFLICT";
  return state;
}

const Table::Column changed_column{"Changed", Table::Align::left, Table::Fit::whole};

// Of one form: a column for each field that makes its title.
Table table_of_form(const core::Form& form, const std::vector<RecordView>& records, Wording& wording) {
  const auto fields = title_fields(form);
  std::vector<Table::Column> columns = {{"Id"}};
  for (const core::FormField* field : fields) columns.push_back({wording.field_label(*field)});
  columns.insert(columns.end(), {changed_column, {"State"}});
  Table table(columns);
  for (const RecordView& record : records) {
    std::vector<std::string> cells = {short_id(record.id)};
    for (const core::FormField* field : fields) cells.push_back(wording.cell(record, *field));
    cells.insert(cells.end(), {local_minute(record.changed), state_of(record)});
    table.add_row(std::move(cells));
  }
  return table;
}

Table table_of_all(const std::vector<RecordView>& records, Wording& wording) {
  Table table({{"Id"}, {"Form"}, {"Title"}, changed_column, {"State"}});
  for (const RecordView& record : records) {
    table.add_row({short_id(record.id), wording.form_label(record.form), wording.title(record),
                   local_minute(record.changed), state_of(record)});
  }
  return table;
}

void print_records(const std::vector<RecordView>& records, const core::Form* form, Wording& wording) {
  if (records.empty()) {
    std::cout << "No records.\n";
    return;
  }
  const Table table = form == nullptr ? table_of_all(records, wording) : table_of_form(*form, records, wording);
  std::cout << table.render(terminal_columns(STDOUT_FILENO)) << counted(records.size(), "record", "records") << ".\n";
}

}  // namespace

Result<void> run_list(const Settings& settings, const ListOptions& options) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto query = query_of(**database, options);
  if (!query) return query.error();
  const auto records = (*database)->query(*query);
  if (!records) return records.error();
  Wording wording(**database, settings.language);
  if (!settings.json) {
    print_records(*records, query->form.empty() ? nullptr : wording.form(query->form), wording);
    return {};
  }
  boost::json::array array;
  for (const RecordView& record : *records) array.push_back(record_json(record, wording));
  print_json(std::cout, array);
  return {};
}

}  // namespace fieldsync::cli

#include <unistd.h>

#include <boost/json/array.hpp>
#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/table.h"
#include "fieldsync/terminal.h"

namespace fieldsync::cli {

Result<void> run_scopes(const Settings& settings) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto scopes = (*database)->scopes();
  if (!scopes) return scopes.error();
  if (settings.json) {
    boost::json::array array;
    for (const ScopeInfo& scope : *scopes) array.push_back(scope_json(scope));
    print_json(std::cout, array);
    return {};
  }
  if (scopes->empty()) {
    std::cout << "No scopes yet. Bring them with: fieldsync sync\n";
    return {};
  }
  Table table({{"Id"}, {"Scope"}, {"Your role"}, {"Records", Table::Align::right, Table::Fit::whole}});
  for (const ScopeInfo& scope : *scopes) {
    table.add_row({short_id(scope.id), scope.name, scope.role, std::to_string(scope.records)});
  }
  std::cout << table.render(terminal_columns(STDOUT_FILENO));
  return {};
}

}  // namespace fieldsync::cli

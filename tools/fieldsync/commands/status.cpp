#include <unistd.h>

#include <boost/json/array.hpp>
#include <iostream>

#include "core/fingerprint.h"
#include "fieldsync/calendar.h"
#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/table.h"
#include "fieldsync/terminal.h"
#include "fieldsync/text_display.h"

namespace fieldsync::cli {
namespace {

// One look at everything.
struct Overview {
  Identity identity;
  Status status;
  std::vector<ScopeInfo> scopes;
  std::vector<RefusedOperation> refused;
};

Result<Overview> overview_of(Database& database) {
  const auto status = database.status();
  if (!status) return status.error();
  const auto scopes = database.scopes();
  if (!scopes) return scopes.error();
  const auto refused = database.refused();
  if (!refused) return refused.error();
  return Overview{database.identity(), *status, *scopes, *refused};
}

boost::json::object overview_json(const Overview& overview) {
  boost::json::array scopes;
  for (const ScopeInfo& scope : overview.scopes) scopes.push_back(scope_json(scope));
  boost::json::array refused;
  for (const RefusedOperation& operation : overview.refused) refused.push_back(refused_json(operation));
  boost::json::object object = status_json(overview.status);
  object["identity"] = identity_json(overview.identity);
  object["scopes"] = std::move(scopes);
  object["refused_operations"] = std::move(refused);
  return object;
}

void print_identity(const Identity& identity) {
  if (!identity.enrolled) {
    std::cout << "This device is not enrolled. Begin with: fieldsync enrol\n";
    return;
  }
  std::cout << "Device " << short_id(identity.device) << " of " << for_terminal(identity.person_name)
            << ", enrolled at " << identity.server << '\n'
            << "Fingerprint  " << core::fingerprint_of(identity.device) << '\n';
}

std::string attachments_text(const Status& status) {
  const std::string count = std::to_string(status.attachments_waiting);
  return status.attachments_waiting == 0 ? count : count + ", " + bytes_text(status.attachment_bytes_waiting);
}

void print_counts(const Status& status) {
  std::cout << "\nSaves\n"
            << "  on this device only           " << status.saved_here << '\n'
            << "  sent, not yet durable         " << status.sent << '\n'
            << "  durable at the office         " << status.durable << '\n'
            << "  refused by the office         " << status.refused << '\n'
            << "Attachments to be sent          " << attachments_text(status) << '\n'
            << "Safe to erase from this device  " << (status.safe_to_erase ? "yes, the office has all of it" : "no")
            << '\n'
            << "Records                         " << status.records << '\n'
            << "Conflicts to settle             " << status.open_conflicts << '\n'
            << "Last complete sync              " << (status.last_sync ? local_time(*status.last_sync) : "never")
            << '\n';
}

void print_history(const HistoryStatus& history) {
  if (history.fingerprint.empty()) return;
  std::cout << "Office's history                " << history.entries << " entries, fingerprint "
            << history.fingerprint.substr(0, 16) << '\n';
  for (const HistorySetBack& time : history.set_back) {
    std::cout << "  It was set back on " << local_time(time.at) << ": at least " << time.entries_gone
              << " entries are gone. Ask the office why; the evidence is in: fieldsync status --json\n";
  }
}

void print_scopes(const std::vector<ScopeInfo>& scopes) {
  if (scopes.empty()) return;
  Table table({{"Scope"},
               {"Your role"},
               {"Records", Table::Align::right, Table::Fit::whole},
               {"Digest", Table::Align::left, Table::Fit::whole}});
  for (const ScopeInfo& scope : scopes) {
    table.add_row({scope.name, scope.role, std::to_string(scope.records), digest_hex(scope.digest)});
  }
  std::cout << '\n' << table.render(terminal_columns(STDOUT_FILENO));
}

void print_refused(const std::vector<RefusedOperation>& refused, Wording& wording) {
  if (refused.empty()) return;
  std::cout << "\nRefused by the office, kept there and here\n";
  for (const RefusedOperation& operation : refused) {
    std::cout << "  " << operation.operation.counter << "  " << short_id(operation.record) << "  "
              << for_terminal(wording.title(operation.record)) << "\n    " << for_terminal(operation.message) << " ["
              << for_terminal(operation.code) << "]\n";
  }
  std::cout << "  Put one right with: fieldsync amend NUMBER FIELD=VALUE\n";
}

}  // namespace

Result<void> run_status(const Settings& settings) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto overview = overview_of(**database);
  if (!overview) return overview.error();
  if (settings.json) {
    print_json(std::cout, overview_json(*overview));
    return {};
  }
  Wording wording(**database, settings.language);
  print_identity(overview->identity);
  print_counts(overview->status);
  print_history(overview->status.history);
  print_scopes(overview->scopes);
  print_refused(overview->refused, wording);
  return {};
}

}  // namespace fieldsync::cli

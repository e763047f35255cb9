#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/text_display.h"

namespace fieldsync::cli {

Result<void> run_enrol(const Settings& settings, const EnrolOptions& options) {
  const auto database = make_store(settings);
  if (!database) return database.error();
  const auto identity = (*database)->enrol(options.enrolment, options.device_name);
  if (!identity) return identity.error();
  if (settings.json) {
    print_json(std::cout, identity_json(*identity));
    return {};
  }
  std::cout << "This device is enrolled for " << for_terminal(identity->person_name) << " at " << identity->server
            << ". Bring the records with: fieldsync sync\n";
  return {};
}

}  // namespace fieldsync::cli

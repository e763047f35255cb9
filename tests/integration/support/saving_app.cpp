// saving_app STORE KEY_FILE PREFIX COUNT: an app that saves one facility after the other and
// tells each name, 'PREFIX-0' and so on, once its save has returned. To be killed meanwhile.
#include <cstdlib>
#include <iostream>

#include "fieldsync/database.h"
#include "fieldsync/unlocking.h"

using namespace fieldsync;

namespace {

Result<void> save(Database& database, const core::ScopeId& scope, const std::string& name) {
  auto editor = database.create("facility", scope);
  if (!editor) return editor.error();
  if (auto set = editor->set("names", core::LocalText{"en", name}); !set) return set;
  if (auto saved = editor->save(); !saved) return saved.error();
  return {};
}

Result<void> save_all(const std::string& store, const std::string& key_file, const std::string& prefix, int count) {
  const auto database = Database::open({.directory = store, .create = false});
  if (!database) return database.error();
  cli::Settings settings;
  settings.key_file = key_file;
  if (auto unlocked = cli::unlock_store(settings, **database); !unlocked) return unlocked;
  const auto scopes = (*database)->scopes();
  if (!scopes) return scopes.error();
  for (int i = 0; i < count; ++i) {
    const std::string name = prefix + '-' + std::to_string(i);
    if (auto saved = save(**database, scopes->front().id, name); !saved) return saved;
    std::cout << name << std::endl;
  }
  return {};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return 2;
  const auto saved = save_all(arguments[1], arguments[2], arguments[3], std::atoi(arguments[4]));
  if (!saved) std::cerr << saved.error().message() << std::endl;
  return saved ? 0 : 1;
}

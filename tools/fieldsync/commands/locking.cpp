// commands/locking.cpp: unlock, lock, passphrase and wipe.
#include <iostream>
#include <string>

#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/session_key.h"
#include "fieldsync/unlocking.h"

namespace fieldsync::cli {
namespace {

void say(const Settings& settings, const char* state, const std::string& sentence) {
  if (settings.json) {
    print_json(std::cout, boost::json::object{{"state", state}});
  } else {
    std::cout << sentence << '\n';
  }
}

}  // namespace

Result<void> run_unlock(const Settings& settings, const UnlockOptions& options) {
  const auto database = open_locked(settings, options.without_journal);
  if (!database) return database.error();
  const auto known = credentials_for(settings, (*database)->lock_state());
  if (!known) return known.error();
  if (auto unlocked = (*database)->unlock(*known); !unlocked) return unlocked;
  if (auto kept = keep_unlocked(settings, **database, *known, std::chrono::minutes(options.minutes)); !kept)
    return kept;
  say(settings, "unlocked",
      "The store stays open for " + std::to_string(options.minutes) + " minutes, or until: fieldsync lock.");
  return {};
}

Result<void> run_lock(const Settings& settings) {
  const auto database = open_locked(settings);
  if (!database) return database.error();
  if (auto forgotten = forget_session_key(settings, **database); !forgotten) return forgotten;
  say(settings, "locked", "The store is locked.");
  return {};
}

Result<void> run_passphrase(const Settings& settings, const PassphraseOptions& options) {
  const auto database = open_locked(settings);
  if (!database) return database.error();
  const auto known = credentials_for(settings, (*database)->lock_state());
  if (!known) return known.error();
  if (auto unlocked = (*database)->unlock(*known); !unlocked) return unlocked;
  Settings to = settings;
  to.passphrase_file = options.new_passphrase_file;
  to.key_file.clear();
  const auto added = options.new_passphrase_file.empty() ? new_passphrase() : credentials_for(to, LockState::fresh);
  if (!added) return added.error();
  if (auto replaced = (*database)->replace_credentials(*known, *added); !replaced) return replaced;
  say(settings, "changed", "The new passphrase opens the store, and the former does not any more.");
  return {};
}

Result<void> run_wipe(const Settings& settings, const WipeOptions& options) {
  if (!options.yes) {
    return Error{
        Errc::invalid_argument,
        "What was not synced is lost for ever. Run this with --yes to destroy the store at " + settings.store + "."};
  }
  if (auto wiped = Database::wipe(settings.store); !wiped) return wiped;
  say(settings, "wiped", "The store's keys are destroyed, and its files are deleted.");
  return {};
}

}  // namespace fieldsync::cli

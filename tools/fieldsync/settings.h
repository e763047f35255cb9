// settings.h: what every command is told: where the store is, for whom to write
// and in which shape.
#pragma once

#include <string>

namespace fieldsync::cli {

struct Settings {
  std::string store;     // directory of the database
  std::string language;  // of labels: "ky", "tg", "ru" or "en"
  bool json = false;     // for a script instead of a person
  // What opens the store; empty for neither: then a person is asked for a passphrase.
  std::string passphrase_file{};
  std::string key_file{};
};

// $FIELDSYNC_STORE, else $XDG_DATA_HOME/fieldsync, else ~/.local/share/fieldsync.
// Empty where none of them is set.
[[nodiscard]] std::string default_store();

// $FIELDSYNC_PASSPHRASE_FILE and $FIELDSYNC_KEY_FILE; empty where they are not set.
[[nodiscard]] std::string default_passphrase_file();
[[nodiscard]] std::string default_key_file();

// From LC_ALL, LC_MESSAGES or LANG; "en" where that is no language of ours.
[[nodiscard]] std::string default_language();

}  // namespace fieldsync::cli

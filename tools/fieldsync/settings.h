// settings.h: what every command is told: where the store is, for whom to write
// and in which shape.
#pragma once

#include <string>

namespace fieldsync::cli {

struct Settings {
  std::string store;     // directory of the database
  std::string language;  // of labels: "ky", "tg", "ru" or "en"
  bool json = false;     // for a script instead of a person
};

// $FIELDSYNC_STORE, else $XDG_DATA_HOME/fieldsync, else ~/.local/share/fieldsync.
// Empty where none of them is set.
[[nodiscard]] std::string default_store();

// From LC_ALL, LC_MESSAGES or LANG; "en" where that is no language of ours.
[[nodiscard]] std::string default_language();

}  // namespace fieldsync::cli

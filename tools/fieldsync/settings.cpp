#include "fieldsync/settings.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace fieldsync::cli {
namespace {

constexpr std::array<std::string_view, 4> languages = {"ky", "tg", "ru", "en"};

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

std::string default_store() {
  if (const auto store = environment("FIELDSYNC_STORE"); !store.empty()) return std::string(store);
  if (const auto data = environment("XDG_DATA_HOME"); !data.empty()) return std::string(data) + "/fieldsync";
  if (const auto home = environment("HOME"); !home.empty()) return std::string(home) + "/.local/share/fieldsync";
  return {};
}

std::string default_passphrase_file() { return std::string(environment("FIELDSYNC_PASSPHRASE_FILE")); }
std::string default_key_file() { return std::string(environment("FIELDSYNC_KEY_FILE")); }

std::string default_language() {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const std::string_view locale = environment(name);
    if (locale.empty()) continue;
    const std::string_view language = locale.substr(0, locale.find_first_of("_.@"));
    const bool ours = std::find(languages.begin(), languages.end(), language) != languages.end();
    return std::string(ours ? language : "en");
  }
  return "en";
}

}  // namespace fieldsync::cli

#include "fieldsync/unlocking.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "fieldsync/session_key.h"

namespace fieldsync::cli {
namespace {

constexpr std::size_t key_file_bytes = 32;
constexpr std::size_t key_file_bytes_max = 4096;

Error cannot_read(const std::string& file) {
  struct stat known {};
  const bool missing = ::stat(file.c_str(), &known) != 0;
  return {missing ? Errc::not_found : Errc::storage_failed, "The file " + file + " cannot be read."};
}

Result<std::string> first_line_of(const std::string& file) {
  std::ifstream lines(file, std::ios::binary);
  std::string line;
  if (!std::getline(lines, line)) return cannot_read(file);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.empty()) return Error{Errc::invalid_argument, "The first line of " + file + " is empty."};
  return line;
}

// Whole or not at all: a store would be locked for ever with half of one.
Result<void> make_key_file(const std::string& file) {
  const std::string half = file + ".new";
  std::array<char, key_file_bytes> key{};
  randombytes_buf(key.data(), key.size());
  const int descriptor = ::open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written =
      descriptor >= 0 && ::write(descriptor, key.data(), key.size()) == key_file_bytes && ::fsync(descriptor) == 0;
  sodium_memzero(key.data(), key.size());
  if (descriptor >= 0) ::close(descriptor);
  if (!written || std::rename(half.c_str(), file.c_str()) != 0)
    return Error{Errc::storage_failed, "The key file " + file + " cannot be made."};
  return {};
}

// What is typed is not shown.
class QuietTerminal {
 public:
  QuietTerminal() {
    known_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (known_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~QuietTerminal() {
    if (known_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

 private:
  termios before_{};
  bool known_ = false;
};

Result<std::string> ask(const char* question) {
  std::cerr << question << std::flush;
  std::string answer;
  {
    const QuietTerminal quiet;
    std::getline(std::cin, answer);
  }
  std::cerr << '\n';
  if (answer.empty()) return Error{Errc::cancelled, "No passphrase was given. Nothing was changed."};
  return answer;
}

Result<std::string> ask_for_passphrase(LockState state) {
  if (::isatty(STDIN_FILENO) == 0) {
    return Error{Errc::locked,
                 "The store is locked. Name a file with --passphrase-file or --key-file, or run this in a terminal."};
  }
  if (state == LockState::locked) return ask("Passphrase: ");
  std::cerr << "This passphrase opens the store from now on, and nothing else does: use five words or more.\n";
  auto passphrase = ask("New passphrase: ");
  if (!passphrase) return passphrase;
  const auto repeated = ask("Once more: ");
  if (!repeated) return repeated;
  if (*repeated != *passphrase) return Error{Errc::invalid_argument, "The two are not the same. Nothing was changed."};
  return passphrase;
}

}  // namespace

HardwareKey key_of(const std::string& key) {
  std::array<unsigned char, crypto_generichash_KEYBYTES> hashed{};
  crypto_generichash(hashed.data(), hashed.size(), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                     nullptr, 0);
  return [hashed](std::string_view challenge) -> Result<std::string> {
    std::string answer(32, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(answer.data()), answer.size(),
                       reinterpret_cast<const unsigned char*>(challenge.data()), challenge.size(), hashed.data(),
                       hashed.size());
    return answer;
  };
}

Result<HardwareKey> key_from(const std::string& file) {
  std::ifstream content(file, std::ios::binary);
  std::string key(key_file_bytes_max, '\0');
  content.read(key.data(), static_cast<std::streamsize>(key.size()));
  key.resize(static_cast<std::size_t>(content.gcount()));
  if (!content.is_open() || content.bad()) return cannot_read(file);
  if (!content.eof() || key.size() < key_file_bytes)
    return Error{Errc::invalid_argument, "A key file holds from 32 to 4,095 bytes: " + file + " does not."};
  HardwareKey answers = key_of(key);
  sodium_memzero(key.data(), key.size());
  return answers;
}

Result<Credentials> new_passphrase() {
  auto passphrase = ask_for_passphrase(LockState::fresh);
  if (!passphrase) return passphrase.error();
  return Credentials{std::move(*passphrase), {}};
}

Result<Credentials> credentials_for(const Settings& settings, LockState state) {
  Credentials credentials;
  if (!settings.key_file.empty()) {
    if (state == LockState::fresh && ::access(settings.key_file.c_str(), F_OK) != 0) {
      if (auto made = make_key_file(settings.key_file); !made) return made.error();
    }
    auto key = key_from(settings.key_file);
    if (!key) return key.error();
    credentials.hardware_key = std::move(*key);
  }
  if (!settings.passphrase_file.empty() || settings.key_file.empty()) {
    auto passphrase =
        settings.passphrase_file.empty() ? ask_for_passphrase(state) : first_line_of(settings.passphrase_file);
    if (!passphrase) return passphrase.error();
    credentials.passphrase = std::move(*passphrase);
  }
  return credentials;
}

Result<void> unlock_store(const Settings& settings, Database& database) {
  const LockState state = database.lock_state();
  if (state == LockState::unlocked) return {};
  const bool asks = settings.key_file.empty() && settings.passphrase_file.empty();
  if (asks && state == LockState::locked && unlock_with_session_key(settings, database)) return {};
  auto credentials = credentials_for(settings, state);
  if (!credentials) return credentials.error();
  auto unlocked = database.unlock(*credentials);
  sodium_memzero(credentials->passphrase.data(), credentials->passphrase.size());
  return unlocked;
}

}  // namespace fieldsync::cli

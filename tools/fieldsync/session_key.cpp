#include "fieldsync/session_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "core/id.h"
#include "fieldsync/unlocking.h"

namespace fieldsync::cli {
namespace {

constexpr std::size_t key_bytes = 32;

struct SessionKey {
  std::int64_t expires = 0;  // seconds since 1970
  std::string key;
};

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// One for each store; empty without such a file system.
std::string file_for(const Settings& settings) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime == nullptr || *runtime == '\0') return {};
  std::error_code problem;
  const std::string store = std::filesystem::weakly_canonical(settings.store, problem).string();
  std::string name(16, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(name.data()), name.size(),
                     reinterpret_cast<const unsigned char*>(store.data()), store.size(), nullptr, 0);
  return std::string(runtime) + "/fieldsync-" + core::to_hex(name) + ".key";
}

std::optional<SessionKey> read_key(const std::string& file) {
  if (file.empty()) return std::nullopt;
  std::ifstream lines(file);
  std::string hex;
  SessionKey session;
  if (!(lines >> session.expires >> hex)) return std::nullopt;
  const auto key = core::from_hex(hex);
  if (!key || key->size() != key_bytes) return std::nullopt;
  session.key = *key;
  return session;
}

Result<void> write_key(const std::string& file, const SessionKey& session) {
  const std::string content = std::to_string(session.expires) + " " + core::to_hex(session.key) + "\n";
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written =
      descriptor >= 0 && ::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  if (descriptor >= 0) ::close(descriptor);
  if (!written) return Error{Errc::storage_failed, "The key cannot be kept in " + file + "."};
  return {};
}

// The store is unlocked with it, and locked after.
void take_away(const std::string& file, const SessionKey& session, Database& database) {
  const Credentials credentials{{}, key_of(session.key)};
  if (database.unlock(credentials)) static_cast<void>(database.remove_credentials(credentials));
  database.lock();
  ::unlink(file.c_str());
}

}  // namespace

bool unlock_with_session_key(const Settings& settings, Database& database) {
  const std::string file = file_for(settings);
  const auto session = read_key(file);
  if (!session) return false;
  if (session->expires <= now()) {
    take_away(file, *session, database);
    return false;
  }
  return static_cast<bool>(database.unlock({{}, key_of(session->key)}));
}

Result<void> keep_unlocked(const Settings& settings, Database& database, const Credentials& known,
                           std::chrono::minutes span) {
  const std::string file = file_for(settings);
  if (file.empty()) {
    return Error{Errc::storage_failed,
                 "There is no place to keep the key in: XDG_RUNTIME_DIR is not set. Each command will ask."};
  }
  if (const auto earlier = read_key(file)) static_cast<void>(database.remove_credentials({{}, key_of(earlier->key)}));
  SessionKey session{now() + std::chrono::duration_cast<std::chrono::seconds>(span).count(),
                     std::string(key_bytes, '\0')};
  randombytes_buf(session.key.data(), session.key.size());
  // First the file: a slot without it would stay for ever.
  if (auto written = write_key(file, session); !written) return written;
  return database.add_credentials(known, {{}, key_of(session.key)});
}

Result<void> forget_session_key(const Settings& settings, Database& database) {
  const std::string file = file_for(settings);
  const auto session = read_key(file);
  if (!session) return Error{Errc::not_found, "The store is not kept open: it is locked already."};
  take_away(file, *session, database);
  return {};
}

}  // namespace fieldsync::cli

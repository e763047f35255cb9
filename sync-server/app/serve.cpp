#include "app/serve.h"

#include <signal.h>
#include <sodium.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstring>
#include <iostream>
#include <sstream>
#include <thread>

#include "app/certificate_commands.h"
#include "app/descriptor_limit.h"
#include "app/event_log.h"
#include "app/import.h"
#include "app/log_key.h"
#include "app/logged_handlers.h"
#include "app/operator_text.h"
#include "app/standard_forms.h"
#include "codec/form_codec.h"
#include "handlers/router.h"
#include "http/http_server.h"
#include "service/form_publication.h"
#include "service/store_upgrade.h"
#include "store/files/posix_attachment_files.h"
#include "store/sqlite/sqlite_store.h"
#include "tls/key_pair.h"

namespace fieldsync::server {
namespace {

// How long a command waits for a server that is starting or stopping, or for another command.
constexpr std::chrono::seconds wait_for_other{3};

core::Instant wall_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
}

// One that is gone is not replaced by an empty one.
Result<std::unique_ptr<SqliteStore>> open_database(const Configuration& configuration) {
  const auto file = configuration.database();
  const auto there = is_there(file);
  if (!there) return there.error();
  if (!*there) return Error{Errc::not_found, "The database " + file.string() + " is gone. Put a copy of it back."};
  return SqliteStore::open(file.string());
}

CommandResult refused(const Error& error) {
  const std::string code(describe(error.code).name);
  return {1, "", "fieldsync-server: " + error.message() + " [" + code + "]\n", code};
}

Result<CursorKey> cursor_key_of(Store& store) {
  CursorKey key{};
  auto read = store.read([&](ReadTransaction& transaction) -> Result<void> {
    const std::string stored = transaction.setting("cursor_key");
    if (stored.size() != key.size()) return Error{Errc::not_found, "This database was not made by init."};
    std::memcpy(key.data(), stored.data(), key.size());
    return {};
  });
  if (!read) return read.error();
  return key;
}

// What a server works on, and the services over it.
class Office {
 public:
  static Result<std::unique_ptr<Office>> open(const Configuration& configuration) {
    auto store = open_database(configuration);
    if (!store) return store.error();
    const auto cursor_key = cursor_key_of(**store);
    if (!cursor_key) return cursor_key.error();
    auto files = PosixAttachmentFiles::open(configuration.attachments());
    if (!files) return files.error();
    if (auto indexed = upgrade_store(**store); !indexed) return indexed.error();
    const auto log_key = open_log_key(configuration, **store);
    if (!log_key) return log_key.error();
    const AuditLog log(*log_key, wall_clock);
    if (auto begun = begin_audit_log(**store, log); !begun) return begun.error();
    return std::unique_ptr<Office>(new Office(configuration, std::move(*store), std::move(*files), *cursor_key, log));
  }

  const Configuration& configuration;
  const std::unique_ptr<SqliteStore> store;
  const std::unique_ptr<PosixAttachmentFiles> files;
  const Clock clock = wall_clock;
  AttachmentService attachments;
  SyncService sync;
  CommandLocks locks;

 private:
  Office(const Configuration& its_configuration, std::unique_ptr<SqliteStore> its_store,
         std::unique_ptr<PosixAttachmentFiles> its_files, const CursorKey& cursor_key, const AuditLog& log)
      : configuration(its_configuration),
        store(std::move(its_store)),
        files(std::move(its_files)),
        attachments(*store, *files, clock),
        sync(*store, attachments, cursor_key, log, clock) {}
};

// Does nothing where it has been done.
Result<void> fill_database(Store& store, const AuditLog& log, const Clock& clock) {
  CursorKey key;
  randombytes_buf(key.data(), key.size());
  auto filled = store.write([&](WriteTransaction& transaction) -> Result<void> {
    if (!transaction.setting("cursor_key").empty()) return {};
    transaction.put_setting("cursor_key", {reinterpret_cast<const char*>(key.data()), key.size()});
    log.note_act(transaction, {"init", {}, {}});
    for (const std::string_view text : standard_forms()) {
      auto parsed = codec::parse_form_text(text);
      if (!parsed) return parsed.error();
      if (auto published = publish_form(transaction, *parsed); !published) return published;
    }
    return {};
  });
  if (!filled) return filled;
  return make_office(store, log, clock);
}

// Keeps a key that is there: another would be another server. The certificate is written
// last; where it is there, the key may be kept elsewhere.
Result<void> make_key(const std::filesystem::path& key, const std::filesystem::path& certificate,
                      const std::string& host) {
  const auto certified = is_there(certificate);
  if (!certified) return certified.error();
  if (*certified) return {};
  const auto there = is_there(key);
  if (!there) return there.error();
  if (!*there) {
    const tls::KeyPair made = tls::make_server_key(host);
    auto written = write_private_file(key, made.private_key_pem);
    return written ? write_private_file(certificate, made.certificate_pem) : written;
  }
  const auto kept = read_file(key);
  if (!kept) return kept.error();
  const auto again = tls::certify_server_key(*kept, host);
  return again ? write_private_file(certificate, again->certificate_pem) : Result<void>(again.error());
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

EventLog make_log(const Configuration& configuration) {
  const bool is_json = configuration.log_format == "json";
  spdlog::set_level(spdlog::level::from_str(configuration.log_level));
  spdlog::flush_on(spdlog::level::info);
  spdlog::set_pattern(
      is_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v",
      spdlog::pattern_time_type::utc);
  const auto clock = [] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return core::Instant{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
  };
  return {{is_json ? LogFormat::json : LogFormat::text, configuration.log_addresses},
          clock,
          [](LogLevel level, const std::string& line) { spdlog::log(spdlog_level(level), "{}", line); }};
}

// Returns with a signal that ends the server. SIGHUP is how an operator says that the certificate was renewed. Each
// minute the log says what it left out.
void wait_for_end(const sigset_t& signals, const std::function<Result<void>()>& reload_certificate, EventLog& log) {
  const timespec minute{60, 0};
  while (true) {
    const int signal_number = sigtimedwait(&signals, nullptr, &minute);
    if (signal_number == SIGHUP) {
      const auto reloaded = reload_certificate();
      log.certificate_read(reloaded ? "ok" : describe(reloaded.error().code).name);
    } else if (signal_number > 0) {
      return;
    } else {
      log.tell_left_out();
    }
  }
}

// An exception ends the command, and not the server that carries it out.
Result<void> carry_out(const AdministratorCommand& command, Administration& admin) {
  try {
    return command(admin);
  } catch (const std::exception& error) {
    // Its text may hold anything.
    return Error{Errc::internal_error, "Something went wrong: " + type_of(error) + "."};
  }
}

CommandResult run_here(const Invocation& invocation, Office& office, const TellProgress& tell,
                       const RunningServer* running = nullptr) {
  if (invocation.kind != Invocation::Kind::administration)
    return {2, "", "This command cannot be handed to a running server.\n", "wrong_usage"};
  std::ostringstream out;
  Administration admin{office.configuration,
                       *office.store,
                       office.sync,
                       office.attachments,
                       office.clock,
                       office.locks,
                       out,
                       tell,
                       running};
  const Result<void> done = carry_out(invocation.administration, admin);
  if (done) return {0, out.str(), ""};
  CommandResult result = refused(done.error());
  result.output = out.str();
  return result;
}

Result<HttpSettings> http_settings(const Configuration& configuration, EventLog& log) {
  const auto private_key = read_file(configuration.key());
  if (!private_key) return private_key.error();
  const auto certificate = read_file(configuration.certificate());
  if (!certificate) return certificate.error();
  const auto connections_max = connections_that_fit(configuration.connections_max, configuration.blocking_threads);
  if (!connections_max) return connections_max.error();
  if (*connections_max < configuration.connections_max) log.fewer_connections(*connections_max);
  HttpSettings settings;
  settings.address = configuration.listen_address;
  settings.port = configuration.port;
  settings.private_key_pem = *private_key;
  settings.certificate_pem = *certificate;
  settings.blocking_threads = configuration.blocking_threads;
  settings.connections_max = *connections_max;
  settings.connections_per_address_max = configuration.connections_per_address_max;
  settings.strangers_per_address_max = configuration.strangers_per_address_max;
  settings.requests_waiting_max = configuration.requests_waiting_max;
  return settings;
}

void tell_fingerprint(const codec::SigningKey& log_key, std::ostream& out) {
  const audit::Hash fingerprint = audit::fingerprint_of(audit::public_key_of(log_key));
  out << "Write down the fingerprint of its history, and keep it outside the office: "
      << core::to_hex(audit::view_of(fingerprint)) << "\n";
}

// A folder that is a whole server but for the log's key: an older version made it.
Result<void> add_missing_log_key(const Configuration& configuration, std::ostream& out) {
  const std::string folder = configuration.folder.string();
  const auto there = is_there(configuration.log_key());
  if (!there) return there.error();
  if (*there) {
    return Error{Errc::invalid_argument,
                 "There is a server in " + folder + " already. Start it: fieldsync-server --dir " + folder + " serve"};
  }
  auto store = open_database(configuration);
  if (!store) return store.error();
  const auto log_key = make_log_key(configuration, **store);
  if (!log_key) return log_key.error();
  out << "The server in " << folder << " has a log.key now, which signs its history: keep a copy of it apart.\n";
  tell_fingerprint(*log_key, out);
  return {};
}

}  // namespace

Result<void> make_server(const std::filesystem::path& folder, const InitOptions& options, std::ostream& out) {
  if (auto checked = check_line(options.host, "The host", host_characters_max); !checked) return checked;
  Configuration configuration;
  configuration.folder = folder;
  configuration.port = options.port;
  const bool loopback = options.host == "127.0.0.1" || options.host == "localhost";
  configuration.listen_address = loopback ? "127.0.0.1" : "0.0.0.0";
  configuration.public_address = options.host + ":" + std::to_string(options.port);
  const auto there = is_there(configuration.file());
  if (!there) return there.error();
  if (*there) return add_missing_log_key(configuration, out);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return Error{Errc::storage_failed, "The folder " + folder.string() + " cannot be made: " + error.message() + "."};
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error)
    return Error{Errc::storage_failed,
                 "The folder " + folder.string() + " cannot be made private: " + error.message() + "."};
  // First, for its lock.
  auto store = SqliteStore::open(configuration.database().string());
  if (!store) return store.error();
  const auto log_key = open_log_key(configuration, **store);
  if (!log_key) return log_key.error();
  const AuditLog log(*log_key, wall_clock);
  if (auto filled = fill_database(**store, log, wall_clock); !filled) return filled;
  auto made = make_key(configuration.key(), configuration.certificate(), options.host);
  if (made) made = make_key(configuration.spare_key(), configuration.spare_certificate(), options.host);
  if (!made) return made;
  const auto has_key = is_there(configuration.key());
  if (!has_key) return has_key.error();
  if (!*has_key) {
    return Error{Errc::not_found,
                 "The key " + configuration.key().string() +
                     " is gone, and devices trust no other. Put it back, or the spare key in its place with "
                     "its certificate."};
  }
  // Last, so that a folder with settings is a whole server.
  if (auto written = write_private_file(configuration.file(), configuration_text(configuration)); !written)
    return written;
  out << "A server was made in " << folder.string() << ". Keep " << configuration.spare_key().string()
      << " somewhere else: devices trust it if the first key is lost.\n";
  tell_fingerprint(*log_key, out);
  out << "Next: fieldsync-server --dir " << folder.string() << " scope add NAME\n";
  return {};
}

Result<void> serve(const Configuration& configuration) {
  // Signals are waited for, not handled: every thread that starts now inherits this.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  EventLog log = make_log(configuration);

  SqliteStore::prepare_process();
  const auto office = Office::open(configuration);
  if (!office) return office.error();
  // Each thread of the pool reads at some time: what it opens for that is open from the start.
  if (auto opened = (*office)->store->open_readers(configuration.blocking_threads); !opened) return opened;
  Router router(*(*office)->store, (*office)->sync, (*office)->attachments, (*office)->clock);
  const auto settings = http_settings(configuration, log);
  if (!settings) return settings.error();
  auto server = HttpServer::listen(*settings, logged_handlers(router, log));
  if (!server) return server.error();
  const auto reload = [&]() -> Result<void> {
    auto noted = (*office)->store->write([&](WriteTransaction& transaction) -> Result<void> {
      (*office)->sync.audit_log().note_act(transaction, {"read_certificate", {}, {}});
      return {};
    });
    return noted ? use_certificate_of(configuration, **server) : noted;
  };
  const RunningServer running{reload,
                              [&](const DeviceRow& device) { (*server)->end_connections_of(device.public_key); }};
  const auto control = ControlSocket::listen(
      configuration.control_socket(), [&](const std::vector<std::string>& arguments, const TellProgress& tell) {
        if (arguments.empty()) return CommandResult{2, "", "No command.\n"};
        const std::filesystem::path working_folder = arguments.front();
        const Invocation invocation = parse_command_line({arguments.begin() + 1, arguments.end()}, working_folder);
        CommandResult result = run_here(invocation, **office, tell, &running);
        log.command(invocation.command, result.outcome);
        return result;
      });
  if (!control) return control.error();
  (*server)->start();
  log.serving((*server)->port());
  wait_for_end(signals, running.reload_certificate, log);
  log.stopping();
  (*server)->stop();
  log.stopped();
  return {};
}

CommandResult administrate(const Configuration& configuration, const std::vector<std::string>& arguments,
                           const std::filesystem::path& working_folder, const TellProgress& tell) {
  std::vector<std::string> handed{working_folder.string()};
  handed.insert(handed.end(), arguments.begin(), arguments.end());
  const auto until = std::chrono::steady_clock::now() + wait_for_other;
  while (true) {
    auto sent = send_command(configuration.control_socket(), handed, tell);
    if (!sent) return refused(sent.error());
    if (*sent) return **sent;
    const auto office = Office::open(configuration);
    if (office) return run_here(parse_command_line(arguments, working_folder), **office, tell);
    const bool passes = office.error().code == Errc::in_use && std::chrono::steady_clock::now() < until;
    if (!passes) return refused(office.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace fieldsync::server

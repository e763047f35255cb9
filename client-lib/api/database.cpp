#include "fieldsync/database.h"

#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include "api/clean_stack.h"
#include "api/enrolment.h"
#include "api/local_database.h"
#include "api/record_editor_session.h"
#include "api/record_view.h"
#include "api/sync_driver.h"
#include "api/unlocking.h"

namespace fieldsync {
namespace {

using api::LocalStore;
using sqlite::guard;

std::string_view role_name(v1::Role role) {
  switch (role) {
    case v1::ROLE_MONITOR: return "monitor";
    case v1::ROLE_COORDINATOR: return "coordinator";
    case v1::ROLE_CASE_HANDLER: return "case_handler";
    case v1::ROLE_BOARD: return "board";
    case v1::ROLE_ADMINISTRATOR: return "administrator";
    case v1::ROLE_UNSPECIFIED: return "none";
    default: return "unknown";
  }
}

std::string file_in(const std::string& directory) {
  return (std::filesystem::path(directory) / "fieldsync.db").string();
}

class LocalDatabase final : public Database {
 public:
  LocalDatabase(std::unique_ptr<LocalStore> store, std::chrono::seconds lock_after) : owned_store_(std::move(store)) {
    if (lock_after.count() > 0) store_.idle_timer.emplace(lock_after, [this] { lock(); });
  }
  ~LocalDatabase() override { store_.idle_timer.reset(); }
  LocalDatabase(const LocalDatabase&) = delete;
  LocalDatabase& operator=(const LocalDatabase&) = delete;

  Result<Identity> enrol(const std::string& text, const std::string& device_name) override {
    return while_in_use([&] { return enrol_at_office(text, device_name); });
  }

  LockState lock_state() override {
    const std::lock_guard lock(store_.mutex);
    if (store_.vault.is_open()) return LockState::unlocked;
    const auto is_new = guard([&]() -> Result<bool> { return store_.vault.is_new(); });
    return is_new && *is_new ? LockState::fresh : LockState::locked;
  }

  Result<void> unlock(const Credentials& credentials) override {
    return while_in_use([&] { return api::unlock_with(store_, credentials); });
  }

  Result<void> add_credentials(const Credentials& known, const Credentials& added) override {
    return while_in_use([&] { return api::change_credentials(store_, known, storage::Vault::Known::stays, &added); });
  }
  Result<void> replace_credentials(const Credentials& known, const Credentials& added) override {
    return while_in_use([&] { return api::change_credentials(store_, known, storage::Vault::Known::goes, &added); });
  }
  Result<void> remove_credentials(const Credentials& known) override {
    return while_in_use([&] { return api::change_credentials(store_, known, storage::Vault::Known::goes, nullptr); });
  }

  void lock() override {
    const Locking locking(*this);
    const std::lock_guard no_sync(sync_mutex_);
    api::lock(store_);
  }

  Identity identity() override {
    const std::lock_guard lock(store_.mutex);
    static_cast<void>(guard([&]() -> Result<void> {
      store_.known_identity = api::read_identity(store_);
      return {};
    }));
    return store_.known_identity;
  }

  Result<void> set_server(const std::string& address) override {
    return in_store([&]() -> Result<void> {
      if (address.find(':') == std::string::npos)
        return Error{Errc::invalid_argument, "The address must be host:port."};
      storage::Transaction transaction(store_.vault);
      store_.identity.set_server(address);
      transaction.commit();
      return {};
    });
  }

  Result<std::vector<core::Form>> forms() override {
    return in_store([&]() -> Result<std::vector<core::Form>> { return store_.directory.forms(); });
  }

  Result<core::Form> form(std::string_view name) override {
    return in_store([&]() -> Result<core::Form> { return known_form(name); });
  }

  Result<std::vector<ScopeInfo>> scopes() override {
    return in_store([&]() -> Result<std::vector<ScopeInfo>> {
      std::vector<ScopeInfo> infos;
      for (const storage::ScopeRow& row : store_.directory.scopes()) {
        infos.push_back({row.id, row.name, std::string(role_name(row.role)), store_.records.count(row.id), row.digest});
      }
      return infos;
    });
  }

  std::string person_name(const core::PersonId& person) override {
    const auto name = guard([&]() -> Result<std::string> {
      const std::lock_guard lock(store_.mutex);
      if (person == store_.identity.person()) return store_.identity.person_name();
      return store_.directory.person_name(person);
    });
    return name ? *name : person.hex().substr(0, 8);
  }

  Result<RecordEditor> create(std::string_view form_name, const core::ScopeId& scope) override {
    return in_store([&]() -> Result<RecordEditor> {
      auto form = known_form(form_name);
      if (!form) return form.error();
      if (!store_.directory.scope(scope)) return Error{Errc::scope_not_found, {}};
      core::RecordState state;
      randombytes_buf(state.id.bytes.data(), state.id.bytes.size());
      state.scope = scope;
      state.form = form->name;
      return RecordEditor(std::make_unique<RecordEditor::Session>(store_, std::move(state), std::move(*form)));
    });
  }

  Result<RecordEditor> edit(const core::RecordId& record) override {
    auto session = open_session(record);
    if (!session) return session.error();
    return RecordEditor(std::move(*session));
  }

  Result<RecordView> read(const core::RecordId& record) override {
    return in_store([&]() -> Result<RecordView> {
      const auto state = store_.records.shown(record);
      if (!state) return Error{Errc::not_found, "There is no such record on this device."};
      return view_of(*state);
    });
  }

  Result<std::vector<RecordView>> query(const Query& query) override {
    return in_store([&]() -> Result<std::vector<RecordView>> {
      std::vector<RecordView> views;
      for (const core::RecordId& id : fresh_index().find(query)) views.push_back(view_of(indexed(id)));
      return views;
    });
  }

  Result<core::RecordId> find_by_prefix(std::string_view hex) override {
    return in_store([&]() -> Result<core::RecordId> {
      const std::string digits(hex.substr(0, 2 * core::RecordId::size));
      const auto pad = [&](char digit) {
        return core::RecordId::parse_hex(digits + std::string(2 * core::RecordId::size - digits.size(), digit));
      };
      const auto low = pad('0');
      const auto high = pad('f');
      if (hex.size() < 2 || hex.size() > 2 * core::RecordId::size || !low || !high) {
        return Error{Errc::invalid_argument, "'" + std::string(hex) + "' is not the beginning of a record's id."};
      }
      const auto ids = store_.records.ids_from(low->view(), high->view());
      if (ids.empty()) return Error{Errc::not_found, "No record's id begins with '" + std::string(hex) + "'."};
      if (ids.size() > 1)
        return Error{Errc::ambiguous,
                     "More than one record's id begins with '" + std::string(hex) + "'. Give more letters."};
      return ids.front();
    });
  }

  Result<std::vector<Conflict>> conflicts() override {
    return in_store([&]() -> Result<std::vector<Conflict>> {
      std::vector<Conflict> found;
      for (const core::RecordId& id : fresh_index().in_conflict()) {
        const core::RecordState state = indexed(id);
        auto conflicts = api::make_conflicts(state, store_.directory.form(state.form));
        std::move(conflicts.begin(), conflicts.end(), std::back_inserter(found));
      }
      return found;
    });
  }

  Result<void> delete_record(const core::RecordId& record) override {
    return guard([&] { return set_existence(record, false); });
  }
  Result<void> restore_record(const core::RecordId& record) override {
    return guard([&] { return set_existence(record, true); });
  }

  Result<SyncReport> sync(const SyncOptions& options) override {
    if (options.counts_as_use) return while_in_use([&] { return sync_once(options); });
    return guard([&] { return api::on_clean_stack([&] { return sync_once(options); }); });
  }

  void cancel_sync() override {
    const std::lock_guard lock(running_mutex_);
    if (running_ != nullptr) running_->cancel();
  }

  Result<Status> status() override {
    return in_store([&]() -> Result<Status> {
      Status status;
      const std::uint64_t acknowledged = store_.identity.acknowledged_counter();
      status.saved_here = store_.identity.last_counter() - acknowledged;
      status.refused = store_.outbox.refused().size();
      status.durable = std::min(store_.identity.durable_counter(), acknowledged);
      status.sent = acknowledged - status.durable;
      status.durable -= std::min(status.durable, store_.outbox.refused_count());
      const api::RecordIndex& index = fresh_index();
      status.open_conflicts = index.count_conflicts();
      status.records = index.count_visible();
      status.last_sync = store_.identity.last_sync();
      return status;
    });
  }

  Result<std::vector<RefusedOperation>> refused() override {
    return in_store([&]() -> Result<std::vector<RefusedOperation>> {
      std::vector<RefusedOperation> operations;
      for (const storage::Refusal& refusal : store_.outbox.refused()) {
        const core::DeviceId by = refusal.former_device.is_none() ? store_.identity.device() : refusal.former_device;
        operations.push_back({{by, refusal.counter}, refusal.record, refusal.code, refusal.message});
      }
      return operations;
    });
  }

 private:
  // Runs `body`, which may take longer than the store may be idle.
  template <typename Body>
  auto while_in_use(Body body) -> decltype(body()) {
    std::optional<api::IdleTimer::Use> use;
    if (store_.idle_timer) use.emplace(*store_.idle_timer);
    return guard([&] { return api::on_clean_stack(body); });
  }

  // Runs `body` with the store's lock held, unless the store is locked.
  template <typename Body>
  auto in_store(Body body) -> decltype(body()) {
    store_.touch();
    return guard([&]() -> decltype(body()) {
      const std::lock_guard lock(store_.mutex);
      if (!store_.vault.is_open()) return Error{Errc::locked, {}};
      return api::on_clean_stack(body);
    });
  }

  // The functions below are called with the store's lock held.

  Result<core::Form> known_form(std::string_view name) {
    const core::Form* form = store_.directory.form(name);
    if (form == nullptr)
      return Error{Errc::unknown_form, "This device has no form '" + std::string(name) + "'. Forms come with a sync."};
    return *form;
  }

  RecordView view_of(const core::RecordState& state) {
    RecordView view = api::make_view(state, store_.directory.form(state.form));
    const core::DeviceId own = store_.identity.device();
    const bool durable = state.seen.counter_of(own) <= store_.identity.durable_counter();
    if (view.progress == Progress::sent && durable) view.progress = Progress::durable;
    if (view.progress != Progress::saved_here && store_.outbox.has_refused(state.id)) view.progress = Progress::refused;
    return view;
  }

  const api::RecordIndex& fresh_index() {
    store_.index.refresh(store_.records, store_.directory);
    return store_.index;
  }
  core::RecordState indexed(const core::RecordId& id) {
    auto state = store_.records.shown(id);
    if (!state) throw sqlite::SqliteError(Errc::storage_corrupt, "a record that was there is not found any more");
    return std::move(*state);
  }

  // The functions below take the lock themselves.

  Result<Identity> enrol_at_office(const std::string& text, const std::string& device_name) {
    const std::unique_lock one_at_a_time(sync_mutex_, std::try_to_lock);
    if (!one_at_a_time) return Error{Errc::in_use, "A sync is running already."};
    if (auto enrolled = api::enrol(store_, text, device_name); !enrolled) return enrolled.error();
    return identity();
  }

  Result<SyncReport> sync_once(const SyncOptions& options) {
    const std::unique_lock one_at_a_time(sync_mutex_, std::try_to_lock);
    if (!one_at_a_time) return Error{Errc::in_use, "A sync is running already."};
    auto steps = api::begin_sync(store_, options);
    if (!steps) return steps.error();
    std::string address;
    std::vector<std::string> pins;
    {
      const std::lock_guard lock(store_.mutex);
      address = store_.identity.server();
      pins = store_.identity.server_pins();
    }
    auto transport = connect(address, pins, options.connect_timeout_ms);
    api::SyncDriver driver(std::move(*steps), *transport, store_.environment);
    const Running running(*this, driver);
    const std::stop_callback on_stop(options.stop, [&driver] { driver.cancel(); });
    auto ended = driver.run();
    if (options.on_report) options.on_report(driver.report());
    return ended;
  }

  Result<std::unique_ptr<RecordEditor::Session>> open_session(const core::RecordId& record) {
    return in_store([&]() -> Result<std::unique_ptr<RecordEditor::Session>> {
      auto state = store_.records.shown(record);
      if (!state) return Error{Errc::not_found, "There is no such record on this device."};
      auto form = known_form(state->form);
      if (!form) return form.error();
      return std::make_unique<RecordEditor::Session>(store_, std::move(*state), std::move(*form));
    });
  }

  Result<void> set_existence(const core::RecordId& record, bool exists) {
    auto session = open_session(record);
    if (!session) return session.error();
    if (auto set = (*session)->set_existence(exists); !set) return set;
    auto saved = (*session)->save();
    return saved ? Result<void>() : Result<void>(saved.error());
  }

  std::unique_ptr<engine::Transport> connect(const std::string& address, const std::vector<std::string>& pins,
                                             std::int64_t timeout_ms) {
    const std::lock_guard lock(store_.mutex);
    return store_.environment.connect(
        {address, pins, store_.identity.private_key_pem(), store_.identity.certificate_pem(), timeout_ms});
  }

  // The sync that cancel_sync() reaches, for as long as it runs.
  class Running {
   public:
    Running(LocalDatabase& database, api::SyncDriver& driver) : database_(database) { set(&driver); }
    ~Running() { set(nullptr); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    void set(api::SyncDriver* driver) {
      const std::lock_guard lock(database_.running_mutex_);
      database_.running_ = driver;
      if (driver != nullptr && database_.locking_ > 0) driver->cancel();
    }
    LocalDatabase& database_;
  };

  // While somebody waits to lock the store: the sync that runs is cancelled, and so is one
  // that is just about to run.
  class Locking {
   public:
    explicit Locking(LocalDatabase& database) : database_(database) {
      const std::lock_guard lock(database_.running_mutex_);
      ++database_.locking_;
      if (database_.running_ != nullptr) database_.running_->cancel();
    }
    ~Locking() {
      const std::lock_guard lock(database_.running_mutex_);
      --database_.locking_;
    }
    Locking(const Locking&) = delete;
    Locking& operator=(const Locking&) = delete;

   private:
    LocalDatabase& database_;
  };

  std::unique_ptr<LocalStore> owned_store_;
  LocalStore& store_ = *owned_store_;
  std::mutex sync_mutex_;
  std::mutex running_mutex_;
  api::SyncDriver* running_ = nullptr;
  int locking_ = 0;  // how many threads are in lock()
};

}  // namespace

std::unique_ptr<Database> api::make_database(std::unique_ptr<LocalStore> store, std::chrono::seconds lock_after) {
  return std::make_unique<LocalDatabase>(std::move(store), lock_after);
}

Result<void> Database::wipe(const std::string& directory) {
  return guard([&] { return api::wipe(file_in(directory)); });
}

Result<std::unique_ptr<Database>> Database::open(const OpenOptions& options) {
  return guard([&]() -> Result<std::unique_ptr<Database>> {
    std::error_code error;
    if (options.create) std::filesystem::create_directories(options.directory, error);
    if (error)
      return Error{Errc::storage_failed,
                   "The folder " + options.directory + " cannot be made: " + error.message() + "."};
    auto store = api::open_local_store(file_in(options.directory), options.create, api::real_environment());
    if (!store) return store.error();
    if (!options.credentials.passphrase.empty() || options.credentials.hardware_key) {
      if (auto unlocked = api::unlock_with(**store, options.credentials); !unlocked) return unlocked.error();
    }
    return api::make_database(std::move(*store), options.lock_after);
  });
}

}  // namespace fieldsync

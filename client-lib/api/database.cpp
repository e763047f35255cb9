#include "fieldsync/database.h"

#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>

#include "api/attachments.h"
#include "api/enrolment.h"
#include "api/history_status.h"
#include "api/local_database.h"
#include "api/record_editor_session.h"
#include "api/record_view.h"
#include "api/sync_driver.h"
#include "api/unlocking.h"
#include "codec/operation_codec.h"

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

Result<void> check_reachable(const std::string& file) {
  std::error_code unknown;
  static_cast<void>(std::filesystem::exists(file, unknown));
  if (!unknown) return {};
  return Error{Errc::storage_failed, "The store cannot be reached: " + unknown.message() + "."};
}

// A clock's own unit, nanoseconds, would overflow.
constexpr std::chrono::seconds longest_idle = std::chrono::hours(24 * 365);

class LocalDatabase final : public Database {
 public:
  LocalDatabase(std::unique_ptr<LocalStore> store, std::chrono::seconds lock_after) : owned_store_(std::move(store)) {
    if (lock_after.count() > 0) store_.idle_timer.emplace(std::min(lock_after, longest_idle), [this] { lock(); });
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
    return while_in_use([&] { return api::change_credentials(store_, known, api::Known::stays, &added); });
  }
  Result<void> replace_credentials(const Credentials& known, const Credentials& added) override {
    return while_in_use([&] { return api::change_credentials(store_, known, api::Known::goes, &added); });
  }
  Result<void> remove_credentials(const Credentials& known) override {
    return while_in_use([&] { return api::change_credentials(store_, known, api::Known::goes, nullptr); });
  }

  void lock() override {
    cancel_sync();
    // The keys go at once: whatever still runs finds the store locked at its next step.
    api::lock(store_);
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
      return view_of(*state, waiting_attachments());
    });
  }

  Result<std::vector<RecordView>> query(const Query& query) override {
    return in_store([&]() -> Result<std::vector<RecordView>> {
      std::vector<RecordView> views;
      const auto waiting = waiting_attachments();
      for (const core::RecordId& id : fresh_index().find(query)) views.push_back(view_of(indexed(id), waiting));
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

  Result<void> space_for(std::uint64_t bytes) override {
    return in_store([&] { return api::space_for(store_, bytes); });
  }
  Result<AttachmentWriter> add_attachment(const NewAttachment& attachment) override {
    return in_store([&] { return api::add_attachment(store_, attachment); });
  }
  Result<AttachmentReader> open_attachment(const core::AttachmentId& id) override {
    return in_store([&] { return api::open_attachment(store_, id); });
  }
  Result<void> fetch_attachment(const core::RecordId& record, const core::Attachment& attachment) override {
    return in_store([&] { return api::fetch_attachment(store_, record, attachment); });
  }
  Result<void> free_attachment(const core::AttachmentId& id) override {
    return in_store([&] { return api::free_attachment(store_, id); });
  }
  Result<std::vector<AttachmentInfo>> attachments() override {
    return in_store([&]() -> Result<std::vector<AttachmentInfo>> { return api::list_attachments(store_); });
  }

  Result<SyncReport> sync(const SyncOptions& options) override {
    if (options.counts_as_use) return while_in_use([&] { return sync_once(options); });
    return guard([&] { return api::on_clean_stack([&] { return sync_once(options); }); });
  }

  void cancel_sync() override {
    const std::lock_guard lock(running_mutex_);
    if (running_) running_->cancel();
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
      for (const auto& row : store_.attachments.in_state(storage::AttachmentState::waiting)) {
        ++status.attachments_waiting;
        status.attachment_bytes_waiting += row.file.size;
      }
      const bool all_named = store_.attachments.in_state(storage::AttachmentState::added).empty();
      const bool all_durable = store_.identity.all_is_proven();
      status.safe_to_erase = all_durable && all_named && status.attachments_waiting == 0;
      const api::RecordIndex& index = fresh_index();
      status.open_conflicts = index.count_conflicts();
      status.records = index.count_visible();
      status.last_sync = store_.identity.last_sync();
      status.history = api::history_status(store_.identity);
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

  Result<RecordEditor> amend(const core::OperationId& refused, const std::optional<core::ScopeId>& into) override {
    return in_store([&]() -> Result<RecordEditor> {
      const auto operation = refused_operation(refused);
      if (!operation) return operation.error();
      auto form = known_form(operation->form);
      if (!form) return form.error();
      core::RecordState state =
          into ? core::RecordState{} : store_.records.shown(operation->record).value_or(core::RecordState{});
      if (state.id.is_none()) {
        state.id = operation->record;
        if (into) randombytes_buf(state.id.bytes.data(), state.id.bytes.size());
        state.scope = into.value_or(operation->scope);
        state.form = form->name;
      }
      if (!store_.directory.scope(state.scope)) return Error{Errc::scope_not_found, {}};
      auto session = std::make_unique<RecordEditor::Session>(store_, std::move(state), std::move(*form));
      session->take_over(*operation, former_device(refused));
      return RecordEditor(std::move(session));
    });
  }

  Result<void> settle_refusal(const core::OperationId& refused) override {
    return in_store([&]() -> Result<void> {
      if (const auto operation = refused_operation(refused); !operation) return operation.error();
      storage::Transaction transaction(store_.vault);
      store_.outbox.settle_refusal(former_device(refused), refused.counter);
      transaction.commit();
      return {};
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

  template <typename Body>
  auto in_store(Body body) -> decltype(body()) {
    return api::in_unlocked_store(store_, body);
  }

  // The functions below are called with the store's lock held.

  Result<core::Form> known_form(std::string_view name) {
    const core::Form* form = store_.directory.form(name);
    if (form == nullptr)
      return Error{Errc::unknown_form, "This device has no form '" + std::string(name) + "'. Forms come with a sync."};
    return *form;
  }

  // What this device has of attachments, and the office has not.
  struct WaitingAttachments {
    std::set<core::AttachmentId> files;
    std::set<core::RecordId> records;  // whose saves named them

    [[nodiscard]] bool are_in(const core::RecordState& state) const {
      return records.contains(state.id) ||
             std::any_of(state.fields.begin(), state.fields.end(), [this](const core::FieldState& field) {
               return std::any_of(field.siblings.begin(), field.siblings.end(), [this](const core::Sibling& sibling) {
                 const auto* attachment = std::get_if<core::Attachment>(&sibling.value);
                 if (attachment == nullptr) return false;
                 return files.contains(attachment->file.id) ||
                        (attachment->preview && files.contains(attachment->preview->id));
               });
             });
    }
  };
  WaitingAttachments waiting_attachments() {
    WaitingAttachments waiting;
    for (const auto& row : store_.attachments.in_state(storage::AttachmentState::waiting)) {
      waiting.files.insert(row.file.id);
      waiting.records.insert(row.record);
    }
    return waiting;
  }

  RecordView view_of(const core::RecordState& state, const WaitingAttachments& waiting) {
    RecordView view = api::make_view(state, store_.directory.form(state.form));
    const core::DeviceId own = store_.identity.device();
    const bool durable = state.seen.counter_of(own) <= store_.identity.durable_counter();
    if (view.progress == Progress::sent && durable) view.progress = Progress::durable;
    if (view.progress != Progress::saved_here && store_.outbox.has_refused(state.id)) view.progress = Progress::refused;
    view.safe_to_erase = durable && !store_.identity.gave_up_unproven() && view.progress != Progress::saved_here &&
                         (waiting.files.empty() || !waiting.are_in(state));
    return view;
  }

  // None for this store's own.
  core::DeviceId former_device(const core::OperationId& refused) {
    return refused.device == store_.identity.device() ? core::DeviceId{} : refused.device;
  }

  Result<core::Operation> refused_operation(const core::OperationId& refused) {
    const auto bytes = store_.outbox.refused_bytes(former_device(refused), refused.counter);
    if (!bytes) return Error{Errc::not_found, "There is no such refusal."};
    std::size_t elements = 0;
    return codec::decode_operation(*bytes, refused, store_.identity.person(), elements);
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
    const Running running(*this);
    const auto enrolled = api::enrol(store_, text, device_name,
                                     [&](std::function<void()> cancel) { running.set_cancel(std::move(cancel)); });
    if (!enrolled) return enrolled.error();
    return identity();
  }

  Result<SyncReport> sync_once(const SyncOptions& options) {
    const std::unique_lock one_at_a_time(sync_mutex_, std::try_to_lock);
    if (!one_at_a_time) return Error{Errc::in_use, "A sync is running already."};
    const Running running(*this);
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
    const CancelledBy cancelled_by(running, [&driver] { driver.cancel(); });
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

  // What cancel_sync() reaches, from its very beginning.
  struct Cancellable {
    std::function<void()> how{};  // none yet, or no more
    bool wanted = false;

    void cancel() {
      wanted = true;
      if (how) how();
    }
  };
  class Running {
   public:
    explicit Running(LocalDatabase& database) : database_(database) {
      const std::lock_guard lock(database_.running_mutex_);
      database_.running_.emplace();
    }
    ~Running() {
      const std::lock_guard lock(database_.running_mutex_);
      database_.running_.reset();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    void set_cancel(std::function<void()> how) const {
      const std::lock_guard lock(database_.running_mutex_);
      database_.running_->how = std::move(how);
      if (database_.running_->wanted && database_.running_->how) database_.running_->how();
    }

   private:
    LocalDatabase& database_;
  };
  // For as long as there is something that can be cancelled.
  class CancelledBy {
   public:
    CancelledBy(const Running& running, std::function<void()> how) : running_(running) {
      running_.set_cancel(std::move(how));
    }
    ~CancelledBy() { running_.set_cancel({}); }
    CancelledBy(const CancelledBy&) = delete;
    CancelledBy& operator=(const CancelledBy&) = delete;

   private:
    const Running& running_;
  };

  std::unique_ptr<LocalStore> owned_store_;
  LocalStore& store_ = *owned_store_;
  std::mutex sync_mutex_;
  std::mutex running_mutex_;
  std::optional<Cancellable> running_;
};

}  // namespace

std::unique_ptr<Database> api::make_database(std::unique_ptr<LocalStore> store, std::chrono::seconds lock_after) {
  return std::make_unique<LocalDatabase>(std::move(store), lock_after);
}

Result<void> Database::wipe(const std::string& directory) {
  return guard([&]() -> Result<void> {
    const std::string file = file_in(directory);
    if (auto reachable = check_reachable(file); !reachable) return reachable;
    return api::wipe(file);
  });
}

Result<std::unique_ptr<Database>> Database::open(const OpenOptions& options) {
  return guard([&]() -> Result<std::unique_ptr<Database>> {
    std::error_code error;
    if (options.create) std::filesystem::create_directories(options.directory, error);
    if (error)
      return Error{Errc::storage_failed,
                   "The folder " + options.directory + " cannot be made: " + error.message() + "."};
    const std::string file = file_in(options.directory);
    if (auto reachable = check_reachable(file); !reachable) return reachable.error();
    auto store = api::open_local_store(file, options.create, api::real_environment());
    if (!store) return store.error();
    if (options.accept_missing_journal) (*store)->vault.accept_missing_log();
    if (!options.credentials.passphrase.empty() || options.credentials.hardware_key) {
      const auto unlocked = api::on_clean_stack([&] { return api::unlock_with(**store, options.credentials); });
      if (!unlocked) return unlocked.error();
    }
    return api::make_database(std::move(*store), options.lock_after);
  });
}

}  // namespace fieldsync

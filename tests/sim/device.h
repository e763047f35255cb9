// device.h: one device: the real client library on a simulated disk, its clock,
// its way to the office, and the sync that it is in the middle of.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/local_database.h"
#include "api/sync_steps.h"
#include "sim/app_schedule.h"
#include "sim/book.h"
#include "sim/machine_faults.h"
#include "sim/network.h"
#include "sim/office.h"
#include "sim/screen.h"

namespace fieldsync::sim {

class Device {
 public:
  Device(Run& run, SimulatedVfs& vfs, Server& server, Office& office, Network& network, std::size_t number,
         std::size_t person);

  [[nodiscard]] Book& book() { return book_; }
  [[nodiscard]] bool is_on() const { return database_ != nullptr; }
  [[nodiscard]] bool is_enrolled() const { return enrolled_; }
  // Nothing of it can be read any more, for ever: revoked, it handed in what it had; or somebody wiped it.
  [[nodiscard]] bool is_gone() const { return gone_ != Gone::no; }
  [[nodiscard]] bool was_wiped() const { return gone_ == Gone::wiped; }
  [[nodiscard]] bool is_paused() const { return locked_ || paused_until_ms_ > run_.schedule.now(); }
  // Pre: is_on().
  [[nodiscard]] api::LocalStore& store() { return *store_; }
  [[nodiscard]] Database& database() { return *database_; }
  std::vector<Screen>& screens() { return screens_; }
  MachineFaults& faults() { return faults_; }
  [[nodiscard]] const FileTree& disk() const { return machine_.files(); }
  // The last sync that ended well, and nothing since.
  [[nodiscard]] std::optional<std::int64_t> synced_at_ms() const { return synced_at_ms_; }

  void start();
  // Its person locks the app, for so long.
  void lock(std::int64_t span_ms);
  // Somebody wipes it: whatever the disk and the power do, nobody opens it afterwards.
  void wipe();
  void set_clock_ahead(std::int64_t ahead_ms) { clock_ahead_ms_ = ahead_ms; }
  // The person asks for one. Where none is running it begins, or when the app's scheduler lets it. Its steps are
  // events of the schedule.
  void sync();
  // Its network and its battery are others: where the app follows a scheduler.
  void change_conditions();
  // Something was saved.
  void note_saved();
  [[nodiscard]] bool is_syncing() const { return steps_.has_value(); }
  // After the person or the world did something with it: its power may be gone.
  // False where it is.
  bool look_after();
  void maybe_fail();
  // Everything works from now on: it syncs again and again.
  void heal();
  // A person freed the attachment, or was not allowed to.
  void check_freed(const AttachmentInfo& info, bool freed);

 private:
  enum class Gone : std::uint8_t { no, handed_in, wiped };

  // A request, while it travels.
  struct Sent {
    std::string method;
    std::optional<core::AttachmentId> attachment;
    std::uint64_t body_bytes = 0;
  };

  void later(std::int64_t span_ms, std::function<void()> event);
  void enrol();
  void begin_sync(const AttachmentLimits& limits);
  void follow_schedule();
  // In the place of any wake that was asked for before.
  void wake_after(std::int64_t span_ms);
  [[nodiscard]] std::int64_t utc_ms() const { return beginning_ms + run_.schedule.now() + clock_ahead_ms_; }
  void check_may_travel(const core::AttachmentId& id);
  void step();
  void take_answer(std::uint64_t exchange, Heard heard);
  // What is known of an upload's bytes; no more are sent than the office needs.
  void note_upload(const Heard& heard);
  void check_attachments();
  void check_reply(Answer& answer);
  void check_status();
  // False also where its disk fails just now.
  [[nodiscard]] bool has_form();
  [[nodiscard]] bool has_scope(const core::ScopeId& scope);
  void end_sync(const Error* error);
  // Its deletion was cut off, and what stands there is a new store.
  [[nodiscard]] bool is_store_new();
  void note_gone(Gone how);
  void check_locked();
  void unlock();
  void go_on_wiping();
  [[nodiscard]] std::uint64_t disk_failures();
  void lose_power();
  void kill_app();
  void end_app();
  [[nodiscard]] api::Environment environment();

  Run& run_;
  Server& server_;
  Office& office_;
  Network& network_;
  Machine& machine_;
  MachineFaults faults_;
  Link link_;
  Book book_;
  std::array<std::uint8_t, 32> key_seed_{};
  std::int64_t clock_ahead_ms_ = 0;
  std::int64_t paused_until_ms_ = 0;
  std::uint64_t boots_ = 0;
  std::uint64_t exchange_ = 0;
  std::int64_t sent_at_ms_ = 0;
  Sent sent_;
  std::uint64_t failures_before_sync_ = 0;  // of both disks
  // The disks' failures at its last pause; nothing where a request was made since.
  std::optional<std::uint64_t> failures_before_pause_;
  bool enrolled_ = false;
  Gone gone_ = Gone::no;
  bool to_be_wiped_ = false;
  bool locked_ = false;
  bool healed_ = false;
  std::optional<std::string> code_;
  std::optional<std::int64_t> synced_at_ms_;
  std::unique_ptr<Database> database_;
  api::LocalStore* store_ = nullptr;  // database_ owns it
  std::optional<api::SyncSteps> steps_;
  std::optional<AppSchedule> app_schedule_;
  std::uint64_t wake_ = 0;
  std::vector<Screen> screens_;
};

}  // namespace fieldsync::sim

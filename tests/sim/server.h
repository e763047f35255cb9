// server.h: the office's machine: the real store, service and router on a
// simulated disk, with one or two nodes over the one database.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "handlers/router.h"
#include "sim/disk/simulated_vfs.h"
#include "sim/interleaving_store.h"
#include "sim/machine_attachment_files.h"
#include "sim/machine_faults.h"
#include "store/sqlite/sqlite_store.h"

namespace fieldsync::sim {

// Who waits for what happens to the server.
struct ServerEvents {
  std::function<void()> between_calls;  // other requests may be handled now
  std::function<void()> while_stale;    // the same, while the second node reads what is old by then
  std::function<void()> came_up;        // after every start
  std::function<void()> was_restored;   // after the start from an older copy
};

class Server {
 public:
  Server(Run& run, SimulatedVfs& vfs);

  void set_events(ServerEvents events) { events_ = std::move(events); }
  void start();
  [[nodiscard]] bool is_up() const { return store_ != nullptr; }
  [[nodiscard]] server::Store& store() { return *store_; }
  [[nodiscard]] std::string file() const { return machine_.folder() + "/fieldsync-server.db"; }
  [[nodiscard]] const server::CursorKey& cursor_key() const { return cursor_key_; }
  // Pre: is_up().
  [[nodiscard]] server::AuditLog audit_log() const {
    return {log_key_, [this] { return clock(); }};
  }
  [[nodiscard]] codec::VerifyingKey log_public_key() const { return audit::public_key_of(log_key_); }
  [[nodiscard]] core::Instant clock() const { return {beginning_ms + run_.schedule.now() + clock_ahead_ms_}; }
  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }
  // How often an older copy took the place of the database.
  [[nodiscard]] std::uint64_t restores() const { return restores_; }
  // When the last such copy was taken.
  [[nodiscard]] std::int64_t restored_from_ms() const { return restored_from_ms_; }
  MachineFaults& faults() { return faults_; }
  [[nodiscard]] const FileTree& disk() const { return machine_.files(); }
  [[nodiscard]] const MachineAttachmentFiles& attachment_files() const { return attachment_files_; }

  // Nothing where the machine died or is down, or the connection broke after `arriving` bytes of
  // the body: no answer ever comes.
  [[nodiscard]] std::optional<server::Response> handle(const server::Request& request, std::size_t node,
                                                       std::size_t arriving = SIZE_MAX);

  // What goes wrong with the whole machine.
  void maybe_fail();
  void take_backup();
  void maybe_restore_backup();
  // Pre: there is one, and the server is up.
  void restore_newest_backup() { restore(backups_.size() - 1); }
  // Everything works from now on; up at once.
  void heal();

 private:
  struct Node {
    Node(server::Store& store, server::AttachmentService& attachments, std::function<void()> between,
         std::function<void()> while_stale, const server::CursorKey& key, const codec::SigningKey& log_key,
         const server::Clock& clock)
        : seam(store, std::move(between), std::move(while_stale)),
          service(seam, attachments, key, server::AuditLog(log_key, clock), clock),
          router(seam, service, attachments, clock) {}
    InterleavingStore seam;
    server::SyncService service;
    server::Router router;
  };
  // One for all nodes: who else writes to the files is known within one process only.
  struct Attachments {
    Attachments(server::Store& store, server::AttachmentFiles& files, std::function<void()> between,
                std::function<void()> while_stale, const server::Clock& clock)
        : seam(store, std::move(between), std::move(while_stale)), service(seam, files, clock) {}
    InterleavingStore seam;
    server::AttachmentService service;
  };
  struct Backup {
    std::int64_t taken_ms;
    FileTree files;
  };

  void restore(std::size_t backup);
  void stop();
  void restart();
  void notice_death();

  Run& run_;
  Machine& machine_;
  MachineFaults faults_;
  ServerEvents events_;
  server::CursorKey cursor_key_{};
  codec::SigningKey log_key_{};
  std::int64_t clock_ahead_ms_ = 0;
  MachineAttachmentFiles attachment_files_;
  std::unique_ptr<server::SqliteStore> store_;
  std::unique_ptr<Attachments> attachments_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::size_t node_count_ = 1;
  std::vector<Backup> backups_;
  int handling_ = 0;
  std::uint64_t stops_ = 0;
  std::uint64_t restores_ = 0;
  std::int64_t restored_from_ms_ = 0;
};

}  // namespace fieldsync::sim

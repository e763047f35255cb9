#include "sim/server.h"

#include <sodium.h>

#include "support/routed_request.h"

namespace fieldsync::sim {
namespace {

constexpr int attempts_to_open = 12;
constexpr std::int64_t clock_jump_max_ms = 2 * hour_ms;

FaultKind kind_of_age(std::int64_t age_ms) {
  if (age_ms < 8 * hour_ms) return FaultKind::restored_hour;
  return age_ms < 8 * day_ms ? FaultKind::restored_day : FaultKind::restored_month;
}

}  // namespace

Server::Server(Run& run, SimulatedVfs& vfs)
    : run_(run),
      machine_(vfs.add_machine("/sim/server")),
      faults_(run, machine_, Side::server, "server"),
      attachment_files_(machine_) {
  for (auto& byte : cursor_key_) byte = static_cast<std::uint8_t>(run.chance.next());
  // No chance of its own: seeds keep their stories.
  codec::VerifyingKey log_public_key{};
  std::array<std::uint8_t, crypto_sign_SEEDBYTES> seed{};
  std::copy(cursor_key_.begin(), cursor_key_.end(), seed.begin());
  crypto_sign_seed_keypair(log_public_key.data(), log_key_.data(), seed.data());
  if (run.strikes(FaultKind::second_node)) node_count_ = 2;
}

void Server::start() {
  for (int attempt = 0; !store_; ++attempt) {
    if (!machine_.is_running()) faults_.power_on();
    auto opened = server::SqliteStore::open(file(), server::StoreHost::single_thread);
    faults_.notice();
    if (opened && machine_.is_running()) {
      store_ = std::move(*opened);
    } else if (attempt > attempts_to_open) {
      throw BrokenPromise("The server's database does not open any more: " +
                          (opened ? std::string("power") : opened.error().message()));
    } else if (machine_.is_running()) {
      faults_.repair();
    }
  }
  attachments_ = std::make_unique<Attachments>(
      *store_, attachment_files_, [this] { events_.between_calls(); },
      [this] {
        if (node_count_ > 1) events_.while_stale();
      },
      [this] { return clock(); });
  for (std::size_t i = 0; i < node_count_; ++i) {
    nodes_.push_back(std::make_unique<Node>(
        *store_, attachments_->service, [this] { events_.between_calls(); },
        [this, may_be_stale = i > 0] {
          if (may_be_stale) events_.while_stale();
        },
        cursor_key_, log_key_, [this] { return clock(); }));
  }
  faults_.note_start();
  run_.story.tell("server", "is up");
  if (events_.came_up) events_.came_up();
}

void Server::stop() {
  nodes_.clear();
  attachments_.reset();
  store_.reset();
  ++stops_;
}

std::optional<server::Response> Server::handle(const server::Request& request, std::size_t node, std::size_t arriving) {
  notice_death();
  if (!is_up() || !machine_.is_running()) return std::nullopt;
  ++handling_;
  const FaultCounts before = machine_.fault_counts();
  server::Router& router = nodes_[node % nodes_.size()]->router;
  std::optional<server::Response> response = testing::answer_of(router, request, arriving);
  --handling_;
  if (!machine_.is_running()) response.reset();
  const FaultCounts& after = machine_.fault_counts();
  const bool disk_failed = after.io_errors != before.io_errors || after.disk_full != before.disk_full;
  if (response && response->status >= 500 && !disk_failed)
    throw BrokenPromise("The office fails without a cause: " + response->body);
  notice_death();
  return response;
}

void Server::notice_death() {
  faults_.notice();
  if (handling_ > 0 || !is_up()) return;
  if (machine_.is_running()) {
    if (faults_.take_restart()) restart();
    return;
  }
  run_.story.tell("server", "loses power");
  stop();
  run_.schedule.after(run_.chance.between(second_ms, run_.chance.happens(0.2) ? 5 * hour_ms : minute_ms),
                      [this, stop = stops_] {
                        if (stops_ == stop && !is_up()) start();
                      });
}

void Server::maybe_fail() {
  if (!is_up()) return;
  if (run_.strikes(FaultKind::server_clock_jump)) {
    clock_ahead_ms_ = run_.chance.between(-clock_jump_max_ms, clock_jump_max_ms);
    run_.story.tell("server", "its clock is off by " + std::to_string(clock_ahead_ms_) + " ms from now on");
  }
  if (run_.strikes(FaultKind::server_clock_off)) {
    clock_ahead_ms_ = run_.chances.of(FaultKind::server_clock_off).between(-ten_years_ms, ten_years_ms);
    run_.story.tell("server", "its clock is off by " + std::to_string(clock_ahead_ms_ / day_ms) + " days from now on");
  }
  if (run_.strikes(FaultKind::server_crash_idle)) {
    faults_.repair();
    machine_.cut_power();
    notice_death();
    return;
  }
  if (run_.strikes(FaultKind::server_killed)) {
    restart();
    return;
  }
  faults_.maybe_arm();
  faults_.maybe_fail_sync();
  run_.schedule.after(run_.chance.between(minute_ms, 3 * hour_ms), [this] { faults_.repair(); });
}

void Server::restart() {
  run_.story.tell("server", "is killed");
  machine_.kill_programs();
  stop();
  start();
}

void Server::take_backup() {
  if (!is_up() || !machine_.is_running()) return;
  backups_.push_back({run_.schedule.now(), machine_.files().copied()});
}

void Server::maybe_restore_backup() {
  if (backups_.empty() || !is_up()) return;
  const std::size_t backup = run_.chance.below(backups_.size());
  if (run_.strikes(kind_of_age(run_.schedule.now() - backups_[backup].taken_ms))) restore(backup);
}

void Server::restore(std::size_t backup) {
  const std::int64_t age_ms = run_.schedule.now() - backups_[backup].taken_ms;
  run_.story.tell("server", "is replaced by its backup, " + std::to_string(age_ms / minute_ms) + " minutes old");
  stop();
  ++restores_;
  restored_from_ms_ = backups_[backup].taken_ms;
  machine_.restore(backups_[backup].files);
  // The later copies are of a history that is gone.
  backups_.resize(backup + 1);
  faults_.repair();
  start();
  if (events_.was_restored) events_.was_restored();
}

void Server::heal() {
  faults_.repair();
  notice_death();
  clock_ahead_ms_ = 0;
  if (!is_up()) start();
}

}  // namespace fieldsync::sim

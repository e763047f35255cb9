#include "sim/world.h"

#include <memory>

#include "sim/attachment_checks.h"
#include "sim/final_checks.h"
#include "sim/monitor.h"
#include "sim/seeded_sodium.h"

namespace fieldsync::sim {
namespace {

// How long it may take until nothing is left to send or receive.
constexpr std::int64_t heals_within_ms = minute_ms;
constexpr std::int64_t large_backlog_heals_within_ms = 10 * minute_ms;
constexpr std::size_t large_backlog = 100;
constexpr std::int64_t lengths_ms[] = {2 * hour_ms, day_ms, 5 * day_ms, 40 * day_ms};

class World {
 public:
  explicit World(std::uint64_t seed)
      : run_(seed),
        vfs_([chance = run_.chance.fork()]() mutable { return chance.next(); },
             [this] { return beginning_ms + run_.schedule.now(); }),
        server_(run_, vfs_),
        office_(run_, server_),
        network_(run_, server_) {
    server_.set_events({.between_calls = [this] { network_.handle_another(FaultKind::requests_interleaved); },
                        .while_stale = [this] { network_.handle_another(FaultKind::stale_connection); },
                        .came_up = [this] { check_promises(); },
                        .was_restored = [this] { office_was_restored(); }});
    network_.on_reply([this](const Link& link, const v1::SyncReply& reply) { note_promise(link, reply); });
  }

  void live() {
    populate();
    plan_days();
    run_.schedule.run_until(length_ms_);
    heal();
  }

  void report(RunResult& result) const {
    result.story = run_.story.lines();
    result.hash = run_.story.hash() + server_.disk().hash();
    for (const auto& device : devices_) result.hash += device->disk().hash();
    result.tally = run_.tally;
    result.healed_after_ms = healed_after_ms_;
    for (const auto& device : devices_) result.operations += device->book().saved.size();
  }
  void tell(const std::string& what) { run_.story.tell("the run", what); }

 private:
  void populate() {
    length_ms_ = run_.chance.pick(lengths_ms);
    const bool terse = run_.chance.happens(0.2);
    server_.start();
    office_.write_down();
    const std::size_t count =
        static_cast<std::size_t>(2 + run_.chance.below(3) + (run_.chance.happens(0.2) ? run_.chance.below(5) : 0));
    for (std::size_t i = 0; i < count; ++i) {
      // Some people have two devices.
      const std::size_t person = i > 0 && run_.chance.happens(0.15) ? i - 1 : i;
      devices_.push_back(std::make_unique<Device>(run_, vfs_, server_, office_, network_, i, person));
      monitors_.push_back(std::make_unique<Monitor>(run_, *devices_.back(), terse));
    }
  }

  void at_some_time(std::function<void()> event) {
    run_.schedule.after(run_.chance.between(0, length_ms_), std::move(event));
  }

  void plan_days() {
    for (const auto& device : devices_)
      run_.schedule.after(run_.chance.between(0, length_ms_ / 10), [&device] { device->start(); });
    const std::int64_t acts = run_.chance.between(20, 160);
    for (std::int64_t i = 0; i < acts; ++i) {
      at_some_time([this] { work(run_.chance.below(devices_.size())); });
    }
    const std::int64_t syncs = run_.chance.between(4, 80);
    for (std::int64_t i = 0; i < syncs; ++i) {
      at_some_time([this] { run_.chance.pick(devices_)->sync(); });
    }
    for (int i = 0; i < 12; ++i) at_some_time([this] { run_.chance.pick(devices_)->maybe_fail(); });
    for (int i = 0; i < 6; ++i) at_some_time([this] { server_.maybe_fail(); });
    for (int i = 0; i < 3; ++i) at_some_time([this] { maybe_pause_server(); });
    plan_decisions();
    plan_revocations();
    plan_what_people_do();
    plan_form();
    plan_leaves();
    plan_board();
    plan_backups();
  }

  // Several edits in a row, as people do.
  void work(std::size_t device) {
    const std::int64_t steps = run_.chance.between(1, 3);
    for (std::int64_t i = 0; i < steps; ++i) monitors_[device]->act();
  }

  void plan_decisions() {
    for (int i = 0; i < 2; ++i) {
      at_some_time([this] {
        if (run_.tries(FaultKind::form_renewed)) office_.renew_form();
      });
    }
    at_some_time([this] {
      Device& device = *run_.chance.pick(devices_);
      if (device.is_enrolled() && run_.tries(FaultKind::device_revoked)) revoke_in_midst_of_sync(device);
    });
    at_some_time([this] {
      Device& device = *run_.chance.pick(devices_);
      if (!run_.tries(FaultKind::member_left) || !office_.take_from_scope(device.book().person)) return;
      run_.tally.add(FaultKind::member_left);
      run_.story.tell("office", "takes a scope from the person of " + device.book().name);
    });
  }

  void revoke_in_midst_of_sync(Device& device) {
    device.sync();
    run_.schedule.after(run_.chances.of(FaultKind::device_revoked).between(0, 2 * second_ms), [this, &device] {
      if (device.is_syncing()) run_.tally.add(FaultKind::device_revoked);
      run_.story.tell("office", "revokes " + device.book().name);
      office_.revoke(device.book().device);
    });
  }

  void plan_revocations() {
    Chance& chance = run_.chances.of(FaultKind::revoked_while_away);
    run_.schedule.after(chance.between(0, length_ms_), [this, &chance] {
      Device& device = *chance.pick(devices_);
      if (!device.is_enrolled() || !run_.tries(FaultKind::revoked_while_away)) return;
      run_.tally.add(FaultKind::revoked_while_away);
      run_.story.tell("office", "revokes " + device.book().name + ", which is away");
      office_.revoke(device.book().device);
    });
  }

  // So many times, each with one of those, where the fault is tried then.
  template <typename Those, typename Act>
  void perhaps(FaultKind kind, int times, Those& those, Act act) {
    Chance& chance = run_.chances.of(kind);
    for (int i = 0; i < times; ++i) {
      run_.schedule.after(chance.between(0, length_ms_), [this, kind, act, &chance, &those] {
        auto& one = *chance.pick(those);
        if (run_.tries(kind)) act(one, chance);
      });
    }
  }

  void plan_what_people_do() {
    perhaps(FaultKind::store_locked, 6, devices_, [this](Device& device, Chance& chance) {
      // In the midst of a sync, often.
      if (chance.happens(0.7)) device.sync();
      run_.schedule.after(chance.between(0, 2 * second_ms), [this, &chance, &device] {
        if (run_.plan.chosen(FaultKind::store_locked)) device.lock(chance.between(1, hour_ms));
      });
    });
    perhaps(FaultKind::store_wiped, 1, devices_, [](Device& device, Chance&) { device.wipe(); });
    perhaps(FaultKind::refusal_put_right, 12, monitors_, [](Monitor& monitor, Chance&) { monitor.put_right(); });
    perhaps(FaultKind::quarantine_accepted, 12, devices_,
            [this](Device&, Chance& chance) { office_.desk().accept_one(chance); });
    perhaps(FaultKind::quarantine_returned, 6, devices_,
            [this](Device&, Chance& chance) { office_.desk().return_one(chance); });
    perhaps(FaultKind::schedule_followed, 40, devices_, [](Device& device, Chance&) { device.change_conditions(); });
  }

  // So that there is something to lose.
  void plan_form() {
    if (!run_.plan.chosen(FaultKind::form_lost_by_restore)) return;
    Chance& chance = run_.chances.of(FaultKind::form_lost_by_restore);
    for (int i = 0; i < 2; ++i) {
      run_.schedule.after(chance.between(0, length_ms_ / 2), [this] { office_.renew_form(); });
    }
    for (int i = 0; i < 20; ++i) {
      run_.schedule.after(chance.between(0, length_ms_),
                          [this, &chance] { chance.pick(monitors_)->fill_in_new_field(); });
    }
  }

  void plan_leaves() {
    perhaps(FaultKind::member_returned, 4, devices_, [this](Device& device, Chance& chance) {
      const Book& book = device.book();
      const auto scope = office_.take_from_scope(book.person);
      if (!scope) return;
      run_.story.tell("office", "takes a scope from the person of " + book.name + " for some time");
      run_.schedule.after(chance.between(minute_ms, length_ms_ / 4), [this, person = book.person, scope = *scope] {
        if (!run_.plan.chosen(FaultKind::member_returned)) return;
        office_.give_scope(person, scope);
        run_.tally.add(FaultKind::member_returned);
      });
    });
  }

  void plan_board() {
    perhaps(FaultKind::moved_to_board, 3, devices_, [this](Device& device, Chance& chance) {
      const Book& book = device.book();
      const auto scope = office_.move_to_board(book.person);
      if (!scope) return;
      run_.story.tell("office", "lets the person of " + book.name + " read only, for some time");
      run_.schedule.after(chance.between(minute_ms, length_ms_ / 4),
                          [this, person = book.person, scope = *scope] { office_.move_back(person, scope); });
    });
  }

  void plan_backups() {
    const bool any = run_.plan.chosen(FaultKind::restored_hour) || run_.plan.chosen(FaultKind::restored_day) ||
                     run_.plan.chosen(FaultKind::restored_month);
    if (!any) return;
    for (int i = 0; i < 8; ++i) at_some_time([this] { server_.take_backup(); });
    for (int i = 0; i < 4; ++i) at_some_time([this] { server_.maybe_restore_backup(); });
  }

  void maybe_pause_server() {
    if (run_.chance.happens(run_.plan.probability(FaultKind::server_paused)))
      network_.pause_server(run_.chance.between(second_ms, hour_ms));
  }

  // The reply is on its way: what it says must be on the disk.
  void note_promise(const Link& link, const v1::SyncReply& reply) {
    for (const v1::OperationResult& result : reply.results()) {
      if (result.code() == "not_permitted") run_.tally.add(FaultKind::moved_to_board);
    }
    for (const auto& device : devices_) device->book().note_promise(link.device_name, reply.acknowledged_counter());
  }

  template <typename Body>
  void for_each_row(Body body) {
    const auto looked = server_.store().read([&](server::ReadTransaction& transaction) -> Result<void> {
      for (const auto& device : devices_) {
        const auto row = transaction.device_by_id(device->book().device);
        body(device->book(), row ? row->last_counter : 0);
      }
      return {};
    });
    if (!looked && !server_.faults().armed())
      throw BrokenPromise("The office's database cannot be read: " + looked.error().message());
  }

  void check_promises() {
    if (!restoring()) {
      for_each_row([](const Book& book, std::uint64_t last) {
        if (last < book.promised) {
          throw BrokenPromise("The office acknowledged operation " + std::to_string(book.promised) + " of " +
                              book.name + " and lost it: it has " + std::to_string(last));
        }
      });
    }
    restores_seen_ = server_.restores();
    check_attachments();
  }

  void check_attachments() {
    const auto looked = server_.store().read([&](server::ReadTransaction& transaction) -> Result<void> {
      std::vector<server::DeviceRow> rows;
      for (const auto& device : devices_) {
        if (const auto row = transaction.device_by_id(device->book().device)) rows.push_back(*row);
      }
      check_office_attachments(server_, transaction, rows, run_.album);
      return {};
    });
    if (!looked && !server_.faults().armed())
      throw BrokenPromise("The office's database cannot be read: " + looked.error().message());
  }
  [[nodiscard]] bool restoring() const { return server_.restores() != restores_seen_; }

  void office_was_restored() {
    const std::int64_t copy_ms = server_.restored_from_ms();
    network_.deliver_old_requests(copy_ms);
    if (office_.has_taken_rights_since(copy_ms) && run_.tries(FaultKind::rights_given_again)) {
      office_.write_down_after(run_.chances.of(FaultKind::rights_given_again).between(minute_ms, 7 * day_ms));
    } else if (office_.has_published_since(copy_ms) && run_.tries(FaultKind::form_lost_by_restore)) {
      office_.write_down_form_after(run_.chances.of(FaultKind::form_lost_by_restore).between(minute_ms, length_ms_));
    } else {
      office_.write_down();
    }
    for_each_row([](Book& book, std::uint64_t last) { book.promised = last; });
  }

  void heal() {
    tell("from here on everything works");
    run_.plan.heal();
    server_.heal();
    office_.write_down();
    network_.heal();
    std::size_t backlog = 0;
    for (const auto& device : devices_) {
      device->heal();
      if (device->is_on())
        backlog += device->store().identity.last_counter() - device->store().identity.acknowledged_counter();
    }
    for (const auto& monitor : monitors_) monitor->put_away();
    const std::int64_t began_ms = run_.schedule.now();
    Healed healed{office_, server_, run_.album, {}, began_ms};
    for (const auto& device : devices_) healed.devices.push_back(device.get());
    const std::int64_t limit_ms = backlog > large_backlog ? large_backlog_heals_within_ms : heals_within_ms;
    while (!everybody_is_done(healed)) {
      if (run_.schedule.now() - began_ms > limit_ms)
        throw BrokenPromise("Everything works for " + std::to_string(limit_ms / second_ms) + " s and " +
                            who_is_not_done(healed));
      run_.schedule.run_until(run_.schedule.now() + second_ms);
    }
    healed_after_ms_ = run_.schedule.now() - began_ms;
    check_healed(healed);
  }

  Run run_;
  SimulatedVfs vfs_;
  Server server_;
  Office office_;
  Network network_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<std::unique_ptr<Monitor>> monitors_;
  std::int64_t length_ms_ = 0;
  std::int64_t healed_after_ms_ = 0;
  std::uint64_t restores_seen_ = 0;
};

}  // namespace

RunResult run_seed(std::uint64_t seed) {
  RunResult result;
  result.seed = seed;
  seed_sodium(seed);
  World world(seed);
  try {
    world.live();
  } catch (const std::exception& broken) {
    result.broken = broken.what();
    world.tell(broken.what());
  }
  world.report(result);
  return result;
}

}  // namespace fieldsync::sim

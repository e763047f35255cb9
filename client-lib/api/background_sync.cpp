#include "api/background_sync.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <thread>

#include "api/environment.h"
#include "sqlite/connection.h"

namespace fieldsync {
namespace {

using api::BackgroundPort;
using sqlite::guard;

// A wait is looked at anew after this long at the latest.
constexpr std::int64_t wait_ms_max = 3'600'000;

class BackgroundThread final : public BackgroundSync {
 public:
  BackgroundThread(BackgroundPort port, const BackgroundOptions& options)
      : port_(std::move(port)),
        on_change_(options.on_change),
        scheduler_(options.policy, port_.jitter, options.metered_days),
        options_(options.sync),
        on_report_(options.sync.on_report) {
    options_.on_report = [this](const SyncReport& report) {
      report_ = report;
      if (on_report_) on_report_(report);
    };
    thread_ = std::thread([this] { run(); });
  }

  ~BackgroundThread() override {
    std::stop_source running;
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
      running = stop_;
    }
    running.request_stop();
    happened_.notify_all();
    thread_.join();
  }
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;

  void set_conditions(const Conditions& conditions) override {
    tell([&] { scheduler_.set_conditions(conditions, port_.now()); });
  }

  Result<void> set_policy(const SchedulePolicy& policy) override {
    return guard([&]() -> Result<void> {
      if (auto sound = check(policy); !sound) return sound;
      tell([&] { scheduler_.set_policy(policy); });
      return {};
    });
  }

  void note_saved() override {
    tell([&] { scheduler_.saved(port_.now()); });
  }
  void sync_now(const PersonRequest& request) override {
    tell([&] { scheduler_.requested(request, port_.now()); });
  }
  void pause() override {
    tell([&] { scheduler_.paused(); });
  }
  void resume() override {
    tell([&] { scheduler_.resumed(); });
  }
  void unlocked() override {
    tell([&] { scheduler_.unlocked(); });
  }

  BackgroundState state() override {
    const std::lock_guard lock(mutex_);
    return {scheduler_.decide(port_.now()), last_error_, syncs_begun_, scheduler_.metered_days()};
  }

 private:
  template <typename Event>
  void tell(Event event) {
    std::stop_source unwanted(std::nostopstate);
    {
      const std::lock_guard lock(mutex_);
      event();
      ++events_;
      if (scheduler_.should_stop()) unwanted = stop_;
    }
    // Without the lock: a stop runs on this thread until the sync knows of it.
    unwanted.request_stop();
    happened_.notify_all();
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!ends_) {
      const std::uint64_t events = events_;
      const ScheduleTime now = port_.now();
      const Decision decision = scheduler_.decide(now);
      if (decision.what == Decision::What::sync_now) {
        sync(decision, lock);
        continue;
      }
      publish(decision, lock);
      const auto span =
          std::chrono::milliseconds(std::clamp<std::int64_t>(decision.until_ms - now.steady_ms, 0, wait_ms_max));
      happened_.wait_for(lock, span, [&] { return ends_ || events_ != events; });
    }
  }

  void publish(const Decision& decision, std::unique_lock<std::mutex>& lock) {
    if (published_ == decision) return;
    published_ = decision;
    if (!on_change_) return;
    lock.unlock();
    on_change_(decision);
    lock.lock();
  }

  void sync(const Decision& decision, std::unique_lock<std::mutex>& lock) {
    scheduler_.sync_started(port_.now());
    ++syncs_begun_;
    options_.attachments = decision.attachments;
    options_.counts_as_use = decision.reason == Reason::person_asked;
    report_ = {};
    const auto stoppable = guard([this]() -> Result<void> {
      stop_ = std::stop_source();
      return {};
    });
    options_.stop = stop_.get_token();
    publish(scheduler_.decide(port_.now()), lock);
    lock.unlock();
    std::optional<Error> error;
    if (!stoppable) {
      error = stoppable.error();
    } else if (const auto synced = guard([this] { return port_.sync(options_); }); !synced) {
      error = synced.error();
    }
    // lock() cancels the sync that runs.
    if (error && error->code == Errc::cancelled && port_.lock_state() != LockState::unlocked)
      error = Error{Errc::locked, {}};
    lock.lock();
    const std::uint64_t attachments = report_.attachment_bytes_up + report_.attachment_bytes_down;
    const std::uint64_t wire = report_.wire_bytes_up + report_.wire_bytes_down;
    SyncEnd end;
    if (error) end.error = error->code;
    end.attachment_bytes = attachments;
    end.text_bytes = wire - std::min(wire, attachments);
    scheduler_.sync_ended(end, port_.now());
    last_error_ = std::move(error);
  }

  const BackgroundPort port_;
  const std::function<void(const Decision&)> on_change_;
  std::mutex mutex_;
  std::condition_variable happened_;
  SyncScheduler scheduler_;
  std::uint64_t events_ = 0;
  bool ends_ = false;
  std::stop_source stop_{std::nostopstate};  // of the sync that runs
  std::optional<Error> last_error_;
  std::uint64_t syncs_begun_ = 0;
  // The members below are the thread's own.
  std::optional<Decision> published_;
  SyncOptions options_;
  const std::function<void(const SyncReport&)> on_report_;
  SyncReport report_;
  std::thread thread_;
};

constexpr std::int64_t day_ms = 24 * 3'600'000;

}  // namespace

Result<std::unique_ptr<BackgroundSync>> api::start_background_sync(BackgroundPort port,
                                                                   const BackgroundOptions& options) {
  return guard([&]() -> Result<std::unique_ptr<BackgroundSync>> {
    if (auto sound = check(options.policy); !sound) return sound.error();
    try {
      std::unique_ptr<BackgroundSync> started = std::make_unique<BackgroundThread>(std::move(port), options);
      return started;
    } catch (const std::system_error&) {
      return Error{Errc::out_of_memory, "The system starts no more threads just now."};
    }
  });
}

Result<std::unique_ptr<BackgroundSync>> BackgroundSync::start(Database& database, const BackgroundOptions& options) {
  return guard([&] {
    const api::Environment environment = api::real_environment();
    BackgroundPort port;
    port.sync = [&database](const SyncOptions& with) { return database.sync(with); };
    port.lock_state = [&database] { return database.lock_state(); };
    port.now = [steady = environment.steady_clock, wall = environment.wall_clock] {
      const std::int64_t ms = wall().ms;
      return ScheduleTime{steady().count, ms / day_ms - (ms % day_ms < 0 ? 1 : 0)};
    };
    port.jitter = environment.jitter;
    return api::start_background_sync(std::move(port), options);
  });
}

}  // namespace fieldsync

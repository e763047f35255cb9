// Background sync on its thread: over a store that does what the test says, and over the real
// one. When and what it syncs is tested in tests/unit/engine/sync_scheduler_test.cpp.
#include "api/background_sync.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "app_office.h"
#include "support/unlocked_store.h"

using namespace fieldsync;
using namespace fieldsync::testing;
using namespace std::chrono_literals;

namespace {

// Whether it becomes so within ten seconds; longer on a busy machine would say nothing.
template <typename Condition>
bool becomes(Condition condition) {
  for (int i = 0; i < 2'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

// Short waits where the test waits for them, long ones where nothing should happen.
SchedulePolicy quick() {
  SchedulePolicy policy;
  policy.quiet_ms = policy.quiet_ms_max = 20;
  policy.backoff_ms_first = policy.backoff_ms_least = 3'600'000;
  policy.backoff_ms_max = policy.poll_foreground_ms = policy.poll_background_ms = policy.poll_metered_ms = 3'600'000;
  return policy;
}

constexpr Conditions wifi{.connectivity = Connectivity::unmetered, .foreground = true};
constexpr Conditions mobile{.connectivity = Connectivity::metered, .foreground = true};

// Stands for a Database.
class FakeStore {
 public:
  struct Call {
    AttachmentLimits attachments;
    bool counts_as_use = false;
  };

  api::BackgroundPort port() {
    return {[this](const SyncOptions& options) { return sync(options); }, [this] { return lock_state.load(); },
            [this] {
              const auto now = std::chrono::steady_clock::now().time_since_epoch();
              return ScheduleTime{std::chrono::duration_cast<std::chrono::milliseconds>(now).count(), utc_day};
            },
            [] { return 1.0; }};
  }
  std::unique_ptr<BackgroundSync> start(const BackgroundOptions& options = {.policy = quick()}) {
    return must(api::start_background_sync(port(), options));
  }

  std::vector<Call> calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  bool has_calls(std::size_t count) {
    return becomes([&] { return calls().size() >= count; });
  }
  // How the syncs to come end; `report` is told where it fails, too.
  void will_end(const Result<SyncReport>& result, const SyncReport& report = {}) {
    const std::lock_guard lock(mutex_);
    outcomes_.push_back({result, report});
  }

  std::atomic<LockState> lock_state = LockState::unlocked;
  std::atomic<std::int64_t> utc_day = 20'000;
  std::atomic<bool> held = false;  // a sync goes on until it is stopped
  std::atomic<int> running = 0;
  bool throws = false;

 private:
  struct Outcome {
    Result<SyncReport> result;
    SyncReport report;
  };

  Result<SyncReport> sync(const SyncOptions& options) {
    ++running;
    std::unique_lock lock(mutex_);
    calls_.push_back({options.attachments, options.counts_as_use});
    if (std::exchange(throws, false)) {
      --running;
      throw std::bad_alloc();
    }
    std::condition_variable_any stopped;
    if (held) stopped.wait(lock, options.stop, [] { return false; });
    Outcome outcome{SyncReport{}, {}};
    if (!outcomes_.empty()) {
      outcome = outcomes_.front();
      outcomes_.pop_front();
    }
    options.on_report(outcome.report);
    --running;
    if (options.stop.stop_requested()) return Error{Errc::cancelled, {}};
    return outcome.result;
  }

  std::mutex mutex_;
  std::vector<Call> calls_;
  std::deque<Outcome> outcomes_;
};

bool rests(BackgroundSync& sync, Reason reason) {
  return becomes([&] { return sync.state().decision.reason == reason; });
}

// Nothing happens in a while that would be long enough.
bool stays_at(FakeStore& store, std::size_t count) {
  std::this_thread::sleep_for(100ms);
  return store.calls().size() == count;
}

}  // namespace

TEST_CASE("Nothing is sent before the app says that there is a connection") {
  FakeStore store;
  const auto sync = store.start();
  sync->note_saved();
  sync->sync_now();
  CHECK(stays_at(store, 0));
  CHECK(sync->state().decision.reason == Reason::no_connection);
  sync->set_conditions(wifi);
  CHECK(store.has_calls(1));
  CHECK(rests(*sync, Reason::up_to_date));
  CHECK(sync->state().syncs_begun == 1);
}

TEST_CASE("What was saved is sent after a short quiet time, several saves at once") {
  FakeStore store;
  const auto sync = store.start();
  sync->set_conditions(wifi);
  REQUIRE(rests(*sync, Reason::up_to_date));
  for (int i = 0; i < 10; ++i) sync->note_saved();
  CHECK(store.has_calls(2));
  CHECK(stays_at(store, 2));
}

TEST_CASE("A sync is told what may travel, and only a person's sync counts as use") {
  FakeStore store;
  const auto sync = store.start();
  sync->set_conditions(mobile);
  REQUIRE(rests(*sync, Reason::up_to_date));
  sync->sync_now({.all_attachments = true, .beyond_budget = true});
  REQUIRE(store.has_calls(2));
  const auto calls = store.calls();
  CHECK(calls[0].attachments == AttachmentLimits{true, false, false, 20'000'000});
  CHECK_FALSE(calls[0].counts_as_use);
  CHECK(calls[1].attachments == AttachmentLimits{});
  CHECK(calls[1].counts_as_use);
}

TEST_CASE("What failed syncs cost counts too, and the day's cost is told for the next start") {
  FakeStore store;
  SyncReport cost;
  cost.wire_bytes_up = 2'000'000;
  cost.wire_bytes_down = 1'000'000;
  cost.attachment_bytes_up = 1'500'000;
  store.will_end(Error{Errc::connection_lost, {}}, cost);
  const auto sync = store.start();
  sync->set_conditions(mobile);
  REQUIRE(rests(*sync, Reason::backing_off));
  const BackgroundState state = sync->state();
  CHECK(state.metered_days == std::vector<MeteredDay>{{20'000, 3'000'000}});
  CHECK(state.decision.attachments.bytes_max == 17'000'000);
  const auto next = store.start({.policy = quick(), .metered_days = state.metered_days});
  next->set_conditions(mobile);
  REQUIRE(store.has_calls(2));
  CHECK(store.calls()[1].attachments.bytes_max == 17'000'000);
}

TEST_CASE("A pause ends the sync that runs at once, and nothing more begins until it is resumed") {
  FakeStore store;
  store.held = true;
  const auto sync = store.start();
  sync->set_conditions(wifi);
  REQUIRE(becomes([&] { return store.running == 1; }));
  CHECK(sync->state().decision.reason == Reason::syncing);
  sync->pause();
  CHECK(sync->state().decision.reason == Reason::paused);
  CHECK(becomes([&] { return store.running == 0; }));
  sync->note_saved();
  sync->sync_now();
  CHECK(stays_at(store, 1));
  store.held = false;
  sync->resume();
  CHECK(store.has_calls(2));
}

TEST_CASE("A sync that carries photos over Wi-Fi ends when the Wi-Fi does, and goes on without them") {
  FakeStore store;
  store.held = true;
  const auto sync = store.start();
  sync->set_conditions(wifi);
  REQUIRE(becomes([&] { return store.running == 1; }));
  store.held = false;
  sync->set_conditions(mobile);
  REQUIRE(store.has_calls(2));
  CHECK(store.calls()[0].attachments.photos);
  CHECK_FALSE(store.calls()[1].attachments.photos);
}

TEST_CASE("Destroying it ends the sync that runs at once") {
  FakeStore store;
  store.held = true;
  auto sync = store.start();
  sync->set_conditions(wifi);
  REQUIRE(becomes([&] { return store.running == 1; }));
  sync.reset();
  CHECK(store.running == 0);
}

TEST_CASE("A locked store is asked once, and again when it is unlocked") {
  FakeStore store;
  store.will_end(Error{Errc::locked, {}});
  const auto sync = store.start();
  sync->set_conditions(wifi);
  REQUIRE(rests(*sync, Reason::locked));
  sync->set_conditions(mobile);
  CHECK(stays_at(store, 1));
  sync->unlocked();
  CHECK(store.has_calls(2));
  CHECK(rests(*sync, Reason::up_to_date));
}

TEST_CASE("A sync that was cancelled because the store was locked waits for the store") {
  FakeStore store;
  store.lock_state = LockState::locked;
  store.will_end(Error{Errc::cancelled, {}});
  store.will_end(Error{Errc::cancelled, {}});
  const auto sync = store.start();
  sync->set_conditions(wifi);
  CHECK(rests(*sync, Reason::locked));
  store.lock_state = LockState::unlocked;
  sync->unlocked();
  CHECK(rests(*sync, Reason::resting));
}

TEST_CASE("A failure is told with its sentence, and a new connection tries again at once") {
  FakeStore store;
  store.will_end(Error{Errc::overloaded, "The server says so."});
  const auto sync = store.start();
  sync->set_conditions(wifi);
  REQUIRE(rests(*sync, Reason::backing_off));
  REQUIRE(sync->state().last_error);
  CHECK(sync->state().last_error->message() == "The server says so.");
  CHECK(stays_at(store, 1));
  Conditions elsewhere = wifi;
  elsewhere.network = 2;
  sync->set_conditions(elsewhere);
  CHECK(store.has_calls(2));
  CHECK(rests(*sync, Reason::up_to_date));
  CHECK_FALSE(sync->state().last_error);
}

TEST_CASE("A lack of memory is a failure like another") {
  FakeStore store;
  store.throws = true;
  const auto sync = store.start();
  sync->set_conditions(wifi);
  REQUIRE(rests(*sync, Reason::backing_off));
  CHECK(sync->state().decision.error == Errc::out_of_memory);
}

TEST_CASE("Each change of what is decided is told, and may be answered from there") {
  FakeStore store;
  std::mutex mutex;
  std::vector<Reason> told;
  BackgroundSync* started = nullptr;
  BackgroundOptions options{.policy = quick()};
  options.on_change = [&](const Decision& decision) {
    const std::lock_guard lock(mutex);
    told.push_back(decision.reason);
    if (decision.reason == Reason::up_to_date) started->pause();
  };
  const auto sync = store.start(options);
  {
    const std::lock_guard lock(mutex);
    started = sync.get();
  }
  sync->set_conditions(wifi);
  CHECK(becomes([&] {
    const std::lock_guard lock(mutex);
    return !told.empty() && told.back() == Reason::paused;
  }));
  const std::lock_guard lock(mutex);
  if (told.front() == Reason::no_connection) told.erase(told.begin());
  CHECK(told == std::vector<Reason>{Reason::syncing, Reason::up_to_date, Reason::paused});
}

TEST_CASE("A policy that is none is refused, at the start and later") {
  FakeStore store;
  SchedulePolicy policy = quick();
  policy.poll_foreground_ms = 0;
  CHECK(verdict(api::start_background_sync(store.port(), {.policy = policy})) == "invalid_argument");
  const auto sync = store.start();
  CHECK(verdict(sync->set_policy(policy)) == "invalid_argument");
  sync->set_conditions(mobile);
  REQUIRE(rests(*sync, Reason::up_to_date));
  policy = quick();
  policy.photos_on_metered = true;
  must(sync->set_policy(policy));
  CHECK(sync->state().decision.attachments.photos);
}

TEST_CASE("Any threads may call it at once") {
  FakeStore store;
  BackgroundOptions options{.policy = quick()};
  std::atomic<int> changes = 0;
  options.on_change = [&](const Decision&) { ++changes; };
  const auto sync = store.start(options);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 100; ++k) {
        sync->set_conditions((i + k) % 3 == 0 ? mobile : wifi);
        sync->note_saved();
        sync->sync_now();
        if (k % 10 == i) sync->pause();
        static_cast<void>(sync->state());
        sync->resume();
        sync->unlocked();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::uint64_t before = sync->state().syncs_begun;
  sync->sync_now();
  CHECK(becomes([&] { return sync->state().syncs_begun > before; }));
  CHECK(rests(*sync, Reason::up_to_date));
  CHECK(changes > 0);
}

TEST_CASE("A save reaches the office by itself, and what others wrote comes back") {
  AppOffice office;
  App app(office);
  const auto sync = must(BackgroundSync::start(*app, {.policy = quick()}));
  sync->set_conditions(wifi);
  REQUIRE(rests(*sync, Reason::up_to_date));
  app.write("summary", text("Cell 4."));
  sync->note_saved();
  CHECK(becomes([&] { return must(app->status()).saved_here == 0; }));
  REQUIRE(rests(*sync, Reason::up_to_date));
  App other(office);
  CHECK(must(other->status()).records == 1);
}

TEST_CASE("Pausing does not end a sync that the app began itself") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Cell 4."));
  const auto sync = must(BackgroundSync::start(*app, {.policy = quick()}));
  bool rested = false;
  app.on_the_way = [&] {
    sync->set_conditions(wifi);
    rested = rests(*sync, Reason::resting);
    sync->pause();
  };
  app.sync();
  CHECK(rested);
  CHECK(sync->state().last_error->code == Errc::in_use);
}

TEST_CASE("A store that is only polled locks itself, and is synced again once it is unlocked") {
  AppOffice office;
  App app(office);
  app.lock_after = 1s;
  app.restart();
  SchedulePolicy policy = quick();
  policy.poll_foreground_ms = 30;
  const auto sync = must(BackgroundSync::start(*app, {.policy = policy}));
  sync->set_conditions(wifi);
  REQUIRE(becomes([&] { return sync->state().syncs_begun >= 3; }));
  CHECK(rests(*sync, Reason::locked));
  CHECK(app->lock_state() == LockState::locked);
  const std::uint64_t begun = sync->state().syncs_begun;
  std::this_thread::sleep_for(100ms);
  CHECK(sync->state().syncs_begun == begun);
  must(app->unlock(app_credentials()));
  sync->unlocked();
  CHECK(becomes([&] { return sync->state().syncs_begun > begun + 1; }));
}

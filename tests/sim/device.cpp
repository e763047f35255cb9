#include "sim/device.h"

#include "engine/enrolment_text.h"
#include "sim/attachment_checks.h"
#include "sim/device_checks.h"
#include "sim/seeded_key.h"
#include "support/unlocked_store.h"

namespace fieldsync::sim {
namespace {

constexpr int attempts_to_open = 12;
constexpr std::int64_t sync_again_ms = 4 * second_ms;
constexpr std::size_t writes_looked_at = 6;

// Enrolment blocks; its exchange happens at once.
class EnrolmentTransport final : public engine::WholeExchange {
 public:
  EnrolmentTransport(Network& network, Link& link) : network_(network), link_(link) {}
  void start(engine::HttpRequest request) override { request_ = std::move(request); }
  Result<engine::HttpReply> wait() override { return network_.exchange_now(link_, request_); }
  void cancel() override {}
  [[nodiscard]] engine::WireBytes wire_bytes() const override { return {}; }

 private:
  Network& network_;
  Link& link_;
  engine::HttpRequest request_;
};

// How a sync may fail while something is wrong around it. All else is a defect.
bool may_happen(Errc code) {
  switch (code) {
    case Errc::offline:
    case Errc::connection_lost:
    case Errc::cancelled:
    case Errc::timeout:
    case Errc::overloaded:
    case Errc::storage_full:
    case Errc::storage_failed:
    case Errc::unknown_device: return true;
    default: return false;
  }
}

// The attachment to which the request's path leads.
std::optional<core::AttachmentId> attachment_at(const std::string& path) {
  constexpr std::string_view before = "/v1/attachments/";
  if (!path.starts_with(before)) return std::nullopt;
  return core::AttachmentId::parse_hex(path.substr(before.size(), 2 * core::AttachmentId{}.sha256.size()));
}

}  // namespace

Device::Device(Run& run, SimulatedVfs& vfs, Server& server, Office& office, Network& network, std::size_t number,
               std::size_t person)
    : run_(run),
      server_(server),
      office_(office),
      network_(network),
      machine_(vfs.add_machine("/sim/device-" + std::to_string(number))),
      faults_(run, machine_, Side::device, "device " + std::to_string(number)) {
  book_.name = "device " + std::to_string(number);
  book_.person = person;
  for (auto& byte : key_seed_) byte = static_cast<std::uint8_t>(run.chance.next());
  const std::string public_key = *tls::device_public_key(make_seeded_key(key_seed_).certificate_pem);
  link_.device_name = book_.name;
  link_.peer_key = public_key;
  if (run.strikes(FaultKind::device_clock_off)) clock_ahead_ms_ = run.chance.between(-ten_years_ms, ten_years_ms);
  book_.keeps_old_form = run.chance.happens(0.3) && run.plan.chosen(FaultKind::old_form_kept);
  if (run.plan.chosen(FaultKind::schedule_followed)) {
    app_schedule_.emplace(run, book_.name);
    app_schedule_->change_conditions(utc_ms());
  }
}

api::Environment Device::environment() {
  api::Environment environment;
  environment.wall_clock = [this] { return core::Instant{utc_ms()}; };
  environment.steady_clock = [this] { return core::Milliseconds{run_.schedule.now()}; };
  environment.jitter = [this] { return run_.chance.part(); };
  environment.make_key = [this] { return make_seeded_key(key_seed_); };
  environment.connect = [this](const transport::HttpsSettings&) {
    return std::make_unique<EnrolmentTransport>(network_, link_);
  };
  return environment;
}

// An event of this device: waits while it is paused, and is forgotten when its power goes.
void Device::later(std::int64_t span_ms, std::function<void()> event) {
  run_.schedule.after(span_ms, [this, boot = boots_, event = std::move(event)] {
    if (boot != boots_) return;
    if (is_paused()) {
      later(paused_until_ms_ - run_.schedule.now(), event);
    } else {
      event();
    }
  });
}

void Device::start() {
  if (is_on() || is_gone()) return;
  if (to_be_wiped_) {
    go_on_wiping();
    return;
  }
  ++boots_;
  for (int attempt = 0; !database_; ++attempt) {
    if (!machine_.is_running()) faults_.power_on();
    auto opened = testing::open_unlocked(machine_.folder() + "/fieldsync.db", environment());
    faults_.notice();
    if (opened && machine_.is_running()) {
      store_ = opened->get();
      database_ = api::make_database(std::move(*opened));
    } else if (!opened && opened.error().code == Errc::wiped) {
      note_gone(Gone::handed_in);
      return;
    } else if (attempt > attempts_to_open) {
      throw BrokenPromise(book_.name + " does not open its store any more: " +
                          (opened ? std::string("power") : opened.error().message()));
    } else if (machine_.is_running()) {
      faults_.repair();
    }
  }
  faults_.repair();  // the checks read the whole store
  if (is_store_new() && office_.is_revoked(book_.device)) {
    note_gone(Gone::handed_in);
    return;
  }
  book_.device = store_->identity.device();
  check_saves_survived(book_, *store_);
  const OfficePerson& person = office_.people()[book_.person];
  check_added_survived(book_, *store_, person.is_unsure || !person.away_until_ms.empty());
  if (!learn_saves(book_, *store_)) throw BrokenPromise(book_.name + " cannot read its store");
  book_.failed_saves = 0;
  if (app_schedule_) app_schedule_->restart(utc_ms());
  faults_.note_start();
  run_.story.tell(book_.name, "is on, with " + std::to_string(book_.saved.size()) + " saves");
  if (!enrolled_) enrol();
}

void Device::enrol() {
  if (!is_on()) return;
  if (!code_) code_ = office_.new_code(book_.person);
  if (code_) {
    const std::string pin(32, 'p');
    const auto enrolled =
        database_->enrol(engine::format_enrolment({"office.example:9443", {pin, pin}, *code_}), book_.name);
    if (!look_after()) return;
    if (enrolled) {
      enrolled_ = true;
      code_.reset();
      run_.story.tell(book_.name, "is enrolled");
      later(healed_ ? second_ms : run_.chance.between(1, minute_ms), [this] { sync(); });
      return;
    }
    run_.story.tell(book_.name, "could not enrol: " + std::string(describe(enrolled.error().code).name));
    if (enrolled.error().code == Errc::device_already_enrolled)
      throw BrokenPromise(book_.name + " can never enrol: the office has its key already");
    const bool asks_for_another = run_.chance.happens(0.5);
    if (asks_for_another || enrolled.error().code == Errc::enrolment_code_invalid) code_.reset();
  }
  later(healed_ ? second_ms : run_.chance.between(second_ms, 10 * minute_ms), [this] { enrol(); });
}

bool Device::look_after() {
  faults_.notice();
  if (!is_on()) return false;
  if (!machine_.is_running()) {
    lose_power();
  } else if (faults_.take_restart()) {
    kill_app();
  }
  return is_on();
}

void Device::lose_power() {
  run_.story.tell(book_.name, "loses power");
  end_app();
  later(run_.chance.between(second_ms, run_.chance.happens(0.2) ? day_ms : hour_ms), [this] { start(); });
}

void Device::kill_app() {
  run_.story.tell(book_.name, "its app is killed");
  machine_.kill_programs();
  end_app();
  later(run_.chances.of(FaultKind::device_killed).between(second_ms, hour_ms), [this] { start(); });
}

void Device::end_app() {
  ++boots_;
  screens_.clear();
  steps_.reset();
  locked_ = false;
  store_ = nullptr;
  database_.reset();
}

void Device::sync() {
  if (!is_on() || !enrolled_ || steps_ || is_paused()) return;
  if (!app_schedule_) {
    begin_sync({});
    return;
  }
  app_schedule_->asked(utc_ms());
  follow_schedule();
}

void Device::follow_schedule() {
  if (!app_schedule_ || !is_on() || !enrolled_ || is_paused()) return;
  if (steps_) {
    if (!app_schedule_->should_stop()) return;
    steps_->cancel();
    step();
    return;
  }
  if (const auto limits = app_schedule_->begin(utc_ms())) {
    run_.tally.add(FaultKind::schedule_followed);
    begin_sync(*limits);
    return;
  }
  if (const auto wait = app_schedule_->wait_ms(utc_ms())) wake_after(*wait + 1);
}

void Device::wake_after(std::int64_t span_ms) {
  later(span_ms, [this, wake = ++wake_] {
    if (wake == wake_) follow_schedule();
  });
}

void Device::change_conditions() {
  if (!app_schedule_) return;
  app_schedule_->change_conditions(utc_ms());
  follow_schedule();
}

void Device::note_saved() {
  if (!app_schedule_) return;
  app_schedule_->saved(utc_ms());
  wake_after(1);
}

void Device::check_may_travel(const core::AttachmentId& id) {
  if (!app_schedule_) return;
  const auto kind = sqlite::guard([&]() -> Result<storage::TransferKind> {
    const auto row = store_->attachments.find(id);
    return row ? Result(row->kind) : Error{Errc::not_found, {}};
  });
  const AttachmentLimits& limits = app_schedule_->limits();
  const bool may = !kind || (*kind == storage::TransferKind::preview ? limits.previews
                             : *kind == storage::TransferKind::audio ? limits.audio
                                                                     : limits.photos);
  if (!may) throw BrokenPromise(book_.name + " sends or fetches an attachment that may not travel now");
}

void Device::begin_sync(const AttachmentLimits& limits) {
  SyncOptions options;
  options.attachments = limits;
  options.retries = static_cast<int>(run_.chance.between(0, 4));
  failures_before_sync_ = disk_failures();
  auto begun = api::begin_sync(*store_, options);
  if (!look_after()) return;
  if (!begun) {
    end_sync(&begun.error());
    return;
  }
  steps_.emplace(std::move(*begun));
  failures_before_pause_.reset();
  step();
}

void Device::step() {
  api::SyncStep next = steps_->next();
  if (!look_after()) return;
  if (auto* request = std::get_if<api::SendRequest>(&next)) {
    sent_at_ms_ = run_.schedule.now();
    failures_before_pause_.reset();
    sent_ = {request->method, attachment_at(request->path), request->body.size()};
    if (sent_.attachment) check_may_travel(*sent_.attachment);
    if (sent_.method == "PUT") book_.attachments.carried[*sent_.attachment].unknown += sent_.body_bytes;
    network_.send(link_, std::move(*request), [this, boot = boots_, exchange = ++exchange_](const Heard& heard) {
      if (boot == boots_) later(0, [this, exchange, heard] { take_answer(exchange, heard); });
    });
    steps_->prepare_ahead();
    look_after();
  } else if (const auto* pause = std::get_if<api::Pause>(&next)) {
    if (failures_before_pause_ == disk_failures())
      throw BrokenPromise(book_.name + ": a sync pauses and does not try again");
    failures_before_pause_ = disk_failures();
    later(pause->span.count, [this, exchange = exchange_] {
      if (steps_ && exchange == exchange_) step();
    });
  } else if (const auto* error = std::get_if<Error>(&next)) {
    end_sync(error);
  } else {
    end_sync(nullptr);
  }
}

void Device::take_answer(std::uint64_t exchange, Heard heard) {
  if (!steps_ || exchange != exchange_) return;
  static_cast<void>(learn_saves(book_, *store_));
  if (!look_after()) return;
  if (sent_.method == "PUT") note_upload(heard);
  if (!sent_.attachment) check_reply(heard.answer);
  if (steps_->wants_underway()) {
    if (const auto taken = steps_->on_underway(heard.broken_off); !taken) heard.answer = taken.error();
  }
  if (!look_after()) return;
  steps_->on_answer(heard.answer, core::Milliseconds{run_.schedule.now() - sent_at_ms_}, {});
  if (!look_after()) return;
  check_progress_is_true(book_, *store_, server_);
  check_status();
  if (!is_on()) return;
  check_attachments();
  if (!is_on()) return;
  check_own_writes_visible(book_, *store_, writes_looked_at);
  check_index_is_current(book_, *store_);
  step();
}

void Device::note_upload(const Heard& heard) {
  AttachmentBook::Carried& carried = book_.attachments.carried[*sent_.attachment];
  const bool is_taken = heard.answer && heard.answer->status == 200;
  const std::uint64_t arrived = is_taken ? sent_.body_bytes : heard.broken_off.sent;
  run_.story.tell(book_.name, "sent " + std::to_string(arrived) + " of " + std::to_string(sent_.body_bytes) +
                                  " bytes of attachment " + sent_.attachment->hex().substr(0, 6));
  if (arrived == 0) return;
  carried.arrived += arrived;
  carried.unknown -= sent_.body_bytes;
  const OfficePerson& person = office_.people()[book_.person];
  const bool may_begin_anew =
      server_.restores() > 0 || disk_failures() > 0 || person.is_unsure || !person.away_until_ms.empty() ||
      !person.board_until_ms.empty() ||
      // Who may not read it brings it into quarantine once more.
      office_.is_revoked(book_.device) ||
      (run_.plan.chosen(FaultKind::request_doubled) && run_.plan.chosen(FaultKind::requests_interleaved));
  if (!may_begin_anew && carried.arrived > run_.album.size_of(*sent_.attachment) + carried.unknown)
    throw BrokenPromise(book_.name + " sends bytes of an attachment that the office has already");
}

void Device::check_attachments() {
  // After a restore it learns only with its next sync what the office lost.
  if (server_.restores() == 0) check_attachments_are_true(book_, *database_, server_, run_.album);
  look_after();
}

void Device::check_freed(const AttachmentInfo& info, bool freed) {
  if (!freed || info.stage == AttachmentStage::wanted || server_.restores() > 0) return;
  if (!is_durable_at_office(server_, run_.album, info.file.id))
    throw BrokenPromise(book_.name + " freed an attachment that the office has not got");
}

void Device::check_reply(Answer& answer) {
  if (!answer || answer->status != 200) return;
  v1::SyncReply reply;
  if (!reply.ParseFromString(answer->body)) throw BrokenPromise("The office sent a reply that is not one");
  run_.story.tell(book_.name, "hears: up to " + std::to_string(reply.acknowledged_counter()) + " acknowledged, " +
                                  std::to_string(reply.scopes_size()) + " scopes, " +
                                  std::to_string(answer->body.size()) + " bytes");
  const bool tells =
      reply.scopes_size() > 0 || reply.people_size() > 0 || reply.has_person() || reply.forms_version() > 0;
  if (reply.revoked() && tells) throw BrokenPromise(book_.name + " is revoked, and told of a scope");
  for (const v1::ScopeChanges& changes : reply.scopes()) {
    const core::ScopeId scope = *core::ScopeId::from_bytes(changes.scope());
    if (!has_scope(scope)) book_.read_in_part.insert(scope);
    if (!changes.restart()) continue;
    run_.story.tell(book_.name, "is told to read a scope anew");
    book_.cursors.erase(scope);
    if (server_.restores() == 0)
      throw BrokenPromise(book_.name + ": its copy differs from the office's, and nothing was ever restored");
  }
  if (!book_.keeps_old_form || reply.forms_frame().empty() || !has_form()) return;
  // Its app is older than the form.
  run_.tally.add(FaultKind::old_form_kept);
  reply.clear_forms_frame();
  reply.clear_forms_version();
  answer->body = reply.SerializeAsString();
}

void Device::check_status() {
  // After a restore it learns only with its next sync what the office lost.
  if (server_.restores() > 0) return;
  const auto status = database_->status();
  if (look_after() && status) check_status_is_true(book_, *status);
}

bool Device::has_form() {
  bool has = false;
  const auto looked = sqlite::guard([&]() -> Result<void> {
    has = store_->directory.form("visit") != nullptr;
    return {};
  });
  return looked && has;
}

bool Device::has_scope(const core::ScopeId& scope) {
  bool has = false;
  const auto looked = sqlite::guard([&]() -> Result<void> {
    has = store_->directory.scope(scope).has_value();
    return {};
  });
  return looked && has;
}

std::uint64_t Device::disk_failures() { return faults_.failures() + server_.faults().failures(); }

void Device::end_sync(const Error* error) {
  const SyncReport report = steps_ ? steps_->report() : SyncReport();
  steps_.reset();
  ++exchange_;
  if (app_schedule_) {
    app_schedule_->ended(error == nullptr ? std::nullopt : std::optional(error->code), report, utc_ms());
    wake_after(1);
  }
  if (error == nullptr) {
    run_.story.tell(book_.name, "has synced");
    book_.read_in_part.clear();
    synced_at_ms_ = run_.schedule.now();
  } else {
    run_.story.tell(book_.name, "its sync fails: " + std::string(describe(error->code).name));
    if (error->code == Errc::wiped) {
      note_gone(Gone::handed_in);
      return;
    }
    if (!may_happen(error->code))
      throw BrokenPromise(book_.name + ": a sync failed for good with " + std::string(describe(error->code).name) +
                          ": " + error->message());
    const bool blames_disk = error->code == Errc::storage_full || error->code == Errc::storage_failed;
    if (blames_disk && disk_failures() == failures_before_sync_)
      throw BrokenPromise(book_.name + ": a sync fails for a disk that works: " + error->message());
    if (error->code == Errc::unknown_device) {
      if (server_.restores() == 0) throw BrokenPromise(book_.name + " was enrolled and is not known any more");
      enrolled_ = false;
      enrol();
      return;
    }
  }
  if (healed_) later(sync_again_ms, [this] { sync(); });
}

bool Device::is_store_new() { return enrolled_ && store_->identity.person().is_none(); }

void Device::note_gone(Gone how) {
  if (how == Gone::handed_in && !office_.is_revoked(book_.device))
    throw BrokenPromise(book_.name + " was never revoked and is erased");
  run_.story.tell(book_.name, how == Gone::wiped ? "is wiped" : "is erased");
  gone_ = how;
  end_app();
}

void Device::lock(std::int64_t span_ms) {
  if (!is_on() || !enrolled_ || is_paused()) return;
  run_.story.tell(book_.name, "is locked");
  if (steps_) run_.tally.add(FaultKind::store_locked);
  locked_ = true;
  if (steps_) {
    steps_->cancel();
    step();
  }
  if (!is_on()) return;
  database_->lock();
  check_locked();
  if (!look_after()) return;
  paused_until_ms_ = run_.schedule.now() + span_ms;
  run_.schedule.after(span_ms, [this, boot = boots_] {
    if (boot == boots_) unlock();
  });
}

void Device::check_locked() {
  bool tells = database_->status() || database_->query({}) || database_->attachments();
  for (Screen& screen : screens_) tells = tells || screen.editor.save();
  if (tells) throw BrokenPromise(book_.name + " is locked, and reads or saves");
}

void Device::unlock() {
  if (!is_on() || !locked_) return;
  const auto unlocked = api::unlock(*store_, testing::test_credentials());
  if (!look_after()) return;
  if (!unlocked) {
    const Errc code = unlocked.error().code;
    if (code != Errc::storage_failed && code != Errc::storage_full)
      throw BrokenPromise(book_.name + " cannot be unlocked: " + unlocked.error().message());
    paused_until_ms_ = run_.schedule.now() + minute_ms;
    faults_.repair();
    run_.schedule.after(minute_ms, [this, boot = boots_] {
      if (boot == boots_) unlock();
    });
    return;
  }
  locked_ = false;
  run_.story.tell(book_.name, "is unlocked");
  check_own_writes_visible(book_, *store_, writes_looked_at);
  look_after();
}

void Device::wipe() {
  if (!is_on() || !enrolled_) return;
  run_.story.tell(book_.name, "is to be wiped");
  run_.tally.add(FaultKind::store_wiped);
  end_app();
  to_be_wiped_ = true;
  go_on_wiping();
}

void Device::go_on_wiping() {
  const std::string file = machine_.folder() + "/fieldsync.db";
  if (!machine_.is_running()) faults_.power_on();
  const auto wiped = api::wipe(file);
  faults_.notice();
  if (!machine_.is_running() || (!wiped && wiped.error().code != Errc::not_found)) {
    if (machine_.is_running()) faults_.repair();
    later(minute_ms, [this] { go_on_wiping(); });
    return;
  }
  if (!machine_.files().names().empty())
    throw BrokenPromise(book_.name + " was wiped, and is left with " + machine_.files().names().front());
  note_gone(Gone::wiped);
}

void Device::maybe_fail() {
  if (!is_on()) return;
  if (run_.strikes(FaultKind::device_clock_jump)) {
    clock_ahead_ms_ = run_.chance.between(-ten_years_ms, ten_years_ms);
    run_.story.tell(book_.name,
                    "its clock is off by " + std::to_string(clock_ahead_ms_ / day_ms) + " days from now on");
  }
  if (run_.strikes(FaultKind::device_paused))
    paused_until_ms_ = run_.schedule.now() + run_.chance.between(second_ms, 10 * hour_ms);
  network_.maybe_block(link_);
  if (run_.strikes(FaultKind::device_killed)) kill_app();
  faults_.maybe_arm();
  faults_.maybe_fail_sync();
  run_.schedule.after(run_.chance.between(minute_ms, 5 * hour_ms), [this] { faults_.repair(); });
}

void Device::heal() {
  healed_ = true;
  app_schedule_.reset();
  paused_until_ms_ = 0;
  link_.up_blocked_until_ms = link_.down_blocked_until_ms = 0;
  faults_.repair();
  unlock();
  if (!is_on()) {
    start();
  } else if (!enrolled_) {
    enrol();
  }
  if (steps_) {
    // The app notices that the network is back.
    steps_->cancel();
    step();
  }
  later(run_.chance.between(1, second_ms), [this] { sync(); });
}

}  // namespace fieldsync::sim

#include "sim/team/script.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "sim/team/older_app.h"

namespace fieldsync::team {
namespace {

// Several pages of a store, and of a log; several pieces of a request.
constexpr std::size_t photo_bytes = 24'000;
constexpr std::size_t small_photo_bytes = 6'000;
constexpr std::size_t preview_bytes = 700;

const std::string amended = "Visit of the former district";

// Its store was erased to the end: nothing is there, and the office knows the device.
Result<bool> is_gone(Team& team, Phone& phone) {
  if (phone.is_open() || !phone.is_empty()) return false;
  bool known = false;
  auto looked = team.office->store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    known = transaction.device_by_id(phone.first_device()).has_value();
    return {};
  });
  return looked ? Result<bool>(known) : Result<bool>(looked.error());
}

// An erased store says so when it is opened, once, and is nothing after that.
Result<void> bury(Team& team, Who who) {
  Phone& phone = team.device(who);
  phone.close();
  if (!phone.is_empty()) {
    auto opened = phone.open();
    if (opened) return Error{Errc::internal_error, "An erased store opens."};
    if (opened.error().code != Errc::wiped) return opened;
    if (!phone.is_empty()) return Error{Errc::internal_error, "An erased store leaves files."};
  }
  team.on_acknowledged(who);
  return {};
}

Result<void> open_one(Team& team, Who who) {
  Phone& phone = team.device(who);
  if (phone.is_open()) return {};
  const auto gone = is_gone(team, phone);
  if (!gone) return gone.error();
  if (*gone) return {};
  auto opened = phone.open();
  if (!opened && opened.error().code == Errc::wiped) return bury(team, who);
  if (opened) team.on_acknowledged(who);
  return opened;
}

Result<void> open_all(Team& team) {
  if (!team.office) {
    if (auto opened = team.open_office(); !opened) return opened;
    team.on_acknowledged(Who::office);
  }
  for (const Who who : {Who::phone, Who::tablet}) {
    if (auto opened = open_one(team, who); !opened) return opened;
  }
  return {};
}

Result<RecordEditor> edit_or_create(Phone& phone, const std::string& title, Place place) {
  auto known = phone.find(title);
  if (!known) return known.error();
  if (!known->is_none()) return phone.database().edit(*known);
  auto editor = phone.database().create("visit", id_of(place));
  if (!editor) return editor.error();
  if (auto set = editor->set("title", title); !set) return set.error();
  return editor;
}

Result<void> write_finding(RecordEditor& editor, const std::string& finding) {
  if (auto set = editor.set("people", std::int64_t{1}); !set) return set;
  auto item = editor.add_item("findings");
  if (!item) return item.error();
  return editor.set("finding", finding, *item);
}

Result<void> write_visit(RecordEditor& editor, const std::string& summary) {
  if (auto set = editor.set("summary", summary); !set) return set;
  return write_finding(editor, "Found with: " + summary.substr(0, 20));
}

Result<void> save_edits(RecordEditor& editor) {
  auto saved = editor.save();
  return saved ? Result<void>() : Result<void>(saved.error());
}

// A member of the district whose place is gone cannot write there any more.
bool place_is_gone(const Error& error, Place place) {
  return place == Place::district && error.code == Errc::scope_not_found;
}

Result<std::uint64_t> saved_in_all(Phone& phone, std::uint64_t kept_by_former) {
  auto saved = phone.saved();
  if (saved && phone.is_anew()) *saved += kept_by_former;
  return saved;
}

// Runs `save` where the device's operation with this counter is not there yet.
Result<void> once(Team& team, Who who, std::uint64_t counter, std::uint64_t kept_by_former,
                  const std::function<Result<void>(Phone&)>& save) {
  Phone& phone = team.device(who);
  auto saved = saved_in_all(phone, kept_by_former);
  if (!saved) return saved.error();
  if (*saved >= counter) return {};
  if (auto done = save(phone); !done) return done;
  team.on_acknowledged(who);
  return {};
}

// An office whose disk fails at a photo takes the text all the same, and the photo is offered again.
Result<void> all_photos_sent(Phone& phone) {
  const auto status = phone.database().status();
  if (!status) return status.error();
  return status->attachments_waiting == 0 ? Result<void>() : Error{Errc::storage_failed, "A photo waits."};
}

// How many operations of the phone's present id the office has.
Result<std::uint64_t> known_of_phone(Team& team) {
  std::uint64_t known = 0;
  auto looked = team.office->store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    if (const auto row = transaction.device_by_id(team.phone.database().identity().device)) known = row->last_counter;
    return {};
  });
  return looked ? Result<std::uint64_t>(known) : Result<std::uint64_t>(looked.error());
}

// Whether what was refused stands in the region more than once.
Result<bool> is_amended_twice(Phone& phone) {
  const auto views = phone.database().query({.form = "visit", .text = amended, .include_deleted = true});
  if (!views) return views.error();
  std::int64_t people = 0;
  std::size_t findings = 0;
  for (const RecordView& view : *views) {
    const ShownField* counted = view.find("people");
    if (counted != nullptr) people += std::get<std::int64_t>(counted->values.front().value);
    findings += static_cast<std::size_t>(std::count_if(view.fields.begin(), view.fields.end(),
                                                       [](const auto& field) { return field.name == "finding"; }));
  }
  return people > 1 || findings > 1;
}

// Of an open phone and the office; empty where there is none.
std::string difference_of(Team& team, Phone& phone) {
  const auto saved = phone.saved();
  const auto status = phone.database().status();
  const auto scopes = phone.database().scopes();
  const auto twice = is_amended_twice(phone);
  if (!saved || !status || !scopes || !twice) return "it cannot be asked";
  if (*twice) return "what was refused stands there twice";
  if (status->refused != 0) return "a refusal was not put right";
  const core::DeviceId device = phone.database().identity().device;
  std::string difference;
  const auto looked = team.office->store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    const auto row = transaction.device_by_id(device);
    const auto region = transaction.scope(id_of(Place::region));
    if (!row || !region) {
      difference = "the office does not know it";
    } else if (row->last_counter != *saved || status->saved_here != 0) {
      difference = "it saved " + std::to_string(*saved) + " times, the office has " + std::to_string(row->last_counter);
    } else if (scopes->size() != 1 || scopes->front().digest != region->digest) {
      difference = "its digest is not the office's";
    } else if (!status->safe_to_erase) {
      difference = "not all of it is at the office";
    }
    return {};
  });
  return looked ? difference : "the office cannot be asked: " + looked.error().message();
}

bool is_forked(const Result<void>& synced) { return !synced && synced.error().code == Errc::device_forked; }

}  // namespace

Result<std::uint64_t> Script::saved(Phone& phone) const { return saved_in_all(phone, *kept_by_former_); }

Script::Script(std::uint64_t seed) : seed_(seed) {
  add_setup();
  add_first_visits();
  add_conflict();
  add_deletion();
  add_migration();
  add_backup_and_restore();
  add_fork();
  add_photo_for_both();
  add_endings();
}

void Script::add_setup() {
  add("create", [](Team& team, Run) { return open_all(team); });
  add("administration",
      [](Team& team, Run) { return team.office->prepare([&team] { team.on_acknowledged(Who::office); }); });
  for (const Who who : {Who::phone, Who::tablet}) {
    add_of(who, "enrol", [who](Team& team, Run) -> Result<void> {
      Phone& phone = team.device(who);
      if (phone.database().identity().enrolled) return {};
      if (auto enrolled = phone.enrol(); !enrolled) return enrolled;
      team.on_acknowledged(who);
      return {};
    });
    sync("pull", who);
  }
}

void Script::add_first_visits() {
  save(Who::phone, "Visit 1");
  save(Who::phone, "Visit 2");
  save(Who::phone, "District visit", Place::district);
  save(Who::phone, "Visit 1");
  sync("push", Who::phone);
  sync("pull", Who::tablet);
}

void Script::add_conflict() {
  save(Who::tablet, "Visit 1");
  save(Who::tablet, "Visit 3");
  save(Who::phone, "Visit 1");
  sync("push", Who::tablet);
  sync("push and pull", Who::phone);
  resolve("Visit 1");
  sync("push", Who::phone);
  sync("pull", Who::tablet);
}

void Script::add_deletion() {
  for (const bool exists : {false, true}) {
    const std::uint64_t counter = ++saves_of_phone_;
    add_of(Who::phone, "save", [counter, exists, kept = kept_by_former_](Team& team, Run) {
      return once(team, Who::phone, counter, *kept, [exists](Phone& phone) -> Result<void> {
        auto record = phone.find("Visit 2");
        if (!record) return record.error();
        return exists ? phone.database().restore_record(*record) : phone.database().delete_record(*record);
      });
    });
  }
  sync("push", Who::phone);
  // What closes checkpoints its log.
  add("reopen", [](Team& team, Run) {
    team.close_all();
    return open_all(team);
  });
}

void Script::add_migration() {
  // Something waits while the store changes its form.
  save(Who::phone, "Visit 1");
  add_of(Who::phone, "older app", [saves = saves_of_phone_](Team& team, Run run) -> Result<void> {
    const auto saved = team.phone.is_anew() ? saves + 1 : team.phone.saved();
    if (!saved) return saved.error();
    // An older app has not got what came since: photos, and refusals that were settled.
    if (run == Run::again && *saved > saves) return {};
    team.close(Who::phone);
    undo_newest_migration(team.phone.file());
    return {};
  });
  add("migrate", [](Team& team, Run) { return open_all(team); });
  sync("push", Who::phone);
}

void Script::add_backup_and_restore() {
  const auto backup = std::make_shared<sim::FileTree>();
  add("backup", [backup](Team& team, Run run) -> Result<void> {
    if (run == Run::first) *backup = team.office_machine.files().copied();
    return {};
  });
  save(Who::phone, "Visit 4");
  sync("push", Who::phone);
  sync("pull", Who::tablet);
  save_finding("Visit 4");
  sync("push", Who::tablet);
  sync("pull", Who::phone);
  add("older copy", [backup](Team& team, Run run) -> Result<void> {
    if (run == Run::again) return {};
    team.close(Who::office);
    team.office_machine.restore(*backup);
    return open_all(team);
  });
  sync("refill", Who::phone);
  sync("refill", Who::tablet);
  sync("pull", Who::phone);
}

// Two saves have one counter then. Where the power was cut before the older copy was put
// back, the script goes on without it.
void Script::add_fork() {
  const auto copy = std::make_shared<sim::FileTree>();
  *kept_by_former_ = saves_of_phone_;
  add("backup", [copy](Team& team, Run run) -> Result<void> {
    if (run == Run::first) *copy = team.phone_machine.files().copied();
    return {};
  });
  save_before_older_copy("Visit 1");
  sync("push", Who::phone);
  add("older copy", [copy](Team& team, Run run) -> Result<void> {
    if (run == Run::again) return {};
    team.close(Who::phone);
    team.phone_machine.restore(*copy);
    return open_all(team);
  });
  save_in_older_copy("Visit 1");
  save(Who::phone, "Visit 6");
  add_of(Who::phone, "fork noticed", [](Team& team, Run run) -> Result<void> {
    auto synced = team.phone.sync();
    if (run == Run::again && synced) return {};
    if (synced) return Error{Errc::internal_error, "An older copy was not noticed."};
    if (!is_forked(synced)) return synced;
    team.on_acknowledged(Who::phone);
    return {};
  });
  add("administration", [](Team& team, Run) -> Result<void> {
    if (auto added = team.office->add_second_code(); !added) return added;
    team.on_acknowledged(Who::office);
    return {};
  });
  add_of(Who::phone, "enrolled anew", [](Team& team, Run run) -> Result<void> {
    if (team.phone.is_anew()) return {};
    if (run == Run::again && team.phone.sync()) return {};
    if (auto enrolled = team.phone.enrol_anew(); !enrolled) return enrolled;
    team.on_acknowledged(Who::phone);
    return {};
  });
  sync("push", Who::phone);
  sync("pull", Who::tablet);
}

void Script::add_photo_for_both() {
  const auto photo = take_photo(Who::phone, "Visit 1", photo_bytes);
  sync("send photo", Who::phone);
  sync("preview", Who::tablet);
  add_of(Who::tablet, "fetch", [photo](Team& team, Run) -> Result<void> {
    if (auto asked = fetch_photo(team.tablet, *photo, "Visit 1"); !asked) return asked;
    team.on_acknowledged(Who::tablet);
    return {};
  });
  sync("photo", Who::tablet);
  add_of(Who::tablet, "compare", [photo](Team& team, Run) { return compare_photo(team.tablet, *photo); });
  add_of(Who::phone, "free", [photo](Team& team, Run) -> Result<void> {
    if (auto freed = team.phone.database().free_attachment(photo->value.file.id); !freed) return freed;
    team.on_acknowledged(Who::phone);
    return {};
  });
}

void Script::add_endings() {
  const std::string refused = save(Who::phone, "District visit", Place::district);
  add("administration", [](Team& team, Run) -> Result<void> {
    if (auto ended = team.office->end_district(); !ended) return ended;
    team.on_acknowledged(Who::office);
    return {};
  });
  sync("quarantine", Who::phone);
  amend(refused);
  sync("pull", Who::phone);
  // After its author sent it otherwise: in the district it is a record of its own.
  add("accept", [](Team& team, Run) -> Result<void> {
    if (auto accepted = team.office->accept_quarantine(); !accepted) return accepted;
    team.on_acknowledged(Who::office);
    return {};
  });
  sync("pull", Who::phone);
  sync("pull", Who::tablet);
  add_hand_in();
  add_wipe();
}

void Script::amend(const std::string& summary) {
  const std::uint64_t counter = ++saves_of_phone_;
  amended_with_ = counter;
  phone_saves_.push_back({counter, amended, summary});
  add_of(Who::phone, "amend", [counter, summary, kept = kept_by_former_](Team& team, Run) {
    return once(team, Who::phone, counter, *kept, [&](Phone& phone) -> Result<void> {
      const auto refused = phone.database().refused();
      if (!refused) return refused.error();
      // Where the office lost its power before the district's end was durable, it took the save.
      const bool is_taken = refused->empty();
      auto editor = is_taken ? edit_or_create(phone, amended, Place::region)
                             : phone.database().amend(refused->front().operation, id_of(Place::region));
      if (!editor) return editor.error();
      if (auto set = editor->set("title", amended); !set) return set;
      auto written = is_taken ? write_visit(*editor, summary) : editor->set("people", std::int64_t{1});
      return written ? save_edits(*editor) : written;
    });
  });
}

// The tablet's last saves and its photo wait when the office withdraws its access.
void Script::add_hand_in() {
  save(Who::tablet, "Visit 3");
  take_photo(Who::tablet, "Visit 3", small_photo_bytes);
  add("revoke", [](Team& team, Run) -> Result<void> {
    if (auto revoked = team.office->revoke(team.tablet.first_device()); !revoked) return revoked;
    team.on_acknowledged(Who::office);
    return {};
  });
  add_of(Who::tablet, "hand in", [](Team& team, Run) -> Result<void> {
    auto synced = team.tablet.sync();
    if (synced) synced = all_photos_sent(team.tablet);
    if (synced) return Error{Errc::internal_error, "A revoked device was not erased."};
    if (synced.error().code != Errc::wiped) return synced;
    team.on_acknowledged(Who::tablet);
    return {};
  });
  add_of(Who::tablet, "erased", [](Team& team, Run) { return bury(team, Who::tablet); });
}

// The phone is given away, once the office has all of it.
void Script::add_wipe() {
  add_of(Who::phone, "agreement", [](Team& team, Run) -> Result<void> {
    const std::string difference = difference_of(team, team.phone);
    return difference.empty() ? Result<void>() : Error{Errc::internal_error, difference};
  });
  add_of(Who::phone, "wipe", [](Team& team, Run) -> Result<void> {
    auto wiped = team.phone.wipe();
    const bool was_wiped_before = !wiped && wiped.error().code == Errc::not_found && team.phone.is_empty();
    if (!wiped && !was_wiped_before) return wiped;
    if (!team.phone.is_empty()) return Error{Errc::internal_error, "A wiped store leaves files."};
    team.on_acknowledged(Who::phone);
    return {};
  });
}

void Script::add_of(Who who, std::string phase, std::function<Result<void>(Team&, Run)> run) {
  add(std::move(phase), [who, run = std::move(run)](Team& team, Run now) -> Result<void> {
    return now == Run::again && !team.device(who).is_open() ? Result<void>() : run(team, now);
  });
}

std::string Script::save(Who who, const std::string& title, Place place) {
  const std::uint64_t counter = who == Who::phone ? ++saves_of_phone_ : ++saves_of_tablet_;
  const std::string summary = text();
  if (who == Who::phone && place == Place::region) phone_saves_.push_back({counter, title, summary});
  add_save(counter, title, summary, who, place);
  return summary;
}

void Script::save_before_older_copy(const std::string& title) {
  save(Who::phone, title);
  Step& step = steps_.back();
  step.run = [save = std::move(step.run), counter = saves_of_phone_](Team& team, Run run) -> Result<void> {
    if (!team.phone.is_open() || team.phone.is_anew()) return {};
    const auto known = known_of_phone(team);
    if (!known) return known.error();
    return *known >= counter ? Result<void>() : save(team, run);
  };
}

void Script::save_in_older_copy(const std::string& title) {
  const std::string summary = text();
  phone_saves_.push_back({saves_of_phone_, title, summary});
  add_save(saves_of_phone_, title, summary, Who::phone, Place::region);
}

void Script::add_save(std::uint64_t counter, const std::string& title, const std::string& summary, Who who,
                      Place place) {
  add_of(who, "save", [=, kept = kept_by_former_](Team& team, Run) {
    return once(team, who, counter, *kept, [&](Phone& phone) -> Result<void> {
      auto editor = edit_or_create(phone, title, place);
      if (!editor) return place_is_gone(editor.error(), place) ? Result<void>() : Result<void>(editor.error());
      if (auto written = write_visit(*editor, summary); !written) return written;
      return save_edits(*editor);
    });
  });
}

void Script::resolve(const std::string& title) {
  const std::uint64_t counter = ++saves_of_phone_;
  const std::string summary = text();
  phone_saves_.push_back({counter, title, summary});
  add_of(Who::phone, "save", [=, kept = kept_by_former_](Team& team, Run) {
    return once(team, Who::phone, counter, *kept, [&](Phone& phone) -> Result<void> {
      auto editor = edit_or_create(phone, title, Place::region);
      if (!editor) return editor.error();
      if (auto resolved = editor->resolve("summary", summary); !resolved) return resolved;
      return save_edits(*editor);
    });
  });
}

void Script::save_finding(const std::string& title) {
  const std::uint64_t counter = ++saves_of_tablet_;
  const std::string finding = text();
  add_of(Who::tablet, "save", [=](Team& team, Run) {
    return once(team, Who::tablet, counter, 0, [&](Phone& phone) -> Result<void> {
      auto editor = edit_or_create(phone, title, Place::region);
      if (!editor) return editor.error();
      if (auto written = write_finding(*editor, finding); !written) return written;
      return save_edits(*editor);
    });
  });
}

std::shared_ptr<const Photo> Script::take_photo(Who who, const std::string& title, std::size_t bytes) {
  const std::uint64_t counter = who == Who::phone ? ++saves_of_phone_ : ++saves_of_tablet_;
  const auto photo = std::make_shared<const Photo>(make_photo(seed_ * 1'000 + steps_.size(), bytes, preview_bytes));
  photos_.push_back({who, counter, photo});
  add_of(who, "add photo", [=, kept = kept_by_former_](Team& team, Run) {
    return once(team, who, counter, *kept, [&](Phone& phone) { return add_photo(phone, *photo); });
  });
  add_of(who, "save", [=, kept = kept_by_former_](Team& team, Run) {
    return once(team, who, counter, *kept, [&](Phone& phone) -> Result<void> {
      auto editor = edit_or_create(phone, title, Place::region);
      if (!editor) return editor.error();
      if (auto set = editor->set("photo", photo->value); !set) return set;
      return save_edits(*editor);
    });
  });
  return photo;
}

void Script::sync(const std::string& phase, Who who) {
  add_of(who, phase, [who](Team& team, Run run) -> Result<void> {
    Phone& phone = team.device(who);
    auto synced = phone.sync();
    if (synced) team.on_acknowledged(who);
    if (synced) synced = all_photos_sent(phone);
    if (synced || run == Run::first) return synced;
    // The tablet may have been revoked before the power was cut.
    if (synced.error().code == Errc::wiped && who == Who::tablet) return bury(team, who);
    // And the older copy put back.
    return is_forked(synced) && who == Who::phone ? Result<void>() : synced;
  });
}

// Letters that do not compress away: 20 to 3,000 of them.
std::string Script::text() {
  std::string letters = "Text " + std::to_string(steps_.size()) + ": ";
  std::uint64_t state = seed_ * 1'000 + steps_.size() + 1;
  const auto next = [&state] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return state >> 33;
  };
  const std::size_t length = 20 + next() % (next() % 2 == 0 ? 200 : 3'000);
  while (letters.size() < length) letters += static_cast<char>('a' + next() % 26);
  return letters;
}

std::string missing_of_erased(Team& team, const Script& script, Who who) {
  Phone& phone = team.device(who);
  std::string missing;
  const auto looked = team.office->store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    const auto first = transaction.device_by_id(phone.first_device());
    const auto second = transaction.device_by_id(phone.second_device());
    const std::uint64_t counted = second  ? second->last_counter + script.kept_by_former()
                                  : first ? first->last_counter
                                          : 0;
    const bool was_enrolled = first.has_value();
    if (was_enrolled && counted != script.saves_of(who))
      missing =
          "it saved " + std::to_string(script.saves_of(who)) + " times, the office has " + std::to_string(counted);
    for (const TakenPhoto& taken : script.photos()) {
      if (was_enrolled && taken.who == who && !has_durably(team.office_machine, *taken.photo))
        missing = "a photo is missing";
    }
    return {};
  });
  return looked ? missing : "the office cannot be asked: " + looked.error().message();
}

std::string disagreement(Team& team, const Script& script) {
  for (const Who who : {Who::phone, Who::tablet}) {
    Phone* phone = &team.device(who);
    const std::string name = "the " + std::string(name_of(who));
    if (!phone->is_open()) {
      if (!phone->is_empty()) return name + " is not open";
      const std::string missing = missing_of_erased(team, script, who);
      if (!missing.empty()) return name + " is erased: " + missing;
      continue;
    }
    const std::string difference = difference_of(team, *phone);
    if (!difference.empty()) return name + ": " + difference;
  }
  for (const TakenPhoto& taken : script.photos()) {
    if (!has_durably(team.office_machine, *taken.photo)) return "the office has not got a photo";
  }
  return {};
}

}  // namespace fieldsync::team

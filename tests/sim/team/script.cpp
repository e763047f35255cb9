#include "sim/team/script.h"

#include <memory>
#include <stdexcept>

#include "sim/team/older_app.h"

namespace fieldsync::team {
namespace {

Phone& phone_of(Team& team, Who who) { return who == Who::phone ? team.phone : team.tablet; }

Result<void> open_all(Team& team) {
  if (!team.office) {
    if (auto opened = team.open_office(); !opened) return opened;
    team.on_acknowledged(Who::office);
  }
  for (const Who who : {Who::phone, Who::tablet}) {
    Phone& phone = phone_of(team, who);
    if (phone.is_open()) continue;
    if (auto opened = phone.open(); !opened) return opened;
    team.on_acknowledged(who);
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
  Phone& phone = phone_of(team, who);
  auto saved = saved_in_all(phone, kept_by_former);
  if (!saved) return saved.error();
  if (*saved >= counter) return {};
  if (auto done = save(phone); !done) return done;
  team.on_acknowledged(who);
  return {};
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
  add_endings();
}

void Script::add_setup() {
  add("create", [](Team& team, Run) { return open_all(team); });
  add("administration",
      [](Team& team, Run) { return team.office->prepare([&team] { team.on_acknowledged(Who::office); }); });
  for (const Who who : {Who::phone, Who::tablet}) {
    add("enrol", [who](Team& team, Run) -> Result<void> {
      Phone& phone = phone_of(team, who);
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
    add("save", [counter, exists, kept = kept_by_former_](Team& team, Run) {
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
  add("older app", [](Team& team, Run) -> Result<void> {
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
  add("fork noticed", [](Team& team, Run run) -> Result<void> {
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
  add("enrolled anew", [](Team& team, Run run) -> Result<void> {
    if (team.phone.is_anew()) return {};
    if (run == Run::again && team.phone.sync()) return {};
    if (auto enrolled = team.phone.enrol_anew(); !enrolled) return enrolled;
    team.on_acknowledged(Who::phone);
    return {};
  });
  sync("push", Who::phone);
  sync("pull", Who::tablet);
}

void Script::add_endings() {
  save(Who::phone, "District visit", Place::district);
  add("administration", [](Team& team, Run) -> Result<void> {
    if (auto ended = team.office->end_district(); !ended) return ended;
    team.on_acknowledged(Who::office);
    return {};
  });
  sync("quarantine", Who::phone);
  sync("pull", Who::phone);
  sync("pull", Who::tablet);
  add("revoke", [](Team& team, Run) -> Result<void> {
    if (auto revoked = team.office->revoke(team.tablet.database().identity().device); !revoked) return revoked;
    team.on_acknowledged(Who::office);
    auto refused = team.tablet.sync();
    if (!refused && refused.error().code == Errc::device_revoked) return {};
    if (!refused) return refused;
    return Error{Errc::internal_error, "A revoked device was not refused."};
  });
}

void Script::save(Who who, const std::string& title, Place place) {
  const std::uint64_t counter = who == Who::phone ? ++saves_of_phone_ : ++saves_of_tablet_;
  const std::string summary = text();
  if (who == Who::phone && place == Place::region) phone_saves_.push_back({counter, title, summary});
  add_save(counter, title, summary, who, place);
}

void Script::save_before_older_copy(const std::string& title) {
  save(Who::phone, title);
  Step& step = steps_.back();
  step.run = [save = std::move(step.run), counter = saves_of_phone_](Team& team, Run run) -> Result<void> {
    if (team.phone.is_anew()) return {};
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
  add("save", [=, kept = kept_by_former_](Team& team, Run) {
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
  add("save", [=, kept = kept_by_former_](Team& team, Run) {
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
  add("save", [=](Team& team, Run) {
    return once(team, Who::tablet, counter, 0, [&](Phone& phone) -> Result<void> {
      auto editor = edit_or_create(phone, title, Place::region);
      if (!editor) return editor.error();
      if (auto written = write_finding(*editor, finding); !written) return written;
      return save_edits(*editor);
    });
  });
}

void Script::sync(const std::string& phase, Who who) {
  add(phase, [who](Team& team, Run run) -> Result<void> {
    auto synced = phone_of(team, who).sync();
    if (synced) team.on_acknowledged(who);
    // The tablet may have been revoked before the power was cut.
    const bool revoked = !synced && synced.error().code == Errc::device_revoked && who == Who::tablet;
    // And the older copy put back.
    const bool expected = revoked || (is_forked(synced) && who == Who::phone);
    return run == Run::again && expected ? Result<void>() : synced;
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

std::string disagreement(Team& team) {
  for (Phone* phone : {&team.phone, &team.tablet}) {
    const std::string name = phone == &team.phone ? "the phone" : "the tablet";
    const auto saved = phone->saved();
    const auto status = phone->database().status();
    const auto scopes = phone->database().scopes();
    if (!saved || !status || !scopes) return name + " cannot be asked";
    const core::DeviceId device = phone->database().identity().device;
    std::string difference;
    const auto looked = team.office->store().read([&](server::ReadTransaction& transaction) -> Result<void> {
      const auto row = transaction.device_by_id(device);
      const auto region = transaction.scope(id_of(Place::region));
      if (!row || !region) {
        difference = "the office does not know it";
      } else if (row->revoked) {
        return {};
      } else if (row->last_counter != *saved || status->saved_here != 0) {
        difference =
            "it saved " + std::to_string(*saved) + " times, the office has " + std::to_string(row->last_counter);
      } else if (scopes->size() != 1 || scopes->front().digest != region->digest) {
        difference = "its digest is not the office's";
      }
      return {};
    });
    if (!looked) return "the office cannot be asked: " + looked.error().message();
    if (!difference.empty()) return name + ": " + difference;
  }
  return {};
}

}  // namespace fieldsync::team

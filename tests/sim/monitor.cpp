#include "sim/monitor.h"

#include "codec/operation_codec.h"
#include "sim/attachment_checks.h"
#include "sim/device_checks.h"

namespace fieldsync::sim {
namespace {

constexpr std::size_t records_wanted = 6;
constexpr std::size_t open_forms_max = 3;
// Of what people do.
constexpr double photos_share = 0.12;
const char* const choice_codes[] = {"none", "low", "high", "grave"};

bool is_storage_trouble(Errc code) { return code == Errc::storage_full || code == Errc::storage_failed; }

}  // namespace

void Monitor::act() {
  if (!can_act()) return;
  if (run_.takes_photos && run_.photos.happens(photos_share)) {
    photographer_.act();
    return;
  }
  auto& screens = device_.screens();
  if (!screens.empty() && (screens.size() >= open_forms_max || run_.chance.happens(0.4))) {
    const std::size_t at = run_.chance.below(screens.size());
    Screen screen = std::move(screens[at]);
    screens.erase(screens.begin() + static_cast<std::ptrdiff_t>(at));
    finish(std::move(screen));
    return;
  }
  if (run_.tries(FaultKind::operation_poisoned)) {
    save_poisoned();
    return;
  }
  const std::uint64_t kind = run_.chance.below(100);
  if (kind < 15) {
    begin_record();
  } else if (kind < 78) {
    open_record();
  } else if (kind < 92) {
    settle_conflict();
  } else {
    delete_or_restore();
  }
}

void Monitor::fill_in_new_field() {
  if (!can_act()) return;
  auto screen = look_up_record();
  if (!screen) return;
  write_field(*screen, "latest");
  save(*screen);
}

void Monitor::name(const core::Attachment& attachment) {
  auto screen = look_up_record();
  if (!screen || !screen->editor.set("photo", attachment)) return;
  save(*screen);
}

bool Monitor::can_act() {
  failures_before_ = device_.faults().failures();
  return device_.is_on() && device_.is_enrolled() && !device_.is_paused();
}

std::string Monitor::words() {
  static constexpr const char* pieces[] = {"Камера 4 суук.", "Ҳуҷра торик аст.", "No window.", "Врач не приходит.",
                                           "Суу жок."};
  std::string text = std::string(run_.chance.pick(pieces)) + " #" + std::to_string(run_.chance.below(1'000'000));
  // Long and hardly compressible, so that batches and pages are cut.
  if (run_.chance.happens(0.1)) {
    const std::int64_t length = run_.chance.between(500, 4000);
    for (std::int64_t i = 0; i < length; ++i) text += static_cast<char>('0' + run_.chance.below(75));
  }
  return text;
}

std::optional<core::RecordId> Monitor::some_record() {
  const auto views = device_.database().query({.form = "visit", .include_deleted = true});
  if (!views || views->empty()) return std::nullopt;
  // Few records for many people.
  std::vector<core::RecordId> ids;
  for (const RecordView& view : *views) ids.push_back(view.id);
  std::sort(ids.begin(), ids.end());
  const std::size_t count = run_.chance.happens(0.7) ? std::min<std::size_t>(ids.size(), 3) : ids.size();
  return ids[run_.chance.below(count)];
}

void Monitor::begin_record() {
  const auto views = device_.database().query({.form = "visit", .include_deleted = true});
  if (views && views->size() >= records_wanted && run_.chance.happens(0.8)) {
    open_record();
    return;
  }
  const auto scopes = device_.database().scopes();
  if (!scopes || scopes->empty()) return;
  auto screen = show(device_.database().create("visit", (*scopes)[run_.chance.below(scopes->size())].id));
  if (!screen) return;
  write_something(*screen);
  save(*screen);
}

std::optional<Screen> Monitor::look_up_record() {
  const auto record = some_record();
  if (!record) {
    device_.look_after();
    return std::nullopt;
  }
  return show(device_.database().edit(*record));
}

std::optional<Screen> Monitor::show(Result<RecordEditor> editor) {
  if (!device_.look_after() || !editor) return std::nullopt;
  try {
    return Screen(std::move(*editor), device_.store());
  } catch (const sqlite::SqliteError&) {
    device_.look_after();
    return std::nullopt;
  }
}

void Monitor::open_record() {
  auto screen = look_up_record();
  if (!screen) return;
  write_something(*screen);
  if (run_.tries(FaultKind::form_left_open)) {
    if (run_.tries(FaultKind::two_screens)) {
      if (auto other = show(device_.database().edit(screen->editor.id()))) {
        run_.tally.add(FaultKind::two_screens);
        write_something(*other);
        device_.screens().push_back(std::move(*other));
      }
    }
    if (!device_.is_on()) return;
    device_.screens().push_back(std::move(*screen));
    device_.look_after();
    return;
  }
  save(*screen);
}

void Monitor::finish(Screen screen) {
  const auto outdated = sqlite::guard([&]() -> Result<bool> { return screen.is_outdated(device_.store()); });
  if (outdated && *outdated) run_.tally.add(FaultKind::form_left_open);
  if (run_.chance.happens(0.5)) write_something(screen);
  save(screen);
}

void Monitor::write_something(Screen& screen) {
  static const std::string fields[] = {"summary", "summary", "beds",    "areas",   "severity",
                                       "privacy", "urgent",  "consent", "verdict", "notes",
                                       "seen",    "seen",    "cells",   "later",   "latest"};
  const std::int64_t writes = run_.chance.between(1, 3);
  for (std::int64_t i = 0; i < writes; ++i) write_field(screen, terse_ ? "summary" : run_.chance.pick(fields));
}

void Monitor::write_field(Screen& screen, const std::string& field) {
  RecordEditor& editor = screen.editor;
  // A device whose form is older does not know the last two; what is refused is not written.
  const auto choice = [&] { return core::Value(core::Choice{run_.chance.pick(choice_codes)}); };
  if (field == "cells") {
    write_item(editor);
  } else if (field == "beds" || field == "privacy") {
    static_cast<void>(editor.set(field, run_.chance.between(0, 500)));
  } else if (field == "seen") {
    const std::int64_t added = run_.chance.between(1, 9);
    if (editor.set(field, added)) screen.note_counted(added);
  } else if (field == "severity" || field == "consent") {
    static_cast<void>(editor.set(field, choice()));
  } else if (field == "urgent") {
    static_cast<void>(editor.set(field, run_.chance.happens(0.5)));
  } else if (field == "areas" || field == "latest") {
    const std::string area = "area " + std::to_string(run_.chance.below(4));
    if (run_.chance.happens(0.35)) {
      static_cast<void>(editor.remove(field, area));
    } else {
      static_cast<void>(editor.set(field, area));
    }
  } else if (field == "summary" && run_.chance.happens(0.05)) {
    static_cast<void>(editor.clear(field));
  } else {
    static_cast<void>(editor.set(field, words()));
  }
}

void Monitor::write_item(RecordEditor& editor) {
  std::vector<core::ItemId> items;
  for (const ShownField& shown : editor.view().fields) {
    if (shown.name == "cells") items.push_back(shown.item);
  }
  if (items.empty() || run_.chance.happens(0.3)) {
    if (const auto item = editor.add_item("cells")) static_cast<void>(editor.set("cell_text", words(), *item));
  } else if (run_.chance.happens(0.2)) {
    static_cast<void>(editor.delete_item(run_.chance.pick(items)));
  } else {
    static_cast<void>(editor.set("cell_text", words(), run_.chance.pick(items)));
  }
}

void Monitor::settle_conflict() {
  const auto conflicts = device_.database().conflicts();
  if (!device_.look_after() || !conflicts) return;
  if (conflicts->empty()) {
    open_record();
    return;
  }
  const Conflict& conflict = (*conflicts)[run_.chance.below(conflicts->size())];
  if (conflict.field == core::existence_field) {
    delete_or_restore();
    return;
  }
  auto screen = show(device_.database().edit(conflict.record));
  if (!screen) return;
  core::Value value(words());
  if (conflict.field_name == "beds") value = run_.chance.between(0, 500);
  if (conflict.field_name == "photo") value = conflict.values[run_.photos.below(conflict.values.size())].value;
  if (screen->editor.resolve(conflict.field_name, value, conflict.item)) screen->note_resolved(conflict.field_name);
  save(*screen);
}

void Monitor::delete_or_restore() {
  const auto record = some_record();
  if (!record) {
    device_.look_after();
    return;
  }
  const bool deletes = run_.chance.happens(0.6);
  const auto before = sqlite::guard(
      [&]() -> Result<std::optional<core::RecordState>> { return device_.store().records.shown(*record); });
  const auto done = deletes ? device_.database().delete_record(*record) : device_.database().restore_record(*record);
  note(done, deletes ? "deletes a record" : "brings a record back");
  if (!done || !device_.is_on()) return;
  if (before && *before) {
    for (const core::FieldWrite& write : device_.book().saved.back().operation.writes)
      check_deletion(device_.book(), write, (*before)->seen);
  }
  const auto view = device_.database().read(*record);
  if (view && view->deleted != deletes)
    throw BrokenPromise(device_.book().name + " shows a record as " +
                        (deletes ? "there after deleting it" : "deleted after bringing it back"));
}

void Monitor::save(Screen& screen) {
  static_cast<void>(sqlite::guard([&]() -> Result<void> {
    screen.look_at_own_counts(device_.store());
    return {};
  }));
  const auto saved = screen.editor.save();
  if (!saved && saved.error().code == Errc::invalid_argument) return;
  const std::size_t before = device_.book().saved.size();
  note(saved ? Result<void>() : Result<void>(saved.error()), "saves");
  if (!saved || !device_.is_on() || device_.book().saved.size() <= before) return;
  const bool stays_open = run_.chance.happens(0.1);
  try {
    screen.check_saved(device_.book(), device_.store());
    if (!stays_open) return;
    screen.look(device_.store());
    device_.screens().push_back(std::move(screen));
  } catch (const sqlite::SqliteError&) {
    // Its disk fails just now.
    device_.look_after();
  }
}

void Monitor::note(const Result<void>& done, const std::string& what) {
  Book& book = device_.book();
  if (done) {
    // Before its power is looked at: this save had returned.
    const std::size_t before = book.saved.size();
    if (learn_saves(book, device_.store()) && book.saved.size() == before)
      throw BrokenPromise(book.name + " counts no operation for a save that returned");
    for (std::size_t i = before; i < book.saved.size(); ++i) book.saved[i].saved_ms = run_.schedule.now();
    device_.note_saved();
    note_named(book, before, device_.store());
    const std::string record = book.saved.empty() ? "?" : book.saved.back().operation.record.hex().substr(0, 6);
    run_.story.tell(book.name, what + " (" + std::to_string(book.saved.size()) + ", record " + record + ")");
  } else {
    ++book.failed_saves;
    run_.story.tell(book.name, what + ", which fails: " + std::string(describe(done.error().code).name));
    const bool disk_failed = device_.faults().failures() > failures_before_;
    if (!is_storage_trouble(done.error().code) || !disk_failed)
      throw BrokenPromise(book.name + " could not save: " + done.error().message());
  }
  if (!device_.look_after()) return;
  check_own_writes_visible(book, device_.store(), 3);
}

// An operation that the library would never make: text where a number belongs.
void Monitor::save_poisoned() {
  const auto record = some_record();
  if (!record || !device_.look_after()) return;
  api::LocalStore& store = device_.store();
  Book& book = device_.book();
  const auto stored = sqlite::guard([&]() -> Result<void> {
    core::RecordState now = *store.records.shown(*record);
    core::Operation operation;
    operation.id = {book.device, store.identity.last_counter() + 1};
    operation.record = now.id;
    operation.scope = now.scope;
    operation.form = now.form;
    operation.author = store.identity.person();
    operation.claimed = store.environment.wall_clock();
    operation.writes.push_back({{{}, poisoned_field}, std::string("not a number"), {}});
    storage::Transaction transaction(store.vault);
    now.apply(operation, {operation.author, operation.claimed, operation.claimed, operation.claimed, 0, false});
    store.records.put_shown(now);
    store.outbox.append({operation.id.counter, operation.record, codec::encode_operation(operation), 8});
    store.identity.set_last_counter(operation.id.counter);
    transaction.commit();
    return {};
  });
  if (stored) run_.tally.add(FaultKind::operation_poisoned);
  note(stored, "saves a poisoned operation");
}

void Monitor::put_right() {
  if (!can_act()) return;
  const auto refused = device_.database().refused();
  if (!device_.look_after() || !refused || refused->empty()) return;
  Chance& chance = run_.chances.of(FaultKind::refusal_put_right);
  const RefusedOperation& one = (*refused)[chance.below(refused->size())];
  run_.tally.add(FaultKind::refusal_put_right);
  if (chance.happens(0.7)) {
    amend(one);
    return;
  }
  const auto settled = device_.database().settle_refusal(one.operation);
  note_settled(one, settled);
  if (!settled && !is_storage_trouble(settled.error().code))
    throw BrokenPromise(device_.book().name + " cannot let a refused save be: " + settled.error().message());
  device_.look_after();
}

void Monitor::note_settled(const RefusedOperation& refused, const Result<void>& done) {
  Book& book = device_.book();
  if (done) {
    book.settled.insert(refused.operation.counter);
  } else {
    book.perhaps_settled.insert(refused.operation.counter);
  }
}

void Monitor::amend(const RefusedOperation& refused) {
  Chance& chance = run_.chances.of(FaultKind::refusal_put_right);
  const auto scopes = device_.database().scopes();
  if (!device_.look_after() || !scopes || scopes->empty()) return;
  std::optional<core::ScopeId> into;
  if (chance.happens(0.5)) into = (*scopes)[chance.below(scopes->size())].id;
  auto editor = device_.database().amend(refused.operation, into);
  if (!device_.look_after()) return;
  if (!editor) {
    const Errc code = editor.error().code;
    if (code != Errc::scope_not_found && code != Errc::unknown_form && !is_storage_trouble(code))
      throw BrokenPromise(device_.book().name + " cannot amend a refused save: " + editor.error().message());
    return;
  }
  const auto saved = editor->save();
  // What was poisoned stays so, and all of it may have been undone.
  if (!saved && !is_storage_trouble(saved.error().code)) return;
  run_.story.tell(device_.book().name, "amends operation " + std::to_string(refused.operation.counter));
  const Result<void> done = saved ? Result<void>() : Result<void>(saved.error());
  note_settled(refused, done);
  note(done, "saves what it amended");
}

void Monitor::put_away() {
  if (!device_.is_on()) return;
  failures_before_ = device_.faults().failures();
  std::vector<Screen> screens = std::move(device_.screens());
  device_.screens().clear();
  for (Screen& screen : screens) {
    if (device_.is_on() && run_.chance.happens(0.5)) save(screen);
  }
}

}  // namespace fieldsync::sim

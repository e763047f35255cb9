#include <sodium.h>

#include <algorithm>

#include "api/record_editor_session.h"
#include "api/record_view.h"
#include "codec/operation_codec.h"
#include "codec/wire_scan.h"
#include "core/validation.h"
#include "fieldsync/v1/operation.pb.h"

namespace fieldsync {
namespace {

Error nothing_to_save() { return {Errc::invalid_argument, "There is nothing to save: set a field first."}; }

bool holds_many(const core::FormField* field) {
  return field != nullptr && (field->policy == core::MergePolicy::set || field->policy == core::MergePolicy::append);
}

// A place behind `last`: one letter more where the alphabet ends.
std::string place_after(const std::string& last) {
  if (last.empty() || last.back() == 'z') return last + 'a';
  std::string next = last;
  ++next.back();
  return next;
}

}  // namespace

RecordEditor::Session::Session(api::LocalStore& store, core::RecordState state, core::Form form)
    : store_(store),
      state_(std::move(state)),
      form_(std::move(form)),
      view_(api::make_view(state_, &form_)),
      writer_(store.writer()) {}

Result<const core::FormField*> RecordEditor::Session::describe_field(std::string_view name) const {
  const core::FormField* field = form_.find(name);
  if (field == nullptr)
    return Error{Errc::unknown_field, "The form '" + form_.name + "' has no field '" + std::string(name) + "'."};
  return field;
}

const core::FieldBase& RecordEditor::Session::base_of(const core::FieldKey& key) {
  const auto known = bases_.find(key);
  if (known != bases_.end()) return known->second;
  return bases_.emplace(key, core::open_field(state_, key, writer_)).first->second;
}

Result<void> RecordEditor::Session::open_field(std::string_view name, const core::ItemId& item) {
  auto field = describe_field(name);
  if (!field) return field.error();
  const core::FieldKey key{item, (*field)->number};
  return sqlite::guard([&]() -> Result<void> {
    const std::lock_guard lock(store_.mutex);
    const auto now = store_.records.shown(state_.id);
    core::FieldBase base = core::open_field(now ? *now : state_, key, writer_);
    const auto pending = writes_.find(key);
    if (pending != writes_.end() && is_count(key)) {
      // What was counted over the former base goes on over this one.
      pending->second.front() = core::count_on(pending->second.front(), base_of(key), base);
    }
    bases_.insert_or_assign(key, std::move(base));
    return {};
  });
}

Result<void> RecordEditor::Session::put(core::FieldWrite write, const core::FormField* field, Earlier earlier) {
  const bool in_item = !write.key.item.is_none();
  if (field != nullptr && in_item != (field->group != 0 || field->type == core::FieldType::group)) {
    return Error{
        Errc::invalid_argument,
        "'" + field->name + (in_item ? "' does not belong in an item." : "' belongs in an item: add one first.")};
  }
  if (auto checked = core::check_value(write.value, field); !checked) return checked;
  // Made apart first: without memory everything stays as it was.
  const core::FieldKey key = write.key;
  std::vector<core::FieldWrite> pending;
  const auto known = writes_.find(key);
  if (known != writes_.end() && earlier == Earlier::kept && holds_many(field)) pending = known->second;
  pending.push_back(std::move(write));
  writes_.insert_or_assign(key, std::move(pending));
  return {};
}

Result<void> RecordEditor::Session::set(std::string_view name, core::Value value, const core::ItemId& item) {
  auto field = describe_field(name);
  if (!field) return field.error();
  const core::FieldKey key{item, (*field)->number};
  const auto pending = writes_.find(key);
  if (is_count(key) && pending != writes_.end())
    return put(core::count_further(pending->second.front(), value), *field);
  return put(core::write_field(base_of(key), *field, std::move(value)), *field);
}

Result<void> RecordEditor::Session::clear(std::string_view name, const core::ItemId& item) {
  auto field = describe_field(name);
  if (!field) return field.error();
  if (!holds_many(*field)) return set(name, core::Empty{}, item);
  return put(core::resolve_field(base_of({item, (*field)->number}), core::Empty{}), *field, Earlier::replaced);
}

Result<void> RecordEditor::Session::remove(std::string_view name, const core::Value& value, const core::ItemId& item) {
  auto field = describe_field(name);
  if (!field) return field.error();
  auto write = core::remove_value(base_of({item, (*field)->number}), value);
  if (!write) return Error{Errc::not_found, "'" + std::string(name) + "' does not hold that value."};
  return put(std::move(*write), *field);
}

Result<void> RecordEditor::Session::resolve(std::string_view name, core::Value value, const core::ItemId& item) {
  auto field = describe_field(name);
  if (!field) return field.error();
  return put(core::resolve_field(base_of({item, (*field)->number}), std::move(value)), *field);
}

Result<core::ItemId> RecordEditor::Session::add_item(std::string_view name) {
  auto group = describe_field(name);
  if (!group) return group.error();
  if ((*group)->type != core::FieldType::group)
    return Error{Errc::invalid_argument, "'" + std::string(name) + "' is not a repeated group."};
  std::string last;
  const auto consider = [&](const core::Value& value) {
    if (const auto* place = std::get_if<std::string>(&value)) last = std::max(last, *place);
  };
  for (const core::FieldState& field : state_.fields) {
    if (field.key.field == (*group)->number) consider(field.siblings.front().value);
  }
  for (const auto& [key, writes] : writes_) {
    if (key.field == (*group)->number) consider(writes.front().value);
  }
  core::ItemId item;
  randombytes_buf(item.bytes.data(), item.bytes.size());
  const core::FieldKey key{item, (*group)->number};
  if (auto stored = put({key, place_after(last), {}}, *group); !stored) return stored.error();
  return item;
}

Result<void> RecordEditor::Session::delete_item(const core::ItemId& item) {
  // A deletion covers what was seen; an edit in the same save would stand beside it.
  const auto undone = std::erase_if(writes_, [&](const auto& entry) { return entry.first.item == item; });
  const auto items = state_.items();
  if (std::find(items.begin(), items.end(), item) == items.end()) {
    return undone > 0 ? Result<void>() : Result<void>(Error{Errc::not_found, "The record has no such item."});
  }
  return put(core::delete_write(state_, item), nullptr);
}

Result<void> RecordEditor::Session::set_existence(bool exists) {
  return put(exists ? core::restore_write(state_, {}) : core::delete_write(state_, {}), nullptr);
}

core::Operation RecordEditor::Session::pending_operation() const {
  core::Operation operation;
  operation.record = state_.id;
  operation.scope = state_.scope;
  operation.form = state_.form;
  operation.author = writer_.person;
  operation.claimed = store_.environment.wall_clock();
  for (const auto& [key, writes] : writes_)
    operation.writes.insert(operation.writes.end(), writes.begin(), writes.end());
  return operation;
}

bool RecordEditor::Session::is_count(const core::FieldKey& key) const {
  const core::FormField* field = form_.find(key.field);
  return field != nullptr && field->policy == core::MergePolicy::counter;
}

// Another screen of this device may have counted since this one was opened.
void RecordEditor::Session::count_on(const core::RecordState& now, core::Operation& operation) {
  for (core::FieldWrite& write : operation.writes) {
    if (!is_count(write.key)) continue;
    const core::FieldBase base = core::open_field(now, write.key, writer_);
    write = core::count_on(std::move(write), base_of(write.key), base);
  }
}

// What waits may yet be refused, and a count over it must stand for all of it.
Result<void> RecordEditor::Session::name_beneath_counts(core::Operation& operation) const {
  const auto counts = [&](const core::FieldWrite& write) { return is_count(write.key); };
  if (std::none_of(operation.writes.begin(), operation.writes.end(), counts)) return {};
  // What was refused while the form was open is still beneath what is on the screen.
  std::vector<storage::StoredOperation> beneath = store_.outbox.of_record(operation.record, 0);
  for (storage::StoredOperation& refused : store_.outbox.refused_operations()) {
    if (refused.record == operation.record) beneath.push_back(std::move(refused));
  }
  std::sort(beneath.begin(), beneath.end(),
            [](const auto& left, const auto& right) { return left.counter > right.counter; });
  for (const storage::StoredOperation& stored : beneath) {
    std::size_t elements = 0;
    const auto earlier =
        codec::decode_operation(stored.bytes, {writer_.device, stored.counter}, writer_.person, elements);
    if (!earlier) return earlier.error();
    for (core::FieldWrite& write : operation.writes) {
      if (counts(write)) core::name_beneath(write, *earlier);
    }
  }
  return {};
}

void RecordEditor::Session::name_attachments(const core::Operation& operation) {
  for (const core::FieldWrite& write : operation.writes) {
    const auto* attachment = std::get_if<core::Attachment>(&write.value);
    if (attachment == nullptr) continue;
    store_.attachments.name_in(attachment->file.id, operation.record, operation.scope);
    if (attachment->preview) store_.attachments.name_in(attachment->preview->id, operation.record, operation.scope);
  }
}

void RecordEditor::Session::take_over(const core::Operation& refused, const core::DeviceId& former_device) {
  amended_ = Amended{former_device, refused.id.counter};
  for (const core::FieldWrite& write : refused.writes) {
    const core::FormField* field = form_.find(write.key.field);
    if (write.key.field == core::existence_field) {
      const bool deleted = std::holds_alternative<core::Deletion>(write.value);
      writes_[write.key] = {deleted ? core::delete_write(state_, write.key.item)
                                    : core::restore_write(state_, write.key.item)};
    } else if (!is_count(write.key)) {
      // Not checked yet: what is wrong with it may be what the person is to put right.
      writes_[write.key].push_back(over_the_screen(write, field));
    }
  }
}

core::FieldWrite RecordEditor::Session::over_the_screen(const core::FieldWrite& write, const core::FormField* field) {
  const core::FieldBase& base = base_of(write.key);
  if (!holds_many(field)) return core::write_field(base, field, write.value);
  // One more, or one less of those that are there.
  core::FieldWrite again{write.key, write.value, {}};
  for (const core::ValueId& replaced : write.replaces) {
    const bool is_there = std::any_of(base.siblings.begin(), base.siblings.end(),
                                      [&](const core::Sibling& sibling) { return sibling.id == replaced; });
    if (is_there) again.replaces.push_back(replaced);
  }
  return again;
}

Result<SaveReceipt> RecordEditor::Session::save() {
  if (writes_.empty()) return nothing_to_save();
  core::Operation operation = pending_operation();
  return sqlite::guard([&]() -> Result<SaveReceipt> {
    const std::lock_guard lock(store_.mutex);
    if (writer_.device != store_.identity.device()) {
      // What was on the screen may have other names now.
      return Error{
          Errc::device_forked,
          "This device was enrolled anew while the record was open. Open it again and enter the change there."};
    }
    if (amended_ && !store_.outbox.refused_bytes(amended_->former_device, amended_->counter)) {
      return Error{Errc::not_found,
                   "The refused save was amended elsewhere, let be, or applied after all. Open the record, and enter "
                   "there what it lacks."};
    }
    operation.id = {writer_.device, store_.identity.last_counter() + 1};
    const auto shown = store_.records.shown(operation.record);
    // Where the scope was left meanwhile, the count goes on from what was on the screen.
    count_on(shown ? *shown : state_, operation);
    if (auto named = name_beneath_counts(operation); !named) return named.error();
    if (auto checked = core::check_operation(operation, form_); !checked) return checked.error();
    core::RecordState now = shown.value_or(core::RecordState{});
    storage::StoredOperation stored{operation.id.counter, operation.record, codec::encode_operation(operation), 0};
    if (stored.bytes.size() > core::operation_bytes_max)
      return Error{Errc::value_too_large, "One save holds more than 1 MiB. Save in smaller steps."};
    auto scanned =
        codec::scan_message(stored.bytes, *v1::Operation::descriptor(), codec::request_limits, stored.elements);
    if (!scanned) return scanned.error();
    now.apply(operation, {operation.author, operation.claimed, operation.claimed, operation.claimed, 0, false});
    RecordView view = api::make_view(now, &form_);
    storage::Transaction transaction(store_.vault);
    store_.records.put_shown(now);
    store_.outbox.append(stored);
    store_.identity.set_last_counter(operation.id.counter);
    name_attachments(operation);
    if (amended_) store_.outbox.settle_refusal(amended_->former_device, amended_->counter);
    transaction.commit();
    // It is stored: from here on nothing may fail.
    amended_.reset();
    state_ = std::move(now);
    view_ = std::move(view);
    writes_.clear();
    bases_.clear();
    return SaveReceipt{operation.id};
  });
}

RecordEditor::RecordEditor(std::unique_ptr<Session> session) : session_(std::move(session)) {}
RecordEditor::~RecordEditor() = default;
RecordEditor::RecordEditor(RecordEditor&&) noexcept = default;
RecordEditor& RecordEditor::operator=(RecordEditor&&) noexcept = default;

core::RecordId RecordEditor::id() const { return session_->id(); }
const RecordView& RecordEditor::view() const { return session_->view(); }
Result<void> RecordEditor::open_field(std::string_view field, const core::ItemId& item) {
  return session_->used([&] { return session_->open_field(field, item); });
}
Result<void> RecordEditor::set(std::string_view field, core::Value value, const core::ItemId& item) {
  return session_->used([&] { return session_->set(field, std::move(value), item); });
}
Result<void> RecordEditor::clear(std::string_view field, const core::ItemId& item) {
  return session_->used([&] { return session_->clear(field, item); });
}
Result<void> RecordEditor::remove(std::string_view field, const core::Value& value, const core::ItemId& item) {
  return session_->used([&] { return session_->remove(field, value, item); });
}
Result<void> RecordEditor::resolve(std::string_view field, core::Value value, const core::ItemId& item) {
  return session_->used([&] { return session_->resolve(field, std::move(value), item); });
}
Result<core::ItemId> RecordEditor::add_item(std::string_view group) {
  return session_->used([&] { return session_->add_item(group); });
}
Result<void> RecordEditor::delete_item(const core::ItemId& item) {
  return session_->used([&] { return session_->delete_item(item); });
}
Result<SaveReceipt> RecordEditor::save() {
  return session_->used([&] { return session_->save(); });
}

}  // namespace fieldsync

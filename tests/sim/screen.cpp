#include "sim/screen.h"

#include <algorithm>

#include "sim/counts.h"
#include "sim/story.h"

namespace fieldsync::sim {
namespace {

bool is_empty(const core::Value& value) { return std::holds_alternative<core::Empty>(value); }

[[noreturn]] void broken(const Book& book, const core::FormField& field, const std::string& what) {
  throw BrokenPromise(book.name + " " + what + " in the field " + field.name);
}

}  // namespace

void Screen::look(api::LocalStore& store) {
  on_screen_.clear();
  resolved_.clear();
  counted_ = 0;
  seen_ = {};
  const auto state = store.records.shown(editor.id());
  if (!state) return;
  seen_ = state->seen;
  for (const core::FieldState& field : state->fields) {
    SeenField& seen = on_screen_[field.key];
    for (const core::Sibling& sibling : field.siblings)
      seen.values[sibling.id] = {sibling.value, state->stamp_of(sibling.id.operation).author};
    seen.shown = state->shown_order(field.key).front()->value;
  }
}

void check_deletion(const Book& book, const core::FieldWrite& write, const core::SeenVector& seen) {
  const auto* deletion = std::get_if<core::Deletion>(&write.value);
  if (deletion != nullptr && deletion->seen != seen)
    throw BrokenPromise(book.name + " deletes more than was to be seen, or less");
}

bool Screen::is_outdated(api::LocalStore& store) const {
  const auto state = store.records.shown(editor.id());
  if (!state) return false;
  const core::DeviceId own = store.identity.device();
  return std::any_of(state->seen.newest.begin(), state->seen.newest.end(), [&](const core::OperationId& newest) {
    return newest.device != own && seen_.counter_of(newest.device) < newest.counter;
  });
}

void Screen::check_saved(const Book& book, api::LocalStore& store) {
  const core::Operation& operation = book.saved.back().operation;
  // The scope was taken away meanwhile: the office will keep it in quarantine.
  if (!store.directory.scope(operation.scope)) return;
  const core::Form* form = store.directory.form("visit");
  for (const core::FieldWrite& write : operation.writes) {
    const core::FormField* field = form->find(write.key.field);
    if (field == nullptr) {
      check_deletion(book, write, seen_);
      continue;
    }
    check_write(book, write, *field, operation.author);
    check_nothing_left(book, write, *field, operation.author);
    if (field->policy == core::MergePolicy::counter) check_count(book, write);
  }
}

void Screen::check_write(const Book& book, const core::FieldWrite& write, const core::FormField& field,
                         const core::PersonId& author) const {
  const auto seen = on_screen_.find(write.key);
  for (const core::ValueId& replaced : write.replaces) {
    // A count goes on from what the device's other screens have counted since.
    if (field.policy == core::MergePolicy::counter && replaced.operation.device == book.device) continue;
    const bool was_there = seen != on_screen_.end() && seen->second.values.contains(replaced);
    if (!was_there) broken(book, field, "replaced a value that was not on the screen");
    const Seen& value = seen->second.values.at(replaced);
    const bool plain = field.policy == core::MergePolicy::keep_siblings && !resolved_.contains(field.name);
    if (plain && value.value != seen->second.shown)
      broken(book, field, "replaced a value that stood beside the shown one");
    if (field.policy == core::MergePolicy::set && !is_empty(write.value) && value.value != write.value &&
        !is_empty(value.value)) {
      broken(book, field, "took out an element by adding another");
    }
    if (field.policy == core::MergePolicy::append) broken(book, field, "replaced an entry of a list");
    if (field.policy == core::MergePolicy::per_author && value.author != author)
      broken(book, field, "replaced what somebody else had found");
  }
  if (resolved_.contains(field.name) && seen != on_screen_.end() &&
      write.replaces.size() != seen->second.values.size()) {
    broken(book, field, "settled a conflict and left a value standing");
  }
}

void Screen::check_nothing_left(const Book& book, const core::FieldWrite& write, const core::FormField& field,
                                const core::PersonId& author) const {
  const auto seen = on_screen_.find(write.key);
  if (seen == on_screen_.end()) return;
  const auto is_to_go = [&](const Seen& value) {
    switch (field.policy) {
      case core::MergePolicy::keep_siblings: return value.value == seen->second.shown;
      case core::MergePolicy::max:
      case core::MergePolicy::min:
      case core::MergePolicy::any:
      case core::MergePolicy::most_restrictive: return true;
      case core::MergePolicy::per_author: return value.author == author;
      case core::MergePolicy::set: return value.value == write.value;
      // Entries stay; and a count goes on from the device's newest.
      case core::MergePolicy::append:
      case core::MergePolicy::counter: return false;
    }
    return false;
  };
  for (const auto& [id, value] : seen->second.values) {
    const bool gone = std::find(write.replaces.begin(), write.replaces.end(), id) != write.replaces.end();
    if (is_to_go(value) && !gone) broken(book, field, "left a value standing that it was to replace");
  }
}

void Screen::look_at_own_counts(api::LocalStore& store) {
  own_counts_.clear();
  const auto state = store.records.shown(editor.id());
  const core::Form* form = store.directory.form("visit");
  if (!state || form == nullptr) return;
  for (const core::FieldState& field : state->fields) {
    const core::FormField* description = form->find(field.key.field);
    if (description == nullptr || description->policy != core::MergePolicy::counter) continue;
    for (const core::Sibling& sibling : field.siblings) {
      if (sibling.id.operation.device == store.identity.device()) own_counts_[field.key].push_back(sibling.id);
    }
  }
}

void Screen::check_count(const Book& book, const core::FieldWrite& write) const {
  if (const auto own = own_counts_.find(write.key); own != own_counts_.end()) {
    for (const core::ValueId& count : own->second) {
      if (std::find(write.replaces.begin(), write.replaces.end(), count) == write.replaces.end())
        throw BrokenPromise(book.name + " counts beside its own count");
    }
  }
  if (std::get<std::int64_t>(write.value) != counted_before(book, write) + counted_)
    throw BrokenPromise(book.name + " counted wrongly");
}

}  // namespace fieldsync::sim

#include "sim/screen.h"

#include "sim/story.h"

namespace fieldsync::sim {

void Screen::look(api::LocalStore& store) {
  on_screen_.clear();
  const auto shown = store.records.shown(editor.id());
  if (!shown) return;
  for (const core::FieldState& field : shown->fields) {
    for (const core::Sibling& sibling : field.siblings) on_screen_[field.key].insert(sibling.id);
  }
}

void Screen::check_replaces(const Book& book, const core::Operation& operation) const {
  for (const core::FieldWrite& write : operation.writes) {
    const auto seen = on_screen_.find(write.key);
    for (const core::ValueId& replaced : write.replaces) {
      // The device's own count may go on from another of its screens.
      if (replaced.operation.device == book.device) continue;
      if (seen != on_screen_.end() && seen->second.contains(replaced)) continue;
      throw BrokenPromise(book.name + " replaced a value of field " + std::to_string(write.key.field) + " that was not on the screen");
    }
  }
}

}  // namespace fieldsync::sim

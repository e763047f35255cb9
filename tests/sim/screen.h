// screen.h: a form that a person has open, and what was on it: nothing else may
// be replaced by what they save.
#pragma once

#include <map>
#include <set>
#include <string>

#include "api/local_store.h"
#include "fieldsync/record.h"
#include "sim/book.h"

namespace fieldsync::sim {

class Screen {
 public:
  Screen(RecordEditor opened, api::LocalStore& store) : editor(std::move(opened)) { look(store); }

  // What the record's fields hold now is what the person sees.
  void look(api::LocalStore& store);
  // What the person is about to save, where the writes alone do not show it.
  void note_resolved(const std::string& field) { resolved_.insert(field); }
  void note_counted(std::int64_t added) { counted_ += added; }
  // Just before a save: a count goes on from what the device's other screens counted.
  void look_at_own_counts(api::LocalStore& store);
  // Whether the record has grown meanwhile by what somebody else wrote.
  [[nodiscard]] bool is_outdated(api::LocalStore& store) const;
  // The book's last operation was saved from here. Throws BrokenPromise where it
  // replaces what it may not or leaves what it should, deletes what was not to be seen,
  // or counts wrongly.
  void check_saved(const Book& book, api::LocalStore& store);

  RecordEditor editor;

 private:
  struct Seen {
    core::Value value;
    core::PersonId author;
  };
  struct SeenField {
    std::map<core::ValueId, Seen> values;
    core::Value shown;
  };

  void check_nothing_left(const Book& book, const core::FieldWrite& write, const core::FormField& field,
                          const core::PersonId& author) const;
  void check_write(const Book& book, const core::FieldWrite& write, const core::FormField& field,
                   const core::PersonId& author) const;
  void check_count(const Book& book, const core::FieldWrite& write) const;

  std::map<core::FieldKey, SeenField> on_screen_;
  core::SeenVector seen_;
  std::set<std::string> resolved_;
  std::int64_t counted_ = 0;
  std::map<core::FieldKey, std::vector<core::ValueId>> own_counts_;
};

// A deletion hides what its author could see, no more and no less.
void check_deletion(const Book& book, const core::FieldWrite& write, const core::SeenVector& seen);

}  // namespace fieldsync::sim

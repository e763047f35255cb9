// screen.h: a form that a person has open, and what was on it: nothing else may
// be replaced by what they save.
#pragma once

#include <map>
#include <set>

#include "api/local_store.h"
#include "fieldsync/record.h"
#include "sim/book.h"

namespace fieldsync::sim {

class Screen {
 public:
  Screen(RecordEditor opened, api::LocalStore& store) : editor(std::move(opened)) { look(store); }

  // What the record's fields hold now is what the person sees.
  void look(api::LocalStore& store);
  // Throws BrokenPromise where the operation replaces what was not on it.
  void check_replaces(const Book& book, const core::Operation& operation) const;

  RecordEditor editor;

 private:
  std::map<core::FieldKey, std::set<core::ValueId>> on_screen_;
};

}  // namespace fieldsync::sim

// record_index.h: what a query looks at, of every record that is shown: in memory alone,
// because the store is sealed. Made when it is asked for the first time after unlocking,
// brought up to date by what has changed since whenever it is asked again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/record_state.h"
#include "fieldsync/database.h"
#include "storage/directory.h"
#include "storage/record_store.h"

namespace fieldsync::api {

// Threads: as the store.
class RecordIndex {
 public:
  // Reads what the last call has not seen. Pre: outside of a transaction. Throws SqliteError.
  void refresh(storage::RecordStore& records, storage::Directory& directory);
  // Everything is read again by the next refresh().
  void forget();

  // The last changed first, at most query.limit.
  [[nodiscard]] std::vector<core::RecordId> find(const Query& query) const;
  // Without those that are deleted.
  [[nodiscard]] std::uint64_t count_visible() const;
  [[nodiscard]] std::uint64_t count_conflicts() const;
  [[nodiscard]] std::vector<core::RecordId> in_conflict() const;

  // Whether both find the same.
  [[nodiscard]] bool operator==(const RecordIndex& other) const { return entries_ == other.entries_; }

 private:
  struct Entry {
    core::ScopeId scope;
    std::string form;
    core::Instant changed;
    bool deleted = false;
    std::uint64_t conflicts = 0;
    std::vector<std::pair<std::string, core::RecordId>> references;  // by field name
    std::string text;                                                // folded, each value after a separator

    bool operator==(const Entry&) const = default;
  };

  void read_all(storage::RecordStore& records, storage::Directory& directory);
  void add(const core::RecordState& state, storage::Directory& directory);

  std::map<core::RecordId, Entry> entries_;
  bool is_complete_ = false;
  std::uint64_t forms_version_ = 0;
};

}  // namespace fieldsync::api

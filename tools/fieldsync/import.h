// import.h: makes records from lines of JSON. A line that is refused holds none
// of the others up.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <vector>

#include "core/form.h"
#include "core/id.h"
#include "core/result.h"
#include "fieldsync/database.h"

namespace fieldsync::cli {

struct ImportTarget {
  core::Form form;
  core::ScopeId scope;
};

struct ImportProgress {
  std::uint64_t bytes = 0;  // read so far
  std::uint64_t created = 0;
};

struct RefusedLine {
  std::uint64_t number = 0;  // from 1
  Error error;
};

// Whether no line after the one that was refused so can be saved either.
[[nodiscard]] bool concerns_store(Errc code);

struct ImportReport {
  std::vector<core::RecordId> created;
  std::vector<RefusedLine> refused;
};

// One record for each line that is not blank, each saved before the next is read;
// see draft_json.h for what a line holds. Ends early where the store cannot be
// written, or the lines not read: that line is the last one refused.
[[nodiscard]] ImportReport import_lines(Database& database, const ImportTarget& target, std::istream& lines,
                                        const std::function<void(const ImportProgress&)>& on_line);

}  // namespace fieldsync::cli

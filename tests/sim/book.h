// book.h: what the simulation itself knows of each device: every save that
// returned, and what the office promised. Kept outside the simulated machines, so
// no fault can touch it.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/operation.h"
#include "service/cursor.h"

namespace fieldsync::sim {

// A poisoned operation writes text into this field of numbers.
inline constexpr std::uint32_t poisoned_field = 2;

struct SavedOperation {
  core::Operation operation;
  std::string bytes;
  bool poisoned = false;              // must end in quarantine
  std::int64_t saved_ms = INT64_MIN;  // unknown where the save was told to have failed
};

// Attachments and previews, by their hash.
struct AttachmentBook {
  std::set<core::AttachmentId> added;  // here, whatever became of it
  std::set<core::AttachmentId> kept;   // of these, what was not freed since
  // Whose bytes were here when a save named them in the scope.
  std::set<std::pair<core::ScopeId, core::AttachmentId>> named;
  std::set<core::AttachmentId> compared;  // was on the office's disk, byte for byte
  // What uploads carried: as far as it is known to have arrived; and where it is not known,
  // in each request that was made.
  struct Carried {
    std::uint64_t arrived = 0;
    std::uint64_t unknown = 0;
  };
  std::map<core::AttachmentId, Carried> carried;

  void note_added(const core::AttachmentId& id) {
    added.insert(id);
    kept.insert(id);
  }
};

struct Book {
  std::string name;  // of the device, in the story
  core::DeviceId device;
  std::size_t person = 0;
  std::vector<SavedOperation> saved;  // the one with counter n at n - 1
  // Saves that were told to have failed: a power cut may bring one back.
  std::uint64_t failed_saves = 0;
  // The greatest counter that the office acknowledged, as far as it was not restored.
  std::uint64_t promised = 0;
  void note_promise(const std::string& to, std::uint64_t acknowledged) {
    if (to == name) promised = std::max(promised, acknowledged);
  }
  std::map<core::ScopeId, server::Cursor> cursors;
  // Whoever returns to a scope reads it from its first page: until the last one came,
  // not all of their own writes are there again.
  std::set<core::ScopeId> read_in_part;
  // Refused saves that were amended or let be; and where the disk failed meanwhile, which perhaps.
  std::set<std::uint64_t> settled;
  std::set<std::uint64_t> perhaps_settled;
  bool keeps_old_form = false;
  AttachmentBook attachments;
};

}  // namespace fieldsync::sim

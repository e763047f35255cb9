// record.h: a record as a person sees and edits it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.h"
#include "core/result.h"
#include "core/time.h"
#include "core/value.h"

namespace fieldsync {

// How far an edit has come; each includes the ones before it.
enum class Progress : std::uint8_t {
  saved_here,  // on this device's storage
  sent,        // on stable storage at the server
  durable,     // the server's operator promises to keep it; this device may forget it
  refused,     // kept at the office in quarantine, not applied: see refused()
};

// One value as shown, with where it comes from.
struct ShownValue {
  core::Value value;
  core::PersonId author;    // none for a sum of several
  core::Instant claimed;    // the author's device clock
  core::Instant effective;  // as the server corrected it
  bool unsent = false;
};

struct ShownField {
  core::ItemId item;  // none for the record's own fields
  std::uint32_t number = 0;
  std::string name;  // "field_17" where the form does not know it
  // First what counts: a register's shown value, a set's elements, one value
  // for each author. In a conflict: every value that competes.
  std::vector<ShownValue> values;
  bool conflict = false;
};

struct RecordView {
  core::RecordId id;
  core::ScopeId scope;
  std::string form;
  // In the form's order, fields with values only; items in their order, deleted
  // ones left out.
  std::vector<ShownField> fields;
  bool deleted = false;
  // "Deleted by these while others edited": visible, until somebody deletes it
  // again or restores it.
  std::vector<core::PersonId> deleted_while_edited;
  Progress progress = Progress::saved_here;
  // The office's durable mark covers all that this device saved in the record, and all
  // attachments that it added: this device may forget it.
  bool safe_to_erase = false;
  core::Instant changed;  // newest effective time

  [[nodiscard]] const ShownField* find(std::string_view field, const core::ItemId& item = {}) const;
};

// A field with more than one value, or a deletion beside an edit.
struct Conflict {
  core::RecordId record;
  std::string form;
  core::ItemId item;
  std::uint32_t field = 0;  // 0: deleted by some while others edited
  std::string field_name;   // "existence" for 0
  std::vector<ShownValue> values;
};

struct SaveReceipt {
  core::OperationId operation;
};

// A record opened for editing. Field names are the form's. Every write replaces
// only what this editor had opened. Not thread safe.
class RecordEditor {
 public:
  class Session;  // the library's own part

  explicit RecordEditor(std::unique_ptr<Session> session);
  ~RecordEditor();
  RecordEditor(RecordEditor&&) noexcept;
  RecordEditor& operator=(RecordEditor&&) noexcept;

  [[nodiscard]] core::RecordId id() const;
  // As it was opened, without the edits that are not saved yet.
  [[nodiscard]] const RecordView& view() const;

  // Takes the field's base anew: call it when the field itself is opened on the
  // screen, later than the record was. unknown_field.
  Result<void> open_field(std::string_view field, const core::ItemId& item = {});

  // A register, max, min, any, most_restrictive or per-author field gets this
  // value; a set gets it as one more element, a list as one more entry; a counter
  // is raised by it. unknown_field, wrong_value_type, value_out_of_range,
  // value_too_large, invalid_text.
  Result<void> set(std::string_view field, core::Value value, const core::ItemId& item = {});
  // Empties a field; takes `value` out of a set or list.
  Result<void> clear(std::string_view field, const core::ItemId& item = {});
  Result<void> remove(std::string_view field, const core::Value& value, const core::ItemId& item = {});
  // Settles a conflict: the value takes the place of every one that was shown.
  Result<void> resolve(std::string_view field, core::Value value, const core::ItemId& item = {});

  // A new entry at the end of a repeated group, or the end of one, with the edits
  // of it that are not saved yet. delete_item: not_found.
  Result<core::ItemId> add_item(std::string_view group);
  Result<void> delete_item(const core::ItemId& item);

  // Stores all edits as one operation; when it returns it survives a crash or
  // power loss of this device. Without edits it does nothing but for a new
  // record: invalid_argument. The editor goes on from what it saved.
  Result<SaveReceipt> save();

 private:
  std::unique_ptr<Session> session_;
};

}  // namespace fieldsync

// attachments.h: photos, recordings, documents and previews on this device: which there are,
// how far each has come, and their bytes.
//
//   adding -> added -> waiting -> held        what this device adds
//   wanted -> held                            what it fetches
//   held -> waiting                           named once more, or the office lost it
//
// The bytes stand in pieces of the one database, so that a crash, a full disk and a wipe
// are one matter for everything that the store holds. Each piece is sealed with the
// attachment's random name and its place in it: no other bytes of that place ever existed,
// and what was put back or left out is noticed when it is read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.h"
#include "core/value.h"
#include "sqlite/connection.h"
#include "storage/vault.h"

namespace fieldsync::storage {

// The numbers are part of the store's format.
enum class AttachmentState : std::uint8_t {
  adding = 1,  // being written; dropped where that did not come to its end
  added,       // whole; no save names it yet
  waiting,     // whole; a save names it, and the office is not known to have it
  held,        // whole here, and at the office
  wanted,      // to be fetched; its first bytes may be here
};

// In the order in which they travel. The numbers are part of the store's format.
enum class TransferKind : std::uint8_t { preview = 1, audio, photo, document };

using AttachmentName = core::Id<struct AttachmentNameTag>;

struct AttachmentRow {
  std::int64_t row = 0;
  AttachmentName name;  // random: what its pieces are sealed to
  AttachmentState state = AttachmentState::adding;
  TransferKind kind = TransferKind::document;
  core::AttachmentFile file;  // as it is to be; zeros while it is being added
  // Of the first save that named it; none before, and once the person may read that no more.
  core::RecordId record;
  core::ScopeId scope;
  std::uint32_t bytes_here = 0;
  // A save of this device names it: the office is to be asked whether it has it there.
  bool named_here = false;
};

// Calls throw SqliteError; those that change something stand in a Transaction.
class Attachments {
 public:
  Attachments(sqlite::Connection& connection, const Vault& vault) : connection_(connection), vault_(vault) {}

  // A new one; its bytes follow with append().
  [[nodiscard]] AttachmentRow add(TransferKind kind);
  // More of its bytes, after those that are here.
  void append(AttachmentRow& attachment, std::string_view bytes);
  // All of its bytes are here, and are these. Where the same are here already, that one is
  // returned and this one is dropped.
  [[nodiscard]] AttachmentRow finish(AttachmentRow attachment, const core::AttachmentFile& file);
  void remove(const AttachmentRow& attachment);
  // What was being added when the app ended.
  void drop_unfinished();

  [[nodiscard]] std::optional<AttachmentRow> find(const core::AttachmentId& id);
  // As it is now; nothing where it is not there any more.
  [[nodiscard]] std::optional<AttachmentRow> read_again(const AttachmentRow& attachment);
  // A save names it: where its bytes are here, the office is to get them.
  void name_in(const core::AttachmentId& id, const core::RecordId& record, const core::ScopeId& scope);
  // Where nothing of it is known here: it is to be fetched.
  void want(const core::AttachmentFile& file, TransferKind kind, const core::RecordId& record,
            const core::ScopeId& scope);
  // The office has it on stable storage, whole. It goes from here where its record was left.
  void set_held(AttachmentRow& attachment);
  // All bytes of what was wanted are here, and are what they should be.
  void set_fetched(AttachmentRow& attachment);
  // What is here of it is not what its name promises: it is fetched from the beginning.
  void fetch_anew(AttachmentRow& attachment);
  // The office may have lost what it had.
  void offer_anew();

  // In the order in which they travel.
  [[nodiscard]] std::vector<AttachmentRow> in_state(AttachmentState state);
  [[nodiscard]] std::vector<AttachmentRow> all();
  // Whether something that this device saved in the scope is to be sent yet.
  [[nodiscard]] bool waits_for_scope(const core::ScopeId& scope);
  void remove_of_scope(const core::ScopeId& scope);
  // What was fetched, and no save of this device names.
  void remove_fetched_of_scope(const core::ScopeId& scope);
  // The person may read these records no more. What is to be sent yet stays until the office has it: its record
  // is none from now on.
  void leave_records(const std::set<core::RecordId>& records);

  // Up to `most` bytes from `offset` on; fewer only at the end of what is here.
  // storage_corrupt: they are not what was written.
  [[nodiscard]] std::string read(const AttachmentRow& attachment, std::uint32_t offset, std::size_t most);

 private:
  [[nodiscard]] AttachmentRow read_row(const sqlite::Statement& select);
  void insert(AttachmentRow& attachment, std::string_view tag);
  void update(const AttachmentRow& attachment);
  [[nodiscard]] std::string seal_about(const AttachmentRow& attachment) const;
  [[nodiscard]] std::string tag_of(const core::AttachmentId& id) const;

  sqlite::Connection& connection_;
  const Vault& vault_;
};

}  // namespace fieldsync::storage

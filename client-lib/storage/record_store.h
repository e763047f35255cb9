// record_store.h: the records of a device: what the server last told, and what
// the person sees, which is that with the device's own operations on top.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/frame.h"
#include "codec/record_codec.h"
#include "core/record_state.h"
#include "sqlite/connection.h"
#include "storage/vault.h"

namespace fieldsync::storage {

// Calls throw SqliteError; a row that cannot be decoded counts as storage_corrupt.
class RecordStore {
 public:
  RecordStore(sqlite::Connection& connection, const Vault& vault) : connection_(connection), vault_(vault) {}

  // As the server told; an empty state (no id) where it never did.
  [[nodiscard]] core::RecordState replica(const core::RecordId& id);
  // As the person sees it; nothing where there is no such record.
  [[nodiscard]] std::optional<core::RecordState> shown(const core::RecordId& id);

  // Stores the state with this device's operations on top.
  void put_shown(const core::RecordState& state);
  // Ends a time with operations on top: what the server told is what is shown.
  void drop_shown(const core::RecordId& id);

  // Stores what the server told and returns by how much its scope's digest grows.
  std::uint64_t put_replica(const core::RecordState& state);
  // The same for bytes that came as they are kept: canonical head, body as a frame.
  std::uint64_t put_replica_frame(const core::RecordState& head, std::string_view head_bytes, std::string_view frame,
                                  std::uint64_t body_hash);
  // The head of what is shown, with what the row tells besides.
  struct ShownHead {
    std::int64_t row = 0;
    core::RecordState head;
    std::uint64_t body_hash = 0;
    std::uint64_t replica_hash = 0;
  };
  // Nothing where no own operation is on top.
  [[nodiscard]] std::optional<ShownHead> shown_head(const core::RecordId& id);
  // The shown state becomes the replica, with the stamps of `head`; the body stays.
  std::uint64_t confirm_shown(const ShownHead& shown);

  // The scope is read anew: what was told so far stays shown, counts no more for
  // the digest, and goes with drop_stale() unless it is told again.
  void mark_stale(const core::ScopeId& scope);
  // Returns the records that stay because of own operations on top: what is shown of
  // them was built on what is dropped.
  [[nodiscard]] std::vector<core::RecordId> drop_stale();
  // The person may read it no more: what the server told goes. Returns by how much its scope's digest grows.
  std::uint64_t drop_replica(const core::RecordId& id);
  // Forgets all of a scope.
  void remove_scope(const core::ScopeId& scope);

  // Calls `visit` for every record until it returns false.
  void for_each_shown(const std::function<bool(core::RecordState)>& visit);

  // What may be shown otherwise, or no more, since the last call; after a transaction that
  // was not committed also what is as it was. At first everything.
  struct Changes {
    std::vector<core::RecordId> records;
    bool may_be_any = false;
  };
  [[nodiscard]] Changes take_changes() { return std::exchange(changes_, {}); }

  [[nodiscard]] std::vector<core::RecordId> ids_from(std::string_view low, std::string_view high);
  [[nodiscard]] std::uint64_t count(const core::ScopeId& scope);

  // Nothing of what was read or written stays in memory.
  void forget() {
    writer_.release();
    reader_.release();
  }

  [[nodiscard]] std::string frame_of(std::string_view body) { return writer_.compress(body); }
  // Checks and opens a body frame.
  [[nodiscard]] Result<std::string> body_of(std::string_view frame) {
    return reader_.decompress(frame, codec::record_body_bytes_max);
  }

 private:
  // What a row holds, opened as far as it is asked for.
  struct Head {
    std::uint64_t hash = 0;  // 0 for what is shown only
    std::uint64_t body_hash = 0;
    std::string bytes;
  };
  [[nodiscard]] Head open_head(seal::Place place, std::string_view id, std::string_view cell) const;
  [[nodiscard]] std::string seal_head(seal::Place place, std::string_view id, const Head& head) const;
  [[nodiscard]] core::RecordState decode(std::string_view id, std::string_view head, std::string_view body_cell);
  // Columns: id, head, body, shown_head, shown_body.
  [[nodiscard]] std::string shown_head_bytes(const sqlite::Statement& row) const;
  [[nodiscard]] core::RecordState decode_shown(const sqlite::Statement& row, std::string_view head);
  [[nodiscard]] std::uint64_t stored_hash(const core::RecordId& id);
  // Before the row is written.
  void note_change(const core::RecordId& id);

  sqlite::Connection& connection_;
  const Vault& vault_;
  codec::FrameWriter writer_;
  codec::FrameReader reader_;
  Changes changes_{{}, true};
};

}  // namespace fieldsync::storage

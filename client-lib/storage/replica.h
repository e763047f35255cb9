// replica.h: takes up what a server's reply says, so that the device's copy is
// byte for byte the server's, and keeps the device's own operations on top.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/effective_time.h"
#include "fieldsync/v1/sync.pb.h"
#include "storage/attachments.h"
#include "storage/directory.h"
#include "storage/identity.h"
#include "storage/outbox.h"
#include "storage/record_store.h"

namespace fieldsync::storage {

struct Taken {
  std::uint64_t operations_acknowledged = 0;
  std::uint64_t operations_refused = 0;
  std::uint64_t records_received = 0;
  // A scope is read from its beginning with the next request, even where the
  // reply was the last one.
  bool begins_anew = false;
  // A scope's position is another than before the reply, or what is acknowledged is.
  bool moved = false;
};

class Replica {
 public:
  Replica(Identity& identity, Directory& directory, RecordStore& records, Outbox& outbox, Attachments& attachments)
      : identity_(identity), directory_(directory), records_(records), outbox_(outbox), attachments_(attachments) {}

  // Call it inside one transaction, and undo that on an error: a reply is taken
  // whole or not at all. incompatible_server: the reply cannot be read.
  Result<Taken> take(const v1::SyncReply& reply);

  // The replica with the device's waiting operations on top, stored as shown.
  Result<void> rebuild_shown(const core::RecordId& record);

  // Keeps aside what the office refused, as far as `last`, and, where it told all of
  // that, forgets what it does not name.
  Result<void> take_refusals(const v1::SyncReply& reply, std::uint64_t last, Taken& taken);
  // Acknowledged operations of these numbers wait no longer where the replica holds them, or
  // where their scope was left: nothing of that comes back.
  Result<void> forget_held(std::uint64_t first, std::uint64_t last);
  // The server lost what it had acknowledged after `counter`: it waits again.
  Result<void> refill_after(std::uint64_t counter);
  // Every scope is read from its beginning with the next request. False where each was
  // to be already.
  bool read_all_anew();

  // The next request names no position in the scope: the server sends it whole. It may have lost
  // attachments too.
  void read_anew(const core::ScopeId& scope);

 private:
  // A restored office applied what it had refused: shown from now on, as one that waits
  // until its record comes; or its scope is read anew at once.
  Result<void> take_as_applied(const StoredOperation& refused, Taken& taken);

  // One of the batch's operations, as the server numbered it.
  struct Confirmed {
    std::uint64_t counter = 0;
    std::uint64_t seq = 0;
  };
  using ConfirmedByRecord = std::map<core::RecordId, std::vector<Confirmed>>;
  static std::vector<std::uint64_t> counters_of(const ConfirmedByRecord& own);

  Result<void> take_directory(const v1::SyncReply& reply);
  Result<void> take_scope(const v1::ScopeChanges& changes, const ConfirmedByRecord& own, const v1::SyncReply& reply,
                          Taken& taken);
  struct Changed {
    core::RecordId record;
    std::uint64_t digest_growth = 0;
  };
  // Nothing where the changed fields do not fit the device's copy of the record.
  Result<std::optional<Changed>> take_change(const v1::RecordChange& change, const core::ScopeId& scope,
                                             std::uint64_t acknowledged);
  // The person takes part in them no more: what is unsent stays until it is sent. By how much the digest grows.
  Result<std::uint64_t> take_records_gone(const v1::ScopeChanges& changes, const core::ScopeId& scope,
                                          std::uint64_t acknowledged);
  // The reading anew has come to its end: what was not told again goes.
  Result<void> drop_stale();
  ConfirmedByRecord confirmed_in(const v1::ScopeChanges& changes, const v1::SyncReply& reply);
  // Small pictures come with the records, the rest when somebody asks for it.
  void want_previews(const core::RecordState& record);
  Result<std::uint64_t> confirm(const core::RecordId& record, const std::vector<Confirmed>& own,
                                const v1::BatchStamps& stamps);
  void take_scopes_gone(const v1::SyncReply& reply);

  Identity& identity_;
  Directory& directory_;
  RecordStore& records_;
  Outbox& outbox_;
  Attachments& attachments_;
};

}  // namespace fieldsync::storage

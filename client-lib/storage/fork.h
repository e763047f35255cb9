// fork.h: two copies of one store were used, because an older one was put back or
// one was taken to a second device. Both gave the same counters to their saves, and
// the server keeps those that came first.
//
// Noticed    Each reply names the last batch that the server has of this device. Its
//            hash covers the whole history: where this store signed no such batch,
//            or the server answers device_forked or batch_chain_broken, another copy
//            was there first.
// Compared   What was acknowledged proves nothing then: the server may have been
//            restored, and the other copy refilled it. Every operation is sent again
//            from the first one on, as far as the server finds it equal to its own, byte
//            for byte. That is the server's word: what is acknowledged needs receipts
//            all the same (Identity::receipted_counter), which stay good meanwhile.
// Way out    The person enrols this store again, as a new device. What the server has
//            not, byte for byte, is written anew under the new id, in order; the rest
//            comes back with the records, which are all read anew. Where what the server
//            is said to have has no receipt, the store never calls itself safe to erase.
#pragma once

#include <cstdint>
#include <map>

#include "fieldsync/v1/sync.pb.h"
#include "storage/directory.h"
#include "storage/identity.h"
#include "storage/outbox.h"
#include "storage/record_store.h"
#include "storage/renaming.h"
#include "storage/replica.h"

namespace fieldsync::storage {

struct NewDevice {
  core::DeviceId id;
  std::string private_key_pem;
  std::string certificate_pem;
};

// Calls throw SqliteError.
class Fork {
 public:
  Fork(Identity& identity, Directory& directory, RecordStore& records, Outbox& outbox, Replica& replica)
      : identity_(identity), directory_(directory), records_(records), outbox_(outbox), replica_(replica) {}

  // Whether the server speaks of the history that this store wrote. Only then may
  // the reply be taken.
  [[nodiscard]] bool is_own_history(const v1::SyncReply& reply);

  // After a reply that is not of this store's history: true where the two have yet to
  // be compared further, with the next batch; false where it is known now from which
  // counter on they differ (Identity::forked_from). `sent` is the batch that the
  // request brought, null without one. Call it inside a transaction.
  Result<bool> compare_on(const v1::SyncReply& reply, const SignedBatch* sent);
  // The same where the batch from `sent_first` on was refused with device_forked or
  // batch_chain_broken. False as well where the refusal makes no sense.
  Result<bool> compare_on(Errc refusal, std::uint64_t sent_first);
  // After a reply of this store's history was taken: there is no other copy, or its
  // saves are gone from the server. Call it inside the same transaction.
  Result<void> end_comparison();

  // Puts everything that this store ever signed back among what waits: where the server
  // has other saves, none of these need be there. Returns true. Call it inside a transaction.
  Result<bool> begin_comparison();

  // The store belongs to `device` from here on. Call it inside a transaction, and
  // Identity::read_device_again() where that is undone. Pre: forked_from() is not 0,
  // and the comparison has proven what is before it.
  Result<void> begin_anew(const NewDevice& device);

 private:
  // Puts the operation among those that wait and returns its counter.
  Result<std::uint64_t> append_anew(const core::Operation& operation);
  // As far as the server has them, the records that this store ever saved to.
  using Kept = std::map<core::RecordId, core::RecordState>;
  // Sets aside what the server has; the rest waits under the new id.
  Result<Kept> write_anew(Renaming& renaming);

  Identity& identity_;
  Directory& directory_;
  RecordStore& records_;
  Outbox& outbox_;
  Replica& replica_;
};

}  // namespace fieldsync::storage

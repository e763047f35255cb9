// fork.h: two copies of one store were used, because an older one was put back or
// one was taken to a second device. Both gave the same counters to their saves, and
// the server keeps those that came first.
//
// Noticed    Each reply names the last batch that the server has of this device. Its
//            hash covers the whole history: where this store signed no such batch,
//            or the server answers device_forked, another copy was there first.
// Way out    The person enrols this store again, as a new device. What the server has
//            not, byte for byte, is written anew under the new id, in order; the rest
//            comes back with the records, which are all read anew.
#pragma once

#include <cstdint>

#include "fieldsync/v1/sync.pb.h"
#include "storage/directory.h"
#include "storage/identity.h"
#include "storage/outbox.h"
#include "storage/record_store.h"
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
  // counter on they differ (Identity::forked_from). `sent_last` is the last counter of
  // the batch that the request brought, 0 without one. Call it inside a transaction.
  Result<bool> compare_on(const v1::SyncReply& reply, std::uint64_t sent_last);

  // The store belongs to `device` from here on. Call it inside a transaction, and
  // Identity::read_device_again() where that is undone. Pre: forked_from() is not 0.
  Result<void> begin_anew(const NewDevice& device);

 private:
  Identity& identity_;
  Directory& directory_;
  RecordStore& records_;
  Outbox& outbox_;
  Replica& replica_;
};

}  // namespace fieldsync::storage

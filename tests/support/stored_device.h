// stored_device.h: the real storage of a device without its network: what a sync
// sends and takes up, one step at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fieldsync/v1/sync.pb.h"
#include "storage/replica.h"
#include "support/temporary_folder.h"
#include "support/test_device.h"

namespace fieldsync::testing {

class StoredDevice {
 public:
  // Has the keys of `keys`, and its store in a folder of its own.
  StoredDevice(const TestDevice& keys, const core::PersonId& person);

  // Everything that is open, as after a start of the program.
  struct Open {
    explicit Open(const std::string& path);
    std::unique_ptr<sqlite::Connection> connection;
    storage::Vault vault{*connection};
    storage::Identity identity{*connection, vault};
    storage::Directory directory{*connection, vault};
    storage::RecordStore records{*connection, vault};
    storage::Outbox outbox{*connection, vault};
    storage::Attachments attachments{*connection, vault};
    storage::Replica replica{identity, directory, records, outbox, attachments};
  };
  Open& operator*() { return *open_; }
  Open* operator->() { return open_.get(); }
  void restart();

  // Saves one operation as an app does: stored, counted and shown.
  core::Operation save(const core::ScopeId& scope, const core::RecordId& record, std::vector<core::FieldWrite> writes,
                       const std::string& form = "visit");
  // Writes the text over what is shown.
  core::Operation type(const core::ScopeId& scope, const core::RecordId& record, std::uint32_t field,
                       const std::string& text);

  // The next batch; `wire_bytes_max` is the aim for its size.
  std::optional<storage::SignedBatch> next_batch(std::size_t wire_bytes_max = 1'000'000);
  v1::SyncRequest request(const std::optional<storage::SignedBatch>& batch);
  // In one transaction, undone where the reply is refused.
  Result<storage::Taken> take(const v1::SyncReply& reply);

  // As if the device had read so far.
  void set_position(const core::ScopeId& scope, std::string_view cursor, std::uint64_t digest);

  // The shown texts of a field, first the one that counts.
  std::vector<std::string> texts(const core::RecordId& record, std::uint32_t field);
  // Every record as it is shown, by id: head and body in hexadecimal digits.
  std::map<std::string, std::string> shown_records();
  std::uint64_t digest(const core::ScopeId& scope) { return (*this)->directory.scope(scope)->digest; }
  std::uint64_t waiting() { return (*this)->identity.last_counter() - (*this)->identity.acknowledged_counter(); }

  core::DeviceId id;

 private:
  TemporaryFolder folder_;
  codec::SigningKey key_;
  std::unique_ptr<Open> open_;
};

}  // namespace fieldsync::testing

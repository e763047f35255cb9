// test_device.h: a simulated device. It has a key, counts its operations, signs
// its batches, and keeps what the server sends, like the real one but with every
// step open to be done wrongly.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codec/batch.h"
#include "core/operation.h"
#include "fieldsync/v1/sync.pb.h"

namespace fieldsync::testing {

struct KeptRecord {
  std::string head;
  std::string body;
  bool operator==(const KeptRecord&) const = default;
};

class TestDevice {
 public:
  TestDevice();

  core::DeviceId id;
  std::string public_key;
  codec::SigningKey key{};
  std::uint64_t last_counter = 0;
  codec::BatchHash last_hash{};
  std::uint64_t refusals_digest = 0;
  std::int64_t clock_ms = 0;  // its wall clock: claimed times and the request's time

  // What the server gave: cursors by scope, and the records.
  std::map<std::string, std::string> cursors;
  std::map<std::string, std::map<std::string, KeptRecord>> records;
  // Changes of a record that the device does not have.
  int changes_without_record = 0;

  // A save with the next counter after `before` others of the same batch.
  [[nodiscard]] core::Operation save(const core::ScopeId& scope, const core::RecordId& record,
                                     std::vector<core::FieldWrite> writes, std::size_t before = 0,
                                     std::string form = "visit") const;

  // Signed, following the last acknowledged batch; compressed with the dictionary.
  [[nodiscard]] v1::Batch batch(const std::vector<core::Operation>& operations) const;
  // The same around any content.
  [[nodiscard]] v1::Batch batch_of(const std::string& content, v1::Encoding encoding = v1::ENCODING_PLAIN) const;
  void sign(v1::Batch& batch) const;

  // Names all positions that the device has.
  [[nodiscard]] v1::SyncRequest request() const;
  [[nodiscard]] v1::SyncRequest request(const v1::Batch& batch) const;

  // The server acknowledged this batch.
  void acknowledged(const v1::Batch& batch, std::uint64_t counter);
  // Takes up cursors and changes.
  void take(const v1::SyncReply& reply);
  [[nodiscard]] std::uint64_t digest(const std::string& scope) const;
};

[[nodiscard]] std::string list_of(const std::vector<std::string>& operations);
[[nodiscard]] core::RecordId new_record();

}  // namespace fieldsync::testing

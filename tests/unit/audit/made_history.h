// made_history.h: small histories, and what can be done to them.
#pragma once

#include <string>
#include <vector>

#include "audit/history_verifier.h"

namespace fieldsync::testing {

// A device that signs batches in a chain.
struct SigningDevice {
  explicit SigningDevice(std::uint8_t seed);
  v1::Batch next_batch(const std::string& content, std::uint64_t operations);

  core::DeviceId id;
  codec::SigningKey key{};
  codec::ChainPosition end;
};

[[nodiscard]] codec::SigningKey signing_key_from(std::uint8_t seed);

// A log as an office writes it, in memory.
class MadeHistory {
 public:
  struct Record {
    audit::HistoryEntry entry;
    std::optional<v1::Batch> batch;
  };

  explicit MadeHistory(std::uint8_t seed = 1) : key(signing_key_from(seed)) {}

  void append(v1::AuditEntry entry, std::optional<v1::Batch> batch = {});
  void enrol(const SigningDevice& device);
  void accept(SigningDevice& device, const std::string& content, std::uint64_t operations = 1);
  void act(const std::string& name);
  void admit_loss(const audit::Checkpoint& lost);

  // Makes roots and signatures anew from record `first` (from 0) on, as who has the key can.
  void sign_anew(std::size_t first = 0);
  [[nodiscard]] audit::Hash fingerprint() const { return audit::fingerprint_of(audit::public_key_of(key)); }
  // As a file.
  [[nodiscard]] std::string file() const;

  codec::SigningKey key;
  std::vector<Record> records;
  std::int64_t now_ms = 1'795'500'000'000;
};

// "sound", or "code entry".
[[nodiscard]] std::string verdict_of(const std::string& file, const audit::Hash& fingerprint,
                                     std::optional<audit::Checkpoint> wanted = {});

}  // namespace fieldsync::testing

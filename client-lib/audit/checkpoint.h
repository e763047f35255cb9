// checkpoint.h: the log's key says how many entries there are and what their root is
// (proto/fieldsync/v1/audit.proto).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/merkle.h"
#include "codec/batch.h"
#include "core/time.h"
#include "fieldsync/v1/audit.pb.h"

namespace fieldsync::audit {

struct Checkpoint {
  std::uint64_t size = 0;
  core::Instant time;
  Hash root{};
  codec::BatchSignature signature{};

  bool operator==(const Checkpoint&) const = default;
};

// SHA-256 of the log's public key: what an auditor writes down.
[[nodiscard]] Hash fingerprint_of(const codec::VerifyingKey& key);

// Signs what stands in `checkpoint` besides the signature.
void sign(Checkpoint& checkpoint, const codec::SigningKey& key);
[[nodiscard]] bool is_signed_by(const Checkpoint& checkpoint, const codec::VerifyingKey& key);

// Nothing where its parts do not have their lengths, or it is of no entry.
[[nodiscard]] std::optional<Checkpoint> read_checkpoint(const v1::Checkpoint& wire);
void write_checkpoint(const Checkpoint& checkpoint, v1::Checkpoint& wire);

// For people to pass on: "fieldsync-checkpoint:1:SIZE:TIME_MS:ROOT:SIGNATURE", the last two in hexadecimal digits.
[[nodiscard]] std::string text_of(const Checkpoint& checkpoint);
[[nodiscard]] std::optional<Checkpoint> parse_checkpoint(std::string_view text);

// The second half of libsodium's form.
[[nodiscard]] codec::VerifyingKey public_key_of(const codec::SigningKey& key);
// Nothing where it is not 32 bytes.
[[nodiscard]] std::optional<codec::VerifyingKey> read_key(std::string_view bytes);
[[nodiscard]] std::string_view view_of_key(const codec::VerifyingKey& key);

}  // namespace fieldsync::audit

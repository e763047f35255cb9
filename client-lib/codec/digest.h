// digest.h: how two replicas notice that they differ. Not a defence against a
// liar: the server's signed history is.
#pragma once

#include <cstdint>
#include <string_view>

namespace fieldsync::codec {

// SipHash-2-4 (Aumasson and Bernstein 2012) with the public key "fieldsync digest".
[[nodiscard]] std::uint64_t hash_bytes(std::string_view bytes);

// A record's part of its scope's digest; the digest is the sum modulo 2^64.
[[nodiscard]] std::uint64_t hash_record(std::string_view head, std::uint64_t body_hash);

// A refused operation's part of what a device knows of its refusals, which is the sum
// modulo 2^64 (SyncRequest.refusals_digest).
[[nodiscard]] std::uint64_t hash_refusal(std::uint64_t counter, std::string_view code);

}  // namespace fieldsync::codec

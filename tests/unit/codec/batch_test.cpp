#include "codec/batch.h"

#include <sodium.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "support/core_builders.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

struct Keys {
  codec::SigningKey signing{};
  codec::VerifyingKey verifying{};
  Keys() {
    REQUIRE(sodium_init() >= 0);
    crypto_sign_keypair(verifying.data(), signing.data());
  }
};

std::string_view view_of(const codec::BatchSignature& signature) {
  return {reinterpret_cast<const char*>(signature.data()), signature.size()};
}

std::string sha256(const std::string& bytes) {
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return hash;
}

}  // namespace

TEST_CASE("A batch's hash and signature are over the bytes that the contract writes down") {
  const Keys keys;
  codec::BatchHeader header{device(1), 0x0102030405060708, {}, codec::Encoding::zstd};
  header.previous.fill(0xAB);
  const std::string hashed = std::string("fieldsync batch v1\0", 19) + std::string(device(1).view()) +
                             std::string("\x01\x02\x03\x04\x05\x06\x07\x08") + std::string(32, '\xAB') + '\x01' +
                             "content";
  const codec::BatchHash hash = codec::hash_batch(header, "content");
  CHECK((std::string(reinterpret_cast<const char*>(hash.data()), hash.size()) == sha256(hashed)));
  const std::string to_sign = std::string("fieldsync signature v1\0", 23) + sha256(hashed);
  const auto signature = codec::sign_batch(hash, keys.signing);
  CHECK(crypto_sign_verify_detached(signature.data(), reinterpret_cast<const unsigned char*>(to_sign.data()),
                                    to_sign.size(), keys.verifying.data()) == 0);
}

TEST_CASE("A signature holds for its device, counter, chain, encoding and content, and for no other") {
  const Keys keys, other_keys;
  const codec::BatchHeader header{device(1), 7, {}, codec::Encoding::zstd};
  const codec::BatchHash hash = codec::hash_batch(header, "content");
  const auto signature = codec::sign_batch(hash, keys.signing);
  CHECK(codec::verify_batch(hash, view_of(signature), keys.verifying));
  codec::BatchHeader other_chain = header;
  other_chain.previous.back() = 1;
  for (const codec::BatchHash& forged : {codec::hash_batch({device(2), 7, {}, codec::Encoding::zstd}, "content"),
                                         codec::hash_batch({device(1), 8, {}, codec::Encoding::zstd}, "content"),
                                         codec::hash_batch(other_chain, "content"),
                                         codec::hash_batch({device(1), 7, {}, codec::Encoding::plain}, "content"),
                                         codec::hash_batch(header, "Content")}) {
    CHECK_FALSE(codec::verify_batch(forged, view_of(signature), keys.verifying));
  }
  CHECK_FALSE(codec::verify_batch(hash, view_of(signature), other_keys.verifying));
  CHECK_FALSE(codec::verify_batch(hash, view_of(signature).substr(1), keys.verifying));
  CHECK_FALSE(codec::verify_batch(hash, "", keys.verifying));
}

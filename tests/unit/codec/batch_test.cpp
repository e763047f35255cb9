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

}  // namespace

TEST_CASE("The signed bytes are those that the contract writes down") {
  codec::BatchHeader header{device(1), 0x0102030405060708, {}, codec::Encoding::zstd};
  header.previous.fill(0xAB);
  const std::string expected = std::string("fieldsync batch v1\0", 19) + std::string(device(1).view()) +
                               std::string("\x01\x02\x03\x04\x05\x06\x07\x08") + std::string(32, '\xAB') + '\x01' + "content";
  CHECK((codec::signed_bytes(header, "content") == expected));
}

TEST_CASE("A signature holds for its device, counter, chain, encoding and content, and for no other") {
  const Keys keys, other_keys;
  const codec::BatchHeader header{device(1), 7, {}, codec::Encoding::zstd};
  const std::string bytes = codec::signed_bytes(header, "content");
  const auto signature = codec::sign_batch(bytes, keys.signing);
  CHECK(codec::verify_batch(bytes, view_of(signature), keys.verifying));
  codec::BatchHeader other_chain = header;
  other_chain.previous.back() = 1;
  for (const std::string& forged :
       {codec::signed_bytes({device(2), 7, {}, codec::Encoding::zstd}, "content"),
        codec::signed_bytes({device(1), 8, {}, codec::Encoding::zstd}, "content"), codec::signed_bytes(other_chain, "content"),
        codec::signed_bytes({device(1), 7, {}, codec::Encoding::plain}, "content"), codec::signed_bytes(header, "Content")}) {
    CHECK_FALSE(codec::verify_batch(forged, view_of(signature), keys.verifying));
  }
  CHECK_FALSE(codec::verify_batch(bytes, view_of(signature), other_keys.verifying));
  CHECK_FALSE(codec::verify_batch(bytes, view_of(signature).substr(1), keys.verifying));
  CHECK_FALSE(codec::verify_batch(bytes, "", keys.verifying));
}

TEST_CASE("A batch's hash is SHA-256, which anyone can check") {
  const codec::BatchHash hash = codec::hash_batch("abc");
  CHECK(core::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()}) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#include "audit/checkpoint.h"

#include <sodium.h>

#include <catch2/catch.hpp>

using namespace fieldsync;
using namespace fieldsync::audit;

namespace {

codec::SigningKey key_from(std::uint8_t first) {
  std::array<std::uint8_t, crypto_sign_SEEDBYTES> seed{first};
  codec::VerifyingKey public_key{};
  codec::SigningKey key{};
  crypto_sign_seed_keypair(public_key.data(), key.data(), seed.data());
  return key;
}

Checkpoint signed_checkpoint() {
  Checkpoint checkpoint{12, {1'795'500'000'000}, sha256("a root"), {}};
  sign(checkpoint, key_from(1));
  return checkpoint;
}

}  // namespace

TEST_CASE("A checkpoint is its key's, and each of its parts is signed", "[audit][checkpoint]") {
  const Checkpoint checkpoint = signed_checkpoint();
  const codec::VerifyingKey key = public_key_of(key_from(1));
  CHECK(is_signed_by(checkpoint, key));
  CHECK_FALSE(is_signed_by(checkpoint, public_key_of(key_from(2))));
  for (int bit = 0; bit < 64; ++bit) {
    Checkpoint changed = checkpoint;
    changed.size ^= std::uint64_t{1} << bit;
    CHECK_FALSE(is_signed_by(changed, key));
    changed = checkpoint;
    changed.time.ms ^= static_cast<std::int64_t>(std::uint64_t{1} << bit);
    CHECK_FALSE(is_signed_by(changed, key));
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Checkpoint changed = checkpoint;
    changed.root[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    CHECK_FALSE(is_signed_by(changed, key));
    changed = checkpoint;
    changed.signature[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    CHECK_FALSE(is_signed_by(changed, key));
  }
}

TEST_CASE("A checkpoint is the same after the wire and after its text", "[audit][checkpoint]") {
  const Checkpoint checkpoint = signed_checkpoint();
  v1::Checkpoint wire;
  write_checkpoint(checkpoint, wire);
  CHECK(read_checkpoint(wire) == checkpoint);
  CHECK(parse_checkpoint(text_of(checkpoint)) == checkpoint);
}

TEST_CASE("What is not a checkpoint is not read as one", "[audit][checkpoint]") {
  CHECK_FALSE(read_checkpoint({}));
  v1::Checkpoint wire;
  write_checkpoint(signed_checkpoint(), wire);
  wire.set_size(0);
  CHECK_FALSE(read_checkpoint(wire));
  write_checkpoint(signed_checkpoint(), wire);
  wire.mutable_root()->pop_back();
  CHECK_FALSE(read_checkpoint(wire));
  write_checkpoint(signed_checkpoint(), wire);
  wire.mutable_signature()->push_back('x');
  CHECK_FALSE(read_checkpoint(wire));
  const std::string text = text_of(signed_checkpoint());
  for (const std::string& wrong : {std::string(), text.substr(1), text + "0", text.substr(0, text.size() - 2),
                                   std::string("fieldsync-checkpoint:1:"), std::string("fieldsync-checkpoint:1:7"),
                                   std::string("fieldsync-checkpoint:1:0:0::"), "fieldsync-checkpoint:2:" + text}) {
    INFO(wrong);
    CHECK_FALSE(parse_checkpoint(wrong));
  }
}

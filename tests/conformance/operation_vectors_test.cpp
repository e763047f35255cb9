// Operations and batches of the vectors: read, written, signed and refused.
#include <sodium.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "codec/batch.h"
#include "codec/operation_codec.h"
#include "core/validation.h"
#include "fieldsync/v1/operation.pb.h"
#include "service/enrolment.h"
#include "service/upload.h"
#include "vectors.h"

using namespace fieldsync;
using namespace fieldsync::conformance;

namespace {

core::OperationId operation_id(const object& one) {
  return {id_of<core::DeviceId>(one, "device"), counter_of(one, "counter")};
}

// As a server does it.
Result<core::Operation> read_operation(const object& one) {
  std::size_t elements = 0;
  auto operation = codec::decode_operation(bytes_of(one, "bytes"), operation_id(one), {}, elements);
  if (!operation) return operation;
  // Also where it is refused then.
  CHECK(core::to_hex(codec::encode_operation(*operation)) == text_of(one, "bytes"));
  if (core::holds_open_secret(*operation, form())) return Error{Errc::must_be_sealed, {}};
  if (auto checked = core::check_operation(*operation, form()); !checked) return checked.error();
  return operation;
}

Result<server::CheckedBatch> read_batch(const object& one) {
  v1::Batch batch;
  REQUIRE(batch.ParseFromString(bytes_of(one, "bytes")));
  server::DeviceRow device;
  device.id = id_of<core::DeviceId>(one, "device");
  device.public_key = bytes_of(one, "public_key");
  device.last_counter = counter_of(one, "last_counter");
  const std::string last_hash = bytes_of(one, "last_hash");
  REQUIRE(last_hash.size() == device.last_batch_hash.size());
  std::copy(last_hash.begin(), last_hash.end(), device.last_batch_hash.begin());
  codec::FrameReader frames;
  return server::check_batch(batch, device, frames);
}

template <typename Bytes>
std::string text_from(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

void check_signing(const object& one) {
  codec::SigningKey key{};
  codec::VerifyingKey public_key{};
  const std::string seed = bytes_of(one, "seed");
  REQUIRE(seed.size() == crypto_sign_SEEDBYTES);
  crypto_sign_seed_keypair(public_key.data(), key.data(), reinterpret_cast<const unsigned char*>(seed.data()));
  CHECK(text_from(public_key) == bytes_of(one, "public_key"));
  CHECK(server::device_id_of(text_from(public_key)) == id_of<core::DeviceId>(one, "device"));
  codec::BatchHeader header{
      id_of<core::DeviceId>(one, "device"), counter_of(one, "first_counter"), {}, codec::Encoding::plain};
  const std::string last_hash = bytes_of(one, "last_hash");
  std::copy(last_hash.begin(), last_hash.end(), header.previous.begin());
  const codec::BatchHash hash = codec::hash_batch(header, bytes_of(one, "content"));
  CHECK(text_from(hash) == bytes_of(one, "hash"));
  CHECK(text_from(codec::sign_batch(hash, key)) == bytes_of(one, "signature"));
}

}  // namespace

TEST_CASE("The vectors' operations mean what they say, are written the same, or are refused") {
  each_case(
      "operations",
      [](const object& one) {
        const core::Operation meaning = operation_of(one.at("operation").as_object(), operation_id(one));
        const auto read = read_operation(one);
        REQUIRE(read);
        CHECK((*read == meaning));
        CHECK(core::to_hex(codec::encode_operation(meaning)) == text_of(one, "bytes"));
      },
      [](const object& one) {
        const auto read = read_operation(one);
        return read ? "none" : code_of(read.error());
      });
}

TEST_CASE("The vectors' batches follow, are signed the same, or are refused") {
  REQUIRE(sodium_init() >= 0);
  each_case(
      "batches",
      [](const object& one) {
        const auto read = read_batch(one);
        REQUIRE(read);
        CHECK(text_from(read->hash) == bytes_of(one, "hash"));
        check_signing(one);
      },
      [](const object& one) {
        const auto read = read_batch(one);
        return read ? "none" : code_of(read.error());
      });
}

// raw_device.h: the device that a client which is not ours was enrolled as, to sign what it saves.
#pragma once

#include <sodium.h>

#include <algorithm>

#include "support/raw_client.h"
#include "support/test_device.h"
#include "tls/key_pair.h"

namespace fieldsync::testing {

inline TestDevice device_of(const RawClient& client) {
  TestDevice device;
  const auto signing_key = tls::signing_key(content_of(client.key()));
  REQUIRE(signing_key);
  std::copy(signing_key->begin(), signing_key->end(), device.key.begin());
  device.public_key.assign(signing_key->begin() + 32, signing_key->end());
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(device.public_key.data()), device.public_key.size());
  std::copy_n(hash, device.id.bytes.size(), device.id.bytes.begin());
  return device;
}

}  // namespace fieldsync::testing

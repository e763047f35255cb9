// key_pair.h: keys with self-signed certificates, for devices and servers.
//
// Trust never comes from a certificate's names or dates: the server knows a
// device by its key, the device knows the server by the pin of its key.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fieldsync::tls {

struct KeyPair {
  std::string private_key_pem;
  std::string certificate_pem;
};

// A device's identity: Ed25519 (RFC 8032, RFC 8410).
[[nodiscard]] KeyPair make_device_key();
// A server's: ECDSA on P-256. Certificate of 90 days for these DNS names or addresses.
[[nodiscard]] KeyPair make_server_key(const std::string& host);
// The same key with a new certificate.
[[nodiscard]] Result<KeyPair> certify_server_key(std::string_view private_key_pem, const std::string& host);

// libsodium's form of an Ed25519 private key: seed, then public key.
[[nodiscard]] Result<std::array<std::uint8_t, 64>> signing_key(std::string_view private_key_pem);
// The raw 32 bytes of a certificate's Ed25519 key.
[[nodiscard]] Result<std::string> device_public_key(std::string_view certificate_pem);
// SHA-256 of the certificate's SubjectPublicKeyInfo: what devices pin (32 bytes).
[[nodiscard]] Result<std::string> pin_of(std::string_view certificate_pem);

}  // namespace fieldsync::tls

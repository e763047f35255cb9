#include "sim/seeded_key.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "core/check.h"

namespace fieldsync::sim {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

tls::KeyPair make_seeded_key(const std::array<std::uint8_t, 32>& seed) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  FIELDSYNC_CHECK(key && certificate, "OpenSSL knows Ed25519");
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), 0);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), 4'000'000'000);
  X509_set_pubkey(certificate.get(), key.get());
  FIELDSYNC_CHECK(X509_sign(certificate.get(), key.get(), nullptr) > 0, "a certificate can be signed");
  const Bio private_bio(BIO_new(BIO_s_mem()), BIO_free);
  const Bio certificate_bio(BIO_new(BIO_s_mem()), BIO_free);
  FIELDSYNC_CHECK(PEM_write_bio_PrivateKey(private_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
                  "a key can be written");
  FIELDSYNC_CHECK(PEM_write_bio_X509(certificate_bio.get(), certificate.get()) == 1, "a certificate can be written");
  return {contents(private_bio.get()), contents(certificate_bio.get())};
}

}  // namespace fieldsync::sim

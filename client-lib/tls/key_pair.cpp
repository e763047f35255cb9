#include "tls/key_pair.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <new>

namespace fieldsync::tls {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, decltype(&PKCS8_PRIV_KEY_INFO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr long server_certificate_seconds = 90L * 24 * 3600;
// A device's certificate only carries its key: its dates mean nothing.
constexpr long device_certificate_seconds = 100L * 365 * 24 * 3600;

// OpenSSL fails at these only without memory or randomness.
template <typename T>
T* need(T* made) {
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

// After a failure that may have another reason as well, and began with an empty queue of
// errors. Without memory there may be none for the error either.
void check_memory() {
  bool any = false;
  while (const unsigned long error = ERR_get_error()) {
    any = true;
    if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) throw std::bad_alloc();
  }
  if (!any) throw std::bad_alloc();
}

void need(int done) {
  if (done <= 0) throw std::bad_alloc();
}

std::string contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

void add_subject_alternative_name(X509* certificate, const std::string& host) {
  const bool numeric = host.find_first_not_of("0123456789.:abcdefABCDEF") == std::string::npos &&
                       host.find_first_of(".:") != std::string::npos &&
                       host.find_first_of("0123456789") != std::string::npos;
  const std::string value = (numeric ? "IP:" : "DNS:") + host;
  X509_EXTENSION* extension = need(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, value.c_str()));
  need(X509_add_ext(certificate, extension, -1));
  X509_EXTENSION_free(extension);
}

KeyPair self_sign(EVP_PKEY* key, const std::string& name, long seconds, const EVP_MD* digest, const std::string& host) {
  const Certificate certificate(need(X509_new()), X509_free);
  need(X509_set_version(certificate.get(), X509_VERSION_3));
  std::uint64_t serial = 0;
  need(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial));
  need(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1));
  need(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -24L * 3600));
  need(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds));
  need(X509_set_pubkey(certificate.get(), key));
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  need(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()),
                                  static_cast<int>(name.size()), -1, 0));
  need(X509_set_issuer_name(certificate.get(), subject));
  if (!host.empty()) add_subject_alternative_name(certificate.get(), host);
  need(X509_sign(certificate.get(), key, digest));
  const Bio private_bio(need(BIO_new(BIO_s_mem())), BIO_free);
  const Bio certificate_bio(need(BIO_new(BIO_s_mem())), BIO_free);
  need(PEM_write_bio_PrivateKey(private_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr));
  need(PEM_write_bio_X509(certificate_bio.get(), certificate.get()));
  return {contents(private_bio.get()), contents(certificate_bio.get())};
}

Result<Certificate> read_certificate(std::string_view pem) {
  const Bio bio(need(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))), BIO_free);
  ERR_clear_error();
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  if (!certificate) check_memory();
  if (!certificate) return Error{Errc::invalid_argument, "The certificate could not be read."};
  return certificate;
}

}  // namespace

KeyPair make_device_key() {
  const Key key(need(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), EVP_PKEY_free);
  return self_sign(key.get(), "fieldsync device", device_certificate_seconds, nullptr, {});
}

KeyPair make_server_key(const std::string& host) {
  const Key key(need(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")), EVP_PKEY_free);
  return self_sign(key.get(), "fieldsync server", server_certificate_seconds, EVP_sha256(), host);
}

Result<KeyPair> certify_server_key(std::string_view pem, const std::string& host) {
  const Bio bio(need(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))), BIO_free);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key) check_memory();
  if (!key) return Error{Errc::invalid_argument, "The server's key could not be read."};
  return self_sign(key.get(), "fieldsync server", server_certificate_seconds, EVP_sha256(), host);
}

Result<std::array<std::uint8_t, 64>> signing_key(std::string_view pem) {
  const Error unreadable{Errc::storage_corrupt, "The device's key could not be read."};
  const Bio bio(need(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))), BIO_free);
  // Not PEM_read_bio_PrivateKey: it asks every decoder of OpenSSL 3, which takes half a millisecond.
  ERR_clear_error();
  const KeyInfo info(PEM_read_bio_PKCS8_PRIV_KEY_INFO(bio.get(), nullptr, nullptr, nullptr), PKCS8_PRIV_KEY_INFO_free);
  if (!info) check_memory();
  if (!info) return unreadable;
  const ASN1_OBJECT* algorithm = nullptr;
  const unsigned char* bytes = nullptr;
  int size = 0;
  need(PKCS8_pkey_get0(&algorithm, &bytes, &size, nullptr, info.get()));
  const std::string_view octets(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  // RFC 8410, section 7: an OCTET STRING of the seed inside the key's own.
  if (OBJ_obj2nid(algorithm) != NID_ED25519 || octets.size() != 34 || !octets.starts_with("\x04\x20"))
    return unreadable;
  const Key key(need(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes + 2, 32)), EVP_PKEY_free);
  std::array<std::uint8_t, 64> raw{};
  std::size_t seed_bytes = 32;
  std::size_t public_bytes = 32;
  need(EVP_PKEY_get_raw_private_key(key.get(), raw.data(), &seed_bytes));
  need(EVP_PKEY_get_raw_public_key(key.get(), raw.data() + 32, &public_bytes));
  return raw;
}

Result<std::string> device_public_key(std::string_view certificate_pem) {
  auto certificate = read_certificate(certificate_pem);
  if (!certificate) return certificate.error();
  std::string raw(32, '\0');
  std::size_t size = raw.size();
  ERR_clear_error();
  EVP_PKEY* key = X509_get0_pubkey(certificate->get());
  if (key == nullptr) check_memory();
  if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size) != 1) {
    return Error{Errc::invalid_argument, "The certificate holds no Ed25519 key."};
  }
  return raw;
}

Result<std::string> pin_of(std::string_view certificate_pem) {
  auto certificate = read_certificate(certificate_pem);
  if (!certificate) return certificate.error();
  std::string pin(SHA256_DIGEST_LENGTH, '\0');
  unsigned char* encoded = nullptr;
  ERR_clear_error();
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate->get()), &encoded);
  if (size <= 0) check_memory();
  if (size <= 0) return Error{Errc::invalid_argument, "The certificate holds no key."};
  SHA256(encoded, static_cast<std::size_t>(size), reinterpret_cast<unsigned char*>(pin.data()));
  OPENSSL_free(encoded);
  return pin;
}

}  // namespace fieldsync::tls

#include "http/tls_context.h"

#include <openssl/err.h>

#include <boost/asio/ssl/context.hpp>

#include "core/check.h"

namespace fieldsync::server {
namespace {

constexpr auto suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr auto groups = "X25519:P-256:P-384";
// A device's has 300. OpenSSL would take 100 KiB from anybody.
constexpr long client_certificate_bytes_max = 16 * 1024;

void set_profile(SSL_CTX* context) {
  const bool is_set = SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
                      SSL_CTX_set_ciphersuites(context, suites) == 1 && SSL_CTX_set1_groups_list(context, groups) == 1;
  FIELDSYNC_CHECK(is_set, "OpenSSL 3.0 knows all of them");
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_max_early_data(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, client_certificate_bytes_max);
}

void set_modes(SSL_CTX* context) {
  // 34 KiB less for each connection that waits.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A peer that sends nothing but TLS's own messages would keep the thread within one call.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
}

int let_in(X509_STORE_CTX*, void*) { return 1; }

}  // namespace

Result<TlsContext> make_tls_context(const std::string& private_key_pem, const std::string& certificate_pem) {
  namespace asio = boost::asio;
  ERR_clear_error();
  asio::ssl::context made(asio::ssl::context::tls_server);
  SSL_CTX* const context = made.native_handle();
  set_profile(context);
  set_modes(context);
  boost::system::error_code error;
  made.use_certificate_chain(asio::buffer(certificate_pem), error);
  if (!error) made.use_private_key(asio::buffer(private_key_pem), asio::ssl::context::pem, error);
  if (error)
    return Error{
        Errc::invalid_argument,
        "The server's key or certificate could not be read, or they do not belong together: " + error.message() + "."};
  // Keys of different kinds are not compared before.
  if (SSL_CTX_check_private_key(context) != 1)
    return Error{Errc::invalid_argument, "The server's key and certificate do not belong together."};
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, let_in, nullptr);
  SSL_CTX_up_ref(context);
  return TlsContext(context, SSL_CTX_free);
}

}  // namespace fieldsync::server

#include "bench/bare_program.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>
#include <utility>

#include "bench/measure.h"
#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "fieldsync/v1/operation.pb.h"
#include "google/protobuf/arena.h"
#include "sqlite/connection.h"
#include "sqlite/migrations.h"
#include "store/sqlite/schema.h"
#include "tls/key_pair.h"

namespace fieldsync::bench {
namespace {

SSL_CTX* make_context(bool server) {
  SSL_CTX* context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  if (!server) return context;
  const tls::KeyPair pair = tls::make_server_key("localhost");
  BIO* key_bio = BIO_new_mem_buf(pair.private_key_pem.data(), static_cast<int>(pair.private_key_pem.size()));
  BIO* certificate_bio = BIO_new_mem_buf(pair.certificate_pem.data(), static_cast<int>(pair.certificate_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
  X509* certificate = PEM_read_bio_X509(certificate_bio, nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  BIO_free(key_bio);
  BIO_free(certificate_bio);
  return context;
}

void read_exactly(SSL* ssl, char* data, std::size_t size) {
  while (size > 0) {
    const int got = SSL_read(ssl, data, static_cast<int>(size));
    if (got <= 0) throw std::runtime_error("the bare program's connection broke");
    data += got;
    size -= static_cast<std::size_t>(got);
  }
}

class BareTables {
 public:
  explicit BareTables(const std::string& file) : database_(file, sqlite::OpenMode::read_write) {
    database_.execute(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=4000;");
    sqlite::migrate(database_, server::application_id, server::server_migrations());
  }

  void write(const std::vector<BareRow>& rows, std::size_t first, std::size_t count, std::string_view frame) {
    sqlite::Transaction transaction(database_);
    for (std::size_t i = first; i < first + count; ++i) write_row(rows[i], i + 1);
    auto batch = database_.prepare(
        "INSERT INTO batch(device, first, last, hash, previous, encoding, signature, content, received)"
        " VALUES(1, ?1, ?2, zeroblob(32), zeroblob(32), 1, zeroblob(64), ?3, 0)");
    batch.bind_unsigned(1, first + 1).bind_unsigned(2, first + count).bind_blob(3, frame).run();
    transaction.commit();
  }

 private:
  void write_row(const BareRow& row, std::size_t seq) {
    auto record = database_.prepare(
        "INSERT INTO record(id, last_seq, hash, head, body, scope, form, first_seq)"
        " VALUES(?1, ?2, ?3, ?4, ?5, 1, ?6, ?2)");
    record.bind_blob(1, row.record).bind_unsigned(2, seq).bind(3, row.hash).bind_blob(4, row.head);
    record.bind_blob(5, row.body).bind_text(6, row.form).run();
    auto operation = database_.prepare(
        "INSERT INTO operation_index(scope, seq, device, counter, record, effective, received) VALUES(1, ?1, 1, ?1, "
        "?2, 0, 0)");
    operation.bind_unsigned(1, seq).bind_blob(2, row.record).run();
  }

  sqlite::Connection database_;
};

// Two ends of a TCP connection on loopback.
std::pair<int, int> connected_sockets() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const int near = ::socket(AF_INET, SOCK_STREAM, 0);
  const bool there = ::bind(listener, generic, size) == 0 && ::listen(listener, 1) == 0 &&
                     ::getsockname(listener, generic, &size) == 0 && ::connect(near, generic, size) == 0;
  if (!there) throw std::runtime_error("no connection on loopback");
  const int far = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  const int on = 1;
  for (const int end : {near, far}) ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {near, far};
}

void serve(int socket, const std::string& folder, const std::vector<BareRow>& rows) {
  SSL_CTX* context = make_context(true);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, socket);
  if (SSL_accept(ssl) != 1) throw std::runtime_error("the bare program's handshake failed");
  BareTables tables(folder + "/bare.db");
  codec::FrameReader frames;
  std::size_t row = 0;
  while (row < rows.size()) {
    std::uint32_t size = 0;
    read_exactly(ssl, reinterpret_cast<char*>(&size), sizeof size);
    std::string frame(size, '\0');
    read_exactly(ssl, frame.data(), size);
    auto content = frames.decompress(frame, 64 * 1024 * 1024);
    auto operations = codec::split_list(*content);
    for (const std::string_view bytes : *operations) {
      google::protobuf::Arena arena;
      auto* operation = google::protobuf::Arena::CreateMessage<v1::Operation>(&arena);
      operation->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    }
    tables.write(rows, row, operations->size(), frame);
    row += operations->size();
    if (SSL_write(ssl, "k", 1) != 1) throw std::runtime_error("the bare program's connection broke");
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
}

}  // namespace

BareResult run_bare_program(const std::string& folder, const std::vector<std::string>& operations,
                            const std::vector<BareRow>& rows, std::size_t per_batch) {
  const auto [near, far] = connected_sockets();
  BareResult result;
  const double began = now_seconds();
  const double cpu_began = cpu_seconds(::getpid());
  std::thread server([&, far = far] { serve(far, folder, rows); });
  SSL_CTX* context = make_context(false);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, near);
  if (SSL_connect(ssl) != 1) throw std::runtime_error("the bare program's handshake failed");
  codec::FrameWriter frames;
  for (std::size_t at = 0; at < operations.size(); at += per_batch) {
    std::string list;
    for (std::size_t i = at; i < std::min(at + per_batch, operations.size()); ++i)
      codec::append_to_list(list, operations[i]);
    const std::string frame = frames.compress(list);
    const auto size = static_cast<std::uint32_t>(frame.size());
    std::string message(reinterpret_cast<const char*>(&size), sizeof size);
    message += frame;
    SSL_write(ssl, message.data(), static_cast<int>(message.size()));
    result.bytes += message.size();
    char acknowledged = 0;
    read_exactly(ssl, &acknowledged, 1);
  }
  server.join();
  result.seconds = now_seconds() - began;
  result.cpu_seconds = cpu_seconds(::getpid()) - cpu_began;
  SSL_free(ssl);
  SSL_CTX_free(context);
  ::close(near);
  ::close(far);
  return result;
}

}  // namespace fieldsync::bench

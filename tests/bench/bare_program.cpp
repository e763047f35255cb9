#include "bench/bare_program.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "bench/measure.h"
#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "fieldsync/v1/operation.pb.h"
#include "google/protobuf/arena.h"
#include "sqlite/connection.h"
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

void serve(int socket, const std::string& folder, const std::vector<std::string>& rows) {
  SSL_CTX* context = make_context(true);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, socket);
  if (SSL_accept(ssl) != 1) throw std::runtime_error("the bare program's handshake failed");
  sqlite::Connection database(folder + "/bare.db", sqlite::OpenMode::read_write);
  database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE record(key INTEGER PRIMARY KEY, id BLOB UNIQUE, body BLOB)");
  codec::FrameReader frames;
  std::size_t row = 0;
  while (row < rows.size()) {
    std::uint32_t size = 0;
    read_exactly(ssl, reinterpret_cast<char*>(&size), sizeof size);
    std::string frame(size, '\0');
    read_exactly(ssl, frame.data(), size);
    auto content = frames.decompress(frame, 64 * 1024 * 1024);
    auto operations = codec::split_list(*content);
    sqlite::Transaction transaction(database);
    for (const std::string_view bytes : *operations) {
      google::protobuf::Arena arena;
      auto* operation = google::protobuf::Arena::CreateMessage<v1::Operation>(&arena);
      operation->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
      auto insert = database.prepare("INSERT INTO record(id, body) VALUES(?1, ?2)");
      insert.bind_blob(1, operation->record()).bind_blob(2, rows[row++]).run();
    }
    transaction.commit();
    if (SSL_write(ssl, "k", 1) != 1) throw std::runtime_error("the bare program's connection broke");
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
}

}  // namespace

BareResult run_bare_program(const std::string& folder, const std::vector<std::string>& operations,
                            const std::vector<std::string>& rows, std::size_t per_batch) {
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) throw std::runtime_error("no socket pair");
  BareResult result;
  const double began = now_seconds();
  const double cpu_began = cpu_seconds(::getpid());
  std::thread server([&] { serve(sockets[1], folder, rows); });
  SSL_CTX* context = make_context(false);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, sockets[0]);
  if (SSL_connect(ssl) != 1) throw std::runtime_error("the bare program's handshake failed");
  codec::FrameWriter frames;
  for (std::size_t at = 0; at < operations.size(); at += per_batch) {
    std::string list;
    for (std::size_t i = at; i < std::min(at + per_batch, operations.size()); ++i) codec::append_to_list(list, operations[i]);
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
  ::close(sockets[0]);
  ::close(sockets[1]);
  return result;
}

}  // namespace fieldsync::bench

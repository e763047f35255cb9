#include <zstd.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "codec/frame.h"
#include "load/scenarios.h"
#include "load/server_process.h"
#include "service/enrolment.h"
#include "support/test_device.h"

namespace fieldsync::load {
namespace {

constexpr double seconds_max = 0.2;
constexpr std::uint64_t growth_bytes_max = 100'000'000;
constexpr int at_once = 20;
constexpr std::size_t body_bytes = 2 * 1024 * 1024;       // the most that a request may have
constexpr std::size_t json_body_bytes = 256 * 1024 - 64;  // and one in JSON

struct Bomb {
  const char* name;
  std::string body;
  const char* content_type = "application/x-protobuf";
};

std::string repeated(const std::string& part, std::size_t bytes) {
  std::string text;
  while (text.size() + part.size() <= bytes) text += part;
  return text;
}

std::string varint(std::size_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

// A message within a message, and so on, each in a field that there is.
std::string nested(std::size_t depth) {
  std::string body;
  for (std::size_t i = 0; i < depth; ++i) body = "\x2a" + varint(body.size()) + body;
  return body;
}

// A zstd frame that declares no size.
std::string undeclared_frame(const std::string& content) {
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), content.data(), content.size()));
  ZSTD_freeCCtx(context);
  return frame;
}

testing::TestDevice signing_as(const tls::KeyPair& key) {
  testing::TestDevice device;
  device.key = *tls::signing_key(key.private_key_pem);
  device.public_key = *tls::device_public_key(key.certificate_pem);
  device.id = server::device_id_of(device.public_key);
  return device;
}

std::vector<Bomb> bombs_of(const testing::TestDevice& device) {
  const auto batch = [&](const std::string& content, v1::Encoding encoding) {
    return device.request(device.batch_of(content, encoding)).SerializeAsString();
  };
  codec::FrameWriter writer;
  const std::string version("\x08\x01", 2);
  const std::string zeros(body_bytes, '\0');
  return {
      {"nested", nested(20'000)},
      {"empty_sub_messages", version + repeated(std::string("\x1a\x00", 2), body_bytes - 8)},
      {"unknown_fields", version + repeated(std::string("\xc0\x3e\x01", 3), body_bytes - 8)},
      {"groups", version + repeated("\x1b", body_bytes - 8)},
      {"length_of_2_gib", version + std::string("\x2a\xff\xff\xff\xff\x07", 6)},
      {"over_long_varint", std::string("\x08") + std::string(20, '\x80') + "\x01"},
      {"zstd_of_zeros", batch(writer.compress(zeros), v1::ENCODING_ZSTD)},
      {"zstd_of_64_mib_of_zeros", batch(writer.compress(std::string(64 << 20, '\0')), v1::ENCODING_ZSTD)},
      {"zstd_without_a_size", batch(undeclared_frame(zeros), v1::ENCODING_ZSTD)},
      {"empty_operations", batch(repeated(std::string("\x0a\x00", 2), body_bytes - 512), v1::ENCODING_PLAIN)},
      {"zstd_of_empty_operations",
       batch(writer.compress(repeated(std::string("\x0a\x00", 2), body_bytes)), v1::ENCODING_ZSTD)},
      // As many as are let through: these are parsed.
      {"most_sub_messages", version + repeated(std::string("\x1a\x00", 2), 2 * 59'990)},
      {"most_objects_in_json", R"({"protocol_version":1,"positions":[)" + repeated("{},", 3 * 29'990) + "{}]}",
       "application/json"},
      {"nested_json", R"({"positions":)" + std::string(json_body_bytes, '['), "application/json"},
      {"empty_objects_in_json", R"({"positions":[)" + repeated("{},", json_body_bytes) + "{}]}", "application/json"}};
}

std::string head_of(const Bomb& bomb) {
  return "POST /v1/sync HTTP/1.1\r\nHost: office\r\nContent-Type: " + std::string(bomb.content_type) +
         "\r\nAccept: application/json\r\nContent-Length: " + std::to_string(bomb.body.size()) + "\r\n\r\n";
}

struct Refusal {
  bool is_refused = false;
  double seconds = 1e9;
};

// Without the handshake. Of a stranger the body is not sent.
Refusal refusal_of(const ServerProcess& server, const Bomb& bomb, int source, bool as_stranger = false) {
  TlsClient client(server.port(), source);
  if (!client.handshake(as_stranger ? server.stranger() : server.enrolled())) return {};
  const double began = bench::now_seconds();
  const std::string answer = client.ask(as_stranger ? head_of(bomb) : head_of(bomb) + bomb.body);
  const std::string status = as_stranger ? "HTTP/1.1 401" : "HTTP/1.1 4";
  return {answer.starts_with(status), bench::now_seconds() - began};
}

std::uint64_t growth_of_many(ServerProcess& server, const Bomb& bomb) {
  bench::reset_peak_memory(server.id());
  const std::uint64_t before = server.usage().resident_bytes;
  std::vector<std::thread> threads;
  for (int i = 0; i < at_once; ++i) threads.emplace_back([&, i] { refusal_of(server, bomb, 2 + i); });
  for (std::thread& thread : threads) thread.join();
  const std::uint64_t peak = bench::peak_memory(server.id());
  return peak > before ? peak - before : 0;
}

}  // namespace

boost::json::object measure_bombs() {
  bool within = true;
  boost::json::object out;
  // A server keeps memory that it had once: the growth under a bomb shows in one that saw no other.
  const std::size_t bombs = bombs_of(testing::TestDevice()).size();
  for (std::size_t number = 0; number < bombs; ++number) {
    ServerProcess server({});
    const Bomb bomb = bombs_of(signing_as(server.enrolled_key())).at(number);
    const Refusal refusal = refusal_of(server, bomb, 1);
    const Refusal strangers = refusal_of(server, bomb, 1, true);
    const std::uint64_t growth = growth_of_many(server, bomb);
    const bool holds = refusal.is_refused && refusal.seconds <= seconds_max && strangers.is_refused &&
                       strangers.seconds <= seconds_max && growth < growth_bytes_max && server.running();
    within = within && holds;
    out[bomb.name] = {{"bytes", bomb.body.size()},
                      {"refused", refusal.is_refused},
                      {"ms", refusal.seconds * 1000},
                      {"refused_to_a_stranger_before_the_body", strangers.is_refused},
                      {"ms_stranger", strangers.seconds * 1000},
                      {"growth_bytes_of_20", growth},
                      {"within", holds}};
  }
  return {{"ms_max", seconds_max * 1000}, {"growth_bytes_max", growth_bytes_max}, {"bombs", out}, {"within", within}};
}

}  // namespace fieldsync::load

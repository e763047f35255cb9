// network.h: the wires between devices and the office, and what they do to
// messages. As TLS and HTTP promise, a message arrives whole or not at all, but for the
// bytes of attachments, of which the first may arrive; it may arrive late, twice, or
// after its sender has given up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "engine/transport.h"
#include "sim/server.h"

namespace fieldsync::sim {

// One device's way to the office.
struct Link {
  std::string device_name;
  std::string peer_key;  // as TLS would prove it
  std::int64_t up_blocked_until_ms = 0;
  std::int64_t down_blocked_until_ms = 0;
  std::uint64_t newest_arrived = 0;  // the number of its newest request that arrived
};

using Answer = Result<engine::HttpReply>;

// What a device hears of its request: what its transport would say, and how far the exchange had
// come when the connection broke.
struct Heard {
  Answer answer;
  engine::Underway broken_off{};
};

class Network {
 public:
  Network(Run& run, Server& server) : run_(run), server_(server) {}

  // Called for every answer to a sync that leaves the office.
  void on_reply(std::function<void(const Link&, const v1::SyncReply&)> listener) { on_reply_ = std::move(listener); }
  // `on_answer` is called once, later: with the reply, or with what the device's
  // transport would say.
  void send(Link& link, engine::HttpRequest request, std::function<void(Heard)> on_answer);
  // The same at once, for enrolment, which blocks.
  [[nodiscard]] Answer exchange_now(Link& link, const engine::HttpRequest& request);

  // A request that is under way is handled now, inside another's, where this strikes.
  void handle_another(FaultKind kind);
  // The office was restored from a copy that was taken then: requests that left before
  // the restore may arrive once more after it.
  void deliver_old_requests(std::int64_t copy_taken_ms);
  void pause_server(std::int64_t span_ms) { server_paused_until_ms_ = run_.schedule.now() + span_ms; }
  void maybe_block(Link& link);
  void heal();

 private:
  struct Message {
    Link* link;
    server::Request request;
    std::function<void(Heard)> on_answer;
    bool answered = false;
    int copies = 1;
    std::int64_t sent_ms = 0;
    std::uint64_t number = 0;
    // What befell it, counted when it arrives.
    std::vector<FaultKind> befell = {};
  };
  using Messages = std::vector<std::shared_ptr<Message>>;

  // Requests of one device that the office may have lost, the oldest first; perhaps none.
  [[nodiscard]] Messages old_requests(std::int64_t copy_taken_ms);
  void arrive(const std::shared_ptr<Message>& message);
  void note_arrival(Message& message);
  void handle(const std::shared_ptr<Message>& message);
  void answer(const std::shared_ptr<Message>& message, Heard heard, std::int64_t after_ms);
  // Whether the fault strikes a request; a device that gave up already misses nothing.
  bool strikes(const Message& message, FaultKind kind);
  // How many bytes of the body arrive: all, or those of an upload before the connection breaks.
  [[nodiscard]] std::size_t arriving(const Message& message);
  void send_back(const std::shared_ptr<Message>& message, const server::Response& response);
  [[nodiscard]] std::int64_t latency();

  Run& run_;
  Server& server_;
  std::function<void(const Link&, const v1::SyncReply&)> on_reply_;
  Messages under_way_;
  Messages sent_;
  std::int64_t server_paused_until_ms_ = 0;
  std::uint64_t requests_ = 0;
  int depth_ = 0;
  bool healed_ = false;
};

}  // namespace fieldsync::sim

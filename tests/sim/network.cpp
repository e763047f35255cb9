#include "sim/network.h"

#include <algorithm>

namespace fieldsync::sim {
namespace {

// What the real transport waits for.
constexpr std::int64_t connect_timeout_ms = 10 * second_ms;
constexpr std::int64_t answer_timeout_ms = 30 * second_ms;
constexpr int nested_requests_max = 3;
constexpr int old_requests_max = 6;

server::Request as_request(const Link& link, const std::string& path, std::string body, std::uint64_t number) {
  server::Request request;
  request.method = "POST";
  request.target = path;
  request.content_type = "application/x-protobuf";
  request.accept = "application/x-protobuf";
  request.body = std::move(body);
  request.peer_key = link.peer_key;
  request.id = std::to_string(number);
  return request;
}

engine::HttpReply as_reply(const server::Response& response) {
  return {response.status, response.content_type, response.body};
}

Error lost() { return {Errc::connection_lost, {}}; }

}  // namespace

std::int64_t Network::latency() { return healed_ ? run_.chance.between(20, 300) : run_.chance.between(20, 4000); }

void Network::answer(const std::shared_ptr<Message>& message, Answer answer, std::int64_t after_ms) {
  run_.schedule.after(after_ms, [message, given = std::move(answer)] {
    if (message->answered) return;
    message->answered = true;
    message->on_answer(given);
  });
}

void Network::send(Link& link, std::string path, std::string body, std::function<void(Answer)> on_answer) {
  auto message = std::make_shared<Message>(
      Message{&link, as_request(link, path, std::move(body), ++requests_), std::move(on_answer)});
  message->sent_ms = run_.schedule.now();
  message->number = requests_;
  sent_.push_back(message);
  if (link.up_blocked_until_ms > run_.schedule.now()) {
    run_.tally.add(FaultKind::up_blocked);
    answer(message, Error{Errc::offline, {}}, connect_timeout_ms);
    return;
  }
  answer(message, lost(), answer_timeout_ms);
  if (run_.strikes(FaultKind::request_lost)) return;
  if (run_.strikes(FaultKind::request_cut)) {
    answer(message, lost(), latency());
    return;
  }
  std::int64_t travels_ms = latency();
  if (run_.tries(FaultKind::request_overtaken)) travels_ms += run_.chance.between(minute_ms, 5 * hour_ms);
  if (run_.tries(FaultKind::request_delayed_days)) {
    travels_ms += run_.chance.between(day_ms, 9 * day_ms);
    message->befell.push_back(FaultKind::request_delayed_days);
  }
  under_way_.push_back(message);
  run_.schedule.after(travels_ms, [this, message] { arrive(message); });
  if (run_.tries(FaultKind::request_doubled)) {
    ++message->copies;
    const std::int64_t again_ms =
        run_.chance.happens(0.5) ? run_.chance.between(0, 10 * second_ms) : run_.chance.between(minute_ms, 3 * day_ms);
    run_.schedule.after(travels_ms + again_ms, [this, message] {
      message->befell.push_back(FaultKind::request_doubled);
      arrive(message);
    });
  }
}

void Network::deliver_old_requests(std::int64_t copy_taken_ms) {
  if (sent_.empty()) return;
  Chance& chance = run_.chances.of(FaultKind::request_outlives_restore);
  for (int i = 0; i < old_requests_max; ++i) {
    if (!run_.tries(FaultKind::request_outlives_restore)) continue;
    std::int64_t after_ms = chance.between(1, chance.happens(0.5) ? minute_ms : day_ms);
    for (const auto& old : old_requests(copy_taken_ms)) {
      const auto copy = std::make_shared<Message>(Message{old->link, old->request, [](const Answer&) {}});
      copy->befell.push_back(FaultKind::request_outlives_restore);
      run_.schedule.after(after_ms++, [this, copy] { arrive(copy); });
    }
  }
}

Network::Messages Network::old_requests(std::int64_t copy_taken_ms) {
  Chance& chance = run_.chances.of(FaultKind::request_outlives_restore);
  const auto lost =
      std::find_if(sent_.begin(), sent_.end(), [&](const auto& message) { return message->sent_ms >= copy_taken_ms; });
  auto first = sent_.begin() + static_cast<std::ptrdiff_t>(chance.below(sent_.size()));
  if (chance.happens(0.3)) return {*first};
  const Link* link = (*first)->link;
  // What the office lost, from its beginning, in order: then all of it fits what is there.
  if (lost != sent_.end() && chance.happens(0.7)) first = lost;
  Messages follow;
  std::copy_if(first, sent_.end(), std::back_inserter(follow), [&](const auto& sent) { return sent->link == link; });
  if (follow.size() > 1 && chance.happens(0.5)) follow.resize(1 + chance.below(follow.size()));
  return follow;
}

void Network::arrive(const std::shared_ptr<Message>& message) {
  const std::int64_t wait_ms = server_paused_until_ms_ - run_.schedule.now();
  if (wait_ms > 0) {
    run_.tally.add(FaultKind::server_paused);
    run_.schedule.after(wait_ms, [this, message] { arrive(message); });
    return;
  }
  // Somebody else's request may have had it handled already.
  if (message->copies == 0) return;
  handle(message);
}

void Network::handle(const std::shared_ptr<Message>& message) {
  if (--message->copies == 0) std::erase(under_way_, message);
  note_arrival(*message);
  ++depth_;
  const auto response = server_.handle(message->request, run_.chance.below(server_.nodes() + 1));
  --depth_;
  if (!response) {
    answer(message, lost(), latency());
    return;
  }
  if (v1::SyncReply reply; response->status == 200 && reply.ParseFromString(response->body))
    on_reply_(*message->link, reply);
  // A device that gave up already misses nothing.
  const auto strikes = [&](FaultKind kind) {
    const bool struck = run_.tries(kind);
    if (struck && !message->answered) run_.tally.add(kind);
    return struck;
  };
  if (strikes(FaultKind::reply_lost)) return;
  if (strikes(FaultKind::reply_cut)) {
    answer(message, lost(), latency());
    return;
  }
  if (message->link->down_blocked_until_ms > run_.schedule.now()) {
    run_.tally.add(FaultKind::down_blocked);
    return;
  }
  const std::int64_t late_ms =
      strikes(FaultKind::reply_delayed) ? run_.chance.between(5 * second_ms, 40 * second_ms) : 0;
  answer(message, as_reply(*response), latency() + late_ms);
}

void Network::note_arrival(Message& message) {
  for (const FaultKind kind : message.befell) run_.tally.add(kind);
  message.befell.clear();
  if (message.number == 0) return;
  if (message.number < message.link->newest_arrived) run_.tally.add(FaultKind::request_overtaken);
  message.link->newest_arrived = std::max(message.link->newest_arrived, message.number);
}

void Network::handle_another(FaultKind kind) {
  if (depth_ == 0 || depth_ > nested_requests_max || under_way_.empty()) return;
  if (!run_.strikes(kind)) return;
  const auto message = run_.chance.pick(under_way_);
  message->befell.clear();
  handle(message);
}

Answer Network::exchange_now(Link& link, const std::string& path, const std::string& body) {
  if (link.up_blocked_until_ms > run_.schedule.now() || run_.strikes(FaultKind::enrolment_request_lost))
    return Error{Errc::offline, {}};
  const auto response =
      server_.handle(as_request(link, path, body, ++requests_), run_.chance.below(server_.nodes() + 1));
  if (!response || run_.strikes(FaultKind::enrolment_reply_lost)) return lost();
  return as_reply(*response);
}

void Network::maybe_block(Link& link) {
  const std::int64_t until_ms = run_.schedule.now() + run_.chance.between(minute_ms, day_ms);
  if (run_.chance.happens(run_.plan.probability(FaultKind::up_blocked))) link.up_blocked_until_ms = until_ms;
  if (run_.chance.happens(run_.plan.probability(FaultKind::down_blocked))) link.down_blocked_until_ms = until_ms;
}

void Network::heal() {
  healed_ = true;
  server_paused_until_ms_ = 0;
}

}  // namespace fieldsync::sim

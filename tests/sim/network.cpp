#include "sim/network.h"

#include <algorithm>
#include <cstdio>

#include "support/routed_request.h"

namespace fieldsync::sim {
namespace {

// What the real transport waits for.
constexpr std::int64_t connect_timeout_ms = 10 * second_ms;
constexpr std::int64_t answer_timeout_ms = 30 * second_ms;
constexpr int nested_requests_max = 3;
constexpr int old_requests_max = 6;

server::Request as_request(const Link& link, engine::HttpRequest sent, std::uint64_t number) {
  return testing::as_request(std::move(sent), link.peer_key, std::to_string(number));
}

engine::HttpReply as_reply(const server::Response& response) {
  return {response.status, response.content_type, response.body};
}

Error lost() { return {Errc::connection_lost, {}}; }

// Its body ends before its head says so: the disk failed while it was read.
bool is_cut_short(const server::Response& response) {
  std::size_t first = 0;
  std::size_t last = 0;
  for (const auto& [name, value] : response.headers) {
    if (name == "Content-Range" && std::sscanf(value.c_str(), "bytes %zu-%zu/", &first, &last) == 2)
      return response.body.size() < last - first + 1;
  }
  return false;
}

}  // namespace

std::int64_t Network::latency() { return healed_ ? run_.chance.between(20, 300) : run_.chance.between(20, 4000); }

void Network::answer(const std::shared_ptr<Message>& message, Heard heard, std::int64_t after_ms) {
  run_.schedule.after(after_ms, [message, given = std::move(heard)] {
    if (message->answered) return;
    message->answered = true;
    message->on_answer(given);
  });
}

void Network::send(Link& link, engine::HttpRequest request, std::function<void(Heard)> on_answer) {
  auto message = std::make_shared<Message>(
      Message{&link, as_request(link, std::move(request), ++requests_), std::move(on_answer)});
  message->sent_ms = run_.schedule.now();
  message->number = requests_;
  sent_.push_back(message);
  if (link.up_blocked_until_ms > run_.schedule.now()) {
    run_.tally.add(FaultKind::up_blocked);
    answer(message, {Error{Errc::offline, {}}}, connect_timeout_ms);
    return;
  }
  answer(message, {lost()}, answer_timeout_ms);
  if (run_.strikes(FaultKind::request_lost)) return;
  if (run_.strikes(FaultKind::request_cut)) {
    answer(message, {lost()}, latency());
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
      const auto copy = std::make_shared<Message>(Message{old->link, old->request, [](const Heard&) {}});
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
  const std::size_t arriving = this->arriving(*message);
  const auto response = server_.handle(message->request, run_.chance.below(server_.nodes() + 1), arriving);
  --depth_;
  if (!response) {
    const bool is_cut = arriving < message->request.body.size() && server_.is_up();
    answer(message, {lost(), {is_cut ? arriving : 0}}, latency());
    return;
  }
  if (v1::SyncReply reply; message->request.target.starts_with("/v1/sync") && response->status == 200 &&
                           reply.ParseFromString(response->body))
    on_reply_(*message->link, reply);
  send_back(message, *response);
}

bool Network::strikes(const Message& message, FaultKind kind) {
  const bool struck = run_.tries(kind);
  if (struck && !message.answered) run_.tally.add(kind);
  return struck;
}

std::size_t Network::arriving(const Message& message) {
  if (message.request.method != "PUT" || !strikes(message, FaultKind::upload_cut)) return SIZE_MAX;
  return run_.chances.of(FaultKind::upload_cut).below(message.request.body.size());
}

void Network::send_back(const std::shared_ptr<Message>& message, const server::Response& response) {
  if (strikes(*message, FaultKind::reply_lost)) return;
  if (strikes(*message, FaultKind::reply_cut)) {
    answer(message, {lost()}, latency());
    return;
  }
  const bool of_attachment = message->request.method == "GET" && response.status == 206;
  if (of_attachment && (is_cut_short(response) || strikes(*message, FaultKind::download_cut))) {
    const std::size_t bytes = run_.chances.of(FaultKind::download_cut).below(response.body.size() + 1);
    answer(message, {lost(), {0, response.status, response.body.substr(0, bytes)}}, latency());
    return;
  }
  if (message->link->down_blocked_until_ms > run_.schedule.now()) {
    run_.tally.add(FaultKind::down_blocked);
    return;
  }
  const std::int64_t late_ms =
      strikes(*message, FaultKind::reply_delayed) ? run_.chance.between(5 * second_ms, 40 * second_ms) : 0;
  answer(message, {as_reply(response)}, latency() + late_ms);
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

Answer Network::exchange_now(Link& link, const engine::HttpRequest& request) {
  if (link.up_blocked_until_ms > run_.schedule.now() || run_.strikes(FaultKind::enrolment_request_lost))
    return Error{Errc::offline, {}};
  const auto response = server_.handle(as_request(link, request, ++requests_), run_.chance.below(server_.nodes() + 1));
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

#include "app/logged_handlers.h"

#include <chrono>
#include <memory>

#include "handlers/problem.h"
#include "service/enrolment.h"

namespace fieldsync::server {
namespace {

// Whom a line is about.
core::DeviceId device_of(const Request& request, bool is_enrolled) {
  return is_enrolled && !request.peer_key.empty() ? device_id_of(request.peer_key) : core::DeviceId{};
}

std::uint64_t bytes_of(const Response& response) {
  return response.source ? response.source->size() : response.body.size();
}

// All of it but the body.
Request head_of(const Request& request) {
  return {request.method,
          request.target,
          request.content_type,
          request.content_encoding,
          request.accept,
          {},
          request.peer_key,
          request.id,
          request.range,
          request.body_bytes,
          request.expects_continue,
          request.peer_address,
          request.peer_is_known};
}

// One request on its way to the log.
class Logged {
 public:
  Logged(EventLog& log, const Request& request, bool is_enrolled)
      : log_(log),
        head_(head_of(request)),
        device_(device_of(head_, is_enrolled)),
        began_(std::chrono::steady_clock::now()) {}

  [[nodiscard]] const Request& head() const { return head_; }
  void took_in(std::uint64_t bytes) { bytes_in_ += bytes; }

  void answered(const Response& response) {
    const auto took = std::chrono::steady_clock::now() - began_;
    log_.request({head_.id, head_.target, device_, head_.peer_address,
                  response.outcome.empty() ? std::string_view("ok") : response.outcome, response.status,
                  std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), bytes_in_, bytes_of(response)});
  }
  void ended_early(Errc code) { log_.request_ended_early(head_.id, device_, describe(code).name); }
  void failed(const std::exception& error) { log_.request_failed(head_.id, device_, type_of(error)); }

  Response safely(const std::function<Response()>& body) {
    try {
      return body();
    } catch (const std::exception& error) {
      failed(error);
      return problem_response({Errc::internal_error, {}}, head_);
    }
  }

  template <typename Outcome>
  Result<Outcome> safely(const std::function<Result<Outcome>()>& body) {
    try {
      auto done = body();
      if (!done) ended_early(done.error().code);
      return done;
    } catch (const std::exception& error) {
      failed(error);
      return Error{Errc::internal_error, {}};
    }
  }

 private:
  EventLog& log_;
  Request head_;
  core::DeviceId device_;
  std::chrono::steady_clock::time_point began_;
  std::uint64_t bytes_in_ = 0;
};

class LoggedSink final : public BodySink {
 public:
  LoggedSink(Logged logged, std::unique_ptr<BodySink> sink) : logged_(std::move(logged)), sink_(std::move(sink)) {}

  void take(std::string_view piece) override {
    logged_.took_in(piece.size());
    if (failure_) return;
    Response outcome = logged_.safely([&] {
      sink_->take(piece);
      return Response{};
    });
    if (outcome.status != 200) failure_ = std::move(outcome);
  }
  Response finish() override {
    Response response = failure_ ? std::move(*failure_) : logged_.safely([&] { return sink_->finish(); });
    logged_.answered(response);
    return response;
  }
  Result<void> abandon() override {
    return failure_ ? Result<void>() : logged_.safely<void>([&] { return sink_->abandon(); });
  }

 private:
  Logged logged_;
  std::unique_ptr<BodySink> sink_;
  std::optional<Response> failure_;  // after it the sink is left alone
};

class LoggedSource final : public BodySource {
 public:
  LoggedSource(Logged logged, std::unique_ptr<BodySource> source)
      : logged_(std::move(logged)), source_(std::move(source)) {}

  [[nodiscard]] std::uint64_t size() const override { return source_->size(); }
  Result<std::string> read() override {
    return logged_.safely<std::string>([&] { return source_->read(); });
  }

 private:
  Logged logged_;
  std::unique_ptr<BodySource> source_;
};

Reception receive(Router& router, EventLog& log, const Request& head) {
  Reception reception;
  // The gate lets through who is enrolled, and who wants to be.
  Logged known(log, head, true);
  Logged stranger(log, head, false);
  bool is_known = false;
  Response outcome = stranger.safely([&] {
    reception.refusal = router.gate(head);
    is_known = reception.refusal && router.knows(head.peer_key);
    return Response{};
  });
  if (outcome.status != 200) reception.refusal = std::move(outcome);
  if (reception.refusal) {
    (is_known ? known : stranger).answered(*reception.refusal);
    return reception;
  }
  outcome = known.safely([&] {
    reception = router.receive(head);
    if (reception.sink) reception.sink = std::make_unique<LoggedSink>(known, std::move(reception.sink));
    return Response{};
  });
  if (outcome.status != 200) reception.refusal = std::move(outcome);
  if (reception.refusal) known.answered(*reception.refusal);
  return reception;
}

Response handle(Router& router, EventLog& log, const Request& request) {
  // Who was refused an enrolment is none of ours.
  const bool is_enrolment = request.target == enrol_target;
  Logged known(log, request, true);
  Logged stranger(log, request, false);
  Logged& asker = is_enrolment ? stranger : known;
  Response response = asker.safely([&] {
    Response made = router.handle(request);
    if (made.source) made.source = std::make_unique<LoggedSource>(known, std::move(made.source));
    return made;
  });
  Logged& logged = is_enrolment && response.status >= 300 ? stranger : known;
  logged.took_in(request.body.size());
  logged.answered(response);
  return response;
}

Response refuse(EventLog& log, const Error& error, const Request& request) {
  Response response = problem_response(error, request);
  // Those that were refused for want of room are told as a sum.
  if (error.code != Errc::overloaded) Logged(log, request, request.peer_is_known).answered(response);
  return response;
}

}  // namespace

HttpHandlers logged_handlers(Router& router, EventLog& log) {
  return {
      [&](const Request& head) { return receive(router, log, head); },
      [&](const Request& request) { return handle(router, log, request); },
      [&](const Error& error, const Request& request) { return refuse(log, error, request); },
      [&](const Request& request) { Logged(log, request, request.peer_is_known).ended_early(Errc::connection_lost); },
      [&](const TurnedAway& turned_away) { log.turned_away(turned_away.connections, turned_away.requests); }};
}

}  // namespace fieldsync::server

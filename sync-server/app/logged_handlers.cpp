#include "app/logged_handlers.h"

#include <spdlog/spdlog.h>

#include "handlers/problem.h"

namespace fieldsync::server {
namespace {

// Not which attachment it was: that would show who has it to whoever knows its hash.
void log_outcome(const Request& request, const Response& response) {
  constexpr std::string_view longest = "/v1/attachments/";
  if (response.status < 300) {
    spdlog::debug("request {} {} {}", request.id, request.target.substr(0, longest.size()), response.status);
  } else {
    spdlog::info("request {} refused with status {}", request.id, response.status);
  }
}

// Once its answer had begun, or with nobody to answer to.
void log_broken(const std::string& request_id, std::string_view why) {
  spdlog::info("request {} ended early: {}", request_id, why);
}

Response safely(const Request& request, const std::function<Response()>& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    spdlog::error("request {} failed: {}", request.id, error.what());
    return problem_response({Errc::internal_error, {}}, request);
  }
}

template <typename Outcome>
Result<Outcome> safely(const std::string& request_id, const std::function<Result<Outcome>()>& body) {
  try {
    auto done = body();
    if (!done) log_broken(request_id, describe(done.error().code).name);
    return done;
  } catch (const std::exception& error) {
    log_broken(request_id, error.what());
    return Error{Errc::internal_error, {}};
  }
}

class LoggedSink final : public BodySink {
 public:
  LoggedSink(Request head, std::unique_ptr<BodySink> sink) : head_(std::move(head)), sink_(std::move(sink)) {}

  void take(std::string_view piece) override {
    if (failure_) return;
    Response outcome = safely(head_, [&] {
      sink_->take(piece);
      return Response{};
    });
    if (outcome.status != 200) failure_ = std::move(outcome);
  }
  Response finish() override {
    Response response = failure_ ? std::move(*failure_) : safely(head_, [&] { return sink_->finish(); });
    log_outcome(head_, response);
    return response;
  }
  Result<void> abandon() override {
    return failure_ ? Result<void>() : safely<void>(head_.id, [&] { return sink_->abandon(); });
  }

 private:
  Request head_;
  std::unique_ptr<BodySink> sink_;
  std::optional<Response> failure_;  // after it the sink is left alone
};

class LoggedSource final : public BodySource {
 public:
  LoggedSource(std::string request_id, std::unique_ptr<BodySource> source)
      : request_id_(std::move(request_id)), source_(std::move(source)) {}

  [[nodiscard]] std::uint64_t size() const override { return source_->size(); }
  Result<std::string> read() override {
    return safely<std::string>(request_id_, [&] { return source_->read(); });
  }

 private:
  std::string request_id_;
  std::unique_ptr<BodySource> source_;
};

Reception receive(Router& router, const Request& head) {
  Reception reception;
  Response outcome = safely(head, [&] {
    reception.refusal = router.gate(head);
    if (!reception.refusal) reception = router.receive(head);
    if (reception.sink) reception.sink = std::make_unique<LoggedSink>(head, std::move(reception.sink));
    return Response{};
  });
  if (outcome.status != 200) reception.refusal = std::move(outcome);
  if (reception.refusal) log_outcome(head, *reception.refusal);
  return reception;
}

Response handle(Router& router, const Request& request) {
  Response response = safely(request, [&] {
    Response made = router.handle(request);
    if (made.source) made.source = std::make_unique<LoggedSource>(request.id, std::move(made.source));
    return made;
  });
  log_outcome(request, response);
  return response;
}

Response refuse(const Error& error, const Request& request) {
  Response response = problem_response(error, request);
  // Those that were refused for want of room are told as a sum.
  if (error.code != Errc::overloaded) log_outcome(request, response);
  return response;
}

void tell_turned_away(const TurnedAway& turned_away) {
  spdlog::warn(
      "turned away since the last such line: {} connections beyond the limits, {} requests because too many waited",
      turned_away.connections, turned_away.requests);
}

}  // namespace

HttpHandlers logged_handlers(Router& router) {
  return {[&](const Request& head) { return receive(router, head); },
          [&](const Request& request) { return handle(router, request); }, refuse, tell_turned_away};
}

}  // namespace fieldsync::server

// routed_request.h: a request from a device's transport to the server's router, as the HTTP layer
// between them would carry it.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/transport.h"
#include "handlers/router.h"
#include "support/whole_response.h"

namespace fieldsync::testing {

[[nodiscard]] inline server::Request as_request(engine::HttpRequest sent, std::string peer_key, std::string id) {
  server::Request request;
  request.method = std::move(sent.method);
  request.target = std::move(sent.path);
  if (request.method != "GET") request.content_type = std::move(sent.content_type);
  request.accept = "application/x-protobuf";
  request.body_bytes = sent.body.size();
  request.body = std::move(sent.body);
  request.range = std::move(sent.range);
  request.peer_key = std::move(peer_key);
  request.id = std::move(id);
  return request;
}

// Nothing where the connection breaks after `arriving` bytes of the body: nobody hears an answer.
[[nodiscard]] inline std::optional<server::Response> answer_of(server::Router& router, const server::Request& request,
                                                               std::size_t arriving = SIZE_MAX) {
  constexpr std::size_t piece_bytes = 16 * 1024;
  if (auto refusal = router.gate(request)) return refusal;
  server::Reception reception = router.receive(request);
  if (reception.refusal) return std::move(reception.refusal);
  const bool breaks = arriving < request.body.size();
  if (reception.sink == nullptr) return breaks ? std::nullopt : std::optional(whole(router.handle(request)));
  std::string_view body = std::string_view(request.body).substr(0, arriving);
  for (; !body.empty(); body.remove_prefix(std::min(piece_bytes, body.size())))
    reception.sink->take(body.substr(0, piece_bytes));
  if (!breaks) return whole(reception.sink->finish());
  static_cast<void>(reception.sink->abandon());
  return std::nullopt;
}

}  // namespace fieldsync::testing

// attachments.h: PUT and GET /v1/attachments/{sha256}. See proto/fieldsync/v1/attachment.proto.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "http/message.h"
#include "service/attachment_service.h"

namespace fieldsync::server {

// Of one PUT.
inline constexpr std::uint64_t attachment_body_bytes_max = 1024 * 1024;

// Threads: any.
class Attachments {
 public:
  // Before a file is given to a device; what it refuses, the request is refused with.
  using NoteRead = std::function<Result<void>(const core::DeviceId&, const core::AttachmentId&)>;

  Attachments(AttachmentService& service, NoteRead note_read, Clock clock)
      : service_(service), note_read_(std::move(note_read)), clock_(std::move(clock)) {}

  [[nodiscard]] static bool are_at(std::string_view target);
  // From the head alone. Pre: they are at its target, here and below.
  [[nodiscard]] static std::optional<Response> gate(const Request& head);
  // Pre, here and below: the gate let it pass. A PUT's body is taken as it arrives.
  [[nodiscard]] Reception receive(const Request& head);
  [[nodiscard]] Response get(const Request& request);

 private:
  class Sink;
  class Source;

  Response refuse(const Error& error, const Request& request) const;

  AttachmentService& service_;
  NoteRead note_read_;
  Clock clock_;
};

}  // namespace fieldsync::server

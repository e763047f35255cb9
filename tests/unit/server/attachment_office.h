// attachment_office.h: a TestOffice whose devices send and read attachments.
#pragma once

#include "service/attachment_service.h"
#include "test_office.h"

namespace fieldsync::testing {

[[nodiscard]] core::AttachmentFile file_of(const std::string& bytes);
[[nodiscard]] core::Attachment photo_of(const std::string& bytes);
// Differ from byte to byte, and from seed to seed.
[[nodiscard]] std::string some_bytes(std::size_t size, int seed = 1);

class AttachmentOffice : public TestOffice {
 public:
  AttachmentOffice() : phone(add_device()) {}

  TestDevice phone;  // the monitor's

  // A saved record of the scope that names it.
  void name(TestDevice& device, const core::ScopeId& where, const core::Attachment& attachment);
  void name(const std::string& bytes) { name(phone, scope, photo_of(bytes)); }

  // One PUT; `body` arrives at once.
  Result<v1::AttachmentStatus> put(const TestDevice& device, const core::AttachmentId& id, std::uint32_t offset,
                                   std::string_view body);
  // Sends all of it, in one go; must be taken.
  void send(const TestDevice& device, const std::string& bytes);
  // What the sync says of it; nothing where it says nothing.
  std::optional<v1::AttachmentStatus> offer(const TestDevice& device, const core::AttachmentFile& file);
  // The whole file.
  Result<std::string> get(const TestDevice& device, const core::AttachmentId& id);
  std::uint64_t bytes_taken_today(const TestDevice& device);

  // New ones over the same store and files, as after a crash.
  void restart_services() { make_services(); }
};

// "done", or the name of the refusal, which must be a sentence.
template <typename T>
std::string outcome_of(const Result<T>& result) {
  if (result) return "done";
  check_sentence(result.error().message());
  return std::string(describe(result.error().code).name);
}

struct Told {
  std::uint32_t durable = 0;
  bool complete = false;
  bool operator==(const Told&) const = default;
};
[[nodiscard]] inline Told told(const v1::AttachmentStatus& status) {
  return {status.durable_offset(), status.complete()};
}
inline std::ostream& operator<<(std::ostream& out, const Told& told) {
  return out << told.durable << (told.complete ? ", complete" : "");
}

}  // namespace fieldsync::testing

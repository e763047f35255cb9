// attachment_upload.h: one PUT of an attachment's bytes, taken as they arrive.
//
// What arrived is on stable storage, and its row with it, after every 256 KiB and after every
// half second in which anything arrived: a link that breaks, or a server that is killed, costs a slow
// device half a second of its work.
//
// Threads: any, one call at a time.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "fieldsync/v1/attachment.pb.h"
#include "service/attachment_completion.h"
#include "service/clock.h"

namespace fieldsync::server {

// For each device and day (UTC).
inline constexpr std::uint64_t upload_bytes_per_day_max = 512 * 1024 * 1024;
inline constexpr std::uint32_t unsynced_bytes_max = 256 * 1024;
inline constexpr core::Milliseconds unsynced_time_max{500};

[[nodiscard]] v1::AttachmentStatus status_of(const core::AttachmentId& id, const AttachmentStanding& standing);

class AttachmentUpload {
 public:
  // Goes on at `offset`, or at the durable one where that is further; where it is less, the body
  // is thrown away and finish() tells it. not_found, upload_limit, attachment_damaged, unknown_device, device_revoked.
  [[nodiscard]] static Result<std::unique_ptr<AttachmentUpload>> begin(Store& store, AttachmentFiles& files,
                                                                       UploadClaims& claims, Clock clock,
                                                                       const UploadName& name, std::uint32_t offset,
                                                                       Access access);

  // After a failure, which finish() tells, the rest is thrown away.
  void take(std::string_view piece);
  // The body is whole. malformed_request: more came than the attachment has, and what is too
  // much was thrown away. attachment_damaged, upload_limit; not_found, unknown_device and
  // device_revoked where the right ended meanwhile.
  [[nodiscard]] Result<v1::AttachmentStatus> finish();
  // The connection broke: what came is kept.
  Result<void> abandon();

 private:
  AttachmentUpload(Store& store, AttachmentFiles& files, UploadClaims& claims, Clock clock, const UploadName& name,
                   Access access);

  Result<void> start(std::uint32_t offset);
  [[nodiscard]] bool goes_on() const { return is_taken_ && !refusal_; }
  [[nodiscard]] bool is_due() const;
  void write(std::string_view bytes);
  void make_durable();
  Result<void> enter(WriteTransaction& transaction);
  // Runs `body` on the file unless another connection has taken over; then nothing is taken any more.
  template <typename Body>
  void with_file(Body body);

  Store& store_;
  AttachmentFiles& files_;
  Clock clock_;
  UploadName name_;
  Access access_;
  AttachmentCompletion completion_;
  std::shared_ptr<UploadClaim> claim_;
  std::uint64_t owner_;
  bool is_taken_ = true;          // not thrown away
  bool is_empty_ = true;          // nothing came yet
  std::optional<Error> refusal_;  // the first thing that went wrong
  std::uint32_t size_max_ = 0;
  std::uint32_t known_bytes_ = 0;  // of what comes next
  std::uint32_t written_ = 0;
  std::uint32_t durable_ = 0;
  std::uint64_t left_today_ = 0;  // of what may become durable
  core::Instant last_durable_;
};

}  // namespace fieldsync::server

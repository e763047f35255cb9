// attachment_completion.h: what is there of an attachment for a device, and the last steps of an
// upload whose bytes have all come: its hash is compared with its name, the file is published,
// and only then does the store say that it is complete.
//
// Each step may be the last before a crash. The next who asks goes on from what is there:
//   the row says less than the file holds     what was not synced is written again
//   all bytes are there                       they are verified, and published
//   the upload is gone, the published there   it was verified: the row follows
//
// A size is what an operation says, and somebody may have said a wrong one. So bytes are verified
// at each size that is named, and thrown away only where no more can follow.
#pragma once

#include <optional>

#include "service/rights.h"
#include "service/upload_claims.h"
#include "store/attachment_files.h"
#include "store/store.h"

namespace fieldsync::server {

// What one device is to know of a file.
struct AttachmentStanding {
  std::uint32_t durable = 0;   // bytes of its upload on stable storage; all of them where complete
  std::uint32_t size_max = 0;  // the largest size that is named where its person may write; 0: nowhere
  bool complete = false;
  std::uint64_t version = 0;  // where complete: at which it became so
};

// What the one who asks knows.
struct AttachmentQuestion {
  std::optional<std::uint32_t> size;  // of the file; without it, the one that is complete
  bool is_all_sent = false;           // nothing follows what is there
};

class AttachmentCompletion {
 public:
  AttachmentCompletion(Store& store, AttachmentFiles& files, UploadClaims& claims, Access access)
      : store_(store), files_(files), claims_(claims), access_(access) {}

  // Looks, and takes the steps that are due. not_found: no scope of the device's person names it.
  // attachment_damaged: the bytes are not what the name promises, and are gone. unknown_device,
  // device_revoked.
  [[nodiscard]] Result<AttachmentStanding> settle(const UploadName& upload, const AttachmentQuestion& question = {});

  // What came of it is thrown away, whoever is sending it.
  [[nodiscard]] Result<void> forget(const UploadName& upload);

  // Whether it was published, and has this size: a database may be older or newer than its files.
  [[nodiscard]] Result<bool> is_published(const core::AttachmentFile& file);

 private:
  struct Look;
  struct Arrival;

  Result<Look> look(const UploadName& upload, const AttachmentQuestion& question);
  Result<std::optional<std::uint32_t>> complete_size(const core::AttachmentId& id, const Look& look,
                                                     const AttachmentQuestion& question);
  Result<Arrival> publish_what_arrived(const UploadName& upload, const Look& look, bool is_all_sent);
  // The version at which it is.
  Result<std::uint64_t> enter_complete(const UploadName& upload, std::uint32_t size);
  Result<void> enter_durable(const UploadName& upload, std::uint32_t before, std::uint32_t durable);
  Result<void> remove(const UploadName& upload);
  void stop_sending(const UploadName& upload);

  Store& store_;
  AttachmentFiles& files_;
  UploadClaims& claims_;
  Access access_;
};

}  // namespace fieldsync::server

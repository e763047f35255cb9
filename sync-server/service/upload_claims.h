// upload_claims.h: of two connections of one device that send the same attachment, the later
// one goes on, and the earlier one changes nothing any more: a link that broke may be open here
// for some seconds longer. Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "store/attachment_files.h"

namespace fieldsync::server {

// Of one upload. Held while its file is used, never while the store is.
struct UploadClaim {
  std::mutex mutex;
  std::uint64_t owner = 0;  // 0: nobody
};

class UploadClaims {
 public:
  // One and the same for all who ask while any of them keeps it.
  [[nodiscard]] std::shared_ptr<UploadClaim> of(const UploadName& upload);
  // Differs from every other.
  [[nodiscard]] std::uint64_t new_owner();

 private:
  std::mutex mutex_;
  std::map<UploadName, std::weak_ptr<UploadClaim>> claims_;
  std::uint64_t owners_ = 0;
};

}  // namespace fieldsync::server

#include "service/upload_claims.h"

namespace fieldsync::server {

std::shared_ptr<UploadClaim> UploadClaims::of(const UploadName& upload) {
  const std::lock_guard lock(mutex_);
  std::erase_if(claims_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<UploadClaim>& known = claims_[upload];
  auto claim = known.lock();
  if (!claim) known = claim = std::make_shared<UploadClaim>();
  return claim;
}

std::uint64_t UploadClaims::new_owner() {
  const std::lock_guard lock(mutex_);
  return ++owners_;
}

}  // namespace fieldsync::server

#include "http/body_room.h"

namespace fieldsync::server {

std::unique_ptr<BodyRoom::Share> BodyRoom::take(const std::string& peer_key, std::uint64_t bytes) {
  auto share = std::unique_ptr<Share>(new Share(*this, peer_key));
  const std::lock_guard lock(mutex_);
  const auto at = of_one_.find(peer_key);
  const std::uint64_t own = at == of_one_.end() ? 0 : at->second;
  if (bytes > limits_.in_all - in_all_ || bytes > limits_.of_one_peer - own) return nullptr;
  if (bytes > 0) of_one_[peer_key] = own + bytes;
  in_all_ += bytes;
  share->bytes_ = bytes;
  return share;
}

BodyRoom::Share::~Share() {
  if (bytes_ == 0) return;
  const std::lock_guard lock(room_.mutex_);
  room_.in_all_ -= bytes_;
  const auto own = room_.of_one_.find(peer_key_);
  if ((own->second -= bytes_) == 0) room_.of_one_.erase(own);
}

}  // namespace fieldsync::server

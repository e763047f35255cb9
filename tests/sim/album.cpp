#include "sim/album.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace fieldsync::sim {

std::string PictureBytes::make() const {
  Chance chance(seed);
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t next = chance.next();
    std::memcpy(bytes.data() + at, &next, std::min(sizeof next, bytes.size() - at));
  }
  return bytes;
}

core::AttachmentId id_of(std::string_view bytes) {
  core::AttachmentId id;
  crypto_hash_sha256(id.sha256.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return id;
}

void Album::note(const PictureBytes& bytes) {
  if (by_id_.emplace(id_of(bytes.make()), bytes).second) known_.push_back(bytes);
}

bool Album::holds(const core::AttachmentId& id, std::string_view bytes) const {
  const auto known = by_id_.find(id);
  return known != by_id_.end() && known->second.size == bytes.size() && known->second.make() == bytes;
}

bool Album::begins_with(const core::AttachmentId& id, std::string_view bytes) const {
  const auto known = by_id_.find(id);
  return known != by_id_.end() && known->second.make().starts_with(bytes);
}

std::vector<core::AttachmentId> Album::ids() const {
  std::vector<core::AttachmentId> ids;
  for (const auto& [id, bytes] : by_id_) ids.push_back(id);
  return ids;
}

std::uint32_t Album::size_of(const core::AttachmentId& id) const {
  const auto known = by_id_.find(id);
  return known == by_id_.end() ? 0 : known->second.size;
}

}  // namespace fieldsync::sim

// album.h: the attachments that people of a run add: their bytes come from a number, so that
// they can be made anew to compare.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/value.h"
#include "sim/chance.h"

namespace fieldsync::sim {

[[nodiscard]] core::AttachmentId id_of(std::string_view bytes);

struct PictureBytes {
  std::uint64_t seed = 0;
  std::uint32_t size = 0;

  [[nodiscard]] std::string make() const;
};

class Album {
 public:
  // Before it is added: a call that failed may have stored it all the same.
  void note(const PictureBytes& bytes);
  [[nodiscard]] bool is_empty() const { return known_.empty(); }
  // Pre: not empty.
  [[nodiscard]] PictureBytes pick(Chance& chance) const { return known_[chance.below(known_.size())]; }
  // Whether these are the bytes of what somebody added under that name.
  [[nodiscard]] bool holds(const core::AttachmentId& id, std::string_view bytes) const;
  // Whether its bytes begin so.
  [[nodiscard]] bool begins_with(const core::AttachmentId& id, std::string_view bytes) const;
  [[nodiscard]] std::vector<core::AttachmentId> ids() const;
  // 0 where nobody added it.
  [[nodiscard]] std::uint32_t size_of(const core::AttachmentId& id) const;

 private:
  std::map<core::AttachmentId, PictureBytes> by_id_;
  std::vector<PictureBytes> known_;
};

}  // namespace fieldsync::sim

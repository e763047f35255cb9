// photo.h: a photo with its preview, and what an app does with it.
#pragma once

#include <cstdint>
#include <string>

#include "sim/team/phone.h"

namespace fieldsync::team {

struct Photo {
  std::string bytes;
  std::string preview;
  core::Attachment value;  // as a record names it
};

// Bytes that do not compress, the same for the same seed.
[[nodiscard]] Photo make_photo(std::uint64_t seed, std::size_t bytes, std::size_t preview_bytes);

// Adds it, and reads what was added once more. Nothing happens where it is here. Pre: the phone is open.
// internal_error: it reads other bytes.
Result<void> add_photo(Phone& phone, const Photo& photo);
// Reads it and its preview. attachment_not_here. internal_error: other bytes.
Result<void> compare_photo(Phone& phone, const Photo& photo);
// From the record with this title.
Result<void> fetch_photo(Phone& phone, const Photo& photo, const std::string& title);

// What the office's disk holds of it for sure; null where it is not there.
[[nodiscard]] const std::string* durable_at(const sim::Machine& office, const core::AttachmentId& id);
[[nodiscard]] bool has_durably(const sim::Machine& office, const Photo& photo);

}  // namespace fieldsync::team

// attachment.h: photos, recordings and documents.
//
//   if (auto room = database.space_for(size); !room) ...      // before the photo is taken
//   auto writer = database.add_attachment({core::AttachmentKind::photo, "image/jpeg", "IMG_1.jpg"});
//   while (...) writer->write(bytes);                         // sealed as it is written
//   auto photo = writer->finish();
//   editor->set("anomaly_photo", *photo, item);
//   editor->save();                                           // from now on it goes to the office
//
// The value in the record says what it is; the bytes travel after the text, previews first,
// and go on where they stopped. On other devices the previews come by themselves, the rest
// when it is asked for (Database::fetch_attachment).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/id.h"
#include "core/result.h"
#include "core/value.h"

namespace fieldsync {

// What is to be added. Its pictures may hold the place and the time at which they were
// taken (EXIF): they are evidence, and stay as they are.
struct NewAttachment {
  core::AttachmentKind kind = core::AttachmentKind::document;
  std::string media_type{};  // RFC 6838: "image/jpeg"; empty where it is not known
  std::string name{};        // up to 255 bytes, no path; may be empty
  std::string preview{};     // the bytes of a small picture, up to 256 KiB; empty for none
};

// One attachment while it is written. Dropped where it is destroyed before finish(), and
// where the app or its power ends. Not thread safe; must not outlive its Database.
class AttachmentWriter {
 public:
  class Session;  // the library's own part

  explicit AttachmentWriter(std::unique_ptr<Session> session);
  ~AttachmentWriter();
  AttachmentWriter(AttachmentWriter&&) noexcept;
  AttachmentWriter& operator=(AttachmentWriter&&) noexcept;

  // value_too_large: more than 64 MiB. storage_full: what was written so far is dropped.
  Result<void> write(std::string_view bytes);
  // Durable on this device from here on. The same bytes once more are kept once.
  // value_too_large: no bytes at all.
  Result<core::Attachment> finish();

 private:
  std::unique_ptr<Session> session_;
};

// The bytes of an attachment that is whole on this device. Not thread safe; must not outlive
// its Database.
class AttachmentReader {
 public:
  class Session;

  explicit AttachmentReader(std::unique_ptr<Session> session);
  ~AttachmentReader();
  AttachmentReader(AttachmentReader&&) noexcept;
  AttachmentReader& operator=(AttachmentReader&&) noexcept;

  [[nodiscard]] std::uint32_t size() const;
  // The next bytes, up to `most`; empty at the end. storage_corrupt: they are not what was
  // written. attachment_not_here: freed or erased meanwhile.
  Result<std::string> read(std::size_t most);

 private:
  std::unique_ptr<Session> session_;
};

// How far an attachment has come.
enum class AttachmentStage : std::uint8_t {
  added,      // whole on this device; no save names it yet
  waiting,    // ... the office does not have it, or not all of it
  at_office,  // ... and at the office, on stable storage
  wanted,     // comes with a sync
};

struct AttachmentInfo {
  core::AttachmentFile file;
  std::string kind;  // "preview", "audio", "photo", "document"
  AttachmentStage stage = AttachmentStage::added;
  core::RecordId record;         // whose save named it; none before
  std::uint32_t bytes_here = 0;  // of file.size
};

}  // namespace fieldsync

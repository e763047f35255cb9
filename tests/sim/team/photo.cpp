#include "sim/team/photo.h"

#include "codec/attachment_hash.h"

namespace fieldsync::team {
namespace {

constexpr std::size_t piece_bytes = 16'000;

std::string bytes_of(std::uint64_t seed, std::size_t count) {
  std::uint64_t state = seed * 2 + 1;
  std::string bytes(count, '\0');
  for (char& byte : bytes) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

core::AttachmentFile file_of(const std::string& bytes) {
  codec::AttachmentHash hash;
  hash.add(bytes);
  return {hash.id(), static_cast<std::uint32_t>(bytes.size())};
}

Result<bool> is_here(Phone& phone, const core::AttachmentId& id) {
  const auto infos = phone.database().attachments();
  if (!infos) return infos.error();
  for (const AttachmentInfo& info : *infos) {
    if (info.file.id == id && info.stage != AttachmentStage::wanted) return true;
  }
  return false;
}

Result<void> compare(Phone& phone, const core::AttachmentId& id, const std::string& bytes) {
  auto reader = phone.database().open_attachment(id);
  if (!reader) return reader.error();
  for (std::size_t at = 0; at <= bytes.size();) {
    const auto piece = reader->read(piece_bytes);
    if (!piece) return piece.error();
    if (piece->empty() && at == bytes.size()) return {};
    if (piece->empty() || bytes.compare(at, piece->size(), *piece) != 0) break;
    at += piece->size();
  }
  return Error{Errc::internal_error, "A photo has other bytes than were added."};
}

}  // namespace

Photo make_photo(std::uint64_t seed, std::size_t bytes, std::size_t preview_bytes) {
  Photo photo{bytes_of(seed, bytes), bytes_of(~seed, preview_bytes), {}};
  photo.value.kind = core::AttachmentKind::photo;
  photo.value.media_type = "image/jpeg";
  photo.value.name = "IMG_" + std::to_string(seed) + ".jpg";
  photo.value.file = file_of(photo.bytes);
  photo.value.preview = file_of(photo.preview);
  return photo;
}

Result<void> add_photo(Phone& phone, const Photo& photo) {
  const auto here = is_here(phone, photo.value.file.id);
  if (!here) return here.error();
  if (!*here) {
    const core::Attachment& about = photo.value;
    auto writer = phone.database().add_attachment({about.kind, about.media_type, about.name, photo.preview});
    if (!writer) return writer.error();
    for (std::size_t at = 0; at < photo.bytes.size(); at += piece_bytes) {
      if (auto written = writer->write(std::string_view(photo.bytes).substr(at, piece_bytes)); !written) return written;
    }
    const auto added = writer->finish();
    if (!added) return added.error();
    if (*added != about) return Error{Errc::internal_error, "A photo is added as another one."};
  }
  return compare_photo(phone, photo);
}

Result<void> compare_photo(Phone& phone, const Photo& photo) {
  if (auto same = compare(phone, photo.value.file.id, photo.bytes); !same) return same;
  return compare(phone, photo.value.preview->id, photo.preview);
}

Result<void> fetch_photo(Phone& phone, const Photo& photo, const std::string& title) {
  const auto record = phone.find(title);
  if (!record) return record.error();
  return phone.database().fetch_attachment(*record, photo.value);
}

const std::string* durable_at(const sim::Machine& office, const core::AttachmentId& id) {
  return office.files().durable(office.folder() + "/attachments/" + id.hex());
}

bool has_durably(const sim::Machine& office, const Photo& photo) {
  const std::string* whole = durable_at(office, photo.value.file.id);
  const std::string* preview = durable_at(office, photo.value.preview->id);
  return whole != nullptr && *whole == photo.bytes && preview != nullptr && *preview == photo.preview;
}

}  // namespace fieldsync::team

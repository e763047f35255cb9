#include "sim/photographer.h"

#include <algorithm>

#include "sim/attachment_checks.h"

namespace fieldsync::sim {
namespace {

constexpr std::uint32_t picture_bytes_least = 200;
constexpr std::uint32_t small_bytes_most = 8'000;
constexpr std::uint32_t picture_bytes_most = 70'000;
// More than one request carries.
constexpr std::uint32_t large_bytes_most = 400'000;
constexpr std::uint32_t preview_bytes_most = 3'000;
constexpr std::size_t piece_bytes = 50'000;

}  // namespace

void Photographer::act() {
  failures_before_ = device_.faults().failures();
  const std::uint64_t kind = run_.photos.below(100);
  if (kind < 50) {
    add();
  } else if (kind < 65) {
    name_one();
  } else if (kind < 80) {
    fetch();
  } else if (kind < 90) {
    free();
  } else {
    look_at_one();
  }
}

PictureBytes Photographer::new_bytes(std::uint32_t most) {
  return {run_.photos.next(), static_cast<std::uint32_t>(run_.photos.between(picture_bytes_least, most))};
}

void Photographer::add() {
  Chance& chance = run_.photos;
  const bool again = !run_.album.is_empty() && chance.happens(0.25);
  const std::uint64_t size = chance.below(100);
  const std::uint32_t most = size < 60 ? small_bytes_most : size < 93 ? picture_bytes_most : large_bytes_most;
  const PictureBytes bytes = again ? run_.album.pick(chance) : new_bytes(most);
  const PictureBytes preview = chance.happens(0.5) ? new_bytes(preview_bytes_most) : PictureBytes{};
  const bool added = write_one(bytes, preview);
  if (!device_.look_after() || !added) return;
  if (chance.happens(0.8)) name_one();
}

bool Photographer::write_one(const PictureBytes& bytes, const PictureBytes& preview) {
  static constexpr core::AttachmentKind kinds[] = {core::AttachmentKind::photo, core::AttachmentKind::photo,
                                                   core::AttachmentKind::audio, core::AttachmentKind::document};
  Chance& chance = run_.photos;
  const NewAttachment about{chance.pick(kinds), "image/jpeg", "IMG_1.jpg", preview.make()};
  auto writer = device_.database().add_attachment(about);
  if (!writer) {
    check_disk_failed(writer.error(), "begin an attachment");
    return false;
  }
  const bool gives_up = chance.happens(0.15);
  const std::string content = bytes.make();
  for (std::size_t at = 0; at < content.size(); at += piece_bytes) {
    if (const auto written = writer->write(std::string_view(content).substr(at, piece_bytes)); !written) {
      check_disk_failed(written.error(), "write an attachment");
      return false;
    }
  }
  if (gives_up) return false;
  run_.album.note(bytes);
  if (preview.size > 0) run_.album.note(preview);
  const auto finished = writer->finish();
  if (!finished) {
    check_disk_failed(finished.error(), "add an attachment");
    return false;
  }
  Book& book = device_.book();
  if (!run_.album.holds(finished->file.id, content))
    throw BrokenPromise(book.name + " gives an attachment a name that is not that of its bytes");
  book.attachments.note_added(finished->file.id);
  if (finished->preview) {
    book.attachments.note_added(finished->preview->id);
  }
  unnamed_.push_back(*finished);
  run_.story.tell(book.name, "adds attachment " + finished->file.id.hex().substr(0, 6) + ", " +
                                 std::to_string(bytes.size) + " bytes" + (finished->preview ? ", with a preview" : ""));
  return true;
}

void Photographer::name_one() {
  if (!unnamed_.empty() && run_.photos.happens(0.8)) {
    const core::Attachment attachment = unnamed_.back();
    unnamed_.pop_back();
    name_(attachment);
    return;
  }
  const auto known = shown();
  if (device_.is_on() && !known.empty()) name_(known[run_.photos.below(known.size())].second);
}

std::vector<std::pair<core::RecordId, core::Attachment>> Photographer::shown() {
  std::vector<std::pair<core::RecordId, core::Attachment>> found;
  const auto views = device_.database().query({.form = "visit", .include_deleted = true});
  if (!device_.look_after() || !views) return found;
  for (const RecordView& view : *views) {
    for_each_attachment(view, [&](const core::Attachment& attachment) { found.emplace_back(view.id, attachment); });
  }
  std::sort(found.begin(), found.end());
  return found;
}

void Photographer::fetch() {
  const auto known = shown();
  if (!device_.is_on() || known.empty()) return;
  const auto& [record, attachment] = known[run_.photos.below(known.size())];
  const auto asked = device_.database().fetch_attachment(record, attachment);
  if (!asked) check_disk_failed(asked.error(), "ask for an attachment");
  run_.story.tell(device_.book().name, "asks for attachment " + attachment.file.id.hex().substr(0, 6));
  device_.look_after();
}

void Photographer::free() {
  const auto infos = device_.database().attachments();
  if (!device_.look_after() || !infos || infos->empty()) return;
  const AttachmentInfo& info = (*infos)[run_.photos.below(infos->size())];
  const auto freed = device_.database().free_attachment(info.file.id);
  Book& book = device_.book();
  const bool refused = !freed && freed.error().code == Errc::not_safe_to_erase;
  // Where its disk failed it may be gone or not.
  if (!refused) book.attachments.kept.erase(info.file.id);
  if (!freed && !refused) check_disk_failed(freed.error(), "free an attachment");
  run_.story.tell(book.name,
                  (refused ? "may not free attachment " : "frees attachment ") + info.file.id.hex().substr(0, 6));
  device_.check_freed(info, static_cast<bool>(freed));
  device_.look_after();
}

void Photographer::look_at_one() {
  const auto infos = device_.database().attachments();
  if (!device_.look_after() || !infos || infos->empty()) return;
  const AttachmentInfo& info = (*infos)[run_.photos.below(infos->size())];
  check_readable(device_.book(), device_.database(), info, run_.album);
  device_.look_after();
}

void Photographer::check_disk_failed(const Error& error, const std::string& what) const {
  const bool of_storage = error.code == Errc::storage_full || error.code == Errc::storage_failed;
  if (!of_storage || device_.faults().failures() == failures_before_)
    throw BrokenPromise(device_.book().name + " could not " + what + ": " + error.message());
}

}  // namespace fieldsync::sim

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/json_value.h"
#include "fieldsync/lookup.h"
#include "fieldsync/progress_bar.h"
#include "fieldsync/terminal.h"

namespace fieldsync::cli {
namespace {

constexpr std::size_t step_bytes = 256 * 1024;

struct FileType {
  std::string_view extension;
  core::AttachmentKind kind;
  const char* media_type;
};
// What phones and recorders write; the rest are documents.
constexpr FileType file_types[] = {
    {".jpg", core::AttachmentKind::photo, "image/jpeg"},   {".jpeg", core::AttachmentKind::photo, "image/jpeg"},
    {".png", core::AttachmentKind::photo, "image/png"},    {".webp", core::AttachmentKind::photo, "image/webp"},
    {".heic", core::AttachmentKind::photo, "image/heic"},  {".mp3", core::AttachmentKind::audio, "audio/mpeg"},
    {".m4a", core::AttachmentKind::audio, "audio/mp4"},    {".ogg", core::AttachmentKind::audio, "audio/ogg"},
    {".opus", core::AttachmentKind::audio, "audio/ogg"},   {".wav", core::AttachmentKind::audio, "audio/wav"},
    {".amr", core::AttachmentKind::audio, "audio/amr"},    {".pdf", core::AttachmentKind::document, "application/pdf"},
    {".txt", core::AttachmentKind::document, "text/plain"}};

NewAttachment described(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter; });
  NewAttachment attachment;
  attachment.name = file.filename().string();
  const auto known = std::find_if(std::begin(file_types), std::end(file_types),
                                  [&](const FileType& type) { return type.extension == extension; });
  if (known == std::end(file_types)) return attachment;
  attachment.kind = known->kind;
  attachment.media_type = known->media_type;
  return attachment;
}

Error unreadable(const std::string& file) {
  return {Errc::not_found, "The file " + file + " cannot be read. Nothing was attached."};
}

Result<std::string> whole_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes(core::preview_bytes_max + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (in.gcount() == 0 || in.bad()) return unreadable(file);
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

Result<core::Attachment> add_file(Database& database, const NewAttachment& described_as, const std::string& file,
                                  std::uint64_t size, bool quiet) {
  auto writer = database.add_attachment(described_as);
  if (!writer) return writer.error();
  std::ifstream in(file, std::ios::binary);
  ProgressBar bar(std::cerr, quiet ? 0 : terminal_columns(STDERR_FILENO));
  std::array<char, step_bytes> step{};
  std::uint64_t done = 0;
  while (in.read(step.data(), step.size()), in.gcount() > 0) {
    const auto bytes = static_cast<std::size_t>(in.gcount());
    if (auto written = writer->write({step.data(), bytes}); !written) return written.error();
    done += bytes;
    if (!quiet) bar.show(done, std::max(size, done), "sealing");
  }
  if (!in.eof()) return unreadable(file);
  return writer->finish();
}

}  // namespace

Result<void> run_attach(const Settings& settings, const AttachOptions& options) {
  const auto named = parse_assignment(options.file_of_field);
  if (!named) return Error{Errc::invalid_argument, "Give the field and the file: FIELD=FILE."};
  const std::string file(named->value);
  std::error_code problem;
  const std::uint64_t size = std::filesystem::file_size(file, problem);
  if (problem) return unreadable(file);
  NewAttachment attachment = described(file);
  if (!options.preview.empty()) {
    auto preview = whole_file(options.preview);
    if (!preview) return preview.error();
    attachment.preview = std::move(*preview);
  }
  const auto database = open_store(settings);
  if (!database) return database.error();
  auto opened = open_record(**database, options.record);
  if (!opened) return opened.error();
  Draft draft(opened->editor, opened->form, record_finder(**database));
  if (auto checked = draft.check_attachable(named->path); !checked) return checked;
  if (auto room = (*database)->space_for(size); !room) return room;
  auto added = add_file(**database, attachment, file, size, settings.json);
  if (!added) return added.error();
  if (auto put = draft.put(named->path, core::Value(*added)); !put) return put;
  const auto saved = opened->editor.save();
  if (!saved) return saved.error();
  const core::RecordId record = opened->editor.id();
  if (settings.json) {
    print_json(std::cout, boost::json::object{{"id", record.hex()},
                                              {"operation", operation_json(saved->operation)},
                                              {"attachment", value_json(core::Value(*added))}});
  } else {
    std::cout << "Attached " << bytes_text(size) << " to " << short_id(record) << ", sealed on this device.\n";
  }
  return {};
}

}  // namespace fieldsync::cli

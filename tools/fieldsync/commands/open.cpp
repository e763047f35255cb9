#include <fcntl.h>
#include <unistd.h>

#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/draft.h"
#include "fieldsync/json_output.h"
#include "fieldsync/json_value.h"
#include "fieldsync/lookup.h"
#include "fieldsync/text_display.h"

namespace fieldsync::cli {
namespace {

constexpr std::size_t step_bytes = 1024 * 1024;

// Never over a file that is there: the name came from somebody else.
class NewFile {
 public:
  explicit NewFile(const std::string& path)
      : path_(path),
        descriptor_(path == "-" ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
  }
  ~NewFile() {
    if (descriptor_ < 0 || descriptor_ == STDOUT_FILENO) return;
    ::close(descriptor_);
    if (!kept_) ::unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  void keep() { kept_ = true; }

 private:
  std::string path_;
  int descriptor_;
  bool kept_ = false;
};

Result<core::Attachment> attachment_in(Database& database, const core::RecordId& record,
                                       const OpenAttachmentOptions& options) {
  const auto view = database.read(record);
  if (!view) return view.error();
  const auto path = parse_field_path(options.field);
  if (!path) return path.error();
  const auto form = find_form(database, view->form);
  if (!form) return form.error();
  if (form->find(path->field) == nullptr) return no_such_field(*form, path->field);
  core::ItemId item;
  if (!path->item.empty()) {
    const auto found = find_item(*view, path->item);
    if (!found) return found.error();
    item = *found;
  }
  const ShownField* field = view->find(path->field, item);
  const std::size_t count = field == nullptr ? 0 : field->values.size();
  if (options.pick > count) {
    return Error{Errc::not_found, count == 0 ? "'" + options.field + "' is empty."
                                             : "'" + options.field + "' holds " + std::to_string(count) + ", no more."};
  }
  const auto* attachment = std::get_if<core::Attachment>(&field->values[options.pick - 1].value);
  if (attachment == nullptr) return Error{Errc::wrong_value_type, "'" + options.field + "' holds no attachment."};
  return *attachment;
}

// The name came from somebody else: no hidden file, no option of a command, no letters that
// turn the rest around.
std::string own_name(const core::Attachment& attachment) {
  const std::string name = for_terminal(attachment.name);
  if (name.empty()) return attachment.file.id.hex().substr(0, 16);
  return name.front() == '.' || name.front() == '-' ? "attachment" + name : name;
}

Result<void> write_to(AttachmentReader& reader, const std::string& output) {
  NewFile file(output);
  if (!file.is_open())
    return Error{Errc::invalid_argument, "The file " + output + " is there already, or cannot be made. Give --output."};
  while (true) {
    const auto bytes = reader.read(step_bytes);
    if (!bytes) return bytes.error();
    if (bytes->empty()) break;
    if (!file.write(*bytes)) return Error{Errc::storage_failed, "The file " + output + " cannot be written."};
  }
  file.keep();
  return {};
}

}  // namespace

Result<void> run_open(const Settings& settings, const OpenAttachmentOptions& options) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto record = find_record(**database, options.record);
  if (!record) return record.error();
  const auto attachment = attachment_in(**database, *record, options);
  if (!attachment) return attachment.error();
  if (options.preview && !attachment->preview)
    return Error{Errc::not_found, "It has no preview. Open it without --preview."};
  const core::AttachmentFile& wanted = options.preview ? *attachment->preview : attachment->file;
  auto reader = (*database)->open_attachment(wanted.id);
  if (!reader) {
    if (reader.error().code != Errc::attachment_not_here) return reader.error();
    if (auto asked = (*database)->fetch_attachment(*record, *attachment); !asked) return asked;
    return Error{Errc::attachment_not_here,
                 "It is not on this device yet (" + bytes_text(wanted.size) + "). It comes with: fieldsync sync."};
  }
  const std::string output =
      options.output.empty() ? own_name(*attachment) + (options.preview ? ".preview" : "") : options.output;
  if (auto written = write_to(*reader, output); !written) return written;
  if (output == "-") return {};
  if (settings.json) {
    print_json(std::cout, boost::json::object{{"file", output}, {"attachment", value_json(core::Value(*attachment))}});
  } else {
    std::cout << "Written to " << output << ", open to everybody who has this file. Delete it when you are done.\n";
  }
  return {};
}

}  // namespace fieldsync::cli

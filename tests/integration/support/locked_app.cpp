// locked_app FOLDER LETTERS SECONDS: an app that enrols with the text in FOLDER/enrolment, writes what
// begins with a mark into every text and attachment of every form, syncs, reads and searches; that says
// "unlocked", locks its store when there is a file FOLDER/lock, or leaves it alone for SECONDS,
// after which it locks itself; says "locked", and waits to be killed. LETTERS is the mark, each letter moved by one:
// the app itself must not hold the mark but through its store.
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "fieldsync/database.h"

using namespace fieldsync;

namespace {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}
void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

std::string mark_of(const char* letters) {
  std::string mark;
  for (; *letters != '\0'; ++letters) mark += static_cast<char>(*letters - 1);
  return mark;
}

std::string marked(const char* letters, int number) {
  std::string text = mark_of(letters) + std::to_string(number);
  // Short ones stand in the string itself, long ones do not.
  if (number % 2 == 1) text += " and so that it is long, once more " + text;
  return text;
}

[[gnu::noinline]] std::string taken_from(const std::filesystem::path& file) {
  std::string text(std::filesystem::file_size(file), '\0');
  std::ifstream stream;
  stream.rdbuf()->pubsetbuf(nullptr, 0);
  stream.open(file, std::ios::binary);
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  std::filesystem::remove(file);
  return text;
}

// Every second one larger than what is sealed in one piece.
core::Attachment attach(Database& database, const char* letters, int& number) {
  AttachmentWriter writer = must(database.add_attachment(
      {core::AttachmentKind::photo, "image/jpeg", marked(letters, number++), marked(letters, number++)}));
  for (int lines = number % 4 == 0 ? 40'000 : 1; lines > 0; --lines) must(writer.write(marked(letters, number)));
  ++number;
  return must(writer.finish());
}

void fill(Database& database, RecordEditor& editor, const core::Form& form, std::uint32_t group,
          const core::ItemId& item, const char* letters, int& number) {
  for (const core::FormField& field : form.fields) {
    if (field.group != group) continue;
    // Some may not leave the device unsealed: they are refused.
    if (field.type == core::FieldType::text)
      static_cast<void>(editor.set(field.name, core::Value{marked(letters, number++)}, item));
    if (field.type == core::FieldType::local_text)
      static_cast<void>(editor.set(field.name, core::LocalText{"en", marked(letters, number++)}, item));
    if (field.type == core::FieldType::attachment)
      must(editor.set(field.name, attach(database, letters, number), item));
    if (field.type == core::FieldType::group && group == 0) {
      const core::ItemId entry = must(editor.add_item(field.name));
      fill(database, editor, form, field.number, entry, letters, number);
    }
  }
}

// Not in the frame of run(), which stays: short texts stand in it.
[[gnu::noinline]] int write_everywhere(Database& database, const char* letters) {
  int number = 0;
  const core::ScopeId scope = must(database.scopes()).front().id;
  for (const core::Form& form : must(database.forms())) {
    RecordEditor editor = must(database.create(form.name, scope));
    fill(database, editor, form, 0, {}, letters, number);
    if (const auto saved = editor.save(); !saved && saved.error().code != Errc::invalid_argument) must(saved);
    must(database.sync({}));
  }
  return number;
}

[[gnu::noinline]] void read_everywhere(Database& database, const char* letters) {
  const auto views = must(database.query({}));
  for (const RecordView& view : views) static_cast<void>(must(database.read(view.id)));
  if (must(database.query({.text = mark_of(letters)})).empty()) throw std::runtime_error("nothing was found");
  const auto attachments = must(database.attachments());
  if (attachments.size() < 4) throw std::runtime_error("there are fewer attachments than there should be");
  for (const AttachmentInfo& attachment : attachments) {
    AttachmentReader reader = must(database.open_attachment(attachment.file.id));
    while (!must(reader.read(64 * 1024)).empty()) continue;
  }
  // One that is given up.
  must(must(database.add_attachment({})).write(marked(letters, 0)));
  RecordEditor editor = must(database.edit(views.front().id));
  must(database.conflicts());
  // A save that waits, and one that a sync breaks off.
  static_cast<void>(database.sync({}));
}

void run(const std::string& folder, const char* letters, std::chrono::seconds lock_after) {
  const auto database = must(Database::open({.directory = folder + "/store",
                                             .credentials = {.passphrase = marked(letters, 0) + marked(letters, 1)},
                                             .lock_after = lock_after}));
  must(database->enrol(taken_from(folder + "/enrolment"), "A phone"));
  must(database->sync({}));
  std::cout << write_everywhere(*database, letters) << " texts\n";
  read_everywhere(*database, letters);
  std::cout << "unlocked" << std::endl;
  while (!std::filesystem::exists(folder + "/lock")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  if (lock_after.count() == 0) database->lock();
  while (database->lock_state() != LockState::locked) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::cout << "locked" << std::endl;
  while (true) ::pause();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  try {
    run(arguments[1], arguments[2], std::chrono::seconds(std::atoi(arguments[3])));
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
  }
  return 1;
}

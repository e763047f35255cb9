#include "sim/attachment_checks.h"

#include <algorithm>

#include "api/local_store.h"
#include "sim/story.h"

namespace fieldsync::sim {
namespace {

constexpr std::size_t piece_bytes = 100'000;

std::string text_of(const core::AttachmentId& id) { return "attachment " + id.hex().substr(0, 6); }

bool is_refused(api::LocalStore& store, std::uint64_t counter) {
  auto select = store.connection->prepare("SELECT 1 FROM refused WHERE counter = ?1");
  select.bind_unsigned(1, counter);
  return select.step();
}

// Whoever claims it may: byte for byte the first time, and that it has not gone since.
void check_claim(Book& book, const core::AttachmentId& id, const std::string& claim, const Server& server,
                 const Album& album) {
  const std::string* durable = server.disk().durable(server.attachment_files().path_of(id));
  const bool is_new = !book.attachments.compared.contains(id);
  const bool holds = durable != nullptr && (is_new ? album.holds(id, *durable) : durable->size() == album.size_of(id));
  if (!holds)
    throw BrokenPromise(book.name + " says that " + claim + ", and the office's disk has not got " + text_of(id));
  book.attachments.compared.insert(id);
}

// All that was added here: of what no save names, the office knows nothing.
void check_all_claimed(Book& book, const Server& server, const Album& album) {
  for (const core::AttachmentId& id : book.attachments.added)
    check_claim(book, id, "all of it may be erased", server, album);
}

// What was added here, a save here named in the record, and stands there.
void check_records_to_erase(Book& book, Database& database, const Server& server, const Album& album) {
  std::set<std::pair<core::RecordId, core::AttachmentId>> named;
  for (const SavedOperation& saved : book.saved) {
    for_each_file(saved.operation, [&](const core::AttachmentFile& file) {
      if (book.attachments.added.contains(file.id)) named.emplace(saved.operation.record, file.id);
    });
  }
  if (named.empty()) return;
  const auto views = database.query({.form = "visit", .include_deleted = true});
  if (!views) return;
  for (const RecordView& view : *views) {
    if (!view.safe_to_erase) continue;
    for_each_attachment(view, [&](const core::Attachment& attachment) {
      for (const auto& file : {std::optional(attachment.file), attachment.preview}) {
        if (file && named.contains({view.id, file->id}))
          check_claim(book, file->id, "a record may be erased", server, album);
      }
    });
  }
}

}  // namespace

void for_each_attachment(const RecordView& view, const std::function<void(const core::Attachment&)>& take) {
  for (const ShownField& field : view.fields) {
    for (const ShownValue& value : field.values) {
      if (const auto* attachment = std::get_if<core::Attachment>(&value.value)) take(*attachment);
    }
  }
}

void for_each_file(const core::Operation& operation, const std::function<void(const core::AttachmentFile&)>& take) {
  for (const core::FieldWrite& write : operation.writes) {
    const auto* attachment = std::get_if<core::Attachment>(&write.value);
    if (attachment == nullptr) continue;
    take(attachment->file);
    if (attachment->preview) take(*attachment->preview);
  }
}

bool is_durable_at_office(const Server& server, const Album& album, const core::AttachmentId& id) {
  const std::string* durable = server.disk().durable(server.attachment_files().path_of(id));
  return durable != nullptr && album.holds(id, *durable);
}

void note_named(Book& book, std::size_t first, api::LocalStore& store) {
  static_cast<void>(sqlite::guard([&]() -> Result<void> {
    for (std::size_t i = first; i < book.saved.size(); ++i) {
      const core::Operation& operation = book.saved[i].operation;
      for_each_file(operation, [&](const core::AttachmentFile& file) {
        const auto row = store.attachments.find(file.id);
        if (row && row->state != storage::AttachmentState::wanted)
          book.attachments.named.emplace(operation.scope, file.id);
      });
    }
    return {};
  }));
}

void check_added_survived(const Book& book, api::LocalStore& store, bool may_have_left_scopes) {
  std::set<core::AttachmentId> named;
  if (may_have_left_scopes) {
    for (const SavedOperation& saved : book.saved)
      for_each_file(saved.operation, [&](const core::AttachmentFile& file) { named.insert(file.id); });
  }
  for (const core::AttachmentId& id : book.attachments.kept) {
    const auto row = store.attachments.find(id);
    const bool is_whole = row && row->state != storage::AttachmentState::wanted && row->bytes_here == row->file.size;
    if (!is_whole && !named.contains(id)) throw BrokenPromise(book.name + " lost " + text_of(id) + ", which was added");
  }
}

void check_readable(const Book& book, Database& database, const AttachmentInfo& info, const Album& album) {
  auto reader = database.open_attachment(info.file.id);
  if (!reader) {
    const Errc code = reader.error().code;
    const bool may_be = code == Errc::storage_failed || code == Errc::storage_full ||
                        (code == Errc::attachment_not_here && info.stage == AttachmentStage::wanted);
    if (!may_be)
      throw BrokenPromise(book.name + " cannot open " + text_of(info.file.id) + ": " + reader.error().message());
    return;
  }
  std::string bytes;
  while (true) {
    const auto piece = reader->read(piece_bytes);
    if (!piece) {
      if (piece.error().code != Errc::storage_failed && piece.error().code != Errc::storage_full)
        throw BrokenPromise(book.name + " cannot read " + text_of(info.file.id) + ": " + piece.error().message());
      return;
    }
    if (piece->empty()) break;
    bytes += *piece;
  }
  if (!album.holds(info.file.id, bytes))
    throw BrokenPromise(book.name + " shows other bytes of " + text_of(info.file.id) + " than were added");
}

void check_attachments_are_true(Book& book, Database& database, const Server& server, const Album& album) {
  const auto infos = database.attachments();
  if (!infos) return;
  for (const AttachmentInfo& info : *infos) {
    if (info.stage == AttachmentStage::at_office) check_claim(book, info.file.id, "it is at the office", server, album);
  }
  if (book.attachments.added.empty()) return;
  const auto status = database.status();
  if (!status) return;
  if (status->safe_to_erase) {
    check_all_claimed(book, server, album);
    return;
  }
  check_records_to_erase(book, database, server, album);
}

void check_office_attachments(const Server& server, server::ReadTransaction& transaction,
                              const std::vector<server::DeviceRow>& devices, const Album& album) {
  const MachineAttachmentFiles& files = server.attachment_files();
  transaction.complete_attachments([&](const core::AttachmentFile& file) {
    if (!is_durable_at_office(server, album, file.id))
      throw BrokenPromise("The office says that it has " + text_of(file.id) + ", and has not got its bytes");
  });
  for (const server::DeviceRow& device : devices) {
    for (const core::AttachmentId& id : album.ids()) {
      const std::uint32_t bytes = transaction.upload_bytes(device.key, id);
      const server::UploadName name{device.id, id};
      // Published, and its row did not come to it; or written to since.
      if (bytes == 0 || is_durable_at_office(server, album, id)) continue;
      const std::string* durable = server.disk().durable(files.path_of(name));
      if (durable == nullptr && server.disk().find(files.path_of(name))) continue;
      if (durable == nullptr || durable->size() < bytes || !album.begins_with(id, durable->substr(0, bytes)))
        throw BrokenPromise("The office says that bytes of " + text_of(id) + " are durable, and has not got them");
    }
  }
}

std::string attachment_to_move(const Book& book, api::LocalStore& store, const std::set<core::ScopeId>& writable) {
  std::set<core::AttachmentId> named;
  for (const SavedOperation& saved : book.saved) {
    if (!writable.contains(saved.operation.scope)) continue;
    bool names = false;
    for_each_file(saved.operation, [&](const core::AttachmentFile&) { names = true; });
    if (!names || is_refused(store, saved.operation.id.counter)) continue;
    for_each_file(saved.operation, [&](const core::AttachmentFile& file) { named.insert(file.id); });
  }
  for (const storage::AttachmentRow& row : store.attachments.in_state(storage::AttachmentState::waiting)) {
    if (named.contains(row.file.id)) return book.name + " has not sent " + text_of(row.file.id);
  }
  return {};
}

void check_published(const Server& server) {
  for (const core::AttachmentId& id : server.attachment_files().published()) {
    const std::string* durable = server.disk().durable(server.attachment_files().path_of(id));
    if (durable == nullptr || id_of(*durable) != id)
      throw BrokenPromise("The office has published other bytes than those of " + text_of(id));
  }
}

void check_handed_in(const Book& book, const Server& server, const Album& album) {
  for (const auto& [scope, id] : book.attachments.named) {
    if (!is_durable_at_office(server, album, id))
      throw BrokenPromise(book.name + " was erased, and the office has not got " + text_of(id));
  }
}

void check_delivered(const Book& book, Database& database, api::LocalStore& store, const OfficeCopy& copy,
                     const std::set<core::ScopeId>& writable, const Server& server, const Album& album) {
  const auto infos = database.attachments();
  if (!infos) throw BrokenPromise(book.name + " cannot say which attachments it has");
  std::set<core::AttachmentId> here;
  for (const AttachmentInfo& info : *infos) {
    check_readable(book, database, info, album);
    const auto row = store.attachments.find(info.file.id);
    if (row && row->state != storage::AttachmentState::wanted) here.insert(info.file.id);
  }
  for (const SavedOperation& saved : book.saved) {
    const core::ScopeId& scope = saved.operation.scope;
    if (!copy.applied.contains(saved.operation.id) || !writable.contains(scope)) continue;
    for_each_file(saved.operation, [&](const core::AttachmentFile& file) {
      if (!here.contains(file.id) || !book.attachments.named.contains({scope, file.id})) return;
      const bool complete = copy.complete_attachments.contains({scope, file.id});
      if (!complete || !is_durable_at_office(server, album, file.id))
        throw BrokenPromise("The office has not got " + text_of(file.id) + ", which " + book.name + " has and named");
    });
  }
}

}  // namespace fieldsync::sim

#include "api/attachments.h"

#include "core/validation.h"

namespace fieldsync {
namespace {

using storage::AttachmentRow;
using storage::AttachmentState;
using storage::TransferKind;

// So much is stored with one sync to disk.
constexpr std::size_t buffer_bytes = 1024 * 1024;
// What the write-ahead log may take, and room for what is written beside.
constexpr std::uint64_t spare_bytes = 24 * 1024 * 1024;

Error too_large() { return {Errc::value_too_large, "An attachment has at most 64 MiB."}; }

TransferKind transfer_kind(core::AttachmentKind kind) {
  switch (kind) {
    case core::AttachmentKind::audio: return TransferKind::audio;
    case core::AttachmentKind::photo: return TransferKind::photo;
    case core::AttachmentKind::document: break;
  }
  return TransferKind::document;
}

std::string name_of(TransferKind kind) {
  switch (kind) {
    case TransferKind::preview: return "preview";
    case TransferKind::audio: return "audio";
    case TransferKind::photo: return "photo";
    case TransferKind::document: break;
  }
  return "document";
}

AttachmentStage stage_of(AttachmentState state) {
  switch (state) {
    case AttachmentState::waiting: return AttachmentStage::waiting;
    case AttachmentState::held: return AttachmentStage::at_office;
    case AttachmentState::wanted: return AttachmentStage::wanted;
    case AttachmentState::adding:
    case AttachmentState::added: break;
  }
  return AttachmentStage::added;
}

std::string megabytes(std::uint64_t bytes) { return std::to_string((bytes + 999'999) / 1'000'000) + " MB"; }

void forget(std::string& bytes) {
  sodium_memzero(bytes.data(), bytes.size());
  bytes.clear();
}

core::AttachmentFile file_of(std::string_view bytes) {
  codec::AttachmentHash hash;
  hash.add(bytes);
  return {hash.id(), static_cast<std::uint32_t>(bytes.size())};
}

}  // namespace

AttachmentWriter::Session::Session(api::LocalStore& store, core::Attachment about, std::string preview)
    : store_(store), about_(std::move(about)), preview_(std::move(preview)) {}

AttachmentWriter::Session::~Session() {
  forget(buffer_);
  forget(preview_);
  drop();
}

void AttachmentWriter::Session::drop() {
  if (!row_) return;
  const AttachmentRow dropped = *std::exchange(row_, std::nullopt);
  // Where it fails, the next unlocking drops it.
  static_cast<void>(api::in_unlocked_store(store_, [&]() -> Result<void> {
    storage::Transaction transaction(store_.vault);
    if (const auto now = store_.attachments.read_again(dropped)) store_.attachments.remove(*now);
    transaction.commit();
    return {};
  }));
}

Result<void> AttachmentWriter::Session::write(std::string_view bytes) {
  if (failed_) return *failed_;
  store_.touch();
  return sqlite::guard([&] { return api::on_clean_stack([&] { return take(bytes); }); });
}

Result<void> AttachmentWriter::Session::take(std::string_view bytes) {
  const std::size_t before = buffer_.size() + (row_ ? row_->bytes_here : 0);
  if (bytes.size() > core::attachment_bytes_max - before) return too_large();
  while (!bytes.empty()) {
    if (buffer_.capacity() < buffer_bytes) buffer_.reserve(buffer_bytes);
    const std::string_view fitting = bytes.substr(0, buffer_bytes - buffer_.size());
    buffer_ += fitting;
    hash_.add(fitting);
    bytes.remove_prefix(fitting.size());
    if (buffer_.size() < buffer_bytes) continue;
    if (auto stored = store_buffer(); !stored) {
      failed_ = stored.error();
      drop();
      return stored;
    }
  }
  return {};
}

Result<AttachmentRow> AttachmentWriter::Session::begun() {
  if (!row_) return store_.attachments.add(transfer_kind(about_.kind));
  const auto now = store_.attachments.read_again(*row_);
  if (now) return *now;
  return Error{Errc::attachment_not_here, "The store was locked before the attachment was finished. Add it again."};
}

Result<void> AttachmentWriter::Session::store_buffer() {
  return api::in_unlocked_store(store_, [&]() -> Result<void> {
    storage::Transaction transaction(store_.vault);
    auto grown = begun();
    if (!grown) return grown.error();
    store_.attachments.append(*grown, buffer_);
    transaction.commit();
    row_ = *grown;
    forget(buffer_);
    return {};
  });
}

Result<core::Attachment> AttachmentWriter::Session::finish() {
  if (failed_) return *failed_;
  const std::size_t size = buffer_.size() + (row_ ? row_->bytes_here : 0);
  if (size == 0) return Error{Errc::value_too_large, "The attachment has no bytes."};
  core::Attachment finished = about_;
  codec::AttachmentHash hash = hash_;
  finished.file = {hash.id(), static_cast<std::uint32_t>(size)};
  if (!preview_.empty()) finished.preview = file_of(preview_);
  return api::in_unlocked_store(store_, [&]() -> Result<core::Attachment> {
    storage::Transaction transaction(store_.vault);
    auto whole = begun();
    if (!whole) return whole.error();
    store_.attachments.append(*whole, buffer_);
    static_cast<void>(store_.attachments.finish(*whole, finished.file));
    if (finished.preview) {
      AttachmentRow preview = store_.attachments.add(TransferKind::preview);
      store_.attachments.append(preview, preview_);
      static_cast<void>(store_.attachments.finish(preview, *finished.preview));
    }
    transaction.commit();
    // It is stored: from here on nothing may fail.
    row_.reset();
    forget(buffer_);
    failed_ = Error{Errc::invalid_argument, "The attachment was finished before."};
    return finished;
  });
}

Result<std::string> AttachmentReader::Session::read(std::size_t most) {
  return api::in_unlocked_store(store_, [&]() -> Result<std::string> {
    if (!store_.attachments.read_again(row_)) return Error{Errc::attachment_not_here, {}};
    std::string bytes = store_.attachments.read(row_, at_, most);
    at_ += static_cast<std::uint32_t>(bytes.size());
    return bytes;
  });
}

namespace api {

Result<void> space_for(LocalStore& store, std::uint64_t bytes) {
  if (bytes > core::attachment_bytes_max) return too_large();
  const auto& free_space = store.environment.free_space;
  const auto free = free_space ? free_space(store.file) : std::nullopt;
  // Each piece is padded by a sixteenth at most.
  const std::uint64_t needed = bytes + bytes / 16 + spare_bytes;
  if (!free || *free >= needed) return {};
  return Error{Errc::storage_full, "It takes " + megabytes(needed) + ", and " + megabytes(*free) +
                                       " are free on this device. Make room before you take the photo."};
}

Result<AttachmentWriter> add_attachment(LocalStore& store, const NewAttachment& attachment) {
  core::Attachment about;
  about.kind = attachment.kind;
  about.media_type = attachment.media_type;
  about.name = attachment.name;
  about.file.size = 1;
  if (!attachment.preview.empty()) {
    if (attachment.preview.size() > core::preview_bytes_max)
      return Error{Errc::value_too_large, "A preview has at most 256 KiB."};
    about.preview = core::AttachmentFile{{}, static_cast<std::uint32_t>(attachment.preview.size())};
  }
  if (auto checked = core::check_value(core::Value(about), nullptr); !checked) return checked.error();
  return AttachmentWriter(std::make_unique<AttachmentWriter::Session>(store, std::move(about), attachment.preview));
}

Result<AttachmentReader> open_attachment(LocalStore& store, const core::AttachmentId& id) {
  auto row = store.attachments.find(id);
  if (!row || row->state == AttachmentState::wanted) return Error{Errc::attachment_not_here, {}};
  return AttachmentReader(std::make_unique<AttachmentReader::Session>(store, std::move(*row)));
}

Result<void> fetch_attachment(LocalStore& store, const core::RecordId& record, const core::Attachment& attachment) {
  const auto state = store.records.shown(record);
  if (!state) return Error{Errc::not_found, "There is no such record on this device."};
  if (auto checked = core::check_value(core::Value(attachment), nullptr); !checked) return checked;
  storage::Transaction transaction(store.vault);
  if (attachment.preview) store.attachments.want(*attachment.preview, TransferKind::preview, record, state->scope);
  store.attachments.want(attachment.file, transfer_kind(attachment.kind), record, state->scope);
  transaction.commit();
  return {};
}

Result<void> free_attachment(LocalStore& store, const core::AttachmentId& id) {
  const auto row = store.attachments.find(id);
  if (!row) return {};
  if (row->state != AttachmentState::held && row->state != AttachmentState::wanted)
    return Error{Errc::not_safe_to_erase, {}};
  storage::Transaction transaction(store.vault);
  store.attachments.remove(*row);
  transaction.commit();
  store.connection->execute("PRAGMA incremental_vacuum");
  return {};
}

std::vector<AttachmentInfo> list_attachments(LocalStore& store) {
  std::vector<AttachmentInfo> infos;
  for (const AttachmentRow& row : store.attachments.all()) {
    if (row.state == AttachmentState::adding) continue;
    infos.push_back({row.file, name_of(row.kind), stage_of(row.state), row.record, row.bytes_here});
  }
  return infos;
}

}  // namespace api

AttachmentWriter::AttachmentWriter(std::unique_ptr<Session> session) : session_(std::move(session)) {}
AttachmentWriter::~AttachmentWriter() = default;
AttachmentWriter::AttachmentWriter(AttachmentWriter&&) noexcept = default;
AttachmentWriter& AttachmentWriter::operator=(AttachmentWriter&&) noexcept = default;
Result<void> AttachmentWriter::write(std::string_view bytes) { return session_->write(bytes); }
Result<core::Attachment> AttachmentWriter::finish() { return session_->finish(); }

AttachmentReader::AttachmentReader(std::unique_ptr<Session> session) : session_(std::move(session)) {}
AttachmentReader::~AttachmentReader() = default;
AttachmentReader::AttachmentReader(AttachmentReader&&) noexcept = default;
AttachmentReader& AttachmentReader::operator=(AttachmentReader&&) noexcept = default;
std::uint32_t AttachmentReader::size() const { return session_->size(); }
Result<std::string> AttachmentReader::read(std::size_t most) { return session_->read(most); }

}  // namespace fieldsync

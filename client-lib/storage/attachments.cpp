#include "storage/attachments.h"

#include <sodium.h>

#include <algorithm>

#include "core/check.h"
#include "storage/packing.h"

namespace fieldsync::storage {
namespace {

#define SELECT_ATTACHMENT "SELECT row, state, about FROM attachment"

constexpr std::size_t piece_bytes_max = 64 * 1024;
// Of a piece's place: the offset's share.
constexpr std::int64_t places_per_attachment = std::int64_t{1} << 27;
static_assert(core::attachment_bytes_max < places_per_attachment);

[[noreturn]] void damaged() {
  throw sqlite::SqliteError(Errc::storage_corrupt, "the bytes of an attachment are not what this store wrote");
}

std::int64_t place_of(const AttachmentRow& attachment, std::uint32_t offset) {
  return attachment.row * places_per_attachment + offset;
}

std::string sealed_place(const AttachmentRow& attachment, std::uint32_t offset) {
  return std::string(attachment.name.view()) + row_of(offset);
}

AttachmentName random_name() {
  AttachmentName name;
  randombytes_buf(name.bytes.data(), name.bytes.size());
  return name;
}

std::int64_t number_of(AttachmentState state) { return static_cast<std::int64_t>(state); }

}  // namespace

std::string Attachments::tag_of(const core::AttachmentId& id) const {
  return vault_.tag_of("attachment " + std::string(id.view()));
}

std::string Attachments::seal_about(const AttachmentRow& attachment) const {
  std::string about(attachment.name.view());
  pack_number(about, static_cast<std::uint64_t>(attachment.kind));
  about += attachment.file.id.view();
  pack_number(about, attachment.file.size);
  about += attachment.record.view();
  about += attachment.scope.view();
  pack_number(about, attachment.bytes_here);
  pack_number(about, attachment.named_here ? 1 : 0);
  return vault_.seal({seal::Place::attachment, row_of(static_cast<std::uint64_t>(attachment.row))}, about);
}

AttachmentRow Attachments::read_row(const sqlite::Statement& select) {
  AttachmentRow attachment;
  attachment.row = select.integer(0);
  attachment.state = static_cast<AttachmentState>(select.integer(1));
  const std::string about =
      vault_.read({seal::Place::attachment, row_of(static_cast<std::uint64_t>(attachment.row))}, select.blob(2));
  Unpacker fields(about);
  attachment.name = AttachmentName::from_bytes(fields.bytes(AttachmentName::size)).value_or(AttachmentName{});
  attachment.kind = static_cast<TransferKind>(fields.number());
  attachment.file.id =
      core::AttachmentId::from_bytes(fields.bytes(attachment.file.id.sha256.size())).value_or(core::AttachmentId{});
  attachment.file.size = static_cast<std::uint32_t>(fields.number());
  attachment.record = core::RecordId::from_bytes(fields.bytes(core::RecordId::size)).value_or(core::RecordId{});
  attachment.scope = core::ScopeId::from_bytes(fields.bytes(core::ScopeId::size)).value_or(core::ScopeId{});
  attachment.bytes_here = static_cast<std::uint32_t>(fields.number());
  attachment.named_here = fields.number() != 0;
  if (!fields.done()) throw sqlite::SqliteError(Errc::storage_corrupt, "an attachment could not be read");
  return attachment;
}

void Attachments::insert(AttachmentRow& attachment, std::string_view tag) {
  attachment.name = random_name();
  auto insert = connection_.prepare("INSERT INTO attachment(tag, state, about) VALUES(?1, ?2, x'') RETURNING row");
  insert.bind_blob(1, tag).bind(2, number_of(attachment.state));
  insert.step();
  attachment.row = insert.integer(0);
  insert.run();
  update(attachment);
}

void Attachments::update(const AttachmentRow& attachment) {
  auto update = connection_.prepare("UPDATE attachment SET state = ?2, about = ?3 WHERE row = ?1");
  update.bind(1, attachment.row).bind(2, number_of(attachment.state)).bind_copy(3, seal_about(attachment)).run();
}

AttachmentRow Attachments::add(TransferKind kind) {
  AttachmentRow attachment;
  attachment.kind = kind;
  insert(attachment, random_name().view());
  return attachment;
}

void Attachments::append(AttachmentRow& attachment, std::string_view bytes) {
  FIELDSYNC_CHECK(bytes.size() <= core::attachment_bytes_max - attachment.bytes_here, "an attachment has a bound");
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, piece_bytes_max);
    auto insert = connection_.prepare("INSERT INTO attachment_piece(place, content) VALUES(?1, ?2)");
    insert.bind(1, place_of(attachment, attachment.bytes_here));
    insert.bind_copy(2, vault_.seal_piece(sealed_place(attachment, attachment.bytes_here), piece)).run();
    attachment.bytes_here += static_cast<std::uint32_t>(piece.size());
    bytes.remove_prefix(piece.size());
  }
  update(attachment);
}

AttachmentRow Attachments::finish(AttachmentRow attachment, const core::AttachmentFile& file) {
  auto known = find(file.id);
  if (known && known->state != AttachmentState::wanted) {
    remove(attachment);
    return *known;
  }
  attachment.file = file;
  attachment.state = AttachmentState::added;
  if (known) {
    attachment.record = known->record;
    attachment.scope = known->scope;
    attachment.named_here = known->named_here;
    attachment.state = AttachmentState::waiting;
    remove(*known);
  }
  auto retag = connection_.prepare("UPDATE attachment SET tag = ?2 WHERE row = ?1");
  retag.bind(1, attachment.row).bind_copy(2, tag_of(file.id)).run();
  update(attachment);
  return attachment;
}

void Attachments::remove(const AttachmentRow& attachment) {
  auto pieces = connection_.prepare("DELETE FROM attachment_piece WHERE place >= ?1 AND place < ?2");
  pieces.bind(1, place_of(attachment, 0)).bind(2, place_of(attachment, 0) + places_per_attachment).run();
  auto row = connection_.prepare("DELETE FROM attachment WHERE row = ?1");
  row.bind(1, attachment.row).run();
}

void Attachments::drop_unfinished() {
  for (const AttachmentRow& attachment : in_state(AttachmentState::adding)) remove(attachment);
}

std::optional<AttachmentRow> Attachments::find(const core::AttachmentId& id) {
  auto select = connection_.prepare(SELECT_ATTACHMENT " WHERE tag = ?1");
  select.bind_copy(1, tag_of(id));
  if (!select.step()) return std::nullopt;
  return read_row(select);
}

std::optional<AttachmentRow> Attachments::read_again(const AttachmentRow& attachment) {
  auto select = connection_.prepare(SELECT_ATTACHMENT " WHERE row = ?1");
  select.bind(1, attachment.row);
  if (!select.step()) return std::nullopt;
  AttachmentRow now = read_row(select);
  // The number may be another's by now.
  return now.name == attachment.name ? std::optional(now) : std::nullopt;
}

void Attachments::name_in(const core::AttachmentId& id, const core::RecordId& record, const core::ScopeId& scope) {
  auto attachment = find(id);
  if (!attachment) return;
  // Held for another record, perhaps of another scope: for this one the office is to be asked.
  if (attachment->state != AttachmentState::wanted) attachment->state = AttachmentState::waiting;
  attachment->named_here = true;
  attachment->record = record;
  attachment->scope = scope;
  update(*attachment);
}

void Attachments::want(const core::AttachmentFile& file, TransferKind kind, const core::RecordId& record,
                       const core::ScopeId& scope) {
  if (find(file.id)) return;
  AttachmentRow attachment;
  attachment.state = AttachmentState::wanted;
  attachment.kind = kind;
  attachment.file = file;
  attachment.record = record;
  attachment.scope = scope;
  insert(attachment, tag_of(file.id));
}

void Attachments::set_held(AttachmentRow& attachment) {
  if (attachment.record.is_none()) {
    remove(attachment);
    return;
  }
  attachment.state = AttachmentState::held;
  update(attachment);
}

void Attachments::set_fetched(AttachmentRow& attachment) {
  FIELDSYNC_CHECK(attachment.bytes_here == attachment.file.size, "all of it is here");
  attachment.state = attachment.named_here ? AttachmentState::waiting : AttachmentState::held;
  update(attachment);
}

void Attachments::fetch_anew(AttachmentRow& attachment) {
  remove(attachment);
  attachment.bytes_here = 0;
  insert(attachment, tag_of(attachment.file.id));
}

void Attachments::offer_anew() {
  for (AttachmentRow& attachment : in_state(AttachmentState::held)) {
    attachment.state = AttachmentState::waiting;
    update(attachment);
  }
}

std::vector<AttachmentRow> Attachments::in_state(AttachmentState state) {
  std::vector<AttachmentRow> rows;
  {
    auto select = connection_.prepare(SELECT_ATTACHMENT " WHERE state = ?1 ORDER BY row");
    select.bind(1, number_of(state));
    while (select.step()) rows.push_back(read_row(select));
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& left, const auto& right) { return left.kind < right.kind; });
  return rows;
}

std::vector<AttachmentRow> Attachments::all() {
  std::vector<AttachmentRow> rows;
  auto select = connection_.prepare(SELECT_ATTACHMENT " ORDER BY row");
  while (select.step()) rows.push_back(read_row(select));
  return rows;
}

bool Attachments::waits_for_scope(const core::ScopeId& scope) {
  const auto waiting = in_state(AttachmentState::waiting);
  // What was fetched is offered again where the office may have lost it; who left owes nothing of that.
  return std::any_of(waiting.begin(), waiting.end(),
                     [&](const AttachmentRow& row) { return row.named_here && row.scope == scope; });
}

void Attachments::remove_of_scope(const core::ScopeId& scope) {
  for (const AttachmentRow& attachment : all()) {
    if (attachment.scope == scope) remove(attachment);
  }
}

void Attachments::remove_fetched_of_scope(const core::ScopeId& scope) {
  for (const AttachmentRow& attachment : all()) {
    if (attachment.scope == scope && !attachment.named_here) remove(attachment);
  }
}

void Attachments::leave_records(const std::set<core::RecordId>& records) {
  for (AttachmentRow& attachment : all()) {
    if (!records.contains(attachment.record)) continue;
    if (attachment.state == AttachmentState::waiting && attachment.named_here) {
      attachment.record = {};
      update(attachment);
    } else {
      remove(attachment);
    }
  }
}

std::string Attachments::read(const AttachmentRow& attachment, std::uint32_t offset, std::size_t most) {
  std::string bytes;
  if (offset >= attachment.bytes_here) return bytes;
  // The piece in which the offset stands may begin before it.
  auto select = connection_.prepare(
      "SELECT place, content FROM attachment_piece WHERE place < ?3 AND place >= (SELECT coalesce(max(place), ?1) FROM "
      "attachment_piece WHERE place BETWEEN ?1 AND ?2) ORDER BY place");
  const std::int64_t first = place_of(attachment, 0);
  select.bind(1, first).bind(2, first + offset).bind(3, first + attachment.bytes_here);
  std::uint32_t at = offset;
  while (bytes.size() < most && at < attachment.bytes_here) {
    if (!select.step()) damaged();
    const std::int64_t begins = select.integer(0) - first;
    if (begins < 0 || begins > at || (at != offset && begins != at)) damaged();
    const auto piece = vault_.read_piece(sealed_place(attachment, static_cast<std::uint32_t>(begins)), select.blob(1));
    const std::size_t skipped = at - static_cast<std::uint32_t>(begins);
    if (!piece || piece->size() <= skipped) damaged();
    const std::string_view fresh = std::string_view(*piece).substr(skipped, most - bytes.size());
    bytes += fresh;
    at += static_cast<std::uint32_t>(fresh.size());
  }
  return bytes;
}

}  // namespace fieldsync::storage

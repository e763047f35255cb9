#include "service/page_builder.h"

#include <algorithm>

#include "codec/record_codec.h"
#include "service/rights.h"

namespace fieldsync::server {
namespace {

// Only this batch changed it since the device last read: the device can tell for itself.
bool is_own(const VisibleRecord& visible, std::uint64_t cursor, const ScopeUpload* upload) {
  const RecordRow& row = visible.row;
  if (upload == nullptr || visible.seq() != row.last_seq || row.last_seq < upload->first_seq ||
      row.last_seq > upload->last_seq)
    return false;
  // Who came to it since has not got it.
  if (visible.since > cursor && visible.since < upload->first_seq) return false;
  const auto before = upload->changed.find(row.id);
  return before != upload->changed.end() && before->second <= cursor;
}

}  // namespace

Result<void> PageBuilder::build(const v1::SyncRequest& request, const UploadOutcome* upload, BodyStyle style,
                                bool with_directory, v1::SyncReply& reply) {
  const std::uint32_t asked =
      request.reply_budget_bytes() == 0 ? reply_budget_bytes_default : request.reply_budget_bytes();
  budget_ = std::min(asked, reply_budget_bytes_max);
  const auto memberships = transaction_.memberships(device_.person.id);
  bool more = false;
  for (const MembershipRow& membership : memberships) {
    const ScopeUpload* own = nullptr;
    if (upload != nullptr && upload->scopes.contains(membership.scope.key))
      own = &upload->scopes.at(membership.scope.key);
    const ReadersView view = view_of(membership, device_.person.id);
    auto start = start_of(membership, view, request, own);
    if (!start) return start.error();
    v1::ScopeChanges& out = *reply.add_scopes();
    out.set_scope(membership.scope.id.view().data(), core::ScopeId::size);
    if (with_directory || !start->known || start->restart) {
      out.set_name(membership.scope.name);
      out.set_role(static_cast<v1::Role>(membership.role));
      out.set_reading_mode(view.own_of ? v1::READING_MODE_OWN : v1::READING_MODE_SCOPE);
    }
    if (auto filled = fill(membership.scope, view, *start, own, style, out, more); !filled) return filled;
    add_records_gone(view, *start, out);
    // A scope without news is left out.
    const bool news = out.role() != v1::ROLE_UNSPECIFIED || !out.cursor().empty() || out.changes_size() > 0 ||
                      out.own_first_seq() != 0 || out.records_gone_size() > 0;
    if (!news) reply.mutable_scopes()->RemoveLast();
  }
  reply.set_more(more);
  return add_scopes_gone(request, memberships, reply);
}

Result<PageBuilder::Start> PageBuilder::start_of(const MembershipRow& membership, const ReadersView& view,
                                                 const v1::SyncRequest& request, const ScopeUpload* upload) {
  for (const v1::ScopePosition& position : request.positions()) {
    auto cursor = open_cursor(position.cursor(), device_.id, key_);
    if (!cursor) return cursor.error();
    if (cursor->scope != membership.scope.key) continue;
    // Ahead of the head of one epoch: what is read here is older than what the device
    // was given, for a head that is behind has begun a new epoch by now.
    const bool rewound = cursor->epoch != membership.scope.epoch;
    const bool reads_otherwise = cursor->is_of_own != view.own_of.has_value();
    if (rewound || reads_otherwise || has_diverged(membership.scope, view, *cursor, position.digest(), upload))
      return Start{0, 0, true, true};
    return Start{cursor->seq, cursor->complete, true, false};
  }
  return Start{};
}

bool PageBuilder::has_diverged(const ScopeRow& scope, const ReadersView& view, const Cursor& cursor,
                               std::uint64_t digest, const ScopeUpload* upload) {
  if (!view.own_of) {
    const std::uint64_t head = upload != nullptr ? upload->head_before : scope.head;
    return cursor.seq == head && digest != (upload != nullptr ? upload->digest_before : scope.digest);
  }
  // What a view's digest was before the batch is not known: the next request looks.
  return upload == nullptr && cursor.seq == scope.head && digest != transaction_.digest_of(view);
}

Result<void> PageBuilder::fill(const ScopeRow& scope, const ReadersView& view, const Start& start,
                               const ScopeUpload* upload, BodyStyle style, v1::ScopeChanges& out, bool& more) {
  const bool own_only = upload != nullptr && upload->first_seq != 0 && start.known && !start.restart &&
                        start.seq == upload->head_before && scope.head == upload->last_seq;
  std::uint64_t reached = start.seq;
  bool cut = false;
  Result<void> added;
  const auto read = [&](const ScopeUpload* own) {
    cut = false;
    reached = start.seq;
    transaction_.changes_after(view, start.seq, [&](const VisibleRecord& visible) {
      const RecordRow& row = visible.row;
      if (!is_own(visible, start.seq, own)) {
        const std::size_t size = row.head.size() + row.body_frame.size() + 16;
        // At least one record travels in each reply, however large.
        if (size > budget_ && (budget_ == 0 || out.changes_size() > 0)) {
          cut = true;
          return false;
        }
        budget_ -= std::min(budget_, size);
        added = add_change(visible, start.complete, style, out);
        if (!added) return false;
        note_read(row, scope);
      }
      reached = visible.seq();
      return true;
    });
  };
  const bool suppress = upload != nullptr && upload->first_seq != 0 && start.known && !start.restart;
  if (!own_only) {
    const std::size_t budget = budget_;
    read(suppress ? upload : nullptr);
    if (cut && suppress && added) {
      // Not all that came before the batch fits: then the batch's own effect
      // comes with what follows, in order.
      out.clear_changes();
      std::erase_if(sensitive_reads_, [&](const auto& noted) { return noted.scope() == scope.id.view(); });
      budget_ = budget;
      read(nullptr);
    }
  }
  if (!added) return added;
  if (suppress && !cut) out.set_own_first_seq(upload->first_seq);
  if (start.restart) out.set_restart(true);
  if (!cut) reached = std::max(reached, scope.head);
  more = more || cut;
  if (reached != start.seq || !start.known || start.restart) {
    const Cursor cursor{scope.key, scope.epoch, reached, cut ? start.complete : reached, view.own_of.has_value()};
    out.set_cursor(seal_cursor(cursor, device_.id, key_));
  }
  return {};
}

void PageBuilder::add_records_gone(const ReadersView& view, const Start& start, v1::ScopeChanges& out) {
  if (!view.own_of) return;
  for (const core::RecordId& record : transaction_.left_after(view, start.seq))
    out.add_records_gone(record.view().data(), core::RecordId::size);
}

void PageBuilder::note_read(const RecordRow& row, const ScopeRow& scope) {
  if (!is_sensitive(forms_, row.form)) return;
  if (sensitive_reads_.empty() || sensitive_reads_.back().scope() != scope.id.view())
    sensitive_reads_.emplace_back().set_scope(scope.id.view().data(), core::ScopeId::size);
  v1::ScopeRead& read = sensitive_reads_.back();
  read.add_records(row.id.view().data(), core::RecordId::size);
  read.set_up_to_seq(row.last_seq);
}

Result<void> PageBuilder::add_change(const VisibleRecord& visible, std::uint64_t complete, BodyStyle style,
                                     v1::ScopeChanges& out) {
  const RecordRow& row = visible.row;
  v1::RecordChange& change = *out.add_changes();
  change.set_head(row.head);
  const bool whole = std::max(row.first_seq, visible.since) > complete;
  if (whole && style == BodyStyle::frame) {
    change.set_body_frame(row.body_frame);
    return {};
  }
  auto body = reader_.decompress(row.body_frame, codec::record_body_bytes_max);
  if (!body) return Error{Errc::storage_corrupt, body.error().message()};
  if (style == BodyStyle::expanded) {
    change.mutable_expanded()->ParseFromString(*body);
    change.mutable_expanded_head()->ParseFromString(row.head);
    return {};
  }
  if (whole) {
    change.set_body(*body);
    return {};
  }
  auto state = codec::decode_record(row.head, *body);
  if (!state) return Error{Errc::storage_corrupt, state.error().message()};
  change.mutable_changed()->ParseFromString(codec::encode_changed_fields(*state, complete));
  return {};
}

Result<void> PageBuilder::add_scopes_gone(const v1::SyncRequest& request, const std::vector<MembershipRow>& memberships,
                                          v1::SyncReply& reply) {
  for (const v1::ScopePosition& position : request.positions()) {
    auto cursor = open_cursor(position.cursor(), device_.id, key_);
    if (!cursor) return cursor.error();
    const bool member = std::any_of(memberships.begin(), memberships.end(),
                                    [&](const MembershipRow& row) { return row.scope.key == cursor->scope; });
    if (member) continue;
    if (const auto scope = transaction_.scope_by_key(cursor->scope))
      reply.add_scopes_gone(scope->id.view().data(), core::ScopeId::size);
  }
  return {};
}

}  // namespace fieldsync::server

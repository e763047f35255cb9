#include "service/page_builder.h"

#include <algorithm>

#include "codec/record_codec.h"

namespace fieldsync::server {
namespace {

// Only this batch changed it since the device last read: the device can tell for itself.
bool is_own(const RecordRow& row, std::uint64_t cursor, const ScopeUpload* upload) {
  if (upload == nullptr || row.last_seq < upload->first_seq || row.last_seq > upload->last_seq) return false;
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
    auto start = start_of(membership, request, own);
    if (!start) return start.error();
    v1::ScopeChanges& out = *reply.add_scopes();
    out.set_scope(membership.scope.id.view().data(), core::ScopeId::size);
    if (with_directory || !start->known) {
      out.set_name(membership.scope.name);
      out.set_role(static_cast<v1::Role>(membership.role));
      out.set_reading_mode(static_cast<v1::ReadingMode>(membership.mode));
    }
    if (auto filled = fill(membership, *start, own, style, out, more); !filled) return filled;
    // A scope without news is left out.
    const bool news = out.role() != v1::ROLE_UNSPECIFIED || !out.cursor().empty() || out.changes_size() > 0 ||
                      out.own_first_seq() != 0;
    if (!news) reply.mutable_scopes()->RemoveLast();
  }
  reply.set_more(more);
  return add_scopes_gone(request, memberships, reply);
}

Result<PageBuilder::Start> PageBuilder::start_of(const MembershipRow& membership, const v1::SyncRequest& request,
                                                 const ScopeUpload* upload) const {
  for (const v1::ScopePosition& position : request.positions()) {
    auto cursor = open_cursor(position.cursor(), device_.id, key_);
    if (!cursor) return cursor.error();
    if (cursor->scope != membership.scope.key) continue;
    const std::uint64_t head = upload != nullptr ? upload->head_before : membership.scope.head;
    const std::uint64_t digest = upload != nullptr ? upload->digest_before : membership.scope.digest;
    // Ahead of the head of one epoch: what is read here is older than what the device
    // was given, for a head that is behind has begun a new epoch by now.
    const bool rewound = cursor->epoch != membership.scope.epoch;
    const bool diverged = cursor->seq == head && position.digest() != digest;
    if (rewound || diverged) return Start{0, 0, true, true};
    return Start{cursor->seq, cursor->complete, true, false};
  }
  return Start{};
}

Result<void> PageBuilder::fill(const MembershipRow& membership, const Start& start, const ScopeUpload* upload,
                               BodyStyle style, v1::ScopeChanges& out, bool& more) {
  const ScopeRow& scope = membership.scope;
  const bool own_only = upload != nullptr && upload->first_seq != 0 && start.known && !start.restart &&
                        start.seq == upload->head_before && scope.head == upload->last_seq;
  std::uint64_t reached = start.seq;
  bool cut = false;
  Result<void> added;
  const auto read = [&](const ScopeUpload* own) {
    cut = false;
    reached = start.seq;
    transaction_.changes_after(scope.key, start.seq, [&](const RecordRow& row) {
      if (!is_own(row, start.seq, own)) {
        const std::size_t size = row.head.size() + row.body_frame.size() + 16;
        // At least one record travels in each reply, however large.
        if (size > budget_ && (budget_ == 0 || out.changes_size() > 0)) {
          cut = true;
          return false;
        }
        budget_ -= std::min(budget_, size);
        added = add_change(row, start.complete, style, out);
        if (!added) return false;
        note_read(row, scope);
      }
      reached = row.last_seq;
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
    out.set_cursor(seal_cursor({scope.key, scope.epoch, reached, cut ? start.complete : reached}, device_.id, key_));
  }
  return {};
}

void PageBuilder::note_read(const RecordRow& row, const ScopeRow& scope) {
  const auto form = forms_.find(row.form);
  // Nobody knows what a record of an unknown form holds.
  if (form != forms_.end() && !form->second.is_sensitive()) return;
  if (sensitive_reads_.empty() || sensitive_reads_.back().scope() != scope.id.view())
    sensitive_reads_.emplace_back().set_scope(scope.id.view().data(), core::ScopeId::size);
  v1::ScopeRead& read = sensitive_reads_.back();
  read.add_records(row.id.view().data(), core::RecordId::size);
  read.set_up_to_seq(row.last_seq);
}

Result<void> PageBuilder::add_change(const RecordRow& row, std::uint64_t complete, BodyStyle style,
                                     v1::ScopeChanges& out) {
  v1::RecordChange& change = *out.add_changes();
  change.set_head(row.head);
  const bool whole = row.first_seq > complete;
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

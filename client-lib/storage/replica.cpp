#include "storage/replica.h"

#include <algorithm>

#include "codec/digest.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "storage/stamper.h"

namespace fieldsync::storage {
namespace {

Error unreadable(const std::string& what) {
  return {Errc::incompatible_server, "The server's answer could not be read: " + what};
}

}  // namespace

Result<Taken> Replica::take(const v1::SyncReply& reply) {
  Taken taken;
  const auto acknowledged = outbox_.position_at(reply.acknowledged_counter(), reply.last_batch_hash_prefix());
  if (!acknowledged) return unreadable("it acknowledges what was never saved.");
  if (auto done = take_directory(reply); !done) return done.error();
  if (auto done = take_refusals(reply, reply.acknowledged_counter(), taken); !done) return done.error();
  // What is to be read anew is asked for once more.
  const bool asks_again = taken.begins_anew;
  for (int i = 0; !asks_again && i < reply.scopes_size(); ++i) {
    const ConfirmedByRecord own = confirmed_in(reply.scopes(i), reply);
    if (auto done = take_scope(reply.scopes(i), own, reply, taken); !done) return done.error();
  }
  // A device that is revoked is told nothing.
  if (!reply.more() && !taken.begins_anew && !reply.revoked()) {
    if (auto dropped = drop_stale(); !dropped) return dropped.error();
  }
  take_scopes_gone(reply);
  const std::uint64_t before = identity_.acknowledged_counter();
  if (reply.acknowledged_counter() > before) {
    taken.operations_acknowledged = reply.acknowledged_counter() - before;
    if (reply.has_stamps()) outbox_.note_stamps(reply.stamps(), reply.acknowledged_counter());
    // The replica may have them from an earlier reply, which did not acknowledge them yet.
    if (auto done = forget_held(before + 1, reply.acknowledged_counter()); !done) return done.error();
  }
  if (reply.attachments_lost()) {
    attachments_.offer_anew();
    identity_.set_attachments_version(0);
  }
  if (reply.acknowledged_counter() < before) {
    attachments_.offer_anew();
    if (auto refilled = refill_after(reply.acknowledged_counter()); !refilled) return refilled.error();
  }
  if (reply.acknowledged_counter() != before) taken.moved = true;
  if (*acknowledged != identity_.acknowledged()) identity_.set_acknowledged(*acknowledged);
  const std::uint64_t durable = std::min(reply.durable_counter(), identity_.acknowledged_counter());
  if (durable != identity_.durable_counter()) identity_.set_durable_counter(durable);
  return taken;
}

Result<void> Replica::take_refusals(const v1::SyncReply& reply, std::uint64_t last, Taken& taken) {
  std::set<std::uint64_t> told;
  for (const v1::OperationResult& result : reply.results()) {
    if (result.outcome() != v1::OPERATION_OUTCOME_QUARANTINED || result.counter() > last) continue;
    told.insert(result.counter());
    const auto record = outbox_.refuse(result.counter(), result.code(), result.message());
    if (!record) continue;
    ++taken.operations_refused;
    if (auto rebuilt = rebuild_shown(*record); !rebuilt) return rebuilt.error();
  }
  if (!reply.results_complete()) return {};
  for (const StoredOperation& known : outbox_.refused_operations()) {
    if (known.counter > last || told.contains(known.counter)) continue;
    if (auto applied = take_as_applied(known, taken); !applied) return applied.error();
  }
  return {};
}

Result<void> Replica::take_as_applied(const StoredOperation& refused, Taken& taken) {
  std::size_t elements = 0;
  const core::OperationId id{identity_.device(), refused.counter};
  const auto operation = codec::decode_operation(refused.bytes, id, identity_.person(), elements);
  if (!operation) return operation.error();
  const auto scope = directory_.scope(operation->scope);
  const bool comes_back = scope.has_value();
  // Of a record that the person does not read, nothing comes but that it is gone, and that was perhaps said already.
  const bool may_not_come = comes_back && scope->reads_own_only && records_.replica(refused.record).id.is_none();
  if (comes_back && !may_not_come && !records_.replica(refused.record).seen.covers(id)) {
    if (auto reopened = outbox_.reopen(refused.counter, refused.bytes); !reopened) return reopened.error();
    return rebuild_shown(refused.record);
  }
  outbox_.forget_refusal(refused.counter);
  // The replica has a later save of the same record, and not this one: all is read anew.
  if (comes_back) {
    read_anew(operation->scope);
    taken.begins_anew = taken.moved = true;
  }
  return {};
}

Result<void> Replica::take_directory(const v1::SyncReply& reply) {
  if (auto done = directory_.put_forms(reply); !done) return done;
  if (reply.forms_version() > 0) identity_.set_forms_version(reply.forms_version());
  directory_.put_people(reply.people());
  if (reply.directory_version() > 0) identity_.set_directory_version(reply.directory_version());
  if (reply.has_person()) {
    if (const auto person = core::PersonId::from_bytes(reply.person().id()))
      identity_.set_person(*person, reply.person().name());
  }
  for (const v1::ScopeChanges& changes : reply.scopes()) directory_.put_scope(changes);
  return {};
}

// Which of the device's operations the server applied to this scope just now,
// numbered one by one from own_first_seq.
Replica::ConfirmedByRecord Replica::confirmed_in(const v1::ScopeChanges& changes, const v1::SyncReply& reply) {
  ConfirmedByRecord own;
  if (changes.own_first_seq() == 0 || !reply.has_stamps()) return own;
  std::uint64_t seq = changes.own_first_seq();
  for (const WaitingOperation& operation :
       outbox_.between(reply.stamps().first_counter(), reply.acknowledged_counter())) {
    if (operation.scope.view() == changes.scope()) own[operation.record].push_back({operation.counter, seq++});
  }
  return own;
}

std::vector<std::uint64_t> Replica::counters_of(const ConfirmedByRecord& own) {
  std::vector<std::uint64_t> counters;
  for (const auto& [record, operations] : own) {
    for (const Confirmed& confirmed : operations) counters.push_back(confirmed.counter);
  }
  return counters;
}

Result<void> Replica::take_scope(const v1::ScopeChanges& changes, const ConfirmedByRecord& own,
                                 const v1::SyncReply& reply, Taken& taken) {
  const std::uint64_t acknowledged = reply.acknowledged_counter();
  const auto scope = core::ScopeId::from_bytes(changes.scope());
  if (!scope) return unreadable("a scope's id is not 16 bytes.");
  const auto row = directory_.scope(*scope);
  if (!row) return unreadable("it speaks of a scope without its name.");
  std::uint64_t digest = row->digest;
  std::string cursor = row->cursor;
  if (changes.restart()) {
    records_.mark_stale(*scope);
    digest = 0;
    cursor.clear();
    attachments_.offer_anew();
    // Less may be read than before; what may be is fetched again.
    if (changes.reading_mode() == v1::READING_MODE_OWN) attachments_.remove_fetched_of_scope(*scope);
  }
  std::set<core::RecordId> told;
  for (const v1::RecordChange& change : changes.changes()) {
    auto changed = take_change(change, *scope, acknowledged);
    if (!changed) return changed.error();
    if (!*changed) {
      // The server was restored and has grown past this device's position. Asked
      // without one, it sends whole records, which always fit.
      if (row->cursor.empty()) return unreadable("it changes a record that it never sent.");
      read_anew(*scope);
      taken.begins_anew = taken.moved = true;
      return {};
    }
    digest += (*changed)->digest_growth;
    told.insert((*changed)->record);
    ++taken.records_received;
  }
  for (const auto& [record, operations] : own) {
    if (told.contains(record)) continue;
    auto grown = confirm(record, operations, reply.stamps());
    if (!grown) return grown.error();
    digest += *grown;
  }
  outbox_.remove(counters_of(own));
  auto grown = take_records_gone(changes, *scope, acknowledged);
  if (!grown) return grown.error();
  digest += *grown;
  if (!changes.cursor().empty()) cursor = changes.cursor();
  directory_.set_position(*scope, cursor, digest);
  if (cursor != row->cursor || digest != row->digest) taken.moved = true;
  return {};
}

Result<std::uint64_t> Replica::take_records_gone(const v1::ScopeChanges& changes, const core::ScopeId& scope,
                                                 std::uint64_t acknowledged) {
  std::uint64_t grown = 0;
  std::set<core::RecordId> gone;
  for (const std::string& bytes : changes.records_gone()) {
    const auto record = core::RecordId::from_bytes(bytes);
    if (!record) return unreadable("a record's id is not 16 bytes.");
    const core::RecordState known = records_.replica(*record);
    if (!known.id.is_none() && known.scope != scope) return unreadable("a record that goes belongs to another scope.");
    outbox_.remove_of_record(*record, acknowledged);
    grown += records_.drop_replica(*record);
    gone.insert(*record);
    if (auto rebuilt = rebuild_shown(*record); !rebuilt) return rebuilt.error();
  }
  if (gone.empty()) return grown;
  // A refused save may be amended, and its photos then belong to another record.
  for (const StoredOperation& refused : outbox_.refused_operations()) gone.erase(refused.record);
  attachments_.leave_records(gone);
  return grown;
}

Result<void> Replica::drop_stale() {
  for (const core::RecordId& record : records_.drop_stale()) {
    if (auto rebuilt = rebuild_shown(record); !rebuilt) return rebuilt;
  }
  return {};
}

bool Replica::read_all_anew() {
  bool any = false;
  for (const ScopeRow& scope : directory_.scopes()) {
    if (scope.cursor.empty()) continue;
    any = true;
    read_anew(scope.id);
  }
  return any;
}

void Replica::read_anew(const core::ScopeId& scope) {
  records_.mark_stale(scope);
  attachments_.offer_anew();
  directory_.set_position(scope, {}, 0);
}

Result<std::optional<Replica::Changed>> Replica::take_change(const v1::RecordChange& change, const core::ScopeId& scope,
                                                             std::uint64_t acknowledged) {
  const bool framed = change.content_case() == v1::RecordChange::kBodyFrame;
  const bool whole = framed || change.content_case() == v1::RecordChange::kBody;
  if (!whole && !change.has_changed()) return unreadable("a record comes without its body.");
  auto opened = framed ? records_.body_of(change.body_frame()) : Result<std::string>(change.body());
  if (!opened) return unreadable(opened.error().message());
  // What was stored unread would fail on the screen, and every query with it.
  auto head = whole ? codec::decode_record(change.head(), *opened) : codec::decode_head(change.head());
  if (!head) return unreadable(head.error().message());
  if (head->scope != scope) return unreadable("a record belongs to another scope.");
  Changed changed{head->id, 0};
  if (whole) {
    const std::string frame = framed ? change.body_frame() : records_.frame_of(*opened);
    changed.digest_growth = records_.put_replica_frame(*head, change.head(), frame, codec::hash_bytes(*opened));
    want_previews(*head);
  } else {
    const core::RecordState known = records_.replica(head->id);
    if (known.id.is_none()) return std::optional<Changed>();
    auto merged = codec::apply_changed_fields(known, change.head(), change.changed().SerializeAsString());
    if (!merged) return std::optional<Changed>();
    changed.digest_growth = records_.put_replica(*merged);
    want_previews(*merged);
  }
  for (const core::StampedOperation& stamped : head->stamps) {
    if (stamped.id.device == identity_.device())
      outbox_.note_effective_time(stamped.id.counter, stamped.stamp.effective);
  }
  // A greater counter would be another copy's save, which only looks like what waits here.
  outbox_.remove_of_record(head->id, std::min(head->seen.counter_of(identity_.device()), acknowledged));
  if (auto rebuilt = rebuild_shown(head->id); !rebuilt) return rebuilt.error();
  return std::optional(changed);
}

void Replica::want_previews(const core::RecordState& record) {
  for (const core::FieldState& field : record.fields) {
    for (const core::Sibling& sibling : field.siblings) {
      const auto* attachment = std::get_if<core::Attachment>(&sibling.value);
      if (attachment != nullptr && attachment->preview)
        attachments_.want(*attachment->preview, TransferKind::preview, record.id, record.scope);
    }
  }
}

Result<std::uint64_t> Replica::confirm(const core::RecordId& record, const std::vector<Confirmed>& own,
                                       const v1::BatchStamps& stamps) {
  const Stamper stamper(stamps);
  const core::DeviceId device = identity_.device();
  auto shown = records_.shown_head(record);
  const bool all_confirmed = shown && shown->head.seen.counter_of(device) == own.back().counter;
  if (all_confirmed && shown->head.awaited.empty()) {
    // The usual case: the body is what it was, only the clocks are now known.
    for (core::StampedOperation& stamped : shown->head.stamps) {
      const auto confirmed = std::find_if(own.begin(), own.end(), [&](const Confirmed& entry) {
        return stamped.id == core::OperationId{device, entry.counter};
      });
      if (confirmed != own.end()) stamper.stamp(stamped.stamp, confirmed->counter, confirmed->seq);
    }
    return records_.confirm_shown(*shown);
  }
  core::RecordState state = records_.replica(record);
  for (const StoredOperation& stored : outbox_.of_record(record, 0)) {
    const auto confirmed =
        std::find_if(own.begin(), own.end(), [&](const Confirmed& entry) { return entry.counter == stored.counter; });
    if (confirmed == own.end()) continue;
    std::size_t elements = 0;
    auto operation = codec::decode_operation(stored.bytes, {device, stored.counter}, identity_.person(), elements);
    if (!operation) return operation.error();
    core::Stamp stamp = provisional(*operation);
    stamper.stamp(stamp, confirmed->counter, confirmed->seq);
    state.apply(std::move(*operation), stamp);
  }
  const std::uint64_t grown = records_.put_replica(state);
  outbox_.remove_of_record(record, own.back().counter);
  if (auto rebuilt = rebuild_shown(record); !rebuilt) return rebuilt.error();
  return grown;
}

Result<void> Replica::rebuild_shown(const core::RecordId& record) {
  const auto waiting = outbox_.of_record(record, 0);
  if (waiting.empty()) {
    records_.drop_shown(record);
    return {};
  }
  core::RecordState state = records_.replica(record);
  for (const StoredOperation& stored : waiting) {
    std::size_t elements = 0;
    auto operation =
        codec::decode_operation(stored.bytes, {identity_.device(), stored.counter}, identity_.person(), elements);
    if (!operation) return operation.error();
    const core::Stamp stamp = provisional(*operation);
    state.apply(std::move(*operation), stamp);
  }
  records_.put_shown(state);
  return {};
}

Result<void> Replica::forget_held(std::uint64_t first, std::uint64_t last) {
  std::map<core::RecordId, core::ScopeId> records;
  for (const WaitingOperation& operation : outbox_.between(first, last))
    records.emplace(operation.record, operation.scope);
  for (const auto& [record, scope] : records) {
    const std::uint64_t held = records_.replica(record).seen.counter_of(identity_.device());
    outbox_.remove_of_record(record, directory_.scope(scope) ? std::min(held, last) : last);
    if (auto rebuilt = rebuild_shown(record); !rebuilt) return rebuilt;
  }
  return {};
}

Result<void> Replica::refill_after(std::uint64_t counter) {
  auto records = outbox_.reopen_after(counter);
  if (!records) return records.error();
  // Once for each: a record may have been edited many times.
  for (const core::RecordId& record : std::set<core::RecordId>(records->begin(), records->end())) {
    if (auto rebuilt = rebuild_shown(record); !rebuilt) return rebuilt;
  }
  return {};
}

void Replica::take_scopes_gone(const v1::SyncReply& reply) {
  std::set<std::string> gone(reply.scopes_gone().begin(), reply.scopes_gone().end());
  // The directory names every scope of the person.
  const bool with_directory = reply.directory_version() > 0;
  for (const ScopeRow& known : directory_.scopes()) {
    if (with_directory || known.role == v1::ROLE_UNSPECIFIED) gone.emplace(known.id.view());
  }
  if (with_directory) {
    for (const v1::ScopeChanges& named : reply.scopes()) gone.erase(named.scope());
  }
  for (const std::string& id : gone) {
    const auto scope = core::ScopeId::from_bytes(id);
    if (!scope) continue;
    // What was acknowledged is at the office, even where the replica never got it.
    if (outbox_.waits_for_scope(*scope, reply.acknowledged_counter()) || attachments_.waits_for_scope(*scope)) {
      // The server says it only once to a device that names no position in the scope.
      directory_.leave_scope(*scope);
      continue;
    }
    outbox_.remove_of_scope(*scope);
    attachments_.remove_of_scope(*scope);
    records_.remove_scope(*scope);
    directory_.remove_scope(*scope);
  }
}

}  // namespace fieldsync::storage

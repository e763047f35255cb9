#include "service/sync_service.h"

#include <sodium.h>

#include <algorithm>
#include <map>

#include "codec/digest.h"
#include "core/effective_time.h"
#include "service/history_reply.h"
#include "service/known_batch.h"
#include "service/rights.h"

namespace fieldsync::server {
namespace {

// Two requests of one device at once: the slower one looks again.
constexpr int upload_attempts = 3;

codec::FrameReader& frame_reader() {
  thread_local codec::FrameReader reader;
  return reader;
}

codec::FrameWriter& frame_writer() {
  thread_local codec::FrameWriter writer;
  return writer;
}

FormerTimes former_times_of(const v1::SyncRequest& request) {
  FormerTimes times;
  for (const v1::EffectiveTime& former : request.former_times())
    times[former.counter()] = core::Instant{former.effective_time_ms()};
  return times;
}

void put_forms(const std::vector<FormRow>& rows, BodyStyle style, v1::SyncReply& reply) {
  v1::FormList list;
  for (const FormRow& row : rows) list.add_forms()->ParseFromString(row.bytes);
  if (style == BodyStyle::frame) {
    if (!rows.empty()) reply.set_forms_frame(frame_writer().compress(list.SerializeAsString()));
  } else {
    reply.mutable_forms()->Swap(list.mutable_forms());
  }
}

Result<std::vector<core::AttachmentFile>> offered_files(const v1::SyncRequest& request) {
  if (request.offers_size() > offers_max) return Error{Errc::too_many_elements, "A request may offer 100 attachments."};
  std::vector<core::AttachmentFile> files;
  for (const v1::AttachmentOffer& offer : request.offers()) {
    const auto id = core::AttachmentId::from_bytes(offer.sha256());
    if (!id) return Error{Errc::malformed_request, "An attachment is offered by its SHA-256, 32 bytes."};
    files.push_back({*id, offer.size()});
  }
  return files;
}

// With the directory; and with what somebody reads who sees only the names of those whom they share a record with,
// because nothing else says that there are new ones.
void put_people(ReadTransaction& transaction, const DeviceRow& device, bool with_directory, v1::SyncReply& reply) {
  const bool has_changes = std::any_of(reply.scopes().begin(), reply.scopes().end(),
                                       [](const v1::ScopeChanges& scope) { return scope.changes_size() > 0; });
  if (!with_directory && !has_changes) return;
  std::map<core::PersonId, std::string> people;
  for (const MembershipRow& membership : transaction.memberships(device.person.id)) {
    const ReadersView view = view_of(membership, device.person.id);
    if (!with_directory && !view.own_of) continue;
    for (const PersonRow& person : transaction.people_seen_in(view)) people.emplace(person.id, person.name);
  }
  for (const auto& [id, name] : people) {
    v1::Person& out = *reply.add_people();
    out.set_id(id.view().data(), core::PersonId::size);
    out.set_name(name);
  }
}

std::uint64_t refusals_digest(const std::vector<QuarantineRow>& refusals) {
  std::uint64_t digest = 0;
  for (const QuarantineRow& refused : refusals) digest += codec::hash_refusal(refused.counter, refused.code);
  return digest;
}

// Random: the database may be restored from the same copy more than once.
std::uint64_t new_epoch() {
  std::uint64_t epoch = 0;
  randombytes_buf(&epoch, sizeof epoch);
  return epoch >> 1;
}

}  // namespace

Result<v1::SyncReply> SyncService::sync(const core::DeviceId& device, const v1::SyncRequest& request, BodyStyle style,
                                        Access access) {
  auto reply = answer(device, request, style, access);
  if (!reply) return reply;
  const auto added = add_history(store_, log_, device, request, *reply);
  return added ? std::move(reply) : Result<v1::SyncReply>(added.error());
}

Result<v1::SyncReply> SyncService::answer(const core::DeviceId& device, const v1::SyncRequest& request, BodyStyle style,
                                          Access access) {
  if (request.protocol_version() != protocol_version) {
    return Error{Errc::unsupported_protocol_version, "This server speaks protocol version 1, the app version " +
                                                         std::to_string(request.protocol_version()) +
                                                         ". Update the older one."};
  }
  for (const v1::ScopePosition& position : request.positions()) {
    if (auto cursor = open_cursor(position.cursor(), device, cursor_key_); !cursor) return cursor.error();
  }
  const auto offered = offered_files(request);
  if (!offered) return offered.error();
  auto uploaded = upload(device, request, access);
  if (!uploaded) return uploaded.error();
  v1::SyncReply reply;
  reply.set_server_time_ms(clock_().ms);
  reply.set_minimum_protocol_version(protocol_version);
  reply.set_acknowledged_counter(uploaded->acknowledged);
  reply.set_durable_counter(uploaded->acknowledged);
  reply.set_expected_counter(uploaded->expected);
  if (uploaded->last_batch_hash != Sha256{}) {
    reply.set_last_batch_hash_prefix(uploaded->last_batch_hash.data(), codec::previous_hash_prefix_bytes);
  }
  reply.set_results_complete(uploaded->refusals_differ && !request.has_batch());
  reply.set_revoked(uploaded->revoked);
  for (const QuarantineRow& refused : uploaded->refusals)
    *reply.add_results() = quarantine_result(refused.counter, refused.code, refused.message);
  if (uploaded->outcome) {
    const UploadOutcome& outcome = *uploaded->outcome;
    for (const v1::OperationResult& refused : outcome.refused) *reply.add_results() = refused;
    v1::BatchStamps& stamps = *reply.mutable_stamps();
    stamps.set_received_time_ms(outcome.arrival.received.ms);
    stamps.set_clock_offset_ms(outcome.arrival.clock_offset.count);
    stamps.set_first_counter(uploaded->first_applied);
    for (const v1::EffectiveTime& exception : outcome.exceptions) *stamps.add_exceptions() = exception;
  }
  // The whole list waits for a request without a batch, and records wait for the list:
  // a save would be gone from the screen before its refusal is told.
  if (uploaded->refusals_differ && request.has_batch()) {
    reply.set_more(true);
    return reply;
  }
  if (!uploaded->revoked) {
    if (auto filled = download(device, request, *uploaded, style, reply); !filled) return filled.error();
  }
  const auto lost = has_lost_attachments(request, *uploaded);
  if (!lost) return lost.error();
  reply.set_attachments_lost(*lost);
  // After the batch, which may be what names them.
  auto statuses = attachments_.statuses(device, *offered, access);
  if (!statuses) return statuses.error();
  for (v1::AttachmentStatus& status : *statuses) reply.add_attachments()->Swap(&status);
  return reply;
}

Result<SyncService::Upload> SyncService::upload(const core::DeviceId& id, const v1::SyncRequest& request,
                                                Access access) {
  for (int attempt = 0; attempt < upload_attempts; ++attempt) {
    std::optional<DeviceRow> device;
    Upload upload;
    const std::uint64_t first = request.batch().first_counter();
    const auto looked = store_.read([&](ReadTransaction& transaction) -> Result<void> {
      auto row = enrolled_device(transaction, id, access);
      if (!row) return row.error();
      device = std::move(*row);
      upload.revoked = device->revoked.has_value();
      upload.attachments_known = transaction.knows_attachments_version(request.attachments_version());
      upload.acknowledged = device->last_counter;
      if (first > 0 && first <= device->last_counter) {
        auto equal = last_equal(transaction, *device, request.batch(), frame_reader());
        if (!equal) return equal.error();
        upload.acknowledged = *equal;
      }
      auto refusals = transaction.quarantined_up_to(device->key, upload.acknowledged);
      upload.refusals_differ = refusals_digest(refusals) != request.refusals_digest();
      if (upload.refusals_differ) upload.refusals = std::move(refusals);
      // Beside a batch its own alone: an acknowledgement must fit the smallest reply.
      if (request.has_batch())
        std::erase_if(upload.refusals, [&](const auto& refused) { return refused.counter < first; });
      return {};
    });
    if (!looked) return looked.error();
    upload.last_batch_hash = device->last_batch_hash;
    if (!request.has_batch()) return upload;
    const std::uint64_t next = device->last_counter + 1;
    if (first != next) {
      // Known already, or a gap: nothing changes, and the device learns where to go on.
      if (first == 0) return Error{Errc::malformed_request, "Counters start at 1."};
      upload.expected = next;
      return upload;
    }
    auto checked = check_batch(request.batch(), *device, frame_reader());
    if (!checked) return checked.error();
    bool overtaken = false;
    const auto written = store_.write([&](WriteTransaction& transaction) -> Result<void> {
      auto now = enrolled_device(transaction, id, access);
      if (!now) return now.error();
      upload.revoked = now->revoked.has_value();
      overtaken = now->last_counter != device->last_counter;
      if (overtaken) return {};
      const core::Instant received = clock_();
      const core::Arrival arrival{received, received - core::Instant{request.device_time_ms()}};
      upload.first_applied = next;
      auto applied = apply_batch(transaction, *now, request.batch(), *checked, arrival, former_times_of(request),
                                 *forms_.forms(transaction), log_, frame_writer(), frame_reader());
      if (!applied) return applied.error();
      upload.outcome = std::move(*applied);
      return {};
    });
    if (!written) return written.error();
    if (overtaken) continue;
    upload.acknowledged = upload.outcome->last_counter;
    upload.last_batch_hash = checked->hash;
    reads_.write_waiting();
    return upload;
  }
  return Error{Errc::overloaded, "Two programs sync as this device at once. Stop one of them."};
}

Result<bool> SyncService::has_lost_attachments(const v1::SyncRequest& request, const Upload& upload) {
  if (upload.attachments_known) return false;
  // What was read may have been old.
  bool is_known = false;
  const auto looked = store_.write([&](WriteTransaction& transaction) -> Result<void> {
    is_known = transaction.knows_attachments_version(request.attachments_version());
    return {};
  });
  return looked ? Result(!is_known) : looked.error();
}

Result<void> SyncService::begin_new_epochs(const core::DeviceId& id, const v1::SyncRequest& request) {
  struct Ahead {
    std::int64_t scope = 0;
    std::uint64_t epoch = 0;
    std::uint64_t seq = 0;
  };
  std::vector<Ahead> ahead;
  auto looked = store_.read([&](ReadTransaction& transaction) -> Result<void> {
    for (const v1::ScopePosition& position : request.positions()) {
      auto cursor = open_cursor(position.cursor(), id, cursor_key_);
      if (!cursor) return cursor.error();
      const auto scope = transaction.scope_by_key(cursor->scope);
      if (scope && scope->epoch == cursor->epoch && cursor->seq > scope->head)
        ahead.push_back({scope->key, scope->epoch, cursor->seq});
    }
    return {};
  });
  if (!looked || ahead.empty()) return looked;
  return store_.write([&](WriteTransaction& transaction) -> Result<void> {
    for (const Ahead& position : ahead) {
      const auto now = transaction.scope_by_key(position.scope);
      // Another device may have told already; and what was read may have been old.
      if (now && now->epoch == position.epoch && position.seq > now->head)
        transaction.set_epoch(position.scope, new_epoch());
    }
    return {};
  });
}

Result<void> SyncService::download(const core::DeviceId& id, const v1::SyncRequest& request, const Upload& upload,
                                   BodyStyle style, v1::SyncReply& reply) {
  if (auto checked = begin_new_epochs(id, request); !checked) return checked;
  std::vector<v1::ScopeRead> read;
  const auto filled = store_.read([&](ReadTransaction& transaction) -> Result<void> {
    auto device = enrolled_device(transaction, id);
    if (!device) return device.error();
    const std::uint64_t forms_version = transaction.forms_version();
    if (forms_version != request.forms_version()) {
      put_forms(transaction.forms_since(request.forms_version()), style, reply);
      reply.set_forms_version(forms_version);
    }
    const std::uint64_t directory_version = transaction.directory_version();
    const bool with_directory = directory_version != request.directory_version();
    if (with_directory) {
      reply.set_directory_version(directory_version);
      reply.mutable_person()->set_id(device->person.id.view().data(), core::PersonId::size);
      reply.mutable_person()->set_name(device->person.name);
    }
    const auto forms = forms_.forms(transaction);
    PageBuilder pages(transaction, *device, cursor_key_, *forms, frame_reader());
    auto built = pages.build(request, upload.outcome ? &*upload.outcome : nullptr, style, with_directory, reply);
    read = pages.take_sensitive_reads();
    put_people(transaction, *device, with_directory, reply);
    return built;
  });
  if (!filled || read.empty()) return filled;
  // Before anybody is given them.
  return note_reads(id, std::move(read));
}

Result<void> SyncService::note_reads(const core::DeviceId& id, std::vector<v1::ScopeRead> read) {
  std::size_t records = 0;
  for (const v1::ScopeRead& in_scope : read) records += static_cast<std::size_t>(in_scope.records_size());
  if (!allowance_.take(id, records, clock_())) return Error{Errc::read_limit, {}};
  return reads_.note(id, std::move(read));
}

Result<void> SyncService::note_attachment_read(const core::DeviceId& id, const core::AttachmentId& attachment) {
  std::vector<v1::ScopeRead> read;
  const auto looked = store_.read([&](ReadTransaction& transaction) -> Result<void> {
    const auto device = enrolled_device(transaction, id);
    if (!device) return device.error();
    const auto forms = forms_.forms(transaction);
    for (const MembershipRow& membership : transaction.memberships(device->person.id)) {
      v1::ScopeRead in_scope;
      in_scope.set_scope(membership.scope.id.view().data(), core::ScopeId::size);
      for (const NamingRecord& record :
           transaction.records_naming(view_of(membership, device->person.id), attachment)) {
        if (!is_sensitive(*forms, record.form)) continue;
        in_scope.add_records(record.id.view().data(), core::RecordId::size);
        in_scope.set_up_to_seq(std::max(in_scope.up_to_seq(), record.last_seq));
      }
      if (in_scope.records_size() > 0) read.push_back(std::move(in_scope));
    }
    return {};
  });
  if (!looked || read.empty()) return looked;
  return note_reads(id, std::move(read));
}

}  // namespace fieldsync::server

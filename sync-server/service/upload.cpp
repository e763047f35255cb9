#include "service/upload.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "codec/digest.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "codec/wire_scan.h"
#include "core/field_view.h"
#include "core/validation.h"
#include "service/named_attachments.h"
#include "service/participation.h"
#include "service/rights.h"
#include "service/stored_record.h"

namespace fieldsync::server {
namespace {

bool follows(const v1::Batch& batch, const DeviceRow& device) {
  if (device.last_counter == 0) return batch.previous_hash_prefix().empty();
  return batch.previous_hash_prefix() ==
         codec::bytes_of(device.last_batch_hash).substr(0, codec::previous_hash_prefix_bytes);
}

// Then its own value may not stay, and what it replaces leaves no newer value
// behind in its field: the changed fields alone would not tell.
bool was_awaited(const core::RecordState& state, const core::OperationId& id) {
  return std::any_of(state.awaited.begin(), state.awaited.end(), [&](const core::Awaited& awaited) {
    return awaited.value.operation.device == id.device && awaited.value.operation.counter <= id.counter;
  });
}

std::vector<bool> last_of_its_record(const std::vector<Result<core::Operation>>& operations) {
  std::vector<bool> last(operations.size());
  std::set<core::RecordId> later;
  for (std::size_t i = operations.size(); i-- > 0;) {
    if (operations[i]) last[i] = later.insert(operations[i]->record).second;
  }
  return last;
}

bool writes(const core::Operation& operation, const core::FormField* field) {
  return field != nullptr && std::any_of(operation.writes.begin(), operation.writes.end(), [&](const auto& write) {
           return write.key == core::FieldKey{{}, field->number};
         });
}

// Who says that an operation may be applied.
enum class Judge : std::uint8_t { rights, office };

// Operations of one device on their way into the store.
class Applier {
 public:
  Applier(WriteTransaction& transaction, const DeviceRow& device, const core::Arrival& arrival,
          const FormerTimes& former, const FormSet& forms, codec::FrameWriter& writer, codec::FrameReader& reader,
          Judge judge = Judge::rights)
      : transaction_(transaction),
        device_(device),
        former_(former),
        forms_(forms),
        writer_(writer),
        reader_(reader),
        judge_(judge) {
    outcome_.arrival = arrival;
    for (MembershipRow& membership : transaction.memberships(device.person.id)) {
      members_.emplace(membership.scope.id, std::move(membership));
    }
  }

  // `last`: no later operation of the batch is of the same record.
  Result<void> take(Result<core::Operation>& operation, std::string_view bytes, std::uint64_t counter, bool last) {
    const core::RecordId record = operation ? operation->record : core::RecordId{};
    const std::vector<core::AttachmentFile> files =
        operation ? files_named_by(*operation) : std::vector<core::AttachmentFile>();
    const Result<void> applied = operation ? apply(std::move(*operation), files) : Result<void>(operation.error());
    if (!applied && applied.error().code == Errc::must_be_sealed) return applied;
    if (!applied) quarantine(applied.error(), bytes, counter);
    // What is kept in quarantine is kept with its photos.
    for (const core::AttachmentFile& file : files)
      if (!applied) transaction_.name_attachment(quarantine_of(device_.key), device_.key, record, file, true);
    if (last) store(record);
    return {};
  }

  // It was in quarantine.
  Result<void> take_back(core::Operation operation) {
    const core::RecordId record = operation.record;
    const std::vector<core::AttachmentFile> files = files_named_by(operation);
    auto applied = apply(std::move(operation), files);
    if (applied) store(record);
    return applied;
  }

  UploadOutcome finish() {
    for (auto& [key, scope] : outcome_.scopes) {
      if (scope.first_seq == 0) continue;
      const std::uint64_t head =
          transaction_.advance_scope(key, scope.last_seq - scope.first_seq + 1, digest_growth_[key]);
      FIELDSYNC_CHECK(head == scope.last_seq, "nobody else numbers operations while this transaction writes");
    }
    for (auto& [key, participation] : participations_) participation.settle();
    return std::move(outcome_);
  }

 private:
  struct Touched {
    core::RecordState state;
    RecordRow row;
    bool is_new = true;
    bool was_in_conflict = false;
    bool has_author = false;  // this person was entered
  };

  // `files`: those that it names.
  Result<void> apply(core::Operation operation, const std::vector<core::AttachmentFile>& files) {
    const auto form = forms_.find(operation.form);
    // Before any other reason: what is refused otherwise goes to quarantine.
    if (form != forms_.end() && core::holds_open_secret(operation, form->second))
      return Error{Errc::must_be_sealed, {}};
    const auto place = scope_for(operation.scope);
    if (!place) return place.error();
    if (form == forms_.end())
      return Error{Errc::unknown_form,
                   "The server does not have the form '" + operation.form + "'. Ask the office to import it."};
    if (auto checked = core::check_operation(operation, form->second); !checked) return checked;
    auto touched = load(operation, *place, form->second);
    if (!touched) return touched.error();
    ScopeUpload& scope = scope_of(*place);
    Touched& record = **touched;
    core::Stamp stamp;
    stamp.author = operation.author;
    stamp.claimed = operation.claimed;
    stamp.received = outcome_.arrival.received;
    stamp.effective =
        core::effective_time(operation, record.state, outcome_.arrival, former_time_of(operation.id.counter));
    stamp.machine = operation.origin == core::OperationOrigin::machine;
    stamp.seq = scope.last_seq + 1;
    const core::OperationId id = operation.id;
    const core::RecordId record_id = operation.record;
    const core::FormField* const part_of = form->second.part_of_field();
    const bool changes_wholes = writes(operation, part_of);
    const core::Instant corrected = core::corrected_time(operation.claimed, outcome_.arrival);
    const bool whole = record.row.first_seq == 0 || was_awaited(record.state, id);
    if (!record.state.apply(std::move(operation), stamp)) {
      return judge_ == Judge::office
                 ? Error{Errc::superseded, {}}
                 : Error{Errc::malformed_operation, "The operation is older than what is known of its record."};
    }
    scope.last_seq = stamp.seq;
    if (scope.first_seq == 0) scope.first_seq = stamp.seq;
    scope.changed.emplace(record_id, record.row.last_seq);
    record.row.last_seq = stamp.seq;
    if (whole) record.row.first_seq = stamp.seq;
    transaction_.append_operation(
        {place->key, stamp.seq, device_.key, id.counter, record_id, stamp.effective, stamp.received});
    for (const core::AttachmentFile& file : files)
      transaction_.name_attachment(place->key, device_.key, record_id, file, may_read_already(*place, file));
    if (!form->second.reference_data) note_participation(record, record_id, *place, stamp.seq);
    if (changes_wholes && may_open_to_others(record, record_id, *place))
      participation_in(place->key).set_wholes(record_id, wholes_of(record.state, *part_of));
    if (stamp.effective != corrected) {
      v1::EffectiveTime& exception = outcome_.exceptions.emplace_back();
      exception.set_counter(id.counter);
      exception.set_effective_time_ms(stamp.effective.ms);
    }
    return {};
  }

  // Where the operation may be applied.
  Result<ScopeRow> scope_for(const core::ScopeId& id) {
    if (judge_ == Judge::office) {
      const auto scope = transaction_.scope(id);
      return scope ? Result(*scope) : Error{Errc::scope_not_found, "There is no such scope here. Return the save."};
    }
    if (device_.revoked) return Error{Errc::device_revoked, {}};
    const auto member = members_.find(id);
    if (member == members_.end()) return Error{Errc::scope_not_found, {}};
    if (!policy_of(member->second.role).writes) return Error{Errc::not_permitted, {}};
    return member->second.scope;
  }

  [[nodiscard]] std::optional<core::Instant> former_time_of(std::uint64_t counter) const {
    const auto known = former_.find(counter);
    if (known == former_.end()) return std::nullopt;
    return known->second;
  }

  Result<Touched*> load(const core::Operation& operation, const ScopeRow& scope, const core::Form& form) {
    auto known = touched_.find(operation.record);
    if (known == touched_.end()) {
      Touched touched;
      if (auto row = transaction_.record(operation.record)) {
        auto state = read_record(*row, reader_);
        if (!state) return state.error();
        touched.state = std::move(*state);
        touched.row = std::move(*row);
        touched.is_new = false;
        touched.was_in_conflict = touched.state.stamps.size() > 1;
      } else {
        touched.row.scope = scope.key;
        touched.row.form = operation.form;
        touched.row.id = operation.record;
      }
      known = touched_.emplace(operation.record, std::move(touched)).first;
    }
    // Another scope's record must look like no record at all: the answer is the
    // same for both, and the operation is kept in quarantine.
    if (known->second.row.scope != scope.key) {
      return judge_ == Judge::office ? Error{Errc::wrong_context, "The record is in another scope. Return the save."}
                                     : Error{Errc::scope_not_found, {}};
    }
    if (!is_theirs(known->second, operation, form)) return Error{Errc::scope_not_found, {}};
    if (known->second.row.form != operation.form) return Error{Errc::wrong_context, {}};
    return &known->second;
  }

  void note_participation(Touched& touched, const core::RecordId& record, const ScopeRow& scope, std::uint64_t seq) {
    if (std::exchange(touched.has_author, true)) return;
    ParticipationKeeper& participation = participation_in(scope.key);
    if (touched.is_new) {
      participation.note_maker(device_.person.id, record, seq);
    } else if (judge_ == Judge::office) {
      participation.note_accepted(device_.person.id, record, seq);
    } else {
      participation.note_author(device_.person.id, record, seq);
    }
  }

  // In the mode `own`, naming a file by its hash is no way to read it.
  bool may_read_already(const ScopeRow& scope, const core::AttachmentFile& file) {
    if (!reads_own_only(scope)) return true;
    const auto known = attachments_known_to(transaction_, device_, file.id);
    return std::any_of(known.begin(), known.end(), [&](const NamedAttachment& each) {
      return each.size == file.size && each.is_complete() && may_read(each);
    });
  }

  // Who does not read the record any more, or never did, gives it to nobody.
  bool may_open_to_others(const Touched& touched, const core::RecordId& record, const ScopeRow& scope) {
    if (touched.is_new) return true;
    if (judge_ == Judge::office) return false;
    if (!reads_own_only(scope)) return true;
    const auto known = transaction_.participation(scope.key, device_.person.id, record);
    return known && !known->is_gone();
  }

  // Of who is no member: the office decides for them.
  bool reads_own_only(const ScopeRow& scope) const {
    const auto member = members_.find(scope.id);
    return member == members_.end() || view_of(member->second, device_.person.id).own_of.has_value();
  }

  // Whether its author may change the record, or made it in this batch.
  bool is_theirs(const Touched& touched, const core::Operation& operation, const core::Form& form) {
    if (judge_ == Judge::office || touched.is_new || touched.has_author) return true;
    return may_change(transaction_, members_.at(operation.scope), device_.person.id, operation.record,
                      form.reference_data && touched.row.form == form.name);
  }

  ParticipationKeeper& participation_in(std::int64_t scope) {
    return participations_.try_emplace(scope, transaction_, scope).first->second;
  }

  ScopeUpload& scope_of(const ScopeRow& scope) {
    const auto known = outcome_.scopes.find(scope.key);
    if (known != outcome_.scopes.end()) return known->second;
    ScopeUpload upload;
    upload.head_before = upload.last_seq = scope.head;
    upload.digest_before = scope.digest;
    return outcome_.scopes.emplace(scope.key, std::move(upload)).first->second;
  }

  // As soon as a record has all of its operations: what 500 of them hold does not
  // fit the processor's caches.
  void store(const core::RecordId& record) {
    const auto known = touched_.find(record);
    if (known == touched_.end()) return;
    if (!known->second.state.id.is_none()) store(known->second);  // else all of its operations were refused
    touched_.erase(known);
  }

  void store(Touched& touched) {
    const auto encoded = codec::encode_record(touched.state);
    const std::uint64_t before = touched.row.hash;
    touched.row.hash = codec::hash_record(encoded.head, codec::hash_bytes(encoded.body));
    touched.row.head = encoded.head;
    touched.row.body_frame = writer_.compress(encoded.body);
    transaction_.put_record(touched.row, touched.is_new);
    digest_growth_[touched.row.scope] += touched.row.hash - before;
    if (touched.state.stamps.size() < 2 && !touched.was_in_conflict) return;
    const core::Form& form = forms_.find(touched.row.form)->second;
    transaction_.put_conflicts(touched.row.id, core::open_conflicts(touched.state, &form));
  }

  void quarantine(const Error& error, std::string_view bytes, std::uint64_t counter) {
    const std::string code(describe(error.code).name);
    transaction_.quarantine(
        {device_.key, counter, code, error.message(), bytes, outcome_.arrival.received, outcome_.arrival.clock_offset});
    outcome_.refused.push_back(quarantine_result(counter, code, error.message()));
  }

  WriteTransaction& transaction_;
  const DeviceRow& device_;
  const FormerTimes& former_;
  const FormSet& forms_;
  codec::FrameWriter& writer_;
  codec::FrameReader& reader_;
  const Judge judge_;
  std::map<core::ScopeId, MembershipRow> members_;
  std::map<core::RecordId, Touched> touched_;
  std::map<std::int64_t, std::uint64_t> digest_growth_;
  std::map<std::int64_t, ParticipationKeeper> participations_;
  UploadOutcome outcome_;
};

}  // namespace

v1::OperationResult quarantine_result(std::uint64_t counter, const std::string& code, const std::string& message) {
  v1::OperationResult result;
  result.set_counter(counter);
  result.set_outcome(v1::OPERATION_OUTCOME_QUARANTINED);
  result.set_code(code);
  result.set_message(message);
  return result;
}

Result<std::string> content_of(const v1::Batch& batch, codec::FrameReader& frames) {
  if (!v1::Encoding_IsValid(batch.encoding())) return Error{Errc::unsupported_encoding, {}};
  if (batch.encoding() == v1::ENCODING_ZSTD) return frames.decompress(batch.content(), codec::batch_content_bytes_max);
  if (batch.content().size() > codec::batch_content_bytes_max) return Error{Errc::request_too_large, {}};
  return batch.content();
}

Result<CheckedBatch> check_batch(const v1::Batch& batch, const DeviceRow& device, codec::FrameReader& frames) {
  CheckedBatch checked;
  checked.first_counter = batch.first_counter();
  if (!follows(batch, device)) return Error{Errc::batch_chain_broken, {}};
  std::memcpy(checked.previous.data(), device.last_batch_hash.data(), checked.previous.size());
  if (!v1::Encoding_IsValid(batch.encoding())) return Error{Errc::unsupported_encoding, {}};
  checked.hash = codec::hash_batch(
      {device.id, batch.first_counter(), checked.previous, static_cast<codec::Encoding>(batch.encoding())},
      batch.content());
  codec::VerifyingKey key{};
  std::memcpy(key.data(), device.public_key.data(), std::min(key.size(), device.public_key.size()));
  if (!codec::verify_batch(checked.hash, batch.signature(), key)) return Error{Errc::bad_signature, {}};
  auto content = content_of(batch, frames);
  if (!content) return content.error();
  checked.content = std::make_unique<const std::string>(std::move(*content));
  auto split = codec::split_list(*checked.content);
  if (!split) return split.error();
  if (split->empty()) return Error{Errc::malformed_request, "The batch holds no operation."};
  checked.operation_bytes = std::move(*split);
  std::size_t elements = 0;
  for (std::size_t i = 0; i < checked.operation_bytes.size(); ++i) {
    auto operation = codec::decode_operation(checked.operation_bytes[i], {device.id, batch.first_counter() + i},
                                             device.person.id, elements);
    if (!operation && operation.error().code == Errc::too_many_elements) return operation.error();
    checked.operations.push_back(std::move(operation));
  }
  return checked;
}

Result<UploadOutcome> apply_batch(WriteTransaction& transaction, const DeviceRow& device, const v1::Batch& batch,
                                  CheckedBatch& checked, const core::Arrival& arrival, const FormerTimes& former,
                                  const FormSet& forms, const AuditLog& log, codec::FrameWriter& writer,
                                  codec::FrameReader& reader) {
  Applier applier(transaction, device, arrival, former, forms, writer, reader);
  const std::vector<bool> last = last_of_its_record(checked.operations);
  for (std::size_t i = 0; i < checked.operations.size(); ++i) {
    auto taken = applier.take(checked.operations[i], checked.operation_bytes[i], checked.first_counter + i, last[i]);
    if (!taken) return taken.error();
  }
  UploadOutcome outcome = applier.finish();
  outcome.last_counter = checked.first_counter + checked.operations.size() - 1;
  BatchRow row{device.key,        checked.first_counter, outcome.last_counter,
               checked.hash,      checked.previous,      static_cast<std::uint8_t>(batch.encoding()),
               batch.signature(), batch.content(),       arrival.received};
  row.entry = log.note_batch(transaction, device.id, row, outcome.refused.size());
  transaction.append_batch(row);
  transaction.set_device_position(device.key, outcome.last_counter, checked.hash, arrival.received);
  return outcome;
}

Result<void> apply_as_office(WriteTransaction& transaction, const DeviceRow& device, core::Operation operation,
                             const core::Arrival& arrival, const FormSet& forms, codec::FrameWriter& writer,
                             codec::FrameReader& reader) {
  const FormerTimes none;
  Applier applier(transaction, device, arrival, none, forms, writer, reader, Judge::office);
  auto applied = applier.take_back(std::move(operation));
  if (applied) static_cast<void>(applier.finish());
  return applied;
}

}  // namespace fieldsync::server

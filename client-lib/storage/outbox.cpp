#include "storage/outbox.h"

#include <algorithm>
#include <map>

#include "codec/digest.h"
#include "codec/operation_codec.h"
#include "codec/wire_scan.h"
#include "storage/stamper.h"

namespace fieldsync::storage {
namespace {

StoredOperation read_operation(const sqlite::Statement& row) {
  return {row.unsigned_integer(0), core::RecordId::from_bytes(row.blob(1)).value_or(core::RecordId{}),
          std::string(row.blob(2)), 0};
}

}  // namespace

void Outbox::append(const StoredOperation& operation) {
  auto insert = connection_.prepare(
      "INSERT INTO operation(counter, record, bytes, elements) VALUES(?1, (SELECT row FROM record WHERE id = ?2), ?3, "
      "?4)");
  insert.bind_unsigned(1, operation.counter).bind_blob(2, operation.record.view()).bind_blob(3, operation.bytes);
  insert.bind_unsigned(4, operation.elements).run();
}

std::vector<StoredOperation> Outbox::of_record(const core::RecordId& record, std::uint64_t after) {
  auto select = connection_.prepare(
      "SELECT o.counter, r.id, o.bytes FROM record r JOIN operation o ON o.record = r.row"
      " WHERE r.id = ?1 AND o.counter > ?2 ORDER BY o.counter");
  select.bind_blob(1, record.view()).bind_unsigned(2, after);
  std::vector<StoredOperation> operations;
  while (select.step()) operations.push_back(read_operation(select));
  return operations;
}

std::vector<WaitingOperation> Outbox::between(std::uint64_t first, std::uint64_t last) {
  auto select = connection_.prepare(
      "SELECT o.counter, r.id, r.scope FROM operation o JOIN record r ON r.row = o.record"
      " WHERE o.counter BETWEEN ?1 AND ?2 ORDER BY o.counter");
  select.bind_unsigned(1, first).bind_unsigned(2, last);
  std::vector<WaitingOperation> operations;
  while (select.step()) {
    operations.push_back({select.unsigned_integer(0),
                          core::RecordId::from_bytes(select.blob(1)).value_or(core::RecordId{}),
                          core::ScopeId::from_bytes(select.blob(2)).value_or(core::ScopeId{})});
  }
  return operations;
}

bool Outbox::waits_for_scope(const core::ScopeId& scope, std::uint64_t after) {
  auto select = connection_.prepare(
      "SELECT 1 FROM operation o JOIN record r ON r.row = o.record WHERE r.scope = ?1 AND o.counter > ?2 LIMIT 1");
  select.bind_blob(1, scope.view()).bind_unsigned(2, after);
  return select.step();
}

void Outbox::remove_of_scope(const core::ScopeId& scope) {
  auto remove = connection_.prepare("DELETE FROM operation WHERE record IN (SELECT row FROM record WHERE scope = ?1)");
  remove.bind_blob(1, scope.view()).run();
}

void Outbox::remove_of_record(const core::RecordId& record, std::uint64_t up_to) {
  auto remove = connection_.prepare(
      "DELETE FROM operation WHERE record = (SELECT row FROM record WHERE id = ?1) AND counter <= ?2");
  remove.bind_blob(1, record.view()).bind_unsigned(2, up_to).run();
}

void Outbox::remove_between(std::uint64_t first, std::uint64_t last) {
  auto remove = connection_.prepare("DELETE FROM operation WHERE counter BETWEEN ?1 AND ?2");
  remove.bind_unsigned(1, first).bind_unsigned(2, last).run();
}

void Outbox::remove(std::vector<std::uint64_t> counters) {
  // One statement for each run without a gap: mostly there is one run.
  std::sort(counters.begin(), counters.end());
  for (std::size_t first = 0; first < counters.size();) {
    std::size_t last = first;
    while (last + 1 < counters.size() && counters[last + 1] == counters[last] + 1) ++last;
    remove_between(counters[first], counters[last]);
    first = last + 1;
  }
}

std::optional<core::RecordId> Outbox::refuse(std::uint64_t counter, const std::string& code,
                                             const std::string& message) {
  auto known = connection_.prepare("SELECT 1 FROM refused WHERE counter = ?1 AND code = ?2");
  known.bind_unsigned(1, counter).bind_text(2, code);
  if (known.step()) return std::nullopt;
  const auto operation = find(counter);
  if (!operation) return std::nullopt;
  auto keep = connection_.prepare(
      "INSERT OR REPLACE INTO refused(counter, record, bytes, code, message) VALUES(?1, ?2, ?3, ?4, ?5)");
  keep.bind_unsigned(1, counter).bind_blob(2, operation->record.view()).bind_blob(3, operation->bytes);
  keep.bind_text(4, code).bind_text(5, message).run();
  remove_between(counter, counter);
  return operation->record;
}

void Outbox::forget_refusal(std::uint64_t counter) {
  auto forget = connection_.prepare("DELETE FROM refused WHERE counter = ?1");
  forget.bind_unsigned(1, counter).run();
}

std::uint64_t Outbox::refusals_digest() {
  auto select = connection_.prepare("SELECT counter, code FROM refused");
  std::uint64_t digest = 0;
  while (select.step()) digest += codec::hash_refusal(select.unsigned_integer(0), select.text(1));
  return digest;
}

std::optional<StoredOperation> Outbox::find(std::uint64_t counter) {
  auto waiting = connection_.prepare(
      "SELECT o.counter, r.id, o.bytes FROM operation o JOIN record r ON r.row = o.record WHERE o.counter = ?1");
  waiting.bind_unsigned(1, counter);
  if (waiting.step()) return read_operation(waiting);
  auto batch = connection_.prepare(
      "SELECT first, content FROM batch WHERE first <= ?1 AND last >= ?1 ORDER BY first DESC LIMIT 1");
  batch.bind_unsigned(1, counter);
  if (!batch.step()) return std::nullopt;
  const auto content = reader_.decompress(batch.blob(1), codec::batch_content_bytes_max);
  if (!content) return std::nullopt;
  const auto operations = codec::split_list(*content);
  if (!operations) return std::nullopt;
  const std::string_view bytes = operations->at(counter - batch.unsigned_integer(0));
  std::size_t elements = 0;
  const auto operation = codec::decode_operation(bytes, {{}, counter}, {}, elements);
  if (!operation) return std::nullopt;
  return StoredOperation{counter, operation->record, std::string(bytes), elements};
}

std::vector<Refusal> Outbox::refused() {
  auto select = connection_.prepare(
      "SELECT device, counter, record, code, message FROM former_refused"
      " UNION ALL SELECT x'', counter, record, code, message FROM refused ORDER BY 1, 2");
  std::vector<Refusal> refusals;
  while (select.step()) {
    refusals.push_back({core::DeviceId::from_bytes(select.blob(0)).value_or(core::DeviceId{}),
                        select.unsigned_integer(1),
                        core::RecordId::from_bytes(select.blob(2)).value_or(core::RecordId{}),
                        std::string(select.text(3)), std::string(select.text(4))});
  }
  return refusals;
}

std::uint64_t Outbox::refused_count() {
  auto select = connection_.prepare("SELECT count(*) FROM refused");
  return select.step() ? select.unsigned_integer(0) : 0;
}

bool Outbox::has_refused(const core::RecordId& record) {
  auto select = connection_.prepare(
      "SELECT 1 FROM refused WHERE record = ?1 UNION ALL SELECT 1 FROM former_refused WHERE record = ?1 LIMIT 1");
  select.bind_blob(1, record.view());
  return select.step();
}

void Outbox::note_stamps(const v1::BatchStamps& stamps, std::uint64_t last) {
  auto note = connection_.prepare("INSERT OR REPLACE INTO batch_stamps(first, last, stamps) VALUES(?1, ?2, ?3)");
  const std::string bytes = stamps.SerializeAsString();
  note.bind_unsigned(1, stamps.first_counter()).bind_unsigned(2, last).bind_blob(3, bytes).run();
}

void Outbox::note_effective_time(std::uint64_t counter, core::Instant effective) {
  auto nearest =
      connection_.prepare("SELECT last FROM batch_stamps WHERE first <= ?1 ORDER BY first DESC, last DESC LIMIT 1");
  nearest.bind_unsigned(1, counter);
  if (nearest.step() && nearest.unsigned_integer(0) >= counter) return;
  v1::BatchStamps stamps;
  stamps.set_first_counter(counter);
  v1::EffectiveTime& time = *stamps.add_exceptions();
  time.set_counter(counter);
  time.set_effective_time_ms(effective.ms);
  note_stamps(stamps, counter);
}

std::vector<TimedOperation> Outbox::effective_times(std::uint64_t first, std::uint64_t last) {
  std::map<std::uint64_t, core::Instant> times;
  // No batch that reaches to `first` begins further back than a batch is long.
  auto noted = connection_.prepare(
      "SELECT first, last, stamps FROM batch_stamps WHERE first > ?1 - ?3 AND first <= ?2 AND last >= ?1");
  noted.bind_unsigned(1, first).bind_unsigned(2, last).bind_unsigned(3, codec::operations_per_batch_max);
  while (noted.step()) {
    v1::BatchStamps stamps;
    if (!stamps.ParseFromArray(noted.blob(2).data(), static_cast<int>(noted.blob(2).size()))) continue;
    const Stamper stamper(stamps);
    auto waiting = connection_.prepare("SELECT counter, bytes FROM operation WHERE counter BETWEEN ?1 AND ?2");
    waiting.bind_unsigned(1, std::max(first, noted.unsigned_integer(0)))
        .bind_unsigned(2, std::min(last, noted.unsigned_integer(1)));
    while (waiting.step()) {
      std::size_t elements = 0;
      const std::uint64_t counter = waiting.unsigned_integer(0);
      const auto operation = codec::decode_operation(waiting.blob(1), {{}, counter}, {}, elements);
      if (operation) times[counter] = stamper.effective_time(operation->claimed, counter);
    }
  }
  std::vector<TimedOperation> timed;
  for (const auto& [counter, time] : times) timed.push_back({counter, time});
  return timed;
}

std::optional<SignedBatch> Outbox::stored_batch(const codec::ChainPosition& after, std::size_t wire_bytes_max) {
  auto select = connection_.prepare(
      "SELECT first, last, hash, previous, encoding, signature, content FROM batch"
      " WHERE first = ?1 AND previous = ?2 AND (length(content) <= ?3 OR first = last) ORDER BY last DESC LIMIT 1");
  select.bind_unsigned(1, after.counter + 1).bind_blob(2, codec::bytes_of(after.hash)).bind_unsigned(3, wire_bytes_max);
  if (!select.step()) return std::nullopt;
  return SignedBatch{select.unsigned_integer(0),
                     select.unsigned_integer(1),
                     codec::hash_from(select.blob(2)),
                     codec::hash_from(select.blob(3)),
                     static_cast<codec::Encoding>(select.integer(4)),
                     std::string(select.blob(5)),
                     std::string(select.blob(6))};
}

std::optional<SignedBatch> Outbox::batch_after(const codec::ChainPosition& after, std::size_t wire_bytes_max,
                                               const core::DeviceId& device, const codec::SigningKey& key) {
  if (after.counter != 0 && after.hash == codec::BatchHash{})
    throw sqlite::SqliteError(Errc::storage_corrupt, "the last acknowledged batch is missing");
  // A quarter more than aimed at still counts as fitting: the aim is a guess.
  if (auto stored = stored_batch(after, wire_bytes_max + wire_bytes_max / 4)) return stored;
  auto batch = cut(after, wire_bytes_max);
  if (!batch) return std::nullopt;
  batch->hash = codec::hash_batch({device, batch->first, batch->previous, batch->encoding}, batch->content);
  const codec::BatchSignature signature = codec::sign_batch(batch->hash, key);
  batch->signature.assign(reinterpret_cast<const char*>(signature.data()), signature.size());
  store(*batch);
  return batch;
}

std::optional<SignedBatch> Outbox::cut(const codec::ChainPosition& after, std::size_t wire_bytes_max) {
  const auto content_aim = static_cast<std::size_t>(static_cast<double>(wire_bytes_max) / compression_);
  const std::size_t content_max = std::min(content_aim, codec::batch_content_bytes_max);
  std::string list;
  std::size_t elements = 0;
  std::uint64_t last = after.counter;
  auto select = connection_.prepare(
      "SELECT counter, bytes, elements FROM operation WHERE counter > ?1 ORDER BY counter LIMIT ?2");
  select.bind_unsigned(1, after.counter).bind_unsigned(2, codec::operations_per_batch_max);
  while (select.step() && select.unsigned_integer(0) == last + 1) {
    elements += select.unsigned_integer(2);
    const bool full =
        list.size() + select.blob(1).size() + 8 > content_max || elements > codec::request_limits.elements_max;
    if (full && !list.empty()) break;
    codec::append_to_list(list, select.blob(1));
    ++last;
  }
  if (last == after.counter) return std::nullopt;
  SignedBatch batch{after.counter + 1, last, {}, after.hash, codec::Encoding::zstd, {}, writer_.compress(list)};
  compression_ = std::clamp(static_cast<double>(batch.content.size()) / static_cast<double>(list.size()), 0.01, 1.0);
  return batch;
}

std::optional<SignedBatch> Outbox::batch_ahead_of(const SignedBatch& in_flight, std::size_t wire_bytes_max,
                                                  const core::DeviceId& device, const codec::SigningKey& key) {
  {
    auto select = connection_.prepare("SELECT count(*) FROM batch WHERE first = ?1 AND previous = ?2");
    select.bind_unsigned(1, in_flight.first).bind_blob(2, codec::bytes_of(in_flight.previous));
    if (!select.step() || select.integer(0) != 1) return std::nullopt;
  }
  return batch_after(in_flight.end(), wire_bytes_max, device, key);
}

void Outbox::store(const SignedBatch& batch) {
  auto insert = connection_.prepare(
      "INSERT OR IGNORE INTO batch(first, last, hash, previous, encoding, signature, content)"
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  insert.bind_unsigned(1, batch.first).bind_unsigned(2, batch.last).bind_blob(3, codec::bytes_of(batch.hash));
  insert.bind_blob(4, codec::bytes_of(batch.previous)).bind(5, static_cast<std::int64_t>(batch.encoding));
  insert.bind_blob(6, batch.signature).bind_blob(7, batch.content).run();
}

Result<std::vector<core::RecordId>> Outbox::reopen_after(std::uint64_t counter) {
  std::vector<core::RecordId> records;
  auto select = connection_.prepare("SELECT first, content FROM batch WHERE last > ?1 ORDER BY first");
  select.bind_unsigned(1, counter);
  while (select.step()) {
    auto content = reader_.decompress(select.blob(1), codec::batch_content_bytes_max);
    if (!content) return content.error();
    auto operations = codec::split_list(*content);
    if (!operations) return operations.error();
    for (std::size_t i = 0; i < operations->size(); ++i) {
      const std::uint64_t number = select.unsigned_integer(0) + i;
      if (number <= counter) continue;
      auto record = reopen(number, (*operations)[i]);
      if (!record) return record.error();
      records.push_back(*record);
    }
  }
  return records;
}

Result<core::RecordId> Outbox::reopen(std::uint64_t counter, std::string_view bytes) {
  std::size_t elements = 0;
  auto operation = codec::decode_operation(bytes, {{}, counter}, {}, elements);
  if (!operation) return operation.error();
  auto make_record = connection_.prepare("INSERT OR IGNORE INTO record(id, scope, form) VALUES(?1, ?2, ?3)");
  make_record.bind_blob(1, operation->record.view())
      .bind_blob(2, operation->scope.view())
      .bind_text(3, operation->form)
      .run();
  auto insert = connection_.prepare(
      "INSERT OR IGNORE INTO operation(counter, record, bytes, elements) VALUES(?1, (SELECT row FROM record WHERE "
      "id = ?2), ?3, ?4)");
  insert.bind_unsigned(1, counter).bind_blob(2, operation->record.view()).bind_blob(3, bytes);
  insert.bind_unsigned(4, elements).run();
  forget_refusal(counter);
  return operation->record;
}

std::optional<codec::ChainPosition> Outbox::position_at(std::uint64_t last, std::string_view hash_prefix) {
  if (last == 0) return codec::ChainPosition{};
  auto select = connection_.prepare("SELECT hash FROM batch WHERE last = ?1");
  select.bind_unsigned(1, last);
  while (select.step()) {
    if (select.blob(0).starts_with(hash_prefix)) return codec::ChainPosition{last, codec::hash_from(select.blob(0))};
  }
  return std::nullopt;
}

std::vector<StoredOperation> Outbox::all() {
  auto select = connection_.prepare(
      "SELECT o.counter, r.id, o.bytes FROM operation o JOIN record r ON r.row = o.record ORDER BY o.counter");
  std::vector<StoredOperation> operations;
  while (select.step()) operations.push_back(read_operation(select));
  return operations;
}

std::vector<StoredOperation> Outbox::refused_operations() {
  auto select = connection_.prepare("SELECT counter, record, bytes FROM refused ORDER BY counter");
  std::vector<StoredOperation> operations;
  while (select.step()) operations.push_back(read_operation(select));
  return operations;
}

void Outbox::set_aside(const core::DeviceId& former, std::uint64_t last) {
  auto batches = connection_.prepare(
      "INSERT INTO former_batch SELECT ?1, first, last, hash, previous, encoding, signature, content FROM batch WHERE "
      "first <= ?2");
  batches.bind_blob(1, former.view()).bind_unsigned(2, last).run();
  auto refusals =
      connection_.prepare("INSERT INTO former_refused SELECT ?1, counter, record, bytes, code, message FROM refused");
  refusals.bind_blob(1, former.view()).run();
  for (const char* clear :
       {"DELETE FROM batch", "DELETE FROM batch_stamps", "DELETE FROM refused", "DELETE FROM operation"}) {
    connection_.prepare(clear).run();
  }
}

}  // namespace fieldsync::storage

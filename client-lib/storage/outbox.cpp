#include "storage/outbox.h"

#include <algorithm>
#include <map>

#include "codec/digest.h"
#include "codec/operation_codec.h"
#include "codec/wire_scan.h"
#include "storage/packing.h"
#include "storage/stamper.h"

namespace fieldsync::storage {
namespace {

// A smaller list says little of how well a large one is compressed.
constexpr std::size_t learned_from_bytes = 16 * 1024;

[[noreturn]] void damaged(const char* what) { throw sqlite::SqliteError(Errc::storage_corrupt, what); }

}  // namespace

StoredOperation Outbox::read_operation(const sqlite::Statement& row) const {
  const std::uint64_t counter = row.unsigned_integer(0);
  const std::string content = vault_.read({seal::Place::operation, row_of(counter)}, row.blob(2));
  Unpacker fields(content);
  StoredOperation operation;
  operation.counter = counter;
  operation.record = core::RecordId::from_bytes(row.blob(1)).value_or(core::RecordId{});
  operation.elements = fields.number();
  operation.bytes = fields.rest();
  if (!fields.done()) damaged("a save that waits could not be read");
  return operation;
}

Outbox::Refused Outbox::read_refused(std::uint64_t counter, std::string_view content) const {
  const std::string opened = vault_.read({seal::Place::refusal, row_of(counter)}, content);
  Unpacker fields(opened);
  Refused refused;
  refused.code = fields.text();
  refused.message = fields.text();
  refused.bytes = fields.rest();
  if (!fields.done()) damaged("a refused save could not be read");
  return refused;
}

std::string Outbox::seal_refused(std::uint64_t counter, const Refused& refused) const {
  std::string content;
  pack_text(content, refused.code);
  pack_text(content, refused.message);
  content += refused.bytes;
  return vault_.seal({seal::Place::refusal, row_of(counter)}, content);
}

SignedBatch Outbox::read_batch(const sqlite::Statement& row) const {
  SignedBatch batch;
  batch.first = row.unsigned_integer(0);
  batch.last = row.unsigned_integer(1);
  const std::string head = vault_.read({seal::Place::batch, row_of(batch.first, batch.last)}, row.blob(2));
  Unpacker fields(head);
  batch.hash = codec::hash_from(fields.bytes(batch.hash.size()));
  batch.previous = codec::hash_from(fields.bytes(batch.previous.size()));
  batch.encoding = static_cast<codec::Encoding>(fields.number());
  batch.content_bytes = fields.number();
  batch.signature = fields.rest();
  if (!fields.done()) damaged("a signed batch could not be read");
  return batch;
}

std::string Outbox::read_content(std::uint64_t first, std::uint64_t last, std::string_view cell) const {
  return vault_.read({seal::Place::batch_content, row_of(first, last)}, cell);
}

void Outbox::append(const StoredOperation& operation) {
  std::string content;
  pack_number(content, operation.elements);
  content += operation.bytes;
  auto insert = connection_.prepare(
      "INSERT INTO operation(counter, record, content) VALUES(?1, (SELECT row FROM record WHERE id = ?2), ?3)");
  insert.bind_unsigned(1, operation.counter).bind_blob(2, operation.record.view());
  insert.bind_copy(3, vault_.seal({seal::Place::operation, row_of(operation.counter)}, content)).run();
}

std::vector<StoredOperation> Outbox::of_record(const core::RecordId& record, std::uint64_t after) {
  auto select = connection_.prepare(
      "SELECT o.counter, r.id, o.content FROM record r JOIN operation o ON o.record = r.row"
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
  {
    auto known = connection_.prepare("SELECT content FROM refused WHERE counter = ?1");
    known.bind_unsigned(1, counter);
    if (known.step() && read_refused(counter, known.blob(0)).code == code) return std::nullopt;
  }
  const auto operation = find(counter);
  if (!operation) return std::nullopt;
  // What was settled was another refusal.
  forget_refusal(counter);
  auto keep = connection_.prepare("INSERT INTO refused(counter, record, content) VALUES(?1, ?2, ?3)");
  keep.bind_unsigned(1, counter).bind_blob(2, operation->record.view());
  keep.bind_copy(3, seal_refused(counter, {code, message, operation->bytes})).run();
  remove_between(counter, counter);
  return operation->record;
}

void Outbox::forget_refusal(std::uint64_t counter) {
  for (const char* forget :
       {"DELETE FROM refused WHERE counter = ?1", "DELETE FROM settled_refusal WHERE device = x'' AND counter = ?1"}) {
    connection_.prepare(forget).bind_unsigned(1, counter).run();
  }
}

std::uint64_t Outbox::refusals_digest() {
  auto select = connection_.prepare("SELECT counter, content FROM refused");
  std::uint64_t digest = 0;
  while (select.step()) {
    const std::uint64_t counter = select.unsigned_integer(0);
    digest += codec::hash_refusal(counter, read_refused(counter, select.blob(1)).code);
  }
  return digest;
}

std::optional<StoredOperation> Outbox::find(std::uint64_t counter) {
  auto waiting = connection_.prepare(
      "SELECT o.counter, r.id, o.content FROM operation o JOIN record r ON r.row = o.record WHERE o.counter = ?1");
  waiting.bind_unsigned(1, counter);
  if (waiting.step()) return read_operation(waiting);
  auto batch = connection_.prepare(
      "SELECT first, last, content FROM batch WHERE first <= ?1 AND last >= ?1 ORDER BY first DESC LIMIT 1");
  batch.bind_unsigned(1, counter);
  if (!batch.step()) return std::nullopt;
  const std::uint64_t first = batch.unsigned_integer(0);
  const auto content =
      reader_.decompress(read_content(first, batch.unsigned_integer(1), batch.blob(2)), codec::batch_content_bytes_max);
  if (!content) return std::nullopt;
  const auto operations = codec::split_list(*content);
  if (!operations) return std::nullopt;
  const std::string_view bytes = operations->at(counter - first);
  std::size_t elements = 0;
  const auto operation = codec::decode_operation(bytes, {{}, counter}, {}, elements);
  if (!operation) return std::nullopt;
  return StoredOperation{counter, operation->record, std::string(bytes), elements};
}

#define ALL_REFUSED                                             \
  "SELECT device, counter, record, content FROM former_refused" \
  " UNION ALL SELECT x'', counter, record, content FROM refused"
#define UNSETTLED "(device, counter) NOT IN (SELECT device, counter FROM settled_refusal)"

std::vector<Refusal> Outbox::refused() {
  auto select = connection_.prepare("SELECT * FROM (" ALL_REFUSED ") WHERE " UNSETTLED " ORDER BY device, counter");
  std::vector<Refusal> refusals;
  while (select.step()) {
    const std::uint64_t counter = select.unsigned_integer(1);
    Refused refused = read_refused(counter, select.blob(3));
    refusals.push_back({core::DeviceId::from_bytes(select.blob(0)).value_or(core::DeviceId{}), counter,
                        core::RecordId::from_bytes(select.blob(2)).value_or(core::RecordId{}), std::move(refused.code),
                        std::move(refused.message)});
  }
  return refusals;
}

std::optional<std::string> Outbox::refused_bytes(const core::DeviceId& former, std::uint64_t counter) {
  auto select =
      connection_.prepare("SELECT content FROM (" ALL_REFUSED ") WHERE device = ?1 AND counter = ?2 AND " UNSETTLED);
  select.bind_copy(1, former.is_none() ? std::string_view() : former.view()).bind_unsigned(2, counter);
  if (!select.step()) return std::nullopt;
  return read_refused(counter, select.blob(0)).bytes;
}

void Outbox::settle_refusal(const core::DeviceId& former, std::uint64_t counter) {
  auto settle = connection_.prepare("INSERT OR IGNORE INTO settled_refusal(device, counter) VALUES(?1, ?2)");
  settle.bind_copy(1, former.is_none() ? std::string_view() : former.view()).bind_unsigned(2, counter).run();
}

std::uint64_t Outbox::refused_count() {
  auto select = connection_.prepare("SELECT count(*) FROM refused");
  return select.step() ? select.unsigned_integer(0) : 0;
}

bool Outbox::has_refused(const core::RecordId& record) {
  auto select = connection_.prepare("SELECT 1 FROM (" ALL_REFUSED ") WHERE record = ?1 AND " UNSETTLED " LIMIT 1");
  select.bind_blob(1, record.view());
  return select.step();
}

void Outbox::note_stamps(const v1::BatchStamps& stamps, std::uint64_t last) {
  const std::uint64_t first = stamps.first_counter();
  auto note = connection_.prepare("INSERT OR REPLACE INTO batch_stamps(first, last, stamps) VALUES(?1, ?2, ?3)");
  note.bind_unsigned(1, first).bind_unsigned(2, last);
  note.bind_copy(3, vault_.seal({seal::Place::batch_stamps, row_of(first, last)}, stamps.SerializeAsString())).run();
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
    const std::uint64_t noted_first = noted.unsigned_integer(0);
    const std::uint64_t noted_last = noted.unsigned_integer(1);
    v1::BatchStamps stamps;
    const std::string row = row_of(noted_first, noted_last);
    if (!stamps.ParseFromString(vault_.read({seal::Place::batch_stamps, row}, noted.blob(2)))) continue;
    const Stamper stamper(stamps);
    auto waiting = connection_.prepare(
        "SELECT o.counter, r.id, o.content FROM operation o JOIN record r ON r.row = o.record"
        " WHERE o.counter BETWEEN ?1 AND ?2");
    waiting.bind_unsigned(1, std::max(first, noted_first)).bind_unsigned(2, std::min(last, noted_last));
    while (waiting.step()) {
      std::size_t elements = 0;
      const StoredOperation stored = read_operation(waiting);
      const auto operation = codec::decode_operation(stored.bytes, {{}, stored.counter}, {}, elements);
      if (operation) times[stored.counter] = stamper.effective_time(operation->claimed, stored.counter);
    }
  }
  std::vector<TimedOperation> timed;
  for (const auto& [counter, time] : times) timed.push_back({counter, time});
  return timed;
}

std::optional<SignedBatch> Outbox::stored_batch(const codec::ChainPosition& after, std::size_t wire_bytes_max) {
  auto select = connection_.prepare("SELECT first, last, head, content FROM batch WHERE first = ?1 ORDER BY last DESC");
  select.bind_unsigned(1, after.counter + 1);
  while (select.step()) {
    SignedBatch batch = read_batch(select);
    const bool fits = batch.content_bytes <= wire_bytes_max || batch.first == batch.last;
    if (batch.previous != after.hash || !fits) continue;
    batch.content = read_content(batch.first, batch.last, select.blob(3));
    return batch;
  }
  return std::nullopt;
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
      "SELECT o.counter, r.id, o.content FROM operation o JOIN record r ON r.row = o.record"
      " WHERE o.counter > ?1 ORDER BY o.counter LIMIT ?2");
  select.bind_unsigned(1, after.counter).bind_unsigned(2, codec::operations_per_batch_max);
  while (select.step() && select.unsigned_integer(0) == last + 1) {
    const StoredOperation operation = read_operation(select);
    elements += operation.elements;
    const bool full =
        list.size() + operation.bytes.size() + 8 > content_max || elements > codec::request_limits.elements_max;
    if (full && !list.empty()) break;
    codec::append_to_list(list, operation.bytes);
    ++last;
  }
  if (last == after.counter) return std::nullopt;
  SignedBatch batch;
  batch.first = after.counter + 1;
  batch.last = last;
  batch.previous = after.hash;
  batch.content = writer_.compress(list);
  batch.content_bytes = batch.content.size();
  if (list.size() >= learned_from_bytes)
    compression_ = std::clamp(static_cast<double>(batch.content.size()) / static_cast<double>(list.size()), 0.01, 1.0);
  return batch;
}

std::optional<SignedBatch> Outbox::batch_ahead_of(const SignedBatch& in_flight, std::size_t wire_bytes_max,
                                                  const core::DeviceId& device, const codec::SigningKey& key) {
  {
    auto select = connection_.prepare("SELECT first, last, head FROM batch WHERE first = ?1");
    select.bind_unsigned(1, in_flight.first);
    int cuts = 0;
    while (select.step()) {
      if (read_batch(select).previous == in_flight.previous) ++cuts;
    }
    if (cuts != 1) return std::nullopt;
  }
  return batch_after(in_flight.end(), wire_bytes_max, device, key);
}

std::string Outbox::seal_head(const SignedBatch& batch) const {
  std::string head(codec::bytes_of(batch.hash));
  head += codec::bytes_of(batch.previous);
  pack_number(head, static_cast<std::uint64_t>(batch.encoding));
  pack_number(head, batch.content.size());
  head += batch.signature;
  return vault_.seal({seal::Place::batch, row_of(batch.first, batch.last)}, head);
}

std::string Outbox::seal_content(const SignedBatch& batch) const {
  return vault_.seal({seal::Place::batch_content, row_of(batch.first, batch.last)}, batch.content);
}

void Outbox::store(const SignedBatch& batch) {
  // The same operations may have been cut so before, and then it did not fit.
  if (position_at(batch.last, codec::bytes_of(batch.hash))) return;
  auto insert = connection_.prepare("INSERT INTO batch(first, last, head, content) VALUES(?1, ?2, ?3, ?4)");
  insert.bind_unsigned(1, batch.first).bind_unsigned(2, batch.last);
  insert.bind_copy(3, seal_head(batch)).bind_copy(4, seal_content(batch)).run();
}

Result<std::vector<core::RecordId>> Outbox::reopen_after(std::uint64_t counter) {
  std::vector<core::RecordId> records;
  auto select = connection_.prepare("SELECT first, last, content FROM batch WHERE last > ?1 ORDER BY first");
  select.bind_unsigned(1, counter);
  while (select.step()) {
    auto content =
        reader_.decompress(read_content(select.unsigned_integer(0), select.unsigned_integer(1), select.blob(2)),
                           codec::batch_content_bytes_max);
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
  auto make_record = connection_.prepare("INSERT OR IGNORE INTO record(id, scope) VALUES(?1, ?2)");
  make_record.bind_blob(1, operation->record.view()).bind_blob(2, operation->scope.view()).run();
  auto waiting = connection_.prepare("SELECT 1 FROM operation WHERE counter = ?1");
  waiting.bind_unsigned(1, counter);
  if (!waiting.step()) append({counter, operation->record, std::string(bytes), elements});
  forget_refusal(counter);
  return operation->record;
}

std::optional<codec::ChainPosition> Outbox::position_at(std::uint64_t last, std::string_view hash_prefix) {
  if (last == 0) return codec::ChainPosition{};
  auto select = connection_.prepare("SELECT first, last, head FROM batch WHERE last = ?1");
  select.bind_unsigned(1, last);
  while (select.step()) {
    const SignedBatch batch = read_batch(select);
    if (codec::bytes_of(batch.hash).starts_with(hash_prefix)) return batch.end();
  }
  return std::nullopt;
}

std::vector<StoredOperation> Outbox::all() {
  auto select = connection_.prepare(
      "SELECT o.counter, r.id, o.content FROM operation o JOIN record r ON r.row = o.record ORDER BY o.counter");
  std::vector<StoredOperation> operations;
  while (select.step()) operations.push_back(read_operation(select));
  return operations;
}

std::vector<StoredOperation> Outbox::refused_operations() {
  auto select = connection_.prepare("SELECT counter, record, content FROM refused ORDER BY counter");
  std::vector<StoredOperation> operations;
  while (select.step()) {
    const std::uint64_t counter = select.unsigned_integer(0);
    operations.push_back({counter, core::RecordId::from_bytes(select.blob(1)).value_or(core::RecordId{}),
                          read_refused(counter, select.blob(2)).bytes, 0});
  }
  return operations;
}

void Outbox::set_aside(const core::DeviceId& former, std::uint64_t last) {
  auto batches = connection_.prepare(
      "INSERT INTO former_batch(device, first, last, head, content)"
      " SELECT ?1, first, last, head, content FROM batch WHERE first <= ?2");
  batches.bind_blob(1, former.view()).bind_unsigned(2, last).run();
  auto refusals = connection_.prepare("INSERT INTO former_refused SELECT ?1, counter, record, content FROM refused");
  refusals.bind_blob(1, former.view()).run();
  auto settled = connection_.prepare("UPDATE settled_refusal SET device = ?1 WHERE device = x''");
  settled.bind_blob(1, former.view()).run();
  for (const char* clear :
       {"DELETE FROM batch", "DELETE FROM batch_stamps", "DELETE FROM refused", "DELETE FROM operation"}) {
    connection_.prepare(clear).run();
  }
}

}  // namespace fieldsync::storage

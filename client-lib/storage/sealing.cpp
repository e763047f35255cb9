#include "storage/sealing.h"

#include "storage/packing.h"

namespace fieldsync::storage {
namespace {

[[noreturn]] void damaged(const std::string& what) { throw sqlite::SqliteError(Errc::storage_corrupt, what); }

}  // namespace

void Sealing::seal_what_is_open() {
  seal_settings();
  seal_directory();
  seal_records();
  seal_operations();
  seal_batches();
  connection_.execute(
      "DROP TABLE open_operation; DROP TABLE open_record; DROP TABLE open_meta; DROP TABLE open_scope;"
      "DROP TABLE open_person; DROP TABLE open_form; DROP TABLE open_refused; DROP TABLE open_batch;"
      "DROP TABLE open_batch_stamps; DROP TABLE open_former_batch; DROP TABLE open_former_refused;");
}

void Sealing::seal_settings() {
  auto open = connection_.prepare("SELECT key, value, typeof(value) = 'integer' FROM open_meta");
  while (open.step()) {
    std::string value(open.blob(1));
    if (open.integer(2) != 0) {
      const std::uint64_t number = open.unsigned_integer(1);
      value.clear();
      pack_number(value, number);
    }
    auto insert = connection_.prepare("INSERT INTO setting(key, value) VALUES(?1, ?2)");
    insert.bind_text(1, open.text(0)).bind_copy(2, vault_.seal({seal::Place::setting, open.text(0)}, value)).run();
  }
}

void Sealing::seal_directory() {
  auto scopes = connection_.prepare("SELECT id, name, role, cursor, digest FROM open_scope");
  while (scopes.step()) {
    const auto id = core::ScopeId::from_bytes(scopes.blob(0));
    if (!id) damaged("a scope has no id");
    directory_.put_about(*id, static_cast<v1::Role>(scopes.integer(2)), false, scopes.text(1));
    if (!scopes.is_null(3)) directory_.set_position(*id, scopes.blob(3), scopes.unsigned_integer(4));
  }
  auto people = connection_.prepare("SELECT id, name FROM open_person");
  v1::SyncReply told;
  while (people.step()) {
    v1::Person& person = *told.add_people();
    person.set_id(std::string(people.blob(0)));
    person.set_name(std::string(people.text(1)));
  }
  directory_.put_people(told.people());
  auto forms = connection_.prepare("SELECT bytes FROM open_form");
  while (forms.step()) {
    if (!told.add_forms()->ParseFromString(std::string(forms.blob(0)))) damaged("a form could not be read");
  }
  if (auto put = directory_.put_forms(told); !put) damaged(put.error().message());
}

void Sealing::seal_records() {
  auto open = connection_.prepare("SELECT id, scope, head, body, shown_head, shown_body, stale FROM open_record");
  while (open.step()) {
    auto insert = connection_.prepare("INSERT INTO record(id, scope, stale) VALUES(?1, ?2, 0)");
    insert.bind_copy(1, open.blob(0)).bind_copy(2, open.blob(1)).run();
    if (!open.is_null(2)) {
      const auto body = records_.body_of(open.blob(3));
      const auto state = body ? codec::decode_record(open.blob(2), *body) : Result<core::RecordState>(body.error());
      if (!state) damaged(state.error().message());
      records_.put_replica(*state);
    }
    if (!open.is_null(4)) {
      const auto body = records_.body_of(open.blob(5));
      const auto state = body ? codec::decode_record(open.blob(4), *body) : Result<core::RecordState>(body.error());
      if (!state) damaged(state.error().message());
      records_.put_shown(*state);
    }
    if (open.integer(6) == 0) continue;
    auto stale = connection_.prepare("UPDATE record SET stale = 1 WHERE id = ?1");
    stale.bind_copy(1, open.blob(0)).run();
  }
}

void Sealing::seal_operations() {
  auto open = connection_.prepare(
      "SELECT o.counter, r.id, o.bytes, o.elements FROM open_operation o JOIN open_record r ON r.row = o.record"
      " ORDER BY o.counter");
  while (open.step()) {
    const auto record = core::RecordId::from_bytes(open.blob(1));
    if (!record) damaged("a record has no id");
    outbox_.append({open.unsigned_integer(0), *record, std::string(open.blob(2)), open.unsigned_integer(3)});
  }
  auto refused = connection_.prepare(
      "SELECT x'', counter, record, bytes, code, message FROM open_refused UNION ALL"
      " SELECT device, counter, record, bytes, code, message FROM open_former_refused");
  while (refused.step()) {
    const std::uint64_t counter = refused.unsigned_integer(1);
    const std::string cell = outbox_.seal_refused(
        counter, {std::string(refused.text(4)), std::string(refused.text(5)), std::string(refused.blob(3))});
    const bool former = !refused.blob(0).empty();
    auto insert =
        former
            ? connection_.prepare("INSERT INTO former_refused(counter, record, content, device) VALUES(?1, ?2, ?3, ?4)")
            : connection_.prepare("INSERT INTO refused(counter, record, content) VALUES(?1, ?2, ?3)");
    insert.bind_unsigned(1, counter).bind_copy(2, refused.blob(2)).bind_copy(3, cell);
    if (former) insert.bind_copy(4, refused.blob(0));
    insert.run();
  }
}

void Sealing::seal_batches() {
  auto open = connection_.prepare(
      "SELECT x'', first, last, hash, previous, encoding, signature, content FROM open_batch UNION ALL"
      " SELECT device, first, last, hash, previous, encoding, signature, content FROM open_former_batch");
  while (open.step()) {
    SignedBatch batch;
    batch.first = open.unsigned_integer(1);
    batch.last = open.unsigned_integer(2);
    batch.hash = codec::hash_from(open.blob(3));
    batch.previous = codec::hash_from(open.blob(4));
    batch.encoding = static_cast<codec::Encoding>(open.integer(5));
    batch.signature = open.blob(6);
    batch.content = open.blob(7);
    const bool former = !open.blob(0).empty();
    auto insert = former
                      ? connection_.prepare(
                            "INSERT INTO former_batch(first, last, head, content, device) VALUES(?1, ?2, ?3, ?4, ?5)")
                      : connection_.prepare("INSERT INTO batch(first, last, head, content) VALUES(?1, ?2, ?3, ?4)");
    insert.bind_unsigned(1, batch.first).bind_unsigned(2, batch.last);
    insert.bind_copy(3, outbox_.seal_head(batch)).bind_copy(4, outbox_.seal_content(batch));
    if (former) insert.bind_copy(5, open.blob(0));
    insert.run();
  }
  auto stamps = connection_.prepare("SELECT last, stamps FROM open_batch_stamps");
  while (stamps.step()) {
    v1::BatchStamps read;
    if (!read.ParseFromString(std::string(stamps.blob(1)))) damaged("a batch's stamps could not be read");
    outbox_.note_stamps(read, stamps.unsigned_integer(0));
  }
}

}  // namespace fieldsync::storage

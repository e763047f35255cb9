#include "sim/team/office.h"

#include <sodium.h>

#include "codec/form_codec.h"
#include "core/check.h"
#include "engine/enrolment_text.h"
#include "service/enrolment.h"
#include "service/quarantine.h"

namespace fieldsync::team {
namespace {

constexpr server::CursorKey cursor_key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

constexpr const char* visit_form = R"(
  name: "visit" version: 1 labels { language: "en" text: "Visit" }
  fields { number: 1 name: "title" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Title" } }
  fields { number: 2 name: "summary" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Summary" } }
  fields { number: 3 name: "people" type: FIELD_TYPE_INTEGER policy: MERGE_POLICY_COUNTER
           confidentiality: CONFIDENTIALITY_TEAM labels { language: "en" text: "People met" } }
  fields { number: 4 name: "findings" type: FIELD_TYPE_GROUP confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Findings" } }
  fields { number: 5 name: "finding" type: FIELD_TYPE_TEXT group: 4 confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Finding" } }
  fields { number: 6 name: "photo" type: FIELD_TYPE_ATTACHMENT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Photo" } })";

codec::SigningKey log_key() {
  std::array<std::uint8_t, crypto_sign_SEEDBYTES> seed{7};
  codec::VerifyingKey public_key{};
  codec::SigningKey key{};
  crypto_sign_seed_keypair(public_key.data(), key.data(), seed.data());
  return key;
}

core::Instant clock_now() { return {november_2026_ms}; }

std::string code_of(Person person) { return person == Person::aigul ? "A1GY0123456789ABC" : "BAKT0123456789ABD"; }

template <typename Id>
Id id_from(char letter) {
  Id id;
  id.bytes.fill(static_cast<std::uint8_t>(letter));
  return id;
}

Result<void> add_place(server::WriteTransaction& transaction, Place place, const std::string& name) {
  if (transaction.scope(id_of(place))) return {};
  server::ScopeRow row;
  row.id = id_of(place);
  row.name = name;
  row.epoch = 7;
  transaction.add_scope(row);
  return {};
}

Result<void> add_person(server::WriteTransaction& transaction, Person person, const std::string& name) {
  for (const server::PersonRow& known : transaction.people()) {
    if (known.id == id_of(person)) return {};
  }
  transaction.add_person({id_of(person), name});
  for (const Place place : {Place::region, Place::district}) {
    transaction.put_membership(id_of(person), transaction.scope(id_of(place))->key, server::Role::monitor,
                               server::ReadingMode::scope);
  }
  return {};
}

const std::string second_code = "SEC00123456789ABE";

Result<void> add_code(server::WriteTransaction& transaction, Person person, const std::string& code) {
  const auto read = server::read_enrolment_code(code);
  if (!transaction.enrolment_code(read->id))
    transaction.add_enrolment_code({read->id, read->hash, id_of(person), {november_2026_ms + 3'600'000}});
  return {};
}

std::string text_with(const std::string& code) {
  return engine::format_enrolment({"office.example:8443", {std::string(32, 'p'), std::string(32, 'q')}, code});
}

}  // namespace

core::ScopeId id_of(Place place) { return id_from<core::ScopeId>(place == Place::region ? 'R' : 'D'); }
core::PersonId id_of(Person person) { return id_from<core::PersonId>(person == Person::aigul ? 'A' : 'B'); }

std::string enrolment_text(Person person) { return text_with(code_of(person)); }
std::string second_enrolment_text() { return text_with(second_code); }

Office::Office(std::unique_ptr<server::SqliteStore> store, sim::Machine& machine)
    : store_(std::move(store)),
      attachment_files_(machine),
      attachments_(*store_, attachment_files_, clock_now),
      service_(*store_, attachments_, cursor_key, server::AuditLog(log_key(), clock_now), clock_now),
      router_(*store_, service_, attachments_, clock_now) {}

std::string Office::file_on(const sim::Machine& machine) { return machine.folder() + "/fieldsync-server.db"; }

Result<std::unique_ptr<Office>> Office::open(sim::Machine& machine) {
  auto store = server::SqliteStore::open(file_on(machine), server::StoreHost::single_thread);
  if (!store) return store.error();
  return std::unique_ptr<Office>(new Office(std::move(*store), machine));
}

Result<void> Office::prepare(const std::function<void()>& stored) {
  using Body = std::function<Result<void>(server::WriteTransaction&)>;
  const auto put_form = [](server::WriteTransaction& transaction) -> Result<void> {
    if (transaction.form("visit")) return {};
    const auto parsed = codec::parse_form_text(visit_form);
    FIELDSYNC_CHECK(parsed, "the form above is a form");
    transaction.put_form({parsed->form.name, parsed->form.version, parsed->bytes, parsed->form.reference_data});
    return {};
  };
  const std::vector<Body> bodies{
      put_form,
      [](auto& transaction) { return add_place(transaction, Place::region, "Osh region"); },
      [](auto& transaction) { return add_place(transaction, Place::district, "Alay district"); },
      [](auto& transaction) { return add_person(transaction, Person::aigul, "Aigul"); },
      [](auto& transaction) { return add_person(transaction, Person::bakyt, "Bakyt"); },
      [](auto& transaction) { return add_code(transaction, Person::aigul, code_of(Person::aigul)); },
      [](auto& transaction) { return add_code(transaction, Person::bakyt, code_of(Person::bakyt)); },
  };
  for (const Body& body : bodies) {
    if (auto written = store_->write(body); !written) return written;
    stored();
  }
  return {};
}

Result<void> Office::end_district() {
  return store_->write([](server::WriteTransaction& transaction) -> Result<void> {
    for (const Person person : {Person::aigul, Person::bakyt}) {
      transaction.put_membership(id_of(person), transaction.scope(id_of(Place::district))->key, server::Role::none,
                                 server::ReadingMode::scope);
    }
    return {};
  });
}

Result<void> Office::add_second_code() {
  return store_->write([](auto& transaction) { return add_code(transaction, Person::aigul, second_code); });
}

Result<void> Office::accept_quarantine() {
  std::vector<core::OperationId> ids;
  auto done = store_->read([&](server::ReadTransaction& transaction) -> Result<void> {
    ids.clear();
    for (const auto& each : server::list_quarantine(transaction, std::nullopt))
      ids.push_back({each.device.id, each.counter});
    return {};
  });
  for (const core::OperationId& id : ids) {
    if (done) done = server::accept_quarantined(*store_, audit_log(), id);
  }
  return done;
}

Result<void> Office::revoke(const core::DeviceId& device) {
  return store_->write([&](server::WriteTransaction& transaction) -> Result<void> {
    const auto row = transaction.device_by_id(device);
    if (!row) return Error{Errc::unknown_device, {}};
    transaction.revoke_device(row->key, clock_now());
    return {};
  });
}

}  // namespace fieldsync::team

#include "app_office.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "codec/form_codec.h"
#include "core/id.h"
#include "service/enrolment.h"
#include "sqlite/connection.h"
#include "support/unlocked_store.h"
#include "support/whole_response.h"

namespace fieldsync::testing {
namespace {

constexpr const char* inspection_form = R"(
  name: "inspection" version: 1 labels { language: "en" text: "Inspection" }
  fields { number: 1 name: "summary" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Summary" } maximum_characters: 100 }
  fields { number: 2 name: "beds" type: FIELD_TYPE_INTEGER confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Beds" } has_range: true minimum: 0 maximum: 500 }
  fields { number: 3 name: "languages" type: FIELD_TYPE_TEXT policy: MERGE_POLICY_SET confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Languages" } }
  fields { number: 4 name: "verdict" type: FIELD_TYPE_TEXT policy: MERGE_POLICY_PER_AUTHOR confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Verdict" } }
  fields { number: 5 name: "interviews" type: FIELD_TYPE_INTEGER policy: MERGE_POLICY_COUNTER confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Interviews" } }
  fields { number: 6 name: "follow_up" type: FIELD_TYPE_TEXT policy: MERGE_POLICY_APPEND confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Follow-up" } }
  fields { number: 7 name: "severity" type: FIELD_TYPE_INTEGER policy: MERGE_POLICY_MAX confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Severity" } }
  fields { number: 8 name: "cells" type: FIELD_TYPE_GROUP confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Cells" } }
  fields { number: 9 name: "cell_state" type: FIELD_TYPE_TEXT group: 8 confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "State" } }
  fields { number: 10 name: "witness" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_SEALED
           labels { language: "en" text: "Witness" } }
  fields { number: 11 name: "held" type: FIELD_TYPE_INTEGER policy: MERGE_POLICY_COUNTER confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Held" } has_range: true minimum: 0 maximum: 500 })";
constexpr const char* finding_form = R"(
  name: "finding" version: 1 labels { language: "en" text: "Finding" }
  fields { number: 1 name: "inspection" type: FIELD_TYPE_REFERENCE refers_to: "inspection" confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Inspection" } }
  fields { number: 2 name: "title" type: FIELD_TYPE_LOCAL_TEXT policy: MERGE_POLICY_SET confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Title" } })";

constexpr const char* address = "office.example:9443";

// Catch2's checks are for one thread, and a sync may run on another.
void expect(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

}  // namespace

AppOffice::AppOffice() {
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    for (const char* text : {inspection_form, finding_form}) {
      const auto parsed = codec::parse_form_text(text);
      if (!parsed) return parsed.error();
      transaction.put_form({parsed->form.name, parsed->form.version, parsed->bytes});
    }
    return {};
  }));
}

std::string AppOffice::enrolment_for(const core::PersonId& person) {
  const std::string code = server::new_enrolment_code();
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.add_enrolment_code(*server::hash_enrolment_code(code), {person, now + core::Milliseconds{1}, false});
    return {};
  }));
  return std::string("fieldsync:1:") + address + ":" + std::string(64, 'a') + ":" + code;
}

class App::Wire : public engine::Transport {
 public:
  Wire(App& app, const transport::HttpsSettings& settings) : app_(app) {
    expect(settings.address == address, "the app connects to its office");
    expect(settings.pins == app.office_.pins, "the app expects its office's keys");
    const auto key = tls::device_public_key(settings.certificate_pem);
    expect(static_cast<bool>(key), "the app has a certificate");
    request_.peer_key = *key;
  }

  void start(std::string path, std::string body) override {
    request_.method = "POST";
    request_.target = std::move(path);
    request_.content_type = "application/x-protobuf";
    request_.body = std::move(body);
  }

  Result<engine::HttpReply> wait() override {
    ++app_.exchanges;
    app_.on_the_way();
    if (cancelled_) return Error{Errc::cancelled, {}};
    if (app_.faults.empty()) return ask();
    const Fault fault = app_.faults.front();
    app_.faults.pop_front();
    if (fault.where == Fault::Where::after_the_server) expect(static_cast<bool>(ask()), "the office answers");
    return fault.instead;
  }
  void cancel() override { cancelled_ = true; }
  [[nodiscard]] engine::WireBytes wire_bytes() const override { return {}; }

 private:
  Result<engine::HttpReply> ask() {
    server::Router router = app_.office_.router();
    auto refused = router.gate(request_);
    server::Response response = refused ? std::move(*refused) : whole(router.handle(request_));
    if (response.status == 200 && !app_.changes.empty()) change(response.body);
    return engine::HttpReply{response.status, response.content_type, response.body};
  }

  void change(std::string& body) {
    v1::SyncReply reply;
    expect(reply.ParseFromString(body), "the office's reply can be read");
    app_.changes.front()(reply);
    app_.changes.pop_front();
    body = reply.SerializeAsString();
  }

  App& app_;
  server::Request request_;
  std::atomic<bool> cancelled_ = false;
};

App::App(AppOffice& office, const core::PersonId& person) : App(office, Fresh{}) {
  must(database_->enrol(office.enrolment_for(person), "A phone"));
  sync();
}

void App::open() {
  api::Environment environment = api::real_environment();
  environment.wall_clock = [this] { return office_.now; };
  environment.steady_clock = [] { return core::Milliseconds{0}; };
  // Pauses are tested in tests/unit/engine: here none takes any time.
  environment.jitter = [] { return 0.0; };
  environment.connect = [this](const transport::HttpsSettings& settings) {
    on_connecting();
    return std::make_unique<Wire>(*this, settings);
  };
  database_ = api::make_database(must(open_unlocked(folder() + "/fieldsync.db", std::move(environment))), lock_after);
}

std::string App::copy_store() {
  database_.reset();
  // Closing wrote the log into the database: it is one file now.
  std::ostringstream copy;
  copy << std::ifstream(folder() + "/fieldsync.db", std::ios::binary).rdbuf();
  open();
  return copy.str();
}

void App::put_back(const std::string& copy) {
  database_.reset();
  std::ofstream(folder() + "/fieldsync.db", std::ios::binary) << copy;
  open();
}

void App::damage(const char* sql) {
  database_.reset();
  {
    const auto store = must(open_unlocked(folder() + "/fieldsync.db", api::real_environment()));
    storage::Transaction transaction(store->vault);
    store->connection->execute(sql);
    transaction.commit();
  }
  open();
}

void App::sync() { must(database_->sync({})); }

core::RecordId App::write(const std::string& field, core::Value value) {
  RecordEditor editor = must(database_->create("inspection", office_.scope));
  must(editor.set(field, std::move(value)));
  must(editor.save());
  return editor.id();
}

void App::edit(const core::RecordId& record, const std::string& field, core::Value value) {
  RecordEditor editor = open_editor(record);
  must(editor.set(field, std::move(value)));
  must(editor.save());
}

RecordEditor App::open_editor(const core::RecordId& record) { return must(database_->edit(record)); }

Values App::shown(const core::RecordId& record, const std::string& field, const core::ItemId& item) {
  Values values;
  const RecordView view = must(database_->read(record));
  if (const ShownField* found = view.find(field, item)) {
    for (const ShownValue& value : found->values) values.push_back(value.value);
  }
  return values;
}

bool App::in_conflict(const core::RecordId& record, const std::string& field) {
  const RecordView view = must(database_->read(record));
  const ShownField* found = view.find(field);
  return found != nullptr && found->conflict;
}

}  // namespace fieldsync::testing

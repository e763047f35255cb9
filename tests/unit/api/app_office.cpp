#include "app_office.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "codec/form_codec.h"
#include "core/id.h"
#include "service/enrolment.h"
#include "sqlite/connection.h"
#include "support/routed_request.h"
#include "support/unlocked_store.h"

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
  fields { number: 40 name: "photo" type: FIELD_TYPE_ATTACHMENT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Photo" } }
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
      transaction.put_form({parsed->form.name, parsed->form.version, parsed->bytes, parsed->form.reference_data});
    }
    return {};
  }));
}

std::string AppOffice::enrolment_for(const core::PersonId& person) {
  std::string code;
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    code = server::add_enrolment_code(transaction, person, now + core::Milliseconds{1});
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
    peer_key_ = *key;
  }

  void start(engine::HttpRequest request) override {
    sent_ = std::move(request);
    answer_.reset();
    underway_ = {};
  }
  bool wait_for(core::Milliseconds /*span*/) override {
    if (!answer_) answer_.emplace(exchange());
    return true;
  }
  engine::Underway underway() override { return std::exchange(underway_, {underway_.sent, underway_.status, {}}); }
  Result<engine::HttpReply> wait() override {
    wait_for({});
    return *answer_;
  }
  void cancel() override { cancelled_ = true; }
  [[nodiscard]] engine::WireBytes wire_bytes() const override { return {}; }

 private:
  Result<engine::HttpReply> exchange() {
    ++app_.exchanges;
    app_.requests.push_back(sent_.method + " " + sent_.path.substr(0, sent_.path.find('?')));
    app_.on_the_way();
    if (cancelled_) return Error{Errc::cancelled, {}};
    if (app_.faults.empty()) return arrived(SIZE_MAX);
    const Fault fault = app_.faults.front();
    app_.faults.pop_front();
    switch (fault.where) {
      case Fault::Where::before_the_server: break;
      case Fault::Where::after_the_server: expect(ask(SIZE_MAX).has_value(), "the office answers"); break;
      case Fault::Where::within_the_body: static_cast<void>(ask(fault.bytes)); break;
      case Fault::Where::within_the_reply: return arrived(fault.bytes);
    }
    return fault.instead;
  }

  std::optional<server::Response> ask(std::size_t arriving) {
    if (sent_.method == "PUT") app_.bytes_sent += std::min(arriving, sent_.body.size());
    server::Router router = app_.office_.router();
    return answer_of(router, as_request(sent_, peer_key_, {}), arriving);
  }

  // As much of the reply's body as `bytes`, of which one that breaks may have all; an
  // attachment's is handed over as it arrives.
  Result<engine::HttpReply> arrived(std::size_t bytes) {
    server::Response response = std::move(*ask(SIZE_MAX));
    if (response.status == 200 && sent_.path.starts_with("/v1/sync") && !app_.changes.empty()) change(response.body);
    const bool breaks = bytes <= response.body.size();
    if (sent_.method == "GET" && response.status < 300) {
      underway_ = {0, response.status, response.body.substr(0, bytes)};
      app_.bytes_received += underway_.received.size();
      response.body.clear();
    }
    if (breaks) return Error{Errc::connection_lost, {}};
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
  std::string peer_key_;
  engine::HttpRequest sent_;
  std::optional<Result<engine::HttpReply>> answer_;
  engine::Underway underway_;
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

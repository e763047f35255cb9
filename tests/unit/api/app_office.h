// app_office.h: the real Database of an app against the real router and service
// of an office, in one process: no TLS, no waiting, a clock that stands still.
#pragma once

#include <chrono>
#include <deque>
#include <functional>

#include "api/local_database.h"
#include "engine/transport.h"
#include "fieldsync/database.h"
#include "fieldsync/v1/sync.pb.h"
#include "handlers/router.h"
#include "support/core_builders.h"
#include "unit/server/test_office.h"

namespace fieldsync::testing {

// A TestOffice with a form "inspection", which has a field of every policy and a
// group, and a form "finding" that points to one.
class AppOffice : public TestOffice {
 public:
  AppOffice();

  // The keys that an app must expect of the office.
  std::vector<std::string> pins{std::string(32, '\xaa')};
  // An enrolment text for this person, which names one key, of 32 bytes 0xaa.
  [[nodiscard]] std::string enrolment_for(const core::PersonId& person);
  // Of the store as it is now: a restored one is another.
  [[nodiscard]] server::Router router() {
    return {*store, *service, *attachments, [this] { return now; }};
  }
};

// What happens to the next exchange.
struct Fault {
  enum class Where { before_the_server, after_the_server, within_the_body, within_the_reply };
  Where where = Where::before_the_server;
  Result<engine::HttpReply> instead;
  std::size_t bytes = 0;  // that arrive, of the body or of the reply
};

class App {
 public:
  // Enrolled as the person, and synced once.
  App(AppOffice& office, const core::PersonId& person);
  explicit App(AppOffice& office) : App(office, office.monitor) {}
  // Not enrolled.
  struct Fresh {};
  App(AppOffice& office, Fresh) : office_(office) { open(); }

  Database& operator*() { return *database_; }
  Database* operator->() { return database_.get(); }

  void close() { database_.reset(); }
  void restart() {
    close();
    open();
  }
  // The store's file as it is now, and such a copy in the place of the store: after
  // that the app knows no more than the copy does.
  [[nodiscard]] std::string copy_store();
  void put_back(const std::string& copy);
  // Runs the SQL on the closed store as a mistake of the library would, and opens it again.
  void damage(const char* sql);
  [[nodiscard]] std::string folder() const { return folder_.path().string(); }

  std::deque<Fault> faults;  // for the exchanges to come
  int exchanges = 0;
  // What it asked for: "POST /v1/sync".
  std::vector<std::string> requests;
  // Of attachments.
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  // Changes the next replies, one each, before the app hears them.
  std::deque<std::function<void(v1::SyncReply&)>> changes;
  // From the next restart() on the store locks itself after so long; 0: never.
  std::chrono::seconds lock_after{0};
  // Called when a sync is about to connect, with the store's lock held.
  std::function<void()> on_connecting = [] {};
  // Called while a request is on its way.
  std::function<void()> on_the_way = [] {};

  // Must succeed.
  void sync();
  // A saved record of the form "inspection".
  core::RecordId write(const std::string& field, core::Value value);
  void edit(const core::RecordId& record, const std::string& field, core::Value value);
  RecordEditor open_editor(const core::RecordId& record);
  // The values on the screen, first the one that counts.
  Values shown(const core::RecordId& record, const std::string& field, const core::ItemId& item = {});
  bool in_conflict(const core::RecordId& record, const std::string& field);

 private:
  class Wire;
  void open();

  AppOffice& office_;
  TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
};

[[nodiscard]] inline Fault lost_request(Errc code = Errc::connection_lost) {
  return {Fault::Where::before_the_server, Error{code, {}}};
}
[[nodiscard]] inline Fault lost_reply() { return {Fault::Where::after_the_server, Error{Errc::connection_lost, {}}}; }
[[nodiscard]] inline Fault no_fault() {
  return {Fault::Where::within_the_reply, Error{Errc::internal_error, {}}, SIZE_MAX};
}
[[nodiscard]] inline Fault cut_body(std::size_t bytes) {
  return {Fault::Where::within_the_body, Error{Errc::connection_lost, {}}, bytes};
}
[[nodiscard]] inline Fault cut_reply(std::size_t bytes) {
  return {Fault::Where::within_the_reply, Error{Errc::connection_lost, {}}, bytes};
}
[[nodiscard]] inline Fault answer(engine::HttpReply reply) {
  return {Fault::Where::before_the_server, std::move(reply)};
}

// "done", or the name of the refusal; a refusal must be a sentence.
template <typename T>
std::string_view verdict(const Result<T>& result) {
  if (result) return "done";
  INFO(result.error().message());
  CHECK(result.error().message().size() > 10);
  const std::string message = result.error().message();
  CHECK((message.ends_with('.') || message.ends_with(')')));
  return describe(result.error().code).name;
}

// Must succeed.
template <typename T>
T must(Result<T> result) {
  INFO((result ? "" : result.error().message()));
  REQUIRE(result);
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  INFO((result ? "" : result.error().message()));
  REQUIRE(result);
}

}  // namespace fieldsync::testing

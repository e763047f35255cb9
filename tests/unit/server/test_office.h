// test_office.h: a server without a network: a store in a temporary folder, a
// clock that stands still, two scopes, and a monitor in the first.
#pragma once

#include <catch2/catch.hpp>
#include <memory>

#include "service/sync_service.h"
#include "store/sqlite/sqlite_store.h"
#include "support/memory_attachment_files.h"
#include "support/temporary_folder.h"
#include "support/test_device.h"

namespace fieldsync::testing {

namespace office_fields {
inline constexpr std::uint32_t summary = 1;  // text
inline constexpr std::uint32_t beds = 2;     // integer, 0 to 500
inline constexpr std::uint32_t names = 3;    // text that must be sealed
inline constexpr std::uint32_t photo = 4;    // attachment
inline constexpr std::uint32_t part_of = 1;  // of the form `note`: the visit that it is part of
inline constexpr std::uint32_t note_text = 2;
}  // namespace office_fields

// What must stay as it was when a request is refused.
struct Standing {
  std::uint64_t last_counter = 0, head = 0, digest = 0, other_head = 0, quarantined = 0, operations = 0;
  bool operator==(const Standing&) const = default;
};

class TestOffice {
 public:
  TestOffice();

  core::ScopeId scope, other_scope;
  core::PersonId monitor;
  core::Instant now;
  std::unique_ptr<server::SqliteStore> store;
  MemoryAttachmentFiles files;  // restore_copy() leaves them as they are
  std::unique_ptr<server::AttachmentService> attachments;
  std::unique_ptr<server::SyncService> service;
  std::size_t records_read_per_day = server::records_read_per_day_max;  // from the next start of the services on

  core::PersonId add_person(server::Role role, const core::ScopeId& where,
                            server::ReadingMode mode = server::ReadingMode::scope);
  void set_role(const core::PersonId& person, const core::ScopeId& where, server::Role role,
                server::ReadingMode mode = server::ReadingMode::scope);
  // In proto text.
  void have_form(const char* text);
  // The form `note`, whose records are part of a visit.
  void have_notes();
  // The office's decision.
  void join(const core::PersonId& person, const core::RecordId& record);
  void leave(const core::PersonId& person, const core::RecordId& record);
  // Enrolled as the monitor where nobody else is named.
  TestDevice add_device(const core::PersonId& person);
  TestDevice add_device() { return add_device(monitor); }
  void revoke(const TestDevice& device);

  // Stops, keeps a copy of the database, and goes on.
  void keep_copy();
  // Loses everything since keep_copy().
  void restore_copy();

  Result<v1::SyncReply> sync(const TestDevice& device, const v1::SyncRequest& request) {
    return service->sync(device.id, request, server::BodyStyle::plain);
  }
  // The same by a second node, which still reads what keep_copy() kept.
  Result<v1::SyncReply> sync_reading_the_copy(const TestDevice& device, const v1::SyncRequest& request);
  // Sends the operations as one batch and takes up the answer.
  v1::SyncReply push(TestDevice& device, const std::vector<core::Operation>& operations);
  // Downloads until nothing is left; the number of pages.
  int pull(TestDevice& device, std::uint32_t budget = 0);

  Standing standing(const TestDevice& device);
  // The request is refused as a whole with this code, and changed nothing.
  void refuses(const TestDevice& device, const v1::SyncRequest& request, Errc code);
  // The batch is acknowledged; its first operation went to quarantine with this
  // code and its second, a good one, was applied.
  void quarantines(TestDevice& device, const std::string& operation, Errc code);
  void quarantines(TestDevice& device, const core::Operation& operation, Errc code);

 protected:
  [[nodiscard]] std::string file() const { return (folder_.path() / "server.db").string(); }
  void open();
  void close();
  // Over the same store and files.
  void make_services();
  // Another key for the audit log, from the next start on.
  void make_log_key();

 private:
  TemporaryFolder folder_;
  server::CursorKey cursor_key_{};
  codec::SigningKey log_key_{};
};

[[nodiscard]] inline core::FieldWrite writes_text(std::string text) {
  return {{{}, office_fields::summary}, core::Value{std::move(text)}, {}};
}
[[nodiscard]] inline core::FieldWrite writes_beds(std::int64_t beds) {
  return {{{}, office_fields::beds}, core::Value{beds}, {}};
}

// Ends with a full stop and begins with a capital: something that a person can read.
void check_sentence(const std::string& message);

}  // namespace fieldsync::testing

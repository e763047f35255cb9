// office.h: the real server on a simulated machine, without a network: its store,
// its attachments, its service and its router, called directly.
//
// What an administrator does is done only where it is still missing, so that a
// script may be run again after a power cut.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/id.h"
#include "handlers/router.h"
#include "sim/machine_attachment_files.h"
#include "store/sqlite/sqlite_store.h"
#include "support/routed_request.h"

namespace fieldsync::team {

inline constexpr std::int64_t november_2026_ms = 1'795'500'000'000;

// Two scopes: all work is done in the region; the second ends for its members.
enum class Place : std::uint8_t { region, district };
enum class Person : std::uint8_t { aigul, bakyt };

[[nodiscard]] core::ScopeId id_of(Place place);
[[nodiscard]] core::PersonId id_of(Person person);
// As the person's device is given it.
[[nodiscard]] std::string enrolment_text(Person person);
// With Aigul's second code.
[[nodiscard]] std::string second_enrolment_text();

class Office {
 public:
  [[nodiscard]] static std::string file_on(const sim::Machine& machine);
  [[nodiscard]] static Result<std::unique_ptr<Office>> open(sim::Machine& machine);

  // The form "visit", the places, the people and their codes, each in a
  // transaction of its own, after which `stored` is called.
  Result<void> prepare(const std::function<void()>& stored);
  Result<void> end_district();
  Result<void> add_second_code();
  // All that is in quarantine.
  Result<void> accept_quarantine();
  Result<void> revoke(const core::DeviceId& device);

  [[nodiscard]] server::Store& store() { return *store_; }
  [[nodiscard]] server::SyncService& service() { return service_; }
  [[nodiscard]] const server::AuditLog& audit_log() const { return service_.audit_log(); }
  [[nodiscard]] server::AttachmentService& attachments() { return attachments_; }
  [[nodiscard]] server::Response handle(const server::Request& request) {
    return *testing::answer_of(router_, request);
  }

 private:
  Office(std::unique_ptr<server::SqliteStore> store, sim::Machine& machine);

  std::unique_ptr<server::SqliteStore> store_;
  sim::MachineAttachmentFiles attachment_files_;
  server::AttachmentService attachments_;
  server::SyncService service_;
  server::Router router_;
};

}  // namespace fieldsync::team

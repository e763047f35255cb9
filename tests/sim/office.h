// office.h: who and what there is at the office: scopes, people, forms, and what
// administrators decide about them while the devices are away.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/quarantine_desk.h"
#include "sim/server.h"

namespace fieldsync::sim {

struct OfficePerson {
  core::PersonId id;
  std::string name;
  std::vector<std::size_t> scopes;  // member of these now
  // Scopes that were taken away at some time, and until when: for ever where they were
  // not given back.
  std::map<std::size_t, std::int64_t> away_until_ms;
  // Of those that were not given back: since when the office knows.
  std::map<std::size_t, std::int64_t> away_since_ms;
  // Scopes that the person reads and may not write in; and the same of earlier ones.
  std::set<std::size_t> on_board;
  std::map<std::size_t, std::int64_t> board_until_ms;
  std::map<std::size_t, std::int64_t> board_since_ms;
  // A decision was told to have failed, and may come back with the log when the server
  // starts again.
  bool is_unsure = false;
};

struct OfficeScope {
  core::ScopeId id;
  std::string name;
};

class Office {
 public:
  Office(Run& run, Server& server);

  // Writes down all that was decided: at first, and again after an older copy
  // of the database was started. Pre: the server is up and its disk works.
  void write_down();
  // The same, as soon as somebody notices: until then what was taken away is given again.
  void write_down_after(std::int64_t ms);
  // At once, but for the form: somebody notices later that its newest version is lost.
  void write_down_form_after(std::int64_t ms);

  // Whether a copy of the database from that time misses such a decision.
  [[nodiscard]] bool has_taken_rights_since(std::int64_t ms) const { return rights_taken_ms_ > ms; }
  [[nodiscard]] bool has_published_since(std::int64_t ms) const { return form_published_ms_ > ms; }

  // A new code for the person's device. Nothing where the server cannot store it now.
  [[nodiscard]] std::optional<std::string> new_code(std::size_t person);
  void revoke(const core::DeviceId& device);
  // Takes one membership of the person away, and says which. Nothing where there is none.
  std::optional<std::size_t> take_from_scope(std::size_t person);
  void give_scope(std::size_t person, std::size_t scope);
  // Makes a monitor of the scope one of its board, and says of which. Nothing where there
  // is none.
  std::optional<std::size_t> move_to_board(std::size_t person);
  void move_back(std::size_t person, std::size_t scope);
  // Publishes the next version of the form.
  void renew_form();

  [[nodiscard]] const std::vector<OfficeScope>& scopes() const { return scopes_; }
  [[nodiscard]] const std::vector<OfficePerson>& people() const { return people_; }
  [[nodiscard]] bool is_revoked(const core::DeviceId& device) const { return revoked_.contains(device); }
  // How many of the device's operations the office had when it revoked the device.
  // Nothing where it did not come to that.
  [[nodiscard]] std::optional<std::uint64_t> had_when_revoked(const core::DeviceId& device) const;
  [[nodiscard]] QuarantineDesk& desk() { return desk_; }
  [[nodiscard]] const QuarantineDesk& desk() const { return desk_; }
  [[nodiscard]] std::uint32_t form_version() const { return form_version_; }

 private:
  Result<void> write_all(server::WriteTransaction& transaction);
  Result<void> write_all_but_form(server::WriteTransaction& transaction);
  void write_now(const std::function<Result<void>(server::WriteTransaction&)>& body);
  void publish_form();
  void decide_memberships(std::size_t person);
  // The database has the person's memberships as they are.
  void note_written(OfficePerson& person);
  // Tries until the database took it. `tried` hears each time whether it did.
  void decide(
      const std::function<Result<void>(server::WriteTransaction&)>& body,
      const std::function<void(bool)>& tried = [](bool) {});

  Run& run_;
  Server& server_;
  QuarantineDesk desk_;
  std::vector<OfficeScope> scopes_;
  std::vector<OfficePerson> people_;
  std::set<core::DeviceId> revoked_;
  std::map<core::DeviceId, std::uint64_t> had_when_revoked_;
  std::set<core::DeviceId> unsure_revocations_;
  std::uint32_t form_version_ = 1;
  std::int64_t rights_taken_ms_ = -1;  // the last time
  std::int64_t form_published_ms_ = -1;
};

}  // namespace fieldsync::sim

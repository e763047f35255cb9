#include "scenarios.h"

#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "codec/form_codec.h"
#include "core/check.h"
#include "support/allocation_pause.h"
#include "support/unlocked_store.h"

namespace fieldsync::fault_points {
namespace {

using team::Run;
using team::Team;
using team::Who;

// Work without a state of its own.
class Action final : public Work {
 public:
  explicit Action(std::function<Result<void>(Team&)> body) : body_(std::move(body)) {}
  Result<void> act(Team& team) override { return body_(team); }

 private:
  std::function<Result<void>(Team&)> body_;
};

// Work that asks. It is asked again without the fault, and must be told the same.
class Reading final : public Work {
 public:
  using Ask = std::function<Result<std::string>(Team&)>;
  explicit Reading(Ask ask) : ask_(std::move(ask)) {}
  Result<void> act(Team& team) override {
    auto answer = ask_(team);
    if (!answer) return answer.error();
    const testing::AllocationPause pause;
    answers_.insert(std::move(*answer));
    return {};
  }
  std::string verify(Team&) override {
    return answers_.size() == 1 ? std::string() : "it answered something else under the fault";
  }

 private:
  Ask ask_;
  std::set<std::string> answers_;
};

template <typename T>
Result<void> only_error(const Result<T>& result) {
  return result ? Result<void>() : Result<void>(result.error());
}

constexpr const char* edited = "Visit 1";
constexpr std::int64_t people_met = 3;

// What the app itself allocates does not fail.
core::Value text(const char* letters) {
  const testing::AllocationPause pause;
  return core::Value{std::string(letters)};
}

std::string first_letters(const core::RecordId& record) {
  const testing::AllocationPause pause;
  return record.hex().substr(0, 8);
}

core::Value first_value(const RecordView& view, std::string_view field) {
  const ShownField* shown = view.find(field);
  return shown == nullptr ? core::Value{} : shown->values.front().value;
}

// One editor, filled and saved; where a call fails it is made again on the same
// editor. What was set before and what was not stored must still be right.
class EditorWork final : public Work {
 public:
  explicit EditorWork(Team& team) : record_(*team.phone.find(edited)), saved_before_(*team.phone.saved()) {
    people_before_ = std::get<std::int64_t>(first_value(*team.phone.database().read(record_), "people"));
  }

  Result<void> act(Team& team) override {
    if (!editor_) {
      auto opened = team.phone.database().edit(record_);
      if (!opened) return opened.error();
      editor_.emplace(std::move(*opened));
    }
    const std::array<std::function<Result<void>()>, 7> calls{
        [&] { return editor_->set("summary", text("First try.")); },
        [&] { return editor_->set("summary", text("Written with every care, and long enough to need memory.")); },
        [&] { return editor_->set("people", people_met); },
        [&]() -> Result<void> {
          auto item = editor_->add_item("findings");
          if (item) item_ = *item;
          return only_error(item);
        },
        [&] { return editor_->set("finding", text("A finding that is long enough to need memory."), item_); },
        [&] { return editor_->open_field("title"); },
        [&] { return only_error(editor_->save()); },
    };
    for (; next_ < calls.size(); ++next_) {
      if (auto done = calls[next_](); !done) return done;
    }
    return {};
  }

  std::string verify(Team& team) override {
    const auto saved = team.phone.saved();
    const auto view = team.phone.database().read(record_);
    if (!saved || !view) return "it cannot be read";
    if (*saved != saved_before_ + 1) return "it was saved " + std::to_string(*saved - saved_before_) + " times";
    if (first_value(*view, "people") != core::Value(people_before_ + people_met)) return "the count is wrong";
    if (first_value(editor_->view(), "people") != core::Value(people_before_ + people_met))
      return "the editor shows another count";
    const ShownField* finding = view->find("finding", item_);
    return finding == nullptr ? "the new item is missing" : std::string();
  }

 private:
  core::RecordId record_;
  std::uint64_t saved_before_;
  std::int64_t people_before_ = 0;
  std::optional<RecordEditor> editor_;
  core::ItemId item_;
  std::size_t next_ = 0;
};

// A wipe that failed: the app opens the store again, and it is whole or erased. Then it is wiped once more.
class WipeWork final : public Work {
 public:
  Result<void> act(Team& team) override {
    if (std::exchange(failed_before_, true)) {
      const auto opened = team.phone.open();
      if (!opened) return opened.error().code == Errc::wiped ? Result<void>() : opened;
    }
    return team.phone.wipe();
  }
  std::string verify(Team& team) override { return team.phone.is_empty() ? std::string() : "it leaves files"; }

 private:
  bool failed_before_ = false;
};

Credentials other_credentials() {
  return {{}, [](std::string_view) -> Result<std::string> { return std::string(32, 'o'); }};
}

// What opens the store goes, and comes back. A call that fails has changed nothing.
class CredentialsWork final : public Work {
 public:
  Result<void> act(Team& team) override {
    Database& database = team.phone.database();
    while (next_ < 2) {
      const Credentials& known = next_ == 0 ? usual_ : other_;
      const Credentials& added = next_ == 0 ? other_ : usual_;
      if (auto done = database.replace_credentials(known, added); !done) return done;
      ++next_;
    }
    return {};
  }
  std::string verify(Team& team) override {
    Database& database = team.phone.database();
    database.lock();
    if (database.unlock(other_)) return "what was taken away opens it";
    return database.unlock(usual_) ? std::string() : "what was put back does not open it";
  }

 private:
  Credentials usual_ = testing::app_credentials();
  Credentials other_ = other_credentials();
  int next_ = 0;
};

// The others only prepare what comes after them.
bool is_work(const std::string& phase) {
  return phase != "backup" && phase != "older copy" && phase != "older app" && phase != "agreement";
}

bool allocates_itself(const std::string& phase) {
  for (const char* name : {"create", "administration", "save", "reopen", "migrate", "revoke", "enrolled anew",
                           "hand in", "erased", "add photo", "fetch", "compare", "amend", "accept"}) {
    if (phase == name) return true;
  }
  return false;
}

DiskSet disks_of(Team& team) {
  team.close_all();
  return {team.office_machine.files(), team.phone_machine.files(), team.tablet_machine.files()};
}

Result<void> renew_form(Team& team) {
  return team.office->store().write([](server::WriteTransaction& transaction) -> Result<void> {
    auto row = transaction.form("visit");
    FIELDSYNC_CHECK(row.has_value(), "the script imported it");
    row->version += 1;
    transaction.put_form(*row);
    return {};
  });
}

Result<void> check_integrity(Team& team) {
  std::string problem;
  auto checked = team.office->store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    problem = transaction.integrity_problem();
    static_cast<void>(transaction.counts());
    static_cast<void>(transaction.devices());
    return {};
  });
  if (!checked || problem.empty()) return checked;
  return Error{Errc::storage_corrupt, problem};
}

// A name that is not known just now is an id in short.
Result<void> name_people(Team& team) {
  const core::PersonId bakyt = id_of(team::Person::bakyt);
  const std::string name = team.phone.database().person_name(bakyt);
  const testing::AllocationPause pause;
  if (name == "Bakyt" || name == bakyt.hex().substr(0, 8)) return {};
  return Error{Errc::internal_error, "Bakyt is called " + name};
}

const std::string other_server = "other.example:8443";

// The parts of an answer in a line; an app's own memory does not fail.
template <typename... Parts>
std::string line_of(const Parts&... parts) {
  const testing::AllocationPause pause;
  std::ostringstream line;
  ((line << parts << ' '), ...);
  line << '\n';
  return line.str();
}

std::string told(const RecordView& view) {
  std::string lines = line_of(view.id.hex(), view.form, view.deleted, static_cast<int>(view.progress));
  const testing::AllocationPause pause;
  for (const ShownField& field : view.fields)
    lines += line_of(field.name, field.item.hex(), field.values.size(), field.conflict);
  return lines;
}
std::string told(const core::RecordId& id) { return line_of(id.hex()); }
std::string told(const Conflict& conflict) {
  return line_of(conflict.record.hex(), conflict.field_name, conflict.values.size());
}
std::string told(const RefusedOperation& refused) {
  return line_of(refused.operation.counter, refused.record.hex(), refused.code);
}
std::string told(const Status& status) {
  return line_of(status.saved_here, status.sent, status.durable, status.refused, status.open_conflicts, status.records);
}
std::string told(const core::Form& form) { return line_of(form.name, form.version, form.fields.size()); }
std::string told(const ScopeInfo& scope) { return line_of(scope.id.hex(), scope.name, scope.records, scope.digest); }

template <typename T>
std::string told(const std::vector<T>& all) {
  const testing::AllocationPause pause;
  std::string lines;
  for (const T& one : all) lines += told(one);
  return lines;
}

template <typename T>
Result<std::string> answer_of(const Result<T>& result) {
  const testing::AllocationPause pause;
  return result ? Result<std::string>(told(*result)) : Result<std::string>(result.error());
}

// What an app asks; it changes nothing.
std::vector<std::pair<std::string, Reading::Ask>> readings() {
  return {
      {"search", [](Team& team) { return answer_of(team.phone.database().query({.form = "visit", .text = "text"})); }},
      {"read",
       [](Team& team) -> Result<std::string> {
         auto record = team.phone.find(edited);
         return record ? answer_of(team.phone.database().read(*record)) : record.error();
       }},
      {"find by prefix",
       [](Team& team) -> Result<std::string> {
         auto record = team.phone.find(edited);
         return record ? answer_of(team.phone.database().find_by_prefix(first_letters(*record))) : record.error();
       }},
      {"conflicts", [](Team& team) { return answer_of(team.phone.database().conflicts()); }},
      {"status", [](Team& team) { return answer_of(team.phone.database().status()); }},
      {"refused", [](Team& team) { return answer_of(team.phone.database().refused()); }},
      {"forms", [](Team& team) { return answer_of(team.phone.database().forms()); }},
      {"form", [](Team& team) { return answer_of(team.phone.database().form("visit")); }},
      {"scopes", [](Team& team) { return answer_of(team.phone.database().scopes()); }},
      {"identity",
       [](Team& team) -> Result<std::string> {
         const Identity identity = team.phone.database().identity();
         return line_of(identity.person_name, identity.enrolled, identity.server);
       }},
  };
}

}  // namespace

std::vector<Scenario> all_scenarios(Team& team, const team::Script& script) {
  std::vector<Scenario> scenarios;
  const auto add = [&](std::string name, std::shared_ptr<const DiskSet> disks,
                       std::function<Result<void>(Team&)> body) -> Scenario& {
    const auto begin = [body = std::move(body)](Team&) { return std::make_unique<Action>(body); };
    scenarios.push_back({std::move(name), false, false, true, false, std::move(disks), begin});
    return scenarios.back();
  };
  std::shared_ptr<const DiskSet> with_conflict;
  for (std::size_t i = 0; i < script.steps().size(); ++i) {
    const team::Step& step = script.steps()[i];
    auto disks = std::make_shared<const DiskSet>(disks_of(team));
    if (step.phase == "save") with_conflict = disks;
    if (is_work(step.phase)) {
      Scenario& scenario = add(std::to_string(i + 1) + " " + step.phase, disks,
                               [run = step.run](Team& now) { return run(now, Run::first); });
      scenario.starts_closed = i == 0 || step.phase == "migrate" || step.phase == "erased";
      scenario.may_throw = allocates_itself(step.phase);
    }
    if (i > 0 && step.phase != "migrate") static_cast<void>(script.steps().front().run(team, Run::first));
    if (auto done = step.run(team, Run::first); !done)
      throw std::runtime_error("'" + step.phase + "' fails: " + done.error().message());
  }
  for (auto& [name, ask] : readings()) {
    const auto begin = [ask = ask](Team&) { return std::make_unique<Reading>(ask); };
    scenarios.push_back({name, false, name == "identity", true, false, with_conflict, begin});
  }
  add("names", with_conflict, name_people).may_throw = true;
  add("move server", with_conflict, [](Team& now) { return now.phone.database().set_server(other_server); });
  scenarios.push_back({"edit and save", false, false, false, false, with_conflict,
                       [](Team& now) { return std::make_unique<EditorWork>(now); }});
  add("open a phone", with_conflict, [](Team& now) {
    return now.phone.is_open() ? Result<void>() : now.phone.open();
  }).starts_closed = true;
  Scenario& opening =
      add("open an office", with_conflict, [](Team& now) { return now.office ? Result<void>() : now.open_office(); });
  opening.starts_closed = true;
  opening.may_throw = true;
  scenarios.push_back({"wipe, and open", false, false, false, false, with_conflict,
                       [](Team&) { return std::make_unique<WipeWork>(); }});
  scenarios.push_back({"change what opens it", false, false, true, false, with_conflict,
                       [](Team&) { return std::make_unique<CredentialsWork>(); }});
  add("import a form", with_conflict, renew_form).may_throw = true;
  Scenario& check = add("check", with_conflict, check_integrity);
  check.may_throw = true;
  check.passes_for_damage = true;
  return scenarios;
}

}  // namespace fieldsync::fault_points

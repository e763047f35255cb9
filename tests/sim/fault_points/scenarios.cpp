#include "scenarios.h"

#include <optional>
#include <stdexcept>

#include "codec/form_codec.h"
#include "core/check.h"
#include "support/allocation_pause.h"

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

// The others only prepare what comes after them.
bool is_work(const std::string& phase) { return phase != "backup" && phase != "older copy" && phase != "older app"; }

bool allocates_itself(const std::string& phase) {
  for (const char* name : {"create", "administration", "save", "reopen", "migrate", "revoke", "enrolled anew"}) {
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

const std::string other_server = "other.example:8443";

// What an app does that changes little or nothing.
std::vector<std::pair<std::string, std::function<Result<void>(Team&)>>> readings() {
  return {
      {"search", [](Team& team) { return only_error(team.phone.database().query({.form = "visit", .text = "text"})); }},
      {"read",
       [](Team& team) -> Result<void> {
         auto record = team.phone.find(edited);
         return record ? only_error(team.phone.database().read(*record)) : record.error();
       }},
      {"find by prefix",
       [](Team& team) -> Result<void> {
         auto record = team.phone.find(edited);
         return record ? only_error(team.phone.database().find_by_prefix(first_letters(*record))) : record.error();
       }},
      {"conflicts", [](Team& team) { return only_error(team.phone.database().conflicts()); }},
      {"status", [](Team& team) { return only_error(team.phone.database().status()); }},
      {"refused", [](Team& team) { return only_error(team.phone.database().refused()); }},
      {"forms and scopes",
       [](Team& team) -> Result<void> {
         if (auto forms = team.phone.database().forms(); !forms) return forms.error();
         if (auto form = team.phone.database().form("visit"); !form) return form.error();
         return only_error(team.phone.database().scopes());
       }},
      {"names",
       [](Team& team) -> Result<void> {
         static_cast<void>(team.phone.database().identity());
         static_cast<void>(team.phone.database().person_name(id_of(team::Person::bakyt)));
         return {};
       }},
      {"move server", [](Team& team) { return team.phone.database().set_server(other_server); }},
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
      scenario.starts_closed = i == 0 || step.phase == "migrate";
      scenario.may_throw = allocates_itself(step.phase);
    }
    if (i > 0 && step.phase != "migrate") static_cast<void>(script.steps().front().run(team, Run::first));
    if (auto done = step.run(team, Run::first); !done)
      throw std::runtime_error("'" + step.phase + "' fails: " + done.error().message());
  }
  for (auto& [name, body] : readings()) add(name, with_conflict, body).may_throw = name == "names";
  scenarios.push_back({"edit and save", false, false, false, false, with_conflict,
                       [](Team& now) { return std::make_unique<EditorWork>(now); }});
  add("open a phone", with_conflict, [](Team& now) {
    return now.phone.is_open() ? Result<void>() : now.phone.open();
  }).starts_closed = true;
  Scenario& opening =
      add("open an office", with_conflict, [](Team& now) { return now.office ? Result<void>() : now.open_office(); });
  opening.starts_closed = true;
  opening.may_throw = true;
  add("import a form", with_conflict, renew_form).may_throw = true;
  Scenario& check = add("check", with_conflict, check_integrity);
  check.may_throw = true;
  check.passes_for_damage = true;
  return scenarios;
}

}  // namespace fieldsync::fault_points

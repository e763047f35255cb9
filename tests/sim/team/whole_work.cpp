#include "sim/team/whole_work.h"

#include <algorithm>
#include <array>
#include <map>

#include "sim/team/database_file.h"
#include "support/laid_open.h"

namespace fieldsync::team {
namespace {

// A question that no row may answer.
struct Rule {
  const char* sentence;
  const char* sql;
};

constexpr auto office_rules = std::to_array<Rule>({
    {"a device's counter is not its last batch's",
     "SELECT 1 FROM device d WHERE d.last_counter <> coalesce((SELECT max(last) FROM batch WHERE device = d.key), 0)"},
    {"a device's hash is not its last batch's",
     "SELECT 1 FROM device d JOIN batch b ON b.device = d.key AND b.last = d.last_counter WHERE b.hash <> "
     "d.last_batch_hash"},
    {"a device's batches have a gap or overlap",
     "SELECT 1 FROM device d WHERE d.last_counter <> (SELECT coalesce(sum(last - first + 1), 0) FROM batch WHERE "
     "device = d.key)"},
    {"an operation of a batch is neither applied nor in quarantine",
     "SELECT 1 FROM device d WHERE d.last_counter <> (SELECT count(*) FROM operation_index WHERE device = d.key)"
     " + (SELECT count(*) FROM quarantine WHERE device = d.key)"},
    {"a scope's head is not its newest operation",
     "SELECT 1 FROM scope s WHERE s.head <> coalesce((SELECT max(seq) FROM operation_index WHERE scope = s.key), 0)"},
    {"a scope's operations have a gap",
     "SELECT 1 FROM scope s WHERE s.head <> (SELECT count(*) FROM operation_index WHERE scope = s.key)"},
    {"a record does not stand where its newest operation does",
     "SELECT 1 FROM record r WHERE r.last_seq <> (SELECT max(seq) FROM operation_index WHERE record = r.id)"},
    {"an operation's record is missing", "SELECT 1 FROM operation_index WHERE record NOT IN (SELECT id FROM record)"},
    {"a code was used and no device enrolled, or the other way round",
     "SELECT 1 WHERE (SELECT count(*) FROM enrolment_code WHERE used) <> (SELECT count(*) FROM device)"},
    {"a person is a member of one place only",
     "SELECT 1 FROM person p WHERE (SELECT count(*) FROM membership WHERE person = p.key) <> 2"},
});

constexpr const char* meta = "(SELECT coalesce(max(value), 0) FROM meta WHERE key = '";

const std::vector<Rule>& phone_rules() {
  static const std::string last = std::string(meta) + "last_counter')";
  static const std::string acknowledged = std::string(meta) + "acknowledged_counter')";
  // While two copies' histories are compared, what was found equal stays in the outbox.
  static const std::string comparing = std::string(meta) + "comparing')";
  static const std::string counters = "SELECT 1 WHERE " + last + " < " + acknowledged;
  static const std::string waiting = "SELECT 1 WHERE (SELECT count(*) FROM operation WHERE counter > " + acknowledged +
                                     ") <> " + last + " - " + acknowledged;
  static const std::string newest = "SELECT 1 FROM operation WHERE counter > " + last +
                                    " OR (counter <= " + acknowledged + " AND NOT " + comparing + ")";
  static const std::string sent =
      "SELECT 1 WHERE " + acknowledged + " > 0 AND NOT EXISTS (SELECT 1 FROM batch WHERE last = " + acknowledged + ")";
  static const std::vector<Rule> rules{
      {"more is acknowledged than was saved", counters.c_str()},
      {"the outbox does not hold what waits", waiting.c_str()},
      {"the outbox holds what does not wait", newest.c_str()},
      {"the batch that was acknowledged is missing", sent.c_str()},
      {"a batch's predecessor is missing",
       "SELECT 1 FROM batch b WHERE b.first > 1 AND NOT EXISTS"
       " (SELECT 1 FROM batch p WHERE p.last = b.first - 1 AND p.hash = b.previous)"},
      {"a record with operations that wait shows only what the office told",
       "SELECT 1 FROM operation o LEFT JOIN record r ON r.row = o.record WHERE r.shown_head IS NULL"},
      {"a record without operations that wait does not show what the office told",
       "SELECT 1 FROM record WHERE row NOT IN (SELECT record FROM operation) AND (shown_head IS NOT NULL OR head IS "
       "NULL)"},
      {"a key without its certificate or id",
       "SELECT 1 WHERE (SELECT count(*) FROM meta WHERE key IN ('private_key', 'certificate', 'device')) <> 3"},
      {"a person without a server",
       "SELECT 1 WHERE (SELECT count(*) FROM meta WHERE key IN ('person', 'person_name', 'server', 'server_pins')) NOT "
       "IN (0, 4)"},
  };
  return rules;
}

// A scope's digest is the sum of its records' hashes, modulo 2^64.
std::string wrong_digest(DatabaseFile& file, const std::string& scope_key) {
  std::map<std::string, std::uint64_t> sums;
  for (const auto& row : file.rows("SELECT scope, hash FROM record"))
    sums[row[0]] += static_cast<std::uint64_t>(std::stoll(row[1]));
  for (const auto& row : file.rows("SELECT " + scope_key + ", digest FROM scope")) {
    if (sums[row[0]] != static_cast<std::uint64_t>(std::stoll(row[1])))
      return "a scope's digest is not the sum of its records";
  }
  return {};
}

bool shows(const RecordView& view, const std::string& summary) {
  const ShownField* field = view.find("summary");
  if (field == nullptr) return false;
  for (const ShownValue& shown : field->values) {
    if (shown.value == core::Value(summary)) return true;
  }
  return false;
}

std::string missing_text(Phone& phone, const Script& script, std::uint64_t saved) {
  const auto views = phone.database().query({.form = "visit", .include_deleted = true});
  if (!views) return "it cannot be asked";
  // More than one where copies of the store gave one counter to several saves.
  struct Newest {
    std::uint64_t counter = 0;
    std::vector<std::string> summaries;
  };
  std::map<std::string, Newest> newest;
  for (const Saved& save : script.phone_saves()) {
    if (save.counter > saved) continue;
    Newest& of_title = newest[save.title];
    if (of_title.counter != save.counter) of_title = {save.counter, {}};
    of_title.summaries.push_back(save.summary);
  }
  for (const auto& [title, of_title] : newest) {
    bool found = false;
    for (const RecordView& view : *views) {
      for (const std::string& summary : of_title.summaries) found = found || shows(view, summary);
    }
    if (!found) return "the text last saved in '" + title + "' is not shown";
  }
  return {};
}

std::string missing_photo(Team& team, Who who, const Script& script, std::uint64_t saved) {
  Phone& phone = team.device(who);
  const auto infos = phone.database().attachments();
  if (!infos) return "it cannot be asked";
  const auto is_listed = [&](const core::AttachmentId& id) {
    return std::any_of(infos->begin(), infos->end(), [&](const auto& info) { return info.file.id == id; });
  };
  for (const TakenPhoto& taken : script.photos()) {
    const Photo& photo = *taken.photo;
    const bool is_sent = has_durably(team.office_machine, photo);
    const bool is_here = is_listed(photo.value.file.id);
    if (is_here && taken.who == who && !is_listed(photo.value.preview->id))
      return "a photo is here without its preview";
    for (const AttachmentInfo& info : *infos) {
      if (info.file.id == photo.value.file.id && info.stage == AttachmentStage::at_office && !is_sent)
        return "it says that a photo is at the office, which has not got it";
    }
    if (taken.who != who || taken.counter > saved) continue;
    const auto here = compare_photo(phone, photo);
    // What is at the office may be freed.
    if (!here && !(is_sent && here.error().code == Errc::attachment_not_here))
      return "a photo is lost: " + here.error().message();
  }
  return {};
}

}  // namespace

std::string half_done(Team& team, Who who) {
  const bool is_office = who == Who::office;
  if (!is_office && team.machine(who).files().names().empty()) return {};
  {
    DatabaseFile file(is_office ? Office::file_on(team.office_machine) : ":memory:");
    if (!is_office) file.execute(testing::laid_open(team.device(who).file()));
    const auto ask = [&](const auto& rules) -> std::string {
      for (const Rule& rule : rules) {
        if (!file.rows(rule.sql).empty()) return rule.sentence;
      }
      return {};
    };
    if (std::string broken = is_office ? ask(office_rules) : ask(phone_rules()); !broken.empty()) return broken;
    if (std::string broken = wrong_digest(file, is_office ? "key" : "id"); !broken.empty()) return broken;
  }
  return {};
}

std::string missing_work(Team& team, Who who, const Script& script) {
  Phone& phone = team.device(who);
  if (phone.is_empty()) return {};
  if (auto opened = phone.open(); !opened) return "it does not open";
  const auto saved = script.saved(phone);
  std::string missing = saved ? std::string() : "it cannot be asked";
  if (missing.empty() && who == Who::phone) missing = missing_text(phone, script, *saved);
  if (missing.empty()) missing = missing_photo(team, who, script, *saved);
  if (missing.empty() && who == Who::phone && *saved >= script.amended_with()) {
    const auto refused = phone.database().refused();
    if (!refused || !refused->empty()) missing = "what was put right counts as refused";
  }
  phone.close();
  return missing;
}

}  // namespace fieldsync::team

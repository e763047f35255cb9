#include "app/commands.h"

#include <sodium.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <iomanip>

#include "app/acts.h"
#include "app/certificate_commands.h"
#include "app/enrolment_commands.h"
#include "app/examples.h"
#include "app/history_commands.h"
#include "app/import.h"
#include "app/named_rows.h"
#include "app/participant_commands.h"
#include "app/quarantine_commands.h"
#include "app/rows.h"
#include "codec/form_codec.h"
#include "core/fingerprint.h"
#include "service/form_publication.h"
#include "service/policy.h"

namespace fieldsync::server {
namespace {

namespace json = boost::json;

// Everything that the options of all commands fill.
struct Options {
  std::string name, role = "monitor", mode = "scope", person, scope, record, device, file, form, key;
  bool as_json = false;
};

template <typename IdType>
IdType random_id() {
  IdType id;
  randombytes_buf(id.bytes.data(), id.bytes.size());
  return id;
}

void print_rows(Administration& admin, const Options& options, const std::vector<std::string>& header,
                const std::vector<Row>& rows) {
  options.as_json ? print_json_rows(admin.out, header, rows) : print_table(admin.out, header, rows);
}

ReadingMode mode_of(const Options& options) { return options.mode == "own" ? ReadingMode::own : ReadingMode::scope; }

// What the audit log says of a membership.
std::string word_for(const Options& options) { return options.role + ":" + options.mode; }

Result<void> add_scope(Administration& admin, const Options& options) {
  ScopeRow scope;
  scope.id = random_id<core::ScopeId>();
  scope.name = options.name;
  randombytes_buf(&scope.epoch, sizeof scope.epoch);
  scope.epoch >>= 1;
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    for (const ScopeRow& row : transaction.scopes()) {
      if (row.name == options.name)
        return Error{Errc::invalid_argument, "There is a scope '" + options.name + "' already."};
    }
    transaction.add_scope(scope);
    const auto stored = transaction.scope(scope.id);
    const auto office = core::PersonId::from_bytes(transaction.setting("office_person"));
    // The office writes what is imported.
    if (stored && office) transaction.put_membership(*office, stored->key, Role::case_handler, ReadingMode::scope);
    note_act(admin, transaction, {"scope_add", {bytes_of(scope.id)}, {}});
    return {};
  });
  if (done) admin.out << "Scope '" << scope.name << "' made: " << scope.id.hex() << "\n";
  return done;
}

Result<void> list_scopes(Administration& admin, const Options& options) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::vector<Row> rows;
    for (const ScopeRow& scope : transaction.scopes()) {
      std::ostringstream digest;
      digest << std::hex << std::setw(16) << std::setfill('0') << scope.digest;
      rows.push_back({scope.id.hex(), scope.name, scope.head, digest.str()});
    }
    print_rows(admin, options, {"id", "name", "operations", "digest"}, rows);
    return {};
  });
}

Result<void> add_person(Administration& admin, const Options& options) {
  PersonRow person{random_id<core::PersonId>(), options.name};
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    transaction.add_person(person);
    note_act(admin, transaction, {"person_add", {bytes_of(person.id)}, {}});
    if (options.scope.empty()) return {};
    auto scope = find_scope(transaction, options.scope);
    if (!scope) return scope.error();
    transaction.put_membership(person.id, scope->key, *role_from_name(options.role), mode_of(options));
    note_act(admin, transaction, {"person_join", {bytes_of(person.id), bytes_of(scope->id)}, word_for(options)});
    return {};
  });
  if (!done) return done;
  admin.out << "Person '" << person.name << "' added: " << person.id.hex();
  if (!options.scope.empty()) admin.out << ", " << options.role << " in '" << options.scope << "'";
  admin.out << ".\nNext, for each of their devices: fieldsync-server enrol-code '" << person.name << "'\n";
  return {};
}

Result<void> list_people(Administration& admin, const Options& options) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::vector<Row> rows;
    for (const PersonRow& person : transaction.people()) {
      std::string scopes;
      for (const MembershipRow& membership : transaction.memberships(person.id)) {
        const bool is_own = reading_mode_of(membership.role, membership.mode) == ReadingMode::own;
        scopes += (scopes.empty() ? "" : ", ") + membership.scope.name + " (" + std::string(name_of(membership.role)) +
                  (is_own ? ", own records)" : ")");
      }
      rows.push_back({person.id.hex(), person.name, scopes});
    }
    print_rows(admin, options, {"id", "name", "scopes"}, rows);
    return {};
  });
}

Result<void> set_membership(Administration& admin, const Options& options, bool joins) {
  std::vector<DeviceRow> devices;
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    auto person = find_person(transaction, options.person);
    if (!person) return person.error();
    auto scope = find_scope(transaction, options.scope);
    if (!scope) return scope.error();
    transaction.put_membership(person->id, scope->key, joins ? *role_from_name(options.role) : Role::none,
                               mode_of(options));
    note_act(admin, transaction,
             {joins ? "person_join" : "person_leave",
              {bytes_of(person->id), bytes_of(scope->id)},
              joins ? word_for(options) : std::string()});
    devices = devices_of(transaction, person->id);
    return {};
  });
  if (done) end_connections_of(admin, devices);
  if (done) {
    admin.out << "'" << options.person << "' " << (joins ? "is now " + options.role + " in '" : "has left '")
              << options.scope << "'.\n";
  }
  return done;
}

Result<void> list_devices(Administration& admin, const Options& options) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::vector<Row> rows;
    for (const DeviceRow& device : transaction.devices()) {
      rows.push_back({options.as_json ? device.id.hex() : core::fingerprint_of(device.id), device.person.name,
                      device.name, device.last_counter, device.seen ? instant_text(*device.seen) : "never",
                      device.revoked ? "revoked" : "active"});
    }
    print_rows(admin, options,
               {options.as_json ? "id" : "fingerprint", "person", "name", "operations", "last_upload", "state"}, rows);
    return {};
  });
}

Result<void> revoke_device(Administration& admin, const Options& options) {
  std::vector<DeviceRow> revoked;
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    auto device = find_device(transaction, options.device);
    if (!device) return device.error();
    revoked = {*device};
    transaction.revoke_device(device->key, admin.clock());
    note_act(admin, transaction, {"device_revoke", {bytes_of(device->id)}, {}});
    return {};
  });
  if (done) {
    end_connections_of(admin, revoked);
    done = admin.attachments.forget_uploads(revoked.front().id);
  }
  if (done)
    admin.out << "Device " << options.device
              << " is revoked: it may only hand in what it has, and erases itself then.\n";
  return done;
}

Result<void> import_form(Administration& admin, const Options& options) {
  auto text = read_file(options.file);
  if (!text) return text.error();
  auto parsed = codec::parse_form_text(*text);
  if (!parsed) return parsed.error();
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    if (auto published = publish_form(transaction, *parsed); !published) return published;
    note_act(admin, transaction, {"form_import", {}, parsed->form.name});
    return {};
  });
  if (done)
    admin.out << "Form '" << parsed->form.name << "' version " << parsed->form.version
              << " imported; devices get it with their next sync.\n";
  return done;
}

Result<void> list_forms(Administration& admin, const Options& options) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::vector<Row> rows;
    for (const FormRow& row : transaction.forms_since(0)) {
      auto form = codec::decode_form(row.bytes);
      if (!form) return form.error();
      rows.push_back({row.name, row.version, form->fields.size(), core::label_in(form->labels, "en", "")});
    }
    print_rows(admin, options, {"name", "version", "fields", "label"}, rows);
    return {};
  });
}

Result<void> import_file(Administration& admin, const Options& options) {
  auto content = read_file(options.file);
  if (!content) return content.error();
  auto noted = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    auto scope = find_scope(transaction, options.scope);
    if (!scope) return scope.error();
    note_act(admin, transaction, {"import", {bytes_of(scope->id)}, options.form});
    return {};
  });
  if (!noted) return noted;
  ImportRequest request{options.form, options.scope, std::move(*content), options.key, {}};
  request.on_progress = [&](std::size_t done, std::size_t all) {
    if (admin.on_progress && (done % 100 == 0 || done == all)) admin.on_progress(done, all);
  };
  auto report = import_records(admin.store, admin.sync, admin.clock, request);
  if (!report) return report.error();
  admin.out << report->rows << " rows read: " << report->written << " records written, " << report->unchanged
            << " unchanged.\n";
  return {};
}

json::object json_of(const Counts& counts) {
  return {{"records", counts.records},
          {"operations", counts.operations},
          {"open_conflicts", counts.open_conflicts},
          {"quarantined", counts.quarantined},
          {"attachments_held", counts.attachments_held},
          {"attachments_awaited", counts.attachments_awaited}};
}

std::string text_of(const Counts& counts) {
  std::ostringstream text;
  text << counts.records << " records from " << counts.operations << " operations, " << counts.open_conflicts
       << " open conflicts, " << counts.quarantined << " operations in quarantine; " << counts.attachments_held
       << " attachments held, " << counts.attachments_awaited << " awaited.";
  return text.str();
}

Result<Counts> counts_of(Store& store) {
  Counts counts;
  auto counted = store.read([&](ReadTransaction& transaction) -> Result<void> {
    counts = transaction.counts();
    return {};
  });
  return counted ? Result(counts) : counted.error();
}

Result<void> show_status(Administration& admin, const Options& options) {
  const auto counts = counts_of(admin.store);
  if (!counts) return counts.error();
  admin.out << (options.as_json ? json::serialize(json_of(*counts)) : text_of(*counts)) << "\n";
  return {};
}

Result<void> check_database(Store& store) {
  return store.read([](ReadTransaction& transaction) -> Result<void> {
    const std::string problem = transaction.integrity_problem();
    std::string wrong_digests;
    for (const ScopeRow& scope : transaction.scopes()) {
      std::uint64_t sum = 0;
      transaction.changes_after({scope.key, std::nullopt}, 0, [&](const VisibleRecord& visible) {
        sum += visible.row.hash;
        return true;
      });
      if (sum != scope.digest) wrong_digests += " '" + scope.name + "'";
    }
    if (!problem.empty())
      return Error{Errc::storage_corrupt,
                   "The database is damaged: " + problem + ". Keep the file and restore a backup beside it."};
    if (!wrong_digests.empty())
      return Error{Errc::storage_corrupt, "The digest does not match the records of" + wrong_digests + "."};
    return {};
  });
}

void print_damaged(Administration& admin, const Options& options, const std::vector<core::AttachmentFile>& damaged) {
  if (!options.as_json) {
    for (const core::AttachmentFile& file : damaged) admin.out << file.id.hex() << "\n";
    return;
  }
  json::array hashes;
  for (const core::AttachmentFile& file : damaged) hashes.emplace_back(file.id.hex());
  admin.out << json::serialize(json::object{{"ok", false}, {"damaged", std::move(hashes)}}) << "\n";
}

Result<void> check_attachments(Administration& admin, const Options& options) {
  const auto damaged = admin.attachments.find_damaged();
  if (!damaged) return damaged.error();
  if (damaged->empty()) return {};
  print_damaged(admin, options, *damaged);
  return Error{Errc::storage_corrupt, "The " + std::to_string(damaged->size()) +
                                          " attachments above are missing or damaged. Put them into " +
                                          admin.configuration.attachments().string() +
                                          " from a backup; or take the damaged files out, and devices that have "
                                          "them send them again."};
}

Result<void> check(Administration& admin, const Options& options) {
  auto checked = check_database(admin.store);
  if (checked) checked = check_attachments(admin, options);
  if (!checked) return checked;
  const auto counts = counts_of(admin.store);
  if (!counts) return counts.error();
  if (options.as_json) {
    json::object report = json_of(*counts);
    report["ok"] = true;
    admin.out << json::serialize(report) << "\n";
  } else {
    admin.out << "All is sound: " << text_of(*counts) << "\n";
  }
  return {};
}

Result<void> list_errors(Administration& admin, const Options& options) {
  std::vector<Row> rows;
  for (const ErrcEntry& entry : all_errors()) {
    const json::value status = entry.http_status == 0 ? json::value() : json::value(entry.http_status);
    rows.push_back({entry.name, status, entry.retry, entry.sentence});
  }
  print_rows(admin, options, {"code", "status", "retry", "sentence"}, rows);
  return {};
}

constexpr std::size_t help_column = 30;

// Declares the commands; each sets what is to be done.
class CommandLine {
 public:
  explicit CommandLine(std::filesystem::path working_folder) : working_folder_(std::move(working_folder)) {
    app_.require_subcommand(1)->fallthrough();
    app_.get_formatter()->column_width(help_column);
    app_.set_help_flag("-h,--help", "Print this help");
    app_.set_version_flag("--version", "fieldsync-server 0.1.0", "Print the version");
    app_.add_option("--dir", folder_, "The server's folder: settings, keys and database")
        ->envname("FIELDSYNC_SERVER_DIR")
        ->capture_default_str();
    add_init();
    auto* serve = app_.add_subcommand("serve", "Serve devices until Ctrl-C or SIGTERM");
    serve->footer(examples::serve);
    serve->callback([this] { invocation_.kind = Invocation::Kind::serve; });
    add_scope_commands();
    add_person_commands();
    add_participant_commands();
    add_device_commands();
    add_quarantine_commands();
    add_data_commands();
    add_history_commands();
    // Last: a command starts with the footer that the program has when it is added.
    app_.footer(examples::app);
  }

  Invocation parse(const std::vector<std::string>& arguments) {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
      app_.parse(reversed);
      invocation_.command = words();
    } catch (const CLI::Success& asked) {
      std::ostringstream text;
      app_.exit(asked, text);
      invocation_.kind = Invocation::Kind::help;
      invocation_.text = text.str();
    } catch (const CLI::ParseError& wrong) {
      invocation_.kind = Invocation::Kind::wrong_usage;
      invocation_.text = sentence_for(wrong);
    }
    invocation_.folder = folder_;
    return std::move(invocation_);
  }

 private:
  using Command = Result<void> (*)(Administration&, const Options&);

  // Of the command that was parsed, without its arguments.
  [[nodiscard]] std::string words() const {
    std::string path;
    for (const CLI::App* at = &app_; !at->get_subcommands().empty();) {
      at = at->get_subcommands().front();
      path += (path.empty() ? "" : " ") + at->get_name();
    }
    return path;
  }

  // Names the command whose help is of use.
  [[nodiscard]] std::string sentence_for(const CLI::ParseError& wrong) const {
    const CLI::App* command = &app_;
    std::string path = app_.get_name();
    while (!command->get_subcommands().empty()) {
      command = command->get_subcommands().front();
      path += ' ' + command->get_name();
    }
    const auto unknown = app_.remaining(true);
    const bool no_such_command = !unknown.empty() && command->get_require_subcommand_min() > 0;
    const std::string problem = no_such_command ? "There is no command '" + unknown.front() + "'" : wrong.what();
    return "fieldsync-server: " + problem + ". See: " + path + " --help\n";
  }

  void does(CLI::App* command, Command function) {
    command->callback([this, function] {
      invocation_.kind = Invocation::Kind::administration;
      invocation_.administration = [options = options_, function](Administration& admin) {
        return function(admin, options);
      };
    });
  }

  // For commands that have options of their own.
  template <typename OwnOptions>
  void does(CLI::App* command, const OwnOptions& own, Result<void> (*function)(Administration&, const OwnOptions&)) {
    command->callback([this, &own, function] {
      invocation_.kind = Invocation::Kind::administration;
      invocation_.administration = [own, function](Administration& admin) { return function(admin, own); };
    });
  }

  void add_written_file(CLI::App* command, const std::string& name, std::string& into, const std::string& what) {
    command->add_option_function<std::string>(
        name, [this, &into](const std::string& file) { into = (working_folder_ / file).string(); }, what);
  }

  void offer_json(CLI::App* command) { command->add_flag("--json", options_.as_json, "Print JSON for scripts"); }

  void add_init() {
    auto* init = app_.add_subcommand("init", "Make a server: folder, keys, settings, database, standard forms");
    init->add_option("--host", invocation_.init.host, "Name or address by which devices reach it")
        ->capture_default_str();
    init->add_option("--port", invocation_.init.port, "Port")
        ->check(CLI::Range(1, 65535).description(""))
        ->capture_default_str();
    init->footer(examples::init);
    init->callback([this] { invocation_.kind = Invocation::Kind::init; });
  }

  void add_scope_commands() {
    auto* scope = app_.add_subcommand("scope", "Who shares records: a region or an office")->require_subcommand(1);
    auto* add = scope->add_subcommand("add", "Make a scope");
    add->add_option("name", options_.name, "Its name, for example 'Osh region'")->required();
    add->footer(examples::scope_add);
    does(add, add_scope);
    auto* list = scope->add_subcommand("list", "Scopes with their digests");
    offer_json(list);
    does(list, list_scopes);
  }

  void add_role(CLI::App* command) {
    command->add_option("--role", options_.role, "What they may do there")
        ->check(CLI::IsMember({"monitor", "coordinator", "case_handler", "board", "administrator"}))
        ->capture_default_str();
    command->add_option("--mode", options_.mode, "What they read there: all of the scope, or their own records")
        ->check(CLI::IsMember({"scope", "own"}))
        ->capture_default_str();
  }

  void add_participant_commands() {
    auto* participant = app_.add_subcommand("participant", "Who takes part in a record: what they read in the mode own")
                            ->require_subcommand(1);
    auto* add = participant->add_subcommand("add", "Let a person take part: they get all of it, and its parts");
    auto* remove = participant->add_subcommand("remove", "End that: their devices push what they have, then erase it");
    auto* list = participant->add_subcommand("list", "Who takes part, and who did");
    for (CLI::App* command : {add, remove, list})
      command->add_option("record", options_.record, "The record's id, 32 hexadecimal digits")->required();
    for (CLI::App* command : {add, remove})
      command->add_option("person", options_.person, "Name, or the first letters of the id")->required();
    add->footer(examples::participant_add);
    remove->footer(examples::participant_remove);
    does(add, [](Administration& admin, const Options& options) {
      return set_participation(admin, options.record, options.person, true);
    });
    does(remove, [](Administration& admin, const Options& options) {
      return set_participation(admin, options.record, options.person, false);
    });
    offer_json(list);
    does(list, [](Administration& admin, const Options& options) {
      return list_participants(admin, options.record, options.as_json);
    });
  }

  void add_person_commands() {
    auto* person = app_.add_subcommand("person", "People and their scopes")->require_subcommand(1);
    auto* add = person->add_subcommand("add", "Add a person");
    add->add_option("name", options_.name, "Name as others see it")->required();
    add->add_option("--scope", options_.scope, "A scope to join at once");
    add_role(add);
    add->footer(examples::person_add);
    does(add, add_person);
    auto* list = person->add_subcommand("list", "People with their roles");
    offer_json(list);
    does(list, list_people);
    auto* join = person->add_subcommand("join", "Let a person into a scope, or change their role");
    auto* leave =
        person->add_subcommand("leave", "End a person's membership: their devices push what they have, then erase it");
    for (CLI::App* command : {join, leave}) {
      command->add_option("person", options_.person, "Name, or the first letters of the id")->required();
      command->add_option("scope", options_.scope, "Name, or the first letters of the id")->required();
    }
    add_role(join);
    join->footer(examples::person_join);
    does(join, [](Administration& admin, const Options& options) { return set_membership(admin, options, true); });
    leave->footer(examples::person_leave);
    does(leave, [](Administration& admin, const Options& options) { return set_membership(admin, options, false); });
  }

  void add_device_commands() {
    add_code_commands();
    auto* device = app_.add_subcommand("device", "Devices")->require_subcommand(1);
    auto* list = device->add_subcommand("list", "Devices, whose they are, and when they last uploaded");
    offer_json(list);
    does(list, list_devices);
    auto* revoke = device->add_subcommand("revoke", "Withdraw a device's access, at once");
    revoke->add_option("device", options_.device, "The first digits of its fingerprint")->required();
    revoke->footer(examples::device_revoke);
    does(revoke, revoke_device);
  }

  void add_code_commands() {
    auto* make = app_.add_subcommand("enrol-code", "Print a text that enrols one device of a person, once");
    make->add_option("person", codes_.person, "Name, or the first letters of the id")->required();
    make->add_flag("--qr", codes_.as_qr, "Draw the text as a QR code too");
    add_written_file(make, "--svg", codes_.svg_file, "Draw the QR code into this file");
    make->add_flag("--json", codes_.as_json, "Print JSON for scripts");
    make->footer(examples::enrol_code);
    does(make, codes_, make_code);
    auto* code = app_.add_subcommand("code", "Enrolment codes that were made")->require_subcommand(1);
    auto* list = code->add_subcommand("list", "Codes, whose they are, and what became of them");
    list->add_flag("--json", codes_.as_json, "Print JSON for scripts");
    does(list, codes_, list_codes);
    auto* withdraw = code->add_subcommand("withdraw", "Withdraw a code that was not used yet");
    withdraw->add_option("code", codes_.code, "The letters that name it: its first four")->required();
    does(withdraw, codes_, withdraw_code);
  }

  void add_quarantine_commands() {
    auto* quarantine = app_.add_subcommand("quarantine", "Saves that may not be applied")->require_subcommand(1);
    auto* list = quarantine->add_subcommand("list", "Whose they are, when they came, and why they were refused");
    list->add_option("--device", quarantine_.device, "Of this device only: the first letters of its id");
    auto* show = quarantine->add_subcommand("show", "What one holds");
    auto* accept = quarantine->add_subcommand("accept", "Apply one, whatever its author may do in its scope");
    auto* give_back = quarantine->add_subcommand("return", "Return one to its author with a note; it stays here too");
    for (CLI::App* command : {show, accept, give_back})
      command->add_option("operation", quarantine_.operation, "DEVICE:COUNTER, as listed")->required();
    give_back->add_option("--note", quarantine_.note, "What its author reads, up to 500 characters")->required();
    auto* save = quarantine->add_subcommand("export", "Write all of them into a file, one JSON object a line");
    save->add_option_function<std::string>(
            "file", [this](const std::string& file) { quarantine_.file = (working_folder_ / file).string(); },
            "The file")
        ->required();
    for (CLI::App* command : {list, show}) command->add_flag("--json", quarantine_.as_json, "Print JSON for scripts");
    quarantine->footer(examples::quarantine);
    does(list, quarantine_, list_quarantined);
    does(show, quarantine_, show_quarantined);
    does(accept, quarantine_, accept_operation);
    does(give_back, quarantine_, return_operation);
    does(save, quarantine_, export_quarantine);
  }

  void add_data_commands() {
    auto* form = app_.add_subcommand("form", "Forms")->require_subcommand(1);
    auto* form_import = form->add_subcommand("import", "Import a form in proto text, or its next version");
    add_file(form_import);
    form_import->footer(examples::form_import);
    does(form_import, import_form);
    auto* form_list = form->add_subcommand("list", "Forms in use");
    offer_json(form_list);
    does(form_list, list_forms);
    auto* data = app_.add_subcommand("import", "Import reference data from CSV; importing again updates");
    data->add_option("form", options_.form, "The records' form, for example facility")->required();
    add_file(data);
    data->add_option("--scope", options_.scope, "Name of the scope")->required();
    data->add_option("--key", options_.key, "The field that identifies a row")->required();
    data->footer(examples::import_file);
    does(data, import_file);
    auto* status = app_.add_subcommand("status", "How much the server holds, and what it waits for");
    offer_json(status);
    status->footer(examples::status);
    does(status, show_status);
    auto* check_command = app_.add_subcommand("check", "Check the database, its digests and the attachments");
    offer_json(check_command);
    check_command->footer(examples::check);
    does(check_command, check);
    auto* reload =
        app_.add_subcommand("reload-certificate", "Let the running server read its key and certificate anew");
    reload->footer(examples::reload_certificate);
    does(reload, [](Administration& admin, const Options&) { return reload_certificate(admin); });
    auto* renew = app_.add_subcommand("renew-certificate", "The same keys for 90 more days");
    renew->footer(examples::renew_certificate);
    does(renew, [](Administration& admin, const Options&) { return renew_certificates(admin); });
    auto* errors = app_.add_subcommand("errors", "Every code that a refusal can carry");
    offer_json(errors);
    does(errors, list_errors);
  }

  void add_history_commands() {
    auto* fingerprint = app_.add_subcommand("fingerprint", "Print the fingerprint of the key that signs the history");
    offer_json(fingerprint);
    fingerprint->footer(examples::fingerprint);
    does(fingerprint,
         [](Administration& admin, const Options& options) { return show_fingerprint(admin, options.as_json); });
    auto* history = app_.add_subcommand("history", "The history that nobody can change quietly")->require_subcommand(1);
    auto* history_export = history->add_subcommand("export", "Write it to a file, with every batch, for `verify`");
    add_file(history_export);
    history_export->footer(examples::history_export);
    does(history_export,
         [](Administration& admin, const Options& options) { return export_history(admin, options.file); });
    auto* verify = app_.add_subcommand("verify", "Check an exported history, without server, network or keys");
    add_file(verify);
    verify->add_option("--root", invocation_.verify.root, "The fingerprint, written down before")->required();
    verify->add_option("--checkpoint", invocation_.verify.checkpoint, "One that a device holds, to be looked for");
    offer_json(verify);
    verify->footer(examples::verify);
    verify->callback([this] {
      invocation_.kind = Invocation::Kind::verify;
      invocation_.verify.file = options_.file;
      invocation_.verify.as_json = options_.as_json;
    });
  }

  void add_file(CLI::App* command) {
    command
        ->add_option_function<std::string>(
            "file", [this](const std::string& file) { options_.file = (working_folder_ / file).string(); }, "The file")
        ->required();
  }

  std::filesystem::path working_folder_;
  CLI::App app_{"The fieldsync server: brings monitors' reports together without losing a word.", "fieldsync-server"};
  std::string folder_ = "fieldsync-server";
  Options options_;
  CodeOptions codes_;
  QuarantineOptions quarantine_;
  Invocation invocation_;
};

}  // namespace

Invocation parse_command_line(const std::vector<std::string>& arguments, const std::filesystem::path& working_folder) {
  return CommandLine(working_folder).parse(arguments);
}

}  // namespace fieldsync::server

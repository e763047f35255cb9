#include "app/commands.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "app/certificate_commands.h"
#include "app/enrolment_commands.h"
#include "app/examples.h"
#include "app/history_commands.h"
#include "app/office_commands.h"
#include "app/participant_commands.h"
#include "app/quarantine_commands.h"

namespace fieldsync::server {
namespace {

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
  using Command = Result<void> (*)(Administration&, const CommandOptions&);

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
    does(add, [](Administration& admin, const CommandOptions& options) {
      return set_participation(admin, options.record, options.person, true);
    });
    does(remove, [](Administration& admin, const CommandOptions& options) {
      return set_participation(admin, options.record, options.person, false);
    });
    offer_json(list);
    does(list, [](Administration& admin, const CommandOptions& options) {
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
    does(join,
         [](Administration& admin, const CommandOptions& options) { return set_membership(admin, options, true); });
    leave->footer(examples::person_leave);
    does(leave,
         [](Administration& admin, const CommandOptions& options) { return set_membership(admin, options, false); });
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
    does(reload, [](Administration& admin, const CommandOptions&) { return reload_certificate(admin); });
    auto* renew = app_.add_subcommand("renew-certificate", "The same keys for 90 more days");
    renew->footer(examples::renew_certificate);
    does(renew, [](Administration& admin, const CommandOptions&) { return renew_certificates(admin); });
    auto* errors = app_.add_subcommand("errors", "Every code that a refusal can carry");
    offer_json(errors);
    does(errors, list_errors);
  }

  void add_history_commands() {
    auto* fingerprint = app_.add_subcommand("fingerprint", "Print the fingerprint of the key that signs the history");
    offer_json(fingerprint);
    fingerprint->footer(examples::fingerprint);
    does(fingerprint,
         [](Administration& admin, const CommandOptions& options) { return show_fingerprint(admin, options.as_json); });
    auto* history = app_.add_subcommand("history", "The history that nobody can change quietly")->require_subcommand(1);
    auto* history_export = history->add_subcommand("export", "Write it to a file, with every batch, for `verify`");
    add_file(history_export);
    history_export->footer(examples::history_export);
    does(history_export,
         [](Administration& admin, const CommandOptions& options) { return export_history(admin, options.file); });
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
  CommandOptions options_;
  CodeOptions codes_;
  QuarantineOptions quarantine_;
  Invocation invocation_;
};

}  // namespace

Invocation parse_command_line(const std::vector<std::string>& arguments, const std::filesystem::path& working_folder) {
  return CommandLine(working_folder).parse(arguments);
}

}  // namespace fieldsync::server

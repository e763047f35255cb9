#include "fieldsync/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string_view>

#include "fieldsync/commands.h"
#include "fieldsync/examples.h"
#include "fieldsync/report.h"

namespace fieldsync::cli {
namespace {

constexpr std::size_t help_column = 34;

// The groups under which --help lists the commands.
constexpr char set_up[] = "Set up";
constexpr char records[] = "Records";
constexpr char conflicts_group[] = "Conflicts";
constexpr char attachments_group[] = "Attachments";
constexpr char office[] = "With the office";
constexpr char safety[] = "Safety of this device";

struct CommandText {
  const char* name;
  const char* description;
  const char* group;
  const char* examples;
};

// Adds commands to the app. Options live in shared memory, because CLI11 fills
// them in after the function that declared them has returned.
class Commands {
 public:
  Commands(CLI::App& app, Invocation& invocation) : app_(app), invocation_(invocation) {}

  void add_all() {
    add_enrol();
    add_forms();
    add_scopes();
    add_new();
    add_edit();
    add_show();
    add_list();
    add_search();
    add_delete_and_restore();
    add_export();
    add_conflicts();
    add_resolve();
    add_sync();
    add_status();
    add_schedule();
    add_amend();
    add_attachments();
    add_locking();
  }

 private:
  template <typename Options>
  using Run = Result<void> (*)(const Settings&, const Options&);

  CLI::App* add(const CommandText& text) {
    CLI::App* command = app_.add_subcommand(text.name, text.description);
    command->group(text.group)->footer(text.examples);
    return command;
  }

  template <typename Options>
  void call(CLI::App* command, Run<Options> run, std::shared_ptr<Options> options) {
    command->callback([&invocation = invocation_, run, options] {
      invocation.run = [run, options](const Settings& settings) { return run(settings, *options); };
    });
  }

  void call(CLI::App* command, Result<void> (*run)(const Settings&)) {
    command->callback([&invocation = invocation_, run] { invocation.run = run; });
  }

  // A repeated option takes one value each time, so that what follows is not swallowed.
  static void add_repeated(CLI::App* command, const char* name, std::vector<std::string>& values, const char* metavar,
                           const char* description) {
    command->add_option(name, values, description)->type_name(metavar)->allow_extra_args(false);
  }

  static void add_record(CLI::App* command, std::string& record) {
    command->add_option("RECORD", record, "The first digits of its id")->required()->type_name("");
  }

  void add_enrol() {
    auto options = std::make_shared<EnrolOptions>();
    CLI::App* command = add({"enrol", "Bind this device to a person at a server, once", set_up, examples::enrol});
    command->add_option("ENROLMENT", options->enrolment, "The text from your coordinator")->required()->type_name("");
    command->add_option("--name", options->device_name, "What the office calls this device")
        ->required()
        ->type_name("DEVICE_NAME");
    call(command, run_enrol, options);
  }

  void add_forms() {
    auto form = std::make_shared<std::string>();
    CLI::App* command = add({"forms", "List the forms, or the fields of one", set_up, examples::forms});
    command->add_option("FORM", *form, "Its name")->type_name("");
    call(command, run_forms, form);
  }

  void add_scopes() {
    call(add({"scopes", "List the scopes that this device takes part in", set_up, examples::scopes}), run_scopes);
  }

  void add_new() {
    auto options = std::make_shared<NewOptions>();
    CLI::App* command = add({"new", "Make a record, or many from a file", records, examples::create});
    command->add_option("FORM", options->form, "Name of its form")->required()->type_name("");
    CLI::Option* set = command->add_option("FIELD=VALUE", options->set, "Its fields")->type_name("");
    command->add_option("--scope", options->scope, "Name or id; not needed where there is only one")
        ->type_name("SCOPE");
    command->add_option("--from", options->from, "Lines of JSON; - for standard input")
        ->type_name("FILE.jsonl")
        ->excludes(set);
    call(command, run_new, options);
  }

  void add_edit() {
    auto options = std::make_shared<EditOptions>();
    EditTexts& edits = options->edits;
    CLI::App* command = add({"edit", "Change fields of a record", records, examples::edit});
    add_record(command, options->record);
    command->add_option("FIELD=VALUE", edits.set, "New values")->type_name("");
    add_repeated(command, "--add", edits.add, "FIELD=VALUE", "Add a value to a set, list or counter");
    add_repeated(command, "--remove", edits.remove, "FIELD=VALUE", "Take a value out of a set or list");
    add_repeated(command, "--clear", edits.clear, "FIELD", "Empty a field");
    add_repeated(command, "--add-item", edits.add_items, "GROUP", "Add an item to a group");
    add_repeated(command, "--delete-item", edits.delete_items, "ITEM", "Delete an item of a group");
    call(command, run_edit, options);
  }

  void add_show() {
    auto record = std::make_shared<std::string>();
    CLI::App* command = add({"show", "Show a record with authors, times and conflicts", records, examples::show});
    add_record(command, *record);
    call(command, run_show, record);
  }

  static void add_list_options(CLI::App* command, ListOptions& options) {
    command->add_option("--scope", options.scope, "Only of this scope")->type_name("SCOPE");
    command->add_flag("--deleted", options.deleted, "Deleted ones too");
    command->add_option("--limit", options.limit, "At most so many")->type_name("N");
  }

  void add_list() {
    auto options = std::make_shared<ListOptions>();
    CLI::App* command = add({"list", "List records, newest change first", records, examples::list});
    command->add_option("FORM", options->form, "Only of this form")->type_name("");
    add_list_options(command, *options);
    call(command, run_list, options);
  }

  void add_search() {
    auto options = std::make_shared<ListOptions>();
    CLI::App* command = add({"search", "List records that contain a text", records, examples::search});
    command->add_option("TEXT", options->text, "Part of any value, in any case")->required()->type_name("");
    command->add_option("--form", options->form, "Only of this form")->type_name("FORM");
    add_list_options(command, *options);
    call(command, run_list, options);
  }

  void add_delete_and_restore() {
    auto deleted = std::make_shared<std::string>();
    CLI::App* command = add({"delete", "Hide a record from everybody", records, examples::remove});
    add_record(command, *deleted);
    call(command, run_delete, deleted);
    auto restored = std::make_shared<std::string>();
    command = add({"restore", "Bring a deleted record back", records, examples::restore});
    add_record(command, *restored);
    call(command, run_restore, restored);
  }

  void add_export() {
    auto options = std::make_shared<ExportOptions>();
    CLI::App* command = add({"export", "Write all records of a form to a file", records, examples::export_});
    command->add_option("--form", options->form, "Name of the form")->required()->type_name("FORM");
    const auto take_format = [options](const std::string& name) {
      options->format = name == "csv" ? ExportFormat::csv : ExportFormat::json_lines;
    };
    command->add_option_function<std::string>("--format", take_format, "csv or jsonl")
        ->required()
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"csv", "jsonl"}).description(""));
    command->add_option("--output", options->output, "Instead of standard output")->type_name("FILE");
    call(command, run_export, options);
  }

  void add_conflicts() {
    call(add({"conflicts", "List what waits for a decision", conflicts_group, examples::conflicts}), run_conflicts);
  }

  void add_resolve() {
    auto options = std::make_shared<ResolveOptions>();
    CLI::App* command = add({"resolve", "Settle a conflict", conflicts_group, examples::resolve});
    add_record(command, options->record);
    command->add_option("FIELD", options->field, "As listed by `conflicts`")->required()->type_name("");
    CLI::Option* pick = command->add_option("--pick", options->pick, "The number of a value, or delete or keep");
    CLI::Option* value = command->add_option("--value", options->value, "Another value");
    value->type_name("V")->excludes(pick->type_name("N"));
    call(command, run_resolve, options);
  }

  void add_sync() { call(add({"sync", "Send what is unsent, bring what is new", office, examples::sync}), run_sync); }

  void add_status() {
    call(add({"status", "Show what is saved here, sent, durable or refused", office, examples::status}), run_status);
  }

  void add_schedule() {
    auto options = std::make_shared<ScheduleOptions>();
    CLI::App* command = add({"schedule", "Show when background sync would sync, and why", office, examples::schedule});
    command->add_option("--simulate", options->simulate, "Lines of JSON; - for standard input; else an example")
        ->required()
        ->expected(0, 1)
        ->type_name("[FILE]");
    call(command, run_schedule, options);
  }

  void add_amend() {
    auto options = std::make_shared<AmendOptions>();
    CLI::App* command = add({"amend", "Put right what the office refused, and save it anew", office, examples::amend});
    command->add_option("NUMBER", options->refusal, "As listed by `status`")->required()->type_name("");
    command->add_option("FIELD=VALUE", options->edits.set, "What is put right")->type_name("");
    add_repeated(command, "--clear", options->edits.clear, "FIELD", "Empty a field");
    CLI::Option* into =
        command->add_option("--into", options->into, "As a new record of this scope")->type_name("SCOPE");
    command->add_flag("--let-be", options->let_be, "It stays in the office's quarantine; show it no more")
        ->excludes(into);
    call(command, run_amend, options);
  }

  void add_attachments() {
    auto attach = std::make_shared<AttachOptions>();
    CLI::App* command =
        add({"attach", "Add a photo, a recording or a document to a record", attachments_group, examples::attach});
    add_record(command, attach->record);
    command->add_option("FIELD=FILE", attach->file_of_field, "Which field, and the file")->required()->type_name("");
    command->add_option("--preview", attach->preview, "A small picture of it, which travels first")->type_name("FILE");
    call(command, run_attach, attach);
    auto open = std::make_shared<OpenAttachmentOptions>();
    command = add(
        {"open", "Write an attachment to a file; ask for it where it is not here", attachments_group, examples::open});
    add_record(command, open->record);
    command->add_option("FIELD", open->field, "The field that holds it")->required()->type_name("");
    command->add_option("--pick", open->pick, "The number of the one among several [1]")
        ->type_name("N")
        ->check(CLI::Range(1U, 10'000U).description(""));
    command->add_option("--output", open->output, "Instead of its own name, in this folder; - for standard output")
        ->type_name("FILE");
    command->add_flag("--preview", open->preview, "Its small picture");
    call(command, run_open, open);
    auto list = std::make_shared<AttachmentsOptions>();
    command = add({"attachments", "List the attachments on this device, and how far each has come", attachments_group,
                   examples::attachments});
    command->add_flag("--free", list->free, "Free the room of all that the office has");
    call(command, run_attachments, list);
  }

  void add_locking() {
    auto unlock = std::make_shared<UnlockOptions>();
    CLI::App* command = add({"unlock", "Keep the store open for the next commands", safety, examples::unlock});
    command->add_option("--minutes", unlock->minutes, "For so long [15]")
        ->type_name("N")
        ->check(CLI::Range(1, 24 * 60).description(""));
    command->add_flag("--without-journal", unlock->without_journal,
                      "Also where the journal, and what was saved last, is gone");
    call(command, run_unlock, unlock);
    call(add({"lock", "Lock the store that `unlock` keeps open", safety, examples::lock}), run_lock);
    auto passphrase = std::make_shared<PassphraseOptions>();
    command = add({"passphrase", "Open the store with another passphrase from now on", safety, examples::passphrase});
    command
        ->add_option("--new-passphrase-file", passphrase->new_passphrase_file,
                     "Whose first line it is; else you are asked")
        ->type_name("FILE");
    call(command, run_passphrase, passphrase);
    auto wipe = std::make_shared<WipeOptions>();
    command = add({"wipe", "Destroy the store for ever, without its passphrase", safety, examples::wipe});
    command->add_flag("--yes", wipe->yes, "Really");
    call(command, run_wipe, wipe);
  }

  CLI::App& app_;
  Invocation& invocation_;
};

void add_global_options(CLI::App& app, Settings& settings) {
  settings = {default_store(), default_language(), false, default_passphrase_file(), default_key_file()};
  app.add_option("--store", settings.store, "Where the records are [$FIELDSYNC_STORE]")->type_name("DIR");
  app.add_option("--passphrase-file", settings.passphrase_file,
                 "Whose first line opens the store [$FIELDSYNC_PASSPHRASE_FILE; else you are asked]")
      ->type_name("FILE");
  app.add_option("--key-file", settings.key_file, "Opens the store, alone or with a passphrase [$FIELDSYNC_KEY_FILE]")
      ->type_name("FILE");
  app.add_option("--language", settings.language, "Of labels: ky, tg, ru or en [from LANG]")
      ->type_name("L")
      ->check(CLI::IsMember({"ky", "tg", "ru", "en"}).description(""));
  app.add_flag("--json", settings.json, "Write for a program");
  app.set_version_flag("--version", "fieldsync " FIELDSYNC_VERSION, "Print the version");
}

// What is wrong may stand before --json, which is then not parsed yet.
bool asks_for_json(int argc, const char* const* argv) {
  return std::any_of(argv + 1, argv + argc,
                     [](const char* argument) { return std::string_view(argument) == "--json"; });
}

std::string sentence_for(const CLI::App& app, const CLI::ParseError& wrong) {
  const auto unknown = app.remaining();
  const bool no_command = app.get_subcommands().empty() && !unknown.empty();
  const std::string problem = no_command ? "There is no command '" + unknown.front() + "'" : wrong.what();
  return problem + ". See: fieldsync --help, or fieldsync COMMAND --help.";
}

}  // namespace

Invocation parse_command_line(int argc, const char* const* argv) {
  Invocation invocation;
  CLI::App app("Monitoring reports from places of detention: written offline, brought together by sync.", "fieldsync");
  app.require_subcommand(1)->fallthrough()->footer(examples::app);
  app.get_formatter()->column_width(help_column);
  app.set_help_flag("-h,--help", "Print this help");
  add_global_options(app, invocation.settings);
  Commands(app, invocation).add_all();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    invocation.exit_code = app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    invocation.exit_code = report_error({Errc::invalid_argument, sentence_for(app, wrong)}, asks_for_json(argc, argv));
  }
  return invocation;
}

}  // namespace fieldsync::cli

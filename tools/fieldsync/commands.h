// commands.h: what each command is told and does. All write their result to
// standard output and return why they failed; main() reports that. Each opens the
// store for itself and closes it before it returns.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "fieldsync/draft.h"
#include "fieldsync/settings.h"

namespace fieldsync::cli {

// commands/enrol.cpp
struct EnrolOptions {
  std::string enrolment;
  std::string device_name;
};
[[nodiscard]] Result<void> run_enrol(const Settings& settings, const EnrolOptions& options);

// commands/forms.cpp
[[nodiscard]] Result<void> run_forms(const Settings& settings, const std::string& form);

// commands/scopes.cpp
[[nodiscard]] Result<void> run_scopes(const Settings& settings);

// commands/new.cpp
struct NewOptions {
  std::string form;
  std::string scope;             // empty: the only one
  std::vector<std::string> set;  // field=value
  std::string from;              // a file of JSON lines; "-" for standard input
};
[[nodiscard]] Result<void> run_new(const Settings& settings, const NewOptions& options);

// commands/edit.cpp
struct EditOptions {
  std::string record;
  EditTexts edits;
};
[[nodiscard]] Result<void> run_edit(const Settings& settings, const EditOptions& options);

// commands/show.cpp
[[nodiscard]] Result<void> run_show(const Settings& settings, const std::string& record);

// commands/list.cpp
struct ListOptions {
  std::string form;   // empty: all
  std::string scope;  // empty: all
  std::string text;   // empty: whatever they say
  bool deleted = false;
  std::optional<std::size_t> limit;
};
[[nodiscard]] Result<void> run_list(const Settings& settings, const ListOptions& options);

// commands/conflicts.cpp
[[nodiscard]] Result<void> run_conflicts(const Settings& settings);

// commands/resolve.cpp
struct ResolveOptions {
  std::string record;
  std::string field;                 // a path, or "existence"
  std::optional<std::string> pick;   // a number, or "delete" or "keep"
  std::optional<std::string> value;  // exactly one of the two is given
};
[[nodiscard]] Result<void> run_resolve(const Settings& settings, const ResolveOptions& options);

// commands/existence.cpp
[[nodiscard]] Result<void> run_delete(const Settings& settings, const std::string& record);
[[nodiscard]] Result<void> run_restore(const Settings& settings, const std::string& record);

// commands/amend.cpp
struct AmendOptions {
  std::string refusal;  // its number, as status lists it
  EditTexts edits;
  std::string into;  // a scope, by name or id; empty: the same record
  bool let_be = false;
};
[[nodiscard]] Result<void> run_amend(const Settings& settings, const AmendOptions& options);

// commands/attach.cpp
struct AttachOptions {
  std::string record;
  std::string file_of_field;  // field=file
  std::string preview;        // a file with a small picture; empty for none
};
[[nodiscard]] Result<void> run_attach(const Settings& settings, const AttachOptions& options);

// commands/open.cpp
struct OpenAttachmentOptions {
  std::string record;
  std::string field;   // a path
  unsigned pick = 1;   // where the field holds several
  std::string output;  // empty: its name, here
  bool preview = false;
};
[[nodiscard]] Result<void> run_open(const Settings& settings, const OpenAttachmentOptions& options);

// commands/attachments.cpp
struct AttachmentsOptions {
  bool free = false;
};
[[nodiscard]] Result<void> run_attachments(const Settings& settings, const AttachmentsOptions& options);

// commands/locking.cpp
struct UnlockOptions {
  unsigned minutes = 15;
  bool without_journal = false;
};
[[nodiscard]] Result<void> run_unlock(const Settings& settings, const UnlockOptions& options);
[[nodiscard]] Result<void> run_lock(const Settings& settings);
struct PassphraseOptions {
  std::string new_passphrase_file;  // empty: asked for
};
[[nodiscard]] Result<void> run_passphrase(const Settings& settings, const PassphraseOptions& options);
struct WipeOptions {
  bool yes = false;
};
[[nodiscard]] Result<void> run_wipe(const Settings& settings, const WipeOptions& options);

// commands/sync.cpp
[[nodiscard]] Result<void> run_sync(const Settings& settings);

// commands/schedule.cpp
struct ScheduleOptions {
  std::string simulate;  // a script; "-" for standard input, empty for the example
};
[[nodiscard]] Result<void> run_schedule(const Settings& settings, const ScheduleOptions& options);

// commands/status.cpp
[[nodiscard]] Result<void> run_status(const Settings& settings);

// commands/export.cpp
enum class ExportFormat { csv, json_lines };
struct ExportOptions {
  std::string form;
  ExportFormat format = ExportFormat::csv;
  std::string output;  // empty: standard output
};
[[nodiscard]] Result<void> run_export(const Settings& settings, const ExportOptions& options);

}  // namespace fieldsync::cli

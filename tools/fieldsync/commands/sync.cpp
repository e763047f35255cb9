#include <unistd.h>

#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/interrupt.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/progress_bar.h"
#include "fieldsync/report.h"
#include "fieldsync/terminal.h"
#include "fieldsync/value_text.h"

namespace fieldsync::cli {
namespace {

void show_progress(ProgressBar& bar, const SyncProgress& progress) {
  const std::uint64_t bytes_left = progress.attachment_bytes_to_send + progress.attachment_bytes_to_receive;
  if (progress.operations_waiting == 0 && !progress.more_to_receive && bytes_left > 0) {
    const std::uint64_t moved = progress.attachment_bytes_sent + progress.attachment_bytes_received;
    bar.show(moved, moved + bytes_left, "attachments, " + bytes_text(bytes_left) + " left");
    return;
  }
  const std::uint64_t sent = progress.operations_acknowledged;
  const std::uint64_t all = sent + progress.operations_waiting;
  const std::string received = counted(progress.records_received, "record", "records") + " received" +
                               (progress.more_to_receive ? ", more to come" : "");
  const std::string sending = all == 0 ? "" : std::to_string(sent) + " of " + counted(all, "save", "saves") + " sent, ";
  bar.show(sent, all, sending + received);
}

std::string sentence_for(CertificateFlaw flaw) {
  switch (flaw) {
    case CertificateFlaw::none: return {};
    case CertificateFlaw::ended:
      return " The server's certificate has ended, by this device's clock. It has the office's key still; tell the "
             "office to renew it.";
    case CertificateFlaw::not_begun:
      return " The server's certificate is not valid yet, by this device's clock. Look whether the clock is right.";
    case CertificateFlaw::other_name:
      return " The server's certificate is for another name. It has the office's key; tell the office.";
  }
  return {};
}

std::string summary(const SyncReport& report, const Result<Status>& status) {
  std::string text = "Sent " + counted(report.operations_acknowledged, "save", "saves") + " and received " +
                     counted(report.records_received, "record", "records") + " in " +
                     counted(report.requests, "request", "requests") + ": " + bytes_text(report.wire_bytes_up) +
                     " up, " + bytes_text(report.wire_bytes_down) + " down.";
  if (status && status->attachments_waiting > 0) {
    text += ' ' + counted(status->attachments_waiting, "attachment waits", "attachments wait") + " to be sent yet.";
  }
  if (report.history_set_back)
    text += " The office's history was set back to an older copy, and says so; see: fieldsync status.";
  text += sentence_for(report.certificate_flaw);
  if (report.revoked) {
    return text + " This device's access was withdrawn: once the office has all that was saved here, it is erased.";
  }
  if (report.operations_refused > 0) {
    text += ' ' + counted(report.operations_refused, "save was", "saves were") +
            " refused by the office; see: fieldsync status.";
  }
  if (status && status->open_conflicts > 0) {
    text += ' ' + counted(status->open_conflicts, "conflict waits", "conflicts wait") +
            " for a decision; see: fieldsync conflicts.";
  }
  return text;
}

// What a person does about it stands in the table of errors for the others.
Error with_next_step(const Error& error) {
  if (exit_code(error.code) == exit_offline) {
    return {error.code, error.message() + " Run fieldsync sync again when there is a connection."};
  }
  if (error.code == Errc::cancelled) return {error.code, error.message() + " Go on with: fieldsync sync."};
  if (error.code == Errc::device_forked)
    return {error.code, error.message() + " Then: fieldsync enrol, and fieldsync sync."};
  if (error.code == Errc::not_enrolled) return {error.code, error.message() + " Begin with: fieldsync enrol."};
  return error;
}

Result<SyncReport> sync_with_bar(Database& database, bool quiet) {
  ProgressBar bar(std::cerr, terminal_columns(STDERR_FILENO));
  SyncOptions options;
  if (!quiet) options.on_progress = [&bar](const SyncProgress& progress) { show_progress(bar, progress); };
  return database.sync(options);
}

}  // namespace

Result<void> run_sync(const Settings& settings) {
  const HeldSignals signals;
  auto database = open_store(settings);
  if (!database) return database.error();
  const InterruptWatch interrupts(signals, [&database] { (*database)->cancel_sync(); });
  const auto report = sync_with_bar(**database, settings.json);
  if (!report) return with_next_step(report.error());
  if (settings.json) {
    print_json(std::cout, report_json(*report));
  } else {
    std::cout << summary(*report, (*database)->status()) << '\n';
  }
  return {};
}

}  // namespace fieldsync::cli

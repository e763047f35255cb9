#include "app/verify.h"

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "app/rows.h"
#include "audit/history_verifier.h"

namespace fieldsync::server {
namespace {

namespace json = boost::json;

constexpr std::uint64_t records_between_progress = 256;

std::string time_text(core::Instant at) { return utc_text(at, "%Y-%m-%dT%H:%M:%SZ"); }

Result<audit::Hash> read_fingerprint(const std::string& text) {
  const auto bytes = core::from_hex(text);
  if (bytes && bytes->size() == sizeof(audit::Hash)) return audit::hash_from(*bytes);
  return Error{Errc::invalid_argument,
               "--root is the fingerprint that `fieldsync-server fingerprint` prints: 64 hexadecimal digits."};
}

Result<std::optional<audit::Checkpoint>> read_wanted(const std::string& text) {
  if (text.empty()) return std::optional<audit::Checkpoint>();
  const auto checkpoint = audit::parse_checkpoint(text);
  if (checkpoint) return checkpoint;
  return Error{Errc::invalid_argument, "--checkpoint is what `fieldsync status --json` shows as \"checkpoint\"."};
}

std::optional<audit::HistoryFault> read_all(std::istream& file, std::uint64_t size, const VerifyRequest& request,
                                            audit::HistoryVerifier& verifier) {
  std::string begin(audit::history_file_begins.size(), '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  if (begin != audit::history_file_begins)
    return audit::HistoryFault{"not_a_history", "The file is not an exported history.", 0, {}};
  audit::HistoryRecord record;
  std::uint64_t done = begin.size();
  for (std::uint64_t count = 1; !verifier.is_decided(); ++count) {
    const audit::ReadOutcome outcome = audit::read_record(file, record);
    if (outcome != audit::ReadOutcome::record) {
      verifier.note_outcome(outcome);
      break;
    }
    verifier.take(record);
    done += record.bytes.size() + audit::history_record_head_bytes;
    if (request.on_progress && (count % records_between_progress == 0 || done == size)) request.on_progress(done, size);
  }
  return verifier.fault();
}

void print_fault(const audit::HistoryFault& fault, const VerifyRequest& request, std::ostream& out) {
  if (!request.as_json) {
    out << "Not sound: " << fault.sentence;
    if (fault.time) out << " Its time: " << time_text(*fault.time) << ".";
    out << " [" << fault.code << "]\n";
    return;
  }
  json::object report{{"sound", false}, {"code", fault.code}, {"sentence", fault.sentence}};
  if (fault.entry != 0) report["entry"] = fault.entry;
  if (fault.time) report["time_ms"] = fault.time->ms;
  out << json::serialize(report) << "\n";
}

void print_summary(const audit::HistorySummary& summary, const VerifyRequest& request, std::ostream& out) {
  if (request.as_json) {
    json::object report{{"sound", true},
                        {"entries", summary.entries},
                        {"batches", summary.batches},
                        {"devices", summary.devices},
                        {"set_back", summary.set_back},
                        {"first_ms", summary.first.ms},
                        {"last_ms", summary.last.ms}};
    if (!request.checkpoint.empty()) report["holds_checkpoint"] = true;
    out << json::serialize(report) << "\n";
    return;
  }
  out << "Sound: " << summary.entries << " entries, " << summary.batches << " batches by " << summary.devices
      << " devices, from " << time_text(summary.first) << " to " << time_text(summary.last) << ".\n";
  if (summary.set_back > 0) {
    out << "It admits " << summary.set_back
        << " times that it was set back to an older copy: what devices had been shown beyond that is not in it.\n";
  }
  if (!request.checkpoint.empty()) out << "It holds the checkpoint.\n";
}

}  // namespace

Result<int> verify_history(const VerifyRequest& request, std::ostream& out) {
  const auto fingerprint = read_fingerprint(request.root);
  if (!fingerprint) return fingerprint.error();
  const auto wanted = read_wanted(request.checkpoint);
  if (!wanted) return wanted.error();
  std::error_code unknown;
  const std::uint64_t size = std::filesystem::file_size(request.file, unknown);
  std::ifstream file(request.file, std::ios::binary);
  if (unknown || !file) return Error{Errc::not_found, "The file " + request.file + " cannot be read."};
  audit::HistoryVerifier verifier(*fingerprint, *wanted);
  const auto fault = read_all(file, size, request, verifier);
  if (fault) {
    print_fault(*fault, request, out);
    return 1;
  }
  print_summary(verifier.summary(), request, out);
  return 0;
}

}  // namespace fieldsync::server

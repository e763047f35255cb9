#include "app/history_commands.h"

#include <boost/json.hpp>
#include <fstream>
#include <map>

#include "app/new_file.h"
#include "audit/history_file.h"
#include "service/audit_log.h"

namespace fieldsync::server {
namespace {

// Read in one transaction: a long one would keep SQLite's log from being emptied.
constexpr std::uint64_t entries_at_a_time = 200;

class HistoryExport {
 public:
  HistoryExport(Administration& admin, const std::string& file) : admin_(admin), file_(file) {}
  HistoryExport(const HistoryExport&) = delete;
  HistoryExport& operator=(const HistoryExport&) = delete;

  Result<void> write_all() {
    auto file = NewFile::make(file_);
    if (!file) return file.error();
    out_.open(file_, std::ios::binary);
    if (auto noted = note_export(); !noted) return noted;
    out_.write(audit::history_file_begins.data(), audit::history_file_begins.size());
    write(audit::key_record(admin_.sync.audit_log().public_key()));
    for (std::uint64_t number = 1; number <= size_ && out_; number += entries_at_a_time) {
      const std::uint64_t last = std::min(size_, number + entries_at_a_time - 1);
      if (auto written = write_entries(number, last); !written) return written;
      if (admin_.on_progress) admin_.on_progress(last, size_);
    }
    write(audit::end_record(size_));
    out_.close();
    if (!out_) return Error{Errc::storage_full, "The file " + file_ + " could not be written to its end."};
    file->keep();
    return {};
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  Result<void> note_export() {
    return admin_.store.write([&](WriteTransaction& transaction) -> Result<void> {
      admin_.sync.audit_log().note_act(transaction, {"history_export", {}, {}});
      size_ = transaction.last_audit_entry()->number;
      return {};
    });
  }

  Result<void> write_entries(std::uint64_t first, std::uint64_t last) {
    return admin_.store.read([&](ReadTransaction& transaction) -> Result<void> {
      for (std::uint64_t number = first; number <= last; ++number) {
        const auto row = transaction.audit_entry(number);
        // What somebody took away is left out, and `verify` says so.
        if (!row) continue;
        write(audit::entry_record({checkpoint_of(*row), row->entry}));
        v1::AuditEntry entry;
        if (entry.ParseFromString(row->entry) && entry.has_batch()) write_batch(transaction, entry.batch());
      }
      return {};
    });
  }

  void write_batch(ReadTransaction& transaction, const v1::BatchAccepted& accepted) {
    const auto device = key_of(transaction, accepted.device());
    if (!device) return;
    const std::uint64_t first = accepted.first_counter();
    transaction.batches_between(*device, first, first, [&](const BatchRow& row) {
      if (row.first_counter != first) return;
      v1::Batch batch;
      batch.set_first_counter(row.first_counter);
      if (first > 1) batch.set_previous_hash_prefix(row.previous.data(), codec::previous_hash_prefix_bytes);
      batch.set_signature(row.signature.data(), row.signature.size());
      batch.set_encoding(static_cast<v1::Encoding>(row.encoding));
      batch.set_content(row.content.data(), row.content.size());
      write(audit::batch_record(batch));
    });
  }

  std::optional<std::int64_t> key_of(ReadTransaction& transaction, const std::string& id) {
    const auto known = keys_.find(id);
    if (known != keys_.end()) return known->second;
    const auto device = core::DeviceId::from_bytes(id);
    const auto row = device ? transaction.device_by_id(*device) : std::nullopt;
    if (!row) return std::nullopt;
    keys_.emplace(id, row->key);
    return row->key;
  }

  void write(const std::string& bytes) { out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); }

  Administration& admin_;
  std::string file_;
  std::ofstream out_;
  std::uint64_t size_ = 0;
  std::map<std::string, std::int64_t> keys_;
};

}  // namespace

Result<void> show_fingerprint(Administration& admin, bool as_json) {
  const audit::Hash fingerprint = admin.sync.audit_log().fingerprint();
  const std::string text = core::to_hex(audit::view_of(fingerprint));
  if (as_json) {
    admin.out << boost::json::serialize(boost::json::object{{"fingerprint", text}}) << "\n";
  } else {
    admin.out << text << "\n";
  }
  return {};
}

Result<void> export_history(Administration& admin, const std::string& file) {
  HistoryExport history(admin, file);
  if (auto written = history.write_all(); !written) return written;
  admin.out << history.size() << " entries written to " << file << ". Whoever has the fingerprint can check them:\n"
            << "  fieldsync-server verify " << file << " --root "
            << core::to_hex(audit::view_of(admin.sync.audit_log().fingerprint())) << "\n";
  return {};
}

}  // namespace fieldsync::server

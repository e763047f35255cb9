#include "sim/disk/machine.h"

#include <sqlite3.h>

#include <algorithm>

#include "sim/disk/open_file.h"

namespace fieldsync::sim {
namespace {

bool counts_as(Operation operation, Among among) {
  switch (among) {
    case Among::writes: return operation == Operation::write || operation == Operation::truncate;
    case Among::syncs: return operation == Operation::sync;
    case Among::changes: return operation >= Operation::create;
    case Among::everything: return true;
  }
  return false;
}

}  // namespace

void Machine::inject(const Fault& fault) { faults_.push_back({fault, count(fault.among) + fault.nth}); }

void Machine::clear_faults() {
  faults_.clear();
  capacity_.reset();
}

void Machine::cut_power() {
  files_ = files_.after_power_cut(random_, fault_counts_.sectors);
  ++fault_counts_.power_cuts;
  running_ = false;
  lose_handles();
}

void Machine::restore(FileTree files) {
  files_ = std::move(files);
  lose_handles();
  watcher_.restored();
}

void Machine::lose_handles() {
  ++boots_;
  locks_.clear();
  open_counts_.clear();
}

Machine::Verdict Machine::next(Operation operation) {
  for (std::size_t among = 0; among < counts_.size(); ++among) {
    if (counts_as(operation, static_cast<Among>(among))) ++counts_[among];
  }
  Verdict verdict = Verdict::go_on;
  for (const ArmedFault& armed : faults_) {
    if (!counts_as(operation, armed.fault.among)) continue;
    const std::uint64_t now = count(armed.fault.among);
    const bool for_ever = armed.fault.effect == Fault::Effect::io_error_for_ever;
    if (now != armed.at && !(for_ever && now > armed.at)) continue;
    if (armed.fault.effect == Fault::Effect::power_cut) return Verdict::cut_power;
    verdict = Verdict::fail;
  }
  if (verdict == Verdict::fail) ++fault_counts_.io_errors;
  return verdict;
}

int Machine::look(Operation operation, int error) {
  if (!running_) return error;
  const Verdict verdict = next(operation);
  if (verdict == Verdict::cut_power) cut_power();
  return verdict == Verdict::go_on ? SQLITE_OK : error;
}

int Machine::change(Operation operation, const DiskChange& change, int error) {
  if (!running_) return error;
  const Verdict verdict = next(operation);
  const bool is_sync = operation == Operation::sync;
  if (verdict == Verdict::fail) {
    if (is_sync) {
      const SectorCounts failed = files_.fail_sync(change.file, random_);
      fault_counts_.sectors.kept += failed.kept;
      fault_counts_.sectors.lost += failed.lost;
      fault_counts_.sectors.torn += failed.torn;
    }
    return error;
  }
  if (verdict == Verdict::go_on) {
    files_.apply(change);
    watcher_.changed(change);
    return SQLITE_OK;
  }
  // The power goes while the step is under way: a sync has not made sure of
  // anything, another step may be found done or not.
  if (!is_sync) {
    DiskChange begun = change;
    begun.sync_folder = false;
    files_.apply(begun);
    watcher_.changed(begun);
  }
  cut_power();
  return error;
}

std::size_t Machine::room_for(const DiskChange& write) const {
  if (!capacity_) return write.bytes.size();
  const std::size_t free = *capacity_ - std::min(*capacity_, files_.bytes_used());
  const std::size_t size = files_.content(write.file).size();
  const std::size_t last = size + free;
  return last <= write.at ? 0 : std::min(write.bytes.size(), last - write.at);
}

int Machine::open(const std::string& name, int flags, std::unique_ptr<OpenFile>& opened) {
  auto file = files_.find(name);
  if (const int failed = look(Operation::open, SQLITE_CANTOPEN); failed != SQLITE_OK) return failed;
  if (file && (flags & SQLITE_OPEN_EXCLUSIVE) != 0) return SQLITE_CANTOPEN;
  if (!file) {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    const DiskChange create{.kind = DiskChange::Kind::create, .name = name};
    if (const int failed = change(Operation::create, create, SQLITE_CANTOPEN); failed != SQLITE_OK) return failed;
    file = files_.find(name);
  }
  ++open_counts_[*file];
  opened = std::make_unique<OpenFile>(*this, *file, HandleId{next_handle_++}, locks_of(*file));
  return SQLITE_OK;
}

int Machine::remove(const std::string& name, bool sync_folder) {
  const auto file = files_.find(name);
  if (running_ && !file) return SQLITE_IOERR_DELETE_NOENT;
  const DiskChange remove{.kind = DiskChange::Kind::remove, .name = name, .sync_folder = sync_folder};
  const int code = change(Operation::remove, remove, SQLITE_IOERR_DELETE);
  if (code == SQLITE_OK) files_.forget_unnamed([&](FileId id) { return open_counts_.contains(id); });
  return code;
}

int Machine::exists(const std::string& name, bool& answer) {
  if (const int failed = look(Operation::exists, SQLITE_IOERR_ACCESS); failed != SQLITE_OK) return failed;
  const auto file = files_.find(name);
  // An empty file counts as none, as in SQLite's own VFS.
  answer = file && !files_.content(*file).empty();
  return SQLITE_OK;
}

int Machine::rename(const std::string& from, const std::string& to) {
  if (running_ && !files_.find(from)) return SQLITE_CANTOPEN;
  const DiskChange rename{.kind = DiskChange::Kind::rename, .name = from, .sync_folder = true, .new_name = to};
  const int code = change(Operation::rename, rename, SQLITE_IOERR);
  if (code == SQLITE_OK) files_.forget_unnamed([&](FileId id) { return open_counts_.contains(id); });
  return code;
}

std::shared_ptr<FileLocks> Machine::locks_of(FileId file) {
  auto& locks = locks_[file];
  if (!locks) locks = std::make_shared<FileLocks>();
  return locks;
}

void Machine::close(FileId file) {
  const auto count = open_counts_.find(file);
  if (--count->second > 0) return;
  open_counts_.erase(count);
  locks_.erase(file);
}

}  // namespace fieldsync::sim

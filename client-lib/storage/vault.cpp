#include "storage/vault.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/check.h"
#include "storage/packing.h"

namespace fieldsync::storage {
namespace {

constexpr std::size_t row_hash_bytes = 32;
// All but the manifest's own table, those that are gone once the store has a key, and the
// pieces of attachments: they are many, and checked when they are read.
struct CountedTable {
  const char* name;
  const char* all_rows;
  const char* check;
};
#define COUNTED(table) \
  { table, "SELECT * FROM " table, "PRAGMA integrity_check(" table ")" }
constexpr CountedTable counted_tables[] = {
    COUNTED("key_slot"),   COUNTED("setting"),        COUNTED("scope"),        COUNTED("person"),
    COUNTED("form"),       COUNTED("record"),         COUNTED("operation"),    COUNTED("refused"),
    COUNTED("batch"),      COUNTED("batch_stamps"),   COUNTED("former_batch"), COUNTED("former_refused"),
    COUNTED("attachment"), COUNTED("settled_refusal")};
#undef COUNTED

bool is_counted(std::string_view table) {
  return std::any_of(std::begin(counted_tables), std::end(counted_tables),
                     [&](const CountedTable& counted) { return counted.name == table; });
}
// In the manifest's place.
constexpr std::string_view destroyed = "destroyed";
constexpr const char* not_this_stores = "the rows are not those that this store wrote last";

[[noreturn]] void damaged(const char* what) { throw sqlite::SqliteError(Errc::storage_corrupt, what); }

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

Vault::~Vault() { close(); }

bool Vault::is_new() {
  auto select = connection_.prepare("SELECT 1 FROM store");
  return !select.step();
}

seal::StoreId Vault::store_id() {
  auto select = connection_.prepare("SELECT id FROM store");
  const auto id = select.step() ? seal::StoreId::from_bytes(select.blob(0)) : std::nullopt;
  if (!id) damaged("the store has no id");
  return *id;
}

Result<seal::KeySlots> Vault::slots() {
  seal::KeySlots slots(store_id());
  auto select = connection_.prepare("SELECT number, bytes FROM key_slot");
  while (select.step()) {
    if (auto taken = slots.take(select.unsigned_integer(0), select.blob(1)); !taken) return taken.error();
  }
  return slots;
}

Result<NewKey> make_key(const seal::Credentials& credentials, const seal::KeyCost& cost) {
  seal::StoreId id;
  randombytes_buf(id.bytes.data(), id.bytes.size());
  NewKey key{id, seal::Secret::random(seal::data_key_bytes), seal::KeySlots(id)};
  if (const auto added = key.slots.add(key.data_key, credentials, cost); !added) return added.error();
  return key;
}

void Vault::create(const NewKey& key, const std::function<void()>& seal_what_is_open) {
  FIELDSYNC_CHECK(is_new(), "a store gets its key once");
  try {
    sqlite::Transaction transaction(connection_);
    auto insert = connection_.prepare("INSERT INTO store(id, manifest) VALUES(?1, x'')");
    insert.bind_blob(1, key.store.view()).run();
    insert_slots(key.slots);
    unseal(key.data_key);
    open_->in_transaction = true;
    seal_what_is_open();
    write_manifest(LogUse::settled);
    transaction.commit();
  } catch (...) {
    forget();
    throw;
  }
  end_transaction(true);
  log_is_missing_ = false;
  // What stood open is not to be read in the log either.
  empty_log();
}

void Vault::open(const seal::Secret& data_key) {
  if (is_open()) return;
  try {
    unseal(data_key);
    check_manifest();
    mend_indexes();
  } catch (...) {
    forget();
    throw;
  }
  log_is_missing_ = false;
  // Where the app ended after a slot went: it is not to be found in the file any more.
  empty_log();
}

bool Vault::change_slots(const seal::KeySlots& before, const seal::KeySlots& after) {
  const auto now = slots();
  if (!now || *now != before) return false;
  Transaction transaction(*this);
  connection_.prepare("DELETE FROM key_slot").run();
  insert_slots(after);
  transaction.commit();
  // The slot that went is not to be found in the log.
  empty_log();
  return true;
}

void Vault::insert_slots(const seal::KeySlots& slots) {
  for (const auto& [number, bytes] : slots.stored()) {
    auto slot = connection_.prepare("INSERT INTO key_slot(number, bytes) VALUES(?1, ?2)");
    slot.bind_unsigned(1, number).bind_blob(2, bytes).run();
  }
}

void Vault::destroy() {
  try {
    sqlite::Transaction transaction(connection_);
    connection_.prepare("DELETE FROM key_slot").run();
    connection_.prepare("DELETE FROM store").run();
    auto mark = connection_.prepare("INSERT INTO store(id, manifest) VALUES(zeroblob(16), ?1)");
    mark.bind_blob(1, destroyed).run();
    transaction.commit();
  } catch (...) {
    // The rows are as they were, and so is the sum over them.
    end_transaction(false);
    throw;
  }
  forget();
  // Who closes it tries once more.
  connection_.keep_log_at_close(false);
  // Without it the slots are gone only as long as the log is there.
  connection_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

bool Vault::is_destroyed() const {
  auto select = connection_.prepare("SELECT manifest FROM store");
  return select.step() && select.blob(0) == destroyed;
}

void Vault::check_open() const {
  if (open_) return;
  throw sqlite::SqliteError(is_destroyed() ? Errc::wiped : Errc::locked, "");
}

void Vault::unseal(const seal::Secret& data_key) {
  open_.emplace(Open{seal::Sealer(data_key, store_id()), seal::Sealer(data_key, store_id(), seal::Purpose::attachments),
                     seal::derive_key(data_key, seal::Purpose::row_sums),
                     seal::derive_key(data_key, seal::Purpose::names)});
  sum_all_rows();
  open_->committed_sum = open_->sum;
  connection_.listen(this);
}

void Vault::forget() {
  connection_.listen(nullptr);
  open_.reset();
}

void Vault::close() {
  if (!open_) return;
  try {
    // The keys do not wait for the disk.
    const bool is_settled = open_->log == LogUse::settled;
    const std::string manifest = is_settled ? std::string() : sealed_manifest(LogUse::settled);
    forget();
    if (is_settled) return;
    sqlite::Transaction transaction(connection_);
    put_manifest(manifest);
    transaction.commit();
    connection_.keep_log_at_close(false);
  } catch (const std::exception&) {
    // Then the log stays, and the next who opens the store finds it.
    forget();
  }
}

void Vault::empty_log() {
  // On a full disk the next commit needs no more room once all of the log was moved.
  if (!settles_log() && (!connection_.checkpoint(sqlite::Connection::Log::kept) || !settles_log())) return;
  connection_.checkpoint(sqlite::Connection::Log::emptied);
}

bool Vault::settles_log() {
  try {
    settle_log();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void Vault::settle_log() {
  if (open_->log == LogUse::needed) {
    try {
      sqlite::Transaction transaction(connection_);
      write_manifest(LogUse::settled);
      transaction.commit();
    } catch (...) {
      end_transaction(false);
      throw;
    }
    end_transaction(true);
  }
  connection_.keep_log_at_close(false);
}

void Vault::mark_file() {
  connection_.keep_log_at_close(true);
  if (!open_->file_knows_of_log) open_->file_knows_of_log = connection_.checkpoint(sqlite::Connection::Log::kept);
}

void Vault::sum_all_rows() {
  for (const CountedTable& table : counted_tables) {
    auto rows = connection_.prepare(table.all_rows);
    while (rows.step()) rows.tell(table.name, *this);
  }
  check_no_row_lost();
}

void Vault::check_no_row_lost() const {
  if (!open_->lost_row) return;
  if (*open_->lost_row == Errc::out_of_memory) throw std::bad_alloc();
  throw sqlite::SqliteError(*open_->lost_row, "a row that changes could not be read");
}

void Vault::on_row(std::string_view table, std::string_view row) noexcept {
  if (!is_counted(table)) return;
  RowSum hash{};
  static_assert(sizeof hash == row_hash_bytes);
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), sizeof hash, bytes_of(row), row.size(),
                     open_->row_key.data(), open_->row_key.size());
  for (std::size_t i = 0; i < hash.size(); ++i) open_->sum[i] ^= hash[i];
}

std::string Vault::seal(const seal::CellPlace& place, std::string_view content) const {
  check_open();
  FIELDSYNC_CHECK(open_->in_transaction, "what is sealed is written inside a transaction of the store");
  return open_->sealer.seal(place, open_->commit + 1, content);
}

std::string Vault::read(const seal::CellPlace& place, std::string_view cell) const {
  check_open();
  auto content = open_->sealer.open(place, cell);
  if (!content) damaged("a cell is not what this store wrote there");
  return std::move(*content);
}

std::string Vault::seal_piece(std::string_view place, std::string_view content) const {
  check_open();
  return open_->piece_sealer.seal({seal::Place::attachment_piece, place}, 1, content);
}

std::optional<std::string> Vault::read_piece(std::string_view place, std::string_view cell) const {
  check_open();
  return open_->piece_sealer.open({seal::Place::attachment_piece, place}, cell);
}

std::string Vault::tag_of(std::string_view name) const {
  check_open();
  std::string tag(16, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(tag.data()), tag.size(), bytes_of(name), name.size(),
                     open_->name_key.data(), open_->name_key.size());
  return tag;
}

void Vault::check_manifest() {
  auto select = connection_.prepare("SELECT manifest FROM store");
  if (!select.step()) damaged("the store has no manifest");
  const std::string manifest = read({seal::Place::manifest, {}}, select.blob(0));
  Unpacker fields(manifest);
  const std::uint64_t commit = fields.number();
  const std::string_view sum = fields.bytes(row_hash_bytes);
  // The first stores said nothing of their log.
  const bool needs_log = !fields.done() && fields.number() != 0;
  if (!fields.done()) damaged("the manifest could not be read");
  // Before the sum: where the log was taken away while it was moved, the rows are of two commits.
  if (needs_log && log_is_missing_) throw sqlite::SqliteError(Errc::journal_missing, "");
  if (std::memcmp(sum.data(), open_->sum.data(), row_hash_bytes) != 0) damaged(not_this_stores);
  open_->commit = commit;
  if (needs_log) open_->log = LogUse::needed;
}

std::string Vault::damage() {
  for (const CountedTable& table : counted_tables) {
    if (std::string problem = connection_.integrity_problem(table.check); !problem.empty()) return problem;
  }
  return {};
}

void Vault::mend_indexes() {
  if (damage().empty()) return;
  sqlite::Transaction transaction(connection_);
  connection_.execute("REINDEX");
  if (const std::string problem = damage(); !problem.empty()) damaged(problem.c_str());
  transaction.commit();
}

void Vault::write_manifest(LogUse log) {
  check_no_row_lost();
  put_manifest(sealed_manifest(log));
  open_->log_written = log;
}

std::string Vault::sealed_manifest(LogUse log) const {
  std::string manifest;
  pack_number(manifest, open_->commit + 1);
  manifest.append(reinterpret_cast<const char*>(open_->sum.data()), row_hash_bytes);
  pack_number(manifest, log == LogUse::needed ? 1 : 0);
  return open_->sealer.seal({seal::Place::manifest, {}}, open_->commit + 1, manifest);
}

void Vault::put_manifest(const std::string& cell) {
  auto update = connection_.prepare("UPDATE store SET manifest = ?1");
  update.bind_blob(1, cell).run();
}

void Vault::end_transaction(bool committed) {
  if (!open_) return;
  if (committed) {
    if (open_->log_written) {
      ++open_->commit;
      open_->log = *open_->log_written;
      open_->file_knows_of_log = open_->file_knows_of_log && open_->log == LogUse::needed;
    }
    open_->committed_sum = open_->sum;
  } else {
    open_->sum = open_->committed_sum;
  }
  open_->log_written.reset();
  open_->lost_row.reset();
  open_->in_transaction = false;
}

Transaction::Transaction(Vault& vault) : vault_(vault), transaction_(vault.connection_) {
  vault_.check_open();
  vault_.open_->in_transaction = true;
}

Transaction::~Transaction() {
  if (!committed_) vault_.end_transaction(false);
}

void Transaction::commit() {
  if (vault_.has_changed()) vault_.write_manifest(Vault::LogUse::needed);
  transaction_.commit();
  committed_ = true;
  vault_.end_transaction(true);
  if (vault_.open_->log == Vault::LogUse::needed) vault_.mark_file();
}

std::string row_of(std::uint64_t number) {
  std::string row;
  pack_number(row, number);
  return row;
}

std::string row_of(std::uint64_t first, std::uint64_t last) {
  std::string row = row_of(first);
  pack_number(row, last);
  return row;
}

}  // namespace fieldsync::storage

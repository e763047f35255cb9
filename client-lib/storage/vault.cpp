#include "storage/vault.h"

#include <sodium.h>

#include <cstring>

#include "core/check.h"
#include "storage/packing.h"

namespace fieldsync::storage {
namespace {

constexpr std::size_t row_hash_bytes = 32;
// The manifest's own table, and those that are gone once the store has a key.
bool is_counted(std::string_view table) { return table != "store" && !table.starts_with("open_"); }
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

Result<void> Vault::create(const seal::Credentials& credentials, const seal::KeyCost& cost,
                           const std::function<void()>& seal_what_is_open) {
  FIELDSYNC_CHECK(is_new(), "a store gets its key once");
  seal::StoreId id;
  randombytes_buf(id.bytes.data(), id.bytes.size());
  const auto data_key = seal::Secret::random(seal::data_key_bytes);
  seal::KeySlots slots(id);
  if (const auto added = slots.add(data_key, credentials, cost); !added) return added.error();
  sqlite::Transaction transaction(connection_);
  auto insert = connection_.prepare("INSERT INTO store(id, manifest) VALUES(?1, x'')");
  insert.bind_blob(1, id.view()).run();
  insert_slots(slots);
  unseal(data_key);
  try {
    open_->in_transaction = true;
    seal_what_is_open();
    write_manifest();
    transaction.commit();
  } catch (...) {
    close();
    throw;
  }
  end_transaction(true);
  return {};
}

Result<void> Vault::open(const seal::Credentials& credentials) {
  if (is_open()) return {};
  auto known = slots();
  if (!known) return known.error();
  const auto opened = known->open(credentials);
  if (!opened) return opened.error();
  try {
    unseal(opened->data_key);
    check_manifest();
    mend_indexes();
  } catch (...) {
    close();
    throw;
  }
  return {};
}

Result<void> Vault::change_slots(const seal::Credentials& known, Known fate, const seal::Credentials* added,
                                 const seal::KeyCost& cost) {
  auto slots = this->slots();
  if (!slots) return slots.error();
  const auto opened = slots->open(known);
  if (!opened) return opened.error();
  if (fate == Known::goes) slots->remove(opened->slot);
  if (added != nullptr) {
    if (const auto done = slots->add(opened->data_key, *added, cost); !done) return done.error();
  }
  if (slots->stored().empty()) return Error{Errc::invalid_argument, "Nothing would be left that opens the store."};
  Transaction transaction(*this);
  connection_.prepare("DELETE FROM key_slot").run();
  insert_slots(*slots);
  transaction.commit();
  // The slot that went is not to be found in the log.
  connection_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  return {};
}

void Vault::insert_slots(const seal::KeySlots& slots) {
  for (const auto& [number, bytes] : slots.stored()) {
    auto slot = connection_.prepare("INSERT INTO key_slot(number, bytes) VALUES(?1, ?2)");
    slot.bind_unsigned(1, number).bind_blob(2, bytes).run();
  }
}

void Vault::destroy() {
  close();
  sqlite::Transaction transaction(connection_);
  connection_.prepare("DELETE FROM key_slot").run();
  auto mark = connection_.prepare("UPDATE store SET manifest = ?1");
  mark.bind_blob(1, destroyed).run();
  transaction.commit();
  connection_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

bool Vault::is_destroyed() {
  auto select = connection_.prepare("SELECT manifest FROM store");
  return select.step() && select.blob(0) == destroyed;
}

void Vault::unseal(const seal::Secret& data_key) {
  open_.emplace(Open{seal::Sealer(data_key, store_id()), seal::derive_key(data_key, seal::Purpose::row_sums),
                     seal::derive_key(data_key, seal::Purpose::names)});
  sum_all_rows();
  open_->committed_sum = open_->sum;
  connection_.listen(this);
}

void Vault::close() {
  connection_.listen(nullptr);
  open_.reset();
}

void Vault::sum_all_rows() {
  static constexpr std::pair<const char*, const char*> tables[] = {
      {"key_slot", "SELECT * FROM key_slot"},
      {"setting", "SELECT * FROM setting"},
      {"scope", "SELECT * FROM scope"},
      {"person", "SELECT * FROM person"},
      {"form", "SELECT * FROM form"},
      {"record", "SELECT * FROM record"},
      {"operation", "SELECT * FROM operation"},
      {"refused", "SELECT * FROM refused"},
      {"batch", "SELECT * FROM batch"},
      {"batch_stamps", "SELECT * FROM batch_stamps"},
      {"former_batch", "SELECT * FROM former_batch"},
      {"former_refused", "SELECT * FROM former_refused"},
  };
  for (const auto& [table, all] : tables) {
    auto rows = connection_.prepare(all);
    while (rows.step()) rows.tell(table, *this);
  }
  if (open_->lost_row) throw std::bad_alloc();
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
  if (!open_) throw sqlite::SqliteError(Errc::locked, "the store is locked");
  FIELDSYNC_CHECK(open_->in_transaction, "what is sealed is written inside a transaction of the store");
  return open_->sealer.seal(place, open_->commit + 1, content);
}

std::string Vault::read(const seal::CellPlace& place, std::string_view cell) const {
  if (!open_) throw sqlite::SqliteError(Errc::locked, "the store is locked");
  auto content = open_->sealer.open(place, cell);
  if (!content) damaged("a cell is not what this store wrote there");
  return std::move(*content);
}

std::string Vault::tag_of(std::string_view name) const {
  if (!open_) throw sqlite::SqliteError(Errc::locked, "the store is locked");
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
  if (!fields.done()) damaged("the manifest could not be read");
  if (std::memcmp(sum.data(), open_->sum.data(), row_hash_bytes) != 0) damaged(not_this_stores);
  open_->commit = commit;
}

void Vault::mend_indexes() {
  if (connection_.integrity_problem().empty()) return;
  sqlite::Transaction transaction(connection_);
  connection_.execute("REINDEX");
  if (const std::string problem = connection_.integrity_problem(); !problem.empty()) damaged(problem.c_str());
  transaction.commit();
}

void Vault::write_manifest() {
  if (open_->lost_row) throw std::bad_alloc();
  std::string manifest;
  pack_number(manifest, open_->commit + 1);
  manifest.append(reinterpret_cast<const char*>(open_->sum.data()), row_hash_bytes);
  const std::string cell = open_->sealer.seal({seal::Place::manifest, {}}, open_->commit + 1, manifest);
  auto update = connection_.prepare("UPDATE store SET manifest = ?1");
  update.bind_blob(1, cell).run();
}

void Vault::end_transaction(bool committed) {
  if (!open_) return;
  if (committed) {
    if (has_changed() || open_->commit == 0) ++open_->commit;
    open_->committed_sum = open_->sum;
  } else {
    open_->sum = open_->committed_sum;
  }
  open_->lost_row = false;
  open_->in_transaction = false;
}

Transaction::Transaction(Vault& vault) : vault_(vault), transaction_(vault.connection_) {
  if (!vault_.open_) throw sqlite::SqliteError(Errc::locked, "the store is locked");
  vault_.open_->in_transaction = true;
}

Transaction::~Transaction() {
  if (!committed_) vault_.end_transaction(false);
}

void Transaction::commit() {
  if (vault_.has_changed()) vault_.write_manifest();
  transaction_.commit();
  committed_ = true;
  vault_.end_transaction(true);
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

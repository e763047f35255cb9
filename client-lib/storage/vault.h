// vault.h: what seals the store. It is closed until the data key was given, and no row
// with content can be read or written before.
//
// Every commit writes down, sealed, its number and a sum over all rows of the store but the
// pieces of attachments: the exclusive or of a keyed hash of each. Who puts back a row of yesterday, takes one
// away or swaps two cannot make that sum again, and the store does not open. Who puts
// the whole file back can: the office notices (storage/fork.h).
//
// It says too whether the log must be there: a store whose log was taken away while it was in use does not open
// without being told to.
//
// Threads  As the connection.
// Errors   Calls throw SqliteError: as check_open(), where the vault is closed; storage_corrupt,
//          where a cell or a row is not what this store wrote.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "seal/key_slots.h"
#include "seal/sealer.h"
#include "sqlite/connection.h"

namespace fieldsync::storage {

// The key of a store that is to be, wrapped. Making it takes as long as its passphrase's slot
// says, and no database.
struct NewKey {
  seal::StoreId store;
  seal::Secret data_key;
  seal::KeySlots slots;
};
// Errors as KeySlots::add.
[[nodiscard]] Result<NewKey> make_key(const seal::Credentials& credentials, const seal::KeyCost& cost);

class Vault final : private sqlite::RowListener {
 public:
  explicit Vault(sqlite::Connection& connection)
      : connection_(connection), log_is_missing_(connection.found_no_log()) {}
  ~Vault() override;
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  // Whether it never had a key.
  [[nodiscard]] bool is_new();
  [[nodiscard]] bool is_open() const { return open_.has_value(); }
  // Throws where it is not: `locked`, or `wiped` where it was destroyed.
  void check_open() const;

  // Takes up the first key of a new store. `seal_what_is_open` runs in the same transaction.
  void create(const NewKey& key, const std::function<void()>& seal_what_is_open);
  // What opens the store. storage_corrupt: they cannot be slots.
  [[nodiscard]] Result<seal::KeySlots> slots();
  // From now on a store opens without the log that it should have.
  void accept_missing_log() { log_is_missing_ = false; }
  // With the key that a slot gave. storage_corrupt: the rows are not those of the last commit.
  // journal_missing: they are those of an earlier one.
  void open(const seal::Secret& data_key);
  // Forgets the keys at once, and says then that the log is not needed any more, as far as the disk lets it. Pre: no
  // transaction is open.
  void close();

  // Moves what the log holds into the file, as far as the disk lets it: what is no more cannot be
  // found in the log either. Pre: the vault is open, and no transaction is.
  void empty_log();

  // Pre: the vault is open. False, and nothing is changed, where the store's slots are not
  // `before` any more.
  [[nodiscard]] bool change_slots(const seal::KeySlots& before, const seal::KeySlots& after);
  // Destroys every slot, durably, and forgets the keys: from then on nobody opens the store. Needs
  // no key. Where it throws and the vault is still open, nothing has changed.
  void destroy();
  [[nodiscard]] bool is_destroyed() const;

  // Inside a Transaction.
  [[nodiscard]] std::string seal(const seal::CellPlace& place, std::string_view content) const;
  [[nodiscard]] std::string read(const seal::CellPlace& place, std::string_view cell) const;
  // The bytes of attachments, with a key of their own. `revision` 1: what stands at a place
  // is never written anew.
  [[nodiscard]] std::string seal_piece(std::string_view place, std::string_view content) const;
  // Nothing where it is not what this store wrote there.
  [[nodiscard]] std::optional<std::string> read_piece(std::string_view place, std::string_view cell) const;
  // Where something is looked for by a name that must not be seen: 16 bytes.
  [[nodiscard]] std::string tag_of(std::string_view name) const;

 private:
  friend class Transaction;
  using RowSum = std::array<std::uint64_t, 4>;
  // Whether the file is the whole store without the log.
  enum class LogUse : std::uint8_t { settled, needed };
  struct Open {
    seal::Sealer sealer;
    seal::Sealer piece_sealer;
    seal::Secret row_key;
    seal::Secret name_key;
    std::uint64_t commit = 0;  // of the last one
    RowSum sum{};              // over the rows as they are now
    RowSum committed_sum{};
    std::optional<Errc> lost_row{};  // why its hash is not in the sum
    bool in_transaction = false;
    LogUse log = LogUse::settled;         // as the last manifest says
    std::optional<LogUse> log_written{};  // as one that is not committed says
    bool file_knows_of_log = false;
  };

  void on_row(std::string_view table, std::string_view row) noexcept override;
  void on_lost_row(Errc why) noexcept override { open_->lost_row = why; }

  [[nodiscard]] seal::StoreId store_id();
  void insert_slots(const seal::KeySlots& slots);
  void unseal(const seal::Secret& data_key);
  void sum_all_rows();
  // Throws where the sum is not that of the rows.
  void check_no_row_lost() const;
  void check_manifest();
  // What SQLite's own check finds in the rows that are summed and in their indexes.
  [[nodiscard]] std::string damage();
  // Pre: the rows are as they were written. What else is damaged can be an index, which is
  // made of them anew.
  void mend_indexes();
  [[nodiscard]] bool has_changed() const { return open_->lost_row.has_value() || open_->sum != open_->committed_sum; }
  // Before the commit.
  void write_manifest(LogUse log);
  [[nodiscard]] std::string sealed_manifest(LogUse log) const;
  void put_manifest(const std::string& cell);
  void end_transaction(bool committed);
  // The file itself says from now on that the log is needed, as far as the disk lets it: before anybody is told that
  // something was saved.
  void mark_file();
  // Says that the log is not needed any more. Throws where that could not be committed; then the log stays.
  void settle_log();
  [[nodiscard]] bool settles_log();
  void forget();

  sqlite::Connection& connection_;
  bool log_is_missing_;  // where one is needed
  std::optional<Open> open_;
};

// The only way to change an open store.
class Transaction {
 public:
  explicit Transaction(Vault& vault);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Vault& vault_;
  sqlite::Transaction transaction_;
  bool committed_ = false;
};

// A row's key in a cell's associated data.
[[nodiscard]] std::string row_of(std::uint64_t number);
[[nodiscard]] std::string row_of(std::uint64_t first, std::uint64_t last);

}  // namespace fieldsync::storage

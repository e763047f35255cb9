// vault.h: what seals the store. It is closed until the data key was given, and no row
// with content can be read or written before.
//
// Every commit writes down, sealed, its number and a sum over all rows of the store: the
// exclusive or of a keyed hash of each. Who puts back a row of yesterday, takes one
// away or swaps two cannot make that sum again, and the store does not open. Who puts
// the whole file back can: the office notices (storage/fork.h).
//
// Threads  As the connection.
// Errors   Calls throw SqliteError: locked, where the vault is closed; storage_corrupt,
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

class Vault final : private sqlite::RowListener {
 public:
  explicit Vault(sqlite::Connection& connection) : connection_(connection) {}
  ~Vault() override;
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  // Whether it never had a key.
  [[nodiscard]] bool is_new();
  [[nodiscard]] bool is_open() const { return open_.has_value(); }

  // The first key of a new store, with the first way to open it. `seal_what_is_open` runs in
  // the same transaction. Errors as KeySlots::add.
  [[nodiscard]] Result<void> create(const seal::Credentials& credentials, const seal::KeyCost& cost,
                                    const std::function<void()>& seal_what_is_open);
  // Errors as KeySlots::open. storage_corrupt also where the rows are not those of the last commit.
  [[nodiscard]] Result<void> open(const seal::Credentials& credentials);
  // Forgets the keys.
  void close();

  // What is to open the store from now on, beside `known`, or in its place; or only without
  // `known`, where `added` is null. Pre: the vault is open. wrong_passphrase; invalid_argument:
  // nothing would be left that opens it. Errors as KeySlots::add.
  enum class Known : std::uint8_t { stays, goes };
  [[nodiscard]] Result<void> change_slots(const seal::Credentials& known, Known fate, const seal::Credentials* added,
                                          const seal::KeyCost& cost);
  // Destroys every slot, durably: from then on nobody opens the store. Needs no key.
  void destroy();
  [[nodiscard]] bool is_destroyed();

  // Inside a Transaction.
  [[nodiscard]] std::string seal(const seal::CellPlace& place, std::string_view content) const;
  [[nodiscard]] std::string read(const seal::CellPlace& place, std::string_view cell) const;
  // Where something is looked for by a name that must not be seen: 16 bytes.
  [[nodiscard]] std::string tag_of(std::string_view name) const;

 private:
  friend class Transaction;
  using RowSum = std::array<std::uint64_t, 4>;
  struct Open {
    seal::Sealer sealer;
    seal::Secret row_key;
    seal::Secret name_key;
    std::uint64_t commit = 0;  // of the last one
    RowSum sum{};              // over the rows as they are now
    RowSum committed_sum{};
    bool lost_row = false;
    bool in_transaction = false;
  };

  void on_row(std::string_view table, std::string_view row) noexcept override;
  void on_lost_row() noexcept override { open_->lost_row = true; }

  [[nodiscard]] Result<seal::KeySlots> slots();
  [[nodiscard]] seal::StoreId store_id();
  void insert_slots(const seal::KeySlots& slots);
  void unseal(const seal::Secret& data_key);
  void sum_all_rows();
  void check_manifest();
  // Pre: the rows are as they were written. What else is damaged can be an index, which is
  // made of them anew.
  void mend_indexes();
  [[nodiscard]] bool has_changed() const { return open_->lost_row || open_->sum != open_->committed_sum; }
  // Before the commit.
  void write_manifest();
  void end_transaction(bool committed);

  sqlite::Connection& connection_;
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

// sealer.h: seals what is stored, one cell at a time, so that it can be read only with
// the store's data key, and only at the place for which it was sealed.
//
//   cell  = format (1 byte) | revision (8, little-endian) | nonce (24) | XChaCha20-Poly1305
//   plain = length (4, little-endian) | content | zeros up to the padded size
//   associated data = "fieldsync-cell1" | store (16) | place (1) | revision (8) | row
//
// The nonce is random: 192 bits do not meet by chance. What can be seen of a cell is
// its padded size and its revision. Keys are derived from the data key, one for each
// purpose (libsodium's crypto_kdf, BLAKE2b).
//
// Threads  const calls from any thread.
// Errors   Without memory, std::bad_alloc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.h"
#include "seal/secret.h"

namespace fieldsync::seal {

using StoreId = core::Id<struct StoreTag>;

inline constexpr std::size_t data_key_bytes = 32;
inline constexpr std::size_t cell_content_bytes_max = 64 * 1024 * 1024;

// What a key is for. The numbers are part of the format: they are never reused.
enum class Purpose : std::uint8_t { rows = 1, attachments = 2, row_sums = 3, names = 4 };

// Which column a cell stands in. The numbers are part of the format.
enum class Place : std::uint8_t {
  manifest = 1,
  setting = 2,
  scope = 3,
  scope_position = 4,
  person = 5,
  form = 6,
  record_head = 7,
  shown_head = 8,
  record_body = 9,  // what was told, and what is shown: the one becomes the other
  operation = 10,
  refusal = 11,
  batch = 12,
  batch_content = 13,
  batch_stamps = 14,
  attachment = 15,
  attachment_piece = 16,
};

// Where a cell belongs. A cell that is moved or copied elsewhere does not open.
struct CellPlace {
  Place place;
  std::string_view row;  // the row's key, as bytes
};

// A key for one purpose.
[[nodiscard]] Secret derive_key(const Secret& data_key, Purpose purpose);

class Sealer {
 public:
  Sealer(const Secret& data_key, const StoreId& store, Purpose purpose = Purpose::rows);

  // `revision`: greater than that of any cell that stood at this place before.
  [[nodiscard]] std::string seal(const CellPlace& place, std::uint64_t revision, std::string_view content) const;
  // Nothing where the cell is another's, of another place, or was altered.
  [[nodiscard]] std::optional<std::string> open(const CellPlace& place, std::string_view cell) const;

 private:
  [[nodiscard]] std::string associated_data(const CellPlace& place, std::uint64_t revision) const;

  Secret key_;
  StoreId store_;
};

// The revision with which a cell was sealed; nothing where it is no cell.
[[nodiscard]] std::optional<std::uint64_t> revision_of(std::string_view cell);

// The size to which a content of this size is padded: steps of 64 bytes up to 1 KiB,
// of a sixteenth above.
[[nodiscard]] std::size_t padded_size(std::size_t content_bytes);

}  // namespace fieldsync::seal

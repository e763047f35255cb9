#include "seal/sealer.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/check.h"
#include "seal/little_endian.h"

namespace fieldsync::seal {
namespace {

constexpr char cell_format = 1;
constexpr std::string_view cell_domain = "fieldsync-cell1";
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t revision_at = 1;
constexpr std::size_t nonce_at = revision_at + 8;
constexpr std::size_t sealed_at = nonce_at + nonce_bytes;
constexpr std::size_t length_bytes = 4;
constexpr std::size_t step_bytes_min = 64;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

Secret derive_key(const Secret& data_key, Purpose purpose) {
  static_assert(data_key_bytes == crypto_kdf_KEYBYTES);
  static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES <= crypto_kdf_BYTES_MAX);
  FIELDSYNC_CHECK(data_key.size() == data_key_bytes, "the data key has its length");
  Secret key(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
  crypto_kdf_derive_from_key(key.data(), key.size(), static_cast<std::uint64_t>(purpose), "fldsync1", data_key.data());
  return key;
}

std::size_t padded_size(std::size_t content_bytes) {
  const std::size_t step = std::max(step_bytes_min, std::bit_floor(content_bytes) / 16);
  return (std::max<std::size_t>(content_bytes, 1) + step - 1) / step * step;
}

Sealer::Sealer(const Secret& data_key, const StoreId& store, Purpose purpose)
    : key_(derive_key(data_key, purpose)), store_(store) {}

std::string Sealer::associated_data(const CellPlace& place, std::uint64_t revision) const {
  std::string data(cell_domain);
  data += store_.view();
  data += static_cast<char>(place.place);
  append_little_endian(data, revision);
  data += place.row;
  return data;
}

std::string Sealer::seal(const CellPlace& place, std::uint64_t revision, std::string_view content) const {
  FIELDSYNC_CHECK(content.size() <= cell_content_bytes_max, "a cell's content has a bound");
  const std::size_t plain_bytes = padded_size(length_bytes + content.size());
  // Made in its place and sealed there: the content is in no second buffer.
  std::string cell(sealed_at + plain_bytes + tag_bytes, '\0');
  cell[0] = cell_format;
  put_little_endian(cell, revision_at, revision);
  randombytes_buf(bytes_of(cell) + nonce_at, nonce_bytes);
  unsigned char* plain = bytes_of(cell) + sealed_at;
  for (std::size_t i = 0; i < length_bytes; ++i) plain[i] = static_cast<unsigned char>(content.size() >> (8 * i));
  if (!content.empty()) std::memcpy(plain + length_bytes, content.data(), content.size());
  const std::string data = associated_data(place, revision);
  crypto_aead_xchacha20poly1305_ietf_encrypt(plain, nullptr, plain, plain_bytes, bytes_of(data), data.size(), nullptr,
                                             bytes_of(cell) + nonce_at, key_.data());
  return cell;
}

std::optional<std::string> Sealer::open(const CellPlace& place, std::string_view cell) const {
  const auto revision = revision_of(cell);
  if (!revision) return std::nullopt;
  const std::string data = associated_data(place, *revision);
  std::string plain(cell.size() - sealed_at - tag_bytes, '\0');
  const bool authentic = crypto_aead_xchacha20poly1305_ietf_decrypt(
                             bytes_of(plain), nullptr, nullptr, bytes_of(cell) + sealed_at, cell.size() - sealed_at,
                             bytes_of(data), data.size(), bytes_of(cell) + nonce_at, key_.data()) == 0;
  if (!authentic) return std::nullopt;
  const std::size_t length = static_cast<std::size_t>(read_little_endian(plain, 0, length_bytes));
  if (length > plain.size() - length_bytes) return std::nullopt;
  plain.erase(0, length_bytes);
  plain.resize(length);
  return plain;
}

std::optional<std::uint64_t> revision_of(std::string_view cell) {
  if (cell.size() < sealed_at + length_bytes + tag_bytes || cell[0] != cell_format) return std::nullopt;
  return read_little_endian(cell, revision_at, 8);
}

}  // namespace fieldsync::seal

// unsealed.cpp: the store without its seal, to measure what sealing costs. Linked before
// fieldsync_seal, in whose place it stands: cells are what was given, and a row's sum is some of its
// bytes. What stays is what any store would need: the hook that hears of rows, and a manifest.
#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "seal/little_endian.h"
#include "seal/sealer.h"

namespace fieldsync::seal {
namespace {

constexpr std::size_t revision_bytes = 8;

}  // namespace

Secret derive_key(const Secret& data_key, Purpose) { return Secret::copy_of(data_key.view()); }

std::size_t padded_size(std::size_t content_bytes) { return content_bytes; }

Sealer::Sealer(const Secret& data_key, const StoreId& store, Purpose purpose)
    : key_(derive_key(data_key, purpose)), store_(store) {}

std::string Sealer::associated_data(const CellPlace&, std::uint64_t) const { return std::string(store_.view()); }

std::string Sealer::seal(const CellPlace&, std::uint64_t revision, std::string_view content) const {
  std::string cell;
  cell.reserve(revision_bytes + content.size());
  append_little_endian(cell, revision);
  cell += content;
  return cell;
}

std::optional<std::string> Sealer::open(const CellPlace&, std::string_view cell) const {
  return std::string(cell.substr(revision_bytes));
}

std::optional<std::uint64_t> revision_of(std::string_view cell) { return read_little_endian(cell, 0, revision_bytes); }

}  // namespace fieldsync::seal

// A keyed hash is the sum over a row, or the tag of a name. Others stay what they are.
extern "C" int crypto_generichash(unsigned char* out, size_t out_bytes, const unsigned char* in,
                                  unsigned long long in_bytes, const unsigned char* key, size_t key_bytes) {
  if (key == nullptr) return crypto_generichash_blake2b(out, out_bytes, in, in_bytes, key, key_bytes);
  constexpr std::size_t looked_at = 64;
  constexpr std::uint64_t prime = 1099511628211ULL;  // FNV-1a
  std::uint64_t hash = 14695981039346656037ULL ^ in_bytes;
  for (std::size_t i = 0; i < std::min<std::size_t>(in_bytes, looked_at); ++i) hash = (hash ^ in[i]) * prime;
  for (std::size_t at = 0; at < out_bytes; at += sizeof hash, hash *= prime)
    std::memcpy(out + at, &hash, std::min(sizeof hash, out_bytes - at));
  return 0;
}

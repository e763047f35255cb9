#include "audit/merkle.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <new>

namespace fieldsync::audit {
namespace {

constexpr std::size_t proof_nodes_max = 128;

Hash sha256_of(std::initializer_list<std::string_view> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Hash hash{};
  bool done = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  for (const std::string_view part : parts)
    done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  if (!done || EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) != 1) throw std::bad_alloc();
  return hash;
}

// The greatest power of two below `size`. Pre: size > 1.
std::uint64_t split_of(std::uint64_t size) { return std::bit_floor(size - 1); }

// MTH of the leaves [begin, begin + count): the recursion of RFC 6962 always comes upon complete
// subtrees that begin at a multiple of their size.
Hash subtree(std::uint64_t begin, std::uint64_t count, const NodeReader& read) {
  if (std::has_single_bit(count)) return read(static_cast<unsigned>(std::countr_zero(count)), begin / count);
  const std::uint64_t left = split_of(count);
  return hash_node(subtree(begin, left, read), subtree(begin + left, count - left, read));
}

void add_consistency(std::uint64_t former, std::uint64_t begin, std::uint64_t count, bool is_known,
                     const NodeReader& read, std::vector<Hash>& proof) {
  if (former == count) {
    if (!is_known) proof.push_back(subtree(begin, count, read));
    return;
  }
  const std::uint64_t left = split_of(count);
  if (former <= left) {
    add_consistency(former, begin, left, is_known, read, proof);
    proof.push_back(subtree(begin + left, count - left, read));
  } else {
    add_consistency(former - left, begin + left, count - left, false, read, proof);
    proof.push_back(subtree(begin, left, read));
  }
}

}  // namespace

std::string_view view_of(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

Hash sha256(std::string_view bytes) { return sha256_of({bytes}); }

Hash hash_leaf(std::string_view entry) { return sha256_of({std::string_view("\0", 1), entry}); }

Hash hash_node(const Hash& left, const Hash& right) { return sha256_of({"\1", view_of(left), view_of(right)}); }

Hash empty_root() { return sha256({}); }

std::vector<Node> nodes_of_append(std::uint64_t size, const Hash& leaf, const NodeReader& read) {
  std::vector<Node> nodes{{0, size, leaf}};
  while ((nodes.back().place & 1) != 0) {
    const Node& right = nodes.back();
    nodes.push_back({right.level + 1, right.place / 2, hash_node(read(right.level, right.place - 1), right.hash)});
  }
  return nodes;
}

Hash root_of(std::uint64_t size, const NodeReader& read) { return size == 0 ? empty_root() : subtree(0, size, read); }

std::vector<Hash> inclusion_path(std::uint64_t leaf, std::uint64_t size, const NodeReader& read) {
  std::vector<Hash> path;
  std::uint64_t begin = 0;
  while (size > 1) {
    const std::uint64_t left = split_of(size);
    if (leaf < left) {
      path.push_back(subtree(begin + left, size - left, read));
      size = left;
    } else {
      path.push_back(subtree(begin, left, read));
      begin += left;
      leaf -= left;
      size -= left;
    }
  }
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<Hash> consistency_proof(std::uint64_t former, std::uint64_t size, const NodeReader& read) {
  std::vector<Hash> proof;
  if (former > 0 && former < size) add_consistency(former, 0, size, true, read, proof);
  return proof;
}

// As in RFC 9162, 2.1.3.2.
bool is_included(const Hash& leaf, std::uint64_t place, std::uint64_t size, std::span<const Hash> path,
                 const Hash& root) {
  if (place >= size) return false;
  std::uint64_t last = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : path) {
    if (last == 0) return false;
    if ((place & 1) != 0 || place == last) {
      hash = hash_node(sibling, hash);
      while ((place & 1) == 0 && place != 0) {
        place >>= 1;
        last >>= 1;
      }
    } else {
      hash = hash_node(hash, sibling);
    }
    place >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

// As in RFC 9162, 2.1.4.2.
bool is_consistent(std::uint64_t former, const Hash& former_root, std::uint64_t size, const Hash& root,
                   std::span<const Hash> proof) {
  if (former > size || former == 0) return false;
  if (former == size) return proof.empty() && former_root == root;
  std::uint64_t place = former - 1;
  std::uint64_t last = size - 1;
  while ((place & 1) != 0) {
    place >>= 1;
    last >>= 1;
  }
  auto at = proof.begin();
  // Where the former tree is complete, it is its own subtree, and not said again.
  const bool is_complete = std::has_single_bit(former);
  if (!is_complete && at == proof.end()) return false;
  Hash old_hash = is_complete ? former_root : *at++;
  Hash new_hash = old_hash;
  for (; at != proof.end(); ++at) {
    if (last == 0) return false;
    if ((place & 1) != 0 || place == last) {
      old_hash = hash_node(*at, old_hash);
      new_hash = hash_node(*at, new_hash);
      while ((place & 1) == 0 && place != 0) {
        place >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = hash_node(new_hash, *at);
    }
    place >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == former_root && new_hash == root;
}

void GrowingTree::append(const Hash& leaf) {
  complete_.push_back(leaf);
  // One subtree for each bit of the size.
  for (std::uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    const Hash right = complete_.back();
    complete_.pop_back();
    complete_.back() = hash_node(complete_.back(), right);
  }
  ++size_;
}

Hash GrowingTree::root() const {
  if (complete_.empty()) return empty_root();
  Hash hash = complete_.back();
  for (std::size_t i = complete_.size() - 1; i-- > 0;) hash = hash_node(complete_[i], hash);
  return hash;
}

std::string joined(std::span<const Hash> hashes) {
  std::string bytes;
  for (const Hash& hash : hashes) bytes += view_of(hash);
  return bytes;
}

std::vector<Hash> split(std::string_view bytes) {
  constexpr std::size_t size = sizeof(Hash);
  std::vector<Hash> hashes;
  if (bytes.size() % size != 0 || bytes.size() / size > proof_nodes_max) return hashes;
  for (std::size_t at = 0; at < bytes.size(); at += size) hashes.push_back(hash_from(bytes.substr(at, size)));
  return hashes;
}

Hash hash_from(std::string_view bytes) {
  Hash hash{};
  if (bytes.size() == hash.size()) std::memcpy(hash.data(), bytes.data(), hash.size());
  return hash;
}

}  // namespace fieldsync::audit

// merkle.h: the tree of the audit log, exactly as in RFC 6962, section 2.1.
//
// Pure: hashes in, hashes out. Leaves are counted from 0 here. A complete subtree is
// named by its level and its place on it: (0, i) is leaf i, (k, i) covers the 2^k leaves
// from i * 2^k on.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fieldsync::audit {

using Hash = std::array<std::uint8_t, 32>;

[[nodiscard]] std::string_view view_of(const Hash& hash);
[[nodiscard]] Hash sha256(std::string_view bytes);
[[nodiscard]] Hash hash_leaf(std::string_view entry);
[[nodiscard]] Hash hash_node(const Hash& left, const Hash& right);
// SHA-256 of nothing.
[[nodiscard]] Hash empty_root();

struct Node {
  unsigned level = 0;
  std::uint64_t place = 0;
  Hash hash{};
  bool operator==(const Node&) const = default;
};

// Reads the hash of a complete subtree.
using NodeReader = std::function<Hash(unsigned level, std::uint64_t place)>;

// The subtrees that a leaf completes as the tree grows from `size` leaves by one: the leaf itself first.
[[nodiscard]] std::vector<Node> nodes_of_append(std::uint64_t size, const Hash& leaf, const NodeReader& read);

// Of the first `size` leaves.
[[nodiscard]] Hash root_of(std::uint64_t size, const NodeReader& read);
// Pre: leaf < size.
[[nodiscard]] std::vector<Hash> inclusion_path(std::uint64_t leaf, std::uint64_t size, const NodeReader& read);
// Empty where `former` is 0 or `size`. Pre: former <= size.
[[nodiscard]] std::vector<Hash> consistency_proof(std::uint64_t former, std::uint64_t size, const NodeReader& read);

// Whether `leaf` stands at `place` in the tree of `size` leaves with this root.
[[nodiscard]] bool is_included(const Hash& leaf, std::uint64_t place, std::uint64_t size, std::span<const Hash> path,
                               const Hash& root);
// Whether the tree of `size` leaves with this root begins with the `former` leaves of the other.
[[nodiscard]] bool is_consistent(std::uint64_t former, const Hash& former_root, std::uint64_t size, const Hash& root,
                                 std::span<const Hash> proof);

// A tree that only grows: its root, in memory of the logarithm of its size.
class GrowingTree {
 public:
  void append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> complete_;  // the largest subtree first
};

// As they travel: 32 bytes for each.
[[nodiscard]] std::string joined(std::span<const Hash> hashes);
// Nothing where the length is not a multiple of 32, or there are more than 128.
[[nodiscard]] std::vector<Hash> split(std::string_view bytes);
// Zeros where it is not 32 bytes.
[[nodiscard]] Hash hash_from(std::string_view bytes);

}  // namespace fieldsync::audit

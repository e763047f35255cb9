#include "audit/merkle.h"

#include <catch2/catch.hpp>
#include <map>

#include "core/id.h"

using namespace fieldsync;
using namespace fieldsync::audit;

namespace {

std::string hex(const Hash& hash) { return core::to_hex(view_of(hash)); }

// The definition of RFC 6962, 2.1, word for word.
Hash root_by_definition(std::span<const Hash> leaves) {
  if (leaves.empty()) return empty_root();
  if (leaves.size() == 1) return leaves.front();
  std::size_t left = 1;
  while (left * 2 < leaves.size()) left *= 2;
  return hash_node(root_by_definition(leaves.first(left)), root_by_definition(leaves.subspan(left)));
}

// As a database keeps it: complete subtrees by level and place.
class Forest {
 public:
  void append(const std::string& entry) {
    leaves.push_back(hash_leaf(entry));
    for (const Node& node : nodes_of_append(leaves.size() - 1, leaves.back(), reader()))
      nodes[{node.level, node.place}] = node.hash;
  }
  [[nodiscard]] NodeReader reader() const {
    return [this](unsigned level, std::uint64_t place) { return nodes.at({level, place}); };
  }

  std::vector<Hash> leaves;
  std::map<std::pair<unsigned, std::uint64_t>, Hash> nodes;
};

Forest forest_of(std::size_t size) {
  Forest forest;
  for (std::size_t i = 0; i < size; ++i) forest.append("entry " + std::to_string(i));
  return forest;
}

// The leaves of the test data of Certificate Transparency's reference implementation.
const std::vector<std::string> known_leaves{"",
                                            std::string("\0", 1),
                                            "\x10",
                                            "\x20\x21",
                                            "\x30\x31",
                                            "\x40\x41\x42\x43",
                                            "\x50\x51\x52\x53\x54\x55\x56\x57",
                                            "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
const std::vector<std::string> known_roots{"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                           "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                           "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                           "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                           "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                           "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                           "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                           "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

constexpr std::size_t sizes_tried = 70;

}  // namespace

TEST_CASE("The tree of no entry, and the known trees of one to eight, have the roots of RFC 6962", "[audit][merkle]") {
  CHECK(hex(empty_root()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Forest forest;
  GrowingTree growing;
  for (std::size_t i = 0; i < known_leaves.size(); ++i) {
    forest.append(known_leaves[i]);
    growing.append(hash_leaf(known_leaves[i]));
    CHECK(hex(root_of(i + 1, forest.reader())) == known_roots[i]);
    CHECK(hex(growing.root()) == known_roots[i]);
  }
}

TEST_CASE("Roots of all sizes are those of the definition, however the tree is kept", "[audit][merkle]") {
  const Forest forest = forest_of(sizes_tried);
  GrowingTree growing;
  for (std::size_t size = 0; size <= sizes_tried; ++size) {
    const Hash expected = root_by_definition(std::span(forest.leaves).first(size));
    CHECK(root_of(size, forest.reader()) == expected);
    CHECK(growing.root() == expected);
    CHECK(growing.size() == size);
    if (size < sizes_tried) growing.append(forest.leaves[size]);
  }
}

TEST_CASE("Every leaf of every size is proven to be included, at its place alone", "[audit][merkle]") {
  const Forest forest = forest_of(sizes_tried);
  for (std::uint64_t size = 1; size <= sizes_tried; ++size) {
    const Hash root = root_of(size, forest.reader());
    for (std::uint64_t leaf = 0; leaf < size; ++leaf) {
      const auto path = inclusion_path(leaf, size, forest.reader());
      REQUIRE(is_included(forest.leaves[leaf], leaf, size, path, root));
      for (std::uint64_t other = 0; other < size; ++other) {
        if (other != leaf && is_included(forest.leaves[leaf], other, size, path, root)) FAIL("at another place");
        if (other != leaf && is_included(forest.leaves[other], leaf, size, path, root)) FAIL("another leaf");
      }
      CHECK_FALSE(is_included(forest.leaves[leaf], leaf, leaf, path, root));
    }
  }
}

TEST_CASE("Every size is proven to go on from every smaller one", "[audit][merkle]") {
  const Forest forest = forest_of(sizes_tried);
  for (std::uint64_t size = 1; size <= sizes_tried; ++size) {
    const Hash root = root_of(size, forest.reader());
    for (std::uint64_t former = 1; former <= size; ++former) {
      const Hash former_root = root_of(former, forest.reader());
      const auto proof = consistency_proof(former, size, forest.reader());
      REQUIRE(is_consistent(former, former_root, size, root, proof));
      if (former == size) continue;
      // Not the other way round, and not from another history.
      if (is_consistent(size, root, former, former_root, proof)) FAIL("backwards");
      Hash other = former_root;
      other[5] ^= 1;
      if (is_consistent(former, other, size, root, proof)) FAIL("from another history");
      if (is_consistent(former, former_root, size, other, proof)) FAIL("to another history");
    }
    CHECK_FALSE(is_consistent(0, empty_root(), size, root, {}));
  }
}

TEST_CASE("A bit flipped anywhere in a proof, a part too many and one too few are noticed", "[audit][merkle]") {
  const Forest forest = forest_of(sizes_tried);
  for (const std::uint64_t size : {2, 3, 7, 8, 21, 64, 70}) {
    const Hash root = root_of(size, forest.reader());
    for (std::uint64_t i = 0; i < size; ++i) {
      auto path = inclusion_path(i, size, forest.reader());
      auto proof = consistency_proof(i + 1, size, forest.reader());
      const Hash former = root_of(i + 1, forest.reader());
      for (std::size_t bit = 0; bit < path.size() * 256; bit += 37) {
        path[bit / 256][bit % 256 / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        if (is_included(forest.leaves[i], i, size, path, root)) FAIL("a flipped bit of a path");
        path[bit / 256][bit % 256 / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      }
      for (std::size_t bit = 0; bit < proof.size() * 256; bit += 37) {
        proof[bit / 256][bit % 256 / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        if (is_consistent(i + 1, former, size, root, proof)) FAIL("a flipped bit of a proof");
        proof[bit / 256][bit % 256 / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      }
      path.push_back(root);
      CHECK_FALSE(is_included(forest.leaves[i], i, size, path, root));
      path.resize(path.size() - 2);
      CHECK_FALSE(is_included(forest.leaves[i], i, size, path, root));
      proof.push_back(root);
      CHECK_FALSE(is_consistent(i + 1, former, size, root, proof));
      if (proof.size() < 2) continue;
      proof.resize(proof.size() - 2);
      CHECK_FALSE(is_consistent(i + 1, former, size, root, proof));
    }
  }
}

TEST_CASE("Hashes travel side by side, and nothing else passes for them", "[audit][merkle]") {
  const std::vector<Hash> hashes{sha256("a"), sha256("b"), sha256("c")};
  CHECK(split(joined(hashes)) == hashes);
  CHECK(split({}).empty());
  CHECK(split(joined(hashes).substr(1)).empty());
  CHECK(split(std::string(32 * 129, 'x')).empty());
  CHECK(hash_from("short") == Hash{});
}

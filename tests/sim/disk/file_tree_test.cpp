#include "sim/disk/file_tree.h"

#include <catch2/catch.hpp>
#include <cctype>
#include <memory>
#include <random>
#include <set>

namespace fieldsync::sim {
namespace {

Random random_from(std::uint64_t seed) {
  return [generator = std::make_shared<std::mt19937_64>(seed)] { return (*generator)(); };
}

FileId make(FileTree& tree, const std::string& name) {
  tree.apply({.kind = DiskChange::Kind::create, .name = name});
  return *tree.find(name);
}

void write(FileTree& tree, FileId file, std::size_t at, const std::string& bytes) {
  tree.apply({.kind = DiskChange::Kind::write, .file = file, .at = at, .bytes = bytes});
}

void truncate(FileTree& tree, FileId file, std::size_t size) {
  tree.apply({.kind = DiskChange::Kind::truncate, .file = file, .at = size});
}

void sync(FileTree& tree, FileId file) { tree.apply({.kind = DiskChange::Kind::sync, .file = file}); }

// What the file can hold after a power cut; "-" where it is gone.
std::set<std::string> outcomes(const FileTree& tree, const std::string& name) {
  const Random random = random_from(1);
  std::set<std::string> seen;
  for (int i = 0; i < 2'000; ++i) {
    SectorCounts counts;
    const FileTree after = tree.after_power_cut(random, counts);
    const auto file = after.find(name);
    seen.insert(file ? after.content(*file) : "-");
  }
  return seen;
}

std::string sectors(const std::string& letters) {
  std::string bytes;
  for (const char letter : letters) bytes.append(sector_bytes, letter);
  return bytes;
}

TEST_CASE("what was synced is there after every power cut", "[sim][disk]") {
  FileTree tree;
  const FileId file = make(tree, "a");
  write(tree, file, 0, "hello");
  sync(tree, file);
  CHECK(outcomes(tree, "a") == std::set<std::string>{"hello"});
}

TEST_CASE("each unsynced sector is kept, lost or torn on its own", "[sim][disk]") {
  FileTree tree;
  const FileId file = make(tree, "a");
  write(tree, file, 0, sectors("ab"));
  sync(tree, file);
  write(tree, file, 0, sectors("AB"));
  const auto seen = outcomes(tree, "a");
  for (const char* whole : {"ab", "Ab", "aB", "AB"}) CHECK(seen.contains(sectors(whole)));
  for (const std::string& content : seen) {
    REQUIRE(content.size() == 2 * sector_bytes);
    for (std::size_t i = 1; i < content.size(); ++i) {
      // Within a sector the new part comes first.
      const bool within = i % sector_bytes != 0;
      const bool falls_back = std::islower(content[i - 1]) != 0 && std::isupper(content[i]) != 0;
      REQUIRE_FALSE((within && falls_back));
    }
  }
  CHECK(seen.size() > 100);
}

TEST_CASE("a later write can reach the disk without an earlier one", "[sim][disk]") {
  FileTree tree;
  const FileId file = make(tree, "a");
  write(tree, file, 0, sectors("ab"));
  sync(tree, file);
  write(tree, file, 0, sectors("A"));
  write(tree, file, sector_bytes, sectors("B"));
  CHECK(outcomes(tree, "a").contains(sectors("aB")));
}

TEST_CASE("two writes to one sector reach the disk in their order", "[sim][disk]") {
  FileTree tree;
  const FileId file = make(tree, "a");
  write(tree, file, 0, "..");
  sync(tree, file);
  write(tree, file, 0, "1");
  write(tree, file, 1, "2");
  CHECK_FALSE(outcomes(tree, "a").contains(".2"));
  CHECK(outcomes(tree, "a").contains("1."));
}

TEST_CASE("a truncation is kept or lost", "[sim][disk]") {
  FileTree tree;
  const FileId file = make(tree, "a");
  write(tree, file, 0, "hello");
  sync(tree, file);
  truncate(tree, file, 2);
  CHECK(tree.content(file) == "he");
  CHECK(outcomes(tree, "a") == std::set<std::string>{"he", "hello"});
  sync(tree, file);
  CHECK(outcomes(tree, "a") == std::set<std::string>{"he"});
}

TEST_CASE("a new file may be gone until it is synced", "[sim][disk]") {
  FileTree tree;
  const FileId file = make(tree, "a");
  write(tree, file, 0, "x");
  CHECK(outcomes(tree, "a") == std::set<std::string>{"-", "", "x"});
  sync(tree, file);
  CHECK(outcomes(tree, "a") == std::set<std::string>{"x"});
}

TEST_CASE("a removed file may come back until its folder is synced", "[sim][disk]") {
  const bool synced = GENERATE(false, true);
  FileTree tree;
  const FileId file = make(tree, "a");
  write(tree, file, 0, "x");
  sync(tree, file);
  tree.apply({.kind = DiskChange::Kind::remove, .name = "a", .sync_folder = synced});
  CHECK_FALSE(tree.find("a"));
  CHECK(outcomes(tree, "a") == (synced ? std::set<std::string>{"-"} : std::set<std::string>{"-", "x"}));
}

TEST_CASE("a rename is done or not, and durable once its folder is synced", "[sim][disk]") {
  const bool synced = GENERATE(false, true);
  FileTree tree;
  const FileId file = make(tree, "new");
  write(tree, file, 0, "x");
  sync(tree, file);
  const FileId former = make(tree, "name");
  write(tree, former, 0, "former");
  sync(tree, former);
  tree.apply({.kind = DiskChange::Kind::rename, .name = "new", .sync_folder = synced, .new_name = "name"});
  CHECK(tree.names() == std::vector<std::string>{"name"});
  CHECK(tree.content(*tree.find("name")) == "x");
  // Of either name: never both, never none.
  std::set<std::string> seen;
  const Random random = random_from(1);
  for (int i = 0; i < 200; ++i) {
    SectorCounts counts;
    const FileTree after = tree.after_power_cut(random, counts);
    std::string names;
    for (const std::string& name : after.names()) names += name + "=" + after.content(*after.find(name)) + " ";
    seen.insert(names);
  }
  CHECK(seen == (synced ? std::set<std::string>{"name=x "} : std::set<std::string>{"name=x ", "name=former new=x "}));
}

TEST_CASE("a renamed file holds what was synced of it, whatever its name", "[sim][disk]") {
  FileTree tree;
  const FileId file = make(tree, "new");
  write(tree, file, 0, "x");
  sync(tree, file);
  write(tree, file, 0, "y");
  tree.apply({.kind = DiskChange::Kind::rename, .name = "new", .sync_folder = true, .new_name = "name"});
  CHECK(outcomes(tree, "name") == std::set<std::string>{"x", "y"});
  CHECK(outcomes(tree, "new") == std::set<std::string>{"-"});
}

TEST_CASE("a copy is on its disk as programs saw the original", "[sim][disk]") {
  FileTree tree;
  const FileId failed = make(tree, "a");
  sync(tree, failed);
  write(tree, failed, 0, "x");
  static_cast<void>(tree.fail_sync(failed, random_from(1)));
  write(tree, make(tree, "b"), 0, "y");
  const FileTree copy = tree.copied();
  CHECK(outcomes(copy, "a") == std::set<std::string>{"x"});
  CHECK(outcomes(copy, "b") == std::set<std::string>{"y"});
}

TEST_CASE("a failed sync lets go of what did not reach the disk", "[sim][disk]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    FileTree tree;
    const FileId file = make(tree, "a");
    sync(tree, file);
    write(tree, file, 0, sectors("A"));
    static_cast<void>(tree.fail_sync(file, random_from(seed)));
    CHECK(tree.content(file) == sectors("A"));
    sync(tree, file);
    seen.merge(outcomes(tree, "a"));
  }
  CHECK(seen.contains(""));
  CHECK(seen.contains(sectors("A")));
}

TEST_CASE("the same random numbers leave the same files", "[sim][disk]") {
  FileTree tree;
  const FileId file = make(tree, "a");
  write(tree, file, 0, sectors("abcdefgh"));
  sync(tree, file);
  write(tree, file, 100, sectors("ABCDEFG"));
  SectorCounts counts;
  const FileTree first = tree.after_power_cut(random_from(7), counts);
  const FileTree second = tree.after_power_cut(random_from(7), counts);
  CHECK(first.content(*first.find("a")) == second.content(*second.find("a")));
}

TEST_CASE("a file without a name is forgotten when it is closed and cannot come back", "[sim][disk]") {
  FileTree tree;
  const FileId file = make(tree, "a");
  write(tree, file, 0, "x");
  sync(tree, file);
  tree.apply({.kind = DiskChange::Kind::remove, .name = "a"});
  tree.forget_unnamed([](FileId) { return false; });
  CHECK(tree.content(file) == "x");
  const FileId other = make(tree, "b");
  sync(tree, other);  // with the folder
  tree.forget_unnamed([&](FileId id) { return id == file; });
  CHECK(tree.content(file) == "x");
  tree.forget_unnamed([](FileId) { return false; });
  CHECK_THROWS(tree.content(file));
}

}  // namespace
}  // namespace fieldsync::sim

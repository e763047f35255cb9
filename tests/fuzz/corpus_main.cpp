// corpus_main.cpp: runs a target once on each file of its corpus, where the
// compiler has no fuzzer. So every build guards what fuzzing found.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "target.h"

int main(int count, char** arguments) {
  if (count != 2) return std::fputs("usage: TARGET_fuzz FOLDER\n", stderr), 2;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1])) files.push_back(entry.path());
  if (files.empty()) return std::fprintf(stderr, "No file in %s\n", arguments[1]), 1;
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    // Before it runs: what does not come back is the last one named.
    std::printf("%s\n", file.filename().c_str());
    std::fflush(stdout);
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  return 0;
}

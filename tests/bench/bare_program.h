// bare_program.h: what the machine allows: the same operations compressed, sent
// through TLS on loopback, decompressed, parsed and written as rows of the same
// size into SQLite with the same durability, and nothing else.
#pragma once

#include <string>
#include <vector>

namespace fieldsync::bench {

struct BareResult {
  double seconds = 0;
  double cpu_seconds = 0;
  std::size_t bytes = 0;
};

// `operations`: as the device stores them. `rows`: as the server stores them.
[[nodiscard]] BareResult run_bare_program(const std::string& folder, const std::vector<std::string>& operations,
                                          const std::vector<std::string>& rows, std::size_t per_batch);

}  // namespace fieldsync::bench

// bare_program.h: what the machine allows: the same operations compressed, sent
// through TLS on loopback, decompressed, parsed by protobuf's own library, and the
// rows that the server made of them written into the same tables of SQLite with the
// same durability. Nothing is checked, merged, encoded, signed or kept on a device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fieldsync::bench {

struct BareResult {
  double seconds = 0;
  double cpu_seconds = 0;
  std::size_t bytes = 0;
};

// What the server wrote for one operation.
struct BareRow {
  std::string record;
  std::string form;
  std::string head;
  std::string body;
  std::int64_t hash = 0;
};

// `operations`: as the device stores them. `rows`: as the server wrote them, in the same order.
[[nodiscard]] BareResult run_bare_program(const std::string& folder, const std::vector<std::string>& operations,
                                          const std::vector<BareRow>& rows, std::size_t per_batch);

}  // namespace fieldsync::bench

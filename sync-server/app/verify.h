// verify.h: `fieldsync-server verify`: needs no server, no network and no key; a file and
// the fingerprint of the log's key.
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "core/result.h"

namespace fieldsync::server {

struct VerifyRequest {
  std::string file;
  std::string root;        // the fingerprint, in hexadecimal digits
  std::string checkpoint;  // as `fieldsync status --json` shows it; empty where none is looked for
  bool as_json = false;
  std::function<void(std::uint64_t done, std::uint64_t all)> on_progress{};  // bytes
};

// Writes to `out` whether the history is sound. The exit code: 0 where it is, else 1. An error where there was
// nothing to check: no such file, or an argument that cannot be read.
[[nodiscard]] Result<int> verify_history(const VerifyRequest& request, std::ostream& out);

}  // namespace fieldsync::server

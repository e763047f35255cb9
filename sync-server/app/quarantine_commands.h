// quarantine_commands.h: what a person at the office does about operations in quarantine.
#pragma once

#include <string>

#include "app/commands.h"

namespace fieldsync::server {

struct QuarantineOptions {
  std::string device;     // the first letters of an id; empty for all
  std::string operation;  // "DEVICE:COUNTER"
  std::string note;
  std::string file;
  bool as_json = false;
};

[[nodiscard]] Result<void> list_quarantined(Administration& admin, const QuarantineOptions& options);
[[nodiscard]] Result<void> show_quarantined(Administration& admin, const QuarantineOptions& options);
[[nodiscard]] Result<void> accept_operation(Administration& admin, const QuarantineOptions& options);
[[nodiscard]] Result<void> return_operation(Administration& admin, const QuarantineOptions& options);
// Everything there is of each operation, one JSON object a line, with its signed bytes.
[[nodiscard]] Result<void> export_quarantine(Administration& admin, const QuarantineOptions& options);

}  // namespace fieldsync::server

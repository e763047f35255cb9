// enrolment_commands.h: codes that enrol devices: made, listed, withdrawn.
#pragma once

#include <string>

#include "app/commands.h"

namespace fieldsync::server {

struct CodeOptions {
  std::string person;    // a name, or the first letters of an id
  std::string code;      // the letters that name one
  std::string svg_file;  // empty for none
  bool as_qr = false;
  bool as_json = false;
};

[[nodiscard]] Result<void> make_code(Administration& admin, const CodeOptions& options);
[[nodiscard]] Result<void> list_codes(Administration& admin, const CodeOptions& options);
// not_found.
[[nodiscard]] Result<void> withdraw_code(Administration& admin, const CodeOptions& options);

}  // namespace fieldsync::server

#include "handlers/json_scan.h"

namespace fieldsync::server {

Result<void> scan_json(std::string_view text) {
  std::size_t depth = 0, elements = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (in_string) {
      if (letter == '\\') ++at;
      in_string = letter != '"';
      continue;
    }
    switch (letter) {
      case '"': in_string = true; break;
      case '{':
      case '[':
        if (++depth > json_depth_max) return Error{Errc::malformed_request, "The request nests too deeply."};
        ++elements;
        break;
      case '}':
      case ']':
        if (depth > 0) --depth;
        break;
      case ',': ++elements; break;
      // protobuf's parser would take it for a quote, and what is behind it for other than it is here.
      case '\'': return Error{Errc::malformed_request, "JSON has no single quotes outside of strings."};
      default: break;
    }
    if (elements > json_elements_max)
      return Error{Errc::too_many_elements, "The request holds too many operations or values."};
  }
  return {};
}

}  // namespace fieldsync::server

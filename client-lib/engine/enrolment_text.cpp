#include "engine/enrolment_text.h"

#include <charconv>

#include "core/id.h"

namespace fieldsync::engine {
namespace {

constexpr std::string_view prefix = "fieldsync:1:";
constexpr std::size_t pin_digits = 64;
constexpr std::size_t code_letters = 17;
constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// Takes the part behind the last colon off `text`.
std::string_view take_last(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view part = colon == std::string_view::npos ? text : text.substr(colon + 1);
  text = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  return part;
}

// A text that was not copied whole often ends in the middle of its code.
bool is_code(std::string_view text) {
  return text.size() == code_letters && text.find_first_not_of(crockford) == std::string_view::npos;
}

// "host:port"
bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const auto [read, failed] = std::from_chars(text.data() + colon + 1, end, port);
  return failed == std::errc() && read == end && port >= 1 && port <= 65535;
}

}  // namespace

std::string format_enrolment(const EnrolmentText& enrolment) {
  std::string text = std::string(prefix) + enrolment.address;
  for (const std::string& pin : enrolment.pins) text += ":" + core::to_hex(pin);
  return text + ":" + enrolment.code;
}

Result<EnrolmentText> parse_enrolment(std::string_view text) {
  const Error wrong{
      Errc::invalid_argument,
      "This is not an enrolment text. It begins with fieldsync:1: and is copied whole from what the coordinator sent."};
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  if (!text.starts_with(prefix)) return wrong;
  text.remove_prefix(prefix.size());
  EnrolmentText enrolment;
  enrolment.code = take_last(text);
  if (!enrolment.code.empty() && enrolment.code.size() < pin_digits && enrolment.code.size() != code_letters) {
    return Error{Errc::invalid_argument, "The code at the end of the enrolment text has " +
                                             std::to_string(enrolment.code.size()) + " letters instead of " +
                                             std::to_string(code_letters) + ". Copy the text whole."};
  }
  while (text.size() > pin_digits && text[text.size() - pin_digits - 1] == ':') {
    const auto pin = core::from_hex(take_last(text));
    if (!pin) return wrong;
    enrolment.pins.insert(enrolment.pins.begin(), *pin);
  }
  enrolment.address = text;
  if (enrolment.pins.empty() || !is_code(enrolment.code) || !is_address(enrolment.address)) return wrong;
  return enrolment;
}

}  // namespace fieldsync::engine

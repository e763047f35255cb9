#include "engine/enrolment_text.h"

#include "core/id.h"

namespace fieldsync::engine {
namespace {

constexpr std::string_view prefix = "fieldsync:1:";
constexpr std::size_t pin_digits = 64;

// Takes the part behind the last colon off `text`.
std::string_view take_last(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view part = colon == std::string_view::npos ? text : text.substr(colon + 1);
  text = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  return part;
}

}  // namespace

std::string format_enrolment(const EnrolmentText& enrolment) {
  std::string text = std::string(prefix) + enrolment.address;
  for (const std::string& pin : enrolment.pins) text += ":" + core::to_hex(pin);
  return text + ":" + enrolment.code;
}

Result<EnrolmentText> parse_enrolment(std::string_view text) {
  const Error wrong{Errc::invalid_argument,
                    "This is not an enrolment text. It begins with fieldsync:1: and is copied whole from what the coordinator sent."};
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  if (!text.starts_with(prefix)) return wrong;
  text.remove_prefix(prefix.size());
  EnrolmentText enrolment;
  enrolment.code = take_last(text);
  while (text.size() > pin_digits && text[text.size() - pin_digits - 1] == ':') {
    const auto pin = core::from_hex(take_last(text));
    if (!pin) return wrong;
    enrolment.pins.insert(enrolment.pins.begin(), *pin);
  }
  enrolment.address = text;
  const bool complete = !enrolment.pins.empty() && !enrolment.code.empty() && enrolment.address.find(':') != std::string::npos;
  if (!complete) return wrong;
  return enrolment;
}

}  // namespace fieldsync::engine

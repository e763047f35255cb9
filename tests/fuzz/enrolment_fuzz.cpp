// enrolment_fuzz.cpp: what a person pastes: enrolment texts, and codes as they are typed.
#include "engine/enrolment_text.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"
#include "service/enrolment.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fieldsync;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(server::read_enrolment_code(text));
  const auto enrolment = engine::parse_enrolment(text);
  if (!enrolment) return 0;
  const auto again = engine::parse_enrolment(engine::format_enrolment(*enrolment));
  fuzz::must_hold(
      again && again->address == enrolment->address && again->pins == enrolment->pins && again->code == enrolment->code,
      "an enrolment text that is written is read");
  fuzz::must_hold(!enrolment->pins.empty(), "an enrolment text names a key to trust");
  fuzz::must_hold(server::read_enrolment_code(enrolment->code).has_value(), "a device sends a code that is one");
  return 0;
}

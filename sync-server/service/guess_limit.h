// guess_limit.h: how many wrong enrolment codes are taken from one address: whoever guesses at
// the codes of many people would not be stopped by what locks one code.
//
// Threads  Any.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/time.h"

namespace fieldsync::server {

// Of one address, within the span.
inline constexpr std::size_t wrong_codes_per_address_max = 30;
inline constexpr core::Milliseconds wrong_codes_span{15 * 60 * 1000};

class GuessLimit {
 public:
  // Whether this address has used up its tries for now.
  [[nodiscard]] bool is_reached(std::string_view address, core::Instant now);
  void note_wrong(std::string_view address, core::Instant now);

 private:
  using Times = std::deque<core::Instant>;  // of the newest wrong codes, oldest first
  void forget_old(core::Instant now);

  std::mutex mutex_;
  std::map<std::string, Times, std::less<>> wrong_;
};

}  // namespace fieldsync::server

#include "service/guess_limit.h"

namespace fieldsync::server {
namespace {

// About 4 MB.
constexpr std::size_t addresses_max = 10'000;

}  // namespace

bool GuessLimit::is_reached(std::string_view address, core::Instant now) {
  const std::lock_guard lock(mutex_);
  const auto known = wrong_.find(address);
  return known != wrong_.end() && known->second.size() == wrong_codes_per_address_max &&
         known->second.front() + wrong_codes_span > now;
}

void GuessLimit::note_wrong(std::string_view address, core::Instant now) {
  const std::lock_guard lock(mutex_);
  if (wrong_.size() >= addresses_max && !wrong_.contains(address)) forget_old(now);
  Times& times = wrong_[std::string(address)];
  if (times.size() == wrong_codes_per_address_max) times.pop_front();
  times.push_back(now);
}

// Of more addresses than are kept, those whose last try is longest ago begin anew: each code has
// a lock of its own.
void GuessLimit::forget_old(core::Instant now) {
  std::erase_if(wrong_, [&](const auto& entry) { return entry.second.back() + wrong_codes_span <= now; });
  if (wrong_.size() < addresses_max) return;
  auto oldest = wrong_.begin();
  for (auto at = wrong_.begin(); at != wrong_.end(); ++at) {
    if (at->second.back() < oldest->second.back()) oldest = at;
  }
  wrong_.erase(oldest);
}

}  // namespace fieldsync::server

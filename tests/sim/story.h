// story.h: what happened in a simulated run, line by line, for whoever has to
// understand a failing seed. Its hash is what two runs of one seed must share.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/schedule.h"

namespace fieldsync::sim {

// A promise of the product is broken: the run ends here.
class BrokenPromise : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Story {
 public:
  explicit Story(const Schedule& schedule) : schedule_(schedule) {}

  void tell(const std::string& who, const std::string& what);

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] std::uint64_t hash() const;

 private:
  const Schedule& schedule_;
  std::vector<std::string> lines_;
};

}  // namespace fieldsync::sim

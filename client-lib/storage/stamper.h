// stamper.h: gives an own operation the times that the server gave it, from what
// BatchStamps says of the whole batch.
#pragma once

#include <map>

#include "core/effective_time.h"
#include "fieldsync/v1/sync.pb.h"

namespace fieldsync::storage {

// Of an own operation, until the server has stamped it.
[[nodiscard]] core::Stamp provisional(const core::Operation& operation);

class Stamper {
 public:
  explicit Stamper(const v1::BatchStamps& stamps);

  [[nodiscard]] core::Instant effective_time(core::Instant claimed, std::uint64_t counter) const;
  void stamp(core::Stamp& stamp, std::uint64_t counter, std::uint64_t seq) const;

 private:
  core::Arrival arrival_;
  std::map<std::uint64_t, core::Instant> exceptions_;
};

}  // namespace fieldsync::storage

// must.h: for programs in which a refusal is the end.
#pragma once

#include <stdexcept>

#include "core/result.h"

namespace fieldsync::edge {

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

}  // namespace fieldsync::edge

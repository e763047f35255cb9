// columns.h: ids and hashes in the columns of our tables.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "store/store.h"

namespace fieldsync::server {

// All zeros where they are none.
template <typename IdType>
[[nodiscard]] IdType id_from(std::string_view bytes) {
  return IdType::from_bytes(bytes).value_or(IdType{});
}

[[nodiscard]] inline std::string_view view_of(const Sha256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

[[nodiscard]] inline Sha256 hash_from(std::string_view bytes) {
  Sha256 hash{};
  std::memcpy(hash.data(), bytes.data(), std::min(bytes.size(), hash.size()));
  return hash;
}

}  // namespace fieldsync::server

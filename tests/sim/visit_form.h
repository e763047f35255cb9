// visit_form.h: the form of simulated reports: one field for each way of merging.
#pragma once

#include <string>

namespace fieldsync::sim {

// The second version adds the field `later`, the third `latest`.
inline constexpr std::uint32_t visit_versions = 3;
[[nodiscard]] std::string visit_form(std::uint32_t version);

}  // namespace fieldsync::sim

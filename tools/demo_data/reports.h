// reports.h: inspection reports, as lines for `fieldsync new visit --from`.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace fieldsync::demo {

[[nodiscard]] std::set<std::string> reported_centres(const std::filesystem::path& data);

// One text of JSON Lines for each device; report N goes to device N modulo `devices`.
// `scope` is the id, in hexadecimal digits, of the scope that facilities are imported into.
[[nodiscard]] std::vector<std::string> visit_reports(const std::filesystem::path& data, const std::string& scope,
                                                     std::size_t devices);

}  // namespace fieldsync::demo

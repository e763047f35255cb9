// standard_forms.h: the forms that a new server starts with, as proto text.
#pragma once

#include <string_view>
#include <vector>

namespace fieldsync::server {

[[nodiscard]] std::vector<std::string_view> standard_forms();

}  // namespace fieldsync::server

// vectors.h: the conformance vectors and what stands in them. README.md says what
// each file holds.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <string>

#include "core/form.h"
#include "core/operation.h"
#include "core/result.h"

namespace fieldsync::conformance {

using boost::json::object;

// vectors/NAME, as text.
[[nodiscard]] std::string read_vectors(const std::string& name);

// Runs `valid` on each valid case of vectors/NAME.json. `code` answers the name of
// the code with which an invalid case is refused; "none" where it is not.
void each_case(const std::string& name, const std::function<void(const object&)>& valid,
               const std::function<std::string(const object&)>& code);

[[nodiscard]] std::string code_of(const Error& error);

[[nodiscard]] const core::Form& form();

[[nodiscard]] std::string text_of(const object& one, const char* name);
// Hexadecimal in the vectors.
[[nodiscard]] std::string bytes_of(const object& one, const char* name);
[[nodiscard]] std::uint64_t counter_of(const object& one, const char* name);
[[nodiscard]] std::int64_t integer_of(const object& one, const char* name);

template <typename Id>
[[nodiscard]] Id id_of(const object& one, const char* name) {
  return Id::from_bytes(bytes_of(one, name)).value_or(Id{});
}

[[nodiscard]] core::Value value_of(const object& plain);
[[nodiscard]] core::Operation operation_of(const object& plain, const core::OperationId& id);

}  // namespace fieldsync::conformance

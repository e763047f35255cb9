// result.h: a value, or the reason why there is none. For what can happen in the
// field; exceptions are for what no caller can act on.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"
#include "core/errc.h"

namespace fieldsync {

struct Error {
  Errc code;
  // A plain sentence for this case; empty for the table's own.
  std::string detail;

  [[nodiscard]] std::string message() const { return detail.empty() ? std::string(describe(code).sentence) : detail; }
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return content_.index() == 0; }
  T& operator*() { return value(); }
  const T& operator*() const { return const_cast<Result*>(this)->value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &**this; }

  [[nodiscard]] const Error& error() const {
    FIELDSYNC_CHECK(content_.index() == 1, "error() is asked of a failure only");
    return std::get<1>(content_);
  }

 private:
  T& value() {
    FIELDSYNC_CHECK(content_.index() == 0, "the value is asked of a success only");
    return std::get<0>(content_);
  }

  std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_; }
  [[nodiscard]] const Error& error() const {
    FIELDSYNC_CHECK(error_.has_value(), "error() is asked of a failure only");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace fieldsync

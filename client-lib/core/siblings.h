// siblings.h: the values of one field that nobody has replaced yet. Nearly always
// there is one, which is kept in place: a record of 40 fields then costs one piece
// of memory and not 41.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "core/id.h"
#include "core/value.h"

namespace fieldsync::core {

// One value that nobody has replaced yet.
struct Sibling {
  ValueId id;
  Value value;
  bool operator==(const Sibling&) const = default;
};

// In order, as a std::vector would hold them.
class Siblings {
 public:
  Siblings() = default;
  Siblings(std::initializer_list<Sibling> siblings) {
    for (Sibling sibling : siblings) push_back(std::move(sibling));
  }

  [[nodiscard]] std::size_t size() const { return one_ ? 1 : several_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] const Sibling* begin() const { return one_ ? &*one_ : several_.data(); }
  [[nodiscard]] const Sibling* end() const { return begin() + size(); }
  // Pre: not empty.
  [[nodiscard]] const Sibling& front() const { return one_ ? *one_ : several_.front(); }
  [[nodiscard]] const Sibling& back() const { return one_ ? *one_ : several_.back(); }

  void push_back(Sibling&& sibling) { insert(end(), std::move(sibling)); }
  // Before `at`, a place between begin() and end().
  void insert(const Sibling* at, Sibling&& sibling) {
    const auto place = at - begin();
    if (empty()) {
      one_ = std::move(sibling);
      return;
    }
    if (one_) several_.push_back(*std::exchange(one_, std::nullopt));
    several_.insert(several_.begin() + place, std::move(sibling));
  }

  bool operator==(const Siblings& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

  template <typename Predicate>
  friend void erase_if(Siblings& siblings, Predicate predicate) {
    if (siblings.one_ && predicate(*siblings.one_)) siblings.one_.reset();
    std::erase_if(siblings.several_, predicate);
  }

 private:
  // At most one of the two holds something.
  std::optional<Sibling> one_;
  std::vector<Sibling> several_;
};

}  // namespace fieldsync::core

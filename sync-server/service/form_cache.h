// form_cache.h: the forms, decoded once for each version of their whole.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/form.h"
#include "store/store.h"

namespace fieldsync::server {

using FormSet = std::map<std::string, core::Form, std::less<>>;

// Whether who reads its records is put on record: its form says so, or nobody knows what it holds.
[[nodiscard]] bool is_sensitive(const FormSet& forms, std::string_view form);

// Threads: any.
class FormCache {
 public:
  // The forms as the transaction sees them.
  [[nodiscard]] std::shared_ptr<const FormSet> forms(ReadTransaction& transaction);

 private:
  std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::shared_ptr<const FormSet> forms_;
};

}  // namespace fieldsync::server

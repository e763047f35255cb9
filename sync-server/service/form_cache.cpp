#include "service/form_cache.h"

#include "codec/form_codec.h"

namespace fieldsync::server {

bool is_sensitive(const FormSet& forms, std::string_view form) {
  const auto known = forms.find(form);
  return known == forms.end() || known->second.is_sensitive();
}

std::shared_ptr<const FormSet> FormCache::forms(ReadTransaction& transaction) {
  const std::uint64_t version = transaction.forms_version();
  const std::lock_guard lock(mutex_);
  if (forms_ && version == version_) return forms_;
  auto fresh = std::make_shared<FormSet>();
  for (const FormRow& row : transaction.forms_since(0)) {
    auto form = codec::decode_form(row.bytes);
    FIELDSYNC_CHECK(static_cast<bool>(form), "a form is checked before it is stored");
    fresh->emplace(row.name, std::move(*form));
  }
  forms_ = std::move(fresh);
  version_ = version;
  return forms_;
}

}  // namespace fieldsync::server

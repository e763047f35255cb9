#include "api/record_index.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "api/record_view.h"
#include "api/search_text.h"
#include "core/field_view.h"

namespace fieldsync::api {
namespace {

// No byte of UTF-8: what is looked for is never found across two values.
constexpr char separator = '\xff';

const std::string* text_in(const core::Value& value) {
  if (const auto* local = std::get_if<core::LocalText>(&value)) return &local->text;
  return std::get_if<std::string>(&value);
}

bool holds_any_searched(const core::FieldState& field) {
  return std::any_of(field.siblings.begin(), field.siblings.end(), [](const core::Sibling& sibling) {
    return text_in(sibling.value) != nullptr || std::holds_alternative<core::RecordId>(sibling.value);
  });
}

// std::string::find stops at every Cyrillic letter, for all of them begin with the same two bytes.
class TextSearch {
 public:
  explicit TextSearch(const std::string& folded)
      : is_possible_(folded.find(separator) == std::string::npos), searcher_(folded.begin(), folded.end()) {}

  [[nodiscard]] bool finds(const std::string& text) const {
    return is_possible_ && std::search(text.begin(), text.end(), searcher_) != text.end();
  }

 private:
  bool is_possible_;
  std::boyer_moore_horspool_searcher<std::string::const_iterator> searcher_;
};

}  // namespace

void RecordIndex::refresh(storage::RecordStore& records, storage::Directory& directory) {
  // Until the end: what was taken is lost where something throws.
  const bool was_complete = std::exchange(is_complete_, false);
  const auto changes = records.take_changes();
  const bool same_forms = forms_version_ == directory.forms_version();
  if (!was_complete || changes.may_be_any || !same_forms) {
    read_all(records, directory);
    forms_version_ = directory.forms_version();
  } else {
    for (const core::RecordId& id : changes.records) {
      entries_.erase(id);
      if (const auto state = records.shown(id)) add(*state, directory);
    }
  }
  is_complete_ = true;
}

void RecordIndex::forget() {
  entries_.clear();
  is_complete_ = false;
}

void RecordIndex::read_all(storage::RecordStore& records, storage::Directory& directory) {
  entries_.clear();
  records.for_each_shown([&](const core::RecordState& state) {
    add(state, directory);
    return true;
  });
}

void RecordIndex::add(const core::RecordState& state, storage::Directory& directory) {
  const core::Form* form = directory.form(state.form);
  Entry entry;
  entry.scope = state.scope;
  entry.form = state.form;
  entry.changed = newest_change(state);
  entry.deleted = state.hidden();
  // What one operation made is in no conflict.
  if (state.stamps.size() > 1) entry.conflicts = make_conflicts(state, form).size();
  for (const core::FieldState& field : state.fields) {
    if (!holds_any_searched(field) || !is_visible(state, field.key)) continue;
    const core::FormField* description = form == nullptr ? nullptr : form->find(field.key.field);
    for (const core::FieldView::Shown& shown : core::view_field(state, field.key, description).shown) {
      const auto* reference = std::get_if<core::RecordId>(&shown.value);
      if (reference != nullptr && field.key.item.is_none())
        entry.references.emplace_back(name_of(description, field.key.field), *reference);
      if (const std::string* text = text_in(shown.value)) {
        entry.text += separator;
        append_folded(entry.text, *text);
      }
    }
  }
  entries_.emplace(state.id, std::move(entry));
}

std::vector<core::RecordId> RecordIndex::find(const Query& query) const {
  const std::string folded = fold(query.text);
  const TextSearch search(folded);
  using Found = std::pair<core::Instant, core::RecordId>;
  std::vector<Found> found;
  for (const auto& [id, entry] : entries_) {
    if (entry.deleted && !query.include_deleted) continue;
    if (!query.form.empty() && entry.form != query.form) continue;
    if (query.scope && entry.scope != *query.scope) continue;
    const auto points = [&](const auto& reference) {
      return reference.first == query.reference_field && reference.second == *query.reference;
    };
    if (query.reference && std::none_of(entry.references.begin(), entry.references.end(), points)) continue;
    if (!folded.empty() && !search.finds(entry.text)) continue;
    found.emplace_back(entry.changed, id);
  }
  const std::size_t count = std::min(query.limit, found.size());
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(found.begin(), end, found.end(), std::greater<>());
  std::vector<core::RecordId> ids;
  ids.reserve(count);
  std::transform(found.begin(), end, std::back_inserter(ids), [](const Found& one) { return one.second; });
  return ids;
}

std::uint64_t RecordIndex::count_visible() const {
  return static_cast<std::uint64_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) { return !entry.second.deleted; }));
}

std::uint64_t RecordIndex::count_conflicts() const {
  std::uint64_t count = 0;
  for (const auto& [id, entry] : entries_) count += entry.conflicts;
  return count;
}

std::vector<core::RecordId> RecordIndex::in_conflict() const {
  std::vector<core::RecordId> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.conflicts > 0) ids.push_back(id);
  }
  return ids;
}

}  // namespace fieldsync::api

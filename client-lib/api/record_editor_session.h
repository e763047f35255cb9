// record_editor_session.h: the library's own part of a RecordEditor.
#pragma once

#include <map>

#include "api/clean_stack.h"
#include "api/local_store.h"
#include "fieldsync/record.h"

namespace fieldsync {

class RecordEditor::Session {
 public:
  // `state` is what the person sees now; empty but for its ids for a new record.
  Session(api::LocalStore& store, core::RecordState state, core::Form form);
  // The values of a refused operation, as if they had just been typed: a save of them settles
  // the refusal. Counts are left out: what they were raised by is not known any more.
  void take_over(const core::Operation& refused, const core::DeviceId& former_device);

  [[nodiscard]] core::RecordId id() const { return state_.id; }
  [[nodiscard]] const RecordView& view() const { return view_; }

  Result<void> open_field(std::string_view field, const core::ItemId& item);
  Result<void> set(std::string_view field, core::Value value, const core::ItemId& item);
  Result<void> clear(std::string_view field, const core::ItemId& item);
  Result<void> remove(std::string_view field, const core::Value& value, const core::ItemId& item);
  Result<void> resolve(std::string_view field, core::Value value, const core::ItemId& item);
  Result<core::ItemId> add_item(std::string_view group);
  Result<void> delete_item(const core::ItemId& item);
  Result<void> set_existence(bool exists);
  Result<SaveReceipt> save();

  // How the app's calls come in.
  template <typename Body>
  auto used(Body body) -> decltype(body()) {
    store_.touch();
    return sqlite::guard([&] { return api::on_clean_stack(body); });
  }

 private:
  Result<const core::FormField*> describe_field(std::string_view field) const;
  const core::FieldBase& base_of(const core::FieldKey& key);
  // What was written to a field that holds many values before this write.
  enum class Earlier : std::uint8_t { kept, replaced };
  Result<void> put(core::FieldWrite write, const core::FormField* field, Earlier earlier = Earlier::kept);
  [[nodiscard]] core::Operation pending_operation() const;
  [[nodiscard]] bool is_count(const core::FieldKey& key) const;
  void count_on(const core::RecordState& now, core::Operation& operation);
  Result<void> name_beneath_counts(core::Operation& operation) const;
  // The same write, over what is on the screen now.
  core::FieldWrite over_the_screen(const core::FieldWrite& write, const core::FormField* field);
  // Their bytes are to go to the office.
  void name_attachments(const core::Operation& operation);

  api::LocalStore& store_;
  core::RecordState state_;  // as opened; bases are taken from it
  core::Form form_;
  RecordView view_;
  core::Writer writer_;
  std::map<core::FieldKey, core::FieldBase> bases_;
  std::map<core::FieldKey, std::vector<core::FieldWrite>> writes_;
  struct Amended {
    core::DeviceId former_device;
    std::uint64_t counter = 0;
  };
  std::optional<Amended> amended_;
};

}  // namespace fieldsync

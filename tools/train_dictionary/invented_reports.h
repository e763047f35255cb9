// invented_reports.h: records of the standard forms that nobody ever wrote, as the
// operations that write them and the bytes that are compressed.
#pragma once

#include <string>
#include <vector>

#include "core/form.h"
#include "core/operation.h"
#include "train_dictionary/narrative.h"
#include "train_dictionary/random.h"

namespace fieldsync::training {

class InventedReports {
 public:
  InventedReports(std::vector<core::Form> forms, const Narrative& narrative, std::uint64_t seed);

  // What a device sends: an OperationList of `operations` saves of one device.
  // Most are new records of one form and a few are edits of one field.
  [[nodiscard]] std::string batch(std::size_t operations);
  // What a server stores: the RecordBody of a new record.
  [[nodiscard]] std::string body();

 private:
  core::Operation new_record(const core::Form& form);
  core::Operation edit_of(const core::Operation& earlier, const core::Form& form);
  void write_item(const core::Form& form, const core::FormField& group, core::Operation& operation);
  void write_field(const core::FormField& field, const core::ItemId& item, core::Operation& operation);
  core::Value value_of(const core::FormField& field);
  std::string text_of(const core::FormField& field);

  std::vector<core::Form> forms_;
  const Narrative& narrative_;
  Random random_;
  core::ScopeId scope_;
  core::OperationId last_;
  std::vector<core::RecordId> facilities_;
};

}  // namespace fieldsync::training

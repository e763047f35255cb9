#include "service/form_publication.h"

#include <map>

#include "core/field_view.h"
#include "service/participation.h"
#include "service/stored_record.h"

namespace fieldsync::server {
namespace {

// A field without a description keeps all of its values: a new description can only
// end conflicts, and records without any need no look.
Result<void> look_again_at_conflicts(WriteTransaction& transaction, const core::Form& form) {
  codec::FrameReader reader;
  for (const core::RecordId& id : transaction.records_in_conflict(form.name)) {
    const auto state = read_record(*transaction.record(id), reader);
    if (!state) return state.error();
    transaction.put_conflicts(id, core::open_conflicts(*state, &form));
  }
  return {};
}

// Records that were saved before the form said so are part of others as well.
Result<void> look_again_at_parts(WriteTransaction& transaction, const core::Form& form) {
  codec::FrameReader reader;
  std::map<std::int64_t, ParticipationKeeper> participations;
  for (const core::RecordId& id : transaction.records_of(form.name)) {
    const auto row = transaction.record(id);
    const auto state = read_record(*row, reader);
    if (!state) return state.error();
    auto& participation = participations.try_emplace(row->scope, transaction, row->scope).first->second;
    participation.set_wholes(id, wholes_of(*state, *form.part_of_field()));
  }
  for (auto& [scope, participation] : participations) participation.settle();
  return {};
}

}  // namespace

Result<void> publish_form(WriteTransaction& transaction, const codec::ParsedForm& form) {
  const auto current = transaction.form(form.form.name);
  bool was_part = false;
  if (current) {
    const auto decoded = codec::decode_form(current->bytes);
    if (!decoded) return decoded.error();
    if (auto checked = core::check_succession(*decoded, form.form); !checked) return checked;
    was_part = !decoded->part_of.empty();
  }
  transaction.put_form({form.form.name, form.form.version, form.bytes, form.form.reference_data});
  if (current && !was_part && !form.form.part_of.empty()) {
    if (auto looked = look_again_at_parts(transaction, form.form); !looked) return looked;
  }
  return look_again_at_conflicts(transaction, form.form);
}

}  // namespace fieldsync::server

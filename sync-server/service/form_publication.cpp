#include "service/form_publication.h"

#include "core/field_view.h"
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

}  // namespace

Result<void> publish_form(WriteTransaction& transaction, const codec::ParsedForm& form) {
  if (const auto current = transaction.form(form.form.name)) {
    const auto decoded = codec::decode_form(current->bytes);
    if (!decoded) return decoded.error();
    if (auto checked = core::check_succession(*decoded, form.form); !checked) return checked;
  }
  transaction.put_form({form.form.name, form.form.version, form.bytes});
  return look_again_at_conflicts(transaction, form.form);
}

}  // namespace fieldsync::server

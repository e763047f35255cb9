// form_publication.h: a form, or its next version, becomes the office's.
#pragma once

#include "codec/form_codec.h"
#include "store/store.h"

namespace fieldsync::server {

// Errors: malformed_request where it does not succeed the version in use (core/form.h).
// Open conflicts in fields that the office did not know until now are looked at again
// with their policies: devices write such fields where a restored office lost a version.
[[nodiscard]] Result<void> publish_form(WriteTransaction& transaction, const codec::ParsedForm& form);

}  // namespace fieldsync::server

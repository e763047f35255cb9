// acts.h: what administrators do is in the audit log, in the transaction that does it.
#pragma once

#include <string>

#include "app/commands.h"

namespace fieldsync::server {

inline void note_act(Administration& admin, WriteTransaction& transaction, const Act& act) {
  admin.sync.audit_log().note_act(transaction, act);
}

// As the log has an object.
template <typename IdType>
[[nodiscard]] std::string bytes_of(const IdType& id) {
  return std::string(id.view());
}

}  // namespace fieldsync::server

#include "app/log_key.h"

#include "tls/key_pair.h"

namespace fieldsync::server {

Result<codec::SigningKey> open_log_key(const Configuration& configuration, Store& store) {
  const auto file = configuration.log_key();
  const auto there = is_there(file);
  if (!there) return there.error();
  if (!*there) {
    bool is_begun = false;
    const auto looked = store.read([&](ReadTransaction& transaction) -> Result<void> {
      is_begun = transaction.last_audit_entry().has_value();
      return {};
    });
    if (!looked) return looked.error();
    if (is_begun) {
      return Error{Errc::not_found, "The key " + file.string() +
                                        " is gone, and devices trust no other to sign the audit log. Put it back."};
    }
    if (auto written = write_private_file(file, tls::make_device_key().private_key_pem); !written)
      return written.error();
  }
  const auto pem = read_file(file);
  return pem ? tls::signing_key(*pem) : Result<codec::SigningKey>(pem.error());
}

}  // namespace fieldsync::server

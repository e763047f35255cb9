#include "app/log_key.h"

#include "tls/key_pair.h"

namespace fieldsync::server {
namespace {

struct Trust {
  bool log_is_begun = false;
  bool devices_are_enrolled = false;
};

Result<Trust> trust_in(Store& store) {
  Trust trust;
  const auto looked = store.read([&](ReadTransaction& transaction) -> Result<void> {
    trust = {transaction.last_audit_entry().has_value(), !transaction.devices().empty()};
    return {};
  });
  return looked ? Result<Trust>(trust) : looked.error();
}

Error is_missing(const Configuration& configuration) {
  return {
      Errc::not_found,
      "The key " + configuration.log_key().string() +
          " is missing, and devices are enrolled here, which may trust it already: it signs the audit log. Put back "
          "log.key from the newest copy of this folder. Only where this server never had one, because an older "
          "version made the folder: fieldsync-server --dir " +
          configuration.folder.string() + " init"};
}

Result<codec::SigningKey> read_or_make(const Configuration& configuration, Store& store, bool was_asked_for) {
  const auto file = configuration.log_key();
  const auto there = is_there(file);
  if (!there) return there.error();
  if (!*there) {
    const auto trust = trust_in(store);
    if (!trust) return trust.error();
    if (trust->log_is_begun) {
      return Error{Errc::not_found, "The key " + file.string() +
                                        " is gone, and devices trust no other to sign the audit log. Put it back."};
    }
    if (trust->devices_are_enrolled && !was_asked_for) return is_missing(configuration);
    if (auto written = write_private_file(file, tls::make_device_key().private_key_pem); !written)
      return written.error();
  }
  const auto pem = read_file(file);
  return pem ? tls::signing_key(*pem) : Result<codec::SigningKey>(pem.error());
}

}  // namespace

Result<codec::SigningKey> open_log_key(const Configuration& configuration, Store& store) {
  return read_or_make(configuration, store, false);
}

Result<codec::SigningKey> make_log_key(const Configuration& configuration, Store& store) {
  return read_or_make(configuration, store, true);
}

}  // namespace fieldsync::server

#include "app/certificate_commands.h"

namespace fieldsync::server {

Result<void> use_certificate_of(const Configuration& configuration, HttpServer& server) {
  const auto private_key = read_file(configuration.key());
  if (!private_key) return private_key.error();
  const auto certificate = read_file(configuration.certificate());
  if (!certificate) return certificate.error();
  return server.use_certificate(*private_key, *certificate);
}

Result<void> reload_certificate(Administration& admin) {
  if (!admin.reload_certificate)
    return Error{Errc::invalid_argument, "No server runs here: one that is started reads its certificate then."};
  if (auto reloaded = admin.reload_certificate(); !reloaded) return reloaded;
  admin.out << "New connections are shown the certificate " << admin.configuration.certificate().string()
            << "; those that are open go on.\n";
  return {};
}

}  // namespace fieldsync::server

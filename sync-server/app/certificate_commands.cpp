#include "app/certificate_commands.h"

#include <filesystem>
#include <mutex>
#include <utility>

#include "app/acts.h"
#include "tls/key_pair.h"

namespace fieldsync::server {

Result<void> use_certificate_of(const Configuration& configuration, HttpServer& server) {
  const auto private_key = read_file(configuration.key());
  if (!private_key) return private_key.error();
  const auto certificate = read_file(configuration.certificate());
  if (!certificate) return certificate.error();
  return server.use_certificate(*private_key, *certificate);
}

Result<void> reload_certificate(Administration& admin) {
  if (admin.running == nullptr)
    return Error{Errc::invalid_argument, "No server runs here: one that is started reads its certificate then."};
  if (auto reloaded = admin.running->reload_certificate(); !reloaded) return reloaded;
  admin.out << "New connections are shown the certificate " << admin.configuration.certificate().string()
            << "; those that are open go on.\n";
  return {};
}

Result<void> renew_certificates(Administration& admin) {
  const std::lock_guard alone(admin.locks.certificates);
  const Configuration& configuration = admin.configuration;
  const std::string& address = configuration.public_address;
  std::string host = address.substr(0, address.rfind(':'));
  std::erase_if(host, [](char letter) { return letter == '[' || letter == ']'; });
  auto noted = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    note_act(admin, transaction, {"renew_certificate", {}, {}});
    return {};
  });
  if (!noted) return noted;
  const std::pair<std::filesystem::path, std::filesystem::path> files[] = {
      {configuration.key(), configuration.certificate()},
      {configuration.spare_key(), configuration.spare_certificate()}};
  for (const auto& [key, certificate] : files) {
    // The spare key is kept elsewhere, as it should be.
    const auto there = is_there(key);
    if (!there) return there.error();
    if (!*there && key == configuration.spare_key()) continue;
    const auto pem = read_file(key);
    if (!pem) return pem.error();
    const auto renewed = tls::certify_server_key(*pem, host);
    if (!renewed) return renewed.error();
    if (auto written = write_private_file(certificate, renewed->certificate_pem); !written) return written;
  }
  if (admin.running != nullptr) {
    if (auto reloaded = admin.running->reload_certificate(); !reloaded) return reloaded;
  }
  admin.out << "The certificate for " << host
            << " is good for 90 days from now. Devices trust the same keys as before.\n";
  return {};
}

}  // namespace fieldsync::server

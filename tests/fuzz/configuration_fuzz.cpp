// configuration_fuzz.cpp: fieldsync-server.toml.
#include "app/configuration.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fieldsync;
  const auto read = server::parse_configuration({reinterpret_cast<const char*>(data), size}, "/srv/fieldsync");
  if (!read) return 0;
  const auto again = server::parse_configuration(server::configuration_text(*read), "/srv/fieldsync");
  fuzz::must_hold(again && again->listen_address == read->listen_address && again->port == read->port &&
                      again->public_address == read->public_address && again->log_level == read->log_level &&
                      again->log_format == read->log_format && again->log_addresses == read->log_addresses &&
                      again->code_lifetime_minutes == read->code_lifetime_minutes &&
                      again->blocking_threads == read->blocking_threads &&
                      again->connections_max == read->connections_max &&
                      again->connections_per_address_max == read->connections_per_address_max &&
                      again->strangers_per_address_max == read->strangers_per_address_max &&
                      again->requests_waiting_max == read->requests_waiting_max,
                  "settings that are written are read");
  return 0;
}

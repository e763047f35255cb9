#include <string>

#include "bench/measure.h"
#include "load/crowd.h"
#include "load/scenarios.h"

namespace fieldsync::load {

boost::json::object measure_idle(const IdleOptions& options) {
  const std::string all = std::to_string(options.connections + 100);
  ServerProcess server({"connections_max = " + all}, options.program);
  {
    // What the first connections make the server allocate once.
    const Crowd first = open_crowd(server, 50);
  }
  const Usage before = server.usage();
  const double began = bench::now_seconds();
  const Crowd crowd = open_crowd(server, options.connections);
  const double opened = bench::now_seconds();
  const Usage idle = server.usage();
  const std::size_t gone = options.connections - std::min(options.connections, server.peers().size());
  const double kib = static_cast<double>(idle.resident_bytes - std::min(idle.resident_bytes, before.resident_bytes)) /
                     1024 / static_cast<double>(options.connections);
  return {{"connections", options.connections},         {"resident_bytes_before", before.resident_bytes},
          {"resident_bytes_idle", idle.resident_bytes}, {"kib_per_connection", kib},
          {"kib_per_connection_max", options.kib_max},  {"closed_meanwhile", gone},
          {"seconds_to_open", opened - began},          {"within", kib <= options.kib_max && gone == 0}};
}

}  // namespace fieldsync::load

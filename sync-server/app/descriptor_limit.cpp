#include "app/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

namespace fieldsync::server {
namespace {

// Standard streams, the writer's database, the listening sockets, Asio's own, and one command with its file; a
// connection that is turned away has a descriptor for a moment.
constexpr std::size_t of_the_process = 24;
// A reader's database and its log, an attachment, the folder that it is in.
constexpr std::size_t of_each_thread = 4;

}  // namespace

Result<std::size_t> connections_that_fit(std::size_t connections_max, std::size_t blocking_threads) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections_max;
  rlimit raised = limit;
  raised.rlim_cur = raised.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  const std::size_t reserved = of_the_process + of_each_thread * blocking_threads;
  if (limit.rlim_cur <= reserved) {
    return Error{Errc::invalid_argument, "The process may open " + std::to_string(limit.rlim_cur) +
                                             " files (ulimit -n), and needs more than " + std::to_string(reserved) +
                                             " with blocking_threads = " + std::to_string(blocking_threads) + "."};
  }
  return std::min<std::size_t>(connections_max, limit.rlim_cur - reserved);
}

}  // namespace fieldsync::server

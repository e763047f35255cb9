// loopback.h: TCP on this machine.
#pragma once

#include <netinet/in.h>

namespace fieldsync::testing {

[[nodiscard]] sockaddr_in loopback(int port);
[[nodiscard]] int free_port();
// Whether somebody listens there.
[[nodiscard]] bool accepts(int port);

}  // namespace fieldsync::testing

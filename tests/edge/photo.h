// photo.h: a photo of 1 MB over the slow link: cut off at half, with either side killed at
// half, and with the link cut every 20 seconds.
#pragma once

#include <sys/types.h>

#include <string>

#include "edge/link.h"

namespace fieldsync::edge {

// The server behind the link, until it is destroyed.
class OfficeProcess {
 public:
  OfficeProcess(const Namespaces& namespaces, std::string folder);
  ~OfficeProcess();
  OfficeProcess(const OfficeProcess&) = delete;
  OfficeProcess& operator=(const OfficeProcess&) = delete;

  // With SIGKILL; it is up again when this returns.
  void kill_and_start();

 private:
  void start();
  void stop(int signal);

  const Namespaces& namespaces_;
  std::string folder_;
  pid_t process_ = -1;
};

// Pre: a server stands in folder/server, with a code in folder/enrolment. Prints JSON; 1 where
// a bar is missed.
[[nodiscard]] int measure_photos(const std::string& folder, const LinkSettings& settings);
// On the device's side: adds the photo where it is not there yet, and syncs until the office has it.
[[nodiscard]] int send_photo(const std::string& folder);

}  // namespace fieldsync::edge

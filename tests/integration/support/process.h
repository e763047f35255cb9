// process.h: other programs: started, waited for, killed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace fieldsync::testing {

struct Finished {
  int exit_code = -1;  // below 0: of the signal that ended it
  std::string output;  // standard output and error together
};

// Output goes to a file. Killed when it goes out of scope.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, const std::string& output_file);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t id() const { return pid_; }
  [[nodiscard]] bool running();
  // SIGKILL, then waits.
  void kill();
  // SIGSTOP, and waits until it stands: what it has written stays as it is until go_on().
  void pause();
  void go_on();
  // SIGTERM: it ends in its own time.
  void ask_to_stop();
  // The exit code; below 0 it is the signal that ended it.
  int wait();

 private:
  void remember(int status);

  pid_t pid_ = -1;
  int exit_code_ = -1;
};

// Runs a program to its end; `input` is its standard input.
Finished run(const std::vector<std::string>& arguments, const std::string& input = {});

[[nodiscard]] std::string content_of(const std::string& file);
void write_to(const std::string& file, const std::string& content);

}  // namespace fieldsync::testing

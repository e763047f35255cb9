#include "support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/temporary_folder.h"

extern char** environ;

namespace fieldsync::testing {
namespace {

pid_t spawn(const std::vector<std::string>& arguments, const std::string& input_file, const std::string& output_file) {
  std::vector<char*> values;
  for (const std::string& argument : arguments) values.push_back(const_cast<char*>(argument.c_str()));
  values.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, input_file.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, values[0], &actions, nullptr, values.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " + arguments[0]);
  return pid;
}

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const std::string& output_file)
    : pid_(spawn(arguments, "/dev/null", output_file)) {}

Process::~Process() { kill(); }

bool Process::running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  remember(status);
  return false;
}

void Process::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void Process::pause() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGSTOP);
  int status = 0;
  if (::waitpid(pid_, &status, WUNTRACED) == pid_ && !WIFSTOPPED(status)) remember(status);
}

void Process::go_on() {
  if (pid_ >= 0) ::kill(pid_, SIGCONT);
}

void Process::ask_to_stop() {
  if (pid_ >= 0) ::kill(pid_, SIGTERM);
}

int Process::wait() {
  int status = 0;
  if (pid_ >= 0 && ::waitpid(pid_, &status, 0) == pid_) remember(status);
  return exit_code_;
}

void Process::remember(int status) {
  pid_ = -1;
  exit_code_ = exit_code_of(status);
}

std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_to(const std::string& file, const std::string& content) { std::ofstream(file, std::ios::binary) << content; }

Finished run(const std::vector<std::string>& arguments, const std::string& input) {
  const TemporaryFolder folder;
  const std::string input_file = (folder.path() / "input").string();
  const std::string output_file = (folder.path() / "output").string();
  write_to(input_file, input);
  int status = 0;
  const pid_t pid = spawn(arguments, input_file, output_file);
  ::waitpid(pid, &status, 0);
  return {exit_code_of(status), content_of(output_file)};
}

}  // namespace fieldsync::testing

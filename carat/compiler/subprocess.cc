#include "carat/compiler/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"

namespace carat::compiler {
namespace {

constexpr int kPollMilliseconds = 50;

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) {
      throw Error("cannot start a process: {}", std::strerror(errno));
    }
  }
  ~Pipe() {
    CloseWriteEnd();
    close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void CloseWriteEnd() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_ = {-1, -1};
};

// The child gets its own process group, so that Ctrl-C reaches it only through us. Returns 0 or an
// errno.
int Spawn(std::vector<std::string> command, const Pipe& output, pid_t* child) {
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.write_end(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.write_end(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);

  const int error =
      posix_spawnp(child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Reads until the child closes its end. Returns false if Ctrl-C was pressed.
bool ReadAll(int file, std::string& output) {
  std::array<char, 4096> buffer;
  while (true) {
    if (Interrupted()) return false;
    pollfd poll_file = {file, POLLIN, 0};
    const int ready = poll(&poll_file, 1, kPollMilliseconds);
    if (ready <= 0) continue;
    const ssize_t count = read(file, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    output.append(buffer.data(), static_cast<size_t>(count));
  }
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ProcessResult RunProcess(const std::vector<std::string>& command) {
  Pipe pipe;
  pid_t child = 0;
  if (const int error = Spawn(command, pipe, &child); error != 0) {
    return {127, std::strerror(error)};
  }
  pipe.CloseWriteEnd();
  ProcessResult result;
  const bool finished = ReadAll(pipe.read_end(), result.output);
  if (!finished) kill(-child, SIGTERM);
  result.exit_code = WaitFor(child);
  if (!finished) throw InterruptedError();
  return result;
}

}  // namespace carat::compiler

#include "support/run.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace orbwatch::test {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) fail("pipe2");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int end(int which) const { return ends_[static_cast<std::size_t>(which)]; }
  void close_end(int which) {
    int& fd = ends_[static_cast<std::size_t>(which)];
    if (fd >= 0) close(fd);
    fd = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// Writing to a program that has gone must give EPIPE, not end the test.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before_);
  }
  ~SigpipeBlocked() {
    // One that is pending would come as soon as it is unblocked.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    const timespec now{};
    while (sigtimedwait(&pipe, nullptr, &now) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;
  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_{};
};

// Takes what is there; false at the end.
bool drain(int fd, std::string& into) {
  std::array<char, 65536> bytes;
  const ssize_t n = read(fd, bytes.data(), bytes.size());
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  into.append(bytes.data(), static_cast<std::size_t>(n));
  return n != 0;
}

}  // namespace

RunResult run(const std::vector<std::string>& argv, std::string_view input, const RunOptions& options) {
  if (argv.empty()) throw std::system_error(EINVAL, std::generic_category(), "run: no program");
  // Made before fork(): only async-signal-safe calls are allowed behind it.
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> environment;
  environment.reserve(options.environment.size() + 64);
  for (const std::string& word : options.environment) environment.push_back(const_cast<char*>(word.c_str()));
  for (char** word = environ; *word != nullptr; ++word) {
    const std::string_view name = std::string_view(*word).substr(0, std::string_view(*word).find('=') + 1);
    const bool replaced = std::any_of(options.environment.begin(), options.environment.end(),
                                      [&](const std::string& own) { return own.starts_with(name); });
    if (!replaced) environment.push_back(*word);
  }
  environment.push_back(nullptr);

  Pipe in;
  Pipe out;
  Pipe err;
  Pipe started;  // carries errno when the program could not be started; closed by a successful exec
  const SigpipeBlocked sigpipe;
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    pthread_sigmask(SIG_SETMASK, &sigpipe.before(), nullptr);
    const bool ready = dup2(in.end(0), 0) == 0 && dup2(out.end(1), 1) == 1 && dup2(err.end(1), 2) == 2 &&
                       (options.directory.empty() || chdir(options.directory.c_str()) == 0);
    if (ready) execvpe(arguments[0], arguments.data(), environment.data());
    const int why = errno;
    if (write(started.end(1), &why, sizeof why) < 0) _exit(126);
    _exit(127);
  }
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  started.close_end(1);
  fcntl(in.end(1), F_SETFL, O_NONBLOCK);

  RunResult result;
  const auto begin = Clock::now();
  const bool planned = options.kill_after.count() > 0;
  const auto deadline = begin + (planned ? std::min(options.kill_after, options.timeout) : options.timeout);
  bool killed = false;
  if (input.empty()) in.close_end(1);
  while (out.end(0) >= 0 || err.end(0) >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      kill(pid, SIGKILL);
      killed = true;
      break;  // grandchildren may hold the pipes open: do not wait for their end
    }
    // poll() passes over negative descriptors.
    std::array<pollfd, 3> polled{{{in.end(1), POLLOUT, 0}, {out.end(0), POLLIN, 0}, {err.end(0), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), static_cast<int>(std::min<long long>(left, 1000))) < 0 && errno != EINTR)
      fail("poll");
    if (polled[0].revents != 0) {
      const ssize_t n = write(in.end(1), input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<std::size_t>(n));
      if ((n < 0 && errno != EAGAIN && errno != EINTR) || input.empty()) in.close_end(1);
    }
    if (polled[1].revents != 0 && !drain(out.end(0), result.out)) out.close_end(0);
    if (polled[2].revents != 0 && !drain(err.end(0), result.err)) err.close_end(0);
  }
  in.close_end(1);
  int status = 0;
  // Its outputs are closed or it was killed; one that closed them and goes on is still held to the deadline.
  while (true) {
    const pid_t ended = waitpid(pid, &status, killed ? 0 : WNOHANG);
    if (ended == pid) break;
    if (ended < 0 && errno != EINTR) fail("waitpid");
    if (!killed && Clock::now() >= deadline) {
      kill(pid, SIGKILL);
      killed = true;
    } else if (!killed) {
      poll(nullptr, 0, 1);
    }
  }
  int why = 0;
  if (read(started.end(0), &why, sizeof why) == sizeof why) {
    throw std::system_error(why, std::generic_category(), "cannot start " + argv[0]);
  }
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.timed_out = killed && !(planned && options.kill_after <= options.timeout);
  return result;
}

std::string orbwatch_binary() { return std::string(ORBWATCH_BUILD) + "/src/orbwatch"; }

}  // namespace orbwatch::test

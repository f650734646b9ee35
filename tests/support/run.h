// Runs a program and captures what it says, for end-to-end tests.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace orbwatch::test {

// A sanitizer's shadow memory and quarantine are no memory of the program: tests of memory bounds hold for other
// builds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

struct RunResult {
  int exit_code = -1;      // -1 when it ended by a signal
  int signal = 0;          // the signal that ended it, 0 = none
  bool timed_out = false;  // it was killed (SIGKILL) because it took too long
  std::string out;
  std::string err;
};

struct RunOptions {
  std::chrono::milliseconds timeout{60'000};
  std::filesystem::path directory{};        // "" = the current one
  std::vector<std::string> environment{};   // "NAME=value", added to the inherited ones
  std::chrono::milliseconds kill_after{0};  // not 0: SIGKILL after so long, for kill-and-restart tests; not a time-out
};

// argv[0] is looked up in PATH when it has no slash. `input` is the program's standard input. Waits until the program
// has ended and both of its outputs are closed or the time is over. Throws std::system_error when it cannot be started.
// SIGPIPE is not raised when the program does not read its input. Thread-safe.
RunResult run(const std::vector<std::string>& argv, std::string_view input = {}, const RunOptions& options = {});

// The orbwatch binary of this build.
std::string orbwatch_binary();

}  // namespace orbwatch::test

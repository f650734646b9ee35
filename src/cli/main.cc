#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/app.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  using namespace orbwatch::cli;
  // A closed pipe (`orbwatch hunt ... | head`) ends in a write error, which is handled, instead of a silent death.
  std::signal(SIGPIPE, SIG_IGN);
  int exit_code = kOk;
  const auto app = make_app(exit_code);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app->exit(e);
    return code == 0 ? kOk : kUsage;
  } catch (const std::bad_alloc&) {
    complain("out of memory: give fewer inputs at once or a smaller --longest-record");
    return kInternal;
  } catch (const std::exception& e) {
    complain(std::string("internal error: ") + e.what());
    return kInternal;
  }
  return exit_code;
}

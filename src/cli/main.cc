#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/commands.h"

int main(int argc, char** argv) {
  using namespace orbwatch::cli;
  // A closed pipe (`orbwatch hunt ... | head`) ends in a write error, which is handled, instead of a silent death.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"Finds covert networks of hijacked routers and IoT devices in the logs an organisation already has."};
  app.name("orbwatch");
  app.set_version_flag("--version", "orbwatch " ORBWATCH_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 alerts and --fail-on-alert, 2 usage, 3 some input could not be read, 4 output could not be written.\n"
      "First steps: orbwatch hunt logs/");
  int exit_code = kOk;
  add_hunt(app, exit_code);
  add_explain(app, exit_code);
  add_formats(app, exit_code);
  add_sql(app, exit_code);
  add_simulate(app, exit_code);
  add_evaluate(app, exit_code);
  add_intel(app, exit_code);
  add_config(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
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

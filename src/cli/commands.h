// The commands of `orbwatch`, one file each. This room holds no logic: it reads options, calls the rooms and prints.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string_view>

namespace orbwatch::evaluate {
struct SimulateOptions;
}

namespace orbwatch::cli {

// Documented in docs/cli.md and in --help.
enum Exit : int {
  kOk = 0,        // done; for hunt: also if there are findings, unless --fail-on-alert
  kAlert = 1,     // --fail-on-alert and there is at least one finding inside the budget; evaluate --check
  kUsage = 2,     // wrong options or configuration
  kInput = 3,     // some input could not be read or recognised; the rest was used. doctor: something is bad
  kOutput = 4,    // an output could not be written
  kInternal = 5,  // a defect of orbwatch
};

// Each adds its subcommand; the callback sets `exit_code`.
void add_hunt(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_token(CLI::App& app, int& exit_code);
void add_pseudonym(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_backup(CLI::App& app, int& exit_code);  // and restore
void add_explain(CLI::App& app, int& exit_code);
void add_formats(CLI::App& app, int& exit_code);
void add_format(CLI::App& app, int& exit_code);
void add_intel(CLI::App& app, int& exit_code);
void add_feeds(CLI::App& app, int& exit_code);
void add_networks(CLI::App& app, int& exit_code);
void add_config(CLI::App& app, int& exit_code);
void add_outputs(CLI::App& app, int& exit_code);
void add_sql(CLI::App& app, int& exit_code);
void add_verdict(CLI::App& app, int& exit_code);
void add_share(CLI::App& app, int& exit_code);
void add_taxii(CLI::App& app, int& exit_code);
void add_simulate(CLI::App& app, int& exit_code);
void add_evaluate(CLI::App& app, int& exit_code);
void add_backtest(CLI::App& app, int& exit_code);
void add_completion(CLI::App& app, int& exit_code);  // and the hidden `man`

// The options of a simulated world, shared by simulate and evaluate.
void add_world_options(CLI::App& sub, evaluate::SimulateOptions& options);

// Prints the formats, for people or one JSON object a line; gives the exit code.
int list_formats(bool json);

// "orbwatch: message" on standard error, one line.
void complain(std::string_view message);

}  // namespace orbwatch::cli

// What several commands share.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "export/sharing/writers.h"
#include "pipeline/config.h"
#include "pipeline/hunt.h"

namespace orbwatch::cli {

core::Expected<std::string> read_file(const std::string& path);
// The configuration in the file, with relative paths of feeds taken from its folder; errors name it and the line.
core::Expected<pipeline::Config> read_config(const std::string& path);
// Through a temporary file in the same folder and a rename: a reader sees the old file or the new one, never half of
// it. Devices and FIFOs are written to directly. A file that was there keeps its mode and, where that is allowed, its
// owner.
core::Expected<void> write_file(const std::string& path, std::string_view text);

// To standard output; false if it is closed or full.
bool print(std::string_view text);
bool flush_output();

// The compiled network facts to use: the option's value, else the default place if a table is there, else "" (none).
// "none" is none.
std::string networks_file(const std::string& option);

// How logs are read and by which knowledge, where a command says so besides pipeline::HuntOptions.
struct LogOptions {
  std::string config;
  std::string networks;               // compiled network facts: see networks_file()
  std::vector<std::string> mappings;  // of formats of one's own
};
// The options that all commands share which hunt in logs: --config, --tz, --year, --mapping, --networks, --indicators,
// --feeds and `format`, by which everything is read as one format. Gives their names without --config.
std::vector<std::string> add_log_options(CLI::App& sub, pipeline::HuntOptions& hunt, LogOptions& more,
                                         const std::string& format = "--format");

// How what is given to others is marked.
struct Marking {
  std::string tlp = "amber";
  std::string identity;
};
// --tlp and --identity; `of`: for which formats, "" = all.
void add_marking(CLI::App& sub, Marking& marking, const std::string& of = {});
// Errors: the identity is too long, or no name on one line.
core::Expected<exporting::sharing::WriteOptions> marked(const Marking& marking, core::Nanoseconds made);

// What the mappings and the configuration ("" = none) add to the options of a hunt: formats, zone, networks,
// indicators, alert budget. Complains and gives false if one that was named on the command line is wrong; a wrong
// mapping that the configuration names is told and left out.
bool configure(pipeline::HuntOptions& hunt, const std::string& config, const std::vector<std::string>& mappings);

// Columns of the terminal on standard output.
int terminal_width();

// One line in the audit log of a service's state (serve/audit.h). "": no state is known, and nothing is written.
core::Expected<void> audit(const std::string& state, std::string_view action,
                           std::vector<std::pair<std::string, std::string>> facts);

}  // namespace orbwatch::cli

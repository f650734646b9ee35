// `orbwatch outputs test CONFIG`: whether findings would arrive.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "export/try_outputs.h"
#include "pipeline/config.h"

namespace orbwatch::cli {
namespace {

struct Options {
  std::string config;
  std::string output;
  bool json = false;
};

int test(const Options& o) {
  const auto config = read_config(o.config);
  if (!config) {
    complain(config.error().text());
    return kUsage;
  }
  std::string names;
  std::vector<exporting::Tried> tried;
  for (const exporting::OutputSettings& settings : config->service.outputs) {
    names += (names.empty() ? "" : ", ") + settings.name;
    if (!o.output.empty() && settings.name != o.output) continue;
    const auto now =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch());
    tried.push_back(exporting::try_output(settings, now.count()));
    // One that waits for its time-out does not keep the others' results back.
    if (!o.json && !(print(exporting::to_text(tried.back())) && flush_output())) return kOutput;
  }
  if (tried.empty()) {
    complain(names.empty() ? fmt::format("{} has no outputs", o.config)
                           : fmt::format("{} has no output named '{}' (has: {})", o.config, o.output, names));
    return kUsage;
  }
  if (o.json) print(exporting::to_json(tried));
  return flush_output() && std::ranges::all_of(tried, &exporting::Tried::delivered) ? kOk : kOutput;
}

}  // namespace

void add_outputs(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* outputs = app.add_subcommand("outputs", "Where the service's findings go");
  outputs->require_subcommand(1);
  CLI::App* sub = outputs->add_subcommand("test", "Send a test finding to each output, and say whether it was taken");
  sub->add_option("config", o->config, "Configuration file of the service")->required();
  sub->add_option("--output", o->output, "Only to the output of this name");
  sub->add_flag("--json", o->json, "As one JSON object");
  takes(*sub, "FILE", {"config"});
  takes(*sub, "NAME", {"--output"});
  sub->footer(
      "Each output is tried once; the running service and what waits in its spool are left alone. Run it as a user "
      "who\n"
      "may read the outputs' keys and passwords. Exit code 4 if any was not delivered.\n"
      "Example:\n  orbwatch outputs test /etc/orbwatch/orbwatch.yaml --output siem");
  sub->callback([o, &exit_code] { exit_code = test(*o); });
}

}  // namespace orbwatch::cli

// `orbwatch config check FILE`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "pipeline/config.h"
#include "pipeline/mappings.h"

namespace orbwatch::cli {

void add_config(CLI::App& app, int& exit_code) {
  auto file = std::make_shared<std::string>();
  CLI::App* config = app.add_subcommand("config", "The configuration file");
  config->require_subcommand(1);
  CLI::App* check = config->add_subcommand("check", "Say whether a configuration file is right, and where not");
  check->add_option("file", *file, "YAML file")->required();
  takes(*check, "FILE", {"file"});
  check->footer("Example:\n  orbwatch config check /etc/orbwatch/orbwatch.yaml");
  check->callback([file, &exit_code] {
    auto text = read_file(*file);
    if (!text) {
      complain(text.error().text());
      exit_code = kUsage;
      return;
    }
    const auto parsed = pipeline::parse_config(*text, *file);
    if (!parsed) {
      complain(parsed.error().text());
      exit_code = kUsage;
      return;
    }
    const auto loaded = pipeline::load_mappings(parsed->mappings);
    for (const core::Error& error : loaded.errors) complain(error.text());
    if (!loaded.errors.empty()) {
      exit_code = kUsage;
      return;
    }
    print(fmt::format("{}: good ({} networks, {} indicator files, {} mappings, {} alerts a day)\n", *file,
                      parsed->networks.size(), parsed->indicators.size(), loaded.good.size(), parsed->alerts_per_day));
    exit_code = flush_output() ? kOk : kOutput;
  });
}

}  // namespace orbwatch::cli

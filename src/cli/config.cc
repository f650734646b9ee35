// `orbwatch config check FILE`, `config default` and `config show FILE`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "pipeline/config.h"
#include "pipeline/config_text.h"
#include "pipeline/mappings.h"

namespace orbwatch::cli {
namespace {

void add_check(CLI::App& config, int& exit_code) {
  auto file = std::make_shared<std::string>();
  CLI::App* check = config.add_subcommand("check", "Say whether a configuration file is right, and where not");
  check->add_option("file", *file, "YAML file")->required();
  takes(*check, "FILE", {"file"});
  check->footer("Example:\n  orbwatch config check /etc/orbwatch/orbwatch.yaml");
  check->callback([file, &exit_code] {
    const auto parsed = read_config(*file);
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

void add_default(CLI::App& config, int& exit_code) {
  CLI::App* sub = config.add_subcommand("default", "Print a configuration with every key, its default and its meaning");
  sub->footer(
      "It is good as it stands: the service listens on this computer alone.\n"
      "Example:\n  orbwatch config default > orbwatch.yaml");
  sub->callback([&exit_code] {
    print(pipeline::default_config());
    exit_code = flush_output() ? kOk : kOutput;
  });
}

void add_show(CLI::App& config, int& exit_code) {
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* sub =
      config.add_subcommand("show", "Print what a configuration comes to, defaults filled in, without secrets");
  sub->add_option("file", *file, "YAML file")->required();
  sub->add_flag("--json", *json, "As one JSON object");
  takes(*sub, "FILE", {"file"});
  sub->footer("Example:\n  orbwatch config show /etc/orbwatch/orbwatch.yaml");
  sub->callback([file, json, &exit_code] {
    const auto parsed = read_config(*file);
    if (!parsed) {
      complain(parsed.error().text());
      exit_code = kUsage;
      return;
    }
    print(*json ? pipeline::to_json(*parsed) : pipeline::to_yaml(*parsed));
    exit_code = flush_output() ? kOk : kOutput;
  });
}

}  // namespace

void add_config(CLI::App& app, int& exit_code) {
  CLI::App* config = app.add_subcommand("config", "The configuration file");
  config->require_subcommand(1);
  add_check(*config, exit_code);
  add_default(*config, exit_code);
  add_show(*config, exit_code);
}

}  // namespace orbwatch::cli

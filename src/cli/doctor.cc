// `orbwatch doctor`: whether the service has what it needs, and how it is.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "serve/doctor.h"

namespace orbwatch::cli {

void add_doctor(CLI::App& app, int& exit_code) {
  struct Options {
    std::string config;
    std::string state;
    std::string networks;
    std::string ask;
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("doctor", "Say whether the service has what it needs, how it is, and what to do");
  sub->add_option("--config", o->config, "Configuration file of the service")->required();
  sub->add_option("--state", o->state, "Folder of the service's state, instead of the configuration's");
  sub->add_option("--networks", o->networks,
                  "Compiled network facts, or none (default: the table of `orbwatch intel build`)");
  sub->add_option("--ask", o->ask, "Where the service's metrics listen, instead of the configuration's");
  sub->add_flag("--json", o->json, "As one JSON object");
  takes(*sub, "FILE", {"--config", "--networks"});
  takes(*sub, "DIR", {"--state"});
  takes(*sub, "ADDRESS", {"--ask"});
  sub->footer(
      "Run it as the user that the service runs as. Exit code 3 if anything is bad.\n"
      "Example:\n  orbwatch doctor --config /etc/orbwatch/orbwatch.yaml");
  sub->callback([o, &exit_code] {
    auto config = read_config(o->config);
    if (config && !o->state.empty()) config->service.state = o->state;
    const auto checks = serve::examine(serve::gather(o->config, std::move(config), networks_file(o->networks), o->ask));
    print(o->json ? serve::to_json(checks) : serve::to_text(checks));
    exit_code = !flush_output() ? kOutput : serve::worst(checks) == serve::Health::kBad ? kInput : kOk;
  });
}

}  // namespace orbwatch::cli

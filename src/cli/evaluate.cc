// `orbwatch evaluate`: recall and false alerts of hunts in simulated worlds.
#include "evaluate/evaluate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"

namespace orbwatch::cli {
namespace {

struct Options {
  evaluate::EvaluateOptions evaluate;
  std::string seeds = "21-29";
  std::string networks;
  int threads = 0;
};

int run(Options& o) {
  auto seeds = evaluate::parse_seeds(o.seeds);
  if (!seeds) {
    complain(seeds.error().text());
    return kUsage;
  }
  o.evaluate.seeds = *seeds;
  const std::string table = networks_file(o.networks);
  if (table.empty()) {
    complain(
        "no network facts: without them places and providers are unknown and the figures mean little (run "
        "tools/fetch-intel.sh)");
    return kUsage;
  }
  o.evaluate.command = fmt::format("orbwatch evaluate --seeds {}", o.seeds);
  const auto hunter = [&](const std::string& directory) {
    pipeline::HuntOptions hunt;
    hunt.inputs = {directory};
    hunt.networks_file = table;
    hunt.alerts_per_day = o.evaluate.alerts_per_day;
    hunt.threads = o.threads;
    return pipeline::hunt(hunt);
  };
  auto result = evaluate::evaluate(o.evaluate, hunter, [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  });
  if (!result) {
    complain(result.error().text());
    return kOutput;
  }
  if (o.evaluate.out.empty()) print(evaluate::markdown(*result));
  return flush_output() ? kOk : kOutput;
}

}  // namespace

void add_evaluate(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("evaluate", "Measure recall and false alerts in simulated worlds");
  sub->add_option("--seeds", o->seeds, "Seeds: 1-9,12 (default 21-29)");
  sub->add_option("--out", o->evaluate.out, "Markdown file to write (default: standard output)");
  sub->add_option("--alerts-per-day", o->evaluate.alerts_per_day, "Alert budget (default 5)");
  sub->add_option("--networks", o->networks, "Compiled network facts");
  sub->add_option("--threads", o->threads, "Threads");
  sub->add_option("--work-dir", o->evaluate.work_dir, "Where to write the worlds");
  sub->add_flag("--keep", o->evaluate.keep, "Leave the worlds in the work directory");
  add_world_options(*sub, o->evaluate.world);
  takes(*sub, "FILE", {"--out", "--networks"});
  takes(*sub, "DIR", {"--work-dir"});
  sub->callback([o, &exit_code] { exit_code = run(*o); });
}

}  // namespace orbwatch::cli

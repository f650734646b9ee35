// `orbwatch evaluate`: recall and false alerts of hunts in simulated worlds.
#include "evaluate/evaluate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "evaluate/network_measures.h"
#include "evaluate/tables.h"

namespace orbwatch::cli {
namespace {

struct Options {
  evaluate::EvaluateOptions evaluate;
  std::string seeds = "600-657";
  std::string large_seeds;
  std::string networks;
  int threads = 0;
  bool check = false;
};

int run(Options& o) {
  auto seeds = evaluate::parse_seeds(o.seeds);
  if (!seeds) {
    complain(seeds.error().text());
    return kUsage;
  }
  o.evaluate.seeds = *seeds;
  if (o.large_seeds != "none") {
    auto large = evaluate::parse_seeds(o.large_seeds);
    if (!large) {
      complain(large.error().text());
      return kUsage;
    }
    o.evaluate.large_seeds = *large;
  }
  const std::string table = networks_file(o.networks);
  if (table.empty()) {
    complain(
        "no network facts: without them places and providers are unknown and the figures mean little (run "
        "tools/fetch-intel.sh)");
    return kUsage;
  }
  const auto hunter = [&](const std::string& directory, pipeline::Watcher& watcher) {
    pipeline::HuntOptions hunt;
    hunt.inputs = {directory};
    hunt.networks_file = table;
    hunt.alerts_per_day = o.evaluate.alerts_per_day;
    hunt.threads = o.threads;
    return pipeline::hunt(hunt, {}, nullptr, &watcher);
  };
  auto result = evaluate::evaluate(o.evaluate, hunter, [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  });
  if (!result) {
    complain(result.error().text());
    return kOutput;
  }
  if (o.evaluate.out.empty()) print(evaluate::markdown(*result));
  if (!flush_output()) return kOutput;
  if (!o.check) return kOk;
  const auto measures = evaluate::measure(result->worlds, o.evaluate.alerts_per_day);
  for (const evaluate::Bar& bar : measures.bars) {
    if (!bar.holds())
      complain(fmt::format("does not hold: {} ({} {}, {})", bar.text, bar.at_most ? "at most" : "at least",
                           bar.required, bar.measured ? fmt::format("{:.4g}", *bar.measured) : "nothing to measure"));
  }
  return std::ranges::all_of(measures.bars, &evaluate::Bar::holds) ? kOk : kAlert;
}

struct NetworksOptions {
  evaluate::NetworksOptions evaluate;
  std::string seeds = "51-52";
  std::string facts;
  std::string out;
  bool check = false;
};

int run_networks(NetworksOptions& o) {
  if (o.seeds != "none") {
    auto seeds = evaluate::parse_seeds(o.seeds);
    if (!seeds) {
      complain(seeds.error().text());
      return kUsage;
    }
    o.evaluate.log_seeds = *seeds;
  }
  const std::string table = networks_file(o.facts);
  if (table.empty() && !o.evaluate.log_seeds.empty()) {
    complain("no network facts: run tools/fetch-intel.sh, or give --seeds none to leave the logs out");
    return kUsage;
  }
  if (o.evaluate.work_dir.empty()) o.evaluate.work_dir = std::filesystem::temp_directory_path().string();
  const auto hunter = [&](const std::string& directory) {
    pipeline::HuntOptions hunt;
    hunt.inputs = {directory};
    hunt.networks_file = table;
    return pipeline::hunt(hunt);
  };
  auto result = evaluate::evaluate_networks(o.evaluate, hunter, [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  });
  if (!result) {
    complain(result.error().text());
    return kOutput;
  }
  const std::string page = evaluate::markdown(*result);
  if (o.out.empty()) {
    print(page);
  } else if (auto written = write_file(o.out, page); !written) {
    complain(written.error().text());
    return kOutput;
  }
  if (!flush_output()) return kOutput;
  bool all = true;
  for (const evaluate::NetworksBar& bar : evaluate::bars(*result)) {
    all &= bar.holds;
    if (o.check && !bar.holds)
      complain(fmt::format("does not hold: {} ({}; {})", bar.text, bar.required, bar.measured));
  }
  return all || !o.check ? kOk : kAlert;
}

void add_evaluate_networks(CLI::App& evaluate, int& exit_code) {
  auto o = std::make_shared<NetworksOptions>();
  o->evaluate.world = evaluate::default_world();
  CLI::App* sub = evaluate.add_subcommand(
      "networks", "Measure whether covert networks are told apart, and their sizes and half-lives");
  sub->add_option("--seeds", o->seeds, "Seeds of the worlds with logs, or none (default 51-52)");
  sub->add_option("--first-seed", o->evaluate.first_seed, "First seed of the worlds of sightings (default 101)");
  sub->add_option("--worlds", o->evaluate.seeds, "Worlds of sightings for each difference (default 20)")
      ->check(CLI::Range(1, 10'000));
  sub->add_option("--long-worlds", o->evaluate.estimate_seeds, "Those for sizes and half-lives (default 40)")
      ->check(CLI::Range(1, 10'000));
  sub->add_option("--networks", o->facts, "Compiled network facts");
  sub->add_option("--work-dir", o->evaluate.work_dir, "Where to write the worlds");
  sub->add_option("--out", o->out, "Markdown file to write (default: standard output)");
  sub->add_flag("--check", o->check, "Exit with 1 if a bar does not hold");
  takes(*sub, "FILE", {"--out", "--networks"});
  takes(*sub, "DIR", {"--work-dir"});
  sub->callback([o, sub, &exit_code] {
    o->evaluate.command = "orbwatch evaluate networks";
    for (const char* name : {"--seeds", "--first-seed", "--worlds", "--long-worlds"}) {
      if (sub->count(name) > 0) o->evaluate.command += fmt::format(" {} {}", name, sub->get_option(name)->results()[0]);
    }
    exit_code = run_networks(*o);
  });
}

}  // namespace

void add_evaluate(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  o->evaluate.world = evaluate::default_world();
  CLI::App* sub =
      app.add_subcommand("evaluate", "Measure in simulated worlds what is found, and what is said without cause");
  sub->add_option("--seeds", o->seeds, "Seeds: 1-9,12 (default 600-657)");
  sub->add_option("--large-seeds", o->large_seeds,
                  "Seeds of larger worlds, reported apart, or none (default 35, with --seeds none)");
  sub->add_option("--large-users", o->evaluate.large_users, "Users of those (default 5000)")
      ->check(CLI::Range(1, 200'000));
  sub->add_flag("--check", o->check, "Exit with 1 if a bar does not hold");
  sub->add_option("--json", o->evaluate.json, "File for all numbers as JSON");
  sub->add_option("--out", o->evaluate.out, "Markdown file to write (default: standard output)");
  sub->add_option("--alerts-per-day", o->evaluate.alerts_per_day, "Alert budget (default 5)");
  sub->add_option("--networks", o->networks, "Compiled network facts");
  sub->add_option("--threads", o->threads, "Threads");
  sub->add_option("--work-dir", o->evaluate.work_dir, "Where to write the worlds");
  sub->add_flag("--keep", o->evaluate.keep, "Leave the worlds in the work directory");
  add_world_options(*sub, o->evaluate.world);
  takes(*sub, "FILE", {"--out", "--json", "--networks"});
  takes(*sub, "DIR", {"--work-dir"});
  add_evaluate_networks(*sub, exit_code);
  sub->callback([o, sub, &exit_code] {
    if (!sub->get_subcommands().empty()) return;
    // Which days the default attack has is a matter of the default days.
    if (sub->count("--days") > 0 && sub->count("--attack-from") == 0) {
      o->evaluate.world.attack_from = -1;
      if (sub->count("--attack-days") == 0) o->evaluate.world.attack_days = -1;
    }
    // What decides the figures, as it was given.
    o->evaluate.command = "orbwatch evaluate";
    for (const CLI::Option* option : sub->get_options()) {
      const std::string name = option->get_name();
      if (option->count() == 0 || option->get_type_name() == "FILE" || option->get_type_name() == "DIR" ||
          name == "--threads" || name == "--keep" || name == "--check")
        continue;
      for (const std::string& value : option->results()) o->evaluate.command += fmt::format(" {} {}", name, value);
    }
    if (o->large_seeds.empty()) o->large_seeds = sub->count("--seeds") > 0 ? "none" : "35";
    exit_code = run(*o);
  });
}

}  // namespace orbwatch::cli

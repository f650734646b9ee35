// `orbwatch simulate`: writes a simulated organisation's logs with a covert network at work in them.
#include "evaluate/simulate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"

namespace orbwatch::cli {

void add_world_options(CLI::App& sub, evaluate::SimulateOptions& o) {
  sub.add_option("--users", o.users, "Users of the organisation")->check(CLI::Range(1, 200'000));
  sub.add_option("--days", o.days, "Days of logs")->check(CLI::Range(2, 1000));
  sub.add_option("--start", o.start, "First day, 2026-10-05");
  sub.add_option("--region", o.region, "de, gb or us (default: by the seed)");
  sub.add_option("--noise", o.noise, "Background traffic, relative");
  sub.add_option("--lines", o.lines, "About so many lines: sets the number of users");
  sub.add_option("--attack-from", o.attack_from,
                 "First day on which the covert network acts, from 0 (default: after 40 %)");
  sub.add_option("--attack-days", o.attack_days, "Days on which it may act (default: 45 % of all)");
  sub.add_option("--covert-logins", o.covert_logins, "Intrusions with stolen credentials");
  sub.add_option("--sprays", o.sprays, "Spray campaigns");
  sub.add_option("--spray-days", o.spray_days, "Days of a spray campaign")->check(CLI::Range(1, 1000));
  sub.add_option("--scans", o.scans, "Scan campaigns");
  sub.add_option("--management-probes", o.management_probes, "Attempts at administration interfaces");
  sub.add_option("--variety", o.variety, "1: more kinds of people, providers, events and intruders; 0: the plain world")
      ->check(CLI::Range(0, 1));
  sub.add_option("--sector", o.sector, "What the organisation does: office, hospital, factory or school")
      ->check(CLI::IsMember({"office", "hospital", "factory", "school"}));
  sub.add_option("--gateways", o.gateways,
                 "asa, mixed (other vendors' beside or instead) or asa-only (default: asa; with variety by the seed)")
      ->check(CLI::IsMember({"asa", "mixed", "asa-only"}));
  sub.add_option("--tunnel-traffic", o.tunnel_traffic,
                 "logged: firewalls log what sessions reach behind the gateway; none (default: with variety logged)")
      ->check(CLI::IsMember({"none", "logged"}));
}

void add_simulate(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<evaluate::SimulateOptions>();
  CLI::App* sub = app.add_subcommand(
      "simulate", "Write a simulated organisation's logs, with a covert network in them and the truth beside them");
  sub->add_option("--seed", o->seed, "The same seed gives the same logs");
  sub->add_option("--out", o->out, "Directory to write to")->required();
  add_world_options(*sub, *o);
  takes(*sub, "DIR", {"--out"});
  sub->footer("Example:\n  orbwatch simulate --seed 3 --out W && orbwatch hunt W");
  sub->callback([o, &exit_code] {
    auto result = evaluate::simulate(*o);
    if (!result) {
      complain(result.error().text());
      exit_code = kOutput;
      return;
    }
    print(fmt::format("{} lines of {} users in {} files below {}; truth: {}\n", result->lines, result->users,
                      result->files.size(), o->out, result->truth_file));
    exit_code = flush_output() ? kOk : kOutput;
  });
}

}  // namespace orbwatch::cli

// `orbwatch networks ...`: covert networks as entities, out of logs, of a service's state or of a store.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/text.h"
#include "core/time.h"
#include "export/half_lives_text.h"
#include "export/network_text.h"
#include "export/sharing/tracked.h"
#include "export/sharing/writers.h"
#include "intel/organisation.h"
#include "pipeline/hunt.h"
#include "pipeline/kept_networks.h"
#include "source/collector.h"

namespace orbwatch::cli {
namespace {

using score::Network;

struct Options {
  pipeline::HuntOptions hunt;
  LogOptions logs;
  std::string state;
  std::string store;
  std::string id;
  std::string format = "csv";
  Marking marking;
  bool json = false;
  std::vector<score::NodeHalfLife> half_lives;  // of what was read
};

core::Expected<std::vector<Network>> in_logs(Options& o) {
  if (!configure(o.hunt, o.logs.config, o.logs.mappings))
    return core::fail("the configuration is not usable", o.logs.config);
  o.hunt.networks_file = networks_file(o.logs.networks);
  o.hunt.reference = source::now();
  auto result = pipeline::hunt(o.hunt);
  if (!result) return std::unexpected(result.error());
  for (const auto& input : result->inputs) {
    if (!input.error.empty() && !input.unknown_format) complain(input.path + ": " + input.error);
  }
  o.half_lives = std::move(result->half_lives);
  return std::move(result->networks);
}

// Of the configuration only whose networks are one's own matters here.
core::Expected<void> read_own_networks(Options& o) {
  if (o.logs.config.empty()) return {};
  const auto config = read_config(o.logs.config);
  if (!config) return std::unexpected(config.error());
  o.hunt.networks = config->networks;
  return {};
}

core::Expected<std::vector<Network>> kept(const Options& o) {
  auto read = o.state.empty() ? pipeline::networks_in_store(o.store) : pipeline::networks_in_state(o.state);
  if (!read) return std::unexpected(read.error());
  const std::string& where = o.state.empty() ? o.store : o.state;
  if (read->damaged != 0) complain(fmt::format("{}: {} networks are damaged and left out", where, read->damaged));
  if (read->left_out != 0)
    complain(fmt::format("{}: {} networks are not in it, for there was no room", where, read->left_out));
  return std::move(read->networks);
}

// Those that the id begins with; an error if none or several.
const Network* find(const std::vector<Network>& all, const std::string& id) {
  const Network* found = nullptr;
  for (const Network& network : all) {
    if (!network.id.starts_with(id)) continue;
    if (found != nullptr) {
      complain(fmt::format("several networks begin with {}: give more of the id", id));
      return nullptr;
    }
    found = &network;
  }
  if (found == nullptr)
    complain(fmt::format("no network {} here; `orbwatch networks list` names those that there are", id));
  return found;
}

// For partners: without accounts, gateways or anything else of the organisation.
int give(const Options& o, const Network& network) {
  namespace sharing = exporting::sharing;
  intel::Organisation organisation;
  if (!o.hunt.networks.empty()) {
    auto made = intel::Organisation::make(o.hunt.networks);
    if (!made) {
      complain(made.error().text());
      return kUsage;
    }
    organisation = std::move(*made);
  }
  sharing::Rules rules;
  rules.own = [&organisation](const core::Ip& ip) { return organisation.is_internal(ip); };
  sharing::Selection selection(rules);
  sharing::add_tracked(selection, network);
  const auto options = marked(o.marking, source::now() / core::kSecond * core::kSecond);
  if (!options) {
    complain(options.error().text());
    return kUsage;
  }
  const sharing::Written written = sharing::find_writer(o.format)->write(selection.take(), *options);
  for (const auto* left_out : {&selection.left_out(), &written.left_out}) {
    for (const auto& [reason, count] : *left_out) complain(fmt::format("left out: {}: {}", reason, count));
  }
  return print(written.text) && flush_output() ? kOk : kOutput;
}

enum class What : std::uint8_t { kList, kShow, kTimeline, kExport, kHalfLives };

int run(Options& o, What what) {
  const int places = (o.hunt.inputs.empty() ? 0 : 1) + (o.state.empty() ? 0 : 1) + (o.store.empty() ? 0 : 1);
  if (places != 1) {
    complain(
        "where are the networks? logs to hunt in, --state FOLDER of a service, or --store FILE of a hunt: one of "
        "them");
    return kUsage;
  }
  const bool logs = !o.hunt.inputs.empty();
  if (what == What::kHalfLives && !logs) {
    complain("half-lives are learned from logs: give these instead of --state or --store");
    return kUsage;
  }
  if (const auto done = logs ? core::Expected<void>() : read_own_networks(o); !done) {
    complain(done.error().text());
    return kUsage;
  }
  auto all = logs ? in_logs(o) : kept(o);
  if (!all) {
    complain(all.error().text());
    return logs ? kUsage : kInput;
  }
  if (what == What::kList) {
    std::string out;
    if (o.json) {
      for (const Network& network : *all) out += score::to_json(network) + "\n";
    } else {
      out = exporting::networks_text(*all);
    }
    print(out);
    return flush_output() ? kOk : kOutput;
  }
  if (what == What::kHalfLives) {
    std::string out;
    for (const score::NodeHalfLife& h : o.half_lives) out += score::to_json(h) + "\n";
    print(o.json ? out : exporting::half_lives_text(o.half_lives));
    return flush_output() ? kOk : kOutput;
  }
  const Network* network = find(*all, o.id);
  if (network == nullptr) return kInput;
  if (what == What::kExport && exporting::sharing::find_writer(o.format) != nullptr && o.format != "csv" &&
      o.format != "edl")
    return give(o, *network);
  if (what == What::kExport) {
    print(o.format == "csv"   ? score::nodes_csv(*network)
          : o.format == "edl" ? exporting::network_block_list(*network)
          : o.format == "dot" ? exporting::network_dot(*network)
                              : score::to_json(*network) + "\n");
  } else if (o.json) {
    print(score::to_json(*network) + "\n");
  } else {
    print(what == What::kShow ? exporting::network_text(*network) : exporting::network_timeline(*network));
  }
  return flush_output() ? kOk : kOutput;
}

void add_common(CLI::App& sub, const std::shared_ptr<Options>& o) {
  sub.add_option("inputs", o->hunt.inputs, "Logs to hunt in: files, directories, patterns; - is standard input");
  auto* state =
      sub.add_option("--state", o->state, "Instead of logs: the folder of a service's state, also while it runs");
  auto* store = sub.add_option("--store", o->store, "Instead of logs: the DuckDB file that `hunt --db` wrote");
  for (const std::string& option : add_log_options(sub, o->hunt, o->logs, "--format-of-logs")) {
    state->excludes(sub.get_option(option));
    store->excludes(sub.get_option(option));
  }
  takes(sub, "PATH", {"inputs"});
  takes(sub, "DIR", {"--state"});
  takes(sub, "FILE", {"--store"});
}

}  // namespace

void add_networks(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* networks = app.add_subcommand("networks", "Covert networks behind the signs in logs: nodes, traits, lives");
  networks->require_subcommand(1);

  CLI::App* sub = networks->add_subcommand("list", "Every network: nodes, size, half-life, what it looks like");
  add_common(*sub, o);
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->callback([o, &exit_code] { exit_code = run(*o, What::kList); });

  sub = networks->add_subcommand("show", "One network: traits, behaviour, nodes and their roles, how it is linked");
  sub->add_option("id", o->id, "Its id, or the beginning of it")->required();
  add_common(*sub, o);
  sub->add_flag("--json", o->json, "As JSON");
  sub->callback([o, &exit_code] { exit_code = run(*o, What::kShow); });

  sub = networks->add_subcommand("timeline", "One network day by day: births, nodes seen, merges and splits");
  sub->add_option("id", o->id, "Its id, or the beginning of it")->required();
  add_common(*sub, o);
  sub->add_flag("--json", o->json, "As JSON");
  sub->callback([o, &exit_code] { exit_code = run(*o, What::kTimeline); });

  sub = networks->add_subcommand("export", "One network for other tools");
  sub->add_option("id", o->id, "Its id, or the beginning of it")->required();
  add_common(*sub, o);
  sub->add_option(
         "--format", o->format,
         "csv (nodes), json (all of it), edl (addresses of active nodes for a firewall), dot (links), stix or misp "
         "(for partners)")
      ->check(CLI::IsMember({"csv", "json", "edl", "dot", "stix", "misp"}));
  add_marking(*sub, o->marking, "Of stix and misp: ");
  takes(*sub, "FORMAT", {"--format"});
  sub->callback([o, &exit_code] { exit_code = run(*o, What::kExport); });

  sub = networks->add_subcommand("half-lives", "How fast indicators die here: half-lives of nodes by kind of network");
  add_common(*sub, o);
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->callback([o, &exit_code] { exit_code = run(*o, What::kHalfLives); });

  networks->footer(
      "Examples:\n"
      "  orbwatch networks list logs/\n"
      "  orbwatch networks show 7f3a logs/\n"
      "  orbwatch networks show 7f3a --state /var/lib/orbwatch\n"
      "  orbwatch networks timeline 7f3a --store hunt.duckdb\n"
      "  orbwatch networks export 7f3a logs/ --format edl > nodes.txt\n"
      "  orbwatch networks half-lives logs/");
}

}  // namespace orbwatch::cli

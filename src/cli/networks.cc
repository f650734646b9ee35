// `orbwatch networks ...`: covert networks as entities.
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
#include "core/text.h"
#include "core/time.h"
#include "export/half_lives_text.h"
#include "export/network_text.h"
#include "export/sharing/tracked.h"
#include "export/sharing/writers.h"
#include "intel/organisation.h"
#include "pipeline/hunt.h"

namespace orbwatch::cli {
namespace {

using score::Network;

struct Options {
  pipeline::HuntOptions hunt;
  std::string config;
  std::string facts;
  std::string id;
  std::string format = "csv";
  std::string tlp = "amber";
  std::string identity;
  bool json = false;
  std::vector<score::NodeHalfLife> half_lives;  // of what was read
};

core::Expected<std::vector<Network>> networks(Options& o) {
  if (!configure(o.hunt, o.config, {})) return core::fail("the configuration is not usable", o.config);
  o.hunt.networks_file = networks_file(o.facts);
  o.hunt.reference =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  auto result = pipeline::hunt(o.hunt);
  if (!result) return std::unexpected(result.error());
  for (const auto& input : result->inputs) {
    if (!input.error.empty() && !input.unknown_format) complain(input.path + ": " + input.error);
  }
  o.half_lives = std::move(result->half_lives);
  return std::move(result->networks);
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
  sharing::WriteOptions options;
  options.sender = o.identity;
  options.tlp = *sharing::parse_tlp(o.tlp);
  options.made = o.hunt.reference / core::kSecond * core::kSecond;
  const sharing::Written written = sharing::find_writer(o.format)->write(selection.take(), options);
  for (const auto* left_out : {&selection.left_out(), &written.left_out}) {
    for (const auto& [reason, count] : *left_out) complain(fmt::format("left out: {}: {}", reason, count));
  }
  return print(written.text) && flush_output() ? kOk : kOutput;
}

enum class What : std::uint8_t { kList, kShow, kTimeline, kExport, kHalfLives };

int run(Options& o, What what) {
  auto all = networks(o);
  if (!all) {
    complain(all.error().text());
    return kUsage;
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
  sub.add_option("inputs", o->hunt.inputs, "Logs: files, directories, patterns; - is standard input")->required();
  sub.add_option("--config", o->config, "Configuration file (YAML)");
  sub.add_option("--format-of-logs", o->hunt.format, "Read everything as this format (see `orbwatch formats`)");
  sub.add_option("--tz", o->hunt.zone, "Time zone of records that state none: Europe/Berlin, +02:00 (default UTC)");
  sub.add_option("--year", o->hunt.year, "Year of records that state none (default: from the file's time)")
      ->check(CLI::Range(1970, 2200));
  sub.add_option("--networks", o->facts,
                 "Compiled network facts, or none (default: the table of `orbwatch intel build`)");
  sub.add_option("--indicators", o->hunt.indicator_files,
                 "List of bad addresses or prefixes, one a line; may be given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  sub.add_option("--feeds", o->hunt.feeds_folder, "Folder of threat feeds that `orbwatch feeds update` keeps");
  takes(sub, "PATH", {"inputs"});
  takes(sub, "FILE", {"--config", "--networks", "--indicators"});
  takes(sub, "FOLDER", {"--feeds"});
  takes(sub, "FORMAT", {"--format-of-logs"});
  takes(sub, "ZONE", {"--tz"});
  takes(sub, "N", {"--year"});
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
  sub->add_option("--tlp", o->tlp, "Of stix and misp, who may read it: clear, green, amber, amber+strict, red")
      ->check(CLI::IsMember({"clear", "green", "amber", "amber+strict", "red"}));
  sub->add_option("--identity", o->identity, "Of stix and misp, whose it is, as partners see it");
  takes(*sub, "FORMAT", {"--format"});
  takes(*sub, "WORD", {"--tlp"});
  takes(*sub, "NAME", {"--identity"});
  sub->callback([o, &exit_code] { exit_code = run(*o, What::kExport); });

  sub = networks->add_subcommand("half-lives", "How fast indicators die here: half-lives of nodes by kind of network");
  add_common(*sub, o);
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->callback([o, &exit_code] { exit_code = run(*o, What::kHalfLives); });

  networks->footer(
      "Examples:\n"
      "  orbwatch networks list logs/\n"
      "  orbwatch networks show 7f3a logs/\n"
      "  orbwatch networks export 7f3a logs/ --format edl > nodes.txt\n"
      "  orbwatch networks half-lives logs/");
}

}  // namespace orbwatch::cli

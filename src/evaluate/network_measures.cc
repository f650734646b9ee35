#include "evaluate/network_measures.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <set>

namespace orbwatch::evaluate {
namespace {

constexpr double kRight = 0.9;

// The tracked network that has most of the addresses; nullptr if none has any.
const score::Network* largest_of(const std::vector<score::Network>& networks, const std::set<core::Ip>& addresses,
                                 std::size_t* common = nullptr) {
  const score::Network* best = nullptr;
  std::size_t most = 0;
  for (const score::Network& network : networks) {
    std::size_t n = 0;
    for (const score::NetworkNode& node : network.nodes) n += addresses.contains(node.ip) ? 1 : 0;
    if (n > most) {
      most = n;
      best = &network;
    }
  }
  if (common != nullptr) *common = most;
  return best;
}

std::string share(int part, int all) { return all == 0 ? "-" : fmt::format("{:.0f} %", 100.0 * part / all); }

std::string_view words(Differ differ) {
  switch (differ) {
    case Differ::kClient: return "client";
    case Differ::kCadence: return "cadence (hours, and attempts in a row)";
    case Differ::kTargets: return "targets (accounts and gateway)";
    case Differ::kHoursOnly: return "hours only";
    case Differ::kAccountsOnly: return "accounts only";
    case Differ::kNothing: return "nothing";
  }
  return "";
}

}  // namespace

SeedsMeasured over_seeds(const SightingWorld& world, std::uint64_t first, int seeds) {
  SeedsMeasured out;
  out.seeds = seeds;
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(seeds); ++seed) {
    const Sightings truth = sightings(world, seed);
    track::NetworkTracker tracker;
    for (const track::NodeSighting& s : truth.all) tracker.add(s);
    tracker.settle();
    const Agreement a = agreement(tracker, truth);
    out.mean_rand += a.rand / seeds;
    out.least_rand = std::min(out.least_rand, a.rand);
    out.found += a.found / seeds;
    out.innocents += a.innocents / seeds;
    out.most_innocents = std::max(out.most_innocents, a.innocents);
    out.networks += static_cast<double>(a.networks) / seeds;
    out.right += a.rand >= kRight ? 1 : 0;
  }
  return out;
}

EstimatesMeasured estimates_over_seeds(const SightingWorld& world, std::uint64_t first, int seeds) {
  EstimatesMeasured out;
  const double half_life = world.mean_life * std::numbers::ln2;
  std::vector<double> ratios;
  for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(seeds); ++seed) {
    const Sightings truth = sightings(world, seed);
    track::NetworkTracker tracker;
    for (const track::NodeSighting& s : truth.all) tracker.add(s);
    tracker.settle();
    const auto networks = tracker.networks(true);
    for (int n = 1; n <= (world.second ? 2 : 1); ++n) {
      std::set<core::Ip> addresses;
      for (const auto& [ip, of] : truth.networks) {
        if (of == n) addresses.insert(ip);
      }
      ++out.networks;
      const score::Network* found = largest_of(networks, addresses);
      if (found == nullptr) continue;
      if (found->size) {
        const auto day = static_cast<std::size_t>((found->size_day - truth.first_day) / core::kDay);
        const std::vector<std::size_t>& by_day = truth.alive[static_cast<std::size_t>(n - 1)];
        const auto alive = static_cast<double>(by_day[std::min(day, by_day.size() - 1)]);
        ++out.sized;
        out.covered += found->size->low <= alive && alive <= found->size->high ? 1 : 0;
        out.mean_ratio += found->size->value / std::max(1.0, alive);
      }
      if (found->half_life_days) {
        ++out.with_half_life;
        const double ratio = found->half_life_days->value / half_life;
        ratios.push_back(ratio);
        out.within_fifth += std::abs(ratio - 1) <= 0.2 ? 1 : 0;
        out.half_life_covered +=
            found->half_life_days->low <= half_life && half_life <= found->half_life_days->high ? 1 : 0;
      }
    }
  }
  out.mean_ratio /= std::max(1, out.sized);
  if (!ratios.empty()) {
    std::ranges::nth_element(ratios, ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2));
    out.median_ratio = ratios[ratios.size() / 2];
  }
  return out;
}

LogWorldMeasured compare_networks(const Truth& truth, const pipeline::HuntResult& result) {
  LogWorldMeasured out;
  out.seed = truth.seed;
  std::set<core::Ip> covert;
  for (const TruthItem& item : truth.items) {
    if (item.grey) continue;
    for (const std::string& source : item.sources) {
      if (const auto ip = core::Ip::parse(source)) covert.insert(*ip);
    }
  }
  out.nodes = covert.size();
  const score::Network* largest = largest_of(result.networks, covert, &out.in_largest);
  if (largest != nullptr) out.size = largest->size;
  out.networks = result.networks.size();
  absl::flat_hash_set<core::Ip> drawn;
  for (const score::Network& network : result.networks) {
    for (const score::NetworkNode& node : network.nodes) drawn.insert(node.ip);
  }
  for (const core::Ip& ip : drawn) {
    if (covert.contains(ip)) {
      ++out.in_any;
    } else {
      ++out.innocents_drawn_in;
    }
  }
  out.innocents = result.overview.sources - std::min<std::size_t>(result.overview.sources, covert.size());
  return out;
}

core::Expected<NetworksEvaluation> evaluate_networks(const NetworksOptions& options, const NetworksHunter& hunt,
                                                     const std::function<void(std::string_view)>& progress) {
  NetworksEvaluation out;
  out.command = options.command;
  out.first_seed = options.first_seed;
  out.seeds = options.seeds;
  out.estimate_seeds = options.estimate_seeds;
  for (const Differ differ :
       {Differ::kClient, Differ::kCadence, Differ::kTargets, Differ::kHoursOnly, Differ::kAccountsOnly}) {
    progress(fmt::format("two networks that differ in {}", words(differ)));
    out.apart.emplace_back(words(differ), over_seeds({.differ = differ}, out.first_seed, out.seeds));
  }
  progress("one network alone");
  out.alone = over_seeds({.differ = Differ::kNothing, .second = false}, out.first_seed, out.seeds);
  progress("sizes and half-lives");
  const SightingWorld long_world{.differ = Differ::kClient, .days = 40, .mean_life = 10};
  out.true_half_life = long_world.mean_life * std::numbers::ln2;
  out.estimates = estimates_over_seeds(long_world, out.first_seed, out.estimate_seeds);

  namespace fs = std::filesystem;
  for (const std::uint64_t seed : options.log_seeds) {
    for (const int variety : {0, 1}) {
      progress(fmt::format("logs of seed {}, {}", seed, variety == 0 ? "plain" : "with variety"));
      SimulateOptions world = options.world;
      world.seed = seed;
      world.variety = variety;
      const fs::path folder = fs::path(options.work_dir) / fmt::format("networks-{}-{}-{}", ::getpid(), seed, variety);
      world.out = folder.string();
      const auto written = simulate(world);
      if (!written) return std::unexpected(written.error());
      auto truth = read_truth(written->truth_file);
      auto result = hunt(world.out);
      std::error_code ignored;
      fs::remove_all(folder, ignored);
      if (!truth) return std::unexpected(truth.error());
      if (!result) return std::unexpected(result.error());
      LogWorldMeasured& measured = out.logs.emplace_back(compare_networks(*truth, *result));
      measured.variety = variety;
    }
  }
  return out;
}

std::vector<NetworksBar> bars(const NetworksEvaluation& e) {
  std::vector<NetworksBar> out;
  const std::size_t named = std::min<std::size_t>(3, e.apart.size());
  double innocents = 0;
  for (std::size_t i = 0; i < named; ++i) {
    const auto& [differ, m] = e.apart[i];
    out.push_back(
        {fmt::format("adjusted Rand index, networks that differ in {}", differ), "at least 0.9",
         fmt::format("mean {:.3f}, least {:.3f}, {} of {} seeds", m.mean_rand, m.least_rand, m.right, m.seeds),
         m.mean_rand >= kRight});
    innocents = std::max(innocents, m.most_innocents);
  }
  out.push_back({"innocent addresses with a weak event that are in a network, worst seed of sightings", "at most 1 %",
                 fmt::format("{:.2f} %", 100 * innocents), innocents <= 0.01});
  double drawn = 0;
  for (const LogWorldMeasured& m : e.logs)
    drawn = std::max(
        drawn, static_cast<double>(m.innocents_drawn_in) / static_cast<double>(std::max<std::size_t>(1, m.innocents)));
  if (!e.logs.empty())
    out.push_back({"the same of all innocent addresses in logs, worst world", "at most 1 %",
                   fmt::format("{:.2f} %", 100 * drawn), drawn <= 0.01});
  out.push_back({"size: the 90 % interval holds the nodes alive", "at least 85 %",
                 fmt::format("{} of {} networks ({})", e.estimates.covered, e.estimates.networks,
                             share(e.estimates.covered, e.estimates.networks)),
                 20 * e.estimates.covered >= 17 * e.estimates.networks});
  out.push_back({"learned half-life", "within 20 % of the true one",
                 fmt::format("median {:+.1f} %, {} of {} networks within 20 %", 100 * (e.estimates.median_ratio - 1),
                             e.estimates.within_fifth, e.estimates.networks),
                 std::abs(e.estimates.median_ratio - 1) <= 0.2});
  return out;
}

std::string markdown(const NetworksEvaluation& e) {
  std::string out = fmt::format(
      "# Results: covert networks\n\nMade by `{}`; what the worlds are and how it is counted: "
      "[networks.md](networks.md#how-it-is-measured).\n\n## Bars\n\n| | required | measured | |\n|---|---|---|---|\n",
      e.command);
  for (const NetworksBar& bar : bars(e))
    out += fmt::format("| {} | {} | {} | {} |\n", bar.text, bar.required, bar.measured,
                       bar.holds ? "holds" : "**does not hold**");
  out += fmt::format(
      "\n## Two networks at once, as sightings\n\nSeeds {} to {}: two networks of 60 nodes, two steps a node and day, "
      "400 "
      "staff, 300 scanners, 10 days; all else they have in common.\n\n| differ in | adjusted Rand index, mean | least "
      "| "
      "seeds with 0.9 or more | nodes found | innocents in a network, mean | most | networks |\n"
      "|---|---|---|---|---|---|---|---|\n",
      e.first_seed, e.first_seed + static_cast<std::uint64_t>(e.seeds) - 1);
  const auto row = [&](std::string_view differ, const SeedsMeasured& m, bool index) {
    out +=
        fmt::format("| {} | {} | {} | {} | {:.1f} % | {:.2f} % | {:.2f} % | {:.1f} |\n", differ,
                    index ? fmt::format("{:.3f}", m.mean_rand) : "", index ? fmt::format("{:.3f}", m.least_rand) : "",
                    index ? fmt::format("{} of {}", m.right, m.seeds) : "", 100 * m.found, 100 * m.innocents,
                    100 * m.most_innocents, m.networks);
  };
  for (const auto& [differ, m] : e.apart) row(differ, m, true);
  row("one network alone", e.alone, false);
  const EstimatesMeasured& m = e.estimates;
  out += fmt::format(
      "\n## Size and half-life\n\nSeeds {} to {}, both networks of each: 40 days, nodes live {:.1f} days to their "
      "half.\n\n"
      "| | |\n|---|---|\n| networks | {} |\n| with an estimate of the size | {} |\n| its 90 % interval holds the nodes "
      "alive | {} "
      "({}) |\n| estimate over truth, mean | {:.2f} |\n| with a half-life | {} |\n| within 20 % of the true one | {} "
      "({}) |\n"
      "| its 90 % interval holds the true one | {} ({}) |\n| half-life over truth, median | {:.2f} |\n",
      e.first_seed, e.first_seed + static_cast<std::uint64_t>(e.estimate_seeds) - 1, e.true_half_life, m.networks,
      m.sized, m.covered, share(m.covered, m.networks), m.mean_ratio, m.with_half_life, m.within_fifth,
      share(m.within_fifth, m.networks), m.half_life_covered, share(m.half_life_covered, m.networks), m.median_ratio);
  if (e.logs.empty()) return out;
  out +=
      "\n## Whole logs\n\nOne covert network in each world, with a spray, a scan and intrusions; its logs are read, "
      "judged and "
      "tracked like any others. *Covert addresses* are all that acted, once or often.\n\n| seed | world | covert "
      "addresses | in "
      "the largest network | in any | networks | other addresses in a network | of "
      "|\n|---|---|---|---|---|---|---|---|\n";
  for (const LogWorldMeasured& w : e.logs)
    out += fmt::format("| {} | {} | {} | {} ({}) | {} | {} | {} | {} |\n", w.seed, w.variety == 0 ? "plain" : "variety",
                       w.nodes, w.in_largest, share(static_cast<int>(w.in_largest), static_cast<int>(w.nodes)),
                       w.in_any, w.networks, w.innocents_drawn_in, w.innocents);
  return out;
}

}  // namespace orbwatch::evaluate

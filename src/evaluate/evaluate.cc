#include "evaluate/evaluate.h"

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/text.h"

namespace orbwatch::evaluate {
namespace {

using core::kDay;
using core::Nanoseconds;
using score::Finding;

absl::flat_hash_set<std::string> sources_of(const Finding& finding) {
  absl::flat_hash_set<std::string> sources;
  if (finding.source.ip.present()) sources.insert(finding.source.ip.text());
  for (const score::SourceFacts& s : finding.sources) {
    if (s.ip.present()) sources.insert(s.ip.text());
  }
  return sources;
}

bool names_user(const Finding& finding, const TruthItem& item) {
  const auto in_item = [&](const std::string& user) {
    return !user.empty() && std::ranges::find(item.users, user) != item.users.end();
  };
  return in_item(finding.user) || std::ranges::any_of(finding.users, in_item);
}

bool overlaps(const Finding& finding, const TruthItem& item) {
  return finding.time <= item.end + kSlack && std::max(finding.end, finding.time) >= item.time - kSlack;
}

std::size_t shared_sources(const absl::flat_hash_set<std::string>& sources, const TruthItem& item) {
  return static_cast<std::size_t>(
      std::ranges::count_if(item.sources, [&](const std::string& s) { return sources.contains(s); }));
}

// Touches the item: enough for an alert to be true.
bool touches(const Finding& finding, const absl::flat_hash_set<std::string>& sources, const TruthItem& item) {
  if (!overlaps(finding, item)) return false;
  return sources.empty() ? names_user(finding, item) : shared_sources(sources, item) > 0;
}

bool of_many(const TruthItem& item) { return item.kind == "spray" || item.kind == "slow-scan"; }
bool intrusion(const TruthItem& item) {
  return item.kind == "covert-login" || item.kind == "credential-success-after-spray";
}

// Touches it so that the item counts as found.
bool finds(const Finding& finding, const absl::flat_hash_set<std::string>& sources, const TruthItem& item) {
  if (!touches(finding, sources, item)) return false;
  if (!of_many(item)) return true;
  const std::size_t needed = std::min(kSharedSources, std::max<std::size_t>(1, (item.sources.size() + 1) / 2));
  return shared_sources(sources, item) >= needed;
}

AlertClass classify(const Truth& truth, const Finding& finding, const absl::flat_hash_set<std::string>& sources) {
  bool aftermath = false;
  bool grey = false;
  for (const TruthItem& item : truth.items) {
    if (touches(finding, sources, item)) {
      if (!item.grey) return AlertClass::kTrue;
      grey = true;
    }
    aftermath |= intrusion(item) && names_user(finding, item) && finding.time >= item.time - kSlack &&
                 finding.time <= item.time + kDay;
  }
  return aftermath ? AlertClass::kAftermath : grey ? AlertClass::kGrey : AlertClass::kFalse;
}

int day_of(const Truth& truth, Nanoseconds time) {
  const Nanoseconds since = time - truth.start;
  return std::clamp(static_cast<int>(since < 0 ? -1 : since / kDay), 0, std::max(truth.days - 1, 0));
}

struct Ratio {
  std::uint64_t found = 0, seen = 0, all = 0;
  void add(const ItemResult& r) {
    ++all;
    found += r.found ? 1 : 0;
    seen += r.seen ? 1 : 0;
  }
};

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "-" : fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string per_day(std::uint64_t count, std::uint64_t days) {
  return days == 0 ? "-" : fmt::format("{:.2f}", static_cast<double>(count) / static_cast<double>(days));
}

std::string ratio_row(std::string_view name, const Ratio& ratio) {
  const Interval i = wilson(ratio.found, ratio.all);
  return fmt::format("| {} | {} | {} | {} | {:.0f}-{:.0f} % | {} |\n", name, ratio.all, ratio.found,
                     percent(ratio.found, ratio.all), 100 * i.low, 100 * i.high, ratio.seen);
}

constexpr std::string_view kRatioHead =
    "| items | found | recall | 95 % interval | among all findings |\n|---|---|---|---|---|---|\n";

std::string seed_text(const std::vector<std::uint64_t>& seeds) {
  std::string text;
  for (std::size_t i = 0; i < seeds.size();) {
    std::size_t j = i;
    while (j + 1 < seeds.size() && seeds[j + 1] == seeds[j] + 1) ++j;
    if (!text.empty()) text += ", ";
    text += i == j ? fmt::format("{}", seeds[i]) : fmt::format("{} to {}", seeds[i], seeds[j]);
    i = j + 1;
  }
  return text;
}

}  // namespace

Interval wilson(std::uint64_t successes, std::uint64_t trials) {
  if (trials == 0) return {};
  constexpr double kZ = 1.959963984540054;
  const double n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double centre = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

bool finds(const Finding& finding, const TruthItem& item) { return finds(finding, sources_of(finding), item); }

AlertClass classify(const Truth& truth, const Finding& finding) {
  return classify(truth, finding, sources_of(finding));
}

WorldResult judge(const Truth& truth, const std::vector<Finding>& findings) {
  WorldResult result;
  result.seed = truth.seed;
  result.region = truth.region;
  result.days.resize(static_cast<std::size_t>(std::max(truth.days, 1)));
  for (const TruthItem& item : truth.items) {
    if (item.grey) continue;
    for (int d = day_of(truth, item.time); d <= day_of(truth, item.end); ++d)
      result.days[static_cast<std::size_t>(d)].attack = true;
    result.items.push_back({item, false, false, 0, {}});
  }
  for (const Finding& finding : findings) {
    const auto sources = sources_of(finding);
    for (ItemResult& r : result.items) {
      if (!finds(finding, sources, r.item)) continue;
      r.found |= finding.alert;
      if (!r.seen || finding.score > r.best_score) {
        r.best_score = finding.score;
        r.finding_kind = detect::name(finding.kind);
      }
      r.seen = true;
    }
    if (!finding.alert) continue;
    DayResult& day = result.days[static_cast<std::size_t>(day_of(truth, finding.time))];
    switch (classify(truth, finding, sources)) {
      case AlertClass::kTrue: ++day.true_alerts; break;
      case AlertClass::kAftermath: ++day.aftermath; break;
      case AlertClass::kGrey: ++day.grey; break;
      case AlertClass::kFalse:
        ++day.false_alerts;
        ++result.false_by_kind[finding.evidence.empty()
                                   ? std::string(detect::name(finding.kind))
                                   : fmt::format("{}: {}", detect::name(finding.kind), finding.evidence.front().kind)];
        break;
    }
  }
  return result;
}

core::Expected<std::vector<std::uint64_t>> parse_seeds(std::string_view text) {
  std::set<std::uint64_t> seeds;
  const std::string seen(text);
  while (!text.empty()) {
    std::string_view part = core::trim(core::take_until(text, ','));
    const bool range = part.find('-') != part.npos;
    const auto from = core::parse_number<std::uint64_t>(core::trim(core::take_until(part, '-')));
    const auto to = range ? core::parse_number<std::uint64_t>(core::trim(part)) : from;
    if (!from || !to || *to < *from || *to - *from >= 10000)
      return core::fail("cannot read the seeds", seen, "write 1-9 or 1,4,7");
    for (std::uint64_t s = *from; s <= *to && s >= *from; ++s) {
      seeds.insert(s);
      if (s == UINT64_MAX) break;
    }
    if (seeds.size() > 10000) return core::fail("too many seeds", seen, "10000 at most");
  }
  if (seeds.empty()) return core::fail("no seeds", seen, "write 1-9 or 1,4,7");
  return std::vector<std::uint64_t>(seeds.begin(), seeds.end());
}

core::Expected<Evaluation> evaluate(const EvaluateOptions& options, const Hunter& hunter,
                                    const std::function<void(std::string_view)>& progress) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path base = options.work_dir;
  const bool own = base.empty();
  if (own) {
    std::string name = (fs::temp_directory_path(error) / "orbwatch-evaluate-XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr)
      return core::fail("cannot make a temporary directory", name, "set --work-dir");
    base = name;
  }
  Evaluation evaluation;
  evaluation.options = options;
  const auto run = [&]() -> core::Expected<void> {
    for (const std::uint64_t seed : options.seeds) {
      SimulateOptions world = options.world;
      world.seed = seed;
      world.out = (base / fmt::format("seed-{}", seed)).string();
      auto simulated = simulate(world);
      if (!simulated) return std::unexpected(simulated.error());
      auto truth = read_truth(simulated->truth_file);
      if (!truth) return std::unexpected(truth.error());
      auto hunted = hunter(world.out);
      if (!options.keep) {
        // Only what simulate() wrote goes, the directory if it is empty then.
        for (const std::string& file : simulated->files) fs::remove(file, error);
        fs::remove(simulated->truth_file, error);
        fs::remove(world.out, error);
      }
      if (!hunted) return std::unexpected(hunted.error());
      WorldResult result = judge(*truth, hunted->findings);
      result.lines = simulated->lines;
      result.records = hunted->total;
      if (progress) {
        const auto found = std::ranges::count_if(result.items, [](const ItemResult& r) { return r.found; });
        int wrong = 0;
        for (const DayResult& d : result.days) wrong += d.false_alerts;
        progress(fmt::format("seed {} ({}): {} of {} items found, {} false alerts in {} days", seed, result.region,
                             found, result.items.size(), wrong, result.days.size()));
      }
      evaluation.worlds.push_back(std::move(result));
    }
    return {};
  };
  auto done = run();
  if (own && !options.keep) fs::remove_all(base, error);
  if (!done) return std::unexpected(done.error());
  if (!options.out.empty()) {
    std::ofstream out(options.out, std::ios::binary | std::ios::trunc);
    out << markdown(evaluation);
    out.close();
    if (!out) return core::fail("cannot write the results", options.out, "does its directory exist?");
  }
  return evaluation;
}

std::string markdown(const Evaluation& evaluation) {
  const EvaluateOptions& o = evaluation.options;
  std::map<std::string, Ratio> kinds, placements, clients, disguises;
  std::map<std::string, std::map<std::string, bool>> campaigns;  // kind -> campaign -> found
  std::map<std::string, int> false_by_kind;
  std::uint64_t learning_days = 0, learning_false = 0, ordinary_days = 0, ordinary_false = 0, attack_days = 0,
                attack_false = 0;
  std::uint64_t true_alerts = 0, aftermath = 0, grey = 0, false_alerts = 0;
  for (const WorldResult& w : evaluation.worlds) {
    for (const ItemResult& r : w.items) {
      kinds[r.item.kind].add(r);
      campaigns[r.item.kind][r.item.campaign] |= r.found;
      if (!intrusion(r.item)) continue;
      placements[r.item.placement].add(r);
      clients[r.item.client].add(r);
      disguises[fmt::format("{}", r.item.disguise)].add(r);
    }
    for (const auto& [kind, count] : w.false_by_kind) false_by_kind[kind] += count;
    for (std::size_t d = 0; d < w.days.size(); ++d) {
      const DayResult& day = w.days[d];
      const auto wrong = static_cast<std::uint64_t>(day.false_alerts);
      true_alerts += static_cast<std::uint64_t>(day.true_alerts);
      aftermath += static_cast<std::uint64_t>(day.aftermath);
      grey += static_cast<std::uint64_t>(day.grey);
      false_alerts += wrong;
      if (day.attack) {
        ++attack_days;
        attack_false += wrong;
      } else if (static_cast<int>(d) < kLearningDays) {
        ++learning_days;
        learning_false += wrong;
      } else {
        ++ordinary_days;
        ordinary_false += wrong;
      }
    }
  }
  std::string out = "# Detection results\n\n";
  const auto add = [&]<typename... Args>(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
  };
  add("Made by `{}` of orbwatch {}; do not edit. How worlds are made and how things are counted: "
      "[evaluation.md](evaluation.md).\n\n",
      o.command.empty() ? "orbwatch evaluate" : o.command, ORBWATCH_VERSION);
  std::uint64_t lines = 0;
  for (const WorldResult& w : evaluation.worlds) lines += w.lines;
  add("Worlds: seeds {}; {} users, {} days each, {} lines in all. Alert budget: {} alerts on an ordinary day. ",
      seed_text(o.seeds), o.world.lines > 0 ? "scaled" : fmt::format("{}", o.world.users), o.world.days, lines,
      o.alerts_per_day);
  add("An item is found if an alert inside the budget finds it; \"among all findings\" counts items that some finding "
      "points out, whatever its rank.\n\n");
  add("## Recall by kind\n\n| kind {}", kRatioHead);
  for (const auto& [kind, ratio] : kinds) out += ratio_row(kind, ratio);
  add("\n| kind | campaigns | campaigns with an item found |\n|---|---|---|\n");
  for (const auto& [kind, found] : campaigns) {
    add("| {} | {} | {} |\n", kind, found.size(), std::ranges::count_if(found, [](const auto& c) { return c.second; }));
  }
  add("\n## Recall of intrusions (covert-login and credential-success-after-spray)\n\n| place of the exit node {}",
      kRatioHead);
  for (const auto& [placement, ratio] : placements) out += ratio_row(placement, ratio);
  add("\n| client software {}", kRatioHead);
  for (const auto& [client, ratio] : clients) out += ratio_row(client, ratio);
  add("\n| disguise (0 plain, 5 best) {}", kRatioHead);
  for (const auto& [disguise, ratio] : disguises) out += ratio_row(disguise, ratio);
  add("\n## False alerts\n\n| days | number | false alerts | a day |\n|---|---|---|---|\n");
  add("| ordinary (no attack, after {} days of learning) | {} | {} | {} |\n", kLearningDays, ordinary_days,
      ordinary_false, per_day(ordinary_false, ordinary_days));
  add("| learning (the first {} days, no attack) | {} | {} | {} |\n", kLearningDays, learning_days, learning_false,
      per_day(learning_false, learning_days));
  add("| with an attack | {} | {} | {} |\n\n", attack_days, attack_false, per_day(attack_false, attack_days));
  add("Alerts in all: {} true, {} false, {} about a victim's own session after an intrusion, {} about known exposures "
      "(the last two are counted "
      "neither way). Precision: {}.\n\n",
      true_alerts, false_alerts, aftermath, grey, percent(true_alerts, true_alerts + false_alerts));
  if (!false_by_kind.empty()) {
    add("| false alerts by kind and strongest evidence | number |\n|---|---|\n");
    for (const auto& [kind, count] : false_by_kind) add("| {} | {} |\n", kind, count);
    out += '\n';
  }
  add("## Worlds and days\n\nAlerts of each day, true+false (other); days with an attack in bold.\n\n| seed | region | "
      "lines | items | found | false "
      "alerts | alerts by day |\n|---|---|---|---|---|---|---|\n");
  for (const WorldResult& w : evaluation.worlds) {
    std::string days;
    int wrong = 0;
    for (const DayResult& d : w.days) {
      std::string text = d.alerts() == 0 ? "·" : fmt::format("{}+{}", d.true_alerts, d.false_alerts);
      if (d.aftermath + d.grey > 0) text += fmt::format("({})", d.aftermath + d.grey);
      days += (days.empty() ? "" : " ") + (d.attack ? "**" + text + "**" : text);
      wrong += d.false_alerts;
    }
    add("| {} | {} | {} | {} | {} | {} | {} |\n", w.seed, w.region, w.lines, w.items.size(),
        std::ranges::count_if(w.items, [](const ItemResult& r) { return r.found; }), wrong, days);
  }
  add("\n## Items not found\n\n");
  bool any = false;
  for (const WorldResult& w : evaluation.worlds) {
    for (const ItemResult& r : w.items) {
      if (r.found) continue;
      if (!any)
        out +=
            "| item | kind | place | client | disguise | best finding outside the budget "
            "|\n|---|---|---|---|---|---|\n";
      any = true;
      add("| {} | {} | {} | {} | {} | {} |\n", r.item.id, r.item.kind,
          r.item.placement.empty() ? "-" : r.item.placement, r.item.client.empty() ? "-" : r.item.client,
          r.item.disguise, r.seen ? fmt::format("{}, score {:.3f}", r.finding_kind, r.best_score) : "none");
    }
  }
  if (!any) out += "None.\n";
  return out;
}

}  // namespace orbwatch::evaluate

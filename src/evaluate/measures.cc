#include "evaluate/measures.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "score/combine.h"

namespace orbwatch::evaluate {
namespace {

using core::Nanoseconds;
using detect::FindingKind;

// Edges of the bins of log-odds; the first and the last bin are open.
constexpr std::array<double, 14> kEdges = {-9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 4, 6};

struct TierText {
  std::string_view name, text;
  std::optional<double> bar;
};
constexpr std::array<TierText, kTiers> kTierTexts = {{
    {"other-country", "other country", 0.99},
    {"new-provider", "same country, provider new to the user", 0.95},
    {"town-new-provider", "same city, provider new to the user", 0.90},
    {"own-provider", "same city, the user's own provider, other line; client differs or is not logged", 0.80},
    {"own-provider-copied", "same city, the user's own provider, other line; client string copied", 0.50},
    {"spray", "distributed spray: one finding within its first day, before 5 % of the accounts were tried twice", 1.0},
    {"other-town-own-provider", "same country, other city, the user's own provider", std::nullopt},
    {"town-known-provider", "same city, another provider whose customer the user is too", std::nullopt},
    {"after-spray", "credentials that a spray found: the hit from anywhere, then used from near the user",
     std::nullopt},
}};

const TierText& facts(Tier tier) { return kTierTexts[static_cast<std::size_t>(tier)]; }

}  // namespace

std::vector<std::string> reference_names() {
  std::vector<std::string> names;
  for (const auto& reference : make_references()) names.emplace_back(reference->name());
  return names;
}

Interval wilson(std::uint64_t successes, std::uint64_t trials) {
  if (trials == 0) return {};
  constexpr double kZ = 1.959963984540054;
  const double n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double centre = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

// ---- how well hidden

std::string_view name(Tier tier) { return facts(tier).name; }
std::string_view text(Tier tier) { return facts(tier).text; }
std::optional<double> bar(Tier tier) { return facts(tier).bar; }

std::optional<Tier> tier_of(const TruthItem& item) {
  if (item.kind == "credential-success-after-spray") return Tier::kAfterSpray;
  if (item.kind != "covert-login") return std::nullopt;
  if (item.placement == "abroad") return Tier::kOtherCountry;
  const bool own = item.provider == "own";
  if (item.placement == "other-town") return own ? Tier::kOtherTownOwnProvider : Tier::kNewProvider;
  if (item.placement == "same-town-other-provider") return own ? Tier::kTownKnownProvider : Tier::kTownNewProvider;
  if (item.placement == "same-town-same-provider")
    return item.client == "copied" ? Tier::kOwnProviderCopied : Tier::kOwnProvider;
  return std::nullopt;
}

SprayMoment moment_of(const SprayStory& story, Nanoseconds at) {
  SprayMoment moment;
  moment.after = at - story.begin;
  absl::flat_hash_map<core::Symbol, int> times;
  for (const auto& [time, account] : story.attempts) {
    if (time <= at) ++times[account];
  }
  moment.tried = times.size();
  const auto twice = std::ranges::count_if(times, [](const auto& t) { return t.second > 1; });
  absl::flat_hash_set<core::Symbol> targets;
  for (const auto& [time, account] : story.attempts) {
    if (time <= story.begin + kSprayWithin) targets.insert(account);
  }
  if (!targets.empty()) moment.twice = static_cast<double>(twice) / static_cast<double>(targets.size());
  return moment;
}

bool spray_found(const SprayStory& story, double line) {
  const auto first = std::ranges::find_if(story.strength, [&](const auto& s) { return s.second >= line; });
  if (first == story.strength.end()) return false;
  const SprayMoment moment = moment_of(story, first->first);
  return moment.after <= kSprayWithin && moment.twice <= kTriedTwice;
}

std::vector<std::optional<double>> best_of(const WorldResult& world) {
  std::vector<std::optional<double>> best(world.items.size());
  for (const Judgement& j : world.findings) {
    for (const std::uint32_t i : j.finds) {
      if (!best[i] || *best[i] < j.strength) best[i] = j.strength;
    }
  }
  return best;
}

// ---- trade-off

double Curve::recall(const CurvePoint& p) const {
  return items == 0 ? 0 : static_cast<double>(p.found) / static_cast<double>(items);
}
double Curve::false_a_day(const CurvePoint& p) const {
  return days == 0 ? 0 : static_cast<double>(p.false_alerts) / static_cast<double>(days);
}
double Curve::precision(const CurvePoint& p) {
  const std::uint64_t all = p.true_alerts + p.false_alerts;
  return all == 0 ? 1 : static_cast<double>(p.true_alerts) / static_cast<double>(all);
}
const CurvePoint* Curve::at_recall(double wanted) const {
  const auto found = std::ranges::find_if(points, [&](const CurvePoint& p) { return recall(p) >= wanted; });
  return found == points.end() ? nullptr : &*found;
}
const CurvePoint* Curve::at_false(double a_day) const {
  const CurvePoint* last = nullptr;
  for (const CurvePoint& p : points) {
    if (false_a_day(p) > a_day) break;
    last = &p;
  }
  return last;
}
double Curve::area() const {
  double sum = 0;
  double before = 0;
  for (const CurvePoint& p : points) {
    sum += (recall(p) - before) * precision(p);
    before = recall(p);
  }
  return sum;
}

Curve make_curve(std::string name, const std::vector<WorldResult>& worlds,
                 const std::function<const std::vector<Judgement>&(const WorldResult&)>& of) {
  Curve curve;
  curve.name = std::move(name);
  std::map<double, CurvePoint, std::greater<>> steps;  // what each line adds
  for (const WorldResult& w : worlds) {
    curve.days += static_cast<std::uint64_t>(std::max(0, w.days - kLearningDays));
    std::vector<std::optional<double>> best(w.items.size());
    for (const TruthItem& item : w.items) curve.items += is_intrusion(item) ? 1 : 0;
    for (const Judgement& j : of(w)) {
      bool finds_intrusion = false;
      for (const std::uint32_t i : j.finds) {
        if (!is_intrusion(w.items[i])) continue;
        finds_intrusion = true;
        if (!best[i] || *best[i] < j.strength) best[i] = j.strength;
      }
      if (finds_intrusion) {
        ++steps[j.strength].true_alerts;
      } else if (j.worth == AlertClass::kFalse && j.day >= kLearningDays) {
        ++steps[j.strength].false_alerts;
      }
    }
    for (const std::optional<double>& b : best) {
      if (b) ++steps[*b].found;
    }
  }
  CurvePoint sum;
  for (const auto& [line, step] : steps) {
    sum.line = line;
    sum.found += step.found;
    sum.true_alerts += step.true_alerts;
    sum.false_alerts += step.false_alerts;
    curve.points.push_back(sum);
  }
  return curve;
}

Comparison equal_recall(const Curve& own, const Curve& reference, double recall) {
  Comparison c;
  c.reference = reference.name;
  const double most = reference.points.empty() ? 0 : reference.recall(reference.points.back());
  c.reaches = recall > 0 && most >= recall;
  c.recall = std::min(recall, most);
  const CurvePoint* there = c.recall > 0 ? reference.at_recall(c.recall) : nullptr;
  const CurvePoint* here = c.recall > 0 ? own.at_recall(c.recall) : nullptr;
  if (there != nullptr) c.reference_a_day = reference.false_a_day(*there);
  if (here != nullptr) c.own_a_day = own.false_a_day(*here);
  if (there == nullptr || here == nullptr || (there->false_alerts == 0 && here->false_alerts == 0)) return c;
  c.at_least = here->false_alerts == 0;
  c.factor =
      static_cast<double>(there->false_alerts) / static_cast<double>(std::max<std::uint64_t>(1, here->false_alerts));
  return c;
}

// ---- time

std::optional<Nanoseconds> quantile(std::vector<std::optional<Nanoseconds>> values, double share) {
  if (values.empty()) return std::nullopt;
  std::ranges::sort(values, [](const auto& a, const auto& b) { return a && (!b || *a < *b); });
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::clamp(rank, 1.0, static_cast<double>(values.size()))) - 1];
}

namespace {

// What a service and a hunt made of one intrusion or spray.
struct Story {
  Nanoseconds begin = 0;
  Nanoseconds alerted = 0;  // 0 = never
  bool hunted = false;
  std::optional<Tier> tier;
};

Delays delays_of(const std::vector<Story>& stories) {
  Delays d;
  std::vector<std::optional<Nanoseconds>> all, found;
  for (const Story& s : stories) {
    ++d.all;
    const bool live = s.alerted != 0;
    d.both += live && s.hunted ? 1 : 0;
    d.only_live += live && !s.hunted ? 1 : 0;
    d.only_hunt += !live && s.hunted ? 1 : 0;
    all.push_back(live ? std::optional(s.alerted - s.begin) : std::nullopt);
    if (live) found.push_back(all.back());
  }
  d.median = quantile(found, 0.5);
  d.ninety = quantile(found, 0.9);
  d.median_of_all = quantile(all, 0.5);
  d.ninety_of_all = quantile(std::move(all), 0.9);
  return d;
}

void measure_time(const std::vector<WorldResult>& worlds, std::size_t main, Measures& m) {
  std::vector<Story> intrusions, sprays;
  for (const WorldResult& w : worlds) {
    const double line = w.lines_of_budgets[main];
    const auto best = best_of(w);
    // Log-ins of one campaign are one intrusion; each account that a spray opened is one of its own.
    std::map<std::string, Story> by_intrusion;
    for (std::size_t i = 0; i < w.items.size(); ++i) {
      const TruthItem& item = w.items[i];
      if (!is_intrusion(item)) continue;
      Story& s = by_intrusion[item.kind == "covert-login" ? item.campaign : item.id];
      if (s.begin == 0 || item.time < s.begin) {
        s.begin = item.time;
        s.tier = tier_of(item);
      }
      const Nanoseconds alerted = w.watched.alerted[i];
      if (alerted != 0 && (s.alerted == 0 || alerted < s.alerted)) s.alerted = alerted;
      s.hunted |= best[i] && *best[i] >= line;
    }
    for (const auto& [id, story] : by_intrusion) intrusions.push_back(story);
    for (const auto& [campaign, story] : w.watched.sprays) {
      Story s{story.begin, story.alerted, false, Tier::kSpray};
      for (const Judgement& j : w.findings) {
        if (j.kind != FindingKind::kSpray || j.strength < line) continue;
        s.hunted |= std::ranges::any_of(
            j.finds, [&](std::uint32_t i) { return w.items[i].kind == "spray" && w.items[i].campaign == campaign; });
      }
      sprays.push_back(s);
      if (story.alerted != 0)
        m.sprays.most_twice = std::max(m.sprays.most_twice, moment_of(story, story.alerted).twice);
    }
  }
  m.intrusions = delays_of(intrusions);
  for (int t = 0; t < kTiers; ++t) {
    std::vector<Story> of_tier;
    std::ranges::copy_if(intrusions, std::back_inserter(of_tier),
                         [&](const Story& s) { return s.tier == static_cast<Tier>(t); });
    if (!of_tier.empty()) m.intrusions_by_tier[static_cast<Tier>(t)] = delays_of(of_tier);
  }
  m.sprays.delays = delays_of(sprays);
}

}  // namespace

// ---- reliability

Reliability reliability(const std::vector<WorldResult>& worlds) {
  Reliability r;
  for (const WorldResult& w : worlds) {
    r.logins += w.watched.logins;
    r.covert_logins += w.watched.covert_logins;
  }
  const double prior_odds = std::exp(score::prior_log_odds(FindingKind::kLogin));
  r.prior = prior_odds / (1 + prior_odds);
  if (r.covert_logins > 0 && r.logins > r.covert_logins) {
    const double odds = static_cast<double>(r.covert_logins) / static_cast<double>(r.logins - r.covert_logins);
    r.weight = prior_odds / odds;
  }
  std::array<Bin, kEdges.size() + 1> bins;
  std::array<double, kEdges.size() + 1> predicted{}, mass{};
  for (const WorldResult& w : worlds) {
    for (const Judgement& j : w.findings) {
      const bool covert = j.worth == AlertClass::kTrue;
      if (j.kind != FindingKind::kLogin || j.day < kLearningDays || (!covert && j.worth != AlertClass::kFalse))
        continue;
      const double log_odds = j.strength - j.lent;
      const auto b = static_cast<std::size_t>(std::ranges::upper_bound(kEdges, log_odds) - kEdges.begin());
      ++(covert ? bins[b].covert : bins[b].ordinary);
      const double weight = covert ? r.weight : 1;
      mass[b] += weight;
      predicted[b] += weight * score::probability(log_odds);
    }
  }
  double sum = 0;
  double off = 0;
  // A share among findings as they are, and among findings of which the covert ones weigh less.
  const auto weighed = [&](double share) { return r.weight * share / (r.weight * share + (1 - share)); };
  for (std::size_t b = 0; b < bins.size(); ++b) {
    Bin& bin = bins[b];
    const std::uint64_t all = bin.covert + bin.ordinary;
    if (all == 0) continue;
    bin.from = b == 0 ? -std::numeric_limits<double>::infinity() : kEdges[b - 1];
    bin.to = b == kEdges.size() ? std::numeric_limits<double>::infinity() : kEdges[b];
    bin.predicted = predicted[b] / mass[b];
    bin.observed = weighed(static_cast<double>(bin.covert) / static_cast<double>(all));
    const Interval raw = wilson(bin.covert, all);
    bin.interval = {weighed(raw.low), weighed(raw.high)};
    sum += mass[b];
    off += mass[b] * std::abs(bin.observed - bin.predicted);
    r.bins.push_back(bin);
  }
  r.error = sum > 0 ? off / sum : 0;
  return r;
}

// ---- all of it

std::vector<double> budgets_around(double main) {
  std::vector<double> budgets = {1, main, 20};
  std::ranges::sort(budgets);
  budgets.erase(std::unique(budgets.begin(), budgets.end()), budgets.end());
  return budgets;
}

namespace {

void measure_recall(const std::vector<WorldResult>& worlds, Measures& m) {
  m.tiers.resize(kTiers);
  for (int t = 0; t < kTiers; ++t) {
    m.tiers[static_cast<std::size_t>(t)].tier = static_cast<Tier>(t);
    m.tiers[static_cast<std::size_t>(t)].at.resize(m.budgets.size());
  }
  Ratio intrusions;
  for (const WorldResult& w : worlds) {
    const auto best = best_of(w);
    for (std::size_t i = 0; i < w.items.size(); ++i) {
      const TruthItem& item = w.items[i];
      const auto found_at = [&](std::size_t b) { return best[i] && *best[i] >= w.lines_of_budgets[b]; };
      if (const auto tier = tier_of(item)) {
        TierRow& row = m.tiers[static_cast<std::size_t>(*tier)];
        for (std::size_t b = 0; b < m.budgets.size(); ++b) row.at[b].add(found_at(b));
        row.seen += best[i] ? 1 : 0;
      }
      const bool found = found_at(m.main);
      KindRow& kind = m.kinds[item.kind];
      kind.items.add(found);
      kind.seen += best[i] ? 1 : 0;
      kind.campaigns[item.campaign] |= found;
      if (!is_intrusion(item)) continue;
      intrusions.add(found);
      m.clients[item.client].add(found);
      m.disguises[fmt::format("{}", item.disguise)].add(found);
    }
    TierRow& row = m.tiers[static_cast<std::size_t>(Tier::kSpray)];
    for (const auto& [campaign, story] : w.watched.sprays) {
      for (std::size_t b = 0; b < m.budgets.size(); ++b) row.at[b].add(spray_found(story, w.lines_of_budgets[b]));
      row.seen += story.strength.empty() ? 0 : 1;
    }
  }
  m.recall = intrusions.share();
}

void measure_alerts(const std::vector<WorldResult>& worlds, Measures& m) {
  m.false_alerts.resize(m.budgets.size());
  m.precision.resize(m.budgets.size());
  for (const WorldResult& w : worlds) {
    const auto period = [&](FalseAlerts& f, int day) -> Period& {
      if (day < kLearningDays) return f.learning;
      if (day < w.attack_from || w.attack_last < w.attack_from) return f.before;
      return day <= w.attack_last ? f.during : f.after;
    };
    for (std::size_t b = 0; b < m.budgets.size(); ++b) {
      FalseAlerts& f = m.false_alerts[b];
      for (int day = 0; day < w.days; ++day) ++period(f, day).days;
      for (const Judgement& j : w.findings) {
        if (j.strength < w.lines_of_budgets[b]) continue;
        if (j.worth == AlertClass::kFalse) ++period(f, j.day).alerts;
        if (j.worth == AlertClass::kFalse || j.worth == AlertClass::kTrue)
          m.precision[b].add(j.worth == AlertClass::kTrue);
        if (b != m.main) continue;
        switch (j.worth) {
          case AlertClass::kTrue: ++m.true_alerts; break;
          case AlertClass::kAftermath: ++m.aftermath; break;
          case AlertClass::kGrey: ++m.grey; break;
          case AlertClass::kFalse:
            ++m.false_count;
            ++m.false_by_evidence[j.evidence];
            break;
        }
      }
    }
  }
}

void measure_bars(Measures& m) {
  for (const TierRow& row : m.tiers) {
    const auto required = bar(row.tier);
    if (!required) continue;
    const Ratio& at = row.at[m.main];
    m.bars.push_back({std::string(name(row.tier)), fmt::format("recall: {}", text(row.tier)), *required,
                      at.all > 0 ? std::optional(at.share()) : std::nullopt, false});
  }
  const FalseAlerts& f = m.false_alerts[m.main];
  const auto a_day = [&](std::string id, std::string says, const Period& period) {
    m.bars.push_back({std::move(id), std::move(says), m.budgets[m.main],
                      period.days > 0 ? std::optional(period.a_day()) : std::nullopt, true});
  };
  a_day("false-before", "false alerts a day before the attack", f.before);
  a_day("false-during", "false alerts a day during the attack", f.during);
  std::optional<double> least;
  for (const Comparison& c : m.comparisons) {
    if (c.factor && (!least || *c.factor < *least)) least = c.factor;
  }
  m.bars.push_back(
      {"references", "times fewer false alerts than the best reference at equal recall", kLeastFactor, least, false});
}

}  // namespace

Measures measure(const std::vector<WorldResult>& worlds, double main_budget) {
  Measures m;
  m.budgets = budgets_around(main_budget);
  m.main = static_cast<std::size_t>(std::ranges::find(m.budgets, main_budget) - m.budgets.begin());
  measure_recall(worlds, m);
  measure_alerts(worlds, m);
  m.own = make_curve("orbwatch", worlds, [](const WorldResult& w) -> const auto& { return w.findings; });
  const auto names = reference_names();
  for (std::size_t r = 0; r < names.size(); ++r) {
    m.references.push_back(
        make_curve(names[r], worlds, [r](const WorldResult& w) -> const auto& { return w.references[r]; }));
    m.comparisons.push_back(equal_recall(m.own, m.references.back(), m.recall));
  }
  measure_time(worlds, m.main, m);
  m.reliability = reliability(worlds);
  measure_bars(m);
  return m;
}

}  // namespace orbwatch::evaluate

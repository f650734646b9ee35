// What the findings in worlds of known truth are worth, in numbers. All of it is computed from WorldResult, so that
// other budgets and lines need no other hunt. docs/evaluation.md says in words what each figure means.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "evaluate/compare.h"
#include "evaluate/simulate.h"
#include "evaluate/watch.h"

namespace orbwatch::evaluate {

// One world, hunted and compared.
struct WorldResult {
  std::uint64_t seed = 0;
  std::string region;
  int users = 0;
  int days = 0;
  int attack_from = 0;   // first day on which the covert network may act
  int attack_last = -1;  // day of the end of its last item; before attack_from if there is none
  std::uint64_t lines = 0;
  std::vector<TruthItem> items;                    // items_of() the truth
  std::vector<Judgement> findings;                 // all, alerts or not
  std::vector<double> lines_of_budgets;            // the least strength of an alert, by budget (Measures::budgets)
  Watched watched;                                 // `references` is empty: compared below
  std::vector<std::vector<Judgement>> references;  // in the order of reference_names()
};
std::vector<std::string> reference_names();

// Wilson's interval of a proportion at 95 %.
struct Interval {
  double low = 0, high = 1;
};
Interval wilson(std::uint64_t successes, std::uint64_t trials);

struct Ratio {
  std::uint64_t found = 0, all = 0;
  void add(bool hit) {
    ++all;
    found += hit ? 1 : 0;
  }
  double share() const { return all == 0 ? 0 : static_cast<double>(found) / static_cast<double>(all); }
};

// ---- how well hidden

// The place of an intrusion's exit node as the victim's history sees it, and the client it shows: the rows of the
// table, hardest last.
enum class Tier : std::uint8_t {
  kOtherCountry,
  kNewProvider,           // in the victim's country, provider new to him
  kTownNewProvider,       // in his town, provider new to him
  kOwnProvider,           // in his town and at his provider, another line; client differs or is not logged
  kOwnProviderCopied,     // the same with the victim's own client string
  kSpray,                 // a campaign, found as one finding within its first day
  kOtherTownOwnProvider,  // without bars from here on
  kTownKnownProvider,     // another provider than that of his home, of which he is a customer as well
  kAfterSpray,            // credential-success-after-spray: a hit from anywhere, its use from near the victim
};
constexpr int kTiers = 9;
std::string_view name(Tier tier);  // of the JSON: "other-country"
std::string_view text(Tier tier);
std::optional<double> bar(Tier tier);                // the share that must be found at the main budget
std::optional<Tier> tier_of(const TruthItem& item);  // of intrusions

// A spray counts as found at a line if a finding of kind spray about it stood at the line within kSprayWithin of its
// first attempt and while at most kTriedTwice of the accounts that it tries on its first day had been tried twice.
constexpr core::Nanoseconds kSprayWithin = core::kDay;
constexpr double kTriedTwice = 0.05;
struct SprayMoment {
  core::Nanoseconds after = 0;  // since the first attempt
  std::uint64_t tried = 0;      // accounts until then
  double twice = 0;             // share of the first day's accounts that were tried more than once by then
};
SprayMoment moment_of(const SprayStory& story, core::Nanoseconds at);
bool spray_found(const SprayStory& story, double line);

struct TierRow {
  Tier tier = Tier::kOtherCountry;
  std::vector<Ratio> at;   // by budget
  std::uint64_t seen = 0;  // by any finding, inside a budget or not
};

// ---- false alerts

struct Period {
  std::uint64_t days = 0, alerts = 0;
  double a_day() const { return days == 0 ? 0 : static_cast<double>(alerts) / static_cast<double>(days); }
};
// Of one budget. Before: behind the learning days, the covert network has not begun. During: from then to its last
// item. After: the days behind.
struct FalseAlerts {
  Period learning, before, during, after;
};

// ---- trade-off

// Alerts at or above a line, in all worlds.
struct CurvePoint {
  double line = 0;
  std::uint64_t found = 0;         // intrusion items
  std::uint64_t true_alerts = 0;   // that find one
  std::uint64_t false_alerts = 0;  // behind the learning days
};
struct Curve {
  std::string name;
  std::uint64_t items = 0;
  std::uint64_t days = 0;
  std::vector<CurvePoint> points;  // line descending, one for each strength that occurs

  double recall(const CurvePoint& p) const;
  double false_a_day(const CurvePoint& p) const;
  static double precision(const CurvePoint& p);
  // The highest line with at least this recall; null if none reaches it.
  const CurvePoint* at_recall(double recall) const;
  // The lowest line with at most so many false alerts a day; null if there is none.
  const CurvePoint* at_false(double a_day) const;
  // Area under the curve of precision by recall, in steps (average precision). What is never found counts as 0.
  double area() const;
};
// Of one list of judgements in each world.
Curve make_curve(std::string name, const std::vector<WorldResult>& worlds,
                 const std::function<const std::vector<Judgement>&(const WorldResult&)>& of);

// orbwatch beside a reference where both find the same: at `recall`, or, if the reference never finds so much, at the
// most that it finds.
struct Comparison {
  std::string reference;
  double recall = 0;
  bool reaches = false;
  double own_a_day = 0, reference_a_day = 0;  // false alerts
  // Reference's by orbwatch's; nothing if neither has one or the reference finds nothing. Where orbwatch has none it is
  // counted as having one in all the days: the factor is then a lower bound.
  std::optional<double> factor;
  bool at_least = false;
};
Comparison equal_recall(const Curve& own, const Curve& reference, double recall);

// ---- time

// Nearest rank of a share; nothing if it falls on one that never came (nullopt sorts last).
std::optional<core::Nanoseconds> quantile(std::vector<std::optional<core::Nanoseconds>> values, double share);

struct Delays {
  std::uint64_t all = 0;
  std::uint64_t both = 0, only_live = 0, only_hunt = 0;           // found by alerts of the service and of the hunt
  std::optional<core::Nanoseconds> median, ninety;                // of those that the service found
  std::optional<core::Nanoseconds> median_of_all, ninety_of_all;  // what it never found counts as never
};
struct SprayDelays {
  Delays delays;
  double most_twice = 0;  // the largest share of accounts tried twice by the time of the alert
};

// ---- reliability

struct Bin {
  double from = 0, to = 0;                 // log-odds
  std::uint64_t covert = 0, ordinary = 0;  // findings
  double predicted = 0, observed = 0;      // shares, at the prior's rate of intrusions
  Interval interval;                       // of `observed`
};
struct Reliability {
  std::uint64_t logins = 0, covert_logins = 0;
  double prior = 0;       // share of covert log-ins that score/combine.h assumes
  double weight = 1;      // of a covert finding: brings the worlds' share to the prior's
  std::vector<Bin> bins;  // not empty ones only
  double error = 0;       // expected calibration error: mean of |observed - predicted|, weighted as the findings are
};
Reliability reliability(const std::vector<WorldResult>& worlds);

// ---- all of it

struct Bar {
  std::string name, text;
  double required = 0;
  std::optional<double> measured;  // nothing: there was nothing to measure, the bar does not hold
  bool at_most = false;            // else at least
  bool holds() const { return measured && (at_most ? *measured <= required : *measured >= required); }
};

struct KindRow {
  Ratio items;  // at the main budget
  std::uint64_t seen = 0;
  std::map<std::string, bool> campaigns;  // found
};

struct Measures {
  std::vector<double> budgets;            // alerts a day, ascending
  std::size_t main = 0;                   // the one with bars
  std::vector<TierRow> tiers;             // one for each Tier
  std::vector<FalseAlerts> false_alerts;  // by budget
  std::vector<Ratio> precision;           // by budget: true among true and false alerts, all kinds and days
  Curve own;
  std::vector<Curve> references;
  double recall = 0;  // of intrusions, by items, at the main budget
  std::vector<Comparison> comparisons;
  Delays intrusions;
  std::map<Tier, Delays> intrusions_by_tier;
  SprayDelays sprays;
  Reliability reliability;
  std::map<std::string, KindRow> kinds;
  std::map<std::string, Ratio> clients, disguises;                          // of intrusions, main budget
  std::map<std::string, std::uint64_t> false_by_evidence;                   // main budget
  std::uint64_t true_alerts = 0, aftermath = 0, grey = 0, false_count = 0;  // main budget
  std::vector<Bar> bars;
};
constexpr double kLeastFactor = 3;

// By item: the strongest finding that finds it; nothing if none does.
std::vector<std::optional<double>> best_of(const WorldResult& world);
// 1, the main budget and 20 alerts a day, ascending, each once.
std::vector<double> budgets_around(double main);
Measures measure(const std::vector<WorldResult>& worlds, double main_budget);

}  // namespace orbwatch::evaluate

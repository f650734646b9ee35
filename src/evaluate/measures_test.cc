#include "evaluate/measures.h"

#include <gtest/gtest.h>

#include <cmath>

#include "score/combine.h"

namespace orbwatch::evaluate {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;
using core::Nanoseconds;
using detect::FindingKind;

constexpr Nanoseconds kStart = Nanoseconds{1'790'000'000} * kSecond;

TruthItem item(std::string kind, std::string campaign, Nanoseconds after, std::string placement = "",
               std::string provider = "", std::string client = "") {
  TruthItem i;
  i.id = campaign + "-" + std::to_string(after / kSecond);
  i.kind = std::move(kind);
  i.campaign = std::move(campaign);
  i.time = kStart + after;
  i.end = i.time + kHour;
  i.placement = std::move(placement);
  i.provider = std::move(provider);
  i.client = std::move(client);
  return i;
}
TruthItem abroad(std::string campaign, Nanoseconds after) {
  return item("covert-login", std::move(campaign), after, "abroad", "new", "different");
}

Judgement hit(double strength, std::vector<std::uint32_t> items, FindingKind kind = FindingKind::kLogin) {
  Judgement j;
  j.strength = strength;
  j.worth = AlertClass::kTrue;
  j.day = 10;
  j.kind = kind;
  j.finds = std::move(items);
  j.evidence = "login: new-network";
  return j;
}
Judgement miss(double strength, int day = 9, AlertClass worth = AlertClass::kFalse) {
  Judgement j = hit(strength, {});
  j.worth = worth;
  j.day = day;
  return j;
}

// 20 days, the attack on days 10 to 14; lines at 4, 0 and -4 for budgets of 1, 5 and 20.
WorldResult world(std::vector<TruthItem> items, std::vector<Judgement> findings) {
  WorldResult w;
  w.days = 20;
  w.attack_from = 10;
  w.attack_last = 14;
  w.items = std::move(items);
  w.findings = std::move(findings);
  w.lines_of_budgets = {4, 0, -4};
  w.watched.alerted.resize(w.items.size());
  w.references.resize(reference_names().size());
  return w;
}

TEST(Measures, WilsonKnowsItsTable) {
  const Interval i = wilson(8, 10);
  EXPECT_NEAR(i.low, 0.490, 0.001);
  EXPECT_NEAR(i.high, 0.943, 0.001);
  EXPECT_EQ(wilson(0, 0).high, 1);
  EXPECT_LT(wilson(0, 5).high, 0.5);
}

TEST(Measures, EveryIntrusionHasItsTier) {
  const auto tier = [](const char* placement, const char* provider, const char* client) {
    return tier_of(item("covert-login", "a", 0, placement, provider, client));
  };
  EXPECT_EQ(tier("abroad", "new", "copied"), Tier::kOtherCountry);
  EXPECT_EQ(tier("other-town", "new", "copied"), Tier::kNewProvider);
  EXPECT_EQ(tier("other-town", "own", "copied"), Tier::kOtherTownOwnProvider);
  EXPECT_EQ(tier("same-town-other-provider", "new", "unseen"), Tier::kTownNewProvider);
  EXPECT_EQ(tier("same-town-other-provider", "own", "unseen"), Tier::kTownKnownProvider);
  EXPECT_EQ(tier("same-town-same-provider", "own", "different"), Tier::kOwnProvider);
  EXPECT_EQ(tier("same-town-same-provider", "own", "unseen"), Tier::kOwnProvider);
  EXPECT_EQ(tier("same-town-same-provider", "own", "copied"), Tier::kOwnProviderCopied);
  EXPECT_EQ(tier_of(item("credential-success-after-spray", "a", 0, "abroad", "new")), Tier::kAfterSpray);
  EXPECT_FALSE(tier_of(item("spray", "a", 0)));
  EXPECT_EQ(bar(Tier::kOtherCountry), 0.99);
  EXPECT_EQ(bar(Tier::kNewProvider), 0.95);
  EXPECT_EQ(bar(Tier::kTownNewProvider), 0.90);
  EXPECT_EQ(bar(Tier::kOwnProvider), 0.80);
  EXPECT_EQ(bar(Tier::kOwnProviderCopied), 0.50);
  EXPECT_EQ(bar(Tier::kSpray), 1.0);
  EXPECT_FALSE(bar(Tier::kOtherTownOwnProvider));
}

TEST(Measures, AnItemIsFoundAtTheLinesBelowItsBestFinding) {
  const Measures m = measure({world({abroad("a", 0), abroad("a", kDay), abroad("b", kDay), abroad("c", kDay)},
                                    {hit(5, {0}), hit(-9, {0}), hit(0, {1}), hit(-5, {2})})},
                             5);
  ASSERT_EQ(m.budgets, (std::vector<double>{1, 5, 20}));
  EXPECT_EQ(m.main, 1U);
  const TierRow& row = m.tiers[static_cast<std::size_t>(Tier::kOtherCountry)];
  EXPECT_EQ(row.at[0].found, 1U);
  EXPECT_EQ(row.at[1].found, 2U) << "at the line counts";
  EXPECT_EQ(row.at[2].found, 2U);
  EXPECT_EQ(row.at[2].all, 4U);
  EXPECT_EQ(row.seen, 3U);
  EXPECT_EQ(m.recall, 0.5);
  EXPECT_EQ(m.tiers[static_cast<std::size_t>(Tier::kNewProvider)].at[0].all, 0U);
  const KindRow& kind = m.kinds.at("covert-login");
  EXPECT_EQ(kind.items.found, 2U);
  EXPECT_EQ(kind.seen, 3U);
  EXPECT_EQ(kind.campaigns, (std::map<std::string, bool>{{"a", true}, {"b", false}, {"c", false}}));
  EXPECT_EQ(m.clients.at("different").found, 2U);
}

TEST(Measures, BudgetsAreThoseAroundTheMainOne) {
  EXPECT_EQ(budgets_around(5), (std::vector<double>{1, 5, 20}));
  EXPECT_EQ(budgets_around(1), (std::vector<double>{1, 20}));
  EXPECT_EQ(budgets_around(50), (std::vector<double>{1, 20, 50}));
}

TEST(Measures, FalseAlertsAreCountedByPeriodAndBudget) {
  WorldResult w =
      world({abroad("a", 10 * kDay)},
            {hit(9, {0}), miss(5, 3), miss(1, 6), miss(1, 7), miss(-1, 8), miss(5, 9), miss(1, 10), miss(1, 14),
             miss(1, 15), miss(9, 12, AlertClass::kAftermath), miss(9, 12, AlertClass::kGrey), miss(-9, 8)});
  const Measures m = measure({w}, 5);
  const FalseAlerts& f = m.false_alerts[1];
  EXPECT_EQ(f.learning.days, 7U);
  EXPECT_EQ(f.learning.alerts, 2U);
  EXPECT_EQ(f.before.days, 3U);
  EXPECT_EQ(f.before.alerts, 2U);
  EXPECT_EQ(f.during.days, 5U);
  EXPECT_EQ(f.during.alerts, 2U);
  EXPECT_EQ(f.after.days, 5U);
  EXPECT_EQ(f.after.alerts, 1U);
  EXPECT_NEAR(f.before.a_day(), 2.0 / 3, 1e-9);
  EXPECT_EQ(m.false_alerts[0].before.alerts, 1U);
  EXPECT_EQ(m.false_alerts[2].before.alerts, 3U);
  EXPECT_EQ(m.true_alerts, 1U);
  EXPECT_EQ(m.false_count, 7U);
  EXPECT_EQ(m.aftermath, 1U);
  EXPECT_EQ(m.grey, 1U);
  EXPECT_EQ(m.false_by_evidence.at("login: new-network"), 7U);
  EXPECT_EQ(m.precision[1].found, 1U);
  EXPECT_EQ(m.precision[1].all, 8U);
  w.attack_last = 9;  // nothing happened
  EXPECT_EQ(measure({w}, 5).false_alerts[1].before.days, 13U);
}

SprayStory story() {
  SprayStory s;
  s.begin = kStart;
  for (int i = 0; i < 20; ++i)
    s.attempts.emplace_back(kStart + i * kHour, core::intern("u" + std::to_string(i % 15)));  // u0 once more at 15 h
  s.strength = {{kStart + 2 * kHour, -5}, {kStart + 5 * kHour, 1}, {kStart + 17 * kHour, 6}, {kStart + 30 * kHour, 9}};
  return s;
}

TEST(Measures, ASprayIsFoundInTimeOrNot) {
  const SprayStory s = story();
  SprayMoment moment = moment_of(s, kStart + 14 * kHour);
  EXPECT_EQ(moment.after, 14 * kHour);
  EXPECT_EQ(moment.tried, 15U);
  EXPECT_EQ(moment.twice, 0);
  moment = moment_of(s, kStart + 16 * kHour);
  EXPECT_EQ(moment.tried, 15U);
  EXPECT_NEAR(moment.twice, 2.0 / 15, 1e-9);
  EXPECT_TRUE(spray_found(s, -9));
  EXPECT_TRUE(spray_found(s, 1));
  EXPECT_FALSE(spray_found(s, 1.5)) << "by then 3 of 15 were tried twice";
  EXPECT_FALSE(spray_found(s, 8)) << "not within the day";
  EXPECT_FALSE(spray_found(s, 10)) << "never so strong";
  SprayStory slow = s;
  slow.attempts.resize(3);
  EXPECT_TRUE(spray_found(slow, 6));
  EXPECT_FALSE(spray_found(slow, 9)) << "30 hours";
}

TEST(Measures, ACampaignOfSprayingIsOneItem) {
  WorldResult w = world({item("spray", "s", 0), item("spray", "s", kDay)}, {hit(2, {0, 1}, FindingKind::kSpray)});
  w.watched.sprays["s"] = story();
  w.watched.sprays["s"].alerted = kStart + 16 * kHour;
  const Measures m = measure({w}, 5);
  const TierRow& row = m.tiers[static_cast<std::size_t>(Tier::kSpray)];
  EXPECT_EQ(row.at[0].all, 1U);
  EXPECT_EQ(row.at[0].found, 0U) << "line 4";
  EXPECT_EQ(row.at[1].found, 1U) << "line 0";
  EXPECT_EQ(row.seen, 1U);
  EXPECT_EQ(m.kinds.at("spray").items.all, 2U);
  EXPECT_EQ(m.sprays.delays.both, 1U);
  EXPECT_EQ(m.sprays.delays.median, 16 * kHour);
  EXPECT_NEAR(m.sprays.most_twice, 2.0 / 15, 1e-9);
  EXPECT_TRUE(m.own.points.empty() || m.own.points.back().true_alerts == 0) << "no intrusion";
}

Curve curve_of(std::vector<TruthItem> items, std::vector<Judgement> findings) {
  return make_curve("c", {world(std::move(items), std::move(findings))},
                    [](const WorldResult& w) -> const auto& { return w.findings; });
}

TEST(Measures, TheCurveByHand) {
  const Curve c = curve_of({abroad("a", 0), abroad("b", 0), abroad("c", 0), abroad("d", 0), item("spray", "s", 0)},
                           {hit(9, {0}), miss(8), hit(7, {0}), hit(6, {1, 2}), miss(6), miss(6, 3), hit(5.5, {4}),
                            miss(5, 9, AlertClass::kAftermath), miss(4), miss(4)});
  EXPECT_EQ(c.items, 4U) << "a spray is no intrusion";
  EXPECT_EQ(c.days, 13U);
  ASSERT_EQ(c.points.size(), 5U) << "one for each line at which something is added";
  EXPECT_EQ(c.points[1].line, 8);
  EXPECT_EQ(c.points[2].found, 1U) << "found before";
  EXPECT_EQ(c.points[2].true_alerts, 2U);
  EXPECT_EQ(c.points[3].found, 3U);
  EXPECT_EQ(c.points[3].true_alerts, 3U);
  EXPECT_EQ(c.points[3].false_alerts, 2U) << "not those of the learning days";
  EXPECT_EQ(c.points[4].false_alerts, 4U);
  EXPECT_EQ(c.points[4].true_alerts, 3U);
  EXPECT_NEAR(c.recall(c.points[3]), 0.75, 1e-9);
  EXPECT_NEAR(c.false_a_day(c.points[4]), 4.0 / 13, 1e-9);
  EXPECT_NEAR(Curve::precision(c.points[3]), 0.6, 1e-9);
  EXPECT_NEAR(c.area(), 0.25 * 1 + 0.5 * 0.6, 1e-9);
  EXPECT_EQ(c.at_recall(0.25), &c.points[0]);
  EXPECT_EQ(c.at_recall(0.3), &c.points[3]);
  EXPECT_EQ(c.at_recall(0.8), nullptr);
  EXPECT_EQ(c.at_false(0), &c.points[0]);
  EXPECT_EQ(c.at_false(0.1), &c.points[2]);
  EXPECT_EQ(c.at_false(100), &c.points[4]);
  EXPECT_EQ(curve_of({abroad("a", 0)}, {miss(1)}).at_false(0.01), nullptr);
}

TEST(Measures, ComparesAtEqualRecall) {
  const std::vector<TruthItem> items = {abroad("a", 0), abroad("b", 0), abroad("c", 0), abroad("d", 0)};
  const Curve own = curve_of(items, {hit(9, {0}), hit(8, {1}), miss(7), hit(6, {2}), miss(5), hit(4, {3})});
  std::vector<Judgement> noisy = {hit(9, {0})};
  for (int i = 0; i < 6; ++i) noisy.push_back(miss(8));
  noisy.push_back(hit(7, {1, 2}));
  const Curve reference = curve_of(items, noisy);
  Comparison c = equal_recall(own, reference, 0.75);
  EXPECT_TRUE(c.reaches);
  EXPECT_EQ(c.recall, 0.75);
  EXPECT_NEAR(*c.factor, 6, 1e-9);
  EXPECT_FALSE(c.at_least);
  EXPECT_NEAR(c.own_a_day, 1.0 / 13, 1e-9);
  EXPECT_NEAR(c.reference_a_day, 6.0 / 13, 1e-9);
  c = equal_recall(own, reference, 1);
  EXPECT_FALSE(c.reaches);
  EXPECT_EQ(c.recall, 0.75) << "the most that it finds";
  c = equal_recall(own, reference, 0.5);
  EXPECT_TRUE(c.at_least) << "no false alert of its own";
  EXPECT_NEAR(*c.factor, 6, 1e-9);
  EXPECT_FALSE(equal_recall(own, reference, 0.25).factor) << "neither has one";
  EXPECT_FALSE(equal_recall(own, curve_of(items, {miss(1)}), 0.75).factor) << "it finds nothing";
  EXPECT_FALSE(equal_recall(own, curve_of(items, {}), 0.75).factor);
}

TEST(Measures, QuantilesAreNearestRanks) {
  std::vector<std::optional<Nanoseconds>> values = {5, 1, 4, 2, 3};
  EXPECT_EQ(quantile(values, 0.5), 3);
  EXPECT_EQ(quantile(values, 0.9), 5);
  values.emplace_back(std::nullopt);
  EXPECT_EQ(quantile(values, 0.5), 3);
  EXPECT_EQ(quantile(values, 0.9), std::nullopt) << "never is later than any time";
  EXPECT_EQ(quantile({}, 0.5), std::nullopt);
}

TEST(Measures, TimeRunsFromTheFirstLogInOfAnIntrusion) {
  std::vector<TruthItem> items = {abroad("a", 0), abroad("a", kDay), abroad("b", 0), abroad("c", 0), abroad("d", 0)};
  items.push_back(item("credential-success-after-spray", "s", 0, "abroad", "new"));
  items.push_back(item("credential-success-after-spray", "s", kHour, "abroad", "new"));
  WorldResult w = world(items, {hit(1, {1}), hit(1, {3})});
  w.watched.alerted[1] = kStart + kDay + 2 * kMinute;  // the second log-in gave a away
  w.watched.alerted[2] = kStart + 3 * kMinute;
  w.watched.alerted[5] = kStart + 5 * kMinute;
  const Measures m = measure({w}, 5);
  EXPECT_EQ(m.intrusions.all, 6U) << "what a spray opened are two";
  EXPECT_EQ(m.intrusions.both, 1U);
  EXPECT_EQ(m.intrusions.only_live, 2U);
  EXPECT_EQ(m.intrusions.only_hunt, 1U);
  EXPECT_EQ(m.intrusions.median, 5 * kMinute);
  EXPECT_EQ(m.intrusions.ninety, kDay + 2 * kMinute);
  EXPECT_EQ(m.intrusions.median_of_all, kDay + 2 * kMinute);
  EXPECT_EQ(m.intrusions.ninety_of_all, std::nullopt);
  EXPECT_EQ(m.intrusions_by_tier.at(Tier::kOtherCountry).all, 4U);
  EXPECT_EQ(m.intrusions_by_tier.at(Tier::kAfterSpray).median, 5 * kMinute);
}

TEST(Measures, ReliabilityAtThePriorsRate) {
  WorldResult w = world({abroad("a", 0)}, {});
  w.watched.logins = 1010;
  w.watched.covert_logins = 10;
  const double prior = std::exp(score::prior_log_odds(FindingKind::kLogin));
  // Log-odds that are right in the worlds, moved to the prior: 8 of 40 are covert at odds of 1 to 4 in the world.
  const double weight = prior / 0.01;
  const double right = std::log(0.25 * weight);
  for (int i = 0; i < 40; ++i) w.findings.push_back(i < 8 ? hit(right, {0}) : miss(right));
  w.findings.push_back(miss(right, 3));                          // learning
  w.findings.push_back(miss(right, 9, AlertClass::kAftermath));  // neither
  w.findings.push_back(hit(right, {0}, FindingKind::kSpray));
  Reliability r = reliability({w});
  EXPECT_NEAR(r.weight, weight, 1e-12);
  EXPECT_NEAR(r.prior, prior / (1 + prior), 1e-12);
  ASSERT_EQ(r.bins.size(), 1U);
  EXPECT_EQ(r.bins[0].covert, 8U);
  EXPECT_EQ(r.bins[0].ordinary, 32U);
  EXPECT_LE(r.bins[0].from, right);
  EXPECT_GT(r.bins[0].to, right);
  EXPECT_NEAR(r.bins[0].observed, r.bins[0].predicted, 1e-12);
  EXPECT_NEAR(r.error, 0, 1e-12);
  const Interval raw = wilson(8, 40);
  EXPECT_NEAR(r.bins[0].interval.low, weight * raw.low / (weight * raw.low + 1 - raw.low), 1e-12);
  EXPECT_LT(r.bins[0].interval.low, r.bins[0].observed);
  EXPECT_GT(r.bins[0].interval.high, r.bins[0].observed);
  // What other accounts lend is not counted: it knows that there are many.
  WorldResult lifted = w;
  for (Judgement& j : lifted.findings) {
    j.strength += 0.7;
    j.lent = 0.7;
  }
  const Reliability same = reliability({lifted});
  ASSERT_EQ(same.bins.size(), 1U);
  EXPECT_EQ(same.bins[0].from, r.bins[0].from);
  EXPECT_NEAR(same.error, 0, 1e-12);
  // Twelve sure findings that are wrong: the error is their share of the weight, nearly.
  for (int i = 0; i < 12; ++i) w.findings.push_back(miss(20));
  r = reliability({w});
  ASSERT_EQ(r.bins.size(), 2U);
  EXPECT_EQ(r.bins[1].observed, 0);
  EXPECT_TRUE(std::isinf(r.bins[1].to));
  EXPECT_NEAR(r.error, 12 / (12 + 32 + 8 * weight), 1e-6);
}

TEST(Measures, ReliabilityWithoutIntrusions) {
  WorldResult w = world({}, {miss(1)});
  w.watched.logins = 10;
  const Reliability r = reliability({w});
  EXPECT_EQ(r.weight, 1);
  ASSERT_EQ(r.bins.size(), 1U);
  EXPECT_EQ(r.bins[0].observed, 0);
  EXPECT_EQ(reliability({}).error, 0);
}

TEST(Measures, BarsHoldOrNot) {
  WorldResult w = world({abroad("a", 0)}, {hit(1, {0}), miss(0.5)});
  // A reference with 4 false alerts at the same recall.
  w.references[3] = {hit(2, {0}), miss(3), miss(3), miss(3), miss(3)};
  const auto held = [](const Measures& m) {
    std::map<std::string, bool> all;
    for (const Bar& b : m.bars) all[b.name] = b.holds();
    return all;
  };
  Measures m = measure({w}, 5);
  EXPECT_EQ(m.bars.size(), 9U);
  EXPECT_TRUE(held(m).at("other-country"));
  EXPECT_FALSE(held(m).at("new-provider")) << "nothing to measure is not proven";
  EXPECT_TRUE(held(m).at("false-before"));
  EXPECT_TRUE(held(m).at("references"));
  EXPECT_NEAR(*m.bars.back().measured, 4, 1e-9);
  w.references[2] = {hit(2, {0}), miss(2), miss(2)};  // the best one counts
  for (int i = 0; i < 16; ++i) w.findings.push_back(miss(0, 8));
  for (int i = 0; i < 25; ++i) w.findings.push_back(miss(0, 12));
  w.lines_of_budgets[1] = 2;
  m = measure({w}, 5);
  EXPECT_FALSE(held(m).at("other-country"));
  EXPECT_TRUE(held(m).at("false-during"));
  w.lines_of_budgets[1] = 0;
  m = measure({w}, 5);
  EXPECT_FALSE(held(m).at("false-before")) << "17 on 3 days";
  EXPECT_TRUE(held(m).at("false-during")) << "25 on 5 days";
  EXPECT_FALSE(held(m).at("references"));
  EXPECT_NEAR(*m.bars.back().measured, 2, 1e-9);
}

}  // namespace
}  // namespace orbwatch::evaluate

#include "score/combine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "score/repeated.h"

namespace orbwatch::score {
namespace {

using detect::Evidence;
using detect::FindingKind;
using detect::Group;
using detect::kGroups;

constexpr FindingKind kKinds[] = {FindingKind::kLogin,    FindingKind::kSpray, FindingKind::kRecon, FindingKind::kRelay,
                                  FindingKind::kExposure, FindingKind::kIntel, FindingKind::kDevice};

Evidence piece(Group group, double llr) {
  Evidence e;
  e.kind = e.detector = "test";
  e.group = group;
  e.llr = llr;
  return e;
}
double login(std::vector<Evidence> evidence) { return combine(FindingKind::kLogin, evidence); }

TEST(Combine, WithoutEvidenceThePriorStands) {
  for (const FindingKind kind : kKinds) {
    EXPECT_EQ(combine(kind, {}), prior_log_odds(kind));
    EXPECT_LT(probability(prior_log_odds(kind)), 0.01) << "nothing is likely before there is evidence";
  }
  EXPECT_NEAR(probability(prior_log_odds(FindingKind::kLogin)), 1.0 / 20'001, 1e-9);
}

TEST(Combine, EvidenceForOtherKindsIsPassedOver) {
  Evidence other = piece(Group::kPlace, 3);
  other.finding = FindingKind::kSpray;
  EXPECT_DOUBLE_EQ(login({piece(Group::kPlace, 2), other}), login({piece(Group::kPlace, 2)}));
  EXPECT_DOUBLE_EQ(combine(FindingKind::kSpray, std::vector<Evidence>{piece(Group::kPlace, 2), other}),
                   prior_log_odds(FindingKind::kSpray) + 3);
}

TEST(Combine, GroupsAddUpAndTheirOwnAreDiscounted) {
  const double prior = prior_log_odds(FindingKind::kLogin);
  EXPECT_DOUBLE_EQ(login({piece(Group::kPlace, 3), piece(Group::kClient, 2)}), prior + 5);
  EXPECT_DOUBLE_EQ(login({piece(Group::kPlace, 3), piece(Group::kPlace, 2)}), prior + 3 + kDiscount * 2);
  EXPECT_DOUBLE_EQ(login({piece(Group::kPlace, 2), piece(Group::kPlace, 3), piece(Group::kPlace, 1)}),
                   prior + 3 + kDiscount * 3);
}

TEST(Combine, WhatSpeaksForTheOrdinaryCountsInFull) {
  const double prior = prior_log_odds(FindingKind::kLogin);
  EXPECT_DOUBLE_EQ(login({piece(Group::kPlace, -3), piece(Group::kPlace, -2)}), prior - 5);
  EXPECT_DOUBLE_EQ(login({piece(Group::kPlace, 4), piece(Group::kPlace, -1)}), prior + 3);
}

TEST(Combine, EveryRatioIsBounded) {
  const double prior = prior_log_odds(FindingKind::kLogin);
  EXPECT_DOUBLE_EQ(login({piece(Group::kPlace, 1e9)}), prior + kMostRatio);
  EXPECT_DOUBLE_EQ(login({piece(Group::kPlace, -1e9)}), prior + kLeastRatio);
  EXPECT_DOUBLE_EQ(login({piece(Group::kPlace, INFINITY), piece(Group::kClient, -INFINITY)}),
                   prior + kMostRatio + kLeastRatio);
}

// Whatever the rest is: the order says nothing, more evidence for a covert network never lowers the score, and a piece
// that is stronger never gives less.
TEST(Combine, IsMonotoneAndIndependentOfOrder) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> ratio(-8, 16);
  std::uniform_int_distribution<unsigned> group(0, kGroups - 1);
  std::uniform_int_distribution<int> count(0, 6);
  for (int round = 0; round < 5000; ++round) {
    std::vector<Evidence> all;
    for (int i = count(random); i > 0; --i) all.push_back(piece(static_cast<Group>(group(random)), ratio(random)));
    const double before = login(all);
    std::vector<Evidence> shuffled = all;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    EXPECT_NEAR(login(shuffled), before, 1e-9);
    std::vector<Evidence> more = all;
    more.push_back(piece(static_cast<Group>(group(random)), std::abs(ratio(random))));
    EXPECT_GE(login(more), before - 1e-9);
    if (all.empty()) continue;
    std::vector<Evidence> stronger = all;
    stronger[static_cast<std::size_t>(round) % all.size()].llr += 1;
    EXPECT_GE(login(stronger), before - 1e-9);
  }
}

TEST(Combine, ProbabilityIsTheLogisticFunction) {
  EXPECT_DOUBLE_EQ(probability(0), 0.5);
  EXPECT_NEAR(probability(std::log(9)), 0.9, 1e-12);
  EXPECT_NEAR(probability(3) + probability(-3), 1, 1e-12);
  EXPECT_EQ(probability(1e9), 1);
  EXPECT_EQ(probability(-1e9), 0);
}

TEST(Severity, NeverFallsWithTheProbability) {
  for (const FindingKind kind : kKinds) {
    Severity before = Severity::kInformational;
    for (int p = 0; p <= 1000; ++p) {
      const Severity now = severity_of(kind, p / 1000.0);
      EXPECT_GE(now, before);
      before = now;
    }
    EXPECT_GE(before, Severity::kHigh);
  }
}

TEST(Advice, IsGivenForEveryKind) {
  std::set<std::string> all;
  for (const FindingKind kind : kKinds) {
    Finding f;
    f.kind = kind;
    const std::string advice = advice_for(f);
    EXPECT_TRUE(advice.ends_with('.')) << advice;
    EXPECT_TRUE(all.insert(advice).second) << "the same words for two kinds";
  }
  Finding f;
  f.user = "alice";
  EXPECT_TRUE(advice_for(f).starts_with("Ask alice whether"));
}

TEST(Repeated, ObservationsOfOnePersonWeighLessThanOfMany) {
  Repeated r;
  EXPECT_EQ(r.llr(), 0);
  EXPECT_TRUE(r.add(2));
  EXPECT_EQ(r.llr(), 2) << "one alone counts in full";
  EXPECT_FALSE(r.add(2)) << "no stronger than the one before";
  EXPECT_NEAR(r.llr(), 4 / 1.5, 1e-9);
  for (int i = 0; i < 1000; ++i) r.add(2);
  EXPECT_LT(r.llr(), 2 / Repeated::kAlike);
  EXPECT_GT(r.llr(), 2 / Repeated::kAlike - 0.1);
  Repeated both;
  both.add(-0.7);
  EXPECT_TRUE(both.add(3));
  EXPECT_NEAR(both.llr(), 2.3 / 1.5, 1e-9) << "what was ordinary counts as well";
  EXPECT_EQ(both.best, 3);
}

}  // namespace
}  // namespace orbwatch::score

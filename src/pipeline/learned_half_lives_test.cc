#include "pipeline/learned_half_lives.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/archive.h"
#include "track/network_evidence.h"

namespace orbwatch::pipeline {
namespace {

using core::NetworkType;
using intel::decay::Kind;

// `deaths` nodes of a kind that died after so many days, on the whole exponential.
track::NodeLives lives(NetworkType type, std::size_t deaths, double half_life) {
  track::NodeLives out;
  for (std::size_t i = 0; i < deaths; ++i) {
    const double q = (static_cast<double>(i) + 0.5) / static_cast<double>(deaths);
    const double age = -std::log2(1 - q) * half_life;
    out.by_type[static_cast<std::size_t>(type)].push_back({2, 2 + age, 2 + age});
  }
  return out;
}

const score::NodeHalfLife& of(const std::vector<score::NodeHalfLife>& all, NetworkType type) {
  return *std::ranges::find(all, type, &score::NodeHalfLife::type);
}

TEST(LearnedHalfLives, ThePriorUntilEnoughHaveDied) {
  const auto few = half_lives_of(lives(NetworkType::kConsumer, kFewestDeaths - 1, 6));
  EXPECT_EQ(few.size(), static_cast<std::size_t>(core::kNetworkTypes) - 1);
  EXPECT_FALSE(of(few, NetworkType::kConsumer).learned_days);
  EXPECT_DOUBLE_EQ(of(few, NetworkType::kConsumer).days, of(few, NetworkType::kConsumer).prior_days);
  EXPECT_EQ(of(few, NetworkType::kConsumer).deaths, kFewestDeaths - 1);

  const auto many = half_lives_of(lives(NetworkType::kConsumer, 200, 6));
  const score::NodeHalfLife& home = of(many, NetworkType::kConsumer);
  ASSERT_TRUE(home.learned_days);
  EXPECT_NEAR(home.days, 6, 0.5);
  EXPECT_LT(home.learned_days->low, 6);
  EXPECT_GT(home.learned_days->high, 6);
  EXPECT_FALSE(home.cut);
  EXPECT_NEAR(home.falls_below_days, home.days * std::log2(0.5 / 0.3), 1e-9);
  EXPECT_DOUBLE_EQ(home.threshold, 0.3);
  EXPECT_FALSE(of(many, NetworkType::kHosting).learned_days) << "of one kind nothing is said of another";
}

TEST(LearnedHalfLives, NobodyCanTeachWhatIsNotBelieved) {
  for (const double taught : {0.01, 2000.0}) {
    for (const NetworkType type : {NetworkType::kConsumer, NetworkType::kMobile, NetworkType::kHosting}) {
      const score::NodeHalfLife h = of(half_lives_of(lives(type, 5000, taught)), type);
      ASSERT_TRUE(h.learned_days);
      EXPECT_TRUE(h.cut);
      EXPECT_GE(h.days, kLeastDays);
      EXPECT_GE(h.days * kMostFactor, h.prior_days - 1e-9);
      EXPECT_LE(h.days, h.prior_days * kMostFactor + 1e-9);
      EXPECT_LE(h.learned_days->low, h.days);
      EXPECT_GE(h.learned_days->high, h.days);
    }
  }
}

TEST(LearnedHalfLives, AreLookedUpBehindTheFeedsOwn) {
  LearnedHalfLives learned;
  learned.learn(lives(NetworkType::kConsumer, 200, 6));
  const auto table = learned.table();
  EXPECT_NEAR(table.of("any", Kind::kAddress, NetworkType::kConsumer).days, 6, 0.5);
  for (const Kind kind : {Kind::kPrefix, Kind::kDomain, Kind::kFingerprint})
    EXPECT_FALSE(table.find("any", kind, NetworkType::kConsumer)) << "of addresses alone";
  EXPECT_FALSE(table.find("any", Kind::kAddress, NetworkType::kHosting));
  learned.learn({});
  EXPECT_EQ(learned.table().size(), 0U) << "what is gone is forgotten";
}

TEST(LearnedHalfLives, ATrackerGoesByThePriors) { EXPECT_EQ(prior_half_lives(), track::usual_half_lives()); }

}  // namespace
}  // namespace orbwatch::pipeline

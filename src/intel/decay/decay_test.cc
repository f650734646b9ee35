#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "intel/decay/confidence.h"
#include "intel/decay/evidence_weight.h"
#include "intel/decay/half_life.h"

namespace orbwatch::intel::decay {
namespace {

using core::kDay;
using core::NetworkType;

constexpr core::Nanoseconds kSeen = 20'000 * kDay;

History seen(double base) {
  History out;
  out.base = base;
  out.first_seen = kSeen - 10 * kDay;
  out.last_seen = kSeen;
  return out;
}

TEST(Decay, HalfLifeHalves) {
  Parameters p;
  p.half_life_days = 12;
  EXPECT_DOUBLE_EQ(confidence_at(seen(0.8), p, kSeen).value, 0.8);
  EXPECT_DOUBLE_EQ(confidence_at(seen(0.8), p, kSeen + 12 * kDay).value, 0.4);
  EXPECT_DOUBLE_EQ(confidence_at(seen(0.8), p, kSeen + 36 * kDay).value, 0.1);
  EXPECT_DOUBLE_EQ(age_of(0.8, 0.1, p), 36);
}

// MISP's model for network indicators: lifetime 120 days, speed 2, threshold 30 of 100, base score 80. Its polynomial
// gives 80 * (1 - sqrt(t / 120)): 40 after 30 days, 30 at 46.875 days.
TEST(Decay, PolynomialIsThatOfMisp) {
  Parameters p;
  p.model = Model::kPolynomial;
  EXPECT_DOUBLE_EQ(decayed(80, 0, p), 80);
  EXPECT_DOUBLE_EQ(decayed(80, 30, p), 40);
  EXPECT_DOUBLE_EQ(decayed(80, 120, p), 0);
  EXPECT_DOUBLE_EQ(decayed(80, 500, p), 0);
  EXPECT_DOUBLE_EQ(age_of(0.8, 0.3, p), 46.875);
  EXPECT_EQ(confidence_at(seen(0.8), p, kSeen + 46 * kDay).standing, Standing::kActive);
  EXPECT_EQ(confidence_at(seen(0.8), p, kSeen + 47 * kDay).standing, Standing::kExpired);
  p.speed = 1;
  EXPECT_DOUBLE_EQ(decayed(1, 30, p), 0.75);
}

TEST(Decay, FallsWithAgeAndStaysInRangeUnderBothModels) {
  for (const Model model : {Model::kHalfLife, Model::kPolynomial}) {
    for (const double speed : {0.3, 1.0, 4.0}) {
      Parameters p;
      p.model = model;
      p.speed = speed;
      double last = 1;
      for (int day = 0; day < 400; ++day) {
        const double c = confidence_at(seen(0.9), p, kSeen + day * kDay).value;
        EXPECT_LE(c, last);
        EXPECT_GE(c, 0);
        last = c;
      }
    }
  }
}

TEST(Decay, SightingsAndTrueHitsBeginTheAgeAnew) {
  const Parameters p;
  const core::Nanoseconds later = kSeen + 62 * kDay;
  History again = seen(0.8);
  EXPECT_DOUBLE_EQ(confidence_at(again, p, later).value, 0.2);
  again.last_sighting = later;
  EXPECT_DOUBLE_EQ(confidence_at(again, p, later).value, 0.8);
  History hit = seen(0.8);
  hit.last_true_hit = later;
  hit.true_hits = 1;
  EXPECT_DOUBLE_EQ(confidence_at(hit, p, later).value, (0.8 * 4 + 1) / 5);
}

TEST(Decay, VerdictsMoveTheBase) {
  const Parameters p;
  History history = seen(0.8);
  double last = 0.8;
  for (const double expected : {0.64, 3.2 / 6}) {
    ++history.false_hits;
    const double c = confidence_at(history, p, kSeen).value;
    EXPECT_NEAR(c, expected, 1e-12);
    EXPECT_LT(c, last);
    last = c;
  }
  ++history.true_hits;
  EXPECT_GT(confidence_at(history, p, kSeen).value, last);
}

TEST(Decay, RevokedAndPastValidityIsWorthNothing) {
  const Parameters p;
  History history = seen(1);
  history.valid_until = kSeen + kDay;
  EXPECT_EQ(confidence_at(history, p, kSeen).standing, Standing::kActive);
  const Confidence past = confidence_at(history, p, kSeen + kDay);
  EXPECT_EQ(past.standing, Standing::kPastValidity);
  EXPECT_EQ(past.value, 0);
  history.revoked = true;
  EXPECT_EQ(confidence_at(history, p, kSeen).standing, Standing::kRevoked);
  EXPECT_EQ(confidence_at(history, p, kSeen).value, 0);
}

TEST(Decay, BeforeTheFirstSightingItCountsBackwards) {
  const Parameters p;
  EXPECT_DOUBLE_EQ(confidence_at(seen(1), p, kSeen - 5 * kDay).value, 1);
  EXPECT_DOUBLE_EQ(confidence_at(seen(1), p, kSeen - 41 * kDay).value, 0.5);
}

TEST(Decay, WithoutDatesTheAgeIsAssumed) {
  History history;
  history.base = 1;
  const Confidence c = confidence_at(history, {}, kSeen);
  EXPECT_FALSE(c.dated);
  EXPECT_DOUBLE_EQ(c.value, 0.5);
  history.valid_from = kSeen;
  EXPECT_TRUE(confidence_at(history, {}, kSeen).dated);
  EXPECT_DOUBLE_EQ(confidence_at(history, {}, kSeen).value, 1);
}

TEST(Decay, HostileValuesStayInRange) {
  for (const double base :
       {-1.0, 7.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    History history = seen(base);
    history.last_seen = std::numeric_limits<core::Nanoseconds>::max();
    history.first_seen = std::numeric_limits<core::Nanoseconds>::min();
    for (const core::Nanoseconds moment : {std::numeric_limits<core::Nanoseconds>::min(), kSeen}) {
      const Confidence c = confidence_at(history, {}, moment);
      EXPECT_GE(c.value, 0);
      EXPECT_LE(c.value, 1);
    }
  }
}

TEST(Decay, ParametersAreChecked) {
  EXPECT_TRUE(check({}));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (double Parameters::* field : {&Parameters::half_life_days, &Parameters::lifetime_days, &Parameters::speed}) {
    for (const double value : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()}) {
      Parameters p;
      p.*field = value;
      EXPECT_FALSE(check(p));
    }
  }
  Parameters p;
  p.threshold = 30;  // MISP's scale
  ASSERT_FALSE(check(p));
  EXPECT_EQ(check(p).error().hint, "0 to 1");
  Model model = Model::kHalfLife;
  EXPECT_TRUE(parse_model("polynomial", model));
  EXPECT_EQ(model, Model::kPolynomial);
  EXPECT_FALSE(parse_model("linear", model));
}

TEST(HalfLives, HomesAgeInDaysServersInWeeks) {
  const double home = prior_half_life(Kind::kAddress, NetworkType::kConsumer).days;
  const double server = prior_half_life(Kind::kAddress, NetworkType::kHosting).days;
  EXPECT_NEAR(home, 11.8, 0.05);    // of a mean of 17
  EXPECT_NEAR(server, 53.4, 0.05);  // of a mean of 77
  EXPECT_LT(prior_half_life(Kind::kAddress, NetworkType::kMobile).days, home);
  EXPECT_GT(prior_half_life(Kind::kCertificate, NetworkType::kConsumer).days, server);
  for (int type = 0; type < core::kNetworkTypes; ++type) {
    EXPECT_FALSE(prior_half_life(Kind::kAddress, static_cast<NetworkType>(type)).source.empty());
  }
}

TEST(HalfLives, TheMostSpecificOneIsTaken) {
  HalfLives lives;
  EXPECT_TRUE(lives.set("", Kind::kAddress, NetworkType::kConsumer, {20, 1, {}}));
  EXPECT_TRUE(lives.set("feed", Kind::kAddress, NetworkType::kUnknown, {9, 1, {}}));
  EXPECT_TRUE(lives.set("feed", Kind::kAddress, NetworkType::kConsumer, {5, 1, {}}));
  EXPECT_EQ(lives.of("feed", Kind::kAddress, NetworkType::kConsumer).days, 5);
  EXPECT_EQ(lives.of("feed", Kind::kAddress, NetworkType::kHosting).days, 9);
  EXPECT_EQ(lives.of("other", Kind::kAddress, NetworkType::kConsumer).days, 20);
  EXPECT_NEAR(lives.of("other", Kind::kAddress, NetworkType::kHosting).days, 53.4, 0.05);
  EXPECT_TRUE(lives.set("", Kind::kAddress, NetworkType::kUnknown, {44, 1, {}}));
  EXPECT_EQ(lives.of("other", Kind::kAddress, NetworkType::kHosting).days, 44);
  EXPECT_EQ(lives.of("other", Kind::kAddress, NetworkType::kConsumer).days, 20);
  EXPECT_FALSE(lives.set("feed", Kind::kAddress, NetworkType::kConsumer, {0, 1, {}}));
  EXPECT_FALSE(lives.set("feed", Kind::kAddress, NetworkType::kConsumer, {5, -1, {}}));
  EXPECT_EQ(lives.of("feed", Kind::kAddress, NetworkType::kConsumer).days, 5);
}

TEST(HalfLives, AreBounded) {
  HalfLives lives;
  for (std::size_t i = 0; i < HalfLives::kMost; ++i) {
    ASSERT_TRUE(lives.set(std::to_string(i), Kind::kUrl, NetworkType::kUnknown, {}));
  }
  EXPECT_FALSE(lives.set("one more", Kind::kUrl, NetworkType::kUnknown, {}));
  EXPECT_TRUE(lives.set("7", Kind::kUrl, NetworkType::kUnknown, {8, 1, {}}));
  EXPECT_EQ(lives.of("7", Kind::kUrl, NetworkType::kHosting).days, 8);
}

TEST(EvidenceWeight, IsBoundedAndMonotone) {
  EXPECT_EQ(hit_llr(0), 0);
  EXPECT_NEAR(hit_llr(1, 5), 5, 1e-12);
  EXPECT_NEAR(hit_llr(1, 99), kMostStrength, 1e-12);
  EXPECT_EQ(hit_llr(std::numeric_limits<double>::quiet_NaN()), 0);
  EXPECT_EQ(hit_llr(1, -3), 0);
  double last = -1;
  for (double c = 0; c <= 1.0001; c += 0.05) {
    const double llr = hit_llr(c);
    EXPECT_GT(llr, last);
    EXPECT_LT(hit_llr(c, kAssumedStrength, 100), llr + 1e-12);
    last = llr;
  }
  // By hand: ln(1 + 0.1 * (e^6 - 1)).
  EXPECT_NEAR(hit_llr(0.1), 3.7195, 1e-4);
}

TEST(EvidenceWeight, AFeedIsMeasured) {
  EXPECT_NEAR(feed_strength({}), kAssumedStrength, 1e-9);
  // Names half of what is covert and one in ten thousand of what is not: ln(5000) = 8.5, cut.
  EXPECT_NEAR(feed_strength({1000, 500, 10'000'000, 1000}), kMostStrength, 1e-9);
  EXPECT_NEAR(feed_strength({1000, 100, 1'000'000, 10'000}), std::log(10), 0.02);
  EXPECT_EQ(feed_strength({1000, 1, 1'000'000, 100'000}), 0);
  EXPECT_LT(feed_strength({0, 0, 1000, 10}), kAssumedStrength);
  EXPECT_GE(feed_strength({1, 9, 1, 9}), 0);  // more hits than log-ins: cut
}

}  // namespace
}  // namespace orbwatch::intel::decay

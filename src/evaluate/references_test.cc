#include "evaluate/references.h"

#include <gtest/gtest.h>

#include <cmath>

#include "baseline/client.h"

namespace orbwatch::evaluate {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;
using core::Nanoseconds;

constexpr Nanoseconds kStart = Nanoseconds{1'790'000'000} * kSecond;

ReferenceLogin login(Nanoseconds after, const char* user, const char* ip = "203.0.113.7") {
  ReferenceLogin l;
  l.time = kStart + after;
  l.user = core::intern(user);
  l.ip = *core::Ip::parse(ip);
  l.asn = 64500;
  l.country = core::pack_country("DE");
  return l;
}
ReferenceLogin at(ReferenceLogin l, double latitude, double longitude) {
  l.located = true;
  l.latitude = latitude;
  l.longitude = longitude;
  return l;
}
ReferenceLogin from(ReferenceLogin l, const char* country, std::uint32_t asn) {
  l.country = core::pack_country(country);
  l.asn = asn;
  return l;
}

TEST(ImpossibleTravel, IsFasterThanAJetAndFarEnough) {
  ImpossibleTravel rule;
  // Berlin to New York: some 6,390 km.
  EXPECT_FALSE(rule.take(at(login(0, "a"), 52.5, 13.4)));
  const auto fast = rule.take(at(login(2 * kHour, "a"), 40.7, -74.0));
  ASSERT_TRUE(fast);
  EXPECT_NEAR(*fast, 3195, 20);
  EXPECT_FALSE(rule.take(at(login(10 * kHour, "a"), 52.5, 13.4))) << "8 hours are a flight";
  EXPECT_FALSE(rule.take(at(login(10 * kHour + kSecond, "a"), 52.4, 13.1))) << "24 km: the database's error";
  EXPECT_FALSE(rule.take(at(login(10 * kHour + kMinute, "b"), 40.7, -74.0))) << "another user";
  const auto at_once = rule.take(at(login(10 * kHour + kSecond, "a"), 40.7, -74.0));
  ASSERT_TRUE(at_once);
  EXPECT_TRUE(std::isfinite(*at_once)) << "no time between them";
}

TEST(ImpossibleTravel, ComparesWithTheLastPlaceThatIsKnown) {
  ImpossibleTravel rule;
  rule.take(at(login(0, "a"), 52.5, 13.4));
  EXPECT_FALSE(rule.take(login(kHour, "a"))) << "nobody knows where";
  EXPECT_TRUE(rule.take(at(login(2 * kHour, "a"), 40.7, -74.0)));
  EXPECT_FALSE(rule.take(at(login(3 * kHour, "a"), 40.7, -74.0)));
}

TEST(FirstSeen, AlertsOnceAfterTheDaysOfLearning) {
  FirstCountry rule;
  EXPECT_FALSE(rule.take(from(login(0, "a"), "DE", 1)));
  EXPECT_FALSE(rule.take(from(login(6 * kDay, "a"), "FR", 1))) << "still learning";
  EXPECT_EQ(rule.take(from(login(7 * kDay, "a"), "US", 1)), 1.0);
  EXPECT_FALSE(rule.take(from(login(8 * kDay, "a"), "US", 1))) << "known by now";
  EXPECT_FALSE(rule.take(from(login(8 * kDay, "a"), "FR", 1))) << "learned";
  EXPECT_FALSE(rule.take(from(login(8 * kDay, "a"), "DE", 2))) << "the AS is not asked about";
  EXPECT_FALSE(rule.take(from(login(9 * kDay, "a"), "", 1))) << "unknown";
  EXPECT_FALSE(rule.take(from(login(9 * kDay, "b"), "US", 1))) << "a user's own days of learning";
  EXPECT_TRUE(rule.take(from(login(16 * kDay, "b"), "DE", 1))) << "known of another user only";
}

TEST(FirstSeen, LooksAtTheSystem) {
  FirstSystem rule;
  rule.take(from(login(0, "a"), "DE", 1));
  EXPECT_FALSE(rule.take(from(login(8 * kDay, "a"), "US", 1)));
  EXPECT_TRUE(rule.take(from(login(8 * kDay, "a"), "DE", 2)));
  EXPECT_FALSE(rule.take(from(login(8 * kDay, "a"), "DE", 0)));
}

// The formula of the header, by hand.
TEST(Freeman, IsTheLikelihoodRatioWithBackOff) {
  Freeman model;
  const auto& w = Freeman::kAddressWeights;
  const double root = 1 - w[0] - w[1] - w[2] - w[3];
  EXPECT_FALSE(model.take(login(0, "a"))) << "the first log-in is not scored";
  // Of one log-in in all everything is a's: each level's quotient is 1.
  EXPECT_NEAR(*model.take(login(kHour, "a")), 0, 1e-9);
  EXPECT_FALSE(model.take(from(login(2 * kHour, "b", "198.51.100.1"), "FR", 64501)));
  // 3 log-ins, a has 2: known address. p(x | a) = 1, p(x) = 2/3.
  EXPECT_NEAR(*model.take(login(3 * kHour, "a")), -std::log(root + 1.5 * (1 - root)), 1e-9);
  // 4 log-ins, a has 3, all from one place: another prefix of his AS backs off to AS and country.
  EXPECT_NEAR(*model.take(login(4 * kHour, "a", "203.0.114.1")), -std::log(root + (w[2] + w[3]) * 4.0 / 3), 1e-9);
  // 5 log-ins, a has 4: b's network. Nothing of it is a's: only what is kept for the unseen is left.
  EXPECT_NEAR(*model.take(from(login(5 * kHour, "a", "198.51.100.1"), "FR", 64501)), -std::log(root), 1e-9);
}

TEST(Freeman, TheClientIsAFeatureWhereItIsLogged) {
  Freeman model;
  const auto& w = Freeman::kClientWeights;
  const auto with = [](ReferenceLogin l, std::uint64_t client, std::uint64_t model_of) {
    l.client = client;
    l.client_model = model_of;
    return l;
  };
  model.take(with(login(0, "a"), 1, 100));
  model.take(with(login(0, "b"), 2, 100));
  // A client that is not logged: neither for nor against. The address is everybody's.
  EXPECT_NEAR(*Freeman(model).take(login(kHour, "a")), 0, 1e-9);
  // Own version: 2 times as frequent at a as at all; the model is everybody's.
  EXPECT_NEAR(*Freeman(model).take(with(login(kHour, "a"), 1, 100)), -std::log(1 - w[0] - w[1] + 2 * w[0] + w[1]),
              1e-9);
  EXPECT_NEAR(*Freeman(model).take(with(login(kHour, "a"), 3, 100)), -std::log(1 - w[0] - w[1] + w[1]), 1e-9);
  EXPECT_NEAR(*Freeman(model).take(with(login(kHour, "a"), 3, 101)), -std::log(1 - w[0] - w[1]), 1e-9);
}

TEST(AlertList, JoinsWhatOrbwatchWouldJoin) {
  AlertList list;
  list.add(login(0, "a", "203.0.113.7"), 1);
  list.add(login(kDay, "a", "203.0.113.9"), 3);
  list.add(login(kDay, "a", "203.0.113.9"), 2);
  list.add(login(kDay, "a", "203.0.114.9"), 1);      // another prefix
  list.add(login(kDay, "b", "203.0.113.9"), 1);      // another user
  list.add(login(9 * kDay, "a", "203.0.113.7"), 1);  // more than a week behind
  const auto findings = list.take();
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].user, "a");
  EXPECT_EQ(findings[0].time, kStart);
  EXPECT_EQ(findings[0].end, kStart + kDay);
  EXPECT_EQ(findings[0].log_odds, 3);
  ASSERT_EQ(findings[0].sources.size(), 2U);
  EXPECT_EQ(findings[0].sources[1].ip.text(), "203.0.113.9");
  EXPECT_EQ(findings[1].sources[0].ip.text(), "203.0.114.9");
  EXPECT_EQ(findings[2].user, "b");
  EXPECT_EQ(findings[3].time, kStart + 9 * kDay);
  EXPECT_TRUE(list.take().empty());
}

class OneNetwork final : public core::NetworkView {
 public:
  const core::NetworkFacts& facts(std::uint32_t index) const override { return index == 1 ? facts_ : none_; }
  std::string_view text(std::uint32_t) const override { return {}; }
  double as_share(std::uint32_t) const override { return 0; }
  double as_share_in_country(std::uint32_t, std::uint16_t) const override { return 0; }
  double country_share(std::uint16_t) const override { return 0; }
  double type_share(core::NetworkType) const override { return 0; }
  double type_share_in_country(core::NetworkType, std::uint16_t) const override { return 0; }
  bool is_own(std::uint32_t index) const override { return index == 2; }
  bool is_allowed(std::uint32_t) const override { return false; }

 private:
  core::NetworkFacts none_;
  core::NetworkFacts facts_{.asn = 64500, .latitude = 52.5F, .longitude = 13.4F, .country = core::pack_country("DE")};
};

TEST(ReferenceLogin, IsWhatTheDetectorsSee) {
  const OneNetwork networks;
  event::Event e;
  e.time = kStart;
  e.user = core::intern("a");
  e.source_ip = *core::Ip::parse("5.1.1.7");
  e.source_facts = 1;
  auto seen = reference_login(e, networks);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->asn, 64500U);
  EXPECT_EQ(seen->country, core::pack_country("DE"));
  EXPECT_TRUE(seen->located);
  EXPECT_NEAR(seen->latitude, 52.5, 1e-6);
  EXPECT_EQ(seen->client, 0U);
  e.user_agent = core::intern("AnyConnect Windows 4.10.1");
  EXPECT_NE(reference_login(e, networks)->client, 0U);
  EXPECT_EQ(reference_login(e, networks)->client_model, baseline::model_key(baseline::client_of(e)));
  e.source_facts = 2;
  EXPECT_FALSE(reference_login(e, networks)) << "the organisation's own network";
  e.source_facts = 1;
  e.source_ip = *core::Ip::parse("10.0.0.1");
  EXPECT_FALSE(reference_login(e, networks));
  e.source_ip = *core::Ip::parse("5.1.1.7");
  e.user = {};
  EXPECT_FALSE(reference_login(e, networks));
}

}  // namespace
}  // namespace orbwatch::evaluate

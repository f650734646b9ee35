#include "baseline/baseline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "core/network_view_test_util.h"

namespace orbwatch::baseline {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;
using core::NetworkType;
using event::Activity;
using event::Class;
using event::Outcome;

constexpr Nanoseconds kMonday = 1'795'392'000 * kSecond;  // 2026-11-23T00:00:00Z
constexpr Nanoseconds kNoon = kMonday + 12 * kHour;

Ip ip(const char* text) { return *Ip::parse(text); }

struct World {
  core::test::FakeNetworks networks;
  std::uint32_t home = networks.add(64500, NetworkType::kConsumer, 52.5F, 13.4F, "DE");
  std::uint32_t town = networks.add(64501, NetworkType::kConsumer, 52.4F, 13.1F, "DE");  // 23 km off, another provider
  std::uint32_t munich = networks.add(64500, NetworkType::kConsumer, 48.1F, 11.6F, "DE");
  std::uint32_t hosting = networks.add(64502, NetworkType::kHosting, 48.1F, 11.6F, "DE");
  std::uint32_t abroad = networks.add(64503, NetworkType::kConsumer, 40.7F, -74.0F, "US");
  Limits limits;

  Event login(Nanoseconds time, const char* user, const Ip& source, std::uint32_t facts) const {
    Event e;
    e.time = time;
    e.event_class = Class::kSession;
    e.activity = Activity::kStart;
    e.outcome = Outcome::kSuccess;
    e.service = event::Service::kVpn;
    e.user = core::intern(user);
    e.source_ip = source;
    e.source_facts = facts;
    return e;
  }
  Event failure(Nanoseconds time, const char* user, const Ip& source, std::uint32_t facts) const {
    Event e = login(time, user, source, facts);
    e.event_class = Class::kAuthentication;
    e.activity = Activity::kLogon;
    e.outcome = Outcome::kFailure;
    return e;
  }
};

TEST(Hours, OfTheWeekBeginOnMonday) {
  EXPECT_EQ(hour_of_week(kMonday), 0U);
  EXPECT_EQ(hour_of_week(kMonday - 1), 167U);
  EXPECT_EQ(hour_of_week(kNoon), 12U);
  EXPECT_EQ(hour_of_week(0), 72U) << "1970-01-01 was a Thursday";
  EXPECT_LT(hour_of_week(INT64_MIN), 168U);
  EXPECT_LT(hour_of_week(INT64_MAX), 168U);
}

TEST(Hours, OfTheDayTellWeekends) {
  EXPECT_EQ(day_hour(kMonday + 9 * kHour), 9U);
  EXPECT_EQ(day_hour(kMonday + 4 * kDay + 23 * kHour), 23U) << "Friday night";
  EXPECT_EQ(day_hour(kMonday + 5 * kDay), 24U) << "Saturday";
  EXPECT_EQ(day_hour(kMonday + 7 * kDay - 1), 47U);
}

TEST(Familiarity, FallsFromTheSamePrefixToANewCountry) {
  const World w;
  Baseline b(w.networks);
  b.learn(w.login(kNoon, "alice", ip("5.44.100.7"), w.home));
  const UserProfile& alice = *b.user(core::intern("alice"));
  const auto level = [&](const char* address, std::uint32_t facts) {
    return familiarity(alice, ip(address), w.networks.facts(facts));
  };
  EXPECT_EQ(level("5.44.100.200", w.home), Familiarity::kSamePrefix);
  EXPECT_EQ(level("198.51.101.7", w.home), Familiarity::kSameSystemNear);
  EXPECT_EQ(level("198.51.101.7", w.munich), Familiarity::kSameSystemFar);
  EXPECT_EQ(level("5.45.113.7", w.town), Familiarity::kNewSystemNear);
  EXPECT_EQ(level("5.45.113.7", w.hosting), Familiarity::kNewSystemFar);
  EXPECT_EQ(level("5.45.113.7", w.abroad), Familiarity::kNewCountry);
  EXPECT_EQ(level("5.45.113.7", 0), Familiarity::kNewCountry) << "nothing known of the address";
}

TEST(Verdicts, DisownTakesBackOnlyWhatTheIntruderTaught) {
  const World w;
  Baseline b(w.networks);
  const Symbol alice = core::intern("alice");
  const Client laptop{core::intern("AnyConnect 4.10"), core::intern("Windows 11")};
  const Client box{core::intern("OpenConnect 9"), core::intern("Linux")};
  const auto login = [&](int day, const char* address, std::uint32_t facts, const Client& client) {
    Event e = w.login(kNoon + day * kDay, "alice", ip(address), facts);
    e.user_agent = client.software;
    e.client_os = client.system;
    return e;
  };
  for (int day = 0; day < 30; ++day) b.learn(login(day, "5.44.100.7", w.home, laptop));
  for (int day = 30; day < 40; ++day) {
    b.learn(login(day, "5.45.113.7", w.abroad, box));
    b.learn(login(day, "5.44.100.7", w.home, laptop));
  }
  const UserProfile& user = *b.user(alice);
  ASSERT_TRUE(user.prefixes.contains(prefix_key(ip("5.45.113.7"))));
  ASSERT_TRUE(user.systems.contains(64503));
  const std::array<Baseline::Origin, 1> origins = {Baseline::Origin{ip("5.45.113.7"), w.abroad}};
  b.disown(alice, origins, std::array<Client, 1>{box}, {});
  const auto& facts = w.networks.facts(w.abroad);
  EXPECT_EQ(familiarity(user, ip("5.45.113.7"), facts), Familiarity::kNewCountry);
  EXPECT_FALSE(user.systems.contains(64503));
  EXPECT_FALSE(user.clients.contains(box));
  EXPECT_TRUE(user.clients.contains(laptop));
  EXPECT_EQ(familiarity(user, ip("5.44.100.7"), w.networks.facts(w.home)), Familiarity::kSamePrefix);
  EXPECT_EQ(b.view(login(41, "5.45.113.7", w.abroad, box)).familiarity, Familiarity::kNewCountry);
}

TEST(Verdicts, ANeighbourIsDisownedWithoutTheUsersOwnLine) {
  const World w;
  Baseline b(w.networks);
  for (int day = 0; day < 30; ++day) {
    b.learn(w.login(kNoon + day * kDay, "alice", ip("5.44.100.7"), w.home));
    if (day > 5) b.learn(w.login(kNoon + day * kDay + kHour, "alice", ip("5.44.100.99"), w.home));
  }
  const std::array<Baseline::Origin, 1> origins = {Baseline::Origin{ip("5.44.100.99"), w.home}};
  b.disown(core::intern("alice"), origins, {}, {});
  const UserProfile& user = *b.user(core::intern("alice"));
  EXPECT_TRUE(user.prefixes.contains(prefix_key(ip("5.44.100.7"))));
  EXPECT_TRUE(user.addresses.contains(address_key(ip("5.44.100.7"))));
  EXPECT_FALSE(user.addresses.contains(address_key(ip("5.44.100.99"))));
  EXPECT_TRUE(user.systems.contains(64500));
}

TEST(Verdicts, WhatIsRefusedIsNeverLearnedAndWhatIsAcceptedAtOnce) {
  const World w;
  Baseline b(w.networks);
  const Symbol alice = core::intern("alice");
  for (int day = 0; day < 30; ++day) b.learn(w.login(kNoon + day * kDay, "alice", ip("5.44.100.7"), w.home));
  b.refuse(w.login(kNoon + 30 * kDay, "alice", ip("5.45.113.7"), w.abroad));
  b.learn(w.login(kNoon + 60 * kDay, "alice", ip("5.44.100.7"), w.home));
  EXPECT_EQ(b.quarantined(), 0U);
  EXPECT_FALSE(b.user(alice)->countries.contains(core::pack_country("US")));
  b.quarantine(w.login(kNoon + 61 * kDay, "alice", ip("5.45.113.7"), w.abroad));
  b.quarantine(w.login(kNoon + 61 * kDay, "bob", ip("5.45.113.7"), w.abroad));
  const std::array<Baseline::Origin, 1> origins = {Baseline::Origin{ip("5.45.113.7"), w.abroad}};
  b.accept(alice, origins, {});
  EXPECT_EQ(b.quarantined(), 1U) << "another user's stays";
  EXPECT_EQ(familiarity(*b.user(alice), ip("5.45.113.7"), w.networks.facts(w.abroad)), Familiarity::kSamePrefix);
  EXPECT_TRUE(b.user(alice)->systems.contains(64503));
}

TEST(Familiarity, WithoutAPlaceTheProviderDecides) {
  World w;
  core::NetworkFacts nowhere;
  nowhere.asn = 64500;
  const std::uint32_t facts = w.networks.add(nowhere);
  Baseline b(w.networks);
  b.learn(w.login(kNoon, "alice", ip("5.44.100.7"), w.home));
  EXPECT_EQ(familiarity(*b.user(core::intern("alice")), ip("5.45.113.7"), w.networks.facts(facts)),
            Familiarity::kSameSystemNear);
}

TEST(Baseline, KnowsNothingBeforeItLearns) {
  const World w;
  Baseline b(w.networks);
  const Event e = w.login(kNoon, "alice", ip("198.51.100.7"), w.home);
  const View v = b.view(e);
  EXPECT_TRUE(v.login);
  EXPECT_FALSE(v.failed_login);
  EXPECT_FALSE(v.remote) << "a documentation address is not met on the Internet";
  EXPECT_EQ(v.user, nullptr);
  EXPECT_EQ(v.source_profile, nullptr);
  EXPECT_EQ(b.users(), 0U) << "looking learns nothing";
  EXPECT_EQ(b.sources(), 0U);
  b.learn(e);
  const View after = b.view(e);
  ASSERT_NE(after.user, nullptr);
  EXPECT_EQ(after.user->count, 1U);
  EXPECT_EQ(after.familiarity, Familiarity::kSamePrefix);
  ASSERT_NE(after.source_profile, nullptr);
  EXPECT_EQ(after.source_profile->successes, 1U);
  EXPECT_DOUBLE_EQ(after.system_share, 1);
  EXPECT_DOUBLE_EQ(after.known_systems_share, 1);
}

TEST(Baseline, RemoteIsOutside) {
  World w;
  const std::uint32_t office = w.networks.add(64510, NetworkType::kBusiness, 52.5F, 13.4F, "DE");
  w.networks.set_own(office);
  Baseline b(w.networks);
  EXPECT_TRUE(b.view(w.login(kNoon, "alice", ip("8.8.8.8"), w.home)).remote);
  EXPECT_FALSE(b.view(w.login(kNoon, "alice", ip("8.8.8.8"), office)).remote);
  EXPECT_FALSE(b.view(w.login(kNoon, "alice", ip("10.1.1.1"), 0)).remote);
}

TEST(Baseline, CountsHalveInAHalfLife) {
  const World w;
  Baseline b(w.networks);
  for (int i = 0; i < 16; ++i) b.learn(w.login(kNoon, "alice", ip("5.44.100.7"), w.home));
  const auto logins = [&](Nanoseconds time) {
    const View v = b.view(w.login(time, "alice", ip("5.44.100.7"), w.home));
    return v.user->logins / v.unit;
  };
  EXPECT_NEAR(logins(kNoon), 16, 1e-3);
  EXPECT_NEAR(logins(kNoon + kHalfLife), 8, 1e-3);
  EXPECT_NEAR(logins(kNoon + 4 * kHalfLife), 1, 1e-3);
  // What is learned later weighs more, so that ratios need no correction; the first two are on probation.
  for (int i = 0; i < 10; ++i)
    b.learn(w.login(kNoon + kHalfLife + (i < 2 ? i * kDay : kProbation), "alice", ip("5.45.113.7"), w.town));
  const UserProfile& alice = *b.user(core::intern("alice"));
  const double week = std::exp2(static_cast<double>(kProbation) / static_cast<double>(kHalfLife));
  EXPECT_NEAR(alice.systems.weight(64501) / alice.systems.weight(64500), week, 1e-3) << "8 against 16 halved";
}

// Ten years of log-ins: the growing weights stay finite.
TEST(Baseline, WeightsStayFiniteOverTheYears) {
  const World w;
  Baseline b(w.networks);
  for (int month = 0; month < 240; ++month)
    b.learn(w.login(kNoon + month * 30 * kDay, "alice", ip("5.44.100.7"), w.home));
  const View v = b.view(w.login(kNoon + 240 * 30 * kDay, "alice", ip("5.44.100.7"), w.home));
  EXPECT_TRUE(std::isfinite(v.user->logins));
  EXPECT_TRUE(std::isfinite(v.everyone->logins));
  EXPECT_GT(v.user->logins / v.unit, 0);
}

TEST(Baseline, FamiliarityIsCountedByExperience) {
  const World w;
  Baseline b(w.networks);
  b.learn(w.login(kNoon, "alice", ip("5.44.100.7"), w.home));
  EXPECT_GT(b.everyone().familiarity[0][static_cast<std::size_t>(Familiarity::kNewCountry)], 0) << "a newcomer's first";
  EXPECT_EQ(b.user(core::intern("alice"))->familiarity[static_cast<std::size_t>(Familiarity::kNewCountry)], 0)
      << "not held against the user";
  b.learn(w.login(kNoon + kMinute, "alice", ip("5.44.100.7"), w.home));
  EXPECT_GT(b.everyone().familiarity[1][static_cast<std::size_t>(Familiarity::kSamePrefix)], 0);
  EXPECT_GT(b.user(core::intern("alice"))->familiarity[static_cast<std::size_t>(Familiarity::kSamePrefix)], 0);
}

TEST(Baseline, RemembersTheLastKnownPlace) {
  const World w;
  Baseline b(w.networks);
  b.learn(w.login(kNoon, "alice", ip("5.44.100.7"), w.home));
  b.learn(w.login(kNoon + kHour, "alice", ip("5.46.2.1"), 0));  // nowhere
  const UserProfile& alice = *b.user(core::intern("alice"));
  EXPECT_EQ(alice.last_login, kNoon);
  EXPECT_EQ(alice.last_place, pack_place(52.5F, 13.4F));
  EXPECT_EQ(alice.last_seen, kNoon + kHour);
  b.learn(w.login(kNoon + 2 * kHour, "alice", ip("5.45.113.9"), w.abroad));
  const Circumstances& abroad = b.everyone().circumstances[static_cast<std::size_t>(Familiarity::kNewCountry)];
  EXPECT_GT(abroad.impossible_travels[0], 0);
  EXPECT_FLOAT_EQ(abroad.impossible_travels[0], abroad.travels[0]);
}

TEST(Baseline, OpenSessionsEnd) {
  const World w;
  Baseline b(w.networks);
  b.learn(w.login(kNoon, "alice", ip("5.44.100.7"), w.home));
  const UserProfile& alice = *b.user(core::intern("alice"));
  EXPECT_EQ(alice.open[0].ip, ip("5.44.100.7"));
  Event end = w.login(kNoon + kHour, "alice", ip("5.44.100.7"), w.home);
  end.activity = Activity::kEnd;
  b.learn(end);
  for (const auto& open : alice.open) EXPECT_EQ(open.start, 0);
  // More sessions than are kept: the oldest goes.
  for (std::uint32_t i = 0; i < 6; ++i)
    b.learn(w.login(kNoon + i * kMinute, "alice", Ip::v4(0xc6336400 + i * 256), w.home));
  for (const auto& open : alice.open) EXPECT_GE(open.start, kNoon + 2 * kMinute);
}

TEST(Baseline, CountsWhatElseIsStrangeAmongLogInsFromNewNetworks) {
  const World w;
  Baseline b(w.networks);
  for (int i = 0; i < 6; ++i) b.learn(w.login(kMonday - kDay + i * kHour, "alice", ip("5.44.100.7"), w.home));
  Event ssh = w.login(kNoon, "alice", ip("5.44.100.7"), w.home);
  ssh.service = event::Service::kSsh;
  b.learn(ssh);
  b.learn(w.failure(kNoon + kMinute, "alice", ip("5.46.2.1"), w.hosting));
  b.learn(w.failure(kNoon + kMinute, "bob", ip("5.45.113.9"), w.abroad));
  const Event strange = w.login(kNoon + kHour, "alice", ip("5.45.113.9"), w.abroad);
  const View v = b.view(strange);
  EXPECT_TRUE(v.strange.tried) << "somebody else failed on her account";
  EXPECT_EQ(v.strange.guessed, 1) << "and this address on another";
  ASSERT_NE(v.strange.open, nullptr);
  EXPECT_EQ(v.strange.open->ip, ip("5.44.100.7"));
  b.quarantine(strange);
  const Circumstances& counts = b.everyone().circumstances[static_cast<std::size_t>(Familiarity::kNewCountry)];
  const float once = counts.logins[0];
  EXPECT_GT(once, 0);
  EXPECT_FLOAT_EQ(counts.tried[0], once);
  EXPECT_FLOAT_EQ(counts.guessed[0], once);
  EXPECT_FLOAT_EQ(counts.concurrent[0], once);
  b.quarantine(w.login(kNoon + 2 * kHour, "alice", ip("5.45.113.9"), w.abroad));
  EXPECT_FLOAT_EQ(counts.logins[0], once) << "what alarms again is no new discovery";
  // At home nothing is counted.
  b.learn(w.login(kNoon + 3 * kHour, "alice", ip("5.44.100.7"), w.home));
  float all = 0;
  for (const Circumstances& c : b.everyone().circumstances) all += c.logins[0] + c.logins[1];
  EXPECT_FLOAT_EQ(all, once);
}

TEST(Baseline, ForecastsFollowWhatHappens) {
  const World w;
  Baseline b(w.networks);
  const auto abroad = static_cast<std::size_t>(Familiarity::kNewCountry);
  const auto chance = [&](Nanoseconds now) {
    return b.view(w.login(now, "bob", ip("5.45.113.9"), w.abroad)).chances[abroad];
  };
  for (int i = 0; i < 6; ++i) b.learn(w.login(kMonday + i * kHour, "bob", ip("5.44.100.9"), w.home));
  const double before = chance(kNoon);
  for (std::uint32_t u = 0; u < 60; ++u) {
    const std::string name = "user" + std::to_string(u);
    for (std::uint32_t i = 0; i < 6; ++i)
      b.learn(w.login(kMonday + i * kHour, name.c_str(), Ip::v4(0x05000000 + (u << 8)), w.home));
    b.learn(w.login(kNoon, name.c_str(), Ip::v4(0x06000000 + (u << 8)), w.abroad));
  }
  EXPECT_GT(chance(kNoon + kHour), 3 * before) << "everybody travels";
}

// Two days of it; alice was at home once.
class Quarantine : public ::testing::Test {
 protected:
  Quarantine() {
    w_.limits.quarantine = 2 * kDay;
    b_.emplace(w_.networks, w_.limits);
    b_->learn(w_.login(kNoon, "alice", ip("5.44.100.7"), w_.home));
  }
  void alarm(Nanoseconds time, const char* user = "alice") {
    b_->quarantine(w_.login(time, user, ip("5.45.113.9"), w_.abroad));
  }
  bool known(Nanoseconds now) {
    b_->learn(w_.login(now, "carol", ip("5.44.100.9"), w_.home));  // time goes on
    return b_->user(core::intern("alice"))->systems.contains(64503);
  }
  World w_;
  std::optional<Baseline> b_;
};

TEST_F(Quarantine, IsLearnedWhenItsTimeIsOver) {
  alarm(kNoon + kHour);
  EXPECT_EQ(b_->quarantined(), 1U);
  EXPECT_FALSE(known(kNoon + kDay));
  EXPECT_FALSE(known(kNoon + kHour + 2 * kDay - 1));
  EXPECT_TRUE(known(kNoon + kHour + 2 * kDay));
  EXPECT_EQ(b_->quarantined(), 0U);
}

TEST_F(Quarantine, LastsAsLongAsTheNetworkAlarms) {
  alarm(kNoon + kHour);
  alarm(kNoon + kDay);
  alarm(kNoon + kDay, "bob");
  EXPECT_FALSE(known(kNoon + kHour + 2 * kDay)) << "another one waits";
  EXPECT_EQ(b_->quarantined(), 3U);
  EXPECT_TRUE(known(kNoon + 3 * kDay));
  EXPECT_EQ(b_->quarantined(), 0U);
}

TEST(Baseline, QuarantineCountsForThePopulation) {
  const World w;
  Baseline b(w.networks);
  for (int i = 0; i < 6; ++i) b.learn(w.login(kNoon + i * kHour, "alice", ip("5.44.100.7"), w.home));
  b.quarantine(w.login(kNoon + kDay, "alice", ip("5.45.113.9"), w.abroad));
  EXPECT_GT(b.everyone().familiarity[experience_bin(6)][static_cast<std::size_t>(Familiarity::kNewCountry)], 0)
      << "or alarms would make what alarms ever rarer";
  EXPECT_GT(b.everyone().new_types[static_cast<std::size_t>(NetworkType::kConsumer)], 0);
  EXPECT_FALSE(b.user(core::intern("alice"))->systems.contains(64503));
}

// Six log-ins at home, then one from elsewhere.
class Probation : public ::testing::Test {
 protected:
  Probation() {
    for (int i = 0; i < 6; ++i) b_.learn(home(kMonday - 20 * kDay + i * kDay));
  }
  Event home(Nanoseconds time) const { return w_.login(time, "alice", ip("5.44.100.7"), w_.home); }
  Event town(Nanoseconds time) const { return w_.login(time, "alice", ip("5.45.113.7"), w_.town); }
  Event line(Nanoseconds time, const char* address = "198.51.200.7") const {
    return w_.login(time, "alice", ip(address), w_.home);
  }
  // The networks that this log-in shows her to be back from.
  std::vector<std::uint64_t> left(const Event& e) const {
    std::vector<std::uint64_t> networks;
    for (const Baseline::Light& light : b_.light(e)) {
      if (light.left) networks.push_back(light.key);
    }
    return networks;
  }
  World w_;
  Baseline b_{w_.networks};
};

TEST_F(Probation, WhatIsNewStaysNewForAWeek) {
  b_.learn(town(kNoon));
  for (int day = 1; day < 7; ++day) {
    const View v = b_.view(town(kNoon + day * kDay));
    EXPECT_EQ(v.familiarity, Familiarity::kNewSystemNear) << day;
    EXPECT_EQ(v.network_since, kNoon);
    b_.learn(town(kNoon + day * kDay));
  }
  const View later = b_.view(town(kNoon + 7 * kDay));
  EXPECT_EQ(later.familiarity, Familiarity::kSamePrefix) << "nobody objected for a week";
  EXPECT_EQ(later.network_since, 0);
  b_.learn(town(kNoon + 7 * kDay));
  EXPECT_TRUE(b_.user(core::intern("alice"))->systems.contains(64501));
}

TEST_F(Probation, WhoComesOnceAWeekHasNotPassedAfterTheFirst) {
  b_.learn(town(kNoon));
  const View v = b_.view(town(kNoon + 8 * kDay));
  EXPECT_EQ(v.familiarity, Familiarity::kNewSystemNear);
  EXPECT_EQ(v.network_since, kNoon);
  EXPECT_EQ(b_.view(town(kNoon + kLongestProbation)).network_since, 0) << "so long ago that it is new again";
  EXPECT_EQ(b_.view(town(kNoon + kLongestProbation)).familiarity, Familiarity::kNewSystemNear);
  b_.learn(town(kNoon + 8 * kDay));
  b_.learn(town(kNoon + 8 * kDay + kHour));
  EXPECT_EQ(b_.view(town(kNoon + 9 * kDay)).familiarity, Familiarity::kSamePrefix) << "he has been back";
}

TEST_F(Probation, AnotherLineOfAProviderThatHasPassedIsNotKnown) {
  b_.learn(town(kNoon));
  b_.learn(town(kNoon + kDay));
  const auto other = [&](Nanoseconds time, std::uint32_t facts) {
    return w_.login(time, "alice", ip("203.0.200.1"), facts);
  };
  const std::uint32_t far = w_.networks.add(64501, NetworkType::kConsumer, 48.1F, 11.6F, "DE");
  EXPECT_EQ(b_.view(other(kNoon + 2 * kDay, w_.town)).network_since, kNoon);
  EXPECT_EQ(b_.view(other(kNoon + 8 * kDay, w_.town)).familiarity, Familiarity::kSameSystemNear);
  EXPECT_EQ(b_.view(other(kNoon + 8 * kDay, w_.town)).network_since, 0) << "a discovery";
  EXPECT_EQ(b_.view(other(kNoon + 8 * kDay, far)).familiarity, Familiarity::kSameSystemFar);
  EXPECT_FALSE(b_.user(core::intern("alice"))->systems.contains(64501));
  b_.learn(other(kNoon + 8 * kDay, w_.town));
  EXPECT_TRUE(b_.user(core::intern("alice"))->systems.contains(64501)) << "the provider is known, the line is not";
  EXPECT_EQ(b_.view(other(kNoon + 9 * kDay, w_.town)).network_since, kNoon + 8 * kDay);
}

TEST_F(Probation, WhatHasPassedIsTheNetworkNotEachAddressInIt) {
  b_.learn(town(kNoon));
  b_.learn(town(kNoon + kDay));
  EXPECT_FALSE(b_.view(town(kNoon + 8 * kDay)).neighbour);
  const View v = b_.view(w_.login(kNoon + 8 * kDay, "alice", ip("5.45.113.99"), w_.town));
  EXPECT_EQ(v.familiarity, Familiarity::kSamePrefix);
  EXPECT_TRUE(v.neighbour);
}

TEST_F(Probation, TheRestOfANewProviderIsNoNewDiscovery) {
  b_.learn(town(kNoon));
  const View v = b_.view(w_.login(kNoon + kDay, "alice", ip("203.0.200.1"), w_.town));
  EXPECT_EQ(v.network_since, kNoon) << "the provider's next address";
  EXPECT_EQ(b_.view(w_.login(kNoon + kDay, "alice", ip("5.46.2.1"), w_.abroad)).network_since, 0);
}

TEST_F(Probation, IsCountedOnceAmongWhatIsNew) {
  const auto known = [&] {
    float sum = 0;
    for (const Levels& levels : b_.everyone().familiarity)
      sum += levels[static_cast<std::size_t>(Familiarity::kNewSystemNear)];
    return sum;
  };
  b_.learn(town(kNoon));
  const float once = known();
  EXPECT_GT(once, 0);
  b_.learn(town(kNoon + kDay));
  EXPECT_EQ(known(), once);
}

TEST_F(Probation, ClientsToo) {
  const auto with = [&](Event e, const char* os) {
    e.client_os = core::intern(os);
    return e;
  };
  b_.learn(with(home(kMonday - kDay), "Windows 10"));
  b_.learn(with(town(kNoon), "Kali"));
  View v = b_.view(with(town(kNoon + kDay), "Kali"));
  EXPECT_NE(v.client_change, ClientChange::kSame);
  EXPECT_EQ(b_.view(with(town(kNoon + kDay), "Windows 10")).client_change, ClientChange::kSame);
  EXPECT_NE(b_.view(with(town(kNoon + 7 * kDay), "Kali")).client_change, ClientChange::kSame)
      << "time does not make it hers";
  b_.learn(with(home(kNoon + kDay), "Kali"));
  v = b_.view(with(town(kNoon + 2 * kDay), "Kali"));
  EXPECT_EQ(v.client_change, ClientChange::kSame) << "used at home: it is hers";
}

TEST_F(Probation, TheFirstLogInsOfAUserAreLearnedAtOnce) {
  b_.learn(w_.login(kNoon, "bob", ip("5.44.100.9"), w_.home));
  b_.learn(w_.login(kNoon + kHour, "bob", ip("5.45.113.9"), w_.town));
  EXPECT_EQ(b_.view(w_.login(kNoon + 2 * kHour, "bob", ip("5.45.113.9"), w_.town)).familiarity,
            Familiarity::kSamePrefix);
}

TEST_F(Probation, AFullRingForgetsTheOldest) {
  for (std::uint32_t i = 0; i < 7; ++i)
    b_.learn(w_.login(kNoon + i * kHour, "alice", Ip::v4(0x05000000 + (i << 16)),
                      w_.networks.add(65000 + i, NetworkType::kConsumer, 48.1F, 11.6F, "DE")));
  EXPECT_EQ(b_.user(core::intern("alice"))->recent_networks.size(), 6U);
  EXPECT_EQ(b_.view(w_.login(kNoon + kDay, "alice", Ip::v4(0x05000000), w_.hosting)).network_since, 0) << "new again";
}

TEST_F(Probation, BackHomeShowsThatTheLineHasNotMoved) {
  b_.learn(line(kNoon));
  EXPECT_EQ(b_.view(line(kNoon + kHour)).familiarity, Familiarity::kSameSystemNear);
  EXPECT_TRUE(left(line(kNoon + kHour)).empty()) << "still there";
  EXPECT_TRUE(left(town(kNoon + kHour)).empty()) << "another provider says nothing about the line";
  EXPECT_TRUE(left(home(kNoon - kHour)).empty()) << "earlier";
  EXPECT_TRUE(left(home(kNoon + 8 * kDay)).empty()) << "too late to tell";
  EXPECT_TRUE(left(line(kNoon + kHour, "198.51.222.7")).empty()) << "a third line";
  const auto seen = left(home(kNoon + kHour));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0], prefix_key(ip("198.51.200.7")));
  const double before = b_.view(line(kNoon + kHour)).returned;
  b_.learn(home(kNoon + kHour));
  EXPECT_TRUE(left(home(kNoon + 2 * kHour)).empty()) << "said once";
  EXPECT_GT(b_.view(line(kNoon + 2 * kHour)).returned, before) << "and counted";
}

TEST_F(Probation, BackHomeFromFarAwayIsCounted) {
  const auto journeys = [&] {
    float sum = 0;
    for (const float x : b_.everyone().journeys) sum += x;
    return sum;
  };
  b_.learn(home(kNoon - kDay));
  const auto far = [&](Nanoseconds time) { return w_.login(time, "alice", ip("5.45.113.9"), w_.abroad); };
  b_.learn(far(kNoon));
  const float out = journeys();
  EXPECT_GT(out, 0);
  EXPECT_TRUE(left(far(kNoon + kHour)).empty()) << "still there";
  EXPECT_TRUE(left(town(kNoon + kHour)).empty()) << "not at home";
  const auto seen = left(home(kNoon + 2 * kHour));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0], prefix_key(ip("5.45.113.9")));
  b_.learn(home(kNoon + 2 * kHour));
  EXPECT_GT(journeys(), out);
  EXPECT_GT(b_.everyone().journeys[0], 0) << "6,400 km in two hours";
  EXPECT_TRUE(left(home(kNoon + 3 * kHour)).empty()) << "said once";
}

TEST_F(Probation, BreaksWithAJourneyInThemAreCountedApart) {
  const auto sum = [](const std::array<float, kBreakBins>& bins) {
    float all = 0;
    for (const float x : bins) all += x;
    return all;
  };
  b_.learn(home(kNoon - kDay));
  const float hours = sum(b_.everyone().breaks_home);
  EXPECT_GT(hours, 0);
  const auto unit = [&](Nanoseconds time) { return static_cast<float>(b_.view(home(time)).unit); };
  const auto usual = [&](Nanoseconds time) { return usual_break(*b_.user(core::intern("alice")), unit(time)); };
  const double before = usual(kNoon);
  b_.learn(w_.login(kNoon, "alice", ip("5.45.113.9"), w_.abroad));
  EXPECT_EQ(sum(b_.everyone().breaks_away), 0) << "not back yet";
  b_.learn(home(kNoon + 3 * kDay));
  EXPECT_NEAR(sum(b_.everyone().breaks_away), unit(kNoon + 3 * kDay), 0.01);
  EXPECT_EQ(sum(b_.everyone().breaks_home), hours);
  EXPECT_NEAR(usual(kNoon + 3 * kDay), before, 5) << "a journey does not change the routine";
  b_.learn(home(kNoon + 4 * kDay));
  EXPECT_NEAR(sum(b_.everyone().breaks_home) - hours, 24 * unit(kNoon + 4 * kDay), 0.5);
}

TEST_F(Probation, ABreakWithAnAlarmInItTellsNothing) {
  b_.learn(home(kNoon - kDay));
  const auto before = b_.everyone().breaks_home;
  b_.quarantine(w_.login(kNoon, "alice", ip("5.45.113.9"), w_.abroad));
  b_.learn(home(kNoon + kHour));
  EXPECT_EQ(b_.everyone().breaks_home, before);
  for (const float x : b_.everyone().breaks_away) EXPECT_EQ(x, 0);
}

TEST_F(Probation, SessionsOfNewNetworksAreLearnedApart) {
  const auto end = [&](Event login, Nanoseconds lasted) {
    login.activity = Activity::kEnd;
    login.time += lasted;
    login.duration = lasted;
    login.source_bytes = 1000;
    login.destination_bytes = 90'000;
    return login;
  };
  const Event at_home = w_.login(kNoon, "bob", ip("5.1.1.7"), w_.home);
  b_.learn(at_home);
  b_.learn(end(at_home, 7 * kHour));
  const UserProfile& bob = *b_.user(core::intern("bob"));
  EXPECT_GT(bob.sessions.lengths[7], 0);
  EXPECT_GT(bob.sessions.volumes[0], 0);
  EXPECT_GT(b_.everyone().sessions.uploads[0], 0);
  for (int d = 1; d < 5; ++d) b_.learn(w_.login(kNoon + d * kHour, "bob", ip("5.1.1.7"), w_.home));
  const Event stranger = w_.login(kNoon + kDay, "bob", ip("5.9.1.7"), w_.abroad);
  b_.learn(stranger);
  b_.learn(end(stranger, 20 * kMinute));
  EXPECT_EQ(bob.sessions.lengths[3], 0) << "not his yet";
  EXPECT_GT(b_.everyone().new_sessions.lengths[3], 0);
  const Event alarm = w_.login(kNoon + 2 * kDay, "bob", ip("5.9.2.7"), w_.abroad);
  const float known = b_.everyone().new_sessions.lengths[1];
  b_.quarantine(alarm);
  b_.learn(end(alarm, 3 * kMinute));
  EXPECT_EQ(b_.everyone().new_sessions.lengths[1], known) << "an alarm teaches nothing";
}

TEST_F(Probation, ASessionsLengthIsKnownFromItsBeginningAsWell) {
  b_.learn(home(kNoon));
  Event end = home(kNoon + 3 * kHour);
  end.activity = Activity::kEnd;
  EXPECT_EQ(b_.session_shape(end).length, 3 * kHour);
  end.duration = kHour;
  EXPECT_EQ(b_.session_shape(end).length, kHour) << "the end says so";
  end.user = core::intern("nobody");
  end.duration = 0;
  EXPECT_EQ(b_.session_shape(end).length, 0);
}

// What the user did since, by the bits.
TEST_F(Probation, WhatFollowsIsTold) {
  const auto told = [&](const Event& e) {
    for (const Baseline::Light& light : b_.light(e)) {
      if (light.key == prefix_key(ip("5.45.113.7"))) return static_cast<int>(light.follow_up);
    }
    return -1;
  };
  const auto abroad = [&](Nanoseconds time) { return w_.login(time, "alice", ip("5.46.2.9"), w_.abroad); };
  b_.learn(abroad(kNoon - kDay));
  b_.learn(town(kNoon));
  EXPECT_EQ(told(town(kNoon - kHour)), -1) << "earlier";
  EXPECT_EQ(told(town(kNoon + 8 * kDay)), -1) << "too late";
  EXPECT_EQ(told(abroad(kNoon + kHour)), -1) << "that network came up before";
  EXPECT_EQ(told(w_.login(kNoon + kHour, "alice", ip("203.0.200.1"), w_.town)), kAgain) << "its provider";
  EXPECT_EQ(told(home(kNoon + kHour)), kCarriedOn);
  b_.learn(home(kNoon + kHour));
  EXPECT_EQ(told(home(kNoon + 2 * kHour)), -1) << "said once";
  EXPECT_EQ(told(w_.login(kNoon + kDay, "alice", ip("5.9.9.9"), w_.hosting)), kCarriedOn | kElsewhere);
  b_.quarantine(w_.login(kNoon + kDay, "alice", ip("5.9.9.9"), w_.hosting));
  EXPECT_EQ(told(town(kNoon + 2 * kDay)), kCarriedOn | kElsewhere | kAgain) << "what alarmed is told as well";
}

TEST_F(Probation, AClientThatAlarmedLaterIsForgotten) {
  const auto with = [&](Event e, const char* os) {
    e.client_os = core::intern(os);
    return e;
  };
  b_.learn(with(home(kMonday - kDay), "Windows 10"));
  b_.learn(with(town(kNoon), "Kali"));
  b_.learn(with(home(kNoon + kHour), "Kali"));
  b_.forget(with(town(kNoon), "Kali"), false);
  EXPECT_EQ(b_.view(with(town(kNoon + kDay), "Kali")).client_change, ClientChange::kSame) << "it was hers before";
  b_.forget(with(town(kNoon), "Kali"), true);
  EXPECT_NE(b_.view(with(town(kNoon + kDay), "Kali")).client_change, ClientChange::kSame);
  EXPECT_EQ(b_.view(with(town(kNoon + kDay), "Windows 10")).client_change, ClientChange::kSame);
}

TEST_F(Probation, HowStoriesGoOnIsLearnedWhenTheyAreOver) {
  b_.learn(town(kNoon));
  b_.learn(home(kNoon + kDay));
  EXPECT_EQ(b_.close_network(town(kNoon)), kCarriedOn);
  EXPECT_GT(b_.everyone().follow_ups[1][kCarriedOn], 0);
  EXPECT_EQ(b_.close_network(town(kNoon + kHour)), std::nullopt) << "not its first sight";
  EXPECT_EQ(b_.close_network(w_.login(kNoon, "mallory", ip("5.45.113.7"), w_.town)), std::nullopt);
}

// 5.44.100.8 is not her line, though it is in her prefix: her provider's lines keep their addresses.
class Neighbour : public Probation {
 protected:
  Neighbour() {
    for (int i = 0; i < 10; ++i) b_.learn(home(kMonday - 12 * kDay + i * kDay));
  }
  Event beside(Nanoseconds time, const char* address = "5.44.100.8") const { return line(time, address); }
};

TEST_F(Neighbour, StaysNewForAWeek) {
  View v = b_.view(beside(kNoon));
  EXPECT_EQ(v.familiarity, Familiarity::kSamePrefix);
  EXPECT_TRUE(v.neighbour);
  EXPECT_LT(v.readdressed, kKeepsAddress);
  EXPECT_EQ(v.network_key, address_key(ip("5.44.100.8")));
  EXPECT_FALSE(b_.view(home(kNoon)).neighbour);
  b_.learn(beside(kNoon));
  v = b_.view(beside(kNoon + kDay));
  EXPECT_TRUE(v.neighbour);
  EXPECT_EQ(v.network_since, kNoon);
  EXPECT_TRUE(b_.view(beside(kNoon + 7 * kDay)).neighbour) << "seen on one day only";
  b_.learn(beside(kNoon + kDay));
  EXPECT_FALSE(b_.view(beside(kNoon + 7 * kDay)).neighbour) << "nobody objected";
  EXPECT_TRUE(b_.view(beside(kNoon + kDay, "5.44.100.9")).neighbour) << "a third line";
}

TEST_F(Neighbour, DoesNotVouchForAClient) {
  const auto with = [&](Event e, const char* os) {
    e.client_os = core::intern(os);
    return e;
  };
  b_.learn(with(home(kMonday - kDay), "Windows 10"));
  b_.learn(with(beside(kNoon), "Kali"));
  b_.learn(with(beside(kNoon + kHour), "Kali"));
  EXPECT_NE(b_.view(with(town(kNoon + 2 * kHour), "Kali")).client_change, ClientChange::kSame);
}

TEST_F(Neighbour, BackOnHerOwnLineItIsAnother) {
  b_.learn(beside(kNoon));
  EXPECT_TRUE(left(beside(kNoon + kHour)).empty()) << "still there";
  EXPECT_TRUE(left(beside(kNoon + kHour, "5.44.100.9")).empty()) << "neither";
  const auto networks = left(home(kNoon + kHour));
  ASSERT_EQ(networks.size(), 1U);
  EXPECT_EQ(networks[0], address_key(ip("5.44.100.8")));
  const double before = b_.view(beside(kNoon + kHour, "5.44.100.9")).returned;
  b_.learn(home(kNoon + kHour));
  EXPECT_TRUE(left(home(kNoon + 2 * kHour)).empty()) << "said once";
  EXPECT_GT(b_.view(beside(kNoon + 2 * kHour, "5.44.100.9")).returned, before) << "and counted";
}

TEST_F(Neighbour, WhatAlarmedLaterIsForgottenAndHerPrefixIsNot) {
  b_.learn(beside(kNoon));
  b_.forget(beside(kNoon), false);
  const View v = b_.view(beside(kNoon + 8 * kDay));
  EXPECT_TRUE(v.neighbour);
  EXPECT_EQ(v.network_since, 0);
  EXPECT_EQ(v.familiarity, Familiarity::kSamePrefix);
}

TEST_F(Neighbour, IsNoNewsWhereLinesGetOtherAddresses) {
  for (std::uint32_t i = 0; i < 20; ++i)
    b_.learn(w_.login(kMonday - 10 * kDay + i * kHour, "alice", Ip::v4(0x052C6420 + i), w_.home));
  EXPECT_GT(b_.view(beside(kNoon)).readdressed, kKeepsAddress);
  b_.learn(beside(kNoon));
  EXPECT_FALSE(b_.view(beside(kNoon + kHour)).neighbour) << "learned at once";
}

TEST_F(Probation, APhoneIsNoJourney) {
  const std::uint32_t phone = w_.networks.add(64600, NetworkType::kMobile, 48.1F, 11.6F, "DE");
  b_.learn(home(kNoon - kDay));
  b_.learn(w_.login(kNoon, "alice", ip("5.45.113.9"), phone));
  EXPECT_TRUE(left(home(kNoon + kHour)).empty());
  for (const float x : b_.everyone().journeys) EXPECT_EQ(x, 0);
}

TEST_F(Probation, WhatAlarmedLaterIsForgotten) {
  b_.learn(line(kNoon));
  b_.forget(line(kNoon), false);
  EXPECT_EQ(b_.view(line(kNoon + kHour)).network_since, 0);
  EXPECT_EQ(b_.view(line(kNoon + 8 * kDay)).familiarity, Familiarity::kSameSystemNear) << "never learned";
}

// Of the log-ins through a known provider, those from a new prefix.
double moved(const View& v) {
  const double away = v.chances[static_cast<std::size_t>(Familiarity::kSameSystemNear)] +
                      v.chances[static_cast<std::size_t>(Familiarity::kSameSystemFar)];
  return away / (away + v.chances[static_cast<std::size_t>(Familiarity::kSamePrefix)]);
}

TEST(Systems, HowOftenLinesMoveIsTheProvidersMatter) {
  World w;
  Baseline b(w.networks);
  for (std::uint32_t u = 0; u < 20; ++u) {
    const std::string name = "user" + std::to_string(u);
    for (std::uint32_t day = 0; day < 20; ++day) {
      const Nanoseconds time = kMonday + day * kDay + u * kMinute;
      b.learn(w.login(time, name.c_str(), Ip::v4(0x05000000 + (u << 16)), w.home));
      b.learn(w.login(time + kHour, name.c_str(), Ip::v4(0x06000000 + (u << 16) + (day << 8)), w.town));
    }
  }
  const Nanoseconds now = kMonday + 20 * kDay;
  EXPECT_LT(moved(b.view(w.login(now, "user3", ip("5.3.77.1"), w.home))), 0.05);
  EXPECT_GT(moved(b.view(w.login(now, "user3", ip("6.3.77.1"), w.town))), 0.6);
  // Lines stay in their /16, each its own: that is how far another customer is away.
  const View own = b.view(w.login(now, "user3", ip("6.3.77.1"), w.town));
  const View other = b.view(w.login(now, "user3", ip("6.200.77.1"), w.town));
  EXPECT_GT(own.distance_own, own.distance_others);
  EXPECT_GT(other.distance_others, other.distance_own);
}

TEST(Baseline, QuarantineIsBoundedAndDropsWithoutLearning) {
  World w;
  w.limits.quarantined = 3;
  w.limits.quarantine = kDay;
  Baseline b(w.networks, w.limits);
  for (std::uint32_t i = 0; i < 5; ++i)
    b.quarantine(w.login(kNoon, ("user" + std::to_string(i)).c_str(), ip("5.45.113.9"), w.abroad));
  EXPECT_EQ(b.quarantined(), 3U);
  b.learn(w.login(kNoon + 3 * kDay, "bob", ip("5.44.100.9"), w.home));
  EXPECT_EQ(b.users(), 4U) << "three that were kept, and bob";
}

TEST(Baseline, SourcesAreBounded) {
  World w;
  w.limits.sources = 1000;
  Baseline b(w.networks, w.limits);
  b.learn(w.login(kNoon, "alice", ip("5.44.100.7"), w.home));
  for (std::uint32_t i = 0; i < 5000; ++i) {
    b.learn(w.failure(kNoon + i * kSecond / 100, "alice", Ip::v4(0x05000000 + i), w.abroad));
    ASSERT_LE(b.sources(), 1000U);
  }
  EXPECT_GT(b.forgotten_sources(), 3000U);
  const View v = b.view(w.login(kNoon + kHour, "alice", ip("5.44.100.7"), w.home));
  EXPECT_NE(v.source_profile, nullptr) << "somebody logged in from there: those who only knock go first";

  w.limits.sources = 3;  // too few to have a tenth
  Baseline tiny(w.networks, w.limits);
  for (std::uint32_t i = 0; i < 50; ++i) tiny.learn(w.login(kNoon, "alice", Ip::v4(0x05000000 + i), w.home));
  EXPECT_LE(tiny.sources(), 3U);
}

TEST(Baseline, OldSourcesGoFirst) {
  World w;
  w.limits.sources = 100;
  Baseline b(w.networks, w.limits);
  for (std::uint32_t i = 0; i < 50; ++i) b.learn(w.failure(kNoon, "alice", Ip::v4(0x05000000 + i), w.abroad));
  for (std::uint32_t i = 0; i < 51; ++i)
    b.learn(w.failure(kNoon + 40 * kDay, "alice", Ip::v4(0x06000000 + i), w.abroad));
  EXPECT_EQ(b.sources(), 51U);
  EXPECT_EQ(b.view(w.failure(kNoon, "alice", Ip::v4(0x05000000), w.abroad)).source_profile, nullptr);
  EXPECT_NE(b.view(w.failure(kNoon, "alice", Ip::v4(0x06000000), w.abroad)).source_profile, nullptr);
}

TEST(Baseline, UsersAreBounded) {
  World w;
  w.limits.users = 10;
  Baseline b(w.networks, w.limits);
  for (int i = 0; i < 30; ++i) b.learn(w.login(kNoon, ("u" + std::to_string(i)).c_str(), ip("5.44.100.7"), w.home));
  EXPECT_EQ(b.users(), 10U);
  EXPECT_EQ(b.refused_users(), 20U);
  b.learn(w.login(kNoon, "u3", ip("5.44.100.7"), w.home));
  EXPECT_EQ(b.user(core::intern("u3"))->count, 2U) << "who is known goes on learning";
}

TEST(Baseline, SmallDevicesAreNotedByTheirStrongestTrait) {
  const World w;
  Baseline b(w.networks);
  b.note_soho(ip("5.45.113.9"), {.port = 8080, .weight = 1}, kNoon);
  b.note_soho(ip("5.45.113.9"), {.port = 7777, .weight = 3}, kNoon);
  b.note_soho(ip("5.45.113.9"), {.port = 23, .weight = 2}, kNoon);
  const View v = b.view(w.login(kNoon, "alice", ip("5.45.113.9"), w.abroad));
  ASSERT_NE(v.source_profile, nullptr);
  EXPECT_EQ(v.source_profile->soho_port, 7777);
  EXPECT_EQ(v.source_profile->soho_weight, 3);
}

TEST(Baseline, AScanIsNoUseOfTheAddress) {
  const World w;
  Baseline b(w.networks);
  b.note_soho(ip("5.45.113.9"), {.port = 7777, .weight = 3, .scanned = true}, kNoon + 400 * core::kDay);
  const Event e = w.login(kNoon, "alice", ip("5.45.113.9"), w.abroad);
  EXPECT_EQ(b.view(e).source_profile->first_seen, 0);
  EXPECT_EQ(b.view(e).source_profile->soho_day, (kNoon + 400 * core::kDay) / core::kDay);
  b.learn(e);
  EXPECT_EQ(b.view(e).source_profile->first_seen, kNoon);
  EXPECT_EQ(b.view(e).source_profile->last_seen, kNoon);
}

TEST(Baseline, TheSameEventsGiveTheSameProfiles) {
  const World w;
  Baseline a(w.networks), b(w.networks);
  for (Baseline* x : {&a, &b}) {
    for (int i = 0; i < 200; ++i) {
      const Event e = w.login(kNoon + i * 7 * kMinute, "alice",
                              Ip::v4(0xc6336400 + static_cast<std::uint32_t>(i % 7) * 256), w.home);
      if (x == &a) a.view(e);  // asking in between changes nothing
      x->learn(e);
    }
  }
  const Symbol alice = core::intern("alice");
  EXPECT_EQ(a.user(alice)->logins, b.user(alice)->logins);
  EXPECT_EQ(a.user(alice)->familiarity, b.user(alice)->familiarity);
  EXPECT_EQ(a.user(alice)->hours, b.user(alice)->hours);
}

class Strangers : public ::testing::Test {
 protected:
  const StrangerFailures& after(Nanoseconds time, std::uint32_t source, std::uint32_t facts,
                                const char* user = "alice") {
    const Event e = w_.failure(time, user, Ip::v4(0x05000000 + source), facts);
    b_.learn(e);
    return *b_.view(e).strangers;
  }
  World w_;
  Baseline b_{w_.networks};
};

TEST_F(Strangers, AreCountedWithinADay) {
  after(kNoon, 1, w_.abroad);
  after(kNoon + kHour, 2, w_.hosting);
  const StrangerFailures& s = after(kNoon + kHour, 2, w_.hosting);
  EXPECT_EQ(s.failures_24h(), 3U);
  EXPECT_EQ(s.sources_24h(), 2U);
  EXPECT_EQ(s.consumer_24h(), 1U);
  after(kNoon + 24 * kHour, 3, w_.abroad);
  EXPECT_EQ(s.failures_24h(), 3U) << "the first is a day old";
  EXPECT_EQ(s.sources_24h(), 2U);
  after(kNoon + 100 * kDay, 4, w_.abroad);
  EXPECT_EQ(s.failures_24h(), 1U);
}

TEST_F(Strangers, ThatComeBackDaysLaterAreSourcesAgain) {
  for (std::uint32_t i = 0; i < 10; ++i) after(kNoon, i, w_.abroad);
  for (std::uint32_t i = 0; i < 9; ++i) after(kNoon + 2 * kDay, i, w_.abroad);
  const StrangerFailures& s = after(kNoon + 2 * kDay, 9, w_.abroad);
  EXPECT_EQ(s.failures_24h(), 10U);
  EXPECT_EQ(s.sources_24h(), 10U);
}

TEST_F(Strangers, AreNoBruteForceNoNeighboursAndNobodyWhoLoggedIn) {
  for (int i = 0; i < 50; ++i) after(kNoon, 1, w_.abroad);
  const StrangerFailures& s = after(kNoon, 1, w_.abroad);
  EXPECT_EQ(s.failures_24h(), 3U) << "who tries more than three times is no stranger of this kind";
  b_.learn(w_.login(kNoon, "alice", Ip::v4(0x05000002), w_.home));
  after(kNoon, 2, w_.home);  // a typing mistake at home
  after(kNoon, 3, w_.home);  // the same provider
  EXPECT_EQ(s.failures_24h(), 3U);
  after(kNoon, 4, w_.home, "bob");  // not his provider
  EXPECT_EQ(s.failures_24h(), 4U);
  b_.learn(w_.failure(kNoon, "alice", ip("10.0.0.1"), 0));
  EXPECT_EQ(s.failures_24h(), 4U) << "inside";
}

TEST_F(Strangers, FinishedDaysAreKept) {
  for (int day = 0; day < 5; ++day) {
    for (std::uint32_t i = 0; i < 4; ++i)
      after(kMonday + day * kDay, static_cast<std::uint32_t>(day) * 10 + i, w_.abroad);
  }
  const StrangerFailures& s = after(kMonday + 5 * kDay, 99, w_.abroad);
  EXPECT_EQ(s.day_count, 5U);
  EXPECT_DOUBLE_EQ(s.ordinary_day(), (4 * 5 + 3) / 6.0);
  // A month with log-ins but without a failure is quiet ...
  for (int day = 6; day <= 40; ++day) b_.learn(w_.login(kMonday + day * kDay, "bob", Ip::v4(0x05000fff), w_.home));
  after(kMonday + 40 * kDay, 100, w_.abroad);
  EXPECT_LT(s.ordinary_day(), 1);
}

TEST_F(Strangers, AHoleInTheDataIsNoRowOfQuietDays) {
  for (int day = 0; day < 5; ++day) {
    for (std::uint32_t i = 0; i < 4; ++i)
      after(kMonday + day * kDay, static_cast<std::uint32_t>(day) * 10 + i, w_.abroad);
  }
  const StrangerFailures& s = after(kMonday + 4000 * kDay, 99, w_.abroad);  // other logs, years later
  EXPECT_EQ(s.day_count, 5U);
  EXPECT_DOUBLE_EQ(s.ordinary_day(), (4 * 5 + 3) / 6.0);
}

TEST_F(Strangers, TimesBefore1970AreNotLearned) {
  b_.learn(w_.failure(-50 * 365 * kDay - 5 * kHour, "alice", Ip::v4(0x05000001), w_.abroad));
  b_.learn(w_.login(-50 * 365 * kDay, "alice", Ip::v4(0x05000001), w_.abroad));
  EXPECT_EQ(b_.sources(), 0U);
  EXPECT_EQ(b_.users(), 0U);
}

// Whoever comes from elsewhere may bring what he likes: only her own lines, and a verdict, make it hers.
TEST(Baseline, MarksAreLearnedAtHome) {
  const World w;
  Baseline b(w.networks);
  const auto with = [&](Nanoseconds time, const char* computer, const char* address, std::uint32_t facts) {
    Event e = w.login(time, "alice", ip(address), facts);
    e.observer = core::intern("fw1");
    e.client_host = core::intern(computer);
    return e;
  };
  const auto own = [&](Nanoseconds time, const char* computer) {
    return b.view(with(time, computer, "5.44.100.7", w.home)).marks[static_cast<std::size_t>(Mark::kComputer)].own;
  };
  for (int d = 0; d < 10; ++d) b.learn(with(kNoon + d * kDay, "PC-1", "5.44.100.7", w.home));
  const Nanoseconds now = kNoon + 10 * kDay;
  EXPECT_GT(own(now, "PC-1"), 5);
  b.learn(with(now, "EVIL", "5.46.1.7", w.abroad));
  b.learn(with(now + kHour, "EVIL", "5.46.1.7", w.abroad));
  EXPECT_EQ(own(now + kHour, "EVIL"), 0);
  b.quarantine(with(now + kHour, "WORSE", "5.47.1.7", w.abroad));
  EXPECT_EQ(own(now + kHour, "WORSE"), 0);
  b.learn(with(now + 2 * kHour, "NEW-PC", "5.44.100.7", w.home));
  EXPECT_GT(own(now + 3 * kHour, "NEW-PC"), 0.9);
  b.learn_at_once(with(now + 4 * kHour, "ON-THE-ROAD", "5.46.1.7", w.abroad));
  EXPECT_GT(own(now + 5 * kHour, "ON-THE-ROAD"), 0.9);
}

TEST(Shares, OfProvidersAndClients) {
  const World w;
  Baseline b(w.networks);
  for (int i = 0; i < 3; ++i) {
    Event e = w.login(kNoon, "alice", ip("5.44.100.7"), w.home);
    e.client_os = core::intern("Windows 10");
    b.learn(e);
  }
  Event e = w.login(kNoon, "bob", ip("5.45.113.7"), w.town);
  e.client_os = core::intern("macOS");
  const View before = b.view(e);
  EXPECT_EQ(before.system_share, 0);
  EXPECT_EQ(before.client_share, 0);
  b.learn(e);
  const View v = b.view(e);
  EXPECT_NEAR(v.system_share, 0.25, 1e-6);
  EXPECT_NEAR(v.client_share, 0.25, 1e-6);
  EXPECT_NEAR(v.known_systems_share, 0.25, 1e-6);
  EXPECT_EQ(v.users, 2U);
  EXPECT_EQ(v.usual[0].asn, 64501U);
  EXPECT_EQ(v.usual[0].share, 1);
  EXPECT_EQ(v.usual[1].asn, 0U);
  e.source_facts = w.home;
  e.source_ip = ip("5.44.101.7");
  for (int i = 0; i < 2; ++i) b.learn(e);  // the first log-ins of a user are learned at once
  const View both = b.view(e);
  EXPECT_EQ(both.usual[0].asn, 64500U);
  EXPECT_NEAR(both.usual[0].share, 2.0 / 3, 1e-6);
  EXPECT_EQ(both.usual[1].asn, 64501U);
}

}  // namespace
}  // namespace orbwatch::baseline

#include "track/cases.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace orbwatch::track {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;
using detect::FindingKind;
using score::Finding;

constexpr core::Nanoseconds kNoon = 1'795'435'200 * kSecond;

struct Item {
  event::Event event;
  FindingKind kind = FindingKind::kLogin;
  double log_odds = 0;
  std::string device;
  std::string evidence = "new-network";
  bool again = false;
};

Item item(FindingKind kind, core::Nanoseconds time, const char* user, core::Ip source, double log_odds) {
  Item i;
  i.kind = kind;
  i.event.time = time;
  i.event.user = core::intern(user);
  i.event.observer = core::intern("fw1");
  i.event.source_ip = source;
  i.event.outcome = event::Outcome::kSuccess;
  i.log_odds = log_odds;
  return i;
}
Item login(core::Nanoseconds time, const char* user, const char* source, double log_odds = 0) {
  return item(FindingKind::kLogin, time, user, *core::Ip::parse(source), log_odds);
}
Item spray(core::Nanoseconds time, std::uint32_t source, double log_odds = 2) {
  return item(FindingKind::kSpray, time, "alice", core::Ip::v4(0x05000000 + source), log_odds);
}
Item exposure(core::Nanoseconds time, const char* device, std::uint32_t source, double log_odds = 1) {
  Item i = item(FindingKind::kExposure, time, "", core::Ip::v4(0x05000000 + source), log_odds);
  i.device = device;
  return i;
}

void add(Cases& cases, const Item& i) {
  Scored s;
  s.event = &i.event;
  s.kind = i.kind;
  s.log_odds = i.log_odds;
  detect::Evidence e;
  e.kind = core::intern(i.evidence).text();  // static storage, as a detector's
  e.detector = "test";
  e.llr = i.log_odds + 10;
  e.says = "because";
  s.evidence.push_back(e);
  score::RecordPlace place;
  place.file = "vpn.log";
  place.offset = static_cast<std::uint64_t>(i.event.time);
  s.records.push_back(place);
  s.source.ip = i.event.source_ip;
  s.hypothesis = "hypothesis";
  s.technique = "T1078,T1090.003";
  s.device = i.device;
  s.again = i.again;
  cases.add(std::move(s));
}
std::vector<Finding> findings(const std::vector<Item>& items) {
  Cases cases;
  for (const Item& i : items) add(cases, i);
  return cases.take();
}

TEST(Cases, RepeatedLogInsFromOneNetworkAreOneFinding) {
  const auto f = findings({login(kNoon, "alice", "5.1.1.1", 1), login(kNoon + 20 * kHour, "alice", "5.1.1.9", 3),
                           login(kNoon + 40 * kHour, "alice", "5.1.1.1", 2)});
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].time, kNoon);
  EXPECT_EQ(f[0].end, kNoon + 40 * kHour);
  EXPECT_EQ(f[0].log_odds, 3);
  EXPECT_EQ(f[0].source_count, 2U);
  EXPECT_EQ(f[0].user, "alice");
  EXPECT_TRUE(f[0].users.empty()) << "a single one is told by `user`";
  EXPECT_FALSE(f[0].source.ip.present()) << "two sources are told by `sources`";
  EXPECT_EQ(f[0].sources.size(), 2U);
  EXPECT_EQ(f[0].records.size(), 3U);
  EXPECT_EQ(f[0].evidence.size(), 1U);
  EXPECT_EQ(f[0].evidence[0].llr, 13) << "the strongest of a kind";
  EXPECT_EQ(f[0].attack, (std::vector<std::string>{"T1078", "T1090.003"}));
  EXPECT_NEAR(f[0].score, 1 / (1 + std::exp(-3.0)), 1e-12);
  EXPECT_FALSE(f[0].advice.empty());
}

Item again(Item i, double log_odds) {
  i.log_odds = log_odds;
  i.again = true;
  return i;
}

TEST(Cases, ALogInThatIsJudgedAgainHasItsLastScore) {
  const Item first = login(kNoon, "alice", "5.1.1.1", 3);
  for (const double later : {5.0, 1.0}) {
    const auto f = findings({first, again(first, later)});
    ASSERT_EQ(f.size(), 1U);
    EXPECT_EQ(f[0].log_odds, later);
    EXPECT_EQ(f[0].evidence[0].llr, later + 10);
    EXPECT_EQ(f[0].records.size(), 1U) << "the same lines";
  }
  Item bare = again(first, 1);
  bare.evidence = "unusual-time";
  const auto f = findings({first, bare});
  ASSERT_EQ(f[0].evidence.size(), 1U) << "what is no longer said is not shown";
  EXPECT_EQ(f[0].evidence[0].kind, "unusual-time");
}

TEST(Cases, TheStrongestOfItsLogInsSpeaksForAFinding) {
  const Item first = login(kNoon, "alice", "5.1.1.1", 3);
  const Item second = login(kNoon + kHour, "alice", "5.1.1.1", 2);
  EXPECT_EQ(findings({first, second, again(first, 1)})[0].log_odds, 2);
  EXPECT_EQ(findings({first, second, again(second, 1)})[0].log_odds, 3);
}

TEST(Cases, ALogInIsFoundAgainBehindALaterOneFromItsNetwork) {
  const Item first = login(kNoon, "alice", "5.1.1.1", 3);
  const Item later = login(kNoon + 30 * kDay, "alice", "5.1.1.1", 2);
  Cases cases;
  add(cases, first);
  EXPECT_TRUE(cases.has(first.event));
  EXPECT_TRUE(cases.joins(login(kNoon + kDay, "alice", "5.1.1.9").event));
  EXPECT_FALSE(cases.joins(later.event));
  EXPECT_FALSE(cases.joins(login(kNoon + kDay, "bob", "5.1.1.1").event));
  EXPECT_FALSE(cases.has(later.event));
  EXPECT_FALSE(cases.has(login(kNoon, "alice", "5.1.2.1").event));
  EXPECT_FALSE(cases.has(login(kNoon, "bob", "5.1.1.1").event));
  add(cases, later);
  add(cases, again(first, 1));
  const auto f = cases.take();
  ASSERT_EQ(f.size(), 2U);
  EXPECT_EQ(f[0].log_odds, 2);
  EXPECT_EQ(f[1].log_odds, 1);
  EXPECT_EQ(f[1].time, kNoon);
  EXPECT_FALSE(cases.has(first.event)) << "taken";
}

TEST(Cases, WhatIsApartStaysApart) {
  EXPECT_EQ(findings({login(kNoon, "alice", "5.1.1.1"), login(kNoon, "bob", "5.1.1.1")}).size(), 2U);
  EXPECT_EQ(findings({login(kNoon, "alice", "5.1.1.1"), login(kNoon, "alice", "5.1.2.1")}).size(), 2U);
  const core::Nanoseconds week = kNoon + baseline::kProbation;
  EXPECT_EQ(findings({login(kNoon, "alice", "5.1.1.1"), login(week + kSecond, "alice", "5.1.1.1")}).size(), 2U);
  EXPECT_EQ(findings({login(kNoon, "alice", "5.1.1.1"), login(week, "alice", "5.1.1.1")}).size(), 1U);
}

TEST(Cases, OneSprayIsOneFinding) {
  std::vector<Item> items;
  items.reserve(250);
  for (std::uint32_t i = 0; i < 250; ++i) items.push_back(spray(kNoon + i * kMinute, i));
  auto f = findings(items);
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].source_count, 250U);
  EXPECT_EQ(f[0].sources.size(), Finding::kMostListed);
  EXPECT_EQ(f[0].records.size(), Finding::kMostListed);
  items.push_back(spray(items.back().event.time + 12 * kHour + kSecond, 999));
  EXPECT_EQ(findings(items).size(), 2U) << "half a day of silence ends it";
}

TEST(Cases, ContactsWithOneExposedPortAreOneFinding) {
  const auto f = findings({exposure(kNoon, "5.8.8.8:22", 1), exposure(kNoon + 20 * kDay, "5.8.8.8:22", 2, 3),
                           exposure(kNoon, "5.8.8.8:23", 1)});
  ASSERT_EQ(f.size(), 2U);
  EXPECT_EQ(f[0].device, "5.8.8.8:22");
  EXPECT_EQ(f[0].source_count, 2U);
}

TEST(Cases, EvidenceOfSeveralKindsIsSortedByWeight) {
  std::vector<Item> items;
  for (const auto& [kind, odds] :
       {std::pair("b", 1.0), std::pair("a", 3.0), std::pair("c", 1.0), std::pair("b", 2.0)}) {
    items.push_back(login(kNoon, "alice", "5.1.1.1", odds));
    items.back().evidence = kind;
  }
  const auto f = findings(items);
  ASSERT_EQ(f.size(), 1U);
  ASSERT_EQ(f[0].evidence.size(), 3U);
  EXPECT_EQ(f[0].evidence[0].kind, "a");
  EXPECT_EQ(f[0].evidence[1].kind, "b");
  EXPECT_EQ(f[0].evidence[1].llr, 12);
  EXPECT_EQ(f[0].evidence[2].kind, "c");
}

TEST(Cases, BestFirstWhateverTheOrderTheyCameIn) {
  std::vector<Item> items;
  items.reserve(60);
  for (int i = 0; i < 60; ++i) {
    items.push_back(login(kNoon + i % 3 * kHour, ("user" + std::to_string(i)).c_str(), "5.1.1.1", i % 7));
  }
  const auto json = [](const std::vector<Finding>& all) {
    std::string out;
    for (const Finding& f : all) out += to_json(f) + "\n";
    return out;
  };
  const auto first = findings(items);
  ASSERT_EQ(first.size(), 60U);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end(),
                             [](const Finding& a, const Finding& b) { return a.log_odds > b.log_odds; }));
  std::mt19937 random(5);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(items.begin(), items.end(), random);
    EXPECT_EQ(json(findings(items)), json(first));
  }
}

// Within one finding the order of its events may change which is listed first, but not what it says.
TEST(Cases, TheOrderOfEventsDoesNotChangeWhatAFindingSays) {
  std::vector<Item> items;
  items.reserve(12);
  for (int i = 0; i < 12; ++i)
    items.push_back(login(kNoon + i * kMinute, "alice", i % 2 == 0 ? "5.1.1.1" : "5.1.1.2", i % 5));
  const auto a = findings(items);
  std::reverse(items.begin() + 1, items.end());
  const auto b = findings(items);
  ASSERT_EQ(a.size(), 1U);
  ASSERT_EQ(b.size(), 1U);
  EXPECT_EQ(a[0].id, b[0].id);
  EXPECT_EQ(a[0].time, b[0].time);
  EXPECT_EQ(a[0].end, b[0].end);
  EXPECT_EQ(a[0].log_odds, b[0].log_odds);
  EXPECT_EQ(a[0].source_count, b[0].source_count);
  EXPECT_EQ(a[0].evidence.size(), b[0].evidence.size());
  EXPECT_EQ(a[0].records.size(), b[0].records.size());
}

TEST(Cases, IdsAreStableAndDistinct) {
  const auto id = [](const std::vector<Item>& items) { return findings(items)[0].id; };
  const std::string one = id({login(kNoon, "alice", "5.1.1.1", 1)});
  EXPECT_EQ(one.size(), 16U);
  // Written down: an id that changes breaks every reference to a finding outside of the program.
  EXPECT_EQ(one, "fa95a901be7df3ee");
  EXPECT_EQ(one, id({login(kNoon, "alice", "5.1.1.1", 5), login(kNoon + kHour, "alice", "5.1.1.2", 9)}))
      << "neither the score nor what comes later is part of it";
  std::set<std::string> ids = {one};
  EXPECT_TRUE(ids.insert(id({login(kNoon + kSecond, "alice", "5.1.1.1")})).second);
  EXPECT_TRUE(ids.insert(id({login(kNoon, "bob", "5.1.1.1")})).second);
  EXPECT_TRUE(ids.insert(id({login(kNoon, "alice", "5.1.2.1")})).second);
  EXPECT_TRUE(ids.insert(id({spray(kNoon, 1)})).second);
}

TEST(Cases, TheDurationReachesTheEndAndIsBounded) {
  Item i = login(kNoon, "alice", "5.1.1.1");
  i.event.duration = 2 * kHour;
  EXPECT_EQ(findings({i})[0].end, kNoon + 2 * kHour);
  i.event.duration = INT64_MAX;
  EXPECT_LT(findings({i})[0].end, kNoon + 400 * kDay);
  i.event.duration = -kHour;
  EXPECT_EQ(findings({i})[0].end, kNoon);
}

TEST(Cases, TheWeakestMakeRoom) {
  Cases cases;
  const std::size_t many = kMostFindings + kMostFindings / 2;
  for (std::size_t i = 0; i < many; ++i) {
    // The strong ones first, so that it is not age that saves the weak.
    add(cases,
        login(kNoon, ("user" + std::to_string(i)).c_str(), "5.1.1.1", i < 100 ? 9 : 1 + 1e-6 * static_cast<double>(i)));
    ASSERT_LE(cases.size(), kMostFindings);
  }
  EXPECT_EQ(cases.size() + cases.dropped(), many);
  EXPECT_GE(cases.size(), kMostFindings * 3 / 4 - 1) << "no more than a quarter goes at a time";
  const auto f = cases.take();
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(f[i].log_odds, 9);
  EXPECT_EQ(f[100].log_odds, 1 + 1e-6 * static_cast<double>(many - 1));
  EXPECT_EQ(cases.size(), 0U);
}

// A flood of findings that are all alike must not empty the list.
TEST(Cases, EqualsMakeRoomByAge) {
  Cases cases;
  for (std::size_t i = 0; i <= kMostFindings; ++i) {
    add(cases, login(kNoon + static_cast<core::Nanoseconds>(i), ("user" + std::to_string(i)).c_str(), "5.1.1.1", 1));
  }
  EXPECT_EQ(cases.size(), kMostFindings * 3 / 4 + 1);
  // What was kept goes on joining.
  add(cases, login(kNoon + kHour, ("user" + std::to_string(kMostFindings)).c_str(), "5.1.1.1", 1));
  EXPECT_EQ(cases.size(), kMostFindings * 3 / 4 + 1);
  const auto f = cases.take();
  EXPECT_EQ(f.front().time, kNoon + static_cast<core::Nanoseconds>(kMostFindings / 4)) << "the oldest are gone";
}

std::vector<Finding> changed(Cases& cases) {
  std::vector<Finding> out;
  cases.changed([&](Finding& f) { out.push_back(f); });
  return out;
}

TEST(Cases, TellsWhatChangedSinceTheLastTime) {
  Cases cases;
  add(cases, login(kNoon, "alice", "5.1.1.7", -5));
  add(cases, login(kNoon, "bob", "5.1.2.7", -6));
  add(cases, login(kNoon + kHour, "alice", "5.1.1.8", -4));
  auto told = changed(cases);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].user, "alice");
  EXPECT_EQ(told[0].source_count, 2U);
  EXPECT_GT(told[0].score, 0);
  EXPECT_FALSE(told[0].advice.empty());
  const std::string id = told[0].id;
  EXPECT_TRUE(changed(cases).empty());
  add(cases, login(kNoon - kHour, "alice", "5.1.1.9", -4));  // late: it begins earlier, but is the same finding
  Item again = login(kNoon + kHour, "alice", "5.1.1.8", -7);
  again.again = true;
  add(cases, again);
  told = changed(cases);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].id, id);
  EXPECT_EQ(told[0].time, kNoon - kHour);
  EXPECT_EQ(told[0].source_count, 3U);
  const auto all = cases.take();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(score::to_json(all[0]), score::to_json(told[0]));
  EXPECT_TRUE(changed(cases).empty());
}

TEST(Cases, ClosedFindingsLeave) {
  Cases cases;
  add(cases, login(kNoon, "alice", "5.1.1.7"));
  add(cases, exposure(kNoon, "5.8.1.1:22", 1));
  changed(cases);
  cases.forget_closed(kNoon + 37 * kDay);
  EXPECT_EQ(cases.size(), 2U);
  cases.forget_closed(kNoon + 37 * kDay + 1);
  EXPECT_EQ(cases.size(), 1U) << "a log-in joins for 7 days";
  add(cases, exposure(kNoon + 30 * kDay, "5.8.1.1:22", 2));
  EXPECT_EQ(cases.size(), 1U) << "the other one is found where it is now";
  EXPECT_EQ(changed(cases).at(0).source_count, 2U);
  cases.forget_closed(kNoon + 90 * kDay + 1);
  EXPECT_EQ(cases.size(), 0U);
  EXPECT_EQ(cases.dropped(), 0U) << "nothing was lost";
  add(cases, login(kNoon + 100 * kDay, "alice", "5.1.1.7"));
  EXPECT_EQ(changed(cases).size(), 1U);
}

// However often it is asked, what it told last of each finding is the same in the end.
TEST(Cases, WhatLeavesIsToldOnceMore) {
  std::vector<Item> items;
  std::mt19937 random(11);
  for (std::uint32_t i = 0; i < 3 * kMostFindings; ++i) {
    const auto at = kNoon + i * kSecond;
    const std::string user = "user" + std::to_string(random() % kMostFindings);
    const auto source = core::Ip::v4(0x05000000 + static_cast<std::uint32_t>(random() % 50'000) * 256);
    items.push_back(item(FindingKind::kLogin, at, user.c_str(), source, -static_cast<double>(random() % 1000) / 100));
    if (i % 50 == 0) items.push_back(spray(at, i, -9.5));
  }
  const auto last_told = [&](std::size_t every) {
    Cases cases;
    cases.tell_of_all();
    std::map<std::string, std::string> told;
    const auto ask = [&] { cases.changed([&](Finding& f) { told[f.id] = score::to_json(f, true); }); };
    for (std::size_t i = 0; i < items.size(); ++i) {
      add(cases, items[i]);
      if (i % every == 0 || cases.crowded()) ask();
    }
    ask();
    EXPECT_GT(cases.dropped(), kMostFindings);
    return told;
  };
  const auto often = last_told(97);
  EXPECT_GT(often.size(), 2 * kMostFindings);
  EXPECT_EQ(often, last_told(10'000'000)) << "only when it had to be asked";
  Cases hunt;
  for (const Item& i : items) add(hunt, i);
  EXPECT_FALSE(hunt.crowded()) << "nobody asks";
}

TEST(Cases, WhatIsStillToTellIsSaved) {
  Cases before;
  add(before, login(kNoon, "alice", "5.1.1.7"));
  changed(before);
  add(before, login(kNoon, "bob", "5.1.2.7"));
  core::ArchiveWriter writer;
  before.save(writer);
  ASSERT_TRUE(writer.finish());
  const std::string bytes = writer.take();
  core::ArchiveReader reader(bytes);
  Cases after;
  after.load(reader);
  ASSERT_TRUE(reader.finish());
  const auto told = changed(after);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].user, "bob");
  add(after, login(kNoon + kDay, "alice", "5.1.1.8"));
  add(before, login(kNoon + kDay, "alice", "5.1.1.8"));
  const auto x = before.take();
  const auto y = after.take();
  ASSERT_EQ(x.size(), 2U);
  ASSERT_EQ(y.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(score::to_json(x[i], true), score::to_json(y[i], true));
}

}  // namespace
}  // namespace orbwatch::track

#include "track/cases.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "score/combine.h"
#include "score/persist.h"

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
  bool weak = false;
  Story story;
  baseline::Client client;
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
  e.says = "because of " + i.event.source_ip.text();
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
  s.weak = i.weak;
  s.story = i.story;
  s.tried_from.ip = i.story.tried_from;
  s.new_client = i.client;
  cases.add(std::move(s));
}
std::vector<Finding> findings(const std::vector<Item>& items) {
  Cases cases;
  for (const Item& i : items) add(cases, i);
  return cases.take();
}

std::vector<Finding> changed(Cases& cases) {
  std::vector<Finding> out;
  cases.changed([&](Finding& f) { out.push_back(f); });
  return out;
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
  EXPECT_EQ(f[0].source.ip.text(), "5.1.1.9") << "the strongest log-in's";
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

TEST(Cases, TheLogInsOfOneUserAreOneFindingWhateverTheirNetworks) {
  const auto f = findings({login(kNoon, "alice", "5.1.1.1", 1), login(kNoon + 6 * kDay, "alice", "5.2.1.1", 3),
                           login(kNoon + 12 * kDay, "alice", "2a00:1::1", 2)});
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].log_odds, 3);
  EXPECT_EQ(f[0].source.ip.text(), "5.2.1.1");
  EXPECT_EQ(f[0].source_count, 3U);
  ASSERT_EQ(f[0].evidence.size(), 1U) << "of the strongest log-in alone";
  EXPECT_EQ(f[0].evidence[0].says, "because of 5.2.1.1");
  ASSERT_EQ(f[0].timeline.size(), 3U);
  EXPECT_EQ(f[0].timeline[0].time, kNoon);
  EXPECT_EQ(f[0].timeline[2].source.ip.text(), "2a00:1::1");
  EXPECT_EQ(f[0].timeline[2].log_odds, 2);
  EXPECT_EQ(f[0].timeline[2].says, "because of 2a00:1::1");
}

TEST(Cases, AFindingLastsForTwoWeeksAtMost) {
  std::vector<Item> items;
  for (int day = 0; day <= 14; day += 7) items.push_back(login(kNoon + day * kDay, "alice", "5.1.1.1"));
  EXPECT_EQ(findings(items).size(), 1U);
  items.push_back(login(kNoon + 14 * kDay + kSecond, "alice", "5.1.1.1"));
  const auto f = findings(items);
  ASSERT_EQ(f.size(), 2U) << "else who travels for good would have one without an end";
  // One that is judged late may lie before the finding, and does not stretch it either.
  const Item later = login(kNoon + 10 * kDay, "alice", "5.1.1.1");
  EXPECT_EQ(findings({later, login(kNoon + 3 * kDay, "alice", "5.2.1.1")}).size(), 1U);
  EXPECT_EQ(findings({later, login(kNoon + 3 * kDay - kSecond, "alice", "5.2.1.1")}).size(), 2U);
  EXPECT_EQ(findings({later, login(kNoon + 17 * kDay, "alice", "5.1.1.1"),
                      login(kNoon + 3 * kDay - kSecond, "alice", "5.2.1.1")})
                .size(),
            2U);
}

TEST(Cases, AWeakLogInJoinsOnlyFromANetworkThatTheFindingKnows) {
  Cases cases;
  add(cases, login(kNoon, "alice", "5.1.1.1", 1));
  EXPECT_TRUE(cases.joins(login(kNoon + kDay, "alice", "5.1.1.9").event));
  EXPECT_FALSE(cases.joins(login(kNoon + kDay, "alice", "5.2.1.1").event));
  add(cases, login(kNoon + kHour, "alice", "5.2.1.1", 1));
  EXPECT_TRUE(cases.joins(login(kNoon + kDay, "alice", "5.2.1.1").event));
  Item weak = login(kNoon + kDay, "alice", "5.2.1.7", -9);
  weak.weak = true;
  add(cases, weak);
  EXPECT_TRUE(cases.has(weak.event));
  EXPECT_FALSE(cases.joins(login(kNoon + 14 * kDay + kSecond, "alice", "5.1.1.9").event));
  const auto f = cases.take();
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].timeline.size(), 3U);
  EXPECT_EQ(f[0].log_odds, 1);
}

TEST(Cases, IfTheStrongestIsFoundWeakerTheNextOneLeads) {
  Item first = login(kNoon, "alice", "5.1.1.1", 3);
  first.evidence = "new-network";
  Item second = login(kNoon + kHour, "alice", "5.2.1.1", 2);
  second.evidence = "unusual-time";
  second.event.observer = core::intern("fw2");
  Cases cases;
  add(cases, first);
  add(cases, second);
  const std::string id(cases.finding_of(first.event));
  EXPECT_EQ(cases.finding_of(second.event), id);
  add(cases, again(first, -5));
  EXPECT_EQ(cases.finding_of(first.event), id);
  auto f = cases.take();
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].id, id);
  EXPECT_EQ(f[0].log_odds, 2);
  EXPECT_EQ(f[0].source.ip.text(), "5.2.1.1");
  EXPECT_EQ(f[0].gateway, "fw2");
  ASSERT_EQ(f[0].evidence.size(), 1U);
  EXPECT_EQ(f[0].evidence[0].kind, "unusual-time");
  EXPECT_EQ(f[0].timeline[0].log_odds, -5) << "it stays in the timeline as it is seen now";
}

// Two log-ins of one second from two networks are two; each keeps its own score.
TEST(Cases, ALogInIsKnownByItsTimeAndAddress) {
  const Item one = login(kNoon, "alice", "5.1.1.1", 3);
  const Item other = login(kNoon, "alice", "5.2.1.1", 2);
  const auto f = findings({one, other, again(one, 1)});
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].log_odds, 2);
  EXPECT_EQ(f[0].timeline.size(), 2U);
}

TEST(Cases, ALogInIsFoundAgainBehindLaterFindingsOfTheUser) {
  Cases cases;
  const Item first = login(kNoon, "alice", "5.1.1.1", 3);
  add(cases, first);
  const std::string id(cases.finding_of(first.event));
  for (int i = 1; i < 5; ++i) add(cases, login(kNoon + i * 15 * kDay, "alice", "5.3.1.1", 2));
  ASSERT_EQ(cases.size(), 5U);
  EXPECT_EQ(cases.finding_of(first.event), id);
  add(cases, again(first, 7));
  EXPECT_EQ(cases.size(), 5U);
  const auto f = cases.take();
  EXPECT_EQ(f[0].id, id);
  EXPECT_EQ(f[0].log_odds, 7);
}

TEST(Cases, OfMoreLogInsThanAreListedTheStrongestStay) {
  Cases cases;
  for (int i = 0; i < 150; ++i)
    add(cases, login(kNoon + i * kMinute, "alice", "5.1.1.1", i == 3 ? 9 : 1 + static_cast<double>(i) / 1000));
  const std::vector<core::Ip> sources = {*core::Ip::parse("5.1.1.1")};
  auto f = changed(cases);
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].log_odds, 9);
  EXPECT_EQ(f[0].timeline.size(), Finding::kMostListed);
  EXPECT_EQ(f[0].timeline[0].time, kNoon + 3 * kMinute);
  EXPECT_EQ(f[0].timeline[1].time, kNoon + 51 * kMinute);
  EXPECT_EQ(cases.logins_of(f[0].id, sources).size(), Finding::kMostListed);
  EXPECT_TRUE(cases.has(login(kNoon, "alice", "5.1.1.1").event)) << "it is in it, though it is not listed";
}

TEST(Cases, TheTimelineTellsWhatSurroundsTheLogIns) {
  Item i = login(kNoon, "alice", "5.1.1.1", 3);
  i.story.tried_at = kNoon - kDay;
  i.story.tried_from = *core::Ip::parse("5.7.7.7");
  Story::Session session;
  session.end = kNoon + 4 * kHour;
  session.ip = i.event.source_ip;
  session.shape.length = 3 * kHour + 12 * kMinute;
  session.shape.destination_bytes = 1'200'000'000;
  session.shape.source_bytes = 40'000'000;
  i.story.add(session);
  i.story.add(session);  // told twice
  session.end += kHour;
  session.shape = {};
  session.shape.length = 40 * kSecond;
  i.story.add(session);
  Item second = login(kNoon + kMinute, "alice", "5.2.1.1", 1);
  second.story.tried_at = i.story.tried_at;  // the same try
  second.story.tried_from = i.story.tried_from;
  const auto f = findings({i, second});
  ASSERT_EQ(f.size(), 1U);
  const auto& steps = f[0].timeline;
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(steps[0].what, score::Step::kFailedLogin);
  EXPECT_EQ(steps[0].source.ip.text(), "5.7.7.7");
  EXPECT_FALSE(steps[0].log_odds);
  EXPECT_EQ(steps[1].what, score::Step::kLogin);
  EXPECT_EQ(steps[1].log_odds, 3);
  EXPECT_EQ(steps[3].what, score::Step::kSessionEnd);
  EXPECT_EQ(steps[3].says, "lasted 3.2 hours, 1.2 GB to the client, 40 MB from it");
  EXPECT_EQ(steps[4].says, "lasted 40 seconds");
  EXPECT_EQ(f[0].timeline_count, 5U);
}

TEST(Cases, TheTimelineIsBoundedAndSaysHowManyStepsThereWere) {
  std::vector<Item> items;
  for (int i = 0; i < 60; ++i) {
    items.push_back(login(kNoon + i * kHour, "alice", "5.1.1.1", i));
    items.back().story.tried_at = kNoon + i * kHour - kMinute;
    items.back().story.tried_from = *core::Ip::parse("5.7.7.7");
  }
  const auto f = findings(items);
  ASSERT_EQ(f.size(), 1U);
  EXPECT_EQ(f[0].timeline.size(), Finding::kMostListed);
  EXPECT_EQ(f[0].timeline_count, 120U);
  EXPECT_EQ(std::ranges::count(f[0].timeline, score::Step::kLogin, &score::TimelineEntry::what), 60);
  EXPECT_EQ(f[0].timeline.front().what, score::Step::kLogin) << "tries before the weakest are left out";
  Story story;
  for (int i = 0; i < 20; ++i) story.add({kNoon + i * kHour, {}, {}});
  EXPECT_EQ(story.sessions.size(), Story::kMostSessions);
}

TEST(Cases, ASprayAndALogInAfterATryNameEachOther) {
  Cases cases;
  add(cases, spray(kNoon, 1));
  Item after = login(kNoon + kHour, "alice", "5.1.1.1", 3);
  after.evidence = "after-spray";
  add(cases, after);
  add(cases, again(after, 4));
  Item other = login(kNoon + kHour, "bob", "5.1.1.1", 3);
  add(cases, other);
  Item late = login(kNoon + 37 * kHour, "carol", "5.1.1.1", 3);
  late.evidence = "sprayer-success";
  add(cases, late);
  std::map<std::string, Finding> f;
  for (Finding& one : cases.take()) f[one.kind == FindingKind::kSpray ? "spray" : one.user] = one;
  ASSERT_EQ(f.size(), 4U);
  EXPECT_EQ(f["alice"].related, f["spray"].id);
  EXPECT_EQ(f["bob"].related, "") << "nothing says that it has to do with the spray";
  EXPECT_EQ(f["carol"].related, "") << "the spray was over";
  ASSERT_EQ(f["spray"].timeline.size(), 1U) << "once, though it was judged twice";
  EXPECT_EQ(f["spray"].timeline[0].says, "alice logged in from 5.1.1.1 after a try");
  EXPECT_EQ(f["spray"].timeline[0].finding, f["alice"].id);
  EXPECT_EQ(f["spray"].timeline[0].time, kNoon + kHour);
}

TEST(Cases, ClientsAndTimesAreThoseOfTheSourcesAskedFor) {
  Cases cases;
  Item one = login(kNoon, "alice", "5.1.1.1", 3);
  one.client.software = core::intern("client 1");
  Item other = login(kNoon + kHour, "alice", "5.2.1.1", 2);
  other.client.software = core::intern("client 2");
  add(cases, one);
  add(cases, other);
  const std::string id(cases.finding_of(one.event));
  const std::vector<core::Ip> both = {one.event.source_ip, other.event.source_ip};
  EXPECT_EQ(cases.clients_of(id, both).size(), 2U);
  EXPECT_EQ(cases.logins_of(id, both), (std::vector<core::Nanoseconds>{kNoon, kNoon + kHour}));
  const std::vector<core::Ip> second = {other.event.source_ip};
  EXPECT_EQ(cases.clients_of(id, second), (std::vector<baseline::Client>{other.client}));
  EXPECT_EQ(cases.logins_of(id, second), (std::vector<core::Nanoseconds>{kNoon + kHour}));
  EXPECT_TRUE(cases.logins_of("no such", both).empty());
}

TEST(Cases, WhatIsApartStaysApart) {
  EXPECT_EQ(findings({login(kNoon, "alice", "5.1.1.1"), login(kNoon, "bob", "5.1.1.1")}).size(), 2U);
  EXPECT_EQ(findings({login(kNoon, "alice", "5.1.1.1"), login(kNoon, "alice", "5.9.2.1")}).size(), 1U);
  EXPECT_EQ(findings({login(kNoon, "", "5.1.1.1"), login(kNoon, "", "5.9.2.1")}).size(), 2U)
      << "nobody is not one person";
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
  items.push_back(spray(items.back().event.time + 36 * kHour + kSecond, 999));
  EXPECT_EQ(findings(items).size(), 2U) << "one and a half days of silence end it";
}

TEST(Cases, TheStrangersOfAnOrdinaryDayAreNoPartOfASpray) {
  const double weak = score::prior_log_odds(FindingKind::kSpray) - 0.5;
  std::vector<Item> items;
  const auto every_hour = [&](int from, int to, double log_odds) {
    for (int hour = from; hour < to; ++hour)
      items.push_back(spray(kNoon + hour * kHour, static_cast<std::uint32_t>(hour), log_odds));
  };
  every_hour(0, 100, weak);
  every_hour(100, 150, 2);
  every_hour(150, 300, weak);
  const auto f = findings(items);
  ASSERT_EQ(f.size(), 3U) << "before, the spray, behind";
  EXPECT_EQ(f[0].time, kNoon + 100 * kHour);
  EXPECT_EQ(f[0].end, kNoon + 149 * kHour) << "what comes in the half day behind it is listed";
  EXPECT_EQ(f[0].source_count, 62U);
  EXPECT_EQ(f[1].time, kNoon);
  EXPECT_EQ(f[1].end, kNoon + 99 * kHour);
  EXPECT_EQ(f[2].time, kNoon + 162 * kHour);
  // A pause of a night does not end it, whatever comes meanwhile; what led up to it is a part of it.
  items.clear();
  every_hour(0, 10, weak);
  every_hour(10, 15, 2);
  every_hour(15, 40, weak);
  every_hour(40, 45, 2);
  const auto g = findings(items);
  ASSERT_EQ(g.size(), 2U);
  EXPECT_EQ(g[0].time, kNoon);
  EXPECT_EQ(g[0].end, kNoon + 44 * kHour);
  EXPECT_EQ(g[1].time, kNoon + 27 * kHour) << "beside it, from half a day behind the first part on";
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
    items.push_back(spray(kNoon, 1, odds));
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
    const std::string user = "user" + std::to_string(random() % (20 * kMostFindings));
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

std::string saved(const Cases& cases) {
  core::ArchiveWriter writer;
  cases.save(writer);
  EXPECT_TRUE(writer.finish());
  return writer.take();
}

TEST(Cases, AllOfALogInIsSaved) {
  Cases before;
  add(before, spray(kNoon, 1));
  Item i = login(kNoon + kHour, "alice", "5.1.1.1", 3);
  i.evidence = "after-spray";
  i.story.tried_at = kNoon;
  i.story.tried_from = *core::Ip::parse("5.7.7.7");
  i.story.add({kNoon + 2 * kHour, i.event.source_ip, {kHour, 10, 20}});
  i.client.software = core::intern("client 1");
  add(before, i);
  const Item second = login(kNoon + 2 * kHour, "alice", "5.2.1.1", 2);
  add(before, second);
  add(before, login(kNoon + 20 * kDay, "alice", "5.2.1.1", 2));
  const std::string bytes = saved(before);
  core::ArchiveReader reader(bytes);
  Cases after;
  after.load(reader);
  ASSERT_TRUE(reader.finish()) << reader.check().error().text();
  const std::string id(before.finding_of(i.event));
  EXPECT_EQ(after.finding_of(i.event), id);
  const std::vector<core::Ip> sources = {i.event.source_ip};
  EXPECT_EQ(after.clients_of(id, sources), before.clients_of(id, sources));
  for (Cases* cases : {&before, &after}) {
    add(*cases, again(i, -4));
    add(*cases, login(kNoon + 3 * kDay, "alice", "5.4.1.1", 1));
  }
  const auto x = before.take();
  const auto y = after.take();
  ASSERT_EQ(x.size(), 3U);
  ASSERT_EQ(y.size(), 3U);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(score::to_json(x[k], true), score::to_json(y[k], true));
  EXPECT_NE(score::to_json(y[1]).find("\"related\""), std::string::npos) << "what is compared has it all";
}

// A state of the layout before: a finding a network, its log-ins known by time and score.
TEST(Cases, AStateOfTheLayoutBeforeIsRead) {
  const Item first = login(kNoon, "alice", "5.1.1.1", 3);
  const Item second = login(kNoon + kHour, "alice", "5.1.1.1", 2);
  Cases now;
  add(now, first);
  add(now, second);
  Finding f = now.take()[0];
  f.sources = {f.source};
  f.users = {"alice"};
  core::ArchiveWriter writer;
  writer.section("cases", 3);
  absl::flat_hash_map<std::string, std::size_t> open = {{"login|alice|5.1.1.0/24", 0}};
  absl::flat_hash_map<std::string, std::size_t> by_id = {{f.id, 0}};
  writer.count(1);
  writer(f, absl::flat_hash_set<core::Ip>{first.event.source_ip}, absl::flat_hash_set<std::string>{"alice"}, false);
  writer.count(2);
  writer.moment(first.event.time);
  writer(3.0);
  writer.moment(second.event.time);
  writer(2.0);
  writer(std::string());  // suppressed_by
  writer.count(1);
  writer(core::intern("client 1"), core::Symbol());
  writer(open, by_id, std::vector<std::size_t>{}, std::uint64_t{0}, std::vector<Finding>{});
  ASSERT_TRUE(writer.finish());
  const std::string bytes = writer.take();
  core::ArchiveReader reader(bytes);
  Cases cases;
  cases.load(reader);
  ASSERT_TRUE(reader.finish());
  EXPECT_EQ(cases.finding_of(first.event), f.id);
  EXPECT_EQ(cases.finding_of(second.event), f.id);
  const std::vector<core::Ip> sources = {first.event.source_ip};
  EXPECT_EQ(cases.logins_of(f.id, sources).size(), 2U);
  EXPECT_EQ(cases.clients_of(f.id, sources).size(), 1U);
  add(cases, login(kNoon + kDay, "alice", "5.9.9.9", 1));
  EXPECT_EQ(cases.size(), 1U) << "it goes on joining, now by user";
  add(cases, again(first, 1.5));
  auto told = changed(cases);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].id, f.id);
  EXPECT_EQ(told[0].log_odds, 1.5) << "that layout kept no evidence of the second one";
  EXPECT_EQ(told[0].timeline.size(), 3U);
}

}  // namespace
}  // namespace orbwatch::track

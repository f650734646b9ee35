#include "pipeline/judge.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>

namespace orbwatch::pipeline {
namespace {

using core::Ip;
using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;
using core::Nanoseconds;
using event::Activity;
using event::Class;
using event::Event;
using event::Outcome;

constexpr Nanoseconds kMonday = 1'795'392'000 * kSecond;  // 2026-11-23T00:00:00Z
const Ip kHome = *Ip::parse("5.1.1.7");
const Ip kAbroad = *Ip::parse("5.3.1.7");

// Facts without a table: networks that the organisation declared.
intel::DeclaredNetwork network(const char* prefix, core::NetworkType type, const char* country, float latitude,
                               float longitude, bool own = false) {
  intel::DeclaredNetwork n;
  n.prefix = *core::Prefix::parse(prefix);
  n.name = prefix;
  n.type = type;
  n.country = country;
  n.latitude = latitude;
  n.longitude = longitude;
  n.own = own;
  return n;
}
std::shared_ptr<const intel::Organisation> organisation() {
  return std::make_shared<const intel::Organisation>(
      *intel::Organisation::make({network("5.1.0.0/16", core::NetworkType::kConsumer, "DE", 52.5F, 13.4F),
                                  network("5.3.0.0/16", core::NetworkType::kConsumer, "US", 40.7F, -74.0F),
                                  network("5.8.0.0/16", core::NetworkType::kBusiness, "DE", 52.5F, 13.4F, true)}));
}

class JudgeTest : public ::testing::Test {
 protected:
  void take(Event e) {
    e.source_facts = enricher_.lookup(e.source_ip);
    e.destination_facts = enricher_.lookup(e.destination_ip);
    judge_->take(e, batch_);
  }
  static Event session(Nanoseconds time, const char* user, const Ip& source, Activity activity = Activity::kStart) {
    Event e;
    e.time = time;
    e.event_class = Class::kSession;
    e.activity = activity;
    e.service = event::Service::kVpn;
    e.user = core::intern(user);
    e.observer = core::intern("fw1");
    e.source_ip = source;
    e.record.line = 7;
    return e;
  }
  static Event failure(Nanoseconds time, const char* user, const Ip& source) {
    Event e = session(time, user, source, Activity::kLogon);
    e.event_class = Class::kAuthentication;
    e.outcome = Outcome::kFailure;
    return e;
  }
  static Event flow(Nanoseconds time, const char* source, const char* destination, std::uint16_t port) {
    Event e;
    e.time = time;
    e.event_class = Class::kFlow;
    e.activity = Activity::kTraffic;
    e.protocol = 6;
    e.source_ip = *Ip::parse(source);
    e.destination_ip = *Ip::parse(destination);
    e.source_port = 40000;
    e.destination_port = port;
    e.source_packets = e.destination_packets = 10;
    e.source_bytes = e.destination_bytes = 5000;
    return e;
  }
  // Weekdays of work from home, each log-in ended in the evening.
  Nanoseconds work(Nanoseconds from, int days, const char* user = "alice") {
    for (int d = 0; d < days; ++d, from += kDay) {
      take(session(from + 8 * kHour, user, kHome));
      take(session(from + 17 * kHour, user, kHome, Activity::kEnd));
    }
    return from;
  }
  const baseline::UserProfile& alice() { return *judge_->baseline().user(core::intern("alice")); }
  bool knows_abroad() { return alice().prefixes.contains(baseline::prefix_key(kAbroad)); }
  score::HuntResult finish() {
    score::HuntResult result;
    judge_->finish(result);
    return result;
  }
  void with_indicators(const char* list) {
    indicators_.add_list(list, "list.txt");
    judge_ = std::make_unique<Judge>(enricher_, &indicators_, 5, names_);
  }

  enrich::Enricher enricher_{nullptr, organisation()};
  std::vector<std::string> names_ = {"vpn.log"};
  event::EventBatch batch_;
  intel::Indicators indicators_;
  std::unique_ptr<Judge> judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_);
};

const score::HypothesisReport& of(const score::HuntResult& result, std::string_view detector) {
  return *std::find_if(result.hypotheses.begin(), result.hypotheses.end(),
                       [&](const auto& h) { return h.detector == detector; });
}

TEST_F(JudgeTest, ACovertLogInIsFoundAndDoesNotTeachTheBaseline) {
  const Nanoseconds day = work(kMonday, 40);
  take(session(day + 8 * kHour, "alice", kHome));
  take(session(day + 9 * kHour, "alice", kAbroad));  // an ocean further within the hour
  work(day + kDay, 5);
  EXPECT_FALSE(knows_abroad());
  EXPECT_EQ(judge_->baseline().quarantined(), 1U);
  const score::HuntResult result = finish();
  ASSERT_EQ(result.findings.size(), 1U);
  const score::Finding& f = result.findings[0];
  EXPECT_TRUE(f.alert);
  EXPECT_EQ(f.user, "alice");
  EXPECT_EQ(f.source.ip, kAbroad);
  EXPECT_EQ(f.source.country, "US");
  EXPECT_EQ(f.gateway, "fw1");
  EXPECT_EQ(f.outcome, "success");
  ASSERT_EQ(f.records.size(), 1U);
  EXPECT_EQ(f.records[0].file, "vpn.log");
  EXPECT_EQ(f.records[0].line, 7U);
  const auto has = [&](std::string_view kind) {
    return std::any_of(f.evidence.begin(), f.evidence.end(),
                       [&](const auto& e) { return e.kind == kind && !e.says.empty(); });
  };
  EXPECT_TRUE(has("new-network"));
  EXPECT_TRUE(has("impossible-travel"));
  EXPECT_TRUE(has("new-country"));
}

TEST_F(JudgeTest, RepeatingACovertLogInDoesNotMakeItOrdinary) {
  Nanoseconds day = work(kMonday, 40);
  for (int i = 0; i < 8; ++i, day += kDay) {
    take(session(day + 8 * kHour, "alice", kHome));
    take(session(day + 9 * kHour, "alice", kAbroad));
    take(session(day + 10 * kHour, "alice", kAbroad, Activity::kEnd));
    take(session(day + 17 * kHour, "alice", kHome, Activity::kEnd));
  }
  work(day, 1);
  EXPECT_FALSE(knows_abroad());
  EXPECT_EQ(judge_->baseline().quarantined(), 8U);
}

TEST_F(JudgeTest, ComingHomeTooSoonShedsLightOnALogIn) {
  const auto log_odds = [&](Nanoseconds back) {
    judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_);
    const Nanoseconds day = work(kMonday, 40);
    take(session(day + 20 * kHour, "alice", kAbroad));  // three hours after she left; the way takes more than twelve
    take(session(day + back, "alice", kHome));
    const score::HuntResult result = finish();
    const auto found = std::ranges::find_if(result.findings, [](const auto& f) { return f.source.ip == kAbroad; });
    EXPECT_NE(found, result.findings.end());
    if (found == result.findings.end()) return 0.0;
    const bool told = std::ranges::any_of(found->evidence, [](const auto& e) { return e.kind == "back-too-soon"; });
    EXPECT_TRUE(told);
    EXPECT_EQ(std::ranges::count_if(result.findings, [](const auto& f) { return f.source.ip == kAbroad; }), 1)
        << "the same finding, with one reason more";
    return found->log_odds;
  };
  EXPECT_GT(log_odds(22 * kHour), log_odds(4 * kDay) + 1);
}

const score::Finding* from(const score::HuntResult& result, const Ip& source) {
  const auto found = std::ranges::find_if(result.findings, [&](const auto& f) { return f.source.ip == source; });
  return found == result.findings.end() ? nullptr : &*found;
}
bool says(const score::Finding& finding, std::string_view kind) {
  return std::ranges::any_of(finding.evidence, [&](const auto& e) { return e.kind == kind; });
}

TEST_F(JudgeTest, StrangeLogInsOfOneUserSpeakForEachOther) {
  const Ip elsewhere = *Ip::parse("5.4.1.7");
  const auto log_odds = [&](const char* other_user) {
    judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_);
    Nanoseconds day = kMonday;
    for (int d = 0; d < 40; ++d, day += kDay) {
      take(session(day + 8 * kHour, "alice", kHome));
      take(session(day + 8 * kHour, "bob", kHome));
    }
    take(session(day + 20 * kHour, "alice", kAbroad));
    take(session(day + 3 * kDay, other_user, elsewhere));
    const score::HuntResult result = finish();
    // The log-ins of one user are one finding; each has its score in the timeline.
    const bool one_user = std::string_view(other_user) == "alice";
    std::set<std::string> ids;
    const auto scored = [&](const Ip& source) {
      for (const score::Finding& f : result.findings) {
        const auto step = std::ranges::find_if(f.timeline, [&](const auto& s) { return s.source.ip == source; });
        if (step == f.timeline.end()) continue;
        EXPECT_EQ(says(f, "other-login"), one_user);
        ids.insert(f.id);
        return step->log_odds.value_or(0);
      }
      ADD_FAILURE() << source.text();
      return 0.0;
    };
    const double first = scored(kAbroad);
    const double second = scored(elsewhere);
    EXPECT_EQ(ids.size(), one_user ? 1U : 2U);
    return std::pair(first, second);
  };
  const auto together = log_odds("alice");
  const auto apart = log_odds("bob");
  EXPECT_GT(together.first, apart.first + 1);
  EXPECT_GT(together.second, apart.second + 1);
}

// A sensor sees the handshake, the gateway the log-in: the address and the moment join them.
TEST_F(JudgeTest, TheHandshakeBeforeALogInIsItsClients) {
  const auto handshake = [&](Nanoseconds time, const Ip& source, const char* fingerprint) {
    Event e;
    e.time = time;
    e.event_class = Class::kHandshake;
    e.source_ip = source;
    e.destination_ip = *Ip::parse("5.8.0.1");
    e.fingerprint = core::intern(fingerprint);
    take(e);
  };
  const auto says_of = [&](Nanoseconds before) {
    judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_);
    Nanoseconds day = kMonday;
    for (int d = 0; d < 20; ++d, day += kDay) {
      handshake(day + 8 * kHour - kSecond, kHome, "t13d-own");
      take(session(day + 8 * kHour, "alice", kHome));
      take(session(day + 17 * kHour, "alice", kHome, Activity::kEnd));
    }
    handshake(day + 9 * kHour - before, kAbroad, "t13d-evil");
    take(session(day + 9 * kHour, "alice", kAbroad));
    const score::HuntResult result = finish();
    const score::Finding* f = from(result, kAbroad);
    EXPECT_NE(f, nullptr);
    if (f == nullptr) return std::string();
    const auto found = std::ranges::find(f->evidence, "unusual-fingerprint", &detect::Evidence::kind);
    return found == f->evidence.end() ? std::string() : found->says;
  };
  EXPECT_EQ(says_of(2 * kSecond), "the client's handshake is new to alice (t13d-evil); 0 % of log-ins here have it");
  EXPECT_EQ(says_of(kHour), "") << "somebody's, an hour before";
}

TEST_F(JudgeTest, WhatFollowsTellsAMoveFromAnIntruder) {
  const auto finding = [&](bool moves) {
    judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_);
    const Nanoseconds day = work(kMonday, 40);
    if (!moves) take(session(day + 8 * kHour, "alice", kHome));
    take(session(day + 20 * kHour, "alice", kAbroad));
    for (int d = 1; d < 20; ++d) take(session(day + d * kDay + 8 * kHour, "alice", moves ? kAbroad : kHome));
    const score::HuntResult result = finish();
    const score::Finding* f = from(result, kAbroad);
    EXPECT_TRUE(f != nullptr && says(*f, "what-followed"));
    return f == nullptr ? score::Finding{} : *f;
  };
  EXPECT_LT(finding(true).log_odds, finding(false).log_odds - 1);
}

// The session ends hours after the log-in was judged: then it is judged once more.
TEST_F(JudgeTest, ASessionIsTellingWhenItEnds) {
  const auto ends = [&](Nanoseconds start, const Ip& source, Nanoseconds lasts) {
    Event e = session(start + lasts, "alice", source);
    e.activity = event::Activity::kEnd;
    e.duration = lasts;
    return e;
  };
  const auto finding = [&](Nanoseconds lasts) {
    judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_);
    Nanoseconds day = kMonday;
    for (int d = 0; d < 40; ++d, day += kDay) {
      take(session(day + 8 * kHour, "alice", kHome));
      take(ends(day + 8 * kHour, kHome, 7 * kHour));
    }
    take(session(day + 8 * kHour, "alice", kAbroad));
    take(ends(day + 8 * kHour, kAbroad, lasts));
    const score::HuntResult result = finish();
    const score::Finding* f = from(result, kAbroad);
    EXPECT_TRUE(f != nullptr && says(*f, "session-length"));
    return f == nullptr ? score::Finding{} : *f;
  };
  EXPECT_GT(finding(20 * core::kMinute).log_odds, finding(7 * kHour).log_odds + 1);
  EXPECT_GT(finding(core::kMinute).log_odds, finding(7 * kHour).log_odds + 0.5) << "over before it was judged";
}

class JudgeOfSessionsTest : public JudgeTest {
 protected:
  // Whole days at home, soon after a day so strange that nothing here alarms.
  Nanoseconds some_weeks() {
    judge_ = std::make_unique<Judge>(enricher_, nullptr, 0.001, names_);
    Nanoseconds day = work(kMonday, 20, "mallory");
    take(session(day + 8 * kHour, "mallory", kHome));
    const Ip strange = *Ip::parse("5.3.200.7");
    for (const char* other : {"dave", "erin", "frank"}) take(failure(day + 8 * kHour, other, strange));
    take(session(day + 9 * kHour, "mallory", strange));
    day += kDay;
    for (int d = 0; d < 25; ++d, day += kDay) visit(day, "alice", kHome, 7 * kHour);
    return day;
  }
  void visit(Nanoseconds day, const char* user, const Ip& source, Nanoseconds lasts) {
    take(session(day + 8 * kHour, user, source));
    Event end = session(day + 8 * kHour + lasts, user, source, Activity::kEnd);
    end.duration = lasts;
    take(end);
  }
};

TEST_F(JudgeOfSessionsTest, AFurtherLogInIsJudgedWithWhatTheSessionsBeforeTold) {
  const auto second = [&](Nanoseconds first_lasts) {
    const Nanoseconds day = some_weeks();
    visit(day, "alice", kAbroad, first_lasts);
    const Nanoseconds at = day + 2 * kDay + 8 * kHour;
    take(session(at, "alice", kAbroad));
    const score::HuntResult result = finish();
    const auto f = std::ranges::find(result.findings, "alice", &score::Finding::user);
    if (f == result.findings.end()) {
      ADD_FAILURE() << "no finding";
      return 0.0;
    }
    const auto step = std::ranges::find(f->timeline, at, &score::TimelineEntry::time);
    EXPECT_NE(step, f->timeline.end());
    return step == f->timeline.end() ? 0.0 : step->log_odds.value_or(0);
  };
  EXPECT_GT(second(5 * kMinute), second(7 * kHour) + 1);
}

TEST_F(JudgeOfSessionsTest, TheFirstLogInOfAnAccountIsJudgedAgainWhenItsSessionEnds) {
  const auto first = [&](Nanoseconds lasts) {
    const Nanoseconds day = some_weeks();
    for (const char* other : {"dave", "erin", "frank"}) take(failure(day + 7 * kHour, other, kAbroad));
    visit(day, "carol", kAbroad, lasts);
    const score::HuntResult result = finish();
    const auto f = std::ranges::find(result.findings, "carol", &score::Finding::user);
    if (f == result.findings.end()) {
      ADD_FAILURE() << "no finding";
      return 0.0;
    }
    EXPECT_TRUE(says(*f, "first-log-in") && says(*f, "session-length"));
    return f->log_odds;
  };
  EXPECT_GT(first(5 * kMinute), first(7 * kHour) + 1);
}

// What a session does inside, by the connections of the address that the gateway gave to it.
class JudgeOfTunnelsTest : public JudgeTest {
 protected:
  JudgeOfTunnelsTest() {
    for (int d = 0; d < 40; ++d, day_ += kDay) {
      const Nanoseconds at = log_in(day_ + 8 * kHour, kHome);
      for (int i = 1; i <= 8; ++i) reach(at + i * kMinute, i);
      if (d % 5 == 4) reach(at + kHour, 40 + d);  // once in a while another
      take(session(at + 8 * kHour, "alice", kHome, Activity::kEnd));
    }
  }
  Nanoseconds log_in(Nanoseconds at, const Ip& source) {
    Event e = session(at, "alice", source);
    e.assigned_ip = inner_;
    take(e);
    return at;
  }
  void reach(Nanoseconds at, int host) { take(flow(at, "10.20.0.5", ("10.1.0." + std::to_string(host)).c_str(), 445)); }
  score::Finding finding() {
    const score::HuntResult result = finish();
    const score::Finding* f = from(result, kAbroad);
    EXPECT_NE(f, nullptr);
    return f == nullptr ? score::Finding{} : *f;
  }
  const Ip inner_ = *Ip::parse("10.20.0.5");
  Nanoseconds day_ = kMonday;
};

TEST_F(JudgeOfTunnelsTest, ASessionIsToldByWhatItReaches) {
  const auto judged = [&](int first) {
    const Nanoseconds at = log_in(day_ + 8 * kHour, kAbroad);
    for (int i = 0; i < 8; ++i) reach(at + (i + 1) * kMinute, first + i);
    take(session(at + 8 * kHour, "alice", kAbroad, Activity::kEnd));
    return finding();
  };
  const score::Finding looks_around = judged(100);
  EXPECT_TRUE(says(looks_around, "new-destinations"));
  EXPECT_TRUE(says(looks_around, "rare-destinations"));
  EXPECT_TRUE(says(looks_around, "usual-destinations"));
  judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_);
  day_ = kMonday;
  for (int d = 0; d < 40; ++d, day_ += kDay) {
    const Nanoseconds at = log_in(day_ + 8 * kHour, kHome);
    for (int i = 1; i <= 8; ++i) reach(at + i * kMinute, i);
    if (d % 5 == 4) reach(at + kHour, 40 + d);
    take(session(at + 8 * kHour, "alice", kHome, Activity::kEnd));
  }
  const score::Finding works = judged(1);
  EXPECT_GT(looks_around.log_odds, works.log_odds + 3);
}

TEST_F(JudgeOfTunnelsTest, WhatItReachedBeforeItsLogInHadSettledCounts) {
  const Nanoseconds at = log_in(day_ + 8 * kHour, kAbroad);
  for (int i = 0; i < 8; ++i) reach(at + (i + 1) * kSecond, 100 + i);
  take(session(at + kHour, "bob", kHome));
  EXPECT_TRUE(says(finding(), "new-destinations"));
}

TEST_F(JudgeOfTunnelsTest, ASessionThatGoesOnCountsOnce) {
  const Nanoseconds at = log_in(day_ + 8 * kHour, kAbroad);
  for (int i = 0; i < 20; ++i) reach(at + (i + 2) * kMinute, 100 + i);  // judged anew at the third, fifth, ninth ...
  std::optional<score::Finding> meanwhile;
  judge_->look([&](const score::Finding& f) {
    if (f.source.ip == kAbroad) meanwhile = f;
  });
  ASSERT_TRUE(meanwhile);
  EXPECT_TRUE(says(*meanwhile, "new-destinations"));
  EXPECT_FALSE(says(*meanwhile, "usual-destinations")) << "the day is not over";
  take(session(at + 8 * kHour, "alice", kAbroad, Activity::kEnd));
  const score::Finding f = finding();
  const auto llr = [](const score::Finding& of, std::string_view kind) {
    for (const detect::Evidence& x : of.evidence) {
      if (x.kind == kind) return x.llr;
    }
    return 0.0;
  };
  EXPECT_NEAR(llr(f, "new-destinations"), llr(*meanwhile, "new-destinations"), 0.3);
}

TEST_F(JudgeTest, AFindingListsEveryLogInFromItsNetwork) {
  const Nanoseconds day = work(kMonday, 40);
  for (int d = 0; d < 3; ++d) {
    Event e = session(day + d * 2 * kDay + 20 * kHour, "alice", kAbroad);
    e.record.line = static_cast<std::uint32_t>(100 + d);
    take(e);
  }
  const score::HuntResult result = finish();
  const score::Finding* f = from(result, kAbroad);
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f->records.size(), 3U);
  EXPECT_EQ(f->end, day + 4 * kDay + 20 * kHour);
  EXPECT_EQ(std::ranges::count_if(result.findings, [](const auto& x) { return x.source.ip == kAbroad; }), 1);
}

TEST_F(JudgeTest, AfterItsTimeTheQuarantineIsLearned) {
  const Nanoseconds day = work(kMonday, 40);
  take(session(day + 8 * kHour, "alice", kHome));
  take(session(day + 9 * kHour, "alice", kAbroad));
  work(day + kDay, 13);
  EXPECT_FALSE(knows_abroad());
  work(day + 14 * kDay, 3);
  EXPECT_TRUE(knows_abroad());
}

TEST_F(JudgeTest, TheOrdinaryIsLearnedAndNoFinding) {
  work(kMonday, 30);
  const score::HuntResult result = finish();
  EXPECT_TRUE(result.findings.empty());
  EXPECT_EQ(alice().count, 30U);
  EXPECT_EQ(judge_->baseline().quarantined(), 0U);
  EXPECT_EQ(result.overview.users, 1U);
  EXPECT_EQ(result.overview.gateways, 1U);
  EXPECT_EQ(result.overview.logins_by_hour[8], 5U) << "Mondays at eight in thirty days";
  ASSERT_EQ(result.overview.paths.size(), 1U);
  EXPECT_EQ(result.overview.paths[0].logins, 30U);
  EXPECT_EQ(result.first, kMonday + 8 * kHour);
  EXPECT_EQ(result.last, kMonday + 29 * kDay + 17 * kHour);
}

// The end line comes before the log-in has settled; the profile must not believe the session open for hours.
TEST_F(JudgeTest, AShortSessionIsOver) {
  take(session(kMonday, "alice", kHome));
  take(session(kMonday + 30 * kSecond, "alice", kHome, Activity::kEnd));
  take(session(kMonday + kHour, "bob", kHome));
  for (const auto& open : alice().open) EXPECT_EQ(open.start, 0);
  EXPECT_EQ(alice().count, 1U);
}

TEST_F(JudgeTest, UndatedAndImpossibleTimesAreCountedAndNotJudged) {
  take(session(kMonday, "alice", kHome));
  for (const Nanoseconds time :
       {Nanoseconds{0}, -10 * 365 * kDay, Nanoseconds{INT64_MIN}, Nanoseconds{INT64_MAX}, 9'000'000'000 * kSecond}) {
    take(session(time, "mallory", kAbroad));
    take(failure(time, "mallory", kAbroad));
    take(flow(time, "5.3.1.1", "5.8.1.1", 22));
  }
  const score::HuntResult result = finish();
  EXPECT_EQ(judge_->baseline().users(), 1U);
  EXPECT_TRUE(result.findings.empty());
  EXPECT_EQ(result.first, kMonday);
  EXPECT_EQ(result.last, kMonday);
  ASSERT_FALSE(result.notes.empty());
  EXPECT_EQ(result.notes[0],
            "15 events carry no time, or one that cannot be, and were not judged (--year or --tz may help)");
}

TEST_F(JudgeTest, WithoutDataNoHypothesisIsTested) {
  const score::HuntResult result = finish();
  EXPECT_EQ(result.hypotheses.size(), detect::make_detectors({}).size());
  for (const auto& h : result.hypotheses) {
    EXPECT_FALSE(h.tested) << h.detector;
    EXPECT_EQ(h.events, 0U);
    EXPECT_TRUE(h.why_not.starts_with("needs ")) << h.why_not;
  }
  EXPECT_EQ(of(result, "new-network").why_not, "needs VPN or remote-access log-ins or authentication events");
  EXPECT_EQ(of(result, "indicator").why_not, "needs an indicator list (--indicators)");
}

TEST_F(JudgeTest, FlowsAloneTestWhatFlowsCanShow) {
  take(flow(kMonday, "5.3.1.1", "5.8.1.1", 443));
  take(flow(kMonday, "5.3.1.1", "5.8.1.1", 80));
  const score::HuntResult result = finish();
  for (const char* tested : {"soho-source", "management-exposure"}) {
    EXPECT_TRUE(of(result, tested).tested) << tested;
    EXPECT_EQ(of(result, tested).events, 2U);
    EXPECT_EQ(of(result, tested).why_not, "");
  }
  for (const char* not_tested :
       {"new-network", "geo-shift", "new-client", "unusual-time", "distributed-spray", "indicator"}) {
    EXPECT_FALSE(of(result, not_tested).tested) << not_tested;
  }
}

TEST_F(JudgeTest, AuthenticationsAreCountedOnce) {
  Event e = failure(kMonday, "alice", kHome);  // over VPN: serves two needs
  take(e);
  EXPECT_EQ(of(finish(), "new-network").events, 1U);
}

TEST_F(JudgeTest, IndicatorsNeedAListAndEvents) {
  with_indicators("5.3.1.0/24\n");
  EXPECT_FALSE(of(finish(), "indicator").tested) << "a list, but nothing to compare it with";
  with_indicators("5.3.2.0/24\n");
  take(flow(kMonday, "5.3.1.1", "5.8.1.1", 443));
  const score::HuntResult result = finish();
  EXPECT_TRUE(of(result, "indicator").tested);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].kind, detect::FindingKind::kIntel);
}

TEST_F(JudgeTest, AnExposedPortIsAFindingOfTheDevice) {
  take(flow(kMonday, "5.3.1.1", "5.8.1.1", 22));
  take(flow(kMonday + kHour, "5.3.9.9", "5.8.1.1", 22));
  const score::HuntResult result = finish();
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].kind, detect::FindingKind::kExposure);
  EXPECT_EQ(result.findings[0].device, "5.8.1.1:22");
  EXPECT_EQ(result.findings[0].source_count, 2U);
}

TEST_F(JudgeTest, ATraitSeenInFlowsIsHeldAgainstALaterLogIn) {
  const Nanoseconds day = work(kMonday, 40);
  Event trait = flow(day, "10.0.0.5", "5.3.1.7", 7547);  // TR-069 answers there
  take(trait);
  take(session(day + 9 * kHour, "alice", kAbroad));
  const score::HuntResult result = finish();
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_TRUE(std::any_of(result.findings[0].evidence.begin(), result.findings[0].evidence.end(),
                          [](const auto& e) { return e.kind == "soho-source"; }));
}

TEST_F(JudgeTest, ASprayIsOneFinding) {
  work(kMonday, 10);
  for (std::uint32_t i = 0; i < 80; ++i) {
    take(
        failure(kMonday + 10 * kDay + i * kMinute, ("user" + std::to_string(i)).c_str(), Ip::v4(0x05030000 + i * 256)));
  }
  const score::HuntResult result = finish();
  const auto spray = std::find_if(result.findings.begin(), result.findings.end(),
                                  [](const auto& f) { return f.kind == detect::FindingKind::kSpray; });
  ASSERT_NE(spray, result.findings.end());
  EXPECT_TRUE(spray->alert);
  EXPECT_GT(spray->source_count, 40U);
  EXPECT_EQ(std::count_if(result.findings.begin(), result.findings.end(),
                          [](const auto& f) { return f.kind == detect::FindingKind::kSpray; }),
            1);
}

std::vector<score::Finding> changed(Judge& judge) {
  std::vector<score::Finding> out;
  judge.changed([&](const score::Finding& f) { out.push_back(f); });
  return out;
}

TEST_F(JudgeTest, ALogInIsToldWhileItHappensAndGrows) {
  const Nanoseconds day = work(kMonday, 40);
  take(session(day + 8 * kHour, "alice", kHome));
  take(session(day + 9 * kHour, "alice", kAbroad));
  EXPECT_TRUE(changed(*judge_).empty()) << "further lines may complete it";
  judge_->advance(day + 9 * kHour + enrich::kSettle - 1);
  EXPECT_TRUE(changed(*judge_).empty());
  judge_->advance(day + 9 * kHour + enrich::kSettle);
  auto told = changed(*judge_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].alert);
  EXPECT_EQ(told[0].user, "alice");
  const std::string id = told[0].id;
  take(session(day + 11 * kHour, "alice", *Ip::parse("5.3.1.9")));
  judge_->advance(day + 12 * kHour);
  told = changed(*judge_);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].id, id);
  EXPECT_EQ(told[0].source_count, 2U);
  const score::HuntResult result = finish();
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].id, id);
  EXPECT_EQ(result.last, day + 11 * kHour) << "that time has passed is no event";
}

TEST_F(JudgeTest, ImpossibleTimesDoNotAdvance) {
  take(session(kMonday, "alice", kHome));
  judge_->advance(INT64_MAX);
  judge_->advance(-1);
  EXPECT_EQ(judge_->baseline().users(), 0U);
  judge_->advance(kMonday + kHour);
  EXPECT_EQ(judge_->baseline().users(), 1U);
}

TEST_F(JudgeTest, AServiceForgetsWhatIsLongOver) {
  Nanoseconds day = work(kMonday, 40);
  take(session(day + 8 * kHour, "alice", kHome));
  take(session(day + 9 * kHour, "alice", kAbroad));
  take(session(day + 9 * kHour, "bob", *Ip::parse("5.3.9.9")));
  day = work(day + kDay, 30);
  EXPECT_EQ(changed(*judge_).size(), 1U);
  day = work(day, 400);
  EXPECT_TRUE(changed(*judge_).empty());
  work(day, 1);
  const score::HuntResult result = finish();
  EXPECT_TRUE(result.findings.empty());
  EXPECT_EQ(result.overview.days.size(), 402U) << "400 days past, the day of the last call and the one behind it";
  EXPECT_EQ(result.overview.places.size(), 1U);
  EXPECT_EQ(result.overview.paths.size(), 1U) << "bob's is gone";
}

TEST_F(JudgeTest, AHuntThatIsLookedAtForgetsNothing) {
  Nanoseconds day = work(kMonday, 40);
  take(session(day + 8 * kHour, "alice", kHome));
  take(session(day + 9 * kHour, "alice", kAbroad));
  std::vector<event::Event> shown;
  judge_->show_logins_to([&](const Event& e) { shown.push_back(e); });
  day = work(day + kDay, 1);
  EXPECT_EQ(shown.size(), 2U) << "those that settled since: abroad and the next day at home";
  std::size_t told = 0;
  judge_->look([&](const score::Finding& f) {
    ++told;
    EXPECT_TRUE(f.alert);
  });
  EXPECT_EQ(told, 1U);
  judge_->look([&](const score::Finding&) { ++told; });
  EXPECT_EQ(told, 1U) << "nothing new";
  day = work(day, 100);
  judge_->look([&](const score::Finding&) {});
  work(day, 1);
  const score::HuntResult result = finish();
  EXPECT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.overview.days.size(), 143U) << "a service keeps 400, but not the finding";
}

class JudgeStateTest : public JudgeTest {
 protected:
  std::string saved() const {
    core::ArchiveWriter writer;
    judge_->save(writer);
    EXPECT_TRUE(writer.finish());
    return writer.take();
  }
  // Into a new judge, whose inputs are `names_`.
  core::Expected<void> restore(std::string_view bytes) {
    judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_);
    core::ArchiveReader reader(bytes);
    if (auto loaded = judge_->load(reader); !loaded) return loaded;
    return reader.finish();
  }
  // Something of everything.
  Nanoseconds fill() {
    const Nanoseconds day = work(kMonday, 10);
    take(flow(day, "10.0.0.5", "5.3.1.7", 7547));
    take(session(day + 8 * kHour, "alice", kHome));
    take(session(day + 9 * kHour, "alice", kAbroad));
    for (std::uint32_t i = 0; i < 5; ++i)
      take(failure(day + 10 * kHour, ("user" + std::to_string(i)).c_str(), Ip::v4(0x05030000 + i * 256)));
    take(session(day + 17 * kHour, "alice", kHome, Activity::kEnd));
    take(session(day + 18 * kHour, "alice", kAbroad));
    return day + kDay;
  }
};

TEST_F(JudgeStateTest, DamageIsFoundWhereverItIs) {
  fill();
  const std::string bytes = saved();
  ASSERT_TRUE(restore(bytes));
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / 500);
  for (std::size_t n = 0; n < bytes.size(); n += n < 200 ? 1 : step) {
    const auto loaded = restore(std::string_view(bytes).substr(0, n));
    ASSERT_FALSE(loaded) << n;
    EXPECT_FALSE(loaded.error().message.empty());
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 8 * step + 1) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    ASSERT_FALSE(restore(damaged)) << bit;
  }
}

// What the checksums cannot see: somebody wrote it so. It may be refused or not; it must not crash, now or later.
TEST_F(JudgeStateTest, AForgedStateDoesNoHarm) {
  const Nanoseconds day = fill();
  const std::string bytes = saved();
  ASSERT_LT(bytes.size(), 200'000U) << "in one block";
  const std::string inside = bytes.substr(20, bytes.size() - 28);
  ASSERT_TRUE(restore(core::sealed(inside)));
  std::uint64_t random = 1;
  const auto draw = [&] { return random = random * 6364136223846793005U + 1442695040888963407U, random >> 33; };
  int taken = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string forged = inside;
    for (std::uint64_t n = draw() % 3; n < 3; ++n) {
      const std::size_t at = draw() % forged.size();
      forged[at] = static_cast<char>(draw() % 4 == 0 ? draw() : forged[at] ^ 1 << draw() % 8);
    }
    if (!restore(core::sealed(forged))) continue;
    ++taken;
    take(session(day + 8 * kHour, "alice", kHome));
    take(session(day + 9 * kHour, "alice", *Ip::parse("5.3.77.7")));
    take(failure(day + 9 * kHour, "bob", kAbroad));
    work(day + kDay, 9);
    changed(*judge_);
    finish();
  }
  EXPECT_GT(taken, 100);
}

TEST_F(JudgeStateTest, RecordsOfInputsThatAreGoneKeepTheirNames) {
  const Nanoseconds day = work(kMonday, 40);
  take(session(day + 8 * kHour, "alice", kHome));
  take(session(day + 9 * kHour, "alice", kAbroad));  // not yet settled
  const std::string bytes = saved();
  names_ = {"other.log"};
  ASSERT_TRUE(restore(bytes));
  const std::string again = saved();
  names_ = {"other.log", "third.log"};
  ASSERT_TRUE(restore(again));
  const score::HuntResult result = finish();
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].records.at(0).file, "vpn.log");
}

// What an analyst says of a finding, as the command writes it.
score::Verdict said_of(const score::Finding& f, score::Judgement says, std::string id = "a1") {
  score::Verdict v;
  v.id = std::move(id);
  v.time = kMonday;
  v.author = "carol";
  v.says = says;
  v.reason = "asked her";
  v.finding = f.id;
  v.kind = f.kind;
  v.log_odds = f.log_odds;
  v.users = f.users;
  if (!f.user.empty()) v.users = {f.user};
  std::vector<score::SourceFacts> sources = f.sources;
  if (sources.empty()) sources = {f.source};
  for (const score::SourceFacts& source : sources) {
    v.sources.push_back(source.ip);
    v.networks.push_back(core::Prefix::neighbourhood(source.ip));
  }
  v.gateway = f.gateway;
  for (const detect::Evidence& e : f.evidence) v.evidence.push_back({std::string(e.kind), e.llr});
  return v;
}

// Log-ins and sessions from a network on probation: each says something of it.
class JudgeRepeatTest : public JudgeTest {
 protected:
  void visit(Nanoseconds start, const char* user, const Ip& from, std::uint64_t up, Nanoseconds length) {
    Event begin = session(start, user, from);
    begin.user_agent = core::intern("AnyConnect 5.1");
    take(begin);
    Event end = session(start + length, user, from, Activity::kEnd);
    end.duration = length;
    end.source_bytes = up;
    end.destination_bytes = 50'000'000;
    take(end);
  }
  // Alice works at home, her colleagues wherever they are: a new network is nothing strange here.
  Nanoseconds month() {
    Nanoseconds day = kMonday;
    for (std::uint32_t d = 0; d < 30; ++d, day += kDay) {
      visit(day + 8 * kHour, "alice", kHome, 5'000'000, 8 * kHour);
      for (std::uint32_t i = 0; i < 6; ++i)
        visit(day + (9 + i) * kHour, ("colleague" + std::to_string(i)).c_str(), Ip::v4(0x05016000 + (d * 6 + i) * 256),
              5'000'000, 8 * kHour);
    }
    return day;
  }
  std::vector<score::Finding> of_alice() {
    score::HuntResult result = finish();
    std::erase_if(result.findings, [](const score::Finding& f) { return f.user != "alice"; });
    return result.findings;
  }
  const Ip line_ = *Ip::parse("5.1.77.7");
};

TEST_F(JudgeRepeatTest, WhatCameBeforeTheFindingIsListed) {
  Nanoseconds day = month();
  visit(day + 8 * kHour, "alice", line_, 5'000'000, 8 * kHour);
  visit(day + kDay + 8 * kHour, "alice", line_, 5'000'000, 8 * kHour);
  judge_->advance(day + 2 * kDay);
  judge_->changed([&](const score::Finding& f) { EXPECT_NE(f.user, "alice"); });
  visit(day + 2 * kDay + 8 * kHour, "alice", line_, 9'000'000'000, 5 * kMinute);
  visit(day + 3 * kDay + 8 * kHour, "alice", line_, 9'000'000'000, 5 * kMinute);
  const auto found = of_alice();
  ASSERT_EQ(found.size(), 1U);
  std::size_t logins = 0;
  for (const score::TimelineEntry& step : found[0].timeline) logins += step.what == score::Step::kLogin ? 1 : 0;
  EXPECT_EQ(logins, 4U);
  EXPECT_FALSE(found[0].evidence.empty()) << "it speaks of one that was judged in full";
}

TEST_F(JudgeRepeatTest, OneStrangeSessionOfThreeSaysLessThanOneOfOne) {
  const auto length = [&](int before) {
    judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_);
    Nanoseconds day = month();
    for (int i = 0; i < before; ++i, day += kDay) visit(day + 8 * kHour, "alice", line_, 5'000'000, 8 * kHour);
    visit(day + 8 * kHour, "alice", line_, 9'000'000'000, 5 * kMinute);
    const auto found = of_alice();
    EXPECT_EQ(found.size(), 1U);
    const auto& evidence = found.at(0).evidence;
    const auto at = std::ranges::find(evidence, "session-length", &detect::Evidence::kind);
    EXPECT_NE(at, evidence.end());
    EXPECT_TRUE(at->says.starts_with("the session lasted 0.1 hours")) << at->says;
    return at->llr;
  };
  const double one = length(0), of_three = length(2);
  EXPECT_NEAR(of_three, (one - 0.7 - 0.7) / 2, 0.1);
}

class JudgeVerdictTest : public JudgeTest {
 protected:
  // Lets two minutes pass, so that log-ins are judged; the findings as they are told then.
  std::vector<score::Finding> told(Nanoseconds now) {
    judge_->advance(now + 2 * kMinute);
    std::vector<score::Finding> out;
    judge_->changed([&](const score::Finding& f) { out.push_back(f); });
    return out;
  }
  // The finding about the log-in from abroad at that time.
  std::optional<score::Finding> visit(Nanoseconds when, const char* user = "alice") {
    take(session(when, user, kAbroad));
    take(session(when + 20 * kMinute, user, kAbroad, Activity::kEnd));
    for (const score::Finding& f : told(when + 20 * kMinute)) {
      if (f.source.ip == kAbroad && f.time == when) return f;
    }
    return std::nullopt;
  }
  // The same with colleagues, whose log-ins say what is ordinary in the organisation.
  Nanoseconds office(Nanoseconds from, int days) {
    for (int d = 0; d < days; ++d, from += kDay) {
      for (const auto activity : {Activity::kStart, Activity::kEnd}) {
        for (int i = 0; i < 20; ++i) {
          const std::string user = i == 0 ? "alice" : "colleague" + std::to_string(i);
          const Ip line = i == 0 ? kHome : *Ip::parse("5.1.2." + std::to_string(i));
          take(session(from + (activity == Activity::kStart ? 8 : 17) * kHour + i * kSecond, user.c_str(), line,
                       activity));
        }
      }
    }
    return from;
  }
  void begin_anew() { judge_ = std::make_unique<Judge>(enricher_, nullptr, 5, names_); }
};

// A colleague logs in from abroad, and Alice a day later; both addresses are on a list.
class JudgeOfWavesTest : public JudgeVerdictTest {
 protected:
  JudgeOfWavesTest() { indicators_.add_list("5.3.9.7\n5.3.1.7", "list.txt"); }
  static double lent(const score::Finding& f) {
    const auto found = std::ranges::find(f.evidence, "other-accounts", &detect::Evidence::kind);
    return found == f.evidence.end() ? 0 : found->llr;
  }
  void with_list() { judge_ = std::make_unique<Judge>(enricher_, &indicators_, 5, names_); }
  // Alice's finding; `between` happens before her log-in.
  score::Finding wave(bool alone, const std::function<void(const score::Finding& colleague)>& between = {}) {
    with_list();
    judge_->judge_accounts_alone(alone);
    const Nanoseconds day = office(kMonday, 40);
    take(session(day + 8 * kHour, "colleague1", *Ip::parse("5.1.2.1")));
    take(session(day + 9 * kHour, "colleague1", *Ip::parse("5.3.9.7")));
    const auto colleague = told(day + 9 * kHour);
    EXPECT_EQ(colleague.size(), 1U);
    if (colleague.size() != 1) return {};
    EXPECT_EQ(lent(colleague[0]), 0) << "he is the first";
    if (between) between(colleague[0]);
    const auto alice = visit(day + kDay + 20 * kHour, "alice");
    EXPECT_TRUE(alice);
    return alice.value_or(score::Finding{});
  }
};

TEST_F(JudgeOfWavesTest, AStrangeLogInOfAnotherAccountSpeaksForThisOne) {
  const score::Finding with = wave(false);
  const score::Finding without = wave(true);
  EXPECT_GT(lent(with), 0.2);
  EXPECT_EQ(lent(without), 0);
  EXPECT_NEAR(with.log_odds, without.log_odds + lent(with), 1e-9);
}

// Whoever is judged once more sees the others as they are by themselves, not as they stand with what he has lent them.
TEST_F(JudgeOfWavesTest, WhatIsLentIsNotLentOn) {
  const auto after = [&](int rounds) {
    const score::Finding first = wave(false);
    std::pair<double, double> out;  // of the colleague, of Alice
    for (int round = 0; round < rounds; ++round) {
      const Nanoseconds hour = first.time + (4 + round) * kHour;
      take(session(hour, "colleague1", *Ip::parse("5.1.2.1")));
      take(session(hour, "alice", kHome));
      for (const score::Finding& f : told(hour)) (f.user == "alice" ? out.second : out.first) = lent(f);
    }
    return out;
  };
  const auto once = after(1);
  EXPECT_GT(once.first, 0) << "Alice's speaks for his by now";
  EXPECT_GT(once.second, 0.2);
  const auto often = after(6);
  EXPECT_NEAR(often.first, once.first, 0.02);
  EXPECT_NEAR(often.second, once.second, 0.02);
}

TEST_F(JudgeOfWavesTest, WhatAnAnalystSaysCounts) {
  const auto say = [&](score::Judgement says, Nanoseconds later = 0) {
    return lent(wave(false, [&](const score::Finding& colleague) {
      score::Verdict verdict = said_of(colleague, says);
      verdict.seen = colleague.end + later;
      judge_->take_verdict(verdict);
    }));
  };
  EXPECT_EQ(say(score::Judgement::kFalse), 0) << "it was the colleague himself";
  EXPECT_EQ(say(score::Judgement::kBenign), 0);
  EXPECT_EQ(say(score::Judgement::kTrue), 1) << "all that others can lend";
  EXPECT_EQ(say(score::Judgement::kTrue, 100 * kDay), 1) << "what is said of later days makes nothing old";
}

TEST_F(JudgeOfWavesTest, IsPartOfTheState) {
  const double through = lent(wave(false));
  const double restored = lent(wave(false, [&](const score::Finding&) {
    core::ArchiveWriter writer;
    judge_->save(writer);
    ASSERT_TRUE(writer.finish());
    const std::string bytes = writer.take();
    with_list();
    core::ArchiveReader reader(bytes);
    ASSERT_TRUE(judge_->load(reader));
  }));
  EXPECT_GT(through, 0);
  EXPECT_EQ(restored, through);
}

TEST_F(JudgeVerdictTest, ASuppressedFindingIsStillMadeAndListed) {
  const auto hunt = [&](const std::optional<score::Verdict>& verdict) {
    begin_anew();
    if (verdict) judge_->take_verdict(*verdict);
    const Nanoseconds day = work(kMonday, 40);
    take(session(day + 8 * kHour, "alice", kHome));
    take(session(day + 9 * kHour, "alice", kAbroad));
    work(day + kDay, 5);
    return finish();
  };
  const score::HuntResult first = hunt({});
  ASSERT_EQ(first.findings.size(), 1U);
  ASSERT_TRUE(first.findings[0].alert);
  EXPECT_TRUE(first.suppressions.empty());
  const score::HuntResult second = hunt(said_of(first.findings[0], score::Judgement::kBenign));
  ASSERT_EQ(second.findings.size(), 1U);
  const score::Finding& f = second.findings[0];
  EXPECT_FALSE(f.alert);
  EXPECT_EQ(f.id, first.findings[0].id);
  EXPECT_EQ(f.suppressed_by.id, "a1");
  EXPECT_EQ(f.verdict.says, "benign");
  EXPECT_LT(f.log_odds, first.findings[0].log_odds) << "one entry moves the weights";
  EXPECT_GT(f.log_odds, first.findings[0].log_odds - 2)
      << "but little; what speaks later of a strange network is not said of one that is known to be hers";
  ASSERT_EQ(second.suppressions.size(), 1U);
  EXPECT_EQ(second.suppressions[0].hits, 1U);
  EXPECT_FALSE(second.notes.empty()) << "weights that moved are told";
  score::Verdict weaker = said_of(first.findings[0], score::Judgement::kBenign);
  weaker.log_odds -= score::kMostRise + 2;
  const score::HuntResult third = hunt(weaker);
  ASSERT_EQ(third.findings.size(), 1U);
  EXPECT_TRUE(third.findings[0].alert) << "much stranger than what was judged";
  EXPECT_EQ(third.findings[0].risen_above.id, "a1");
  score::Verdict expired = said_of(first.findings[0], score::Judgement::kBenign);
  expired.expires = kMonday + 30 * kDay;
  EXPECT_TRUE(hunt(expired).findings[0].alert);
}

TEST_F(JudgeVerdictTest, ATrueOneMakesTheBaselineForgetTheIntruder) {
  Nanoseconds day = office(kMonday, 40);
  const auto first = visit(day + 20 * kHour);
  ASSERT_TRUE(first);
  day = office(day + kDay, 20);
  ASSERT_TRUE(knows_abroad()) << "nobody has said anything for longer than the quarantine";
  const auto countries = alice().countries.size();
  EXPECT_EQ(judge_->take_verdict(said_of(*first, score::Judgement::kTrue)), score::Verdicts::Taken::kYes);
  EXPECT_FALSE(knows_abroad());
  EXPECT_EQ(alice().countries.size(), countries - 1);
  ASSERT_FALSE(alice().places.contains(baseline::pack_place(40.7F, -74.0F)));
  EXPECT_TRUE(alice().prefixes.contains(baseline::prefix_key(kHome)));
  const auto again = told(day);
  ASSERT_EQ(again.size(), 1U) << "it is told once more, with what was said of it";
  EXPECT_EQ(again[0].verdict.says, "true");
  const auto second = visit(day + 20 * kHour);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->alert);
  EXPECT_NE(second->id, first->id);
  // And nobody learns it any more, however long it stays unanswered.
  day = office(day + kDay, 30);
  EXPECT_FALSE(knows_abroad());
  EXPECT_EQ(judge_->baseline().quarantined(), 0U);
}

TEST_F(JudgeVerdictTest, TheNextLogInFromThereIsAsStrangeAsTheFirst) {
  // What the organisation has seen stays counted: the measure is a colleague to whom the same happens for the first
  // time. `verdict`: on the first log-in.
  const auto log_odds = [&](const char* user, bool verdict) {
    begin_anew();
    Nanoseconds day = office(kMonday, 40);
    const auto first = visit(day + 20 * kHour);
    EXPECT_TRUE(first);
    day = office(day + kDay, 20);
    if (verdict) judge_->take_verdict(said_of(*first, score::Judgement::kTrue));
    told(day);
    const auto second = visit(day + 20 * kHour, user);
    return second ? second->log_odds : -99.0;
  };
  EXPECT_NEAR(log_odds("alice", true), log_odds("colleague1", true), 0.3);
  EXPECT_LT(log_odds("alice", false), log_odds("colleague1", false) - 3);
}

TEST_F(JudgeVerdictTest, WithoutOneTheIntruderIsKnownByThen) {
  Nanoseconds day = office(kMonday, 40);
  const auto first = visit(day + 20 * kHour);
  ASSERT_TRUE(first);
  day = office(day + kDay, 20);
  const auto second = visit(day + 20 * kHour);
  EXPECT_TRUE(!second || second->log_odds < first->log_odds - 2);
}

TEST_F(JudgeVerdictTest, AFalseOrBenignOneEndsTheQuarantine) {
  for (const auto says : {score::Judgement::kFalse, score::Judgement::kBenign}) {
    begin_anew();
    const Nanoseconds day = work(kMonday, 40);
    const auto first = visit(day + 20 * kHour);
    ASSERT_TRUE(first);
    ASSERT_FALSE(knows_abroad());
    ASSERT_EQ(judge_->baseline().quarantined(), 1U);
    judge_->take_verdict(said_of(*first, says));
    EXPECT_TRUE(knows_abroad());
    EXPECT_EQ(judge_->baseline().quarantined(), 0U);
    // What joins the finding is learned as well.
    visit(day + 2 * kDay + 20 * kHour);
    EXPECT_EQ(judge_->baseline().quarantined(), 0U);
    EXPECT_TRUE(knows_abroad());
  }
}

TEST_F(JudgeVerdictTest, AHuntKnowsBeforehandWhatToLearn) {
  const auto known_after = [&](Nanoseconds rest, const std::optional<score::Verdict>& verdict) {
    begin_anew();
    if (verdict) judge_->take_verdict(*verdict);
    const Nanoseconds day = work(kMonday, 40);
    take(session(day + 20 * kHour, "alice", kAbroad));
    work(day + kDay, static_cast<int>(rest / kDay));
    return knows_abroad();
  };
  EXPECT_FALSE(known_after(5 * kDay, {}));
  EXPECT_TRUE(known_after(20 * kDay, {}));
  const score::HuntResult result = finish();
  const auto found = std::ranges::find_if(result.findings, [](const auto& f) { return f.source.ip == kAbroad; });
  ASSERT_NE(found, result.findings.end());
  EXPECT_TRUE(known_after(5 * kDay, said_of(*found, score::Judgement::kFalse)));
  EXPECT_FALSE(known_after(20 * kDay, said_of(*found, score::Judgement::kTrue)));
}

const Ip kAbroadToo = *Ip::parse("5.3.9.7");

TEST_F(JudgeVerdictTest, AnIntrusionThroughSeveralNodesIsOneFindingWithATimeline) {
  const Nanoseconds day = work(kMonday, 40);
  take(failure(day + 18 * kHour, "alice", *Ip::parse("5.3.200.9")));
  take(session(day + 20 * kHour, "alice", kAbroad));
  Event end = session(day + 20 * kHour + 30 * kMinute, "alice", kAbroad, Activity::kEnd);
  end.duration = 30 * kMinute;
  end.source_bytes = 40'000'000;
  end.destination_bytes = 1'200'000'000;
  take(end);
  const auto first = told(end.time);
  ASSERT_EQ(first.size(), 1U);
  take(session(day + 3 * kDay + 2 * kHour, "alice", kAbroadToo));
  const auto again = told(day + 3 * kDay + 3 * kHour);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].id, first[0].id);
  const score::HuntResult result = finish();
  ASSERT_EQ(result.findings.size(), 1U);
  const score::Finding& f = result.findings[0];
  EXPECT_EQ(f.source_count, 2U);
  ASSERT_EQ(f.timeline.size(), 4U) << to_json(f);
  EXPECT_EQ(f.timeline[0].what, score::Step::kFailedLogin);
  EXPECT_EQ(f.timeline[0].time, day + 18 * kHour);
  EXPECT_EQ(f.timeline[0].source.ip.text(), "5.3.200.9");
  EXPECT_EQ(f.timeline[0].source.country, "US");
  EXPECT_EQ(f.timeline[1].what, score::Step::kLogin);
  EXPECT_EQ(f.timeline[1].source.ip, kAbroad);
  EXPECT_TRUE(f.timeline[1].log_odds && f.timeline[1].alert);
  EXPECT_FALSE(f.timeline[1].says.empty());
  EXPECT_EQ(f.timeline[2].what, score::Step::kSessionEnd);
  EXPECT_EQ(f.timeline[2].says, "lasted 30 minutes, 1.2 GB to the client, 40 MB from it");
  EXPECT_EQ(f.timeline[3].source.ip, kAbroadToo);
  const auto strongest = std::ranges::max(*f.timeline[1].log_odds, *f.timeline[3].log_odds);
  EXPECT_EQ(f.log_odds, strongest);
}

// "Only these": the others stay as they were.
TEST_F(JudgeVerdictTest, ATrueOneMaySpeakOfSomeOfTheLogInsOnly) {
  const Nanoseconds day = work(kMonday, 40);
  ASSERT_TRUE(visit(day + 20 * kHour));
  take(session(day + kDay + 2 * kHour, "alice", kAbroadToo));
  const auto grown = told(day + kDay + 3 * kHour);
  ASSERT_EQ(grown.size(), 1U);
  ASSERT_EQ(grown[0].source_count, 2U);
  ASSERT_EQ(judge_->baseline().quarantined(), 2U);
  const auto quarantined_after = [&](const std::vector<Ip>& sources) {
    score::Verdict verdict = said_of(grown[0], score::Judgement::kTrue);
    verdict.sources = sources;
    verdict.networks.clear();
    for (const Ip& ip : sources) verdict.networks.push_back(core::Prefix::neighbourhood(ip));
    verdict.id = "only" + std::to_string(sources.size());
    judge_->take_verdict(verdict);
    return judge_->baseline().quarantined();
  };
  EXPECT_EQ(quarantined_after({kAbroad}), 1U);
  EXPECT_EQ(quarantined_after({kAbroad, kAbroadToo}), 0U);
}

TEST_F(JudgeVerdictTest, WhatJoinsFromAnotherNetworkWasNotJudged) {
  const Nanoseconds day = work(kMonday, 40);
  const auto first = visit(day + 20 * kHour);
  ASSERT_TRUE(first);
  judge_->take_verdict(said_of(*first, score::Judgement::kFalse));
  ASSERT_EQ(judge_->baseline().quarantined(), 0U);
  const Ip elsewhere = *Ip::parse("5.200.9.7");
  take(session(day + kDay + 2 * kHour, "alice", elsewhere));
  const auto grown = told(day + kDay + 3 * kHour);
  ASSERT_FALSE(grown.empty());
  EXPECT_EQ(grown[0].id, first->id);
  EXPECT_EQ(grown[0].source_count, 2U);
  EXPECT_FALSE(alice().prefixes.contains(baseline::prefix_key(elsewhere))) << "an intruder who comes behind a journey";
}

TEST_F(JudgeVerdictTest, AWithdrawalBringsTheAlertBack) {
  const Nanoseconds day = work(kMonday, 40);
  const auto first = visit(day + 20 * kHour);
  ASSERT_TRUE(first && first->alert);
  judge_->take_verdict(said_of(*first, score::Judgement::kBenign));
  auto now = told(day + 21 * kHour);
  ASSERT_EQ(now.size(), 1U);
  EXPECT_FALSE(now[0].alert);
  EXPECT_EQ(now[0].suppressed_by.id, "a1");
  EXPECT_EQ(judge_->suppressed(), 1U);
  score::Verdict end;
  end.id = "a2";
  end.time = kMonday;
  end.says = score::Judgement::kWithdrawn;
  end.withdraws = "a1";
  judge_->take_verdict(end);
  now = told(day + 22 * kHour);
  ASSERT_EQ(now.size(), 1U);
  EXPECT_TRUE(now[0].alert);
  EXPECT_TRUE(now[0].suppressed_by.id.empty());
}

// An intruder who comes from one exit node, a little every few days, teaches the baseline no faster than probation
// (what raises no alarm) and quarantine (what does) allow.
TEST_F(JudgeVerdictTest, ASlowDripBecomesKnownNoFasterThanProbationAndQuarantineAllow) {
  const auto known_after = [&](const Ip& node, int every_days, bool& alarmed, int& alerts) {
    begin_anew();
    Nanoseconds day = work(kMonday, 40);
    const Nanoseconds first = day + 20 * kHour;
    alarmed = false;
    alerts = 0;
    Nanoseconds known = 0;
    for (int d = 0; d < 60; ++d, day += kDay) {
      take(session(day + 8 * kHour, "alice", kHome));
      take(session(day + 17 * kHour, "alice", kHome, Activity::kEnd));
      if (d % every_days == 0) {
        take(session(day + 20 * kHour, "alice", node));
        take(session(day + 21 * kHour, "alice", node, Activity::kEnd));
      }
      for (const score::Finding& f : told(day + 22 * kHour)) alerts += f.alert && f.source.ip == node ? 1 : 0;
      if (d == 0) alarmed = judge_->baseline().quarantined() > 0;
      if (known == 0 && alice().prefixes.contains(baseline::prefix_key(node))) known = day + 22 * kHour - first;
    }
    return known;
  };
  const Ip nearby = *Ip::parse("5.1.77.7");  // the same town
  for (const Ip& node : {nearby, kAbroad}) {
    for (const int every : {1, 2, 3, 5}) {
      bool alarmed = false;
      int alerts = 0;
      const Nanoseconds known = known_after(node, every, alarmed, alerts);
      const Nanoseconds least = alarmed ? 14 * kDay : baseline::kProbation;
      EXPECT_TRUE(known == 0 || known >= least)
          << node.text() << " every " << every << " days: " << known / kHour << " h";
      RecordProperty(
          (node == kAbroad ? "abroad_every_" : "nearby_every_") + std::to_string(every),
          fmt::format("known after {} h, {} alerts told, alarmed at once: {}", known / kHour, alerts, alarmed));
      EXPECT_TRUE(alarmed || node != kAbroad);
    }
  }
}

// Before layout 4 networks were not tracked. Such a state lacks what stands last in it, and is otherwise the same.
TEST_F(JudgeStateTest, AStateWithoutNetworksIsLoadedAndTheyBegin) {
  const Nanoseconds day = fill();
  const std::string bytes = saved();
  ASSERT_LT(bytes.size(), 200'000U) << "in one block";
  std::string inside = bytes.substr(20, bytes.size() - 28);
  ASSERT_EQ(inside.substr(0, 7), std::string("\x05judge\x07", 7));
  inside[6] = 3;
  const auto signs = inside.rfind(std::string("\x0dnetwork signs", 14));
  ASSERT_NE(signs, inside.npos);
  EXPECT_FALSE(restore(core::sealed(inside))) << "something stands behind the end";
  inside.resize(signs);
  const auto loaded = restore(core::sealed(inside));
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_TRUE(knows_abroad() || alice().count > 0) << "what was learned is there";
  EXPECT_EQ(judge_->networks().tracker().counts().sightings, 0U);
  EXPECT_TRUE(judge_->networks_in_full().empty());
  // From here on they are tracked, and the next state has them.
  for (std::uint32_t i = 0; i < 5; ++i)
    take(failure(day + 10 * kHour, ("user" + std::to_string(i)).c_str(), Ip::v4(0x05030000 + i * 256)));
  EXPECT_GT(judge_->networks().tracker().counts().sightings, 0U);
  const std::string again = saved();
  ASSERT_TRUE(restore(again));
  EXPECT_GT(judge_->networks().tracker().counts().sightings, 0U);
}

TEST_F(JudgeStateTest, AnotherLayoutIsRefused) {
  fill();
  std::string inside = saved();
  inside = inside.substr(20, inside.size() - 28);
  ASSERT_EQ(inside.substr(0, 6), std::string("\x05judge", 6));
  ++inside[6];
  const auto loaded = restore(core::sealed(inside));
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text().find("another version"), std::string::npos) << loaded.error().text();
  EXPECT_NE(loaded.error().text().find("learned anew"), std::string::npos);
}

}  // namespace
}  // namespace orbwatch::pipeline

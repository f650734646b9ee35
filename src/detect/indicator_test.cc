#include <gtest/gtest.h>

#include <cmath>

#include "detect/detect_test_util.h"
#include "detect/factories.h"
#include "intel/decay/local_verdicts.h"
#include "intel/feed_table.h"
#include "intel/indicators.h"
#include "intel/table/indicator_table_writer.h"

namespace orbwatch::detect {
namespace {

using event::Class;
using test::ip;
using test::kNoon;
using test::World;

class IndicatorTest : public ::testing::Test {
 protected:
  IndicatorTest() {
    list_.add_list("5.2.1.0/24,Quad7\n5.5.5.5\n", "nodes.csv");
    w_.from("5.2.1.9", w_.town, baseline::Familiarity::kNewSystemNear);
  }
  void dated(core::Nanoseconds last_seen) {
    intel::Indicator i;
    i.prefix = *core::Prefix::parse("5.7.0.0/16");
    i.list = core::intern("dated");
    i.last_seen = last_seen;
    list_.add(i);
    w_.from("5.7.1.1", w_.town, baseline::Familiarity::kNewSystemNear);
  }
  intel::Indicators list_;
  std::unique_ptr<Detector> detector_ = make_indicator({&list_});
  World w_;
};

TEST_F(IndicatorTest, ALogInFromAListedAddressIsEvidenceOfTheLogIn) {
  const auto e = w_.run(*detector_, "indicator");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 4);
  EXPECT_EQ(e->finding, FindingKind::kLogin);
  EXPECT_EQ(e->says, "5.2.1.9 is on the list nodes.csv: Quad7");
}

TEST_F(IndicatorTest, OtherContactIsAFindingOfItsOwn) {
  w_.fail();
  const auto failed = w_.run(*detector_, "indicator");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->finding, FindingKind::kIntel);
  w_.view.failed_login = false;
  w_.event.event_class = Class::kFlow;
  w_.event.outcome = event::Outcome::kUnknown;
  w_.event.source_ip = ip("10.0.0.1");
  w_.event.destination_ip = ip("5.5.5.5");
  const auto reached = w_.run(*detector_, "indicator");
  ASSERT_TRUE(reached);
  EXPECT_EQ(reached->finding, FindingKind::kIntel);
  EXPECT_EQ(reached->says, "5.5.5.5 is on the list nodes.csv");
  EXPECT_GT(reached->llr, failed->llr) << "traffic says more than a try";
  w_.event.action = event::Action::kDenied;
  EXPECT_LT(w_.llr(*detector_, "indicator"), reached->llr);
}

TEST_F(IndicatorTest, BothEndsMayBeListed) {
  w_.view.login = false;
  w_.event.event_class = Class::kFlow;
  w_.event.destination_ip = ip("5.5.5.5");
  EXPECT_EQ(w_.run(*detector_).size(), 2U);
}

TEST_F(IndicatorTest, LosesHalfOfItsWeightInAMonth) {
  dated(kNoon);
  const double fresh = w_.llr(*detector_, "indicator");
  w_.event.time = kNoon + 31 * core::kDay;
  EXPECT_NEAR(w_.llr(*detector_, "indicator"), fresh / 2, 1e-9);
  w_.event.time = kNoon + 3650 * core::kDay;
  const double old = w_.llr(*detector_, "indicator");
  EXPECT_GE(old, 0) << "never speaks for the address";
  EXPECT_LT(old, 1e-6);
  w_.event.time = kNoon - 10 * core::kDay;
  EXPECT_EQ(w_.llr(*detector_, "indicator"), fresh) << "listed later: the node was there before";
}

// What feeds say, compiled.
class FeedIndicatorTest : public ::testing::Test {
 protected:
  using Statement = intel::IndicatorStatement;
  FeedIndicatorTest() {
    feed_ = writer_.add_feed("nodes");
    good_ = writer_.add_feed("clouds");
    w_.from("5.2.1.9", w_.town, baseline::Familiarity::kNewSystemNear);
  }
  static std::uint32_t at(core::Nanoseconds time) { return static_cast<std::uint32_t>(time / core::kSecond); }
  Statement seen(core::Nanoseconds time) const {
    Statement s;
    s.feed = feed_;
    s.label = "Quad7";
    s.first_seen = s.last_seen = at(time);
    s.confidence = 80;
    return s;
  }
  void add(const char* prefix, const Statement& s) { writer_.add(*core::Prefix::parse(prefix), s); }
  // Of each detector made a table of its own: what was added so far.
  std::unique_ptr<Detector> made() {
    intel::decay::HalfLives lives;
    lives.set("nodes", intel::decay::Kind::kAddress, core::NetworkType::kUnknown, {20, 0, "test"});
    auto table = intel::IndicatorTable::from_bytes(*writer_.image());
    indicators_.use_feeds(std::make_unique<intel::FeedTable>(intel::FeedTable{std::move(*table), std::move(lives)}));
    return make_indicator({&indicators_, &learned_});
  }
  double llr() { return w_.llr(*made(), "indicator"); }
  intel::IndicatorTableWriter writer_;
  std::uint16_t feed_ = 0, good_ = 0;
  intel::Indicators indicators_;
  intel::decay::LearnedHere learned_;
  World w_;
};

TEST_F(FeedIndicatorTest, WhatWasJudgedHereCountsForTheEntryOfItsFeed) {
  const std::uint16_t other = writer_.add_feed("others");
  add("5.2.1.0/24", seen(kNoon - 20 * core::kDay));
  Statement s = seen(kNoon - 100 * core::kDay);
  s.feed = other;
  add("5.2.1.9/32", s);
  const double before = llr();
  learned_.verdicts.add("nodes", "5.2.1.9", {"elsewhere", false, 0, 0});
  learned_.verdicts.add("others", "5.2.1.0/24", {"elsewhere", false, 0, 0});
  EXPECT_EQ(llr(), before) << "of other entries";
  learned_.verdicts.add("nodes", "5.2.1.0/24", {"one", false, 0, 0});
  learned_.verdicts.add("nodes", "5.2.1.0/24", {"two", false, 0, 0});
  EXPECT_LT(llr(), before - 0.3);
  EXPECT_EQ(
      w_.run(*made(), "indicator")->says,
      "5.2.1.9 is in the feed nodes as 5.2.1.0/24, also in others: Quad7, last seen 2026-11-03 (believed by 16 % at "
      "this moment, half of it goes in 12 days); 2 statements of feeds in all; two earlier hits of this entry were "
      "found to be false here");
  // A true one begins the age anew.
  learned_.verdicts.remove("nodes", "5.2.1.0/24", "one");
  learned_.verdicts.remove("nodes", "5.2.1.0/24", "two");
  learned_.verdicts.add("nodes", "5.2.1.0/24", {"three", true, kNoon - core::kDay, 0});
  EXPECT_GT(llr(), before + 0.3);
  EXPECT_TRUE(
      w_.run(*made(), "indicator")->says.ends_with("; one earlier hit of this entry was found to be true here"));
}

TEST_F(FeedIndicatorTest, WhatIsLearnedIsUsedWhereTheFeedStatesNoHalfLife) {
  const std::uint16_t other = writer_.add_feed("others");
  Statement s = seen(kNoon - 5 * core::kDay);
  s.feed = other;
  add("5.2.1.9/32", s);
  const auto type = w_.networks.facts(w_.town).type;
  const auto says = [&] { return w_.run(*made(), "indicator")->says; };
  EXPECT_EQ(says().find("goes in 5 days"), std::string::npos);
  learned_.half_lives.set("", intel::decay::Kind::kAddress, type, {5, 30, "test"});
  EXPECT_NE(says().find("believed by 40 % at this moment, half of it goes in 5 days"), std::string::npos) << says();
  add("5.2.1.9/32", seen(kNoon));  // of a feed with one of its own
  EXPECT_NE(says().find("goes in 20 days"), std::string::npos) << says();
}

TEST_F(FeedIndicatorTest, SaysWhichFeedAndHowFarItIsBelieved) {
  add("5.2.1.9/32", seen(kNoon - 20 * core::kDay));
  const auto detector = made();
  EXPECT_TRUE(detector->wants(w_.event));
  const auto e = w_.run(*detector, "indicator");
  ASSERT_TRUE(e);
  EXPECT_EQ(e->finding, FindingKind::kLogin);
  EXPECT_EQ(
      e->says,
      "5.2.1.9 is in the feed nodes: Quad7, last seen 2026-11-03 (believed by 40 % at this moment, half of it goes "
      "in 20 days)");
  EXPECT_NEAR(e->llr, std::log(1 + 0.4 * (std::exp(6.0) - 1)), 1e-3);
}

TEST_F(FeedIndicatorTest, FadesWithAgeAndNeverSpeaksForTheAddress) {
  add("5.2.1.9/32", seen(kNoon));
  const auto detector = made();
  double before = 100;
  for (const int days : {0, 5, 20, 100, 1000}) {
    w_.event.time = kNoon + days * core::kDay;
    const double now = w_.llr(*detector, "indicator");
    EXPECT_LT(now, before);
    EXPECT_GE(now, 0);
    before = now;
  }
  w_.event.time = kNoon - 12 * core::kDay;
  EXPECT_NE(w_.run(*detector, "indicator")->says.find("which named it 12 days after this"), std::string::npos);
}

TEST_F(FeedIndicatorTest, RevokedExpiredAndContextSayNothing) {
  Statement s = seen(kNoon);
  s.flags = intel::kRevoked;
  add("5.2.1.9/32", s);
  s = seen(kNoon);
  s.valid_until = at(kNoon);
  add("5.2.1.0/24", s);
  s = seen(kNoon);
  s.flags = intel::kContextOnly;
  add("5.2.0.0/16", s);
  EXPECT_TRUE(w_.run(*made()).empty());
}

TEST_F(FeedIndicatorTest, APortMustFit) {
  Statement s = seen(kNoon);
  s.port = 7777;
  add("5.2.1.9/32", s);
  w_.event.source_port = 7777;
  EXPECT_TRUE(w_.run(*made(), "indicator"));
  w_.event.source_port = 40000;
  EXPECT_FALSE(w_.run(*made(), "indicator"));
  w_.event.source_port = 0;
  EXPECT_TRUE(w_.run(*made(), "indicator")) << "a log-in says no port";
}

TEST_F(FeedIndicatorTest, SharedAddressesAndHarmlessOnesAreWorthLess) {
  add("5.2.1.9/32", seen(kNoon));
  const double usual = llr();
  w_.from("5.2.1.9", w_.phone, baseline::Familiarity::kNewSystemNear);
  EXPECT_LT(llr(), usual - 1) << "a mobile gateway";
  w_.from("5.2.1.9", w_.town, baseline::Familiarity::kNewSystemNear);
  Statement good;
  good.feed = good_;
  good.label = "scanners of a university";
  good.flags = intel::kKnownGood;
  add("5.2.0.0/16", good);
  EXPECT_LE(llr(), 1);
  EXPECT_NE(w_.run(*made(), "indicator")->says.find("known as harmless to clouds: scanners of a university"),
            std::string::npos);
}

TEST_F(FeedIndicatorTest, NamesAndFingerprintsAreLookedUp) {
  Statement s = seen(kNoon);
  writer_.add(intel::TextKind::kDomain, "example.org", s);
  writer_.add(intel::TextKind::kJa3, "0123456789abcdef0123456789abcdef", s);
  w_.view.login = false;
  w_.event.event_class = Class::kHandshake;
  EXPECT_TRUE(w_.run(*made()).empty());
  w_.event.destination_name = core::intern("a.example.org");
  EXPECT_EQ(w_.run(*made()).size(), 1U);
  w_.event.fingerprint = core::intern("0123456789abcdef0123456789abcdef");
  EXPECT_EQ(w_.run(*made()).size(), 2U);
  EXPECT_TRUE(made()->wants(w_.event));
  w_.event.application = core::intern("ssh");
  EXPECT_EQ(w_.run(*made()).size(), 1U) << "a HASSH looks the same and is another thing";
}

TEST_F(IndicatorTest, StaysSilent) {
  w_.from("5.9.1.1", w_.town, baseline::Familiarity::kNewSystemNear);
  EXPECT_FALSE(detector_->wants(w_.event));
  EXPECT_TRUE(w_.run(*detector_).empty());
  w_.event.source_ip = {};
  EXPECT_TRUE(w_.run(*detector_).empty());
  w_.from("5.2.1.9", w_.town, baseline::Familiarity::kNewSystemNear);
  const auto none = make_indicator({});
  EXPECT_FALSE(none->wants(w_.event));
  EXPECT_TRUE(w_.run(*none).empty());
  const intel::Indicators empty;
  EXPECT_TRUE(w_.run(*make_indicator({&empty})).empty());
}

}  // namespace
}  // namespace orbwatch::detect

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::EdgeProbes;
using test::kNoon;
using test::World;

constexpr core::Nanoseconds kMidnight = kNoon - 12 * core::kHour;
constexpr std::uint8_t kTcp = 6;

class ScanTest : public ::testing::Test {
 protected:
  ScanTest() {
    w_.from("5.4.1.1", w_.abroad, baseline::Familiarity::kNewCountry);
    w_.view.login = false;
    w_.view.user = nullptr;
    w_.event.event_class = event::Class::kConnection;
    w_.event.activity = event::Activity::kNone;
    w_.event.outcome = event::Outcome::kUnknown;
    w_.event.action = event::Action::kDenied;
    w_.event.user = {};
    w_.event.protocol = kTcp;
    w_.event.destination_port = 8443;
  }
  // So many access lines that touch these ports, one after the other, `each` of them each.
  void homes(int number, const std::vector<std::uint16_t>& ports, std::size_t each, core::Nanoseconds time = kNoon) {
    for (int i = 0; i < number; ++i) {
      for (std::size_t k = 0; k < each; ++k)
        touch(next_, ports[(static_cast<std::size_t>(i) + k * 3) % ports.size()], time, true);
      ++next_;
    }
  }
  void touch(std::uint32_t source, std::uint16_t port, core::Nanoseconds time, bool access_line) {
    w_.edge.learn(core::Ip::v4(0x05000000 + source), access_line, time, baseline::edge_port(port, kTcp));
  }
  // Days of worms that ask two ports, and of servers that ask others.
  void ordinary_days(int days, int worms = 40) {
    for (int d = days; d > 0; --d) {
      homes(worms + d % 5, {23, 2323}, 1, kMidnight - d * core::kDay);
      for (int i = 0; i < 20; ++i) touch(next_++, 22, kMidnight - d * core::kDay, false);
    }
    homes(worms, {23, 2323}, 1, kMidnight);
    for (int i = 0; i < 20; ++i) touch(next_++, 22, kMidnight, false);
  }
  const std::vector<std::uint16_t> list_ = {22, 80, 443, 8080, 8443, 8888};
  std::unique_ptr<Detector> detector_ = make_coordinated_scan({});
  std::uint32_t next_ = 1;
  World w_;
};

TEST_F(ScanTest, ManyHomesOnTheSameFewPortsAreEvidence) {
  ordinary_days(20);
  EXPECT_TRUE(w_.run(*detector_).empty()) << "an ordinary day";
  homes(40, list_, 2);
  const auto e = w_.run(*detector_, "coordinated-scan");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 8);
  EXPECT_LE(e->llr, 14);
  EXPECT_EQ(e->finding, FindingKind::kRecon);
  EXPECT_EQ(e->says,
            "at least 40 home and small-office connections touched ports 22, 80, 443, 8080, 8443 and 8888 within 24 "
            "hours, 80 times in all, 40 of them several ports; an ordinary day has 3 such touches");
}

TEST_F(ScanTest, GrowsWithTheNumberOfHomes) {
  ordinary_days(20);
  double before = 0;
  for (int n = 0; n < 20; ++n) {
    homes(6, list_, 2);
    const auto e = w_.run(*detector_, "coordinated-scan");
    EXPECT_TRUE(e || before == 0) << n;
    if (!e) continue;
    EXPECT_GE(e->llr, before) << n;
    before = e->llr;
  }
  EXPECT_GT(before, 10);
}

TEST_F(ScanTest, NodesThatAskOnePortEachAreFoundToo) {
  ordinary_days(20);
  homes(90, list_, 1);
  EXPECT_GT(w_.llr(*detector_, "coordinated-scan"), 5);
}

TEST_F(ScanTest, AWormOnOnePortIsNone) {
  ordinary_days(20);
  homes(500, {8443}, 1);
  EXPECT_TRUE(w_.run(*detector_).empty());
  homes(500, {8443, 8888}, 2);
  EXPECT_TRUE(w_.run(*detector_).empty()) << "on two ports";
}

TEST_F(ScanTest, SpeaksOfAccessLinesOnTheListAlone) {
  ordinary_days(20);
  homes(40, list_, 2);
  ASSERT_FALSE(w_.run(*detector_).empty());
  w_.event.destination_port = 23;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "the worm goes on";
  w_.event.destination_port = 9999;
  EXPECT_FALSE(detector_->wants(w_.event));
  EXPECT_TRUE(w_.run(*detector_).empty());
  w_.event.destination_port = 8443;
  w_.event.action = event::Action::kAllowed;
  EXPECT_FALSE(detector_->wants(w_.event));
  w_.event.action = event::Action::kDenied;
  w_.view.source_profile = &w_.source;
  w_.source.successes = 1;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "somebody logged in from here";
  w_.source.successes = 0;
  EXPECT_FALSE(w_.run(*detector_).empty());
  w_.from("5.4.1.1", w_.far, baseline::Familiarity::kNewCountry);
  EXPECT_TRUE(w_.run(*detector_).empty()) << "a server";
  w_.from("5.4.1.1", w_.partner, baseline::Familiarity::kNewCountry);
  EXPECT_TRUE(w_.run(*detector_).empty()) << "an expected source";
  w_.from("5.4.1.1", w_.home, baseline::Familiarity::kNewCountry);
  w_.view.remote = false;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "inside";
}

TEST_F(ScanTest, IsSilentWhileLittleIsKnown) {
  ordinary_days(5);
  homes(40, list_, 2);
  EXPECT_TRUE(w_.run(*detector_).empty());
}

TEST_F(ScanTest, WhatIsUsualHereIsNone) {
  for (int d = 20; d > 0; --d) homes(40 + d % 3 * 5, list_, 2, kMidnight - d * core::kDay);
  homes(48, list_, 2);
  EXPECT_TRUE(w_.run(*detector_).empty());
}

TEST_F(ScanTest, WhatIsLouderEverywhereIsNone) {
  for (int d = 20; d > 0; --d) {
    homes(30, list_, 1, kMidnight - d * core::kDay);
    for (int i = 0; i < 50; ++i) touch(next_++, 22, kMidnight - d * core::kDay, false);
  }
  homes(180, list_, 1);
  const auto alone = w_.run(*detector_, "coordinated-scan");
  ASSERT_TRUE(alone);
  for (int i = 0; i < 300; ++i) touch(next_++, 22, kNoon, false);  // another firewall logs
  EXPECT_TRUE(w_.run(*detector_).empty());
}

// Years of background as darknets show it: every port of the list has its worms, whose numbers vary by a third from day
// to day and rise and fall together, and now and then a new worm comes to one port. The seed is fixed.
TEST_F(ScanTest, OrdinaryYearsAreSilent) {
  std::mt19937_64 random(7);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  const auto varied = [&](double mean, double spread) {  // log-normal, by the sum of uniform numbers
    double normal = -6;
    for (int i = 0; i < 12; ++i) normal += uniform();
    return static_cast<int>(mean * std::exp(spread * normal) + uniform());
  };
  constexpr int kDays = 3 * 365;
  int loud = 0;
  int wave_left = 0;
  std::uint16_t wave = 0;
  for (int d = 0; d < kDays; ++d) {
    const core::Nanoseconds midnight = kMidnight + d * core::kDay;
    const double together = varied(1000, 0.2) / 1000.0;
    for (const baseline::EdgePort& port : baseline::kEdgePorts) {
      if (port.protocol != kTcp) continue;
      const double mean = port.port == 23 ? 30 : port.port == 22 || port.port == 8080 ? 8 : port.port % 7;
      homes(varied(mean * together, 0.35), {port.port}, 1, midnight);
    }
    if (wave_left == 0 && uniform() < 1.0 / 60) {
      wave_left = 10;
      wave = baseline::kEdgePorts[random() % 24].port;
    }
    if (wave_left > 0) {
      --wave_left;
      if (baseline::edge_port(wave, kTcp) != baseline::kNoEdgePort) homes(40, {wave}, 1, midnight);
    }
    for (int i = varied(40 * together, 0.3); i > 0; --i) touch(next_++, 22, midnight, false);
    bool spoke = false;
    for (const std::uint16_t port : list_) {
      w_.event.destination_port = port;
      spoke |= !w_.run(*detector_).empty();
    }
    loud += spoke ? 1 : 0;
  }
  EXPECT_LE(loud, 3) << "days in three years";
}

}  // namespace
}  // namespace orbwatch::detect

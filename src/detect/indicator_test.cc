#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"
#include "intel/indicators.h"

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

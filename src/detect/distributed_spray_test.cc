#include <gtest/gtest.h>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::Familiarity;
using test::ip;
using test::kNoon;
using test::World;

class SprayTest : public ::testing::Test {
 protected:
  SprayTest() {
    w_.from("5.4.1.1", w_.abroad, Familiarity::kNewCountry);
    days(3, 1);
    seen(40, 35);
    w_.fail();
  }
  // What four weeks of ordinary days had.
  void days(std::uint32_t sources, std::uint32_t consumer) {
    w_.strangers.source_days.fill(sources);
    w_.strangers.consumer_days.fill(consumer);
    w_.strangers.source_day_count = 28;
  }
  void seen(std::uint32_t failures, std::uint32_t sources, std::uint32_t consumer = 0) {
    w_.strangers.failures[3] = failures;
    w_.strangers.sources[5] = sources;
    w_.strangers.consumer[5] = consumer;
  }
  void succeed() {
    w_.view.login = true;
    w_.view.failed_login = false;
    w_.event.outcome = event::Outcome::kSuccess;
  }
  std::unique_ptr<Detector> detector_ = make_distributed_spray({});
  World w_;
};

TEST_F(SprayTest, ManyStrangersWhoTryOnceAreEvidence) {
  const auto e = w_.run(*detector_, "distributed-spray");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 3);
  EXPECT_EQ(e->finding, FindingKind::kSpray);
  EXPECT_EQ(e->says,
            "41 failed log-ins by 36 sources that nobody knows within 24 hours, 1.1 each; an ordinary day has 3 "
            "such sources");
}

TEST_F(SprayTest, GrowsWithTheirNumber) {
  double before = -100;
  for (std::uint32_t n = 6; n <= 300; n += 7) {
    seen(n, n);
    const double llr = w_.llr(*detector_, "distributed-spray");
    EXPECT_GE(llr, before) << n;
    before = llr;
  }
  EXPECT_LE(before, 10);
}

TEST_F(SprayTest, AnOrdinaryDayIsNone) {
  seen(5, 5);
  EXPECT_LT(w_.llr(*detector_, "distributed-spray"), 1.5);
  days(200, 20);  // such days are usual here
  seen(190, 180);
  EXPECT_LT(w_.llr(*detector_, "distributed-spray"), 0);
}

TEST_F(SprayTest, ASourceThatIsCountedAlreadyIsNotCountedAgain) {
  w_.view.source_profile = &w_.source;
  w_.source.failures = 1;
  w_.source.stranger_hour = static_cast<std::uint32_t>(kNoon / core::kHour);
  EXPECT_NE(w_.run(*detector_, "distributed-spray")->says.find("by 35 sources"), std::string::npos);
  w_.source.stranger_hour -= 24;  // it came back on the next day
  EXPECT_NE(w_.run(*detector_, "distributed-spray")->says.find("by 36 sources"), std::string::npos);
}

TEST_F(SprayTest, ConsumerNetworksAreEvidenceOfTheirOwn) {
  EXPECT_FALSE(w_.run(*detector_, "consumer-sources"));
  seen(40, 39, 6);
  const double some = w_.llr(*detector_, "consumer-sources");
  EXPECT_GT(some, 0);
  seen(40, 39, 36);
  const double most = w_.llr(*detector_, "consumer-sources");
  EXPECT_GT(most, some);
  EXPECT_LE(most, 10);
  EXPECT_EQ(w_.run(*detector_, "consumer-sources")->says,
            "36 of 40 sources stand in consumer broadband or mobile networks; an ordinary day has 1 such");
  days(40, 36);
  EXPECT_FALSE(w_.run(*detector_, "consumer-sources")) << "as on every day";
}

TEST_F(SprayTest, WithoutHistoryADozenSourcesAreNone) {
  w_.strangers.source_day_count = 0;
  seen(30, 14, 3);
  EXPECT_LT(w_.llr(*detector_, "distributed-spray"), 0.5);
  seen(300, 250, 230);
  EXPECT_GT(w_.llr(*detector_, "consumer-sources"), 1) << "so many homes are one, history or not";
}

TEST_F(SprayTest, IsSilentOnBruteForceAndOnTypingMistakes) {
  seen(200, 20);
  EXPECT_TRUE(w_.run(*detector_).empty()) << "few sources with many tries each are no spray";
  seen(4, 4);
  EXPECT_TRUE(w_.run(*detector_).empty()) << "too few sources";
  seen(40, 35);
  w_.view.familiarity = Familiarity::kSameSystemNear;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "her own provider";
  w_.view.familiarity = Familiarity::kNewCountry;
  w_.view.source_profile = &w_.source;
  w_.source.failures = 3;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "this source tries a lot";
  w_.source.failures = 0;
  w_.source.successes = 1;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "somebody logged in from here";
  w_.view.source_profile = nullptr;
  w_.view.remote = false;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "inside";
}

TEST_F(SprayTest, AnUnknownAccountCountsToo) {
  w_.view.user = nullptr;
  EXPECT_TRUE(w_.run(*detector_, "distributed-spray"));
}

TEST_F(SprayTest, ASuccessAfterFailuresOnOthersIsStrong) {
  succeed();
  w_.view.source_profile = &w_.source;
  w_.source.failed_users = {9999, w_.event.user.id(), 0};
  w_.source.failed_user_count = 2;
  const auto e = w_.run(*detector_, "sprayer-success");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 3);
  EXPECT_EQ(e->finding, FindingKind::kLogin);
  EXPECT_EQ(e->says, "this address failed on 1 other account before");
  w_.source.failed_users = {9999, 9998, 9997};
  w_.source.failed_user_count = 4;
  EXPECT_EQ(w_.run(*detector_, "sprayer-success")->says, "this address failed on at least 3 other accounts before");
  w_.source.successes = 1;
  EXPECT_FALSE(w_.run(*detector_, "sprayer-success")) << "an office: many type wrong there";
  w_.source.successes = 0;
  w_.source.failed_users = {w_.event.user.id(), 0, 0};
  w_.source.failed_user_count = 1;
  EXPECT_FALSE(w_.run(*detector_, "sprayer-success")) << "she mistyped her own password";
}

TEST_F(SprayTest, ASuccessSoonAfterAStrangersTryIsEvidence) {
  succeed();
  w_.user.stranger_failure = kNoon - 6 * core::kHour;
  w_.user.stranger_ip = ip("5.9.9.9");
  const auto e = w_.run(*detector_, "after-spray");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 0);
  EXPECT_EQ(e->says, "6.0 hours after 5.9.9.9 failed on this account from a network that alice never used");
  const double alone = e->llr;
  w_.view.accounts_tried = 0.6;
  EXPECT_LT(w_.llr(*detector_, "after-spray"), 0.5) << "most accounts were tried these days";
  EXPECT_GT(w_.llr(*detector_, "after-spray"), 0);
  EXPECT_GE(alone, 2);
  w_.user.stranger_failure = kNoon - 4 * core::kDay;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "long ago";
  w_.user.stranger_failure = kNoon + core::kHour;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "later";
  w_.user.stranger_failure = kNoon - core::kHour;
  w_.view.familiarity = Familiarity::kSamePrefix;
  EXPECT_TRUE(w_.run(*detector_).empty()) << "from home";
  w_.view.familiarity = Familiarity::kNewCountry;
  w_.view.user = nullptr;
  EXPECT_TRUE(w_.run(*detector_).empty());
}

}  // namespace
}  // namespace orbwatch::detect

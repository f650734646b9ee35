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
    w.from("5.4.1.1", w.abroad, Familiarity::kNewCountry);
    w.strangers.days.fill(3);
    w.strangers.day_count = 28;
    seen(40, 35);
    w.fail();
  }
  void seen(std::uint32_t failures, std::uint32_t sources, std::uint32_t consumer = 0) {
    w.strangers.failures[3] = failures;
    w.strangers.sources[5] = sources;
    w.strangers.consumer[5] = consumer;
  }
  void succeed() {
    w.view.login = true;
    w.view.failed_login = false;
    w.event.outcome = event::Outcome::kSuccess;
  }
  std::unique_ptr<Detector> detector = make_distributed_spray({});
  World w;
};

TEST_F(SprayTest, ManyStrangersWhoTryOnceAreEvidence) {
  const auto e = w.run(*detector, "distributed-spray");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 3);
  EXPECT_EQ(e->finding, FindingKind::kSpray);
  EXPECT_EQ(e->says,
            "41 failed log-ins by 36 sources that nobody knows within 24 hours, 1.1 each; an ordinary day has 3");
}

TEST_F(SprayTest, GrowsWithTheirNumber) {
  double before = -100;
  for (std::uint32_t n = 6; n <= 300; n += 7) {
    seen(n, n);
    const double llr = w.llr(*detector, "distributed-spray");
    EXPECT_GE(llr, before) << n;
    before = llr;
  }
  EXPECT_LE(before, 14);
}

TEST_F(SprayTest, AnOrdinaryDayIsNone) {
  seen(5, 5);
  EXPECT_LT(w.llr(*detector, "distributed-spray"), 1.5);
  w.strangers.days.fill(200);  // such days are usual here
  seen(190, 180);
  EXPECT_LT(w.llr(*detector, "distributed-spray"), 0);
}

TEST_F(SprayTest, ASourceThatIsCountedAlreadyIsNotCountedAgain) {
  w.view.source_profile = &w.source;
  w.source.failures = 1;
  w.source.stranger_hour = static_cast<std::uint32_t>(kNoon / core::kHour);
  EXPECT_NE(w.run(*detector, "distributed-spray")->says.find("by 35 sources"), std::string::npos);
  w.source.stranger_hour -= 24;  // it came back on the next day
  EXPECT_NE(w.run(*detector, "distributed-spray")->says.find("by 36 sources"), std::string::npos);
}

TEST_F(SprayTest, ConsumerNetworksAreEvidenceOfTheirOwn) {
  EXPECT_FALSE(w.run(*detector, "consumer-sources"));
  seen(40, 39, 24);
  const double some = w.llr(*detector, "consumer-sources");
  EXPECT_GT(some, 0);
  seen(40, 39, 36);
  const double most = w.llr(*detector, "consumer-sources");
  EXPECT_GT(most, some);
  EXPECT_LE(most, 2.0);
  EXPECT_EQ(w.run(*detector, "consumer-sources")->says,
            "36 of 40 sources stand in consumer broadband or mobile networks");
}

TEST_F(SprayTest, IsSilentOnBruteForceAndOnTypingMistakes) {
  seen(200, 20);
  EXPECT_TRUE(w.run(*detector).empty()) << "few sources with many tries each are no spray";
  seen(4, 4);
  EXPECT_TRUE(w.run(*detector).empty()) << "too few sources";
  seen(40, 35);
  w.view.familiarity = Familiarity::kSameSystemNear;
  EXPECT_TRUE(w.run(*detector).empty()) << "her own provider";
  w.view.familiarity = Familiarity::kNewCountry;
  w.view.source_profile = &w.source;
  w.source.failures = 3;
  EXPECT_TRUE(w.run(*detector).empty()) << "this source tries a lot";
  w.source.failures = 0;
  w.source.successes = 1;
  EXPECT_TRUE(w.run(*detector).empty()) << "somebody logged in from here";
  w.view.source_profile = nullptr;
  w.view.remote = false;
  EXPECT_TRUE(w.run(*detector).empty()) << "inside";
}

TEST_F(SprayTest, AnUnknownAccountCountsToo) {
  w.view.user = nullptr;
  EXPECT_TRUE(w.run(*detector, "distributed-spray"));
}

TEST_F(SprayTest, ASuccessAfterFailuresOnOthersIsStrong) {
  succeed();
  w.view.source_profile = &w.source;
  w.source.failed_users = {9999, w.event.user.id(), 0};
  w.source.failed_user_count = 2;
  const auto e = w.run(*detector, "sprayer-success");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 3);
  EXPECT_EQ(e->finding, FindingKind::kLogin);
  EXPECT_EQ(e->says, "this address failed on 1 other account before");
  w.source.failed_users = {9999, 9998, 9997};
  w.source.failed_user_count = 4;
  EXPECT_EQ(w.run(*detector, "sprayer-success")->says, "this address failed on at least 3 other accounts before");
  w.source.successes = 1;
  EXPECT_FALSE(w.run(*detector, "sprayer-success")) << "an office: many type wrong there";
  w.source.successes = 0;
  w.source.failed_users = {w.event.user.id(), 0, 0};
  w.source.failed_user_count = 1;
  EXPECT_FALSE(w.run(*detector, "sprayer-success")) << "she mistyped her own password";
}

TEST_F(SprayTest, ASuccessSoonAfterAStrangersTryIsEvidence) {
  succeed();
  w.user.stranger_failure = kNoon - 6 * core::kHour;
  w.user.stranger_ip = ip("5.9.9.9");
  const auto e = w.run(*detector, "after-spray");
  ASSERT_TRUE(e);
  EXPECT_GT(e->llr, 0);
  EXPECT_EQ(e->says, "6.0 hours after 5.9.9.9 failed on this account from a network that alice never used");
  const double alone = e->llr;
  w.view.accounts_tried = 0.6;
  EXPECT_LT(w.llr(*detector, "after-spray"), 0.5) << "most accounts were tried these days";
  EXPECT_GT(w.llr(*detector, "after-spray"), 0);
  EXPECT_GT(alone, 2);
  w.user.stranger_failure = kNoon - 4 * core::kDay;
  EXPECT_TRUE(w.run(*detector).empty()) << "long ago";
  w.user.stranger_failure = kNoon + core::kHour;
  EXPECT_TRUE(w.run(*detector).empty()) << "later";
  w.user.stranger_failure = kNoon - core::kHour;
  w.view.familiarity = Familiarity::kSamePrefix;
  EXPECT_TRUE(w.run(*detector).empty()) << "from home";
  w.view.familiarity = Familiarity::kNewCountry;
  w.view.user = nullptr;
  EXPECT_TRUE(w.run(*detector).empty());
}

}  // namespace
}  // namespace orbwatch::detect

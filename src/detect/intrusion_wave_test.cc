#include <cmath>

#include "detect/detect_test_util.h"
#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::Familiarity;
using test::ip;

class IntrusionWaveTest : public ::testing::Test {
 protected:
  IntrusionWaveTest() {
    w_.from("5.2.1.1", w_.town, Familiarity::kNewSystemNear);
    w_.view.strangest_account = core::intern("bob");
    w_.view.strangest_probability = 0.75;
  }
  // With so many other accounts taken, in so many log-ins.
  double llr(double taken, double logins) {
    w_.view.other_accounts = taken;
    w_.view.logins_then = logins;
    const auto e = w_.run(*detector_, "other-accounts");
    return e ? e->llr : 0;
  }
  test::World w_;
  std::unique_ptr<Detector> detector_ = make_intrusion_wave({});
};

TEST_F(IntrusionWaveTest, IsTheRateThatTheOthersShow) {
  // 0.25 accounts in 5,000 log-ins is what was known before.
  EXPECT_NEAR(llr(0.5, 5'000), std::log(0.75 / 10'000 * 20'000), 1e-9);
  EXPECT_GT(llr(0.5, 1'000), llr(0.3, 1'000));
  EXPECT_GT(llr(0.5, 1'000), llr(0.5, 5'000)) << "the more log-ins, the less is one";
}

TEST_F(IntrusionWaveTest, TipsAScaleNoMore) {
  EXPECT_GT(llr(50, 1'000), 0);
  EXPECT_EQ(llr(50, 1'000), llr(60, 100));
  EXPECT_LE(llr(50, 1'000), 1);
}

TEST_F(IntrusionWaveTest, QuietDaysSpeakForNobody) {
  EXPECT_EQ(llr(0, 1'000'000), 0);
  EXPECT_EQ(llr(0.05, 100'000), 0) << "fewer than are expected";
}

TEST_F(IntrusionWaveTest, TellsWhose) {
  llr(2, 3'000);
  EXPECT_EQ(w_.run(*detector_, "other-accounts")->says,
            "within 7 days log-ins of other accounts look like an intruder's, above all of bob (probability 0.75); "
            "2 such accounts are expected in 3000 log-ins");
  EXPECT_EQ(w_.run(*detector_, "other-accounts")->group, Group::kWave);
}

TEST_F(IntrusionWaveTest, SpeaksOfAccountsThatWereNeverSeen) {
  w_.view.user = nullptr;
  EXPECT_GT(llr(2, 3'000), 0);
}

TEST_F(IntrusionWaveTest, StaysSilentAboutWhatIsNoRemoteLogIn) {
  ASSERT_GT(llr(2, 3'000), 0);
  w_.view.remote = false;
  EXPECT_EQ(llr(2, 3'000), 0);
  w_.view.remote = true;
  w_.view.login = false;
  EXPECT_EQ(llr(2, 3'000), 0);
  w_.view.login = true;
  w_.from("5.9.1.1", w_.partner, Familiarity::kNewCountry);
  EXPECT_EQ(llr(2, 3'000), 0) << "a network that the organisation vouches for";
}

}  // namespace
}  // namespace orbwatch::detect

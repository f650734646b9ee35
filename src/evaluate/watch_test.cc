#include "evaluate/watch.h"

#include <gtest/gtest.h>

#include "enrich/enrich.h"

namespace orbwatch::evaluate {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::Nanoseconds;

constexpr Nanoseconds kStart = Nanoseconds{1'790'000'000} * core::kSecond;

Truth truth_of_two() {
  Truth truth;
  truth.start = kStart;
  truth.days = 20;
  TruthItem login;
  login.kind = "covert-login";
  login.campaign = "a";
  login.time = kStart + 8 * kDay;
  login.end = login.time + kHour;
  login.users = {"alice"};
  login.sources = {"5.1.1.7"};
  TruthItem spray;
  spray.kind = "spray";
  spray.campaign = "s";
  spray.time = kStart + 9 * kDay;
  spray.end = spray.time + 8 * kHour;
  for (int i = 1; i <= 10; ++i) spray.sources.push_back("5.2.2." + std::to_string(i));
  truth.items = {login, spray};
  return truth;
}

event::Event login(Nanoseconds after, const char* user, const char* ip) {
  event::Event e;
  e.time = kStart + after;
  e.event_class = event::Class::kSession;
  e.activity = event::Activity::kStart;
  e.outcome = event::Outcome::kSuccess;
  e.user = core::intern(user);
  e.source_ip = *core::Ip::parse(ip);
  return e;
}
score::Finding about(const Truth& truth, std::size_t item, detect::FindingKind kind, bool alert, double log_odds) {
  score::Finding f;
  f.time = f.end = truth.items[item].time;
  f.kind = kind;
  f.alert = alert;
  f.log_odds = log_odds;
  for (const std::string& source : truth.items[item].sources) {
    score::SourceFacts s;
    s.ip = *core::Ip::parse(source);
    f.sources.push_back(s);
  }
  return f;
}

TEST(Watch, TheFirstAlertCounts) {
  const Truth truth = truth_of_two();
  Watch watch(truth);
  const Nanoseconds t = truth.items[0].time;
  watch.told(about(truth, 0, detect::FindingKind::kLogin, false, 1), t + kMinute);
  watch.told(about(truth, 0, detect::FindingKind::kLogin, true, 2), t + 2 * kMinute);
  watch.told(about(truth, 0, detect::FindingKind::kLogin, true, 3), t + 3 * kMinute);
  const Watched seen = watch.take();
  EXPECT_EQ(seen.alerted, (std::vector<Nanoseconds>{t + 2 * kMinute, 0}));
}

TEST(Watch, ASpraysStoryIsItsFindingsAndItsAttempts) {
  const Truth truth = truth_of_two();
  Watch watch(truth);
  const Nanoseconds t = truth.items[1].time;
  watch.told(about(truth, 1, detect::FindingKind::kSpray, false, -2), t + kHour);
  watch.told(about(truth, 1, detect::FindingKind::kSpray, false, -3), t + 2 * kHour);
  watch.told(about(truth, 1, detect::FindingKind::kSpray, true, 4), t + 3 * kHour);
  watch.told(about(truth, 1, detect::FindingKind::kLogin, true, 9), t + 30 * kMinute);
  watch.failed_login(login(9 * kDay + kHour, "bob", "5.2.2.1"));
  watch.failed_login(login(9 * kDay + kMinute, "carol", "5.2.2.2"));
  watch.failed_login(login(9 * kDay + kHour, "bob", "5.9.9.9"));       // somebody else's
  watch.failed_login(login(9 * kDay + 10 * kHour, "bob", "5.2.2.1"));  // when it was over
  const Watched seen = watch.take();
  const SprayStory& story = seen.sprays.at("s");
  EXPECT_EQ(story.begin, t);
  EXPECT_EQ(story.alerted, t + 3 * kHour) << "one finding of kind spray";
  EXPECT_EQ(story.strength, (std::vector<std::pair<Nanoseconds, double>>{{t + kHour, -2}, {t + 3 * kHour, 4}}));
  ASSERT_EQ(story.attempts.size(), 2U);
  EXPECT_EQ(story.attempts[0].second, core::intern("carol"));
}

TEST(Watch, CountsLogInsAndAsksTheReferences) {
  const Truth truth = truth_of_two();
  const enrich::Enricher networks(nullptr);
  Watch watch(truth);
  watch.begin(networks);
  watch.login(login(kDay, "alice", "5.7.7.7"));  // learning
  watch.login(login(7 * kDay, "alice", "5.7.7.7"));
  watch.login(login(8 * kDay + kMinute, "alice", "5.1.1.7"));
  watch.login(login(8 * kDay + kMinute, "bob", "5.1.1.7"));     // another user of that address
  watch.login(login(12 * kDay + kMinute, "alice", "5.1.1.7"));  // another day
  const Watched seen = watch.take();
  EXPECT_EQ(seen.logins, 4U);
  EXPECT_EQ(seen.covert_logins, 1U);
  ASSERT_EQ(seen.references.size(), 4U);
  EXPECT_TRUE(seen.references[0].empty()) << "no place is known";
  // alice's second and third log-in, the fourth joined to the third; bob's first is not scored.
  EXPECT_EQ(seen.references[3].size(), 2U);
}

}  // namespace
}  // namespace orbwatch::evaluate

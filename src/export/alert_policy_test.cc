#include "export/alert_policy.h"

#include <gtest/gtest.h>

#include "core/symbol.h"
#include "export/finding_words.h"
#include "support/sample_report.h"

namespace orbwatch::exporting {
namespace {

using score::Finding;
using score::Severity;

constexpr core::Nanoseconds kNow = 1'764'000'000 * core::kSecond;

Finding alert(std::uint64_t i = 0) {
  Finding f = testing::sample_finding(i, false);
  f.alert = true;
  f.severity = Severity::kMedium;
  return f;
}

Verdict offer(AlertPolicy& policy, const Finding& finding, core::Nanoseconds now = kNow) {
  const Verdict verdict = policy.judge(finding, now);
  if (verdict == Verdict::kTell) policy.told(finding, now);
  return verdict;
}

TEST(AlertPolicy, FiltersAndCounts) {
  AlertRules rules;
  rules.minimum_severity = Severity::kMedium;
  rules.kinds = {detect::FindingKind::kLogin};
  AlertPolicy policy(rules);
  Finding f = alert();
  EXPECT_EQ(offer(policy, f), Verdict::kTell);
  f = alert(1);
  f.severity = Severity::kLow;
  EXPECT_EQ(offer(policy, f), Verdict::kBelowSeverity);
  f = alert(1);
  f.alert = false;
  EXPECT_EQ(offer(policy, f), Verdict::kNoAlert);
  f = alert(1);
  f.kind = detect::FindingKind::kDevice;
  EXPECT_EQ(offer(policy, f), Verdict::kOtherKind);
  for (const Verdict v : {Verdict::kTell, Verdict::kBelowSeverity, Verdict::kNoAlert, Verdict::kOtherKind})
    EXPECT_EQ(policy.count(v), 1U) << name(v);
  rules.alerts_only = false;
  AlertPolicy all(rules);
  f = alert(1);
  f.alert = false;
  EXPECT_EQ(offer(all, f), Verdict::kTell);
}

TEST(AlertPolicy, TellsAgainOnlyWhatHasBecomeWorse) {
  AlertPolicy policy({});
  Finding f = alert();  // two records
  EXPECT_EQ(offer(policy, f), Verdict::kTell);
  EXPECT_EQ(offer(policy, f), Verdict::kTold);
  f.severity = Severity::kHigh;
  EXPECT_EQ(offer(policy, f), Verdict::kTell);
  f.severity = Severity::kMedium;
  EXPECT_EQ(offer(policy, f), Verdict::kTold) << "it has become better";
  f.records.push_back(f.records[0]);
  EXPECT_EQ(offer(policy, f), Verdict::kTold) << "three are less than twice two";
  f.records.push_back(f.records[0]);
  EXPECT_EQ(offer(policy, f), Verdict::kTell);
  EXPECT_EQ(offer(policy, f), Verdict::kTold);
  f.source_count = 5;
  EXPECT_EQ(offer(policy, f), Verdict::kTell) << "4 records and 5 sources";
}

score::TimelineEntry step(const char* source, bool alone) {
  score::TimelineEntry s;
  s.source.ip = *core::Ip::parse(source);
  s.log_odds = 1;
  s.alert = alone;
  return s;
}

TEST(AlertPolicy, TellsAgainOfALogInFromAFurtherNetworkThatIsAnAlertByItself) {
  AlertPolicy policy({});
  Finding f = alert();
  f.records.resize(2);
  f.timeline = {step("203.0.113.7", true)};
  EXPECT_EQ(offer(policy, f), Verdict::kTell);
  f.timeline.push_back(step("203.0.113.9", true));
  EXPECT_EQ(offer(policy, f), Verdict::kTold) << "the same network";
  f.timeline.push_back(step("198.51.100.7", false));
  EXPECT_EQ(offer(policy, f), Verdict::kTold) << "that one alone would be no alert";
  f.timeline.push_back(step("192.0.2.7", true));
  EXPECT_EQ(offer(policy, f), Verdict::kTell);
  EXPECT_EQ(offer(policy, f), Verdict::kTold);
  // After a restart as well; a memory of the version before, which did not count networks, tells nothing anew.
  const auto state = AlertState::parse(policy.state().text());
  ASSERT_TRUE(state);
  AlertPolicy restarted({}, *state);
  EXPECT_EQ(offer(restarted, f), Verdict::kTold);
  const auto before = AlertState::parse("orbwatch-alerts 1\ntold\t2\t9\t1\t" + f.id + "\n");
  ASSERT_TRUE(before) << before.error().text();
  AlertPolicy updated({}, *before);
  EXPECT_EQ(offer(updated, f), Verdict::kTold);
}

TEST(AlertPolicy, ForgetsAfterAFailureToTell) {
  AlertPolicy policy({});
  EXPECT_EQ(policy.judge(alert(), kNow), Verdict::kTell);  // and told() is not called
  EXPECT_EQ(policy.judge(alert(), kNow), Verdict::kTell);
}

TEST(AlertPolicy, HoldsBackAndSumsUp) {
  AlertRules rules;
  rules.burst = 3;
  rules.per_hour = 60;
  AlertPolicy policy(rules);
  std::uint64_t told = 0, held = 0;
  for (std::uint64_t i = 0; i < 150; ++i) {
    Finding f = alert(i);
    if (i == 77) f.severity = Severity::kCritical;
    const Verdict verdict = offer(policy, f);
    told += verdict == Verdict::kTell;
    held += verdict == Verdict::kHeldBack;
  }
  EXPECT_EQ(told, 3U);
  EXPECT_EQ(held, 147U);
  EXPECT_EQ(policy.held_back(), 147U);
  EXPECT_FALSE(policy.due(kNow)) << "no token yet";
  EXPECT_FALSE(policy.due(kNow - core::kDay)) << "a clock that was set back makes none";
  const auto summary = policy.due(kNow - core::kDay + core::kMinute);
  ASSERT_TRUE(summary);
  EXPECT_EQ(title(*summary), "Alerts held back by the rate limit");
  EXPECT_EQ(summary->severity, Severity::kCritical);
  EXPECT_NE(summary->hypothesis.find("147 alerts"), std::string::npos) << summary->hypothesis;
  EXPECT_NE(summary->hypothesis.find("first 100"), std::string::npos) << summary->hypothesis;
  EXPECT_EQ(summary->evidence.size(), 100U);
  EXPECT_NE(summary->evidence[0].says.find(alert(3).id), std::string::npos) << summary->evidence[0].says;
  EXPECT_FALSE(policy.due(kNow - core::kDay + core::kMinute)) << "the token is used, the summary is not yet out";
  policy.summed_up();
  EXPECT_EQ(policy.held_back(), 0U);
  EXPECT_FALSE(policy.due(kNow + core::kHour));
  EXPECT_EQ(offer(policy, alert(50), kNow + core::kHour), Verdict::kTold) << "it was in the summary";
}

TEST(AlertPolicy, RefillsWithTheClock) {
  AlertRules rules;
  rules.burst = 2;
  rules.per_hour = 6;
  AlertPolicy policy(rules);
  std::uint64_t next = 0;
  const auto told_at = [&](core::Nanoseconds time) {
    int told = 0;
    while (offer(policy, alert(next++), time) == Verdict::kTell) ++told;
    return told;
  };
  EXPECT_EQ(told_at(kNow), 2);
  EXPECT_EQ(told_at(kNow + 9 * core::kMinute), 0);
  EXPECT_EQ(told_at(kNow + 10 * core::kMinute), 1);
  EXPECT_EQ(told_at(kNow + 10 * core::kHour), 2) << "no more than the bucket holds";
}

TEST(AlertState, SurvivesARestart) {
  AlertRules rules;
  rules.burst = 2;
  AlertPolicy policy(rules);
  for (std::uint64_t i = 0; i < 5; ++i) {
    Finding f = alert(i);
    f.user = "tab\there\nand line \xff";
    offer(policy, f);
  }
  const std::string text = policy.state().text();
  const auto parsed = AlertState::parse(text);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->text(), text);
  AlertPolicy again(rules, *parsed);
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(offer(again, alert(i)), Verdict::kTold);
  EXPECT_EQ(again.held_back(), 3U);
  EXPECT_EQ(offer(again, alert(6)), Verdict::kHeldBack) << "the bucket was not filled by the restart";
  const auto summary = again.due(kNow + core::kHour);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->evidence.size(), 4U);
}

TEST(AlertState, RefusesWhatIsDamaged) {
  AlertRules rules;
  rules.burst = 1;
  AlertPolicy policy(rules);
  for (std::uint64_t i = 0; i < 3; ++i) offer(policy, alert(i));
  const std::string text = policy.state().text();
  for (const std::string& wrong : std::vector<std::string>{
           "", "orbwatch-alerts 3\n", text + "told\tx\n", text + "told\t9\t1\t1\t0\tid\n", text + "other\t1\n",
           text + "held\t1\n", "orbwatch-alerts 1\nheld\t0\t0\tid\tu\t192.0.2.1\n",
           "orbwatch-alerts 1\nheld-back\t4\t1\t1\n"}) {
    const auto parsed = AlertState::parse(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_NE(parsed.error().text().find("damaged"), std::string::npos);
  }
  // Any prefix either parses or is refused.
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto parsed = AlertState::parse(text.substr(0, n));
    EXPECT_TRUE(parsed || !parsed.error().message.empty());
  }
}

TEST(AlertState, IsBounded) {
  AlertRules rules;
  rules.burst = 1e6;
  AlertPolicy policy(rules);
  Finding f = alert();
  for (std::uint64_t i = 0; i < AlertState::kMostTold + 10; ++i) {
    f.id = std::to_string(i);
    EXPECT_EQ(offer(policy, f, kNow + static_cast<core::Nanoseconds>(i)), Verdict::kTell);
  }
  EXPECT_LE(policy.state().told.size(), AlertState::kMostTold);
  EXPECT_EQ(policy.forgotten(), AlertState::kMostTold / 10);
  EXPECT_FALSE(policy.state().told.contains("0")) << "the longest ago go first";
  EXPECT_TRUE(policy.state().told.contains(f.id));
}

}  // namespace
}  // namespace orbwatch::exporting

#include "score/finding.h"

#include <gtest/gtest.h>

#include <limits>

namespace orbwatch::score {
namespace {

constexpr core::Nanoseconds kNoon = 1'763'985'600 * core::kSecond;  // 2025-11-24T12:00:00Z

Finding login() {
  Finding f;
  f.id = "0123456789abcdef";
  f.time = kNoon;
  f.end = kNoon + 90 * core::kMinute + 250 * core::kMillisecond;
  f.kind = detect::FindingKind::kLogin;
  f.score = 0.9731;
  f.severity = Severity::kHigh;
  f.alert = true;
  f.user = "alice";
  f.outcome = "success";
  f.source.ip = *core::Ip::parse("203.0.113.7");
  f.source.asn = 64496;
  f.source.org = "Example \"Cable\"";
  f.source.country = "DE";
  f.source.city = "Köln";
  f.source.network_type = "consumer broadband";
  f.source.claims = "consumer broadband (AS name)";
  f.source.latitude = 50.9;
  f.source.longitude = 6.9;
  f.gateway = "vpn1";
  f.hypothesis = "A log-in from a hijacked home router near the user";
  f.attack = {"T1090.003", "T1584.008"};
  f.evidence.push_back({"new-network", "new-network", detect::Group::kPlace, detect::FindingKind::kLogin, 4.2,
                        "First log-in from AS64496"});
  f.evidence.push_back(
      {"usual-hour", "new-network", detect::Group::kTime, detect::FindingKind::kLogin, -0.256, "An hour as always"});
  f.records.push_back({"vpn.log", 4711, 42, "%ASA-6-113039: <b>\x01"});
  f.records.push_back({"flows.pcap", 0, 0, ""});
  f.advice = "Ask alice whether she logged in.";
  f.network = "n-3";
  return f;
}

TEST(Finding, JsonIsTheContract) {
  EXPECT_EQ(
      to_json(login()),
      R"j({"id":"0123456789abcdef","time":"2025-11-24T12:00:00Z","end":"2025-11-24T13:30:00.25Z","kind":"login",)j"
      R"j("score":0.9731,"severity":"high","alert":true,"user":"alice","outcome":"success",)j"
      R"j("source":{"ip":"203.0.113.7","asn":64496,"org":"Example \"Cable\"","country":"DE","city":"Köln",)j"
      R"j("network_type":"consumer broadband","claims":"consumer broadband (AS name)"},)j"
      R"j("gateway":"vpn1","hypothesis":"A log-in from a hijacked home router near the user",)j"
      R"j("attack":["T1090.003","T1584.008"],)j"
      R"j("evidence":[{"kind":"new-network","llr":4.2,"says":"First log-in from AS64496"},)j"
      R"j({"kind":"usual-hour","llr":-0.26,"says":"An hour as always"}],)j"
      R"j("records":[{"file":"vpn.log","line":42},{"file":"flows.pcap","offset":0}],)j"
      R"j("advice":"Ask alice whether she logged in.","network":"n-3"})j");
}

TEST(Finding, TheTimelineTellsWhatHappened) {
  Finding f;
  f.id = "00";
  TimelineEntry tried;
  tried.time = kNoon - core::kDay;
  tried.what = Step::kFailedLogin;
  tried.source.ip = *core::Ip::parse("198.51.100.9");
  tried.says = "a stranger tried this account and failed";
  TimelineEntry came = tried;
  came.time = kNoon;
  came.what = Step::kLogin;
  came.source.asn = 64496;
  came.log_odds = 1.254;
  came.alert = true;
  came.says = "First log-in";
  TimelineEntry ended;
  ended.time = kNoon + core::kHour;
  ended.what = Step::kSessionEnd;
  ended.says = "lasted 60 minutes";
  f.timeline = {tried, came, ended};
  f.timeline_count = 7;
  f.related = "11";
  EXPECT_EQ(to_json(f),
            R"j({"id":"00","kind":"login","score":0,"severity":"informational","alert":false,"timeline":[)j"
            R"j({"time":"2025-11-23T12:00:00Z","what":"failed-log-in","source":{"ip":"198.51.100.9"},)j"
            R"j("says":"a stranger tried this account and failed"},)j"
            R"j({"time":"2025-11-24T12:00:00Z","what":"log-in","source":{"ip":"198.51.100.9","asn":64496},)j"
            R"j("log_odds":1.25,"alert":true,"says":"First log-in"},)j"
            R"j({"time":"2025-11-24T13:00:00Z","what":"session-end","says":"lasted 60 minutes"}],)j"
            R"j("timeline_count":7,"related":"11"})j");
  f.timeline.clear();
  f.timeline_count = 0;
  TimelineEntry user;
  user.time = kNoon;
  user.says = "alice logged in from 192.0.2.1 after a try";
  user.finding = "22";
  f.timeline = {user};
  EXPECT_NE(to_json(f).find(R"j("what":"log-in","says":"alice logged in from 192.0.2.1 after a try","finding":"22"})j"),
            std::string::npos);
}

TEST(Finding, AbsentMeansUnknown) {
  Finding f;
  f.id = "00";
  EXPECT_EQ(to_json(f), R"({"id":"00","kind":"login","score":0,"severity":"informational","alert":false})");
}

TEST(Finding, RawRecordsOnlyWhenAskedFor) {
  const std::string json = to_json(login(), true);
  EXPECT_NE(json.find(R"({"file":"vpn.log","line":42,"raw":"%ASA-6-113039: <b>\u0001"})"), std::string::npos) << json;
  EXPECT_EQ(to_json(login()).find("113039"), std::string::npos);
}

TEST(Finding, ManySourcesAreListedAndCounted) {
  Finding f;
  f.id = "00";
  f.kind = detect::FindingKind::kSpray;
  for (std::uint32_t i = 0; i < 150; ++i) {
    f.sources.emplace_back();
    f.sources.back().ip = core::Ip::v4(0xC0000200 + i);
  }
  f.source_count = 4000;
  f.users = {"alice", "bob"};
  f.user_count = 2;
  const std::string json = to_json(f);
  EXPECT_NE(json.find(R"("source_count":4000)"), std::string::npos);
  EXPECT_NE(json.find(R"({"ip":"192.0.2.99"}],)"), std::string::npos) << "the hundredth is the last";
  EXPECT_NE(json.find(R"("users":["alice","bob"])"), std::string::npos);
  EXPECT_EQ(json.find("user_count"), std::string::npos) << "the list already says it";
}

TEST(Finding, NumbersStaySensible) {
  const auto score = [](double value) {
    Finding f;
    f.score = value;
    const std::string json = to_json(f);
    const auto at = json.find("\"score\":") + 8;
    return json.substr(at, json.find(',', at) - at);
  };
  EXPECT_EQ(score(0.5), "0.5");
  EXPECT_EQ(score(0.123456), "0.1235");
  EXPECT_EQ(score(1.0), "1");
  EXPECT_EQ(score(0.9999966), "0.9999966") << "never rounded to certainty";
  EXPECT_EQ(score(0.0000034), "0.0000034");
  EXPECT_EQ(score(std::numeric_limits<double>::quiet_NaN()), "0");
  EXPECT_EQ(score(1e300), "1");
}

TEST(Finding, Names) {
  EXPECT_EQ(name(Severity::kInformational), "informational");
  EXPECT_EQ(name(Severity::kCritical), "critical");
  EXPECT_EQ(name(detect::FindingKind::kLogin), "login");
  EXPECT_EQ(name(detect::FindingKind::kSpray), "spray");
  EXPECT_EQ(name(detect::FindingKind::kRecon), "recon");
  EXPECT_EQ(name(detect::FindingKind::kRelay), "relay");
  EXPECT_EQ(name(detect::FindingKind::kExposure), "exposure");
  EXPECT_EQ(name(detect::FindingKind::kIntel), "intel");
  EXPECT_EQ(name(detect::FindingKind::kDevice), "device");
}

}  // namespace
}  // namespace orbwatch::score

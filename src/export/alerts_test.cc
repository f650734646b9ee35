#include "export/alerts.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "export/finding_words.h"
#include "export/formats.h"
#include "support/sample_report.h"
#include "support/temp_dir.h"

namespace orbwatch::exporting {
namespace {

namespace fs = std::filesystem;
using score::Finding;

constexpr core::Nanoseconds kNow = 1'764'000'000 * core::kSecond;
constexpr std::chrono::seconds kLong{30};

OutputSettings to_file(const std::string& name, const fs::path& path) {
  OutputSettings s;
  s.name = name;
  s.type = "file";
  s.path = path;
  s.retry = {std::chrono::milliseconds(2), std::chrono::milliseconds(10)};
  return s;
}

std::vector<Finding> alerts_of(std::uint64_t count) {
  std::vector<Finding> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    out.push_back(testing::sample_finding(i, false));
    out.back().alert = true;
  }
  return out;
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::istringstream in(test::read_file(path));
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

// What was offered, and what was told, adds up.
void expect_balance(const Alerts::Status& s, std::uint64_t offered) {
  std::uint64_t verdicts = 0;
  for (const std::uint64_t n : s.verdicts) verdicts += n;
  EXPECT_EQ(verdicts, offered) << s.name;
  const auto told = s.verdicts[static_cast<std::size_t>(Verdict::kTell)];
  EXPECT_EQ(s.delivery.counts.given, told + s.summaries - s.not_spooled) << s.name;
  EXPECT_TRUE(s.delivery.counts.balanced()) << s.name;
}

TEST(Alerts, GoToEachOutputInItsFormat) {
  const test::TempDir dir;
  OutputSettings json = to_file("json", dir / "json"), cef = to_file("cef", dir / "cef");
  cef.format = "cef";
  cef.rules.kinds = {detect::FindingKind::kLogin};
  auto alerts = Alerts::open({json, cef}, dir / "spool");
  ASSERT_TRUE(alerts) << alerts.error().text();
  const auto findings = alerts_of(8);
  ASSERT_TRUE((*alerts)->offer(findings, kNow));
  ASSERT_TRUE((*alerts)->wait_until_empty(kLong));
  const auto lines = lines_of(dir / "json");
  ASSERT_EQ(lines.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(lines[i], score::to_json(findings[i])) << "in order";
  for (const std::string& line : lines_of(dir / "cef")) EXPECT_TRUE(line.starts_with("CEF:0|orbwatch|"));
  EXPECT_LT(lines_of(dir / "cef").size(), 8U);
  for (const auto& status : (*alerts)->status()) expect_balance(status, 8);
}

TEST(Alerts, AreNotToldTwiceAfterARestart) {
  const test::TempDir dir;
  const auto findings = alerts_of(5);
  for (int run = 0; run < 3; ++run) {
    auto alerts = Alerts::open({to_file("f", dir / "out")}, dir / "spool");
    ASSERT_TRUE(alerts) << alerts.error().text();
    ASSERT_TRUE((*alerts)->offer(findings, kNow + run));
    ASSERT_TRUE((*alerts)->wait_until_empty(kLong));
    EXPECT_EQ(lines_of(dir / "out").size(), 5U);
  }
  // A damaged memory is moved aside, and said.
  std::ofstream(dir / "spool/f/alerts") << "rubbish\n";
  auto alerts = Alerts::open({to_file("f", dir / "out")}, dir / "spool");
  ASSERT_TRUE(alerts);
  ASSERT_EQ((*alerts)->notes().size(), 1U);
  EXPECT_TRUE(fs::exists(dir / "spool/f/alerts.damaged"));
  ASSERT_TRUE((*alerts)->offer(findings, kNow));
  ASSERT_TRUE((*alerts)->wait_until_empty(kLong));
  EXPECT_EQ(lines_of(dir / "out").size(), 10U);
}

TEST(Alerts, HeldBackOnesComeInOneMessage) {
  const test::TempDir dir;
  OutputSettings s = to_file("f", dir / "out");
  s.rules.burst = 4;
  s.rules.per_hour = 60;
  auto alerts = Alerts::open({s}, dir / "spool");
  ASSERT_TRUE(alerts);
  const auto findings = alerts_of(30);
  ASSERT_TRUE((*alerts)->offer(findings, kNow));
  ASSERT_TRUE((*alerts)->tick(kNow + core::kSecond));
  EXPECT_EQ((*alerts)->status()[0].held_back, 26U);
  ASSERT_TRUE((*alerts)->tick(kNow + core::kMinute));
  ASSERT_TRUE((*alerts)->wait_until_empty(kLong));
  const auto lines = lines_of(dir / "out");
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_NE(lines[4].find("26 alerts came faster"), std::string::npos) << lines[4];
  for (std::size_t i = 4; i < 30; ++i) EXPECT_NE(lines[4].find(findings[i].id), std::string::npos) << i;
  const auto status = (*alerts)->status()[0];
  EXPECT_EQ(status.held_back, 0U);
  EXPECT_EQ(status.summaries, 1U);
  expect_balance(status, 30);
}

TEST(Alerts, WaitWhileTheOutputIsBrokenAndAreAccountedFor) {
  const test::TempDir dir;
  OutputSettings s = to_file("f", dir / "missing/out");
  s.spool.most_messages = 5;
  s.rules.burst = 1'000;
  const auto findings = alerts_of(20);
  {
    auto alerts = Alerts::open({s}, dir / "spool");
    ASSERT_TRUE(alerts);
    ASSERT_TRUE((*alerts)->offer(findings, kNow));
    for (int i = 0; i < 2'000 && (*alerts)->status()[0].delivery.failures_in_row < 2; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const auto status = (*alerts)->status()[0];
    expect_balance(status, 20);
    EXPECT_EQ(status.delivery.counts.dropped, 15U);
    EXPECT_EQ(status.delivery.counts.waiting, 5U);
    EXPECT_NE(status.delivery.last_error.find("cannot open"), std::string::npos) << status.delivery.last_error;
  }
  fs::create_directories(dir / "missing");
  auto alerts = Alerts::open({s}, dir / "spool");
  ASSERT_TRUE(alerts);
  ASSERT_TRUE((*alerts)->wait_until_empty(kLong));
  EXPECT_EQ(lines_of(dir / "missing/out").back(), score::to_json(findings.back()));
  EXPECT_EQ((*alerts)->status()[0].delivery.counts.delivered, 5U);
  EXPECT_TRUE((*alerts)->status()[0].delivery.counts.balanced());
}

TEST(Alerts, GiveUpAfterTheLastAttempt) {
  const test::TempDir dir;
  OutputSettings s = to_file("f", dir / "missing/out");
  s.most_attempts = 3;
  Delivery delivery(*make_output(s), *Spool::open(dir / "spool", {}), s.retry, s.most_attempts);
  ASSERT_TRUE(delivery.give(*make_message(testing::sample_finding(0, false), s, kNow)));
  ASSERT_TRUE(delivery.wait_until_empty(kLong));
  EXPECT_EQ(delivery.status().attempts, 3U);
  ASSERT_EQ(delivery.dead_letters().size(), 1U);
  EXPECT_TRUE(delivery.dead_letters()[0].reason.starts_with("given up after 3 attempts: cannot open"));
}

// Takes everything, and remembers what.
class Recorder final : public Output {
 public:
  explicit Recorder(std::vector<std::string>& ids) : ids_(ids) {}
  Delivered deliver(const Message& message, std::stop_token) override {
    ids_.push_back(message.id);
    return {};
  }
  std::string target() const override { return "recorder"; }

 private:
  std::vector<std::string>& ids_;
};

TEST(Delivery, SendsNothingAgainBecauseTheDiskIsFull) {
  const test::TempDir dir;
  std::vector<std::string> ids;
  auto spool = *Spool::open(dir / "spool", {});
  const OutputSettings s = to_file("f", dir / "out");
  for (const Finding& finding : alerts_of(3)) ASSERT_TRUE(spool->put(*make_message(finding, s, kNow)));
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, &before);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit none{0, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &none);
  Delivery delivery(std::make_unique<Recorder>(ids), std::move(spool), s.retry);
  for (int i = 0; i < 5'000 && delivery.status().failures_in_row < 4; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto status = delivery.status();
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_GE(status.failures_in_row, 4U);
  EXPECT_EQ(status.attempts, 1U);
  EXPECT_EQ(status.counts.waiting, 3U);
  EXPECT_NE(status.last_error.find("state"), std::string::npos) << status.last_error;
  EXPECT_TRUE(delivery.wait_until_empty(kLong));
  delivery.stop();
  sigaction(SIGXFSZ, &before, nullptr);
  EXPECT_EQ(ids.size(), 3U) << "each was sent once";
}

TEST(Alerts, OutputsMustHaveNamesOfTheirOwn) {
  const test::TempDir dir;
  const auto alerts = Alerts::open({to_file("f", dir / "a"), to_file("f", dir / "b")}, dir / "spool");
  ASSERT_FALSE(alerts);
}

TEST(FileOutput, FollowsARotation) {
  const test::TempDir dir;
  const OutputSettings s = to_file("f", dir / "out");
  const auto output = *make_output(s);
  const Message m = *make_message(testing::sample_finding(0, false), s, kNow);
  ASSERT_TRUE(output->deliver(m, {}));
  fs::rename(dir / "out", dir / "out.1");
  ASSERT_TRUE(output->deliver(m, {}));
  ASSERT_TRUE(output->deliver(m, {}));
  output->reopen();
  ASSERT_TRUE(output->deliver(m, {}));
  EXPECT_EQ(lines_of(dir / "out.1").size(), 1U);
  EXPECT_EQ(lines_of(dir / "out").size(), 3U);
}

TEST(FileOutput, SaysWhenTheDiskIsFullAndLeavesNoHalfLine) {
  const test::TempDir dir;
  OutputSettings s = to_file("f", "/dev/full");
  const Message m = *make_message(testing::sample_finding(0, false), s, kNow);
  const Delivered full = (*make_output(s))->deliver(m, {});
  ASSERT_FALSE(full);
  EXPECT_FALSE(full.error().permanent);
  EXPECT_NE(full.error().error.text().find("No space left"), std::string::npos) << full.error().error.text();

  s.path = dir / "out";
  const auto output = *make_output(s);
  ASSERT_TRUE(output->deliver(m, {}));
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, &before);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit tight{m.body.size() + m.body.size() / 2, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  const Delivered half = output->deliver(m, {});
  setrlimit(RLIMIT_FSIZE, &old);
  sigaction(SIGXFSZ, &before, nullptr);
  EXPECT_FALSE(half);
  ASSERT_TRUE(output->deliver(m, {}));
  EXPECT_EQ(lines_of(dir / "out"), (std::vector<std::string>{m.body, m.body}));
}

TEST(FileOutput, EndsALineThatAPowerCutLeft) {
  const test::TempDir dir;
  dir.write("out", "{\"id\":\"half");
  const OutputSettings s = to_file("f", dir / "out");
  const Message m = *make_message(testing::sample_finding(0, false), s, kNow);
  ASSERT_TRUE((*make_output(s))->deliver(m, {}));
  EXPECT_EQ(lines_of(dir / "out"), (std::vector<std::string>{"{\"id\":\"half", m.body}));
}

TEST(TestFinding, SaysWhatItIs) {
  const Finding f = test_finding(kNow);
  for (const Format& format : kFormats) {
    RenderOptions options;
    const std::string text = format.render(f, options);
    EXPECT_NE(text.find("TEST: "), std::string::npos) << format.name;
  }
  EXPECT_EQ(title(f), "Test of an output");
  EXPECT_EQ(f.severity, score::Severity::kInformational);
  EXPECT_TRUE(f.source.ip.is_documentation());
}

TEST(BackOff, DoublesUpToTheLongest) {
  const BackOff back_off{std::chrono::milliseconds(100), std::chrono::milliseconds(700)};
  std::vector<long> waits;
  for (std::uint64_t i = 1; i <= 6; ++i) waits.push_back(back_off.wait(i).count());
  EXPECT_EQ(waits, (std::vector<long>{100, 200, 400, 700, 700, 700}));
  EXPECT_EQ(BackOff{}.wait(UINT64_MAX).count(), 300'000);
}

}  // namespace
}  // namespace orbwatch::exporting

#include "export/terminal.h"

#include <gtest/gtest.h>

#include "core/display.h"
#include "support/sample_report.h"

namespace orbwatch::exporting {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end == text.npos ? text.size() : end + 1;
  }
  return lines;
}

TEST(Terminal, NoLineIsWiderThanTheTerminal) {
  for (const bool hostile : {false, true}) {
    const auto result = testing::sample_report(40, hostile);
    for (int width = 40; width <= 200; ++width) {
      for (const auto& line : lines_of(terminal_report(result, {.width = width}))) {
        ASSERT_LE(core::display_width(line), static_cast<std::size_t>(width)) << width << ": " << line;
      }
    }
  }
}

TEST(Terminal, NothingOfTheDataReachesTheTerminalAsAControl) {
  const auto result = testing::sample_report(40, true);
  const std::string text = terminal_report(result, {.width = 120});
  for (const char c : text) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << int{c};
  EXPECT_EQ(text.find("\xe2\x80\xae"), text.npos) << "right-to-left override";
  EXPECT_EQ(text.find('\xff'), text.npos);
  // With colours only our own sequences, each ended on its line.
  for (const auto& line : lines_of(terminal_report(result, {.width = 120, .colour = true}))) {
    for (std::size_t at = line.find('\x1b'); at != line.npos; at = line.find('\x1b', at + 1)) {
      ASSERT_EQ(line[at + 1], '[') << line;
      ASSERT_EQ(line[line.find_first_not_of("0123456789;", at + 2)], 'm') << line;
    }
    if (line.find('\x1b') != line.npos) {
      EXPECT_TRUE(line.rfind("\x1b[0m") >= line.rfind("\x1b[")) << line;
    }
  }
}

TEST(Terminal, AlertsComeWithTheirReasons) {
  const std::string text = terminal_report(testing::sample_report(40), {.width = 160});
  for (const char* part :
       {"6 alerts", "34 findings below the budget", "99.6 %", "critical", "login", "+4.2", "-0.4", "consumer broadband",
        "AS6449", "%ASA-6-113039", "→ Ask ", "T1090.003", "logs/vpn/2025-11-24.log.gz:4711", "net-7f3a"}) {
    EXPECT_NE(text.find(part), text.npos) << part;
  }
}

TEST(Terminal, AFindingOfSeveralStepsTellsThemShortly) {
  auto result = testing::sample_report(1);
  score::Finding& f = result.findings[0];
  f.timeline.clear();
  for (int i = 0; i < 9; ++i) {
    score::TimelineEntry step;
    step.time = f.time + i * core::kHour;
    step.what = i == 1 ? score::Step::kSessionEnd : score::Step::kLogin;
    step.source.ip = core::Ip::v4(0xC6336401 + static_cast<std::uint32_t>(i));
    step.source.country = "DE";
    step.says = i == 1 ? "lasted 3.2 hours\x1b[31m" : "because";
    f.timeline.push_back(step);
  }
  f.timeline_count = 9;
  f.related = "8ff34785799e5cbd";
  const std::string text = terminal_report(result, {.width = 160});
  for (const char* part :
       {"log-in from 198.51.100.1 (DE)", "session-end from 198.51.100.2 (DE): lasted 3.2 hours",
        "log-in from 198.51.100.5", "and 4 more steps", "after a try of the spray 8ff34785799e5cbd"}) {
    EXPECT_NE(text.find(part), text.npos) << part;
  }
  EXPECT_EQ(text.find("198.51.100.6"), text.npos) << "a handful of lines";
  EXPECT_EQ(text.find('\x1b'), text.npos);
  f.timeline.resize(1);
  f.timeline_count = 1;
  EXPECT_EQ(terminal_report(result, {.width = 160}).find("log-in from"), text.npos) << "the row tells that one";
}

TEST(Terminal, AccountingIsShownAndBalances) {
  const auto result = testing::sample_report(0);
  const std::string text = terminal_report(result, {.width = 120});
  EXPECT_NE(text.find("139,683 records read = 135,534 events + 4,146 ignored + 3 rejected"), text.npos) << text;
  EXPECT_NE(text.find("logs/vpn/2025-11-24.log.gz: 3 of 88,334 rejected, first at line 12: cisco_asa: no address"),
            text.npos);
  EXPECT_NE(text.find("! logs/old/"), text.npos);
  EXPECT_NE(text.find("no format recognised"), text.npos);
  EXPECT_NE(text.find("soho-source: no device observations in the data"), text.npos);
  EXPECT_EQ(text.find("The sum is wrong"), text.npos);
  auto wrong = result;
  wrong.total.records += 1;
  EXPECT_NE(terminal_report(wrong, {.width = 120}).find("The sum is wrong"), text.npos);
}

TEST(Terminal, ListsAreLimited) {
  const std::string text =
      terminal_report(testing::sample_report(5000), {.width = 100, .most_alerts = 2, .most_below = 3});
  EXPECT_NE(text.find("and 4 more alerts"), text.npos);
  EXPECT_NE(text.find("and 4,991 more"), text.npos);
  EXPECT_LT(text.size(), 12000u);
}

TEST(Terminal, AnEmptyResultIsAFewLines) {
  const std::string text = terminal_report({}, {});
  EXPECT_TRUE(text.starts_with("0 alerts · 0 events\n")) << text;
}

TEST(Terminal, CertaintyIsNeverClaimed) {
  score::HuntResult result;
  result.findings.emplace_back();
  result.findings[0].score = 0.99999;
  result.findings[0].alert = true;
  EXPECT_NE(terminal_report(result, {}).find(">99.9 %"), std::string::npos);
}

}  // namespace
}  // namespace orbwatch::exporting

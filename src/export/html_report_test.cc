#include "export/html_report.h"

#include <gtest/gtest.h>

#include "support/sample_report.h"

namespace orbwatch::exporting {
namespace {

std::string data_block(const std::string& page) {
  const std::string start = "id=\"data\">";
  const auto at = page.find(start) + start.size();
  return page.substr(at, page.find("</script>", at) - at);
}

TEST(HtmlReport, HashesAsFips180AndCspSay) {
  EXPECT_EQ(csp_hash("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  EXPECT_EQ(csp_hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_EQ(csp_hash(std::string(56, 'a')), "sha256-s1Q5pKxvCUi21vnjxq8PX1kM4g8b3nCQ73lwaG7Gc4o=");
}

TEST(HtmlReport, NothingEndsTheDataBlock) {
  EXPECT_EQ(script_safe("a</script><!--&\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2"),
            "a\\u003c/script\\u003e\\u003c!--\\u0026\\u2028\\u2029\xe2\x80\xaa\xe2");
  const std::string page = html_report(testing::sample_report(40, true), {});
  const std::string data = data_block(page);
  EXPECT_TRUE(data.ends_with("}")) << "cut short";
  EXPECT_EQ(data.find('<'), data.npos);
  EXPECT_EQ(data.find("\xe2\x80\xa8"), data.npos);
  EXPECT_NE(data.find("\\u003cimg src=x"), data.npos) << "the hostile text is there, as data";
}

TEST(HtmlReport, IsOneFileWithoutRequests) {
  const std::string page = html_report(testing::sample_report(3), {});
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  EXPECT_EQ(page.find("{{"), page.npos) << "a place was not filled";
  for (const char* outside : {" src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "innerHTML", "eval("}) {
    EXPECT_EQ(page.find(outside), page.npos) << outside;
  }
  EXPECT_NE(page.find("default-src 'none'"), page.npos);
}

TEST(HtmlReport, TheTimelineIsInThePage) {
  auto result = testing::sample_report(3);
  score::TimelineEntry step;
  step.time = result.findings[0].time;
  step.what = score::Step::kSessionEnd;
  step.says = "lasted <b>3.2 hours";
  result.findings[0].timeline = {step};
  const std::string page = html_report(result, {});
  EXPECT_NE(data_block(page).find("\"what\":\"session-end\",\"says\":\"lasted \\u003cb\\u003e3.2 hours\""), page.npos);
  EXPECT_NE(page.find("What happened (UTC)"), page.npos) << "the script shows it";
}

TEST(HtmlReport, ListsAreLimitedAndTheRestIsCounted) {
  auto result = testing::sample_report(30);
  for (int i = 0; i < 20; ++i) result.findings[0].records.push_back(result.findings[0].records[0]);
  const std::string data = data_block(html_report(result, {.most_findings = 10, .most_records = 3}));
  EXPECT_NE(data.find("\"finding_count\":30"), data.npos);
  EXPECT_NE(data.find("\"more_records\":19"), data.npos);
  std::size_t findings = 0;
  for (auto at = data.find("{\"f\":"); at != data.npos; at = data.find("{\"f\":", at + 1)) ++findings;
  EXPECT_EQ(findings, 10u);
}

}  // namespace
}  // namespace orbwatch::exporting

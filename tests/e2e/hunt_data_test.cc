// A hunt over the whole mixed test data, where it is there: no crash, and every file and every record accounted for.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

// Beside the sources, or where ORBWATCH_TEST_DATA says.
const fs::path kData = [] {
  const char* given = std::getenv("ORBWATCH_TEST_DATA");
  return given != nullptr ? fs::path(given) : fs::path(ORBWATCH_ROOT) / "../shared/data";
}();

TEST(HuntData, EveryFileIsAccountedFor) {
  if (!fs::is_directory(kData)) GTEST_SKIP() << "no test data at " << kData;
  const std::string data = fs::canonical(kData).string();
  const HuntRun h = hunt({data}, {}, {.timeout = std::chrono::minutes(8)});
  ASSERT_EQ(h.run.signal, 0) << h.run.err;
  EXPECT_TRUE(h.run.exit_code == 0 || h.run.exit_code == 3) << h.run.exit_code << "\n" << h.run.err;
  ASSERT_TRUE(h.summarised);

  std::set<std::string> seen;
  SummaryCounts sum;
  std::map<std::string, int> fates;
  for (const SummaryInput& input : h.summary.inputs) {
    EXPECT_TRUE(seen.insert(input.path).second) << input.path << " is reported twice";
    EXPECT_TRUE(input.counts.balanced()) << input.path;
    ++fates[input.fate];
    if (input.fate == "read") {
      EXPECT_FALSE(input.format.empty()) << input.path;
      EXPECT_TRUE(input.error.empty()) << input.path;
    } else if (input.fate == "empty") {
      EXPECT_EQ(fs::file_size(input.path), 0U) << input.path;
    } else {
      EXPECT_TRUE(input.fate == "partly" || input.fate == "unknown-format" || input.fate == "unreadable") << input.fate;
      EXPECT_FALSE(input.error.empty()) << input.path;
      EXPECT_EQ(lines_of(input.error), 0U) << input.error;
    }
    sum.records += input.counts.records;
    sum.events += input.counts.events;
    sum.ignored += input.counts.ignored;
    sum.rejected += input.counts.rejected;
  }
  EXPECT_TRUE(h.summary.total.balanced());
  EXPECT_EQ(sum.records, h.summary.total.records);
  EXPECT_EQ(sum.events, h.summary.total.events);
  EXPECT_EQ(sum.ignored, h.summary.total.ignored);
  EXPECT_EQ(sum.rejected, h.summary.total.rejected);
  EXPECT_GT(fates["read"], 0);

  std::size_t files = 0;
  for (auto it = fs::recursive_directory_iterator(data); it != fs::recursive_directory_iterator(); ++it) {
    if (it->path().filename().string().starts_with('.')) {
      if (it->is_directory()) it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file() || it->is_symlink() || it->hard_link_count() > 1) continue;
    ++files;
    EXPECT_TRUE(seen.contains(it->path().string())) << it->path() << " is not accounted for";
  }
  EXPECT_GT(files, 0U);
  for (const auto& [fate, n] : fates) std::cout << fate << " " << n << "\n";
  std::cout << "records " << sum.records << " = events " << sum.events << " + ignored " << sum.ignored << " + rejected "
            << sum.rejected << "\n";
}

}  // namespace
}  // namespace orbwatch::test

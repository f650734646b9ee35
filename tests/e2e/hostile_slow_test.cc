// A line of 20 GB: bounded memory, one clear reject, the lines before it are used.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

TEST(HostileSlow, ALineOf20Gigabytes) {
  const TempDir dir;
  std::string text;
  for (int i = 0; i < 200; ++i) text += asa_login("alice", "198.51.100.7", i);
  const std::filesystem::path file = dir.write("long.log", text);
  std::error_code failed;
  std::filesystem::resize_file(file, std::uintmax_t{20} << 30, failed);  // sparse: takes no room
  if (failed) GTEST_SKIP() << "no sparse file of 20 GB here: " << failed.message();
  const HuntRun h = hunt({file.string()}, {}, {.timeout = std::chrono::minutes(20)});
  EXPECT_FALSE(h.run.timed_out);
  EXPECT_EQ(h.run.signal, 0);
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  ASSERT_TRUE(h.summarised);
  EXPECT_TRUE(h.summary.total.balanced());
  EXPECT_EQ(h.summary.total.events, 200U);
  EXPECT_EQ(h.summary.total.rejected, 1U);
  EXPECT_EQ(h.summary.total.rejected_by_reason.count("record too long"), 1U);
  rusage used{};
  ASSERT_EQ(getrusage(RUSAGE_CHILDREN, &used), 0);
  if (!kSanitized) {
    EXPECT_LT(used.ru_maxrss, 300'000) << "KiB";
  }
}

}  // namespace
}  // namespace orbwatch::test

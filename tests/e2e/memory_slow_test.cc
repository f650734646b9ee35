// Memory is bounded by what is distinct: a million source addresses and 100,000 users stay under 1 GB.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

constexpr int kUsers = 100'000;
constexpr int kSources = 1'000'000;

TEST(MemorySlow, AMillionSourcesAndAHundredThousandUsers) {
  const TempDir dir;
  const std::string file = (dir / "vpn.log").string();
  {
    std::ofstream out(file, std::ios::binary);
    std::string block;
    for (int i = 0; i < kSources; ++i) {
      // Every user ten times, every source once, over one day and a half.
      const std::string ip = std::to_string(11 + i / 65536 % 100) + "." + std::to_string(i / 256 % 256) + "." +
                             std::to_string(i % 256) + ".9";
      block += asa_login("user" + std::to_string(i % kUsers), ip, i / 12);
      if (block.size() > 1 << 20) {
        out << block;
        block.clear();
      }
    }
    out << block;
    ASSERT_TRUE(out.good());
  }
  const HuntRun h = hunt({file}, {}, {.timeout = std::chrono::minutes(20)});
  EXPECT_EQ(h.run.exit_code, 0) << h.run.err;
  ASSERT_TRUE(h.summarised);
  EXPECT_EQ(h.summary.total.events, static_cast<std::uint64_t>(kSources));
  rusage used{};
  ASSERT_EQ(getrusage(RUSAGE_CHILDREN, &used), 0);
  std::cout << "maximum resident set: " << used.ru_maxrss / 1024 << " MiB\n";
  if (!kSanitized) {
    EXPECT_LT(used.ru_maxrss, 1'000'000'000 / 1024) << "KiB";
  }
}

}  // namespace
}  // namespace orbwatch::test

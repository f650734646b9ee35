#include "intel/fetch/retry.h"

#include <gtest/gtest.h>

#include <set>

namespace orbwatch::intel {
namespace {

using std::chrono::milliseconds;

TEST(Retry, WaitsLongerAfterEachFailureWithJitterOfTheSeed) {
  RetryRules rules;
  rules.first_wait = milliseconds(1'000);
  rules.longest_wait = milliseconds(5'000);
  std::set<std::int64_t> first;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    milliseconds most{1'000};
    for (std::uint64_t failures = 1; failures < 8; ++failures) {
      const auto wait = wait_after(failures, rules, seed);
      EXPECT_EQ(wait, wait_after(failures, rules, seed));
      EXPECT_GE(wait, most / 2);
      EXPECT_LE(wait, most);
      most = std::min(most * 2, milliseconds(5'000));
    }
    first.insert(wait_after(1, rules, seed).count());
  }
  EXPECT_GT(first.size(), 50U) << "seeds spread";
  EXPECT_LE(wait_after(UINT64_MAX, rules, 1), rules.longest_wait);
  rules.first_wait = rules.longest_wait = milliseconds(0);
  EXPECT_EQ(wait_after(3, rules, 1), milliseconds(0));
}

TEST(Retry, ReadsRetryAfter) {
  const core::Nanoseconds now = 784'111'777 * core::kSecond;  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("120", now), milliseconds(120'000));
  EXPECT_EQ(parse_retry_after(" 0 ", now), milliseconds(0));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), milliseconds(60'000));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), milliseconds(0));
  EXPECT_EQ(parse_retry_after("99999999999999999999999", now), milliseconds(86'400'000));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:50:37 GMT", now), milliseconds(86'400'000));
  EXPECT_FALSE(parse_retry_after("", now));
  EXPECT_FALSE(parse_retry_after("soon", now));
  EXPECT_FALSE(parse_retry_after("-5", now));
}

}  // namespace
}  // namespace orbwatch::intel

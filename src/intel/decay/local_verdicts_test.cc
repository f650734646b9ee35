#include "intel/decay/local_verdicts.h"

#include <gtest/gtest.h>

#include "intel/decay/confidence.h"

namespace orbwatch::intel::decay {
namespace {

using core::kDay;

constexpr core::Nanoseconds kNow = 20'000 * kDay;

TEST(LocalVerdicts, CountForTheEntryOfTheFeedThatTheyAreOn) {
  LocalVerdicts all;
  EXPECT_TRUE(all.empty());
  all.add("a", "192.0.2.0/24", {"v1", false, kNow, 0});
  all.add("a", "192.0.2.0/24", {"v2", true, kNow - kDay, 0});
  all.add("a", "192.0.2.0/24", {"v3", true, kNow - 3 * kDay, 0});
  const HitsHere hits = all.of("a", "192.0.2.0/24", kNow);
  EXPECT_EQ(hits.false_hits, 1U);
  EXPECT_EQ(hits.true_hits, 2U);
  EXPECT_EQ(hits.last_true_hit, kNow - kDay);
  for (const auto& [feed, value] :
       {std::pair("b", "192.0.2.0/24"), {"a", "192.0.2.0"}, {"a", ""}, {"", "a 192.0.2.0/24"}})
    EXPECT_EQ(all.of(feed, value, kNow).false_hits, 0U) << feed << value;
}

TEST(LocalVerdicts, CountUntilTheyExpireOrAreTakenBack) {
  LocalVerdicts all;
  all.add("a", "x", {"v1", false, 0, kNow});
  all.add("a", "x", {"v2", false, 0, 0});
  EXPECT_EQ(all.of("a", "x", kNow - 1).false_hits, 2U);
  EXPECT_EQ(all.of("a", "x", kNow).false_hits, 1U) << "by the time of the event";
  all.remove("a", "x", "v2");
  all.remove("a", "x", "none");
  all.remove("b", "x", "v1");
  EXPECT_EQ(all.of("a", "x", kNow - 1).false_hits, 1U);
  all.remove("a", "x", "v1");
  EXPECT_TRUE(all.empty());
}

TEST(LocalVerdicts, AreAskedUpToABoundAndDoNotDependOnWhatWasRemoved) {
  LocalVerdicts all, other;
  for (int i = 0; i < 2000; ++i) {
    all.add("a", "x", {std::to_string(i), i % 2 == 0, i, 0});
    if (i % 3 != 0) other.add("a", "x", {std::to_string(i), i % 2 == 0, i, 0});
  }
  const HitsHere hits = all.of("a", "x", kNow);
  EXPECT_EQ(hits.true_hits + hits.false_hits, LocalVerdicts::kMostAsked);
  EXPECT_EQ(hits.last_true_hit, 1998) << "the newest are asked";
  for (int i = 0; i < 2000; i += 3) all.remove("a", "x", std::to_string(i));
  EXPECT_EQ(all.of("a", "x", kNow).true_hits, other.of("a", "x", kNow).true_hits);
  EXPECT_EQ(all.of("a", "x", kNow).last_true_hit, other.of("a", "x", kNow).last_true_hit);
}

}  // namespace
}  // namespace orbwatch::intel::decay

#include "core/symbol_counts.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace orbwatch::core {
namespace {

TEST(SymbolCounts, CountsLikeAMap) {
  std::mt19937 draw(7);
  SymbolCounts counts;
  std::map<std::uint32_t, std::uint64_t> expected;
  for (int i = 0; i < 20'000; ++i) {
    const auto id = static_cast<std::uint32_t>(draw() % 3000);
    counts[Symbol(id)] += i % 3 + 1U;
    expected[id] += i % 3 + 1U;
  }
  ASSERT_EQ(counts.size(), expected.size());
  for (const auto& [id, n] : expected) EXPECT_EQ(counts.at_or_zero(Symbol(id)), n);
  for (const auto& [symbol, n] : counts) EXPECT_EQ(expected.at(symbol.id()), n);
  EXPECT_FALSE(counts.contains(Symbol(3000)));
  EXPECT_EQ(counts.at_or_zero(Symbol(3000)), 0U);
}

TEST(SymbolCounts, EmplaceLeavesWhatIsThere) {
  SymbolCounts counts;
  EXPECT_FALSE(counts.contains(Symbol(1)));
  EXPECT_TRUE(counts.emplace(Symbol(1), 5).second);
  EXPECT_FALSE(counts.emplace(Symbol(1), 6).second);
  EXPECT_EQ(counts.at_or_zero(Symbol(1)), 5U);
  counts.clear();
  EXPECT_TRUE(counts.empty());
  EXPECT_FALSE(counts.contains(Symbol(1)));
  EXPECT_EQ(++counts[Symbol(1)], 1U);
}

TEST(SymbolCounts, OrderDoesNotMatterForEquality) {
  SymbolCounts a;
  SymbolCounts b;
  a[Symbol(1)] = 1;
  a[Symbol(2)] = 2;
  b[Symbol(2)] = 2;
  EXPECT_NE(a, b);
  b[Symbol(1)] = 1;
  EXPECT_EQ(a, b);
  b[Symbol(1)] = 3;
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace orbwatch::core

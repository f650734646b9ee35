#include "core/symbol.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

namespace orbwatch::core {
namespace {

TEST(Symbol, IsTheStringItWasMadeFrom) {
  EXPECT_FALSE(intern("").present());
  EXPECT_EQ(Symbol().text(), "");
  std::mt19937 random(5);
  // Few characters and all lengths around the sizes at which the look-up changes its way: near-equal strings must stay
  // apart.
  for (int i = 0; i < 100000; ++i) {
    std::string text(1 + random() % 40, 'a');
    for (auto n = random() % 3; n > 0; --n) text[random() % text.size()] = static_cast<char>("ab\0z"[random() % 4]);
    const Symbol symbol = intern(text);
    ASSERT_EQ(symbol.text(), text);
    ASSERT_EQ(intern(text), symbol);
  }
}

TEST(Symbol, CutsWhatIsTooLong) {
  const std::string text(kLongestSymbol + 10, 'x');
  EXPECT_EQ(intern(text).text().size(), kLongestSymbol);
  EXPECT_EQ(intern(text), intern(text + "y"));
}

TEST(Symbol, IsTheSameInEveryThread) {
  std::vector<std::vector<Symbol>> seen(4);
  std::vector<std::thread> threads;
  for (auto& mine : seen) {
    threads.emplace_back([&mine] {  // NOLINT(performance-inefficient-vector-operation)
      for (int i = 0; i < 5000; ++i) mine.push_back(intern("thread test " + std::to_string(i)));
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& other : seen) EXPECT_EQ(other, seen[0]);
  EXPECT_EQ(seen[0][77].text(), "thread test 77");
}

TEST(Hash64, IsStable) {
  EXPECT_EQ(hash64("orbwatch"), hash64(std::string("orb") + "watch"));
  EXPECT_NE(hash64("orbwatch"), hash64("orbwatch", 1));
  EXPECT_NE(hash64("a"), hash64("b"));
}

}  // namespace
}  // namespace orbwatch::core

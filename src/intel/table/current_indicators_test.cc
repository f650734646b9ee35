#include "intel/table/current_indicators.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "intel/table/indicator_table_writer.h"

namespace orbwatch::intel {
namespace {

using core::Ip;
using core::Prefix;

// 100 addresses from 198.51.100.0 on, all with the table's number as confidence.
CurrentIndicators::Table table_with(std::uint8_t number) {
  IndicatorTableWriter writer;
  IndicatorStatement statement;
  statement.feed = writer.add_feed("feed");
  statement.confidence = number;
  for (std::uint32_t i = 0; i < 100; ++i) writer.add(Prefix{Ip::v4(0xc6336400 + i), 32}, statement);
  auto table = IndicatorTable::from_bytes(*writer.image());
  EXPECT_TRUE(table);
  return std::make_shared<const IndicatorTable>(std::move(*table));
}

int number_of(const IndicatorTable& table, std::uint32_t entry) {
  IndicatorStatement statement;
  return table.statements(entry).next(statement) ? statement.confidence : -1;
}

TEST(CurrentIndicators, AReaderGetsWhatWasPublishedLast) {
  CurrentIndicators current;
  CurrentIndicators::Reader reader(current);
  EXPECT_EQ(reader.pin(), nullptr);
  current.publish(table_with(1));
  ASSERT_NE(reader.pin(), nullptr);
  EXPECT_EQ(number_of(*reader.pin(), 0), 1);
  const IndicatorTable* first = reader.pin();
  current.publish(table_with(2));
  EXPECT_EQ(number_of(*first, 0), 1);  // pinned: still there
  EXPECT_EQ(current.free_unused(), 1U);
  EXPECT_EQ(number_of(*reader.pin(), 0), 2);
  EXPECT_EQ(current.free_unused(), 0U);
  reader.release();
  current.publish(nullptr);
  EXPECT_EQ(current.free_unused(), 0U);
  EXPECT_EQ(reader.pin(), nullptr);
  EXPECT_EQ(current.generation(), 3U);
}

// Many swaps under readers: a batch sees one table from its beginning to its end, tables never go back, and what was
// replaced is freed.
TEST(CurrentIndicators, ManySwapsWhileThreadsLookUp) {
  constexpr int kSwaps = 300;
  CurrentIndicators current;
  std::vector<CurrentIndicators::Table> tables;
  for (std::uint8_t i = 0; i <= 100; ++i) tables.push_back(table_with(i));
  std::vector<std::weak_ptr<const IndicatorTable>> watched(tables.begin(), tables.end());
  current.publish(std::exchange(tables[0], nullptr));
  std::atomic<bool> stop = false;
  std::atomic<int> batches = 0, wrong = 0;
  std::vector<std::thread> readers;
  readers.reserve(3);
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      CurrentIndicators::Reader reader(current);
      std::array<std::uint32_t, 128> ips, found;
      for (std::uint32_t i = 0; i < ips.size(); ++i) ips[i] = 0xc6336400 + i;
      while (!stop) {
        const IndicatorTable* table = reader.pin();
        table->find_many_v4(ips, found);
        const int number = number_of(*table, found[0]);
        bool sound = number >= 0;
        for (std::uint32_t i = 0; i < ips.size(); ++i) {
          sound &= i < 100 ? number_of(*table, found[i]) == number : found[i] == IndicatorTable::kNone;
        }
        wrong += sound ? 0 : 1;
        ++batches;
      }
    });
  }
  for (int i = 1; i <= kSwaps; ++i) {
    current.publish(i <= 100 ? std::exchange(tables[static_cast<std::size_t>(i)], nullptr)
                             : table_with(static_cast<std::uint8_t>(i % 100)));
    // Let the readers see it now and then.
    if (i % 50 == 0) {
      for (const int seen = batches; batches < seen + 20;) std::this_thread::yield();
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(batches, 100);
  EXPECT_EQ(current.free_unused(), 0U);
  for (std::size_t i = 0; i < watched.size(); ++i) EXPECT_TRUE(watched[i].expired()) << i;
}

}  // namespace
}  // namespace orbwatch::intel

// The table of indicators that is in use, and its replacement while threads look up.
//
// A reader pins a table for a batch of look-ups: one atomic read where nothing was published since its last batch, a
// short lock where something was. Nobody waits for a reader, and no reader waits while a table is made or freed: that
// is left to the thread that publishes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "intel/table/indicator_table.h"

namespace orbwatch::intel {

// Must outlive its readers.
class CurrentIndicators {
 public:
  using Table = std::shared_ptr<const IndicatorTable>;

  // Replaces the table; null = none from now on. Any thread. The old one is freed by a later publish() or
  // free_unused(), when no reader has it any more: a reader that does not come back keeps one table in memory.
  void publish(Table table);
  // Frees replaced tables that no reader has; gives how many are left. Any thread.
  std::size_t free_unused();
  // How many tables were published.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  // One for each reading thread.
  class Reader {
   public:
    explicit Reader(const CurrentIndicators& current) : current_(current) {}
    // The newest table, null if there is none. Valid until the next pin() or release() of this reader.
    const IndicatorTable* pin() {
      if (current_.generation() != seen_) refresh();
      return table_.get();
    }
    // Before a longer rest: lets the table go.
    void release();

   private:
    void refresh();

    const CurrentIndicators& current_;
    Table table_;
    std::uint64_t seen_ = 0;
  };

 private:
  mutable std::mutex mutex_;
  Table table_;
  std::vector<Table> replaced_;
  std::atomic<std::uint64_t> generation_ = 0;
};

}  // namespace orbwatch::intel

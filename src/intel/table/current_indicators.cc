#include "intel/table/current_indicators.h"

#include <utility>

namespace orbwatch::intel {

void CurrentIndicators::publish(Table table) {
  {
    const std::lock_guard lock(mutex_);
    table_.swap(table);
    if (table != nullptr) replaced_.push_back(std::move(table));
    generation_.fetch_add(1, std::memory_order_release);
  }
  free_unused();
}

std::size_t CurrentIndicators::free_unused() {
  std::vector<Table> unused;  // freed behind the lock, which a reader may want
  const std::lock_guard lock(mutex_);
  std::size_t left = 0;
  for (Table& table : replaced_) {
    // No reader can come to it any more, so that a count of one stays one.
    if (table.use_count() == 1) {
      unused.push_back(std::move(table));
    } else {
      replaced_[left++].swap(table);
    }
  }
  replaced_.resize(left);
  return left;
}

void CurrentIndicators::Reader::refresh() {
  Table old;  // never the last one: replaced_ has it
  const std::lock_guard lock(current_.mutex_);
  old.swap(table_);
  table_ = current_.table_;
  seen_ = current_.generation_.load(std::memory_order_relaxed);
}

void CurrentIndicators::Reader::release() {
  table_.reset();
  seen_ = UINT64_MAX;
}

}  // namespace orbwatch::intel

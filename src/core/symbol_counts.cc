#include "core/symbol_counts.h"

#include <algorithm>

namespace orbwatch::core {

std::size_t SymbolCounts::slot(Symbol symbol) const {
  // Symbols are numbered as they come; the multiplication (2^32 / golden ratio) spreads those that belong together.
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = (symbol.id() * 2654435769U) >> 7 & mask;
  while (slots_[at] != kFree && entries_[slots_[at]].first != symbol) at = (at + 1) & mask;
  return at;
}

void SymbolCounts::grow() {
  slots_.assign(std::max<std::size_t>(8, slots_.size() * 2), kFree);
  for (std::uint32_t i = 0; i < entries_.size(); ++i) slots_[slot(entries_[i].first)] = i;
}

std::pair<SymbolCounts::const_iterator, bool> SymbolCounts::emplace(Symbol symbol, std::uint64_t n) {
  if (entries_.size() * 2 >= slots_.size()) grow();
  const std::size_t at = slot(symbol);
  if (slots_[at] != kFree) return {entries_.begin() + slots_[at], false};
  slots_[at] = static_cast<std::uint32_t>(entries_.size());
  entries_.emplace_back(symbol, n);
  return {entries_.end() - 1, true};
}

std::uint64_t& SymbolCounts::operator[](Symbol symbol) {
  const auto entry = emplace(symbol, 0).first;
  return entries_[static_cast<std::size_t>(entry - entries_.cbegin())].second;
}

SymbolCounts::const_iterator SymbolCounts::find(Symbol symbol) const {
  if (entries_.empty()) return entries_.end();
  const std::uint32_t i = slots_[slot(symbol)];
  return i == kFree ? entries_.end() : entries_.begin() + i;
}

void SymbolCounts::clear() {
  entries_.clear();
  slots_.clear();
}

bool operator==(const SymbolCounts& a, const SymbolCounts& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&b](const SymbolCounts::value_type& entry) {
           const auto found = b.find(entry.first);
           return found != b.end() && found->second == entry.second;
         });
}

}  // namespace orbwatch::core

// How often each of a few symbols was seen: reasons, formats. Made for sums that are written for each record and read
// once: adding to a symbol that is there costs one probe. Its header is light on purpose, since every decoder includes
// it.
//
// Entries stand in the order in which they came; the order of symbols means nothing (see symbol.h), so sort by text()
// before showing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/symbol.h"

namespace orbwatch::core {

class SymbolCounts {
 public:
  using key_type = Symbol;
  using mapped_type = std::uint64_t;
  using value_type = std::pair<Symbol, std::uint64_t>;
  using const_iterator = std::vector<value_type>::const_iterator;
  using iterator = std::vector<value_type>::iterator;

  // 0 for a symbol that is new. The reference is valid until the next symbol is added.
  std::uint64_t& operator[](Symbol symbol);
  // False, and nothing changes, if the symbol is there.
  std::pair<const_iterator, bool> emplace(Symbol symbol, std::uint64_t n);

  const_iterator find(Symbol symbol) const;
  bool contains(Symbol symbol) const { return find(symbol) != end(); }
  std::uint64_t at_or_zero(Symbol symbol) const {
    const auto found = find(symbol);
    return found == end() ? 0 : found->second;
  }

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  iterator begin() { return entries_.begin(); }
  iterator end() { return entries_.end(); }
  const_iterator begin() const { return entries_.begin(); }
  const_iterator end() const { return entries_.end(); }
  void clear();

  // Equal if the same symbols were seen equally often, in whatever order.
  friend bool operator==(const SymbolCounts& a, const SymbolCounts& b);

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;

  std::size_t slot(Symbol symbol) const;  // where it is in slots_, or the free one where it would be
  void grow();

  std::vector<value_type> entries_;
  std::vector<std::uint32_t> slots_;  // index into entries_; open addressing, a power of two, at most half full
};

}  // namespace orbwatch::core

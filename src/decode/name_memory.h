// What the names of a record's members mean, remembered from record to record. The records of one source have mostly
// the same names in the same order, so the name that followed last time is tried first: one comparison that a processor
// predicts well, instead of a search in a table. Only an acceleration: what is found is what the search would find.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

#include "decode/name_key.h"

namespace orbwatch::decode {

// `Meaning` is small and cheap to copy. Memory: some 20 KB, taken when first used. Not thread-safe.
template <typename Meaning>
class NameMemory {
  struct Entry;

 public:
  // The names of one record, one after the other. Valid as long as the memory.
  class Names {
   public:
    // The meaning of a name within something (an object of the record's schema), which is told by its address and must
    // outlive the memory. look() searches it and depends on nothing but the two. `name` is where it begins, `key` its
    // key.
    template <typename Look>
    [[gnu::always_inline]] Meaning find(const char* name, const NameKey& key, const void* within, Look look) {
      if (key.size > kLongest) return look();
      Entry* entry = last_->next;
      if (!entry->is(name, key, within)) {
        entry = entries_ + (key.hash(kBits) + (reinterpret_cast<std::uintptr_t>(within) >> 4)) % kStart;
        if (!entry->is(name, key, within)) entry->set(name, key, within, look());
        last_->next = entry;
      }
      last_ = entry;
      return entry->meaning;
    }

   private:
    friend class NameMemory;
    explicit Names(Entry* entries) : entries_(entries), last_(entries + kStart) {}

    Entry* entries_;
    Entry* last_;
  };

  // A new record begins.
  Names names() {
    if (entries_ == nullptr) {
      entries_ = std::make_unique<Entry[]>(kStart + 1);
      for (std::size_t i = 0; i <= kStart; ++i) entries_[i].next = &entries_[kStart];
    }
    return Names(entries_.get());
  }

 private:
  static constexpr unsigned kBits = 8;
  static constexpr std::size_t kStart = std::size_t{1} << kBits;  // stands before the first name
  static constexpr std::size_t kMiddle = 16;                      // bytes of a name that its key does not hold
  static constexpr std::size_t kLongest = NameKey::kWhole + kMiddle;

  struct Entry {
    NameKey key;
    const void* within = nullptr;
    Entry* next = nullptr;  // the entry that followed last time
    Meaning meaning{};
    std::array<char, kMiddle> middle;

    bool is(const char* name, const NameKey& k, const void* in) const {
      if (((key.first ^ k.first) | (key.last ^ k.last) | (key.size ^ k.size)) != 0 || within != in) return false;
      return k.size <= NameKey::kWhole || std::memcmp(name + 8, middle.data(), k.size - NameKey::kWhole) == 0;
    }
    void set(const char* name, const NameKey& k, const void* in, const Meaning& what) {
      key.first = k.first;
      key.last = k.last;
      key.size = k.size;
      within = in;
      if (k.size > NameKey::kWhole) std::memcpy(middle.data(), name + 8, k.size - NameKey::kWhole);
      meaning = what;
    }
  };

  std::unique_ptr<Entry[]> entries_;
};

}  // namespace orbwatch::decode

#include "core/symbol.h"

#include <absl/container/flat_hash_map.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

namespace orbwatch::core {
namespace {

constexpr std::uint32_t kShardBits = 4;
constexpr std::uint32_t kShards = 1U << kShardBits;
constexpr std::uint32_t kBlockBits = 12;  // entries a block
constexpr std::uint32_t kBlocks = 1U << 14;
constexpr std::size_t kArenaBlock = 64 << 10;

struct Entry {
  const char* data;
  std::uint32_t size;
};

// id = (index << kShardBits | shard) + 1. Entries live in blocks that never move, so that text() needs no lock: an id
// reaches another thread only through some synchronisation, which also publishes its entry.
struct Shard {
  std::mutex mutex;
  absl::flat_hash_map<std::string_view, std::uint32_t> ids;
  std::array<std::atomic<Entry*>, kBlocks> blocks{};
  std::uint32_t count = 0;
  std::vector<std::unique_ptr<char[]>> arena;
  std::size_t arena_left = 0;
};

struct Table {
  std::array<Shard, kShards> shards;
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::uint64_t> overflow{0};
};

Table& table() {
  static Table* instance = new Table;  // never destroyed: symbols are valid until the process ends
  return *instance;
}

Symbol insert(Shard& shard, std::uint32_t shard_number, std::string_view text) {
  std::lock_guard lock(shard.mutex);
  if (auto found = shard.ids.find(text); found != shard.ids.end()) return Symbol(found->second);
  Table& all = table();
  const std::size_t cost = text.size() + 64;
  if (all.bytes.load(std::memory_order_relaxed) + cost > kMostSymbolBytes || shard.count >= kBlocks << kBlockBits) {
    return Symbol();
  }
  all.bytes.fetch_add(cost, std::memory_order_relaxed);
  if (shard.arena_left < text.size()) {
    shard.arena.push_back(std::make_unique<char[]>(kArenaBlock));
    shard.arena_left = kArenaBlock;
  }
  char* place = shard.arena.back().get() + (kArenaBlock - shard.arena_left);
  std::memcpy(place, text.data(), text.size());
  shard.arena_left -= text.size();
  const std::uint32_t index = shard.count++;
  auto& block = shard.blocks[index >> kBlockBits];
  Entry* entries = block.load(std::memory_order_relaxed);
  if (entries == nullptr) {
    entries = new Entry[1U << kBlockBits];
    block.store(entries, std::memory_order_release);
  }
  entries[index & ((1U << kBlockBits) - 1)] = {place, static_cast<std::uint32_t>(text.size())};
  const std::uint32_t id = (index << kShardBits | shard_number) + 1;
  shard.ids.emplace(std::string_view(place, text.size()), id);
  return Symbol(id);
}

inline std::uint64_t mix(std::uint64_t h) {
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ULL;
  h ^= h >> 32;
  return h;
}

inline std::uint64_t load8(const char* p) {
  std::uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

inline std::uint32_t load4(const char* p) {
  std::uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}

// What identifies a string within a thread's cache. Up to kInline bytes `first` and `last` hold all of its bytes (they
// overlap), so that a hit needs no look at the string itself; beyond that they are a hash.
struct Key {
  std::uint64_t first;
  std::uint64_t last;
  std::uint64_t hash;  // only for the table's own use: equal strings, equal hash, within one process
};
constexpr std::size_t kInline = 16;

inline Key key_of(std::string_view s) {
  const char* p = s.data();
  const std::size_t n = s.size();
  Key key{};
  if (n > kInline) {
    std::uint64_t h = n * 0x9e3779b97f4a7c15ULL;
    std::size_t left = n;
    for (; left > 8; left -= 8, p += 8) {
      h = (h ^ load8(p)) * 0xff51afd7ed558ccdULL;
      h ^= h >> 29;
    }
    key.first = h;
    key.last = load8(s.data() + n - 8);
  } else if (n >= 8) {
    key.first = load8(p);
    key.last = load8(p + n - 8);
  } else if (n >= 4) {
    key.first = load4(p) | std::uint64_t{load4(p + n - 4)} << 32;
  } else {
    const auto byte = [p](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(p[i])}; };
    key.first = byte(0) | byte(n / 2) << 8 | byte(n - 1) << 16;
  }
  const std::uint64_t h = (key.first ^ n * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;
  key.hash = mix((h ^ h >> 29 ^ key.last) * 0xff51afd7ed558ccdULL);
  return key;
}

struct CacheLine {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint32_t size = 0;
  std::uint32_t id = 0;
};
constexpr std::size_t kCacheLines = 8192;

// Plain pointer and no constructor: the look-up needs no guard. The owner below frees it when the thread ends.
thread_local constinit CacheLine* cache_lines = nullptr;

CacheLine* make_cache() {
  thread_local const auto owner = std::make_unique<CacheLine[]>(kCacheLines);
  return cache_lines = owner.get();
}

}  // namespace

std::string_view Symbol::text() const {
  if (id_ == 0) return {};
  const std::uint32_t index = (id_ - 1) >> kShardBits;
  const Shard& shard = table().shards[(id_ - 1) & (kShards - 1)];
  const Entry& entry =
      shard.blocks[index >> kBlockBits].load(std::memory_order_acquire)[index & ((1U << kBlockBits) - 1)];
  return {entry.data, entry.size};
}

Symbol intern(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > kLongestSymbol) text = text.substr(0, kLongestSymbol);
  CacheLine* const cache = cache_lines != nullptr ? cache_lines : make_cache();
  const Key key = key_of(text);
  CacheLine& line = cache[key.hash & (kCacheLines - 1)];
  if (line.first == key.first && line.last == key.last && line.size == text.size() &&
      (text.size() <= kInline || Symbol(line.id).text() == text)) {
    return Symbol(line.id);
  }
  const auto shard_number = static_cast<std::uint32_t>(key.hash >> 60) & (kShards - 1);
  const Symbol symbol = insert(table().shards[shard_number], shard_number, text);
  if (!symbol.present()) {
    table().overflow.fetch_add(1, std::memory_order_relaxed);
    // Its shard may be full as well; then the event simply lacks the name.
    return insert(table().shards[0], 0, "(too many names)");
  }
  line = {key.first, key.last, static_cast<std::uint32_t>(text.size()), symbol.id()};
  return symbol;
}

std::uint64_t symbol_overflow() { return table().overflow.load(std::memory_order_relaxed); }

std::size_t symbol_count() {
  std::size_t count = 0;
  for (Shard& shard : table().shards) {
    std::lock_guard lock(shard.mutex);
    count += shard.count;
  }
  return count;
}

std::uint64_t hash64(std::string_view text, std::uint64_t seed) {
  std::uint64_t h = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mix(mix(h));
}

}  // namespace orbwatch::core

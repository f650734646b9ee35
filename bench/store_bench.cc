// How many events a second the store takes on the calling thread, commit, checkpoint and rename included: the claim is
// at least one million (docs/performance.md). The events resemble a firewall's log: connections of many addresses,
// every tenth a log-in with a user and enriched facts.
#include <benchmark/benchmark.h>

#include <unistd.h>

#include <filesystem>
#include <random>

#include "store/store.h"

namespace {

using namespace orbwatch;

void fill(event::EventBatch& batch, std::mt19937_64& random, std::size_t count, std::uint64_t& line) {
  static const auto names = [](const char* stem, int n) {
    std::vector<core::Symbol> out;
    out.reserve(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) out.push_back(core::intern(std::string(stem) + std::to_string(i)));
    return out;
  };
  static const auto users = names("user.number.", 5000);
  static const auto gateways = names("gateway-", 8);
  static const core::Symbol dataset = core::intern("cisco_asa");
  static const core::Symbol codes[] = {core::intern("302013"), core::intern("302014"), core::intern("113039")};
  static const core::Symbol agent = core::intern("AnyConnect Windows 4.10.07061");
  static const core::Symbol inside = core::intern("inside"), outside = core::intern("outside");
  for (std::size_t i = 0; i < count; ++i, ++line) {
    event::Event& e = batch.next();
    const std::uint64_t r = random();
    e.time = 1'760'000'000 * core::kSecond + static_cast<core::Nanoseconds>(line) * core::kMillisecond;
    e.dataset = dataset;
    e.observer = gateways[r % gateways.size()];
    e.source_ip = core::Ip::v4(static_cast<std::uint32_t>(r >> 32));
    e.source_port = static_cast<std::uint16_t>(r >> 8 | 1024);
    e.source_facts = 1 + static_cast<std::uint32_t>(r >> 40) % 20000;
    e.record.line = static_cast<std::uint32_t>(line + 1);
    e.record.offset = line * 150;
    if (r % 10 == 0) {
      e.event_class = event::Class::kAuthentication;
      e.activity = event::Activity::kLogon;
      e.outcome = r % 30 == 0 ? event::Outcome::kFailure : event::Outcome::kSuccess;
      e.service = event::Service::kVpn;
      e.code = codes[2];
      e.user = users[(r >> 20) % users.size()];
      e.user_agent = agent;
    } else {
      e.event_class = event::Class::kConnection;
      e.activity = r % 2 != 0 ? event::Activity::kStart : event::Activity::kEnd;
      e.action = event::Action::kAllowed;
      e.code = codes[r % 2];
      e.destination_ip = core::Ip::v4(0x0A000000 + static_cast<std::uint32_t>(r >> 16 & 0xfff));
      e.destination_port = 443;
      e.protocol = 6;
      e.source_bytes = r >> 44;
      e.destination_bytes = r >> 42;
      e.session_id = r >> 34;
      e.ingress = outside;
      e.egress = inside;
    }
    batch.keep();
  }
}

void append_events(benchmark::State& state) {
  if (!store::available()) {
    state.SkipWithError("built without DuckDB");
    return;
  }
  const auto path =
      std::filesystem::temp_directory_path() / ("orbwatch_store_bench_" + std::to_string(::getpid()) + ".duckdb");
  const std::size_t batches = static_cast<std::size_t>(state.range(0));
  std::mt19937_64 random(1);
  std::uint64_t line = 0;
  std::vector<event::EventBatch> data(static_cast<std::size_t>(state.range(1)) / 7000);
  for (auto& batch : data) fill(batch, random, 7000, line);
  std::vector<std::string> names(20001), cities(20001);
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = "Example Access Provider " + std::to_string(i % 3000);
    cities[i] = "City of " + std::to_string(i % 9000);
  }
  const store::FactsLookup facts = [&](std::uint32_t i) {
    return store::FactsRow{64496 + i % 3000,     names[i],      "DE",        cities[i],
                           "consumer broadband", 50.0 + i % 10, 6.0 + i % 10};
  };
  std::size_t rows = 0;
  for (auto _ : state) {
    auto store = store::Store::create(path.string());
    const auto check = [&](const core::Expected<void>& done) {
      if (!done) state.SkipWithError(done.error().text().c_str());
    };
    check((*store)->begin());
    for (std::size_t i = 0; i < batches; ++i) {
      check((*store)->append_events(data[i % data.size()], {"asa.log"}, facts));
      rows += data[i % data.size()].size();
    }
    check((*store)->commit());
    check((*store)->finish());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
  state.counters["bytes_per_row"] =
      static_cast<double>(std::filesystem::file_size(path)) / (static_cast<double>(batches) * 7000);
  std::filesystem::remove(path);
}
BENCHMARK(append_events)
    ->Args({300, 112'000})
    ->Args({1500, 112'000})
    ->Args({300, 2'100'000})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->MeasureProcessCPUTime();

}  // namespace

BENCHMARK_MAIN();

// Claim: NetFlow v9 and IPFIX flows are decoded out of a packet capture at 12 million records/s or more on one core:
// capture reader, headers, template, events in a batch that is emptied as it would be by the next stage. The peer is
// nfcapd: bench/peers/nfcapd.sh sends the same capture through it and compares the user time of a record.
//
//   decode_flow_bench                                      the figures
//   decode_flow_bench --write FILE PROTOCOL RECORDS        the capture of PROTOCOL (v5, v9, ipfix) as a pcap file, for
//   a peer
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "core/text.h"
#include "decode/capture.h"

namespace {

using namespace orbwatch;

constexpr std::size_t kRecordsPerPacket = 24;
constexpr std::uint32_t kStart = 1700000000;
constexpr std::uint32_t kUptime = 900'000'000;

enum class Protocol { kV5, kV9, kIpfix };

void put16(std::string& out, std::uint64_t v) {
  out += static_cast<char>(v >> 8);
  out += static_cast<char>(v);
}
void put32(std::string& out, std::uint64_t v) {
  put16(out, v >> 16 & 0xffff);
  put16(out, v & 0xffff);
}
void little32(std::string& out, std::uint32_t v) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(v >> (8 * i));
}

// What Cisco IOS sends for "flow record netflow ipv4 original-input" and a sampler: 20 fields, 60 bytes.
struct Field {
  int id;
  int length;
};
constexpr Field kFields[] = {{8, 4},  {12, 4}, {15, 4}, {10, 4}, {14, 4}, {2, 4},  {1, 4}, {22, 4}, {21, 4}, {7, 2},
                             {11, 2}, {6, 1},  {4, 1},  {5, 1},  {16, 4}, {17, 4}, {9, 1}, {13, 1}, {61, 1}, {48, 1}};

std::string template_set(Protocol protocol) {
  std::string set;
  put16(set, protocol == Protocol::kIpfix ? 2 : 0);
  put16(set, 8 + 4 * std::size(kFields));
  put16(set, 300);
  put16(set, std::size(kFields));
  for (const Field& f : kFields) {
    put16(set, static_cast<std::uint64_t>(f.id));
    put16(set, static_cast<std::uint64_t>(f.length));
  }
  return set;
}

void record(std::string& out, Protocol protocol, std::mt19937_64& random) {
  const std::uint64_t a = random();
  const std::uint64_t b = random();
  const std::uint32_t first = kUptime - 60000 + static_cast<std::uint32_t>(a % 30000);
  const std::uint32_t last = first + static_cast<std::uint32_t>(b % 30000);
  const std::uint32_t source = 0x0a000000 | static_cast<std::uint32_t>(a >> 40);
  const std::uint32_t destination = 0xc0000000 | static_cast<std::uint32_t>(b >> 36);
  const bool v5 = protocol == Protocol::kV5;
  const auto put_interface = [&](std::uint64_t index) { v5 ? put16(out, index) : put32(out, index); };
  put32(out, source);
  put32(out, destination);
  put32(out, 0);
  put_interface(a & 63);
  put_interface(b & 63);
  put32(out, 1 + (a & 255));
  put32(out, 40 + (b & 0xffff));
  put32(out, first);
  put32(out, last);
  put16(out, 1024 + (a >> 20 & 0x7fff));
  put16(out, 443);
  if (v5) out += '\0';
  out += '\x1b';
  out += '\x06';
  out += '\0';
  if (v5) {
    put32(out, 0);
    put32(out, 0x18180000);
  } else {
    put32(out, 64500);
    put32(out, 64501);
    put32(out, 0x18180001);
  }
}

std::string make_pcap(Protocol protocol, std::size_t records) {
  std::mt19937_64 random(20261123);
  std::string out;
  for (const std::uint32_t v : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 65535U, 1U}) little32(out, v);
  std::string payload;
  std::uint32_t sequence = 0;
  std::size_t packets = 0;
  for (std::size_t done = 0; done < records; ++packets) {
    const std::size_t n = std::min(kRecordsPerPacket, records - done);
    const std::uint32_t seconds = kStart + static_cast<std::uint32_t>(done / 100000);
    const bool with_template = protocol != Protocol::kV5 && packets % 1000 == 0;
    const std::string templates = with_template ? template_set(protocol) : "";
    std::string data;
    for (std::size_t i = 0; i < n; ++i) record(data, protocol, random);
    payload.clear();
    if (protocol == Protocol::kV5) {
      put16(payload, 5);
      put16(payload, n);
      put32(payload, kUptime);
      put32(payload, seconds);
      put32(payload, 0);
      put32(payload, sequence);
      put32(payload, 0);
    } else if (protocol == Protocol::kV9) {
      put16(payload, 9);
      put16(payload, n + (with_template ? 1 : 0));
      put32(payload, kUptime);
      put32(payload, seconds);
      put32(payload, sequence);
      put32(payload, 7);
    } else {
      put16(payload, 10);
      put16(payload, 16 + templates.size() + 4 + data.size());
      put32(payload, seconds);
      put32(payload, sequence);
      put32(payload, 7);
    }
    payload += templates;
    if (protocol != Protocol::kV5) {
      put16(payload, 300);
      put16(payload, 4 + data.size());
    }
    payload += data;
    sequence += static_cast<std::uint32_t>(protocol == Protocol::kV9 ? 1 : n);
    done += n;

    std::string packet("\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0", 14);
    put32(packet, 0x45000000 | (28 + payload.size()));
    put32(packet, 0);
    put32(packet, 0x40110000);
    put32(packet, 0xc0000201);  // 192.0.2.1
    put32(packet, 0xc6336402);  // 198.51.100.2
    put16(packet, 50000);
    put16(packet, 2055);
    put16(packet, 8 + payload.size());
    put16(packet, 0);
    packet += payload;
    little32(out, seconds);
    little32(out, 0);
    little32(out, static_cast<std::uint32_t>(packet.size()));
    little32(out, static_cast<std::uint32_t>(packet.size()));
    out += packet;
  }
  return out;
}

constexpr std::size_t kRecords = 2'000'000;
constexpr std::size_t kPiece = 256 << 10;  // some 4000 records: what the next stage takes at once

void decode_capture(benchmark::State& state, Protocol protocol) {
  std::string pcap = make_pcap(protocol, kRecords);
  pcap.append(core::kPadding, '\0');
  const std::string_view input(pcap.data(), pcap.size() - core::kPadding);
  event::EventBatch batch;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    decode::CaptureDecoder decoder(decode::Options{});
    events = bytes = 0;
    for (std::size_t at = 0; at < input.size(); at += kPiece) {
      decoder.feed(input.substr(at, kPiece), batch);
      for (const event::Event& e : batch) bytes += e.source_bytes;
      events += batch.size();
      batch.clear();
    }
    decoder.finish(batch);
    benchmark::DoNotOptimize(bytes);
  }
  if (events != kRecords || bytes == 0) state.SkipWithError("records are missing");
  state.counters["records"] =
      benchmark::Counter(static_cast<double>(kRecords * state.iterations()), benchmark::Counter::kIsRate);
  state.SetBytesProcessed(static_cast<std::int64_t>(input.size() * state.iterations()));
}

BENCHMARK_CAPTURE(decode_capture, netflow_v5, Protocol::kV5)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode_capture, netflow_v9, Protocol::kV9)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode_capture, ipfix, Protocol::kIpfix)->Unit(benchmark::kMillisecond);

int decode_file(const char* name) {
  std::ifstream in(name, std::ios::binary);
  std::string pcap((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  pcap.append(core::kPadding, '\0');
  const std::string_view input(pcap.data(), pcap.size() - core::kPadding);
  decode::CaptureDecoder decoder(decode::Options{});
  event::EventBatch batch;
  std::uint64_t events = 0;
  const auto user_seconds = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) * 1e-6;
  };
  const double before = user_seconds();
  for (std::size_t at = 0; at < input.size(); at += kPiece) {
    decoder.feed(input.substr(at, kPiece), batch);
    events += batch.size();
    batch.clear();
  }
  decoder.finish(batch);
  std::printf("%llu records, %.3f s user\n", static_cast<unsigned long long>(events), user_seconds() - before);
  return events == 0 ? 3 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--decode") return decode_file(argv[2]);
  if (argc == 5 && std::string_view(argv[1]) == "--write") {
    const std::string_view name = argv[3];
    const auto records = core::parse_number<std::size_t>(argv[4]);
    if (!records || (name != "v5" && name != "v9" && name != "ipfix")) {
      std::fprintf(stderr, "decode_flow_bench --write FILE v5|v9|ipfix RECORDS\n");
      return 2;
    }
    const Protocol protocol = name == "v5" ? Protocol::kV5 : name == "v9" ? Protocol::kV9 : Protocol::kIpfix;
    const std::string pcap = make_pcap(protocol, *records);
    std::ofstream out(argv[2], std::ios::binary);
    out.write(pcap.data(), static_cast<std::streamsize>(pcap.size()));
    return out ? 0 : 3;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

// Claim: Cisco ASA lines are decoded at 3 million lines/s or more on one core: frame, envelope, decoder, counts, events
// in a batch. The peer in the same run is a memchr scan for line ends over the same bytes: what any reader of lines
// must pay.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>
#include <random>
#include <string>

#include "core/text.h"
#include "decode/text.h"

namespace {

using namespace orbwatch;

// An hour of a busy gateway: mostly connections built and torn down and translations, some refusals, some VPN sessions.
// Lines come in order of time; users, servers and interfaces repeat, clients' addresses and ports hardly do. The same
// on every run.
std::string make_log(std::size_t lines) {
  std::mt19937_64 random(20261122);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto inside = [&] { return fmt::format("10.{}.{}.{}", below(4), below(256), 1 + below(254)); };
  const auto outside = [&] {
    return fmt::format("{}.{}.{}.{}", 1 + below(222), below(256), below(256), 1 + below(254));
  };
  const auto port = [&] { return 1024 + below(64511); };
  std::string out;
  std::uint64_t connection = 251'000'000;
  for (std::size_t i = 0; i < lines; ++i) {
    const std::size_t second = i * 3600 / lines;
    out += fmt::format("<166>Nov 22 2026 08:{:02}:{:02} fw-branch-01 : ", second / 60, second % 60);
    const std::string user = fmt::format("user{:04}", below(2000));
    const std::string client = outside();
    switch (below(20)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const auto [in, server, p] = std::tuple(inside(), outside(), port());
        out += fmt::format(
            "%ASA-6-302013: Built outbound TCP connection {} for outside:{}/443 ({}/443) to inside:{}/{} "
            "(198.51.100.130/{})",
            ++connection, server, server, in, p, p);
        break;
      }
      case 4:
      case 5:
      case 6:
      case 7:
        out += fmt::format(
            "%ASA-6-302014: Teardown TCP connection {} for outside:{}/443 to inside:{}/{} duration 0:{:02}:{:02} bytes "
            "{} TCP FINs from inside",
            connection - below(1000), client, inside(), port(), below(60), below(60), below(1'000'000));
        break;
      case 8:
      case 9:
      case 10: {
        const auto [p, q] = std::tuple(port(), inside());
        out += fmt::format(
            "%ASA-6-302015: Built inbound UDP connection {} for outside:{}/{} ({}/{})(LOCAL\\{}) to inside:{}/53 "
            "({}/53) ({})",
            ++connection, client, p, client, p, user, q, q, user);
        break;
      }
      case 11:
      case 12:
      case 13:
        out += fmt::format(
            "%ASA-6-302016: Teardown UDP connection {} for outside:{}/{}(LOCAL\\{}) to inside:{}/53 duration "
            "0:00:{:02} bytes {} ({})",
            connection - below(1000), client, port(), user, inside(), below(60), below(5000), user);
        break;
      case 14:
      case 15:
      case 16:
      case 17:
        out += fmt::format(
            "%ASA-4-106023: Deny tcp src outside:{}/{} dst inside:{}/{} by access-group \"outside_access_in\" "
            "[0x71761f18, 0x0]",
            client, port(), inside(), below(1024));
        break;
      case 18:
        out +=
            fmt::format("%ASA-6-305011: Built dynamic TCP translation from inside:{}/{} to outside:198.51.100.130/{}",
                        inside(), port(), port());
        break;
      default:
        switch (below(4)) {
          case 0:
            out += fmt::format(
                "%ASA-4-113019: Group = VPN-Staff, Username = {}, IP = {}, Session disconnected. Session Type: SSL, "
                "Duration: {}h:{:02}m:09s, "
                "Bytes xmt: {}, Bytes rcv: {}, Reason: Idle Timeout",
                user, client, below(9), below(60), below(100'000'000), below(100'000'000));
            break;
          case 1:
            out += fmt::format(
                "%ASA-6-113005: AAA user authentication Rejected : reason = AAA failure : server = 192.0.2.10 : user = "
                "{} : user IP = {}",
                user, client);
            break;
          case 2:
            out += fmt::format("%ASA-6-113039: Group <GP-Staff> User <{}> IP <{}> AnyConnect parent session started.",
                               user, client);
            break;
          default:
            out += fmt::format(
                "%ASA-4-722051: Group <GP-Staff> User <{}> IP <{}> IPv4 Address <{}> IPv6 address <::> assigned to "
                "session",
                user, client, inside());
        }
    }
    out += '\n';
  }
  out.append(core::kPadding, '\0');
  return out;
}

constexpr std::size_t kLines = 200'000;
constexpr std::size_t kChunk = 256 << 10;

std::string_view log_text() {
  static const std::string text = make_log(kLines);
  return std::string_view(text).substr(0, text.size() - core::kPadding);
}

void report(benchmark::State& state) {
  const auto rounds = static_cast<std::int64_t>(state.iterations());
  state.SetItemsProcessed(rounds * static_cast<std::int64_t>(kLines));
  state.SetBytesProcessed(rounds * static_cast<std::int64_t>(log_text().size()));
}

void line_scan(benchmark::State& state) {
  const std::string_view text = log_text();
  for (auto _ : state) {
    std::size_t lines = 0;
    for (const char* p = text.data(); p != text.data() + text.size(); ++lines) {
      p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(text.data() + text.size() - p))) + 1;
    }
    benchmark::DoNotOptimize(lines);
  }
  report(state);
}
BENCHMARK(line_scan)->Unit(benchmark::kMillisecond);

void decode_cisco_asa(benchmark::State& state) {
  const std::string_view text = log_text();
  decode::Options options;
  event::EventBatch batch;
  for (auto _ : state) {
    decode::TextDecoder decoder(decode::Framing::kLines, "cisco_asa", false, options, core::TimeReader());
    std::uint64_t records = 0;
    for (std::size_t at = 0; at < text.size(); at += kChunk) {
      batch.clear();
      decoder.feed(text.substr(at, kChunk), batch);
      records += batch.counts.records;
      if (batch.counts.rejected != 0) state.SkipWithError("a line was rejected");
    }
    if (records != kLines) state.SkipWithError("not every line was counted");
  }
  report(state);
}
BENCHMARK(decode_cisco_asa)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();

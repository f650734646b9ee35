// What `./dev demo-live` runs: the service on loopback, the shipped example sent to its syslog and flow ports in the
// order of time, and the findings as they come up. The history goes at once, the last days at a steady multiple of the
// speed at which they happened.
//
//   live_demo [--speed 1000] [--live-days 2] [--folder PATH] [--example PATH]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/text.h"
#include "core/time.h"
#include "decode/all.h"
#include "source/expand.h"
#include "source/reader.h"
#include "support/run.h"
#include "support/service.h"

namespace {

namespace fs = std::filesystem;
using namespace orbwatch;
using Clock = std::chrono::steady_clock;

struct Piece {
  core::Nanoseconds time = 0;
  bool flow = false;
  std::string bytes;
};

std::string read_all(const source::Input& input) {
  std::string out;
  auto reader = source::open(input);
  if (!reader) return out;
  std::string buffer(1 << 16, '\0');
  while (true) {
    const auto n = (*reader)->read(buffer.data(), buffer.size());
    if (!n || *n == 0) return out;
    out.append(buffer, 0, *n);
  }
}

// Each line with the time that its event states; one without an event happens with the one before it.
void add_lines(const std::string& text, core::Nanoseconds reference, std::vector<Piece>& out) {
  decode::Options options;
  options.reference = reference;
  decode::Recognised lines;
  lines.format = "text";
  lines.stateless = true;
  auto decoder = decode::make_decoder(lines, options);
  if (!decoder) return;
  core::Nanoseconds last = 0;
  std::string_view rest = text;
  std::string line;
  const std::size_t first = out.size();
  while (!rest.empty()) {
    line.assign(core::take_until(rest, '\n'));
    if (core::trim(line).empty()) continue;  // the collector passes over it
    line += '\n';
    line.reserve(line.size() + core::kPadding);
    event::EventBatch batch;
    (*decoder)->feed(line, batch);
    if (!batch.empty() && batch[0].time != 0) last = batch[0].time;
    out.push_back({last, false, line});
  }
  for (std::size_t i = first; i < out.size() && out[i].time == 0; ++i) out[i].time = reference;
}

// IPFIX messages one behind the other (RFC 5655), with their export time.
void add_flows(const std::string& file, std::vector<Piece>& out) {
  const auto number = [&](std::size_t at, int bytes) {
    std::uint64_t n = 0;
    for (int i = 0; i < bytes; ++i) n = n << 8 | static_cast<unsigned char>(file[at + static_cast<std::size_t>(i)]);
    return n;
  };
  for (std::size_t at = 0; at + 16 <= file.size();) {
    const auto length = static_cast<std::size_t>(number(at + 2, 2));
    if (length < 16 || at + length > file.size()) return;
    out.push_back({static_cast<core::Nanoseconds>(number(at + 4, 4)) * core::kSecond, true, file.substr(at, length)});
    at += length;
  }
}

// Prints the findings among the service's output lines from `from` on.
void show(const std::string& text, std::size_t& from) {
  simdjson::dom::parser parser;
  for (auto newline = text.find('\n', from); newline != text.npos; newline = text.find('\n', from)) {
    const std::string line = text.substr(from, newline - from);
    from = newline + 1;
    simdjson::dom::element finding;
    if (parser.parse(line).get(finding) != simdjson::SUCCESS) continue;
    const auto word = [&](const char* key) {
      std::string_view value;
      return finding[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
    };
    double score = 0;
    if (finding["score"].get(score) != simdjson::SUCCESS) score = 0;
    if (score < 0.01) continue;
    std::string_view ip;
    if (finding["source"]["ip"].get(ip) != simdjson::SUCCESS) ip = {};
    std::printf("  %5.1f %%  %-9s %-20.19s %-18s %-16s %s\n", 100 * score, word("kind").c_str(), word("time").c_str(),
                word("user").c_str(), std::string(ip).c_str(), word("id").c_str());
  }
}

int connect_to(int port, int type) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, type, 0);
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 ? socket : -1;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  double speed = 1000;
  double live_days = 2;
  fs::path folder = fs::temp_directory_path() / "orbwatch-demo-live";
  std::string example = "examples/demo";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--speed") speed = std::max(1.0, std::atof(argv[i + 1]));
    if (key == "--live-days") live_days = std::atof(argv[i + 1]);
    if (key == "--folder") folder = argv[i + 1];
    if (key == "--example") example = argv[i + 1];
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto expanded = source::expand(std::vector<std::string>{example});
  if (!expanded) {
    std::printf("%s\n", expanded.error().text().c_str());
    return 1;
  }
  std::vector<Piece> pieces;
  const core::Nanoseconds now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  for (const source::Input& input : expanded->inputs) {
    const std::string bytes = read_all(input);
    if (bytes.size() > 2 && bytes[0] == '\0' && bytes[1] == '\x0a') {
      add_flows(bytes, pieces);
    } else {
      add_lines(bytes, now, pieces);
    }
  }
  std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.time < b.time; });
  if (pieces.empty()) {
    std::printf("nothing to send in %s\n", example.c_str());
    return 1;
  }
  fs::remove_all(folder);
  test::ServiceProcess service(folder,
                               "state: " + (folder / "state").string() +
                                   "\nmetrics:\n  listen: 127.0.0.1:0\nlateness: 365d\ncollect:\n"
                                   "  - type: syslog_tcp\n    name: syslog\n    listen: 127.0.0.1:0\n"
                                   "  - type: flow_udp\n    name: flows\n    listen: 127.0.0.1:0\n",
                               {"--json"});
  if (!service.wait_ready()) {
    std::printf("the service did not start: %s\n", service.err().c_str());
    return 1;
  }
  std::printf(
      "The service listens: syslog on TCP port %d, flows on UDP port %d; metrics and status: "
      "http://127.0.0.1:%d/metrics, /status\n",
      service.port("syslog"), service.port("flows"), service.port("metrics"));
  const int lines = connect_to(service.port("syslog"), SOCK_STREAM);
  const int flows = connect_to(service.port("flows"), SOCK_DGRAM);
  const auto live = pieces.back().time - static_cast<core::Nanoseconds>(live_days * static_cast<double>(core::kDay));
  std::printf(
      "History up to %s at once, then %.0f times as fast as it happened.\n\n  score    kind      time                 "
      "user               source           id\n",
      core::rfc3339(live).substr(0, 19).c_str(), speed);
  std::size_t shown = 0;
  long sent_lines = 0;
  auto began = Clock::now();
  auto last_shown = began;
  bool history = true;
  for (const Piece& piece : pieces) {
    if (history && piece.time >= live) {
      history = false;
      service.wait_for("records", sent_lines, "syslog");
      began = Clock::now();
    }
    if (!history) {
      const auto due =
          began + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(piece.time - live) / speed));
      while (Clock::now() < due) {
        std::this_thread::sleep_until(std::min(due, Clock::now() + std::chrono::milliseconds(300)));
        show(service.out(), shown);
      }
    }
    if (piece.flow) {
      (void)::send(flows, piece.bytes.data(), piece.bytes.size(), 0);
    } else if (send_all(lines, piece.bytes)) {
      ++sent_lines;
    }
    if (Clock::now() - last_shown > std::chrono::milliseconds(500)) {
      show(service.out(), shown);
      last_shown = Clock::now();
    }
  }
  ::close(lines);
  ::close(flows);
  const bool complete = service.wait_for("records", sent_lines, "syslog");
  // What waits for its last lines is judged once nothing has come for a while.
  for (int i = 0; i < 130; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    show(service.out(), shown);
  }
  std::printf("\nsent %ld lines, read %lld; findings handed out %lld\n", sent_lines,
              service.number("records", "syslog"), service.number("findings"));
  service.signal(SIGTERM);
  const int code = service.wait();
  show(service.out(), shown);
  std::printf(
      "Everything is in %s: orbwatch sql %s/findings.duckdb 'SELECT time, kind, score, user_name, source_ip FROM "
      "findings "
      "ORDER BY score DESC LIMIT 10'\n",
      (folder / "state").c_str(), (folder / "state").c_str());
  return complete && code == 0 && shown > 0 ? 0 : 1;
}

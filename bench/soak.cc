// What `./dev soak` runs: the service under a steady load on loopback, for so many minutes, with exact accounting.
// Flows are NetFlow v9 over UDP, 24 records in a datagram, as in the peers' measurement; lines are Cisco ASA over TCP.
//
//   soak_harness [--minutes M] [--flows RECORDS_PER_SECOND] [--lines LINES_PER_SECOND] [--store yes|no] [--folder PATH]
//                [--peer nfcapd|nfacctd]
//
// --peer: that program gets the flows instead, for a comparison of the CPU a record.
// Exit code 0: everything that was sent is accounted for and nothing was lost; 1: something was.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/run.h"
#include "support/service.h"

namespace {

namespace fs = std::filesystem;
using namespace orbwatch::test;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Settings {
  double minutes = 5;
  double flows = 500'000;
  double lines = 0;
  bool store = true;
  std::string peer;
  fs::path folder = fs::temp_directory_path() / "orbwatch-soak";
};

constexpr int kRecords = 24;  // of a datagram
constexpr int kDatagrams = 4096;
constexpr int kRecordBytes = 34;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}
void put_at(std::string& out, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * (3 - i)));
}

std::string header(int count) {
  std::string out;
  put(out, 9, 2);
  put(out, static_cast<std::uint64_t>(count), 2);
  for (int i = 0; i < 3; ++i) put(out, 0, 4);  // uptime, time and sequence: when it is sent
  put(out, 7, 4);
  return out;
}

std::string template_datagram() {
  constexpr int kFields[][2] = {{8, 4}, {12, 4}, {7, 2},  {11, 2}, {4, 1},  {6, 1},
                                {2, 4}, {1, 4},  {22, 4}, {21, 4}, {10, 2}, {14, 2}};
  std::string out = header(1);
  put(out, 0, 2);
  put(out, 8 + 4 * std::size(kFields), 2);
  put(out, 256, 2);
  put(out, std::size(kFields), 2);
  for (const auto& [type, size] : kFields) {
    put(out, static_cast<std::uint64_t>(type), 2);
    put(out, static_cast<std::uint64_t>(size), 2);
  }
  return out;
}

// Office traffic: some thousand inside addresses to some ten thousand servers.
std::vector<std::string> data_datagrams() {
  std::mt19937 random(1);
  std::vector<std::string> out;
  for (int d = 0; d < kDatagrams; ++d) {
    std::string text = header(kRecords);
    put(text, 256, 2);
    put(text, 4 + kRecords * kRecordBytes, 2);
    for (int r = 0; r < kRecords; ++r) {
      put(text, 0x0a000000U + random() % 4000, 4);
      put(text, 0x50000000U + random() % 20'000 * 7919, 4);
      put(text, 32768 + random() % 28000, 2);
      put(text, random() % 4 == 0 ? 53 : 443, 2);
      put(text, 6, 1);
      put(text, 0x1b, 1);
      put(text, 1 + random() % 200, 4);
      put(text, 60 + random() % 100'000, 4);
      put(text, 1000 + random() % 500, 4);
      put(text, 2000 + random() % 500, 4);
      put(text, 1, 2);
      put(text, 2, 2);
    }
    out.push_back(std::move(text));
  }
  return out;
}

// Sends at a steady rate until the time is over; gives the number of flow records and of datagrams sent.
std::pair<std::uint64_t, std::uint64_t> send_flows(int port, double rate, double seconds) {
  std::vector<std::string> data = data_datagrams();
  std::string templates = template_datagram();
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) return {};
  constexpr int kBatch = 32;
  std::vector<mmsghdr> messages(kBatch);
  std::vector<iovec> pieces(kBatch);
  std::uint64_t records = 0;
  std::uint64_t datagrams = 0;
  std::uint32_t sequence = 0;
  const auto stamp = [&](std::string& datagram) {
    put_at(datagram, 4, 3000);
    put_at(datagram, 8, static_cast<std::uint32_t>(std::time(nullptr)));
    put_at(datagram, 12, sequence++);
  };
  const auto began = Clock::now();
  std::size_t next = 0;
  for (std::uint64_t batch = 0;; ++batch) {
    const double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
    if (elapsed > seconds) break;
    const double due = rate * elapsed;
    if (static_cast<double>(records) > due) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      continue;
    }
    if (batch % 1000 == 0) {
      stamp(templates);
      if (::send(socket, templates.data(), templates.size(), 0) > 0) ++datagrams;
    }
    for (int i = 0; i < kBatch; ++i) {
      std::string& datagram = data[next++ % data.size()];
      stamp(datagram);
      pieces[static_cast<std::size_t>(i)] = {datagram.data(), datagram.size()};
      messages[static_cast<std::size_t>(i)] = {};
      messages[static_cast<std::size_t>(i)].msg_hdr.msg_iov = &pieces[static_cast<std::size_t>(i)];
      messages[static_cast<std::size_t>(i)].msg_hdr.msg_iovlen = 1;
    }
    const int sent = ::sendmmsg(socket, messages.data(), kBatch, 0);
    if (sent > 0) {
      records += static_cast<std::uint64_t>(sent) * kRecords;
      datagrams += static_cast<std::uint64_t>(sent);
    }
    if (sent < kBatch) {
      sequence -= static_cast<std::uint32_t>(kBatch - std::max(sent, 0));
      next -= static_cast<std::size_t>(kBatch - std::max(sent, 0));
    }
  }
  ::close(socket);
  return {records, datagrams};
}

// Lines of the kinds that a firewall writes most, over one connection.
std::uint64_t send_lines(int port, double rate, double seconds) {
  std::mt19937 random(2);
  std::vector<std::string> blocks;
  constexpr int kLines = 200;
  char time_text[32];
  const auto render = [&] {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::strftime(time_text, sizeof(time_text), "%b %e %H:%M:%S", &utc);
    std::string out;
    char text[400];
    for (int i = 0; i < kLines; ++i) {
      const auto r = static_cast<unsigned>(random());
      std::snprintf(text, sizeof(text),
                    "<166>%s fw1 %%ASA-6-302014: Teardown TCP connection %u for outside:80.%u.%u.%u/443 to "
                    "inside:10.1.%u.%u/%u duration 0:00:%02u bytes %u TCP FINs\n",
                    time_text, r, r % 200, r / 200 % 250, r / 7 % 250, r / 11 % 16, r / 13 % 250, 30000 + r % 30000,
                    r % 60, r % 100000);
      out += text;
    }
    return out;
  };
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) return 0;
  std::uint64_t lines = 0;
  const auto began = Clock::now();
  std::time_t rendered = 0;
  std::size_t next = 0;
  while (true) {
    const double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
    if (elapsed > seconds) break;
    if (static_cast<double>(lines) > rate * elapsed) {
      std::this_thread::sleep_for(std::chrono::microseconds(500));
      continue;
    }
    if (std::time(nullptr) - rendered >= 10) {
      rendered = std::time(nullptr);
      blocks.clear();
      for (int i = 0; i < 100; ++i) blocks.push_back(render());
    }
    std::string_view rest = blocks[next++ % blocks.size()];
    while (!rest.empty()) {
      const auto n = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n <= 0) return lines;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    lines += kLines;
  }
  ::shutdown(socket, SHUT_WR);
  char end = 0;
  while (::read(socket, &end, 1) > 0) {
  }
  ::close(socket);
  return lines;
}

struct Usage {
  double cpu = 0;       // seconds, user and system
  double resident = 0;  // MiB
};

Usage usage_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  const auto close = text.rfind(')');
  if (close == text.npos) return {};
  std::istringstream rest(text.substr(close + 2));
  std::string field;
  std::vector<std::string> fields;
  while (rest >> field) fields.push_back(field);
  if (fields.size() < 22) return {};
  const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {(std::atof(fields[11].c_str()) + std::atof(fields[12].c_str())) / ticks,
          std::atof(fields[21].c_str()) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20)};
}

int run_peer(const Settings& s) {
  const fs::path out = s.folder / s.peer;
  fs::create_directories(out);
  const int port = 20000 + static_cast<int>(::getpid() % 20000);
  const std::string p = std::to_string(port);
  std::vector<std::string> words;
  if (s.peer == "nfcapd") {
    words = {"nfcapd", "-w", out.string(), "-b", "127.0.0.1", "-p", p, "-t", "60", "-B", "33554432"};
  } else {
    std::ofstream(out / "nfacctd.conf") << "plugins: print[a]\naggregate[a]: src_host, dst_host, src_port, dst_port, "
                                           "proto, tcpflags, timestamp_start\nprint_output_file[a]: "
                                        << (out / "out.csv").string()
                                        << "\nprint_output[a]: csv\nprint_refresh_time[a]: 60\nnfacctd_port: " << p
                                        << "\nnfacctd_ip: 127.0.0.1\nnfacctd_pipe_size: 33554432\nplugin_pipe_size: "
                                           "268435456\nplugin_buffer_size: 65536\nprint_cache_entries[a]: 1048573\n";
    words = {"nfacctd", "-f", (out / "nfacctd.conf").string()};
  }
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    if (std::freopen("/dev/null", "w", stdout) == nullptr || std::freopen("/dev/null", "w", stderr) == nullptr)
      ::_exit(127);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const auto [records, datagrams] = send_flows(port, s.flows, s.minutes * 60);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  ::kill(-pid, SIGINT);
  ::kill(pid, SIGINT);
  int status = 0;
  rusage used{};
  ::wait4(pid, &status, 0, &used);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    std::printf("%s is not installed\n", s.peer.c_str());
    return 0;
  }
  const double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  std::printf("%-10s sent %llu records in %llu datagrams, CPU %.2f s: %.0f ns a record sent\n", s.peer.c_str(),
              static_cast<unsigned long long>(records), static_cast<unsigned long long>(datagrams), cpu,
              records == 0 ? 0 : cpu * 1e9 / static_cast<double>(records));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings s;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    const std::string value = argv[i + 1];
    if (key == "--minutes") s.minutes = std::atof(value.c_str());
    if (key == "--flows") s.flows = std::atof(value.c_str());
    if (key == "--lines") s.lines = std::atof(value.c_str());
    if (key == "--store") s.store = value == "yes";
    if (key == "--peer") s.peer = value;
    if (key == "--folder") s.folder = value;
  }
  fs::remove_all(s.folder);
  fs::create_directories(s.folder);
  if (!s.peer.empty()) return run_peer(s);
  ServiceProcess service(
      s.folder, "state: " + (s.folder / "state").string() +
                    "\nmetrics:\n  listen: 127.0.0.1:0\nstore:\n  events: " + (s.store ? "true" : "false") +
                    "\ncollect:\n  - type: flow_udp\n    name: flows\n    listen: 127.0.0.1:0\n    receive_buffer: "
                    "64MiB\n  - type: syslog_tcp\n    name: lines\n    listen: 127.0.0.1:0\n");
  if (!service.wait_ready()) {
    std::printf("the service did not start: %s\n", service.err().c_str());
    return 1;
  }
  std::uint64_t flow_records = 0;
  std::uint64_t flow_datagrams = 0;
  std::uint64_t lines = 0;
  std::atomic<bool> done = false;
  const Usage before = usage_of(service.pid());
  const auto began = Clock::now();
  std::vector<std::thread> senders;
  if (s.flows > 0)
    senders.emplace_back(
        [&] { std::tie(flow_records, flow_datagrams) = send_flows(service.port("flows"), s.flows, s.minutes * 60); });
  if (s.lines > 0) senders.emplace_back([&] { lines = send_lines(service.port("lines"), s.lines, s.minutes * 60); });
  std::thread watch([&] {
    const int step = s.minutes >= 3 ? 30 : 5;
    for (int second = 1; !done; ++second) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      if (second % step != 0) continue;
      const Usage now = usage_of(service.pid());
      std::printf(
          "%5d s: flow events %lld, line events %lld, CPU %.1f s, resident %.0f MiB, journal backlog %lld KiB\n",
          second, service.number("events", "flows"), service.number("events", "lines"), now.cpu - before.cpu,
          now.resident, (service.number("journal_end") - service.number("position")) >> 10);
      std::fflush(stdout);
    }
  });
  for (std::thread& t : senders) t.join();
  const double sending = std::chrono::duration<double>(Clock::now() - began).count();
  const auto complete = [&] {
    return service.number("events", "flows") >= static_cast<long long>(flow_records) &&
           service.number("records", "lines") >= static_cast<long long>(lines);
  };
  for (int i = 0; i < 600 && !complete(); ++i) std::this_thread::sleep_for(milliseconds(100));
  const double working = std::chrono::duration<double>(Clock::now() - began).count();
  done = true;
  watch.join();
  const Usage after = usage_of(service.pid());
  const std::string status = service.get("/status");
  const auto received = [&](const char* collector, const char* key) {
    const auto at = status.find(std::string("{\"name\":\"") + collector + "\"");
    const auto end = status.find('}', at);
    const auto found = status.find(std::string("\"") + key + "\":", at);
    return found == status.npos || found > end ? 0LL : std::atoll(status.c_str() + found + std::strlen(key) + 3);
  };
  const long long flow_events = service.number("events", "flows");
  const long long line_records = service.number("records", "lines");
  std::printf("sent for %.0f s, all worked on after %.1f s; CPU %.1f s, resident %.0f MiB\n", sending, working,
              after.cpu - before.cpu, after.resident);
  if (flow_records > 0)
    std::printf(
        "flows: sent %llu records (%.0f a second) in %llu datagrams; received %lld datagrams, dropped by the kernel "
        "%lld, shed %lld; events %lld; %.0f ns of CPU a record\n",
        static_cast<unsigned long long>(flow_records), static_cast<double>(flow_records) / sending,
        static_cast<unsigned long long>(flow_datagrams), received("flows", "records"),
        received("flows", "kernel_drops"), received("flows", "shed"), flow_events,
        (after.cpu - before.cpu) * 1e9 / static_cast<double>(flow_records));
  if (lines > 0)
    std::printf(
        "lines: sent %llu (%.0f a second); records %lld, events %lld, ignored %lld, rejected %lld; %.0f ns of CPU a "
        "line\n",
        static_cast<unsigned long long>(lines), static_cast<double>(lines) / sending, line_records,
        service.number("events", "lines"), service.number("ignored", "lines"), service.number("rejected", "lines"),
        (after.cpu - before.cpu) * 1e9 / static_cast<double>(lines));
  service.signal(SIGTERM);
  const bool ended = service.wait() == 0;
  const bool good =
      ended && flow_events == static_cast<long long>(flow_records) && line_records == static_cast<long long>(lines);
  std::printf("%s\n", good ? "good: nothing lost" : "BAD: records are missing, see above");
  if (!ended) std::printf("%s\n", service.err().c_str());
  return good ? 0 : 1;
}

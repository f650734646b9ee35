// What receiving one datagram costs: a sender on the loopback address, an Intake that takes everything. Sending costs
// more than receiving, so that the rate printed is the sender's; the processor time of the collector is the figure.
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <thread>

#include "source/flow_udp.h"
#include "source/syslog_udp.h"

namespace {

using namespace orbwatch::source;

class Counting final : public Intake {
 public:
  Taken take(std::span<const Arrival> /*arrivals*/) override { return Taken::kYes; }
  std::uint64_t position(std::uint64_t /*stream*/) const override { return 0; }
};

double seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void measure(const char* name, Collector& server, std::size_t size) {
  if (auto started = server.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().text().c_str());
    return;
  }
  const double before = seconds(CLOCK_PROCESS_CPUTIME_ID);
  double sender_time = 0;
  std::thread sender([&] {
    const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(server.port());
    if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) return;
    std::string datagram(size, 'x');
    std::array<iovec, 64> pieces{};
    std::array<mmsghdr, 64> messages{};
    for (std::size_t i = 0; i < messages.size(); ++i) {
      pieces[i] = {datagram.data(), datagram.size()};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    while (std::chrono::steady_clock::now() < end) ::sendmmsg(socket, messages.data(), messages.size(), 0);
    sender_time = seconds(CLOCK_THREAD_CPUTIME_ID);
  });
  sender.join();
  server.stop();
  const double spent = seconds(CLOCK_PROCESS_CPUTIME_ID) - before - sender_time;
  const Counters counters = server.counters();
  std::printf("%-24s %5zu bytes: %8.0f taken/s, %8.0f dropped by the kernel/s, %6.0f ns of processor time each\n", name,
              size, static_cast<double>(counters.records) / 3, static_cast<double>(counters.kernel_drops) / 3,
              spent * 1e9 / static_cast<double>(counters.records));
}

}  // namespace

int main() {
  Counting intake;
  UdpOptions options;
  options.listen = *Endpoint::parse("127.0.0.1:0");
  for (const std::size_t size : {200u, 1464u}) {
    measure("syslog_udp", *make_syslog_udp(options, intake), size);
    measure("flow_udp", *make_flow_udp(options, intake), size);
  }
}

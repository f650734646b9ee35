// Receives datagrams in batches and hands them to an Intake; what is done with one datagram is the caller's. Used by
// syslog_udp and flow_udp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/collector.h"
#include "source/intake.h"
#include "source/sockets.h"

namespace orbwatch::source {

struct UdpOptions {
  std::uint32_t source = 0;  // Arrival::source
  Endpoint listen;
  // Sockets on the port (SO_REUSEPORT), each with its thread, 1..64. The kernel spreads senders, not datagrams, over
  // them, so that those of one sender stay in order.
  int workers = 1;
  // Bytes of the kernel's receive buffer asked for each socket. What is more than net.core.rmem_max is only given to
  // a process with CAP_NET_ADMIN; counters and a note say what was given.
  std::size_t receive_buffer = std::size_t{8} << 20;
  std::vector<core::Prefix> admitted;  // senders; none: everybody
};

// Writes the record of one datagram (1..65,535 bytes) to `out`, where there is room for its size + 2, and returns the
// bytes written; 0: it has no content.
using PackDatagram = std::size_t (*)(std::string_view datagram, char* out);

// Consecutive records of one sender (address and port) are one Arrival; up to kUdpBatch datagrams are handed over at
// once. A datagram that the Intake does not take at once is shed and counted, in all and for its sender. Memory: 21 MiB
// for each worker, touched as far as it is needed.
std::unique_ptr<Collector> make_udp_server(std::string name, const UdpOptions& options, ArrivalKind kind,
                                           PackDatagram pack, Intake& intake, Log log);
constexpr std::size_t kUdpBatch = 256;

}  // namespace orbwatch::source

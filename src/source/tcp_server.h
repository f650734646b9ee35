// Receives streams, with or without TLS, cuts them into records and hands these to an Intake. Used by syslog_tcp and
// relp.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/collector.h"
#include "source/cutters.h"
#include "source/intake.h"
#include "source/sockets.h"
#include "source/tls.h"

namespace orbwatch::source {

struct TcpOptions {
  std::uint32_t source = 0;  // Arrival::source
  Endpoint listen;
  std::optional<TlsOptions> tls;
  std::size_t longest_record = std::size_t{64} << 10;  // bytes, 480 (RFC 5424) to 512 KiB; not for IPFIX
  std::size_t most_connections = 1024;                 // further ones are closed at once and count as refused
  std::chrono::seconds idle{3600};                     // without a byte: the connection is closed; 0: never
  std::chrono::seconds handshake{10};                  // until TLS is agreed upon
  std::vector<core::Prefix> admitted;                  // senders; none: everybody
};

using MakeCutter = std::function<std::unique_ptr<RecordCutter>()>;

// One thread for all connections. A connection whose records the Intake does not take is not read any further until it
// does: the kernel then slows the sender down. Nothing of a connection is lost or overtaken by what came later on it.
// Memory of a connection: at most three records of the longest length and 128 KiB, and the answers to 64 KiB.
//
// Where the protocol has acknowledgements (RecordCutter::acknowledges()) a sender is answered when the Intake has taken
// what it sent, and nothing more of it is read before the kernel has taken the answers. Records whose connection ends
// before they are taken are not kept: the sender sends them again (`unacknowledged`).
//
// stop() reads on for a second what the kernel already has, as far as the Intake takes it.
std::unique_ptr<Collector> make_tcp_server(std::string name, const TcpOptions& options, ArrivalKind kind,
                                           MakeCutter make_cutter, Intake& intake, Log log);

}  // namespace orbwatch::source

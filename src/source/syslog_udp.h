// Syslog over UDP (RFC 5426): one datagram is one record.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "source/udp_server.h"

namespace orbwatch::source {

// Arrivals are of kind kLines. UDP acknowledges nothing: what is lost on the way, in the kernel (kernel_drops) or
// because the Intake is full (shed) is lost.
std::unique_ptr<Collector> make_syslog_udp(const UdpOptions& options, Intake& intake, Log log = {});

// A PackDatagram: the record with its line feeds replaced by spaces, those (and CR, NUL) at its end cut off, and '\n'
// behind it; 0 if nothing is left.
std::size_t pack_syslog_datagram(std::string_view datagram, char* out);

}  // namespace orbwatch::source

// Flow export over UDP: NetFlow, IPFIX, sFlow. Which it is, the decoder finds out.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "source/udp_server.h"

namespace orbwatch::source {

// Arrivals are of kind kDatagrams; the sender's port is a part of the exporter's name and therefore kept. Losses as for
// syslog over UDP; that flows are missing shows in the exporter's sequence numbers, too.
std::unique_ptr<Collector> make_flow_udp(const UdpOptions& options, Intake& intake, Log log = {});

// A PackDatagram: the length in 2 bytes, little endian, then the datagram.
std::size_t pack_flow_datagram(std::string_view datagram, char* out);

}  // namespace orbwatch::source

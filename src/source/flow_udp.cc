#include "source/flow_udp.h"

#include <cstring>
#include <utility>

namespace orbwatch::source {

std::unique_ptr<Collector> make_flow_udp(const UdpOptions& options, Intake& intake, Log log) {
  return make_udp_server("flow export UDP " + options.listen.text(), options, ArrivalKind::kDatagrams,
                         pack_flow_datagram, intake, std::move(log));
}

std::size_t pack_flow_datagram(std::string_view datagram, char* out) {
  out[0] = static_cast<char>(datagram.size() & 0xff);
  out[1] = static_cast<char>(datagram.size() >> 8);
  std::memcpy(out + 2, datagram.data(), datagram.size());
  return datagram.size() + 2;
}

}  // namespace orbwatch::source

#include "source/syslog_udp.h"

#include <cstring>
#include <utility>

namespace orbwatch::source {

std::unique_ptr<Collector> make_syslog_udp(const UdpOptions& options, Intake& intake, Log log) {
  return make_udp_server("syslog UDP " + options.listen.text(), options, ArrivalKind::kLines, pack_syslog_datagram,
                         intake, std::move(log));
}

std::size_t pack_syslog_datagram(std::string_view datagram, char* out) {
  while (!datagram.empty() && (datagram.back() == '\n' || datagram.back() == '\r' || datagram.back() == '\0')) {
    datagram.remove_suffix(1);
  }
  if (datagram.empty()) return 0;
  std::memcpy(out, datagram.data(), datagram.size());
  char* const end = out + datagram.size();
  for (char* p = out; (p = static_cast<char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)))) != nullptr;) {
    *p = ' ';
  }
  *end = '\n';
  return datagram.size() + 1;
}

}  // namespace orbwatch::source

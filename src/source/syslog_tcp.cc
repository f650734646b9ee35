#include "source/syslog_tcp.h"

#include <algorithm>
#include <utility>

namespace orbwatch::source {
namespace {

std::string name_of(const char* what, const TcpOptions& options) {
  return std::string(what) + (options.tls ? " TLS " : " TCP ") + options.listen.text();
}

}  // namespace

std::unique_ptr<Collector> make_syslog_tcp(const TcpOptions& options, Intake& intake, Log log) {
  // So that one turn's records and the one that they complete fit into an Arrival.
  const std::size_t longest = std::clamp<std::size_t>(options.longest_record, 480, kMostArrival / 2);
  return make_tcp_server(
      name_of("syslog", options), options, ArrivalKind::kLines,
      [longest] { return std::make_unique<SyslogCutter>(longest); }, intake, std::move(log));
}

std::unique_ptr<Collector> make_ipfix_tcp(const TcpOptions& options, Intake& intake, Log log) {
  return make_tcp_server(
      name_of("IPFIX", options), options, ArrivalKind::kDatagrams, [] { return std::make_unique<IpfixCutter>(); },
      intake, std::move(log));
}

}  // namespace orbwatch::source

#include "pipeline/collectors.h"

#include "source/flow_udp.h"
#include "source/syslog_udp.h"

namespace orbwatch::pipeline {

core::Expected<std::unique_ptr<source::Collector>> make_collector(const CollectorSettings& settings,
                                                                  std::uint32_t source, source::Intake& intake,
                                                                  const source::Log& log) {
  source::UdpOptions udp;
  udp.source = source;
  auto endpoint = source::Endpoint::parse(settings.listen);
  if (!endpoint) return std::unexpected(endpoint.error());
  udp.listen = *endpoint;
  udp.workers = settings.workers;
  udp.receive_buffer = settings.receive_buffer;
  if (settings.type == CollectorType::kSyslogUdp) return source::make_syslog_udp(udp, intake, log);
  return source::make_flow_udp(udp, intake, log);
}

}  // namespace orbwatch::pipeline

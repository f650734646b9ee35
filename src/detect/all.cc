#include "detect/all.h"

#include "detect/factories.h"

namespace orbwatch::detect {

std::string_view name(Need need) {
  switch (need) {
    case Need::kVpnLogins: return "VPN or remote-access log-ins";
    case Need::kAuthentication: return "authentication events";
    case Need::kConnections: return "firewall connection events";
    case Need::kFlows: return "flows (NetFlow, IPFIX, sFlow, Zeek conn)";
    case Need::kIndicators: return "an indicator list (--indicators)";
    case Need::kTunnelConnections: return "connections or flows of the addresses that VPN gateways assign";
  }
  return "";
}

std::vector<std::unique_ptr<Detector>> make_detectors(const Context& context) {
  std::vector<std::unique_ptr<Detector>> detectors;
  for (const auto make :
       {make_new_network, make_geo_shift, make_new_client, make_new_method, make_unusual_access, make_parallel_use,
        make_intrusion_wave, make_unusual_time, make_session_behaviour, make_session_destinations, make_soho_source,
        make_distributed_spray, make_coordinated_scan, make_management_exposure, make_indicator}) {
    detectors.push_back(make(context));
  }
  return detectors;
}

}  // namespace orbwatch::detect

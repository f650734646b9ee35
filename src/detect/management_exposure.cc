// The administration interface of an edge device reached from the Internet: a log-in to the device itself (or an
// attempt) from outside, or a connection that the firewall let in to a management port. Covert networks grow by exactly
// these doors.
#include <fmt/format.h>

#include <array>

#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::Class;
using event::Event;
using event::Service;

constexpr Need kNeeds[] = {Need::kAuthentication, Need::kConnections, Need::kFlows};
constexpr DetectorInfo kInfo = {
    "management-exposure",
    "An administration interface of an edge device is reachable from the Internet",
    "T1133,T1584.008",
    "remote administration on purpose from a fixed address that is not declared as own or allowed",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession) | bit(Class::kConnection) | bit(Class::kFlow),
};

struct Port {
  std::uint16_t port;
  std::uint8_t protocol;
  std::string_view what;
};
// Ports that serve administration and nothing else that is meant for the public. 443 is not among them: VPN gateways
// live there.
constexpr Port kPorts[] = {
    {22, 6, "SSH"},
    {23, 6, "Telnet"},
    {161, 17, "SNMP"},
    {623, 17, "IPMI"},
    {830, 6, "NETCONF"},
    {2323, 6, "Telnet"},
    {3389, 6, "RDP"},
    {4786, 6, "Cisco Smart Install"},
    {5900, 6, "VNC"},
    {5985, 6, "WinRM"},
    {5986, 6, "WinRM"},
    {7547, 6, "TR-069"},
    {8291, 6, "MikroTik Winbox"},
    {8728, 6, "MikroTik API"},
};

const Port* management_port(std::uint16_t port, std::uint8_t protocol) {
  static const auto bits = [] {
    std::array<std::uint64_t, 1024> b{};
    for (const Port& p : kPorts) b[p.port >> 6] |= std::uint64_t{1} << (p.port & 63);
    return b;
  }();
  if ((bits[port >> 6] >> (port & 63) & 1) == 0) return nullptr;
  for (const Port& p : kPorts) {
    if (p.port == port && p.protocol == protocol) return &p;
  }
  return nullptr;
}

bool is_login(const Event& e) { return e.event_class == Class::kAuthentication || e.event_class == Class::kSession; }

class ManagementExposure final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  bool wants(const Event& e) const override {
    if (is_login(e)) return e.service == Service::kManagement;
    return e.action != event::Action::kDenied && management_port(e.destination_port, e.protocol) != nullptr;
  }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (is_login(e)) {
      if (e.service != Service::kManagement || !v.remote || v.networks->is_allowed(e.source_facts)) return;
      const bool in = e.outcome == event::Outcome::kSuccess;
      Evidence out{"management-exposure", kInfo.name, Group::kExposure, FindingKind::kExposure, in ? 9.0 : 7.5, {}};
      if (sink.wants_text()) {
        out.says = fmt::format("{} administration log-in {} {} from {}", in ? "successful" : "failed", "to",
                               e.observer.text(), e.source_ip.text());
      }
      sink.add(std::move(out));
      return;
    }
    const Port* port = management_port(e.destination_port, e.protocol);
    if (port == nullptr || !e.source_ip.is_global() || v.networks->is_own(e.source_facts) ||
        v.networks->is_allowed(e.source_facts))
      return;
    if (e.action == event::Action::kDenied || e.direction == event::Direction::kOutbound) return;
    const bool ours = v.networks->is_own(e.destination_facts) || e.direction == event::Direction::kInbound;
    if (!ours) return;
    // It must have answered: bytes or packets came back (a flow), or the firewall let it in and it was closed in order.
    const bool answered = e.destination_packets > 2 || e.destination_bytes > 200;
    if (!answered) return;
    Evidence out{"management-exposure", kInfo.name, Group::kExposure, FindingKind::kExposure, 6.5, {}};
    if (sink.wants_text()) {
      out.says = fmt::format("{} ({}) on {} answered {} on the Internet", port->what, port->port,
                             e.destination_ip.text(), e.source_ip.text());
    }
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_management_exposure(const Context&) { return std::make_unique<ManagementExposure>(); }

}  // namespace orbwatch::detect

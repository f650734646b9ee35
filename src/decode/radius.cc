#include "decode/radius.h"

#include <algorithm>

#include "core/text.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::Event;
using event::Service;

// In the order of the enumeration.
constexpr std::array<std::string_view, RadiusAttributes::kKeys> kNames = {
    "User-Name",
    "Calling-Station-Id",
    "Called-Station-Id",
    "Tunnel-Client-Endpoint",
    "NAS-IP-Address",
    "NAS-IPv6-Address",
    "NAS-Identifier",
    "NAS-Port-Type",
    "Service-Type",
    "Framed-IP-Address",
    "Framed-IPv6-Address",
    "Acct-Status-Type",
    "Acct-Session-Id",
    "Acct-Session-Time",
    "Acct-Input-Octets",
    "Acct-Input-Gigawords",
    "Acct-Output-Octets",
    "Acct-Output-Gigawords",
    "Acct-Input-Packets",
    "Acct-Output-Packets",
    "Acct-Terminate-Cause",
    "ASA-TunnelGroupName",
    // As Cisco ISE and ACS spell them.
    "CVPN3000/ASA/PIX7x-Tunnel-Group-Name",
    "Calling-Station-ID",
    "Called-Station-ID",
};

const KeyNames<RadiusAttributes::kKeys> kKeyNames(kNames);

// "203.0.113.7", "203.0.113.7:4500", "(tag=0) 203.0.113.7", "203.0.113.7=..."; a hardware address or a name gives none.
core::Ip address_in(std::string_view text) {
  if (text.starts_with("(tag=")) text = core::trim(text.substr(std::min(text.find(')') + 1, text.size())));
  if (is_hardware_address(text)) return {};
  return endpoint(text).ip;
}

std::uint64_t octets(std::uint64_t low, std::uint64_t gigawords) { return low + ((gigawords & 0xffffffff) << 32); }

// Ports over which somebody comes from afar; of the others (Ethernet, Wireless) the client is in the house.
Service service_of(std::string_view port_type, std::string_view service_type) {
  if (service_type.starts_with("Administrative") || service_type.starts_with("NAS-Prompt") ||
      service_type.starts_with("Login"))
    return Service::kManagement;
  if (port_type == "Virtual" || port_type == "Async" || port_type == "ISDN") return Service::kVpn;
  return Service::kOther;
}

}  // namespace

RadiusAttributes::RadiusAttributes() : values_(kKeyNames) {}

void RadiusAttributes::put_ends(Event& event) const {
  event.source_ip = address_in(calling_station());
  if (!event.source_ip.present()) event.source_ip = address_in(values_[kTunnelClient]);
  // A VPN gateway says at which of its addresses the client called; others send a hardware address or a name.
  event.destination_ip = address_in(values_.either(kCalledStation, kCalledStationCisco));
  if (!event.destination_ip.present()) event.destination_ip = given_ip(values_.either(kNasIp, kNasIpv6));
  event.destination_name = values_.symbol(kNasIdentifier);
  event.assigned_ip = given_ip(values_[kFramedIp]);
  if (!event.assigned_ip.present()) event.assigned_ip = given_ip(values_[kFramedIpv6]);
  event.group = core::intern(values_.either(kTunnelGroup, kTunnelGroupCisco));
  event.service = service_of(values_[kNasPortType], values_[kServiceType]);
  // The audit session is the same in log-in and accounting.
  const std::string_view session = has_audit_session() ? cisco_.audit_session : values_[kSessionId];
  if (!session.empty()) event.session_id = core::hash64(session);
  put_client(event);
}

void RadiusAttributes::CiscoPairs::put(std::string_view pair) {
  const auto take = [&](std::string_view name, std::string_view& to) {
    std::string_view rest = pair;
    if (to.empty() && core::skip_prefix(rest, name)) to = core::trim(rest);
  };
  take("audit-session-id=", audit_session);
  if (!core::skip_prefix(pair, "mdm-tlv=")) return;
  take("ac-user-agent=", agent);
  take("device-platform=", platform);
  take("device-platform-version=", platform_version);
  take("computer-name=", computer);
}

void RadiusAttributes::put_client(Event& event) const {
  event.user_agent = core::intern(cisco_.agent);
  event.client_host = core::intern(cisco_.computer);
  std::array<char, 64> os;
  if (cisco_.platform.empty() || cisco_.platform.size() + 1 + cisco_.platform_version.size() > os.size()) return;
  char* p = std::copy(cisco_.platform.begin(), cisco_.platform.end(), os.data());
  if (!cisco_.platform_version.empty()) {
    *p++ = ' ';
    p = std::copy(cisco_.platform_version.begin(), cisco_.platform_version.end(), p);
  }
  event.client_os = core::intern({os.data(), static_cast<std::size_t>(p - os.data())});
}

bool RadiusAttributes::put_accounting(Event& event) const {
  const std::string_view status = values_[kStatusType];
  if (status == "Start") {
    event.activity = Activity::kStart;
  } else if (status == "Stop") {
    event.activity = Activity::kEnd;
  } else if (status == "Interim-Update" || status == "Alive") {
    event.activity = Activity::kUpdate;
  } else {
    return false;
  }
  event.event_class = event::Class::kSession;
  event.duration = seconds(values_.number(kSessionTime));
  // As the gateway counts them: input came from the client.
  event.source_bytes = octets(values_.number(kInputOctets), values_.number(kInputGigawords));
  event.destination_bytes = octets(values_.number(kOutputOctets), values_.number(kOutputGigawords));
  event.source_packets = values_.number(kInputPackets);
  event.destination_packets = values_.number(kOutputPackets);
  if (event.activity == Activity::kEnd) event.reason = closed_reason(values_[kTerminateCause]);
  return true;
}

void put_radius_user(Event& event, std::string_view name) {
  set_typed_user(event, name);
  if (core::skip_prefix(name, "host/")) event.client_host = core::intern(name);
}

bool is_hardware_address(std::string_view text) {
  if (text.size() < 12 || text.size() > 17) return false;
  const auto is_hex = [](char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); };
  if (text.size() == 12) {
    // Twelve decimal digits are rather somebody's number.
    return std::all_of(text.begin(), text.end(), is_hex) && !std::all_of(text.begin(), text.end(), is_digit);
  }
  const auto group = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_hex) - text.begin());
  if (group != 2 && group != 4 && group != 6) return false;
  if (text.size() != 12 + 12 / group - 1) return false;
  const char separator = text[group];
  if (separator != '-' && separator != ':' && separator != '.') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % (group + 1) == group ? text[i] != separator : !is_hex(text[i])) return false;
  }
  return true;
}

}  // namespace orbwatch::decode

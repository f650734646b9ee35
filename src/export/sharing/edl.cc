// A list for firewalls that fetch one (Palo Alto Networks' external dynamic list, Fortinet's external feed, Check
// Point's network feed): an address a line and nothing else, IPv4 first, which all of them read. An IPv6 address stands
// for its /64, which is what one line or site gets at least (RFC 6177) and whose owner may change the rest at will.
//
// Behind carrier NAT, Tor and commercial VPNs one address is many people: such are left out and counted, since a list
// for a firewall is acted upon without a further look.
#include <algorithm>
#include <vector>

#include "export/sharing/writers.h"

namespace orbwatch::exporting::sharing {

Written write_edl(const Shared& shared, const WriteOptions&) {
  Written out;
  std::vector<core::Prefix> prefixes;
  for (const Indicator& i : shared.indicators()) {
    switch (i.network_type) {
      case core::NetworkType::kCgnat:
      case core::NetworkType::kMobile: ++out.left_out["address: carrier NAT, many people behind it"]; continue;
      case core::NetworkType::kVpn:
      case core::NetworkType::kTor: ++out.left_out["address: VPN or Tor, many people behind it"]; continue;
      default: break;
    }
    prefixes.push_back(core::Prefix::of(i.address, i.address.is_v4() ? 32 : 64));
  }
  std::ranges::sort(prefixes, [](const core::Prefix& a, const core::Prefix& b) {
    return a.base.is_v4() != b.base.is_v4() ? a.base.is_v4() : a < b;
  });
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  for (const core::Prefix& p : prefixes) out.text += (p.base.is_v4() ? p.base.text() : p.text()) + "\n";
  out.indicators = prefixes.size();
  return out;
}

}  // namespace orbwatch::exporting::sharing

#include "intel/embedded.h"

// ORBWATCH_DATA is the absolute path of data/, set for this file alone in src/CMakeLists.txt, where the files are named
// as dependencies, too. The symbols are local to this object.
#define ORBWATCH_EMBED(symbol, file)                                                                           \
  asm(".pushsection .rodata\n.balign 16\n" #symbol "_begin:\n.incbin \"" ORBWATCH_DATA "/" file "\"\n" #symbol \
      "_end:\n.byte 0\n.popsection\n");                                                                        \
  extern "C" {                                                                                                 \
  extern const char symbol##_begin[];                                                                          \
  extern const char symbol##_end[];                                                                            \
  }

ORBWATCH_EMBED(orbwatch_as_types, "as-types.csv")
ORBWATCH_EMBED(orbwatch_as_name_rules, "as-name-rules.csv")
ORBWATCH_EMBED(orbwatch_soho_ports, "soho-ports.csv")
ORBWATCH_EMBED(orbwatch_soho_banners, "soho-banners.csv")
ORBWATCH_EMBED(orbwatch_x4b_datacenter, "lists/x4bnet-datacenter-asn.txt")
ORBWATCH_EMBED(orbwatch_x4b_vpn_asn, "lists/x4bnet-vpn-asn.txt")
ORBWATCH_EMBED(orbwatch_x4b_vpn_v4, "lists/x4bnet-vpn-ipv4.txt")
ORBWATCH_EMBED(orbwatch_x4b_vpn_v6, "lists/x4bnet-vpn-ipv6.txt")
ORBWATCH_EMBED(orbwatch_private_relay, "lists/icloud-private-relay.txt")

namespace orbwatch::intel {
namespace {

std::string_view view(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

}  // namespace

std::string_view embedded_as_types() { return view(orbwatch_as_types_begin, orbwatch_as_types_end); }
std::string_view embedded_as_name_rules() { return view(orbwatch_as_name_rules_begin, orbwatch_as_name_rules_end); }
std::string_view embedded_soho_ports() { return view(orbwatch_soho_ports_begin, orbwatch_soho_ports_end); }
std::string_view embedded_soho_banners() { return view(orbwatch_soho_banners_begin, orbwatch_soho_banners_end); }

std::span<const EmbeddedList> embedded_lists() {
  using core::NetworkType;
  static constexpr std::string_view kX4b = "X4BNet lists_vpn, MIT licence, https://github.com/X4BNet/lists_vpn";
  static constexpr std::string_view kX4bVersion = "commit 167937a7";
  static const EmbeddedList lists[] = {
      {"x4bnet-datacenter-asn.txt", "x4bnet data centres", kX4bVersion, kX4b, NetworkType::kHosting,
       view(orbwatch_x4b_datacenter_begin, orbwatch_x4b_datacenter_end)},
      {"x4bnet-vpn-asn.txt", "x4bnet VPN providers", kX4bVersion, kX4b, NetworkType::kVpn,
       view(orbwatch_x4b_vpn_asn_begin, orbwatch_x4b_vpn_asn_end)},
      {"x4bnet-vpn-ipv4.txt", "x4bnet VPN ranges", kX4bVersion, kX4b, NetworkType::kVpn,
       view(orbwatch_x4b_vpn_v4_begin, orbwatch_x4b_vpn_v4_end)},
      {"x4bnet-vpn-ipv6.txt", "x4bnet VPN ranges", kX4bVersion, kX4b, NetworkType::kVpn,
       view(orbwatch_x4b_vpn_v6_begin, orbwatch_x4b_vpn_v6_end)},
      {"icloud-private-relay.txt", "iCloud Private Relay", "2026-08-11",
       "MISP warninglists, CC0-1.0, https://github.com/MISP/misp-warninglists", NetworkType::kVpn,
       view(orbwatch_private_relay_begin, orbwatch_private_relay_end)},
  };
  return lists;
}

}  // namespace orbwatch::intel

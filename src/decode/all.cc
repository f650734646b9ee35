#include "decode/all.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "core/text.h"
#include "decode/capture.h"
#include "decode/envelope.h"
#include "decode/flow_datagram.h"
#include "decode/formats.h"
#include "decode/ipfix_file.h"
#include "decode/json_record.h"
#include "decode/mapping.h"
#include "decode/radius_detail.h"
#include "decode/text.h"

namespace orbwatch::decode {
namespace {

// Order matters only for speed: claims are exact. The commonest first.
constexpr std::array kRecordFormats = {
    RecordFormat{"cisco_asa", "Cisco ASA and FTD syslog",
                 "VPN sessions, AAA, connections, denied traffic, management log-ins", true, make_cisco_asa},
    RecordFormat{"cisco_ios", "Cisco IOS, IOS XE, IOS XR and NX-OS syslog",
                 "access lists, log-ins to the device, SSL VPN and IPsec, zone-based firewall", true, make_cisco_ios},
    RecordFormat{"cisco_ise", "Cisco ISE and ACS syslog",
                 "RADIUS and TACACS+ log-ins, failures, sessions with addresses and bytes, admin log-ins", true,
                 make_cisco_ise},
    RecordFormat{"meraki", "Cisco Meraki MX, Z and MR syslog",
                 "flows and verdicts, client VPN and AnyConnect sessions and log-ins, security events", true,
                 make_meraki},
    RecordFormat{"fortigate", "FortiGate (FortiOS) key=value syslog",
                 "traffic, SSL and IPsec VPN sessions, user and admin log-ins", true, make_fortigate},
    RecordFormat{"paloalto", "Palo Alto Networks PAN-OS CSV syslog",
                 "traffic, GlobalProtect sessions and log-ins, admin log-ins", true, make_paloalto},
    RecordFormat{"pulse_secure", "Ivanti (Pulse) Connect Secure syslog (Standard and WELF)",
                 "VPN log-ins, failures, sessions with assigned addresses, admin log-ins", true, make_pulse_secure},
    RecordFormat{"netscaler", "Citrix ADC and NetScaler Gateway syslog",
                 "VPN log-ins, failures, sessions, connections, TLS handshakes, admin commands", true, make_netscaler},
    RecordFormat{"f5_bigip", "F5 BIG-IP APM and audit syslog",
                 "VPN sessions with assigned addresses, log-ins, failures, access lists, admin log-ins", true,
                 make_f5_bigip},
    RecordFormat{"checkpoint", "Check Point Log Exporter syslog (brackets, structured data, Splunk, generic)",
                 "connections, VPN and Mobile Access log-ins, IKE failures, administrators", true, make_checkpoint},
    RecordFormat{"sonicwall", "SonicWall firewall and SMA syslog (key=value)",
                 "connections, VPN log-ins and failures, admin log-ins", true, make_sonicwall},
    RecordFormat{"sophos_firewall", "Sophos Firewall (SFOS, XG) and UTM syslog (key=value)",
                 "connections, VPN log-ins and sessions, user and admin log-ins", true, make_sophos_firewall},
    RecordFormat{"netfilter", "Linux netfilter: iptables, nftables and ulogd; UFW, UniFi gateways",
                 "logged packets by rule and verdict, tracked connections", true, make_netfilter},
    RecordFormat{"pf_filterlog", "pfSense and OPNsense filterlog",
                 "logged packets by rule, log-ins to the web interface", true, make_pf_filterlog},
    RecordFormat{"openvpn", "OpenVPN server",
                 "VPN log-ins and failures, sessions with assigned addresses, client software, handshakes", true,
                 make_openvpn},
    RecordFormat{"strongswan", "strongSwan (charon) IKE",
                 "IPsec log-ins by EAP, XAuth and certificate, sessions with assigned addresses and bytes", true,
                 make_strongswan},
    RecordFormat{"wireguard", "WireGuard of the Linux kernel (debug messages)",
                 "handshakes by peer, refused handshakes", true, make_wireguard},
    RecordFormat{"freeradius", "FreeRADIUS log-ins", "RADIUS log-ins and failures by user and gateway, unknown clients",
                 true, make_freeradius},
    RecordFormat{"tacacs", "TACACS+ servers (tac_plus, tac_plus-ng)",
                 "log-ins to network devices, failures, sessions, commands", true, make_tacacs},
    RecordFormat{"vmware_horizon", "VMware (Omnissa) Horizon Connection Server events",
                 "log-ins, failures, sessions on desktops, admin log-ins", true, make_vmware_horizon},
    RecordFormat{"mikrotik", "MikroTik RouterOS",
                 "logged packets, log-ins to the router, remote access by L2TP, PPTP, SSTP, OVPN and IPsec", true,
                 make_mikrotik},
    RecordFormat{"juniper_srx", "Juniper Junos and SRX syslog (structured and plain)",
                 "flow sessions, denials, screens, VPN sessions, admin log-ins", true, make_juniper_srx},
    RecordFormat{"watchguard", "WatchGuard Firebox syslog and LEEF",
                 "traffic, VPN log-ins with assigned addresses, failures, admin log-ins", true, make_watchguard},
    RecordFormat{"openssh", "OpenSSH sshd (syslog and journald JSON)", "SSH log-ins, failures, sessions, probes", true,
                 make_openssh},
    RecordFormat{"linux_auth", "Linux log-ins beside OpenSSH (syslog)",
                 "PAM, sudo, su, login, FTP, mail, Dropbear, Samba, Webmin, Proxmox log-ins", true, make_linux_auth},
    RecordFormat{"suricata_eve", "Suricata EVE JSON", "flows, alerts, TLS and SSH handshakes", true, make_suricata_eve},
    RecordFormat{"windows_security", "Windows Security events in JSON",
                 "log-ins, failures, Kerberos, NTLM, RDP sessions, NPS", true, make_windows_security},
    RecordFormat{"windows_firewall", "Windows Firewall's log (pfirewall.log)",
                 "packets allowed and dropped on a computer", true, make_windows_firewall},
    RecordFormat{"entra_signin", "Microsoft Entra ID sign-in logs (Graph, diagnostic settings, Log Analytics)",
                 "log-ins of users and applications, failures, second factors", true, make_entra_signin},
    RecordFormat{"m365_audit", "Microsoft 365 unified audit log", "log-ins and their failures", true, make_m365_audit},
    RecordFormat{"okta", "Okta System Log", "log-ins, second factors, single sign-on, account locks", true, make_okta},
    RecordFormat{"aws_cloudtrail", "AWS CloudTrail", "console log-ins, roles assumed, tokens given out", true,
                 make_aws_cloudtrail},
    RecordFormat{"google_workspace", "Google Workspace login and SAML activities",
                 "log-ins, failures, challenges, suspicious log-ins", true, make_google_workspace},
    RecordFormat{"auth0", "Auth0 tenant logs", "log-ins, failures, second factors, blocks", true, make_auth0},
    RecordFormat{"authentik", "authentik events (API and server log)", "log-ins, failures, second factors", true,
                 make_authentik},
    RecordFormat{"onelogin", "OneLogin events", "log-ins, failures", true, make_onelogin},
    RecordFormat{"duo", "Duo Security authentication and administrator logs", "second factors and their failures", true,
                 make_duo},
    RecordFormat{"keycloak", "Keycloak user events (JSON and server log)", "log-ins, failures, account locks", true,
                 make_keycloak},
    RecordFormat{"cloudflare_access", "Cloudflare Zero Trust (Access, Gateway network, audit log-ins)",
                 "log-ins, connections and denials, bytes", true, make_cloudflare_access},
    RecordFormat{"zscaler", "Zscaler Private Access and Internet Access (JSON feeds)",
                 "sessions, connections and denials, bytes, tunnels, log-ins", true, make_zscaler},
    RecordFormat{"tailscale", "Tailscale network flow logs and configuration audit log",
                 "flows between nodes, where nodes are in the Internet, log-ins of nodes", true, make_tailscale},
    RecordFormat{"teleport", "Teleport audit events", "log-ins, failures, SSH sessions", true, make_teleport},
    RecordFormat{"kerberos_kdc", "MIT and Heimdal Kerberos key distribution centres",
                 "log-ins and failures by Kerberos", true, make_kerberos_kdc},
    RecordFormat{"zeek", "Zeek conn, ssl and ssh logs (tables)", "flows, TLS handshakes, SSH log-ins", false,
                 make_zeek},
    RecordFormat{"zeek_json", "Zeek conn, ssl and ssh logs (JSON)", "flows, TLS handshakes, SSH log-ins", true,
                 make_zeek_json},
    RecordFormat{"aws_vpc_flow", "AWS VPC and Transit Gateway flow logs (text and JSON)",
                 "flows, connections that security groups and network ACLs refused", false, make_aws_vpc_flow},
    RecordFormat{"azure_flow", "Azure flow logs (network security groups and virtual networks)",
                 "connections and denials with their rules", true, make_azure_flow},
    RecordFormat{"gcp_vpc_flow", "Google Cloud VPC flow logs and firewall rules logs",
                 "flows, connections and denials with their rules", true, make_gcp_vpc_flow},
    RecordFormat{"nfdump_text", "nfdump output (CSV and JSON)", "flows, connections that a firewall exported", false,
                 make_nfdump_text},
    RecordFormat{"argus", "Argus flows (ra CSV, binetflow)", "flows in both directions", false, make_argus},
    RecordFormat{"silk", "SiLK flows (rwcut)", "flows", false, make_silk},
};

// Read by a decoder of their own, not by the text frame: binary ones, and records of many lines.
constexpr std::array kBinaryFormats = {
    BinaryFormat{"capture", "Packet capture (pcap, pcapng) of NetFlow, IPFIX or sFlow",
                 "flows, ASA connections and denials (NSEL), NAT sessions, user names", recognise_capture,
                 make_capture},
    BinaryFormat{"ipfix_file", "IPFIX file (RFC 5655)", "flows and NAT sessions", recognise_ipfix_file,
                 make_ipfix_file},
    BinaryFormat{"flow_datagram", "Datagrams of NetFlow v5, v7, v9, IPFIX or sFlow v5, one behind the other",
                 "flows, ASA connections and denials (NSEL), NAT sessions, user names", recognise_flow_datagram,
                 make_flow_datagram},
    BinaryFormat{"radius_detail", "RADIUS accounting files (FreeRADIUS detail, Radiator)",
                 "sessions with the client's and the assigned address, bytes", recognise_radius_detail,
                 make_radius_detail},
};

bool looks_binary(std::string_view head) {
  head = head.substr(0, 4096);
  const auto zeros = std::count(head.begin(), head.end(), '\0');
  return zeros > static_cast<std::ptrdiff_t>(head.size() / 64);
}

std::string format_names() {
  std::string names;
  for (const auto& f : kRecordFormats) names += (names.empty() ? "" : ", ") + std::string(f.name);
  for (const auto& f : kBinaryFormats) names += ", " + std::string(f.name);
  return names;
}

}  // namespace

std::span<const RecordFormat> record_formats() { return kRecordFormats; }
std::span<const BinaryFormat> binary_formats() { return kBinaryFormats; }

Recognised recognise(std::string_view head, const Options& options) {
  Recognised result;
  int best = 0;
  for (const BinaryFormat& format : kBinaryFormats) {
    if (!options.format.empty() && options.format != format.name) continue;
    const int confidence = options.format == format.name ? 100 : format.recognise(head);
    if (confidence > best) {
      best = confidence;
      result = {std::string(format.name), true, false};
    }
  }
  if (best > 0) return result;
  if (looks_binary(head) && options.format.empty()) return result;
  // Text: let every format look at the first records and take the one that claims most of them.
  const Framing framing = framing_of(head);
  std::array<std::size_t, kRecordFormats.size()> claimed{};
  std::array<std::unique_ptr<RecordDecoder>, kRecordFormats.size()> decoders;
  auto times = core::TimeReader::make(options.zone, options.reference, options.year);
  if (!times) return result;
  for (std::size_t i = 0; i < kRecordFormats.size(); ++i) decoders[i] = kRecordFormats[i].make(*times);
  std::size_t enveloped = 0;  // lines of some syslog: worth reading even if their programs are not known
  // A user's mapping comes before all formats; an error in it is reported by make_decoder.
  core::Expected<MappedFormat> mapped = core::fail("none");
  if (!options.mapping.empty()) mapped = make_mapping(options.mapping, *times);
  std::size_t mapped_claims = 0;
  if (framing == Framing::kLines) {
    json::Index index;
    std::string_view rest = head;
    for (int count = 0; count < 200 && !rest.empty(); ++count) {
      TextRecord record;
      std::string line(core::take_until(rest, '\n'));
      line.reserve(line.size() + core::kPadding);
      record.raw = line;
      while (!record.raw.empty() && record.raw.back() == '\r') record.raw.remove_suffix(1);
      if (const auto text = record.raw.find_first_not_of(" \t"); text != record.raw.npos && record.raw[text] == '{')
        record.raw.remove_prefix(text);
      if (record.raw.empty()) continue;
      parse_envelope(record, *times);
      record.json = record.message.starts_with('{');
      if (record.json) record.index = &index;
      if (record.time != 0 && (!record.host.empty() || !record.program.empty())) ++enveloped;
      if (mapped && mapped->decoder->claims(record)) {
        ++mapped_claims;
        Event scratch;
        mapped->decoder->decode(record, scratch);
        continue;
      }
      for (std::size_t i = 0; i < decoders.size(); ++i) {
        if (!decoders[i]->claims(record)) continue;
        ++claimed[i];
        Event scratch;
        decoders[i]->decode(record, scratch);  // lets it see header lines
        break;
      }
    }
  } else {
    // The frame decides per record; one pass over the head tells what the records are.
    EventBatch batch;
    TextDecoder decoder(framing, "", false, options, *times);
    Symbol mapped_name;
    if (mapped) {
      mapped_name = mapped->name;
      decoder.offer_first(mapped->name, std::move(mapped->decoder));
    }
    std::string padded(head);
    padded.reserve(padded.size() + core::kPadding);
    decoder.feed(padded, batch);
    if (mapped_name.present()) mapped_claims = decoder.claimed(mapped_name);
    for (std::size_t i = 0; i < kRecordFormats.size(); ++i)
      claimed[i] = decoder.claimed(core::intern(kRecordFormats[i].name));
  }
  const auto top = std::max_element(claimed.begin(), claimed.end());
  if (!options.format.empty()) {
    result.format = options.format;
    for (const RecordFormat& f : kRecordFormats) result.stateless |= f.name == options.format && f.stateless;
  } else if (mapped && mapped_claims != 0 && mapped_claims >= *top) {
    result.format = "mapping";
    result.stateless = mapped->stateless;
  } else if (*top == 0) {
    if (enveloped == 0) return result;
    result.format = "text";
    result.stateless = true;  // the frame offers such an input to stateless formats only
  } else {
    const RecordFormat& format = kRecordFormats[static_cast<std::size_t>(top - claimed.begin())];
    result.format = format.name;
    result.stateless = format.stateless;
  }
  result.json_values = framing == Framing::kJsonValues;
  if (result.json_values) result.stateless = false;
  return result;
}

core::Expected<std::unique_ptr<Decoder>> make_decoder(const Recognised& what, const Options& options) {
  auto times = core::TimeReader::make(options.zone, options.reference, options.year);
  if (!times) return std::unexpected(times.error());
  std::optional<MappedFormat> mapped;
  if (!options.mapping.empty()) {
    auto made = make_mapping(options.mapping, *times);
    if (!made) return std::unexpected(made.error());
    mapped = std::move(*made);
  }
  if (what.binary) {
    for (const BinaryFormat& format : kBinaryFormats) {
      if (format.name == what.format) return format.make(options);
    }
  } else if (!what.format.empty()) {
    const bool known = what.format == "text" || what.format == "mapping" ||
                       std::any_of(kRecordFormats.begin(), kRecordFormats.end(),
                                   [&](const RecordFormat& f) { return f.name == what.format; });
    if (known) {
      auto decoder = std::make_unique<TextDecoder>(what.json_values ? Framing::kJsonValues : Framing::kLines,
                                                   what.format, !options.format.empty(), options, std::move(*times));
      // A mapping that needs a header line takes part only where the input is read in one piece.
      const bool fits = mapped && (mapped->stateless || !what.stateless);
      if (fits && (options.format.empty() || options.format == "mapping")) {
        decoder->offer_first(mapped->name, std::move(mapped->decoder));
      }
      return decoder;
    }
  }
  if (!options.format.empty()) return core::fail("unknown format", options.format, "known: " + format_names());
  return core::fail("no known log format", {},
                    "see `orbwatch formats`, or describe it with a mapping (docs/formats/mapping.md)");
}

}  // namespace orbwatch::decode

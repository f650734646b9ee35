#include "decode/all.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "core/text.h"
#include "decode/capture.h"
#include "decode/envelope.h"
#include "decode/flow_datagram.h"
#include "decode/formats.h"
#include "decode/ipfix_file.h"
#include "decode/mapping.h"
#include "decode/radius_detail.h"
#include "decode/text.h"

namespace orbwatch::decode {
namespace {

// Order matters only for speed: claims are exact. The commonest first.
constexpr std::array kRecordFormats = {
    RecordFormat{"cisco_asa", "Cisco ASA and FTD syslog",
                 "VPN sessions, AAA, connections, denied traffic, management log-ins", Reads::kText, true,
                 make_cisco_asa},
    RecordFormat{"cisco_ios", "Cisco IOS, IOS XE, IOS XR and NX-OS syslog",
                 "access lists, log-ins to the device, SSL VPN and IPsec, zone-based firewall", Reads::kText, true,
                 make_cisco_ios},
    RecordFormat{"cisco_ise", "Cisco ISE and ACS syslog",
                 "RADIUS and TACACS+ log-ins, failures, sessions with addresses and bytes, admin log-ins", Reads::kText,
                 true, make_cisco_ise},
    RecordFormat{"meraki", "Cisco Meraki MX, Z and MR syslog",
                 "flows and verdicts, client VPN and AnyConnect sessions and log-ins, security events", Reads::kText,
                 true, make_meraki},
    RecordFormat{"fortigate", "FortiGate (FortiOS) key=value syslog",
                 "traffic, SSL and IPsec VPN sessions, user and admin log-ins", Reads::kText, true, make_fortigate},
    RecordFormat{"paloalto", "Palo Alto Networks PAN-OS CSV syslog",
                 "traffic, GlobalProtect sessions and log-ins, admin log-ins", Reads::kText, true, make_paloalto},
    RecordFormat{"paloalto_json", "Palo Alto Networks PAN-OS and Prisma Access JSON (Strata Logging Service)",
                 "traffic, GlobalProtect sessions and log-ins, admin log-ins", Reads::kJson, true, make_paloalto_json},
    RecordFormat{"pulse_secure", "Ivanti (Pulse) Connect Secure syslog (Standard and WELF)",
                 "VPN log-ins, failures, sessions with assigned addresses, admin log-ins", Reads::kText, true,
                 make_pulse_secure},
    RecordFormat{"netscaler", "Citrix ADC and NetScaler Gateway syslog",
                 "VPN log-ins, failures, sessions, connections, TLS handshakes, admin commands", Reads::kText, true,
                 make_netscaler},
    RecordFormat{"f5_bigip", "F5 BIG-IP APM and audit syslog",
                 "VPN sessions with assigned addresses, log-ins, failures, access lists, admin log-ins", Reads::kText,
                 true, make_f5_bigip},
    RecordFormat{"checkpoint", "Check Point Log Exporter syslog (brackets, structured data, Splunk, generic)",
                 "connections, VPN and Mobile Access log-ins, IKE failures, administrators", Reads::kText, true,
                 make_checkpoint},
    RecordFormat{"sonicwall", "SonicWall firewall and SMA syslog (key=value)",
                 "connections, VPN log-ins and failures, admin log-ins", Reads::kText, true, make_sonicwall},
    RecordFormat{"clavister", "Clavister NetWall (cOS Core) and D-Link NetDefendOS syslog",
                 "connections and denials, OneConnect, SSL VPN, L2TP and IPsec sessions, user and admin log-ins",
                 Reads::kText, true, make_clavister},
    RecordFormat{"barracuda_cloudgen", "Barracuda CloudGen Firewall syslog and log files",
                 "connections and denials, threats, VPN sessions, user and admin log-ins", Reads::kText, true,
                 make_barracuda_cloudgen},
    RecordFormat{"juniper_netscreen", "Juniper NetScreen and SSG (ScreenOS) syslog",
                 "traffic and denials, attacks, VPN log-ins, admin log-ins", Reads::kText, true,
                 make_juniper_netscreen},
    RecordFormat{"aruba_os", "HPE Aruba controllers, gateways and switches (ArubaOS, AOS-CX, AOS-Switch)",
                 "log-ins of clients and administrators, firewall verdicts", Reads::kText, true, make_aruba_os},
    RecordFormat{"ekinops_oneos", "Ekinops OneOS routers syslog",
                 "log-ins and commands of administrators, access lists", Reads::kText, true, make_ekinops_oneos},
    RecordFormat{"stormshield", "Stormshield Network Security (SNS) audit logs",
                 "connections and denials, alarms, SSL and IPsec VPN log-ins and sessions, admin log-ins and commands",
                 Reads::kText, true, make_stormshield},
    RecordFormat{"sophos_firewall", "Sophos Firewall (SFOS, XG) and UTM syslog (key=value)",
                 "connections, VPN log-ins and sessions, user and admin log-ins", Reads::kText, true,
                 make_sophos_firewall},
    RecordFormat{"netfilter", "Linux netfilter: iptables, nftables and ulogd; UFW, UniFi gateways",
                 "logged packets by rule and verdict, tracked connections", Reads::kText, true, make_netfilter},
    RecordFormat{"pf_filterlog", "pfSense and OPNsense filterlog",
                 "logged packets by rule, log-ins to the web interface", Reads::kText, true, make_pf_filterlog},
    RecordFormat{"openvpn", "OpenVPN server",
                 "VPN log-ins and failures, sessions with assigned addresses, client software, handshakes",
                 Reads::kText, true, make_openvpn},
    RecordFormat{"strongswan", "strongSwan (charon) IKE",
                 "IPsec log-ins by EAP, XAuth and certificate, sessions with assigned addresses and bytes",
                 Reads::kText, true, make_strongswan},
    RecordFormat{"wireguard", "WireGuard of the Linux kernel (debug messages)",
                 "handshakes by peer, refused handshakes", Reads::kText, true, make_wireguard},
    RecordFormat{"freeradius", "FreeRADIUS log-ins", "RADIUS log-ins and failures by user and gateway, unknown clients",
                 Reads::kText, true, make_freeradius},
    RecordFormat{"tacacs", "TACACS+ servers (tac_plus, tac_plus-ng)",
                 "log-ins to network devices, failures, sessions, commands", Reads::kText, true, make_tacacs},
    RecordFormat{"rsa_securid", "RSA (SecurID) Authentication Manager audit logs",
                 "log-ins by token and password, failures, lock-outs, admin log-ins", Reads::kText, true,
                 make_rsa_securid},
    RecordFormat{"openldap", "OpenLDAP slapd (loglevel stats)", "connections, log-ins (binds), failures", Reads::kText,
                 false, make_openldap},
    RecordFormat{"vmware_horizon", "VMware (Omnissa) Horizon Connection Server events",
                 "log-ins, failures, sessions on desktops, admin log-ins", Reads::kText, true, make_vmware_horizon},
    RecordFormat{"wallix_bastion", "WALLIX Bastion syslog",
                 "log-ins, failures, connections to the proxies, sessions on targets", Reads::kText, true,
                 make_wallix_bastion},
    RecordFormat{"cleanroom", "Systancia Cleanroom syslog", "log-ins, sessions, applications opened", Reads::kText,
                 true, make_cleanroom},
    RecordFormat{"proveit", "Rubycat PROVE IT events", "log-ins, failures, sessions on servers", Reads::kJson, true,
                 make_proveit},
    RecordFormat{"vmware_uag", "VMware (Omnissa) Unified Access Gateway syslog",
                 "log-ins, failures and sessions of edge services, admin log-ins", Reads::kText, true, make_vmware_uag},
    RecordFormat{"guacamole", "Apache Guacamole web application", "log-ins, failures, log-outs, remote desktops",
                 Reads::kText, true, make_guacamole},
    RecordFormat{"kasm", "Kasm Workspaces JSON logs", "log-ins, failures", Reads::kJson, true, make_kasm},
    RecordFormat{"vmware_vcenter", "VMware vCenter Server and ESXi (syslog)",
                 "log-ins, failures, log-outs, SSH sessions on hosts, connections to the proxy", Reads::kBoth, true,
                 make_vmware_vcenter},
    RecordFormat{"vmware_nsx", "VMware NSX distributed and gateway firewall", "logged connections by rule and verdict",
                 Reads::kText, true, make_vmware_nsx},
    RecordFormat{"mikrotik", "MikroTik RouterOS",
                 "logged packets, log-ins to the router, remote access by L2TP, PPTP, SSTP, OVPN and IPsec",
                 Reads::kText, true, make_mikrotik},
    RecordFormat{"juniper_srx", "Juniper Junos and SRX syslog (structured and plain)",
                 "flow sessions, denials, screens, VPN sessions, admin log-ins", Reads::kText, true, make_juniper_srx},
    RecordFormat{"watchguard", "WatchGuard Firebox syslog and LEEF",
                 "traffic, VPN log-ins with assigned addresses, failures, admin log-ins", Reads::kText, true,
                 make_watchguard},
    RecordFormat{"openssh", "OpenSSH sshd (syslog and journald JSON)", "SSH log-ins, failures, sessions, probes",
                 Reads::kText, true, make_openssh},
    RecordFormat{"linux_auth", "Linux log-ins beside OpenSSH (syslog)",
                 "PAM, sudo, su, login, FTP, mail, Dropbear, Samba, Webmin, Proxmox log-ins", Reads::kText, true,
                 make_linux_auth},
    RecordFormat{"suricata_eve", "Suricata EVE JSON", "flows, alerts, TLS and SSH handshakes", Reads::kJson, true,
                 make_suricata_eve},
    RecordFormat{"suricata_fast", "Suricata and Snort alerts in one line (fast.log, syslog)", "alerts, drops",
                 Reads::kText, true, make_suricata_fast},
    RecordFormat{"windows_security", "Windows Security, AD FS and RRAS events in JSON and XML",
                 "log-ins, failures, Kerberos, NTLM, RDP and VPN sessions, NPS", Reads::kBoth, true,
                 make_windows_security},
    RecordFormat{"windows_firewall", "Windows Firewall's log (pfirewall.log)",
                 "packets allowed and dropped on a computer", Reads::kText, true, make_windows_firewall},
    RecordFormat{"microsoft_nps", "Microsoft NPS and RRAS log files (XML, database, IAS)",
                 "VPN log-ins by RADIUS, sessions with their bytes and addresses", Reads::kText, false,
                 make_microsoft_nps},
    RecordFormat{"entra_signin", "Microsoft Entra ID sign-in logs (Graph, diagnostic settings, Log Analytics)",
                 "log-ins of users and applications, failures, second factors", Reads::kJson, true, make_entra_signin},
    RecordFormat{"m365_audit", "Microsoft 365 unified audit log", "log-ins and their failures", Reads::kJson, true,
                 make_m365_audit},
    RecordFormat{"okta", "Okta System Log", "log-ins, second factors, single sign-on, account locks", Reads::kJson,
                 true, make_okta},
    RecordFormat{"aws_cloudtrail", "AWS CloudTrail", "console log-ins, roles assumed, tokens given out", Reads::kJson,
                 true, make_aws_cloudtrail},
    RecordFormat{"aws_guardduty", "Amazon GuardDuty findings",
                 "alerts about connections, port probes and calls of APIs, log-ins to databases", Reads::kJson, true,
                 make_aws_guardduty},
    RecordFormat{"azure_activity", "Azure Activity Log", "who manages a subscription, from where", Reads::kJson, true,
                 make_azure_activity},
    RecordFormat{"google_workspace", "Google Workspace login and SAML activities",
                 "log-ins, failures, challenges, suspicious log-ins", Reads::kJson, true, make_google_workspace},
    RecordFormat{"auth0", "Auth0 tenant logs", "log-ins, failures, second factors, blocks", Reads::kJson, true,
                 make_auth0},
    RecordFormat{"authentik", "authentik events (API and server log)", "log-ins, failures, second factors",
                 Reads::kJson, true, make_authentik},
    RecordFormat{"authelia", "Authelia log (text and JSON)", "log-ins, failures, second factors, bans", Reads::kBoth,
                 true, make_authelia},
    RecordFormat{"onelogin", "OneLogin events", "log-ins, failures", Reads::kJson, true, make_onelogin},
    RecordFormat{"jumpcloud", "JumpCloud Directory Insights",
                 "log-ins to portals, applications, devices, RADIUS and LDAP, failures", Reads::kJson, true,
                 make_jumpcloud},
    RecordFormat{"ping_federate", "PingFederate audit log", "log-ins, failures, sessions, single sign-on", Reads::kText,
                 true, make_ping_federate},
    RecordFormat{"cas_audit", "Apereo CAS audit trail (lines, blocks, JSON)", "log-ins, failures, sessions",
                 Reads::kBoth, false, make_cas_audit},
    RecordFormat{"duo", "Duo Security authentication and administrator logs", "second factors and their failures",
                 Reads::kJson, true, make_duo},
    RecordFormat{"keycloak", "Keycloak user events (JSON and server log)", "log-ins, failures, account locks",
                 Reads::kBoth, true, make_keycloak},
    RecordFormat{"cloudflare_access", "Cloudflare Zero Trust (Access, Gateway network, audit log-ins)",
                 "log-ins, connections and denials, bytes", Reads::kJson, true, make_cloudflare_access},
    RecordFormat{"cato_sase", "Cato Networks SASE events (JSON)",
                 "sessions of clients and sites, firewall verdicts, threats, log-ins", Reads::kJson, true,
                 make_cato_sase},
    RecordFormat{"zscaler", "Zscaler Private Access and Internet Access (JSON feeds)",
                 "sessions, connections and denials, bytes, tunnels, log-ins", Reads::kBoth, true, make_zscaler},
    RecordFormat{"umbrella", "Cisco Umbrella and Secure Access logs (CSV)",
                 "requests with inside and outside address, connections and denials, administrators", Reads::kText,
                 true, make_umbrella},
    RecordFormat{"netskope", "Netskope events and alerts (JSON)",
                 "connections and denials, log-ins to cloud applications, alerts, admin log-ins", Reads::kJson, true,
                 make_netskope},
    RecordFormat{"tailscale", "Tailscale network flow logs and configuration audit log",
                 "flows between nodes, where nodes are in the Internet, log-ins of nodes", Reads::kJson, true,
                 make_tailscale},
    RecordFormat{"teleport", "Teleport audit events", "log-ins, failures, SSH sessions", Reads::kJson, true,
                 make_teleport},
    RecordFormat{"kerberos_kdc", "MIT and Heimdal Kerberos key distribution centres",
                 "log-ins and failures by Kerberos", Reads::kText, true, make_kerberos_kdc},
    RecordFormat{"isc_dhcpd", "ISC DHCP server", "nothing: its leases are counted by name", Reads::kText, true,
                 make_isc_dhcpd},
    RecordFormat{"zeek", "Zeek conn, ssl and ssh logs (tables)", "flows, TLS handshakes, SSH log-ins", Reads::kText,
                 false, make_zeek},
    RecordFormat{"zeek_json", "Zeek conn, ssl and ssh logs (JSON)", "flows, TLS handshakes, SSH log-ins", Reads::kJson,
                 true, make_zeek_json},
    RecordFormat{"aws_vpc_flow", "AWS VPC and Transit Gateway flow logs (text and JSON)",
                 "flows, connections that security groups and network ACLs refused", Reads::kBoth, false,
                 make_aws_vpc_flow},
    RecordFormat{"aws_elb", "AWS Elastic Load Balancing access and connection logs (ALB, NLB, Classic)",
                 "requests and connections with client, bytes and user agent, TLS versions, client certificates",
                 Reads::kText, true, make_aws_elb},
    RecordFormat{"azure_flow", "Azure flow logs (network security groups and virtual networks)",
                 "connections and denials with their rules", Reads::kJson, true, make_azure_flow},
    RecordFormat{"gcp_vpc_flow", "Google Cloud VPC flow logs and firewall rules logs",
                 "flows, connections and denials with their rules", Reads::kJson, true, make_gcp_vpc_flow},
    RecordFormat{"nfdump_text", "nfdump output (CSV and JSON)", "flows, connections that a firewall exported",
                 Reads::kBoth, false, make_nfdump_text},
    RecordFormat{"json_flow", "Flow records in JSON (NetFlow and IPFIX names, pmacct, GoFlow)", "flows", Reads::kJson,
                 true, make_json_flow},
    RecordFormat{"argus", "Argus flows (ra CSV, binetflow)", "flows in both directions", Reads::kText, false,
                 make_argus},
    RecordFormat{"silk", "SiLK flows (rwcut)", "flows", Reads::kText, false, make_silk},
    RecordFormat{"masscan", "masscan JSON, JSON lines and list", "open ports and banners of devices", Reads::kBoth,
                 true, make_masscan},
    RecordFormat{"zgrab2", "ZGrab2 JSON lines", "banners, certificates and TLS fingerprints of devices", Reads::kJson,
                 true, make_zgrab2},
    RecordFormat{"shodan", "Shodan downloads and hosts (JSON)",
                 "open ports, banners, certificates and TLS fingerprints of devices", Reads::kJson, true, make_shodan},
    RecordFormat{"censys", "Censys hosts (JSON)", "open ports, banners, certificates and TLS fingerprints of devices",
                 Reads::kJson, true, make_censys},
    RecordFormat{"cef", "ArcSight CEF of any vendor", "log-ins, VPN sessions, connections, denials, sensors' alerts",
                 Reads::kText, true, make_cef},
    RecordFormat{"leef", "QRadar LEEF 1.0 and 2.0 of any vendor",
                 "log-ins, VPN sessions, connections, denials, sensors' alerts", Reads::kText, true, make_leef},
    RecordFormat{"ecs", "Elastic Common Schema documents without the original text",
                 "log-ins, sessions, flows, connections, denials", Reads::kJson, true, make_ecs, true},
    RecordFormat{"ocsf", "OCSF events (JSON)", "log-ins, tunnels, flows, connections, denials", Reads::kJson, true,
                 make_ocsf, true},
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
    BinaryFormat{"nmap_xml", "Nmap and masscan XML", "open ports, services, banners and certificates of devices",
                 recognise_nmap_xml, make_nmap_xml},
    BinaryFormat{"radius_detail", "RADIUS accounting files (FreeRADIUS detail, Radiator)",
                 "sessions with the client's and the assigned address, bytes", recognise_radius_detail,
                 make_radius_detail},
};

bool looks_binary(std::string_view head) {
  // Zeros in front (a file that was cut while it was written) and at the end of lines are padding.
  head.remove_prefix(std::min(head.find_first_not_of('\0'), head.size()));
  head = head.substr(0, 4096);
  std::size_t zeros = 0;
  for (std::size_t i = head.find('\0'); i < head.size(); i = head.find('\0', i)) {
    const std::size_t end = std::min(head.find_first_not_of('\0', i), head.size());
    if (end != head.size() && head[end] != '\n' && head[end] != '\r') zeros += end - i;
    i = end;
  }
  return zeros > head.size() / 64;
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
      result.format = format.name;
      result.binary = true;
    }
  }
  if (best > 0) return result;
  if (looks_binary(head) && options.format.empty()) return result;
  // Text: let every format look at the first records and take the one that claims most of them.
  auto times = core::TimeReader::make(options.zone, options.reference, options.year);
  if (!times) return result;
  std::string padded(head);
  padded.reserve(padded.size() + core::kPadding);
  Options all = options;
  all.format.clear();
  std::array<std::uint64_t, kRecordFormats.size()> claimed{};
  // Users' mappings come before all formats; an error in one is reported by make_decoder.
  std::vector<std::uint64_t> mapped_claims(options.mappings.size());
  std::vector<char> mapped_stateless(options.mappings.size());
  bool some_syslog = false;  // worth reading even if its programs are not known
  const auto look = [&](Framing framing) {
    EventBatch batch;
    TextDecoder decoder(framing, "", true, all, *times);
    decoder.offer_to_all();
    std::vector<Symbol> names(options.mappings.size());
    for (std::size_t m = options.mappings.size(); m-- > 0;) {
      auto mapped = make_mapping(options.mappings[m].yaml, *times, options.mappings[m].file);
      if (!mapped) continue;
      mapped_stateless[m] = mapped->stateless ? 1 : 0;
      names[m] = mapped->name;
      decoder.offer_first(mapped->name, std::move(mapped->decoder));
    }
    decoder.feed(padded, batch);
    decoder.finish(batch);
    for (std::size_t m = 0; m < names.size(); ++m)
      mapped_claims[m] = names[m].present() ? decoder.claimed(names[m]) : 0;
    result.framing = framing;
    some_syslog = batch.counts.ignored_by.contains(core::intern(kOtherProgram));
    std::uint64_t sum = std::accumulate(mapped_claims.begin(), mapped_claims.end(), std::uint64_t{0});
    for (std::size_t i = 0; i < kRecordFormats.size(); ++i) {
      sum += claimed[i] = decoder.claimed(core::intern(kRecordFormats[i].name));
    }
    return sum != 0;
  };
  const Framing framing = framing_of(head);
  // A column of records may hold what nobody knows, while the rows themselves are somebody's format.
  if (!look(framing) && framing == Framing::kCsvWrapper) look(Framing::kLines);
  const auto top = std::max_element(claimed.begin(), claimed.end());
  const auto top_mapping = std::max_element(mapped_claims.begin(), mapped_claims.end());
  if (!options.format.empty()) {
    result.format = options.format;
    for (const RecordFormat& f : kRecordFormats) result.stateless |= f.name == options.format && f.stateless;
  } else if (!mapped_claims.empty() && *top_mapping != 0 && *top_mapping >= *top) {
    result.format = "mapping";
    result.stateless = mapped_stateless[static_cast<std::size_t>(top_mapping - mapped_claims.begin())] != 0;
  } else if (*top == 0) {
    if (!some_syslog) return result;
    result.format = "text";
    result.stateless = true;  // the frame offers such an input to stateless formats only
  } else {
    const RecordFormat& format = kRecordFormats[static_cast<std::size_t>(top - claimed.begin())];
    result.format = format.name;
    result.stateless = format.stateless;
  }
  if (result.framing != Framing::kLines) result.stateless = false;
  return result;
}

core::Expected<std::unique_ptr<Decoder>> make_decoder(const Recognised& what, const Options& options) {
  auto times = core::TimeReader::make(options.zone, options.reference, options.year);
  if (!times) return std::unexpected(times.error());
  std::vector<MappedFormat> mapped;
  for (const MappingText& text : options.mappings) {
    auto made = make_mapping(text.yaml, *times, text.file);
    if (!made) return std::unexpected(made.error());
    mapped.push_back(std::move(*made));
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
      auto decoder =
          std::make_unique<TextDecoder>(what.framing, what.format, !options.format.empty(), options, std::move(*times));
      for (std::size_t i = mapped.size(); i-- > 0;) {
        // A mapping that needs a header line takes part only where the input is read in one piece.
        const bool fits = mapped[i].stateless || !what.stateless;
        if (fits && (options.format.empty() || options.format == "mapping"))
          decoder->offer_first(mapped[i].name, std::move(mapped[i].decoder));
      }
      return decoder;
    }
  }
  if (!options.format.empty()) return core::fail("unknown format", options.format, "known: " + format_names());
  return core::fail("no known log format", {},
                    "see `orbwatch formats`, or describe it with a mapping (docs/formats/mapping.md)");
}

}  // namespace orbwatch::decode

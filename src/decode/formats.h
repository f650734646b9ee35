// The factories of the formats, one line a file of this folder. Only all.cc and the unit tests include this.
#pragma once

#include <memory>
#include <string_view>

#include "decode/decoder.h"

namespace orbwatch::decode {

std::unique_ptr<RecordDecoder> make_cisco_asa(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_cisco_ise(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_netfilter(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_kerberos_kdc(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_linux_auth(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_microsoft_nps(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_openssh(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_pf_filterlog(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_suricata_eve(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_suricata_fast(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_windows_security(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_openvpn(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_strongswan(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_mikrotik(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_cisco_ios(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_meraki(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_windows_firewall(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_wireguard(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_freeradius(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_tacacs(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_rsa_securid(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_openldap(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_vmware_horizon(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_wallix_bastion(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_cleanroom(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_proveit(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_isc_dhcpd(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_vmware_uag(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_kasm(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_guacamole(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_vmware_vcenter(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_vmware_nsx(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_zeek(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_zeek_json(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_entra_signin(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_okta(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_aws_cloudtrail(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_google_workspace(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_auth0(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_authentik(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_authelia(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_onelogin(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_jumpcloud(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_ping_federate(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_cas_audit(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_duo(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_m365_audit(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_keycloak(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_cloudflare_access(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_cato_sase(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_zscaler(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_umbrella(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_netskope(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_tailscale(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_teleport(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_aws_vpc_flow(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_aws_elb(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_aws_guardduty(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_azure_activity(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_azure_flow(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_gcp_vpc_flow(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_nfdump_text(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_json_flow(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_argus(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_silk(const core::TimeReader& times);

std::unique_ptr<RecordDecoder> make_masscan(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_zgrab2(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_shodan(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_censys(const core::TimeReader& times);
std::unique_ptr<Decoder> make_nmap_xml(const Options& options);
int recognise_nmap_xml(std::string_view head);
std::unique_ptr<Decoder> make_radius_detail(const Options& options);
std::unique_ptr<RecordDecoder> make_aruba_os(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_ekinops_oneos(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_fortigate(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_barracuda_cloudgen(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_checkpoint(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_clavister(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_f5_bigip(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_juniper_netscreen(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_juniper_srx(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_netscaler(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_pulse_secure(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_sonicwall(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_sophos_firewall(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_stormshield(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_watchguard(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_paloalto(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_paloalto_json(const core::TimeReader& times);

std::unique_ptr<RecordDecoder> make_cef(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_leef(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_ecs(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_ocsf(const core::TimeReader& times);

std::unique_ptr<Decoder> make_capture(const Options& options);
std::unique_ptr<Decoder> make_flow_datagram(const Options& options);
std::unique_ptr<Decoder> make_ipfix_file(const Options& options);

}  // namespace orbwatch::decode

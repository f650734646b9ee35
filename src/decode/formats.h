// The factories of the formats, one line a file of this folder. Only all.cc and the unit tests include this.
#pragma once

#include <memory>
#include <string_view>

#include "decode/decoder.h"

namespace orbwatch::decode {

std::unique_ptr<RecordDecoder> make_cisco_asa(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_openssh(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_suricata_eve(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_windows_security(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_zeek(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_masscan(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_zgrab2(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_shodan(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_censys(const core::TimeReader& times);

std::unique_ptr<Decoder> make_capture(const Options& options);
std::unique_ptr<Decoder> make_flow_datagram(const Options& options);
std::unique_ptr<Decoder> make_ipfix_file(const Options& options);
std::unique_ptr<Decoder> make_nmap_xml(const Options& options);
int recognise_nmap_xml(std::string_view head);
std::unique_ptr<RecordDecoder> make_fortigate(const core::TimeReader& times);
std::unique_ptr<RecordDecoder> make_paloalto(const core::TimeReader& times);

}  // namespace orbwatch::decode

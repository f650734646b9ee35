// QRadar Log Event Extended Format, version 1.0 and 2.0, of any vendor:
//   LEEF:1.0|Vendor|Product|Version|EventID|src=192.0.2.1<tab>dst=198.51.100.7<tab>usrName=alice ...
//   LEEF:2.0|Vendor|Product|Version|EventID|^|src=192.0.2.1^dst=198.51.100.7^usrName=alice ...
// Version 2 names the character between the pairs, as itself or in hexadecimal ("x09", "0x5E"); without it, as in
// version 1, it is the tab.
//
// Source: IBM, "QRadar: Log Event Extended Format (LEEF) version 2" (header, predefined attributes, devTimeFormat); the
// LEEF logs of Forcepoint NGFW, Check Point Log Exporter, Zscaler NSS, Trend Micro.
//
// What a record is, is told by its words: see common_record.h. Everything that is neither log-in, session nor
// connection is ignored as "other record of VENDOR PRODUCT".
#include <array>
#include <memory>

#include "core/text.h"
#include "decode/common_record.h"
#include "decode/formats.h"
#include "decode/name_table.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

const Symbol kShortHeader = core::intern("leef: header too short");

constexpr NameTable kKeys(std::to_array<Name<Says>>({
    {"accountName", Says::kUser},
    {"act", Says::kAction},
    {"action", Says::kAction},
    {"app", Says::kApplication},
    {"application", Says::kApplication},
    {"authMethod", Says::kMethod},
    {"cat", Says::kCategory},
    {"clientOS", Says::kClientOs},
    {"destination", Says::kDestinationHost},
    {"devTime", Says::kTime},
    {"disp", Says::kAction},
    {"disposition", Says::kAction},
    {"domain", Says::kDestinationDomain},
    {"dst", Says::kDestinationIp},
    {"dstBytes", Says::kDestinationBytes},
    {"dstHostName", Says::kDestinationHost},
    {"dstPackets", Says::kDestinationPackets},
    {"dstPort", Says::kDestinationPort},
    {"duration", Says::kDuration},
    {"geo_src", Says::kRegion},
    {"groupID", Says::kGroup},
    {"groupName", Says::kGroup},
    {"identHostName", Says::kSourceHost},
    {"identSrc", Says::kAssignedIp},
    {"in_if", Says::kIngress},
    {"isLoginEvent", Says::kLogin},
    {"isLogoutEvent", Says::kLogout},
    {"name", Says::kName},
    {"outcome", Says::kOutcome},
    {"out_if", Says::kEgress},
    {"policy", Says::kRule},
    {"proto", Says::kProtocol},
    {"rcvd_bytes", Says::kDestinationBytes},
    {"realm", Says::kGroup},
    {"reason", Says::kReason},
    {"result", Says::kOutcome},
    {"role", Says::kGroup},
    {"rule", Says::kRule},
    {"ruleName", Says::kRule},
    {"rule_name", Says::kRule},
    {"sender", Says::kObserver},
    {"sent_bytes", Says::kSourceBytes},
    {"sessionID", Says::kSession},
    {"src", Says::kSourceIp},
    {"srcBytes", Says::kSourceBytes},
    {"srcHostName", Says::kSourceHost},
    {"srcPackets", Says::kSourcePackets},
    {"srcPort", Says::kSourcePort},
    {"srcPostNAT", Says::kSourceNat},
    {"status", Says::kOutcome},
    {"sys_name", Says::kObserver},
    {"tunnelType", Says::kTunnel},
    {"userAgent", Says::kUserAgent},
    {"usrName", Says::kUser},
    {"virtual_ip", Says::kAssignedIp},
}));

// "^", "x5E", "0x5E", "\t": the character between the pairs; a tab if the field names none.
char delimiter_of(std::string_view field) {
  if (field.size() == 1) return field.front();
  if (field.starts_with('0')) field.remove_prefix(1);
  if (field.starts_with('x') || field.starts_with('X')) {
    if (const auto code = core::parse_number<unsigned>(field.substr(1), 16); code && *code != 0 && *code < 256)
      return static_cast<char>(*code);
  }
  return '\t';
}

class Leef final : public RecordDecoder {
 public:
  explicit Leef(const core::TimeReader& times) : reader_(times) {}

  bool claims(const TextRecord& r) const override {
    const std::size_t begin = begin_of(r);
    return begin != std::string_view::npos && !is_watchguard(r.message.substr(begin));
  }

  Fate decode(const TextRecord& r, Event& event) override {
    record_.clear();
    std::string_view text = r.message.substr(begin_of(r));
    const bool second = text.starts_with('2');
    core::take_until(text, '|');
    for (const Says what : {Says::kVendor, Says::kProduct, Says::kCount, Says::kId}) {
      const auto bar = text.find('|');
      if (bar == text.npos) return Fate::rejected(kShortHeader);
      // Some leave out the number of the message.
      if (what == Says::kId && text.substr(0, bar).contains('=')) break;
      if (what != Says::kCount) record_.set(what, text.substr(0, bar));
      text.remove_prefix(bar + 1);
    }
    char delimiter = '\t';
    if (second) {
      // The field may be left out; then there is no bar before the first pair.
      const auto bar = text.find('|');
      const auto equals = text.find('=');
      if (bar != text.npos && bar < equals && bar <= 6) {
        delimiter = delimiter_of(text.substr(0, bar));
        text.remove_prefix(bar + 1);
      }
    }
    while (!text.empty()) {
      std::string_view value = core::take_until(text, delimiter);
      const auto equals = value.find('=');
      if (equals == value.npos) continue;
      const std::string_view key = core::trim(value.substr(0, equals));
      if (const Says* says = kKeys.find(key); says != nullptr) record_.set(*says, value.substr(equals + 1));
    }
    return reader_.to_event(record_, event);
  }

 private:
  // Where the header's version begins.
  static std::size_t begin_of(const TextRecord& r) {
    const std::string_view text = r.message;
    if (r.program == "LEEF" && version_at(text, 0)) return 0;
    const auto at = text.substr(0, 64).find("LEEF:");
    if (at == text.npos || (at != 0 && text[at - 1] != ' ' && text[at - 1] != ':')) return text.npos;
    std::size_t version = at + 5;
    while (version < text.size() && text[version] == ' ') ++version;
    return version_at(text, version) ? version : text.npos;
  }
  // Read by the format watchguard.
  static bool is_watchguard(std::string_view version) { return version.substr(1).starts_with(".0|WatchGuard|"); }
  static bool version_at(std::string_view text, std::size_t at) {
    return at + 3 < text.size() && (text[at] == '1' || text[at] == '2') &&
           (text[at + 1] == '|' || (text[at + 1] == '.' && text[at + 2] == '0' && text[at + 3] == '|'));
  }

  CommonReader reader_;
  CommonRecord record_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_leef(const core::TimeReader& times) { return std::make_unique<Leef>(times); }

}  // namespace orbwatch::decode

// ArcSight Common Event Format, version 0 and 1, of any vendor:
//   CEF:0|Vendor|Product|Version|Class|Name|Severity|src=192.0.2.1 dst=198.51.100.7 spt=50122 dpt=443 act=Accept ...
// In the header "|" and "\" are written "\|" and "\\"; in the extension values hold spaces, "=" is written "\=", and a
// value ends where the next word with an unescaped "=" begins.
//
// Source: "Implementing ArcSight Common Event Format (CEF)", version 25 to 27 (header, extension dictionary); the CEF
// mappings of Check Point Log Exporter (sk144192), FortiOS ("CEF support", keys FTNTFGT...), PAN-OS ("CEF configuration
// guides", cs1Label=Rule ...) and Strata Logging Service (keys PanOS...), SonicOS, F5 BIG-IP, Imperva, Trend Micro.
//
// What a record is, is told by its words: see common_record.h. Everything that is neither log-in, session nor
// connection is ignored as "other record of VENDOR PRODUCT".
#include <algorithm>
#include <memory>
#include <string>

#include "core/text.h"
#include "decode/common_record.h"
#include "decode/find_byte.h"
#include "decode/formats.h"
#include "decode/name_table.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

const Symbol kShortHeader = core::intern("cef: header too short");

// Keys of the dictionary (short and full names), then those of vendors.
constexpr NameTable kKeys(std::to_array<Name<Says>>({
    {"act", Says::kAction},
    {"deviceAction", Says::kAction},
    {"rule_action", Says::kAction},
    {"fw_action", Says::kAction},
    {"app", Says::kApplication},
    {"appName", Says::kApplication},
    {"applicationProtocol", Says::kApplication},
    {"c6a2", Says::kSourceIp6},
    {"c6a3", Says::kDestinationIp6},
    {"cat", Says::kCategory},
    {"deviceEventCategory", Says::kCategory},
    {"destinationUserName", Says::kDestinationUser},
    {"duser", Says::kDestinationUser},
    {"dntdom", Says::kDestinationDomain},
    {"destinationNtDomain", Says::kDestinationDomain},
    {"deviceDirection", Says::kDirection},
    {"conn_direction", Says::kDirection},
    {"deviceInboundInterface", Says::kIngressInterface},
    {"deviceOutboundInterface", Says::kEgressInterface},
    {"inzone", Says::kIngress},
    {"outzone", Says::kEgress},
    {"dhost", Says::kDestinationHost},
    {"destinationHostName", Says::kDestinationHost},
    {"dst", Says::kDestinationIp},
    {"destinationAddress", Says::kDestinationIp},
    {"dpt", Says::kDestinationPort},
    {"destinationPort", Says::kDestinationPort},
    {"dtz", Says::kZone},
    {"deviceTimeZone", Says::kZone},
    {"dvc", Says::kObserverIp},
    {"deviceAddress", Says::kObserverIp},
    {"origin", Says::kObserverIp},
    {"dvchost", Says::kObserver},
    {"deviceHostName", Says::kObserver},
    {"end", Says::kEnd},
    {"endTime", Says::kEnd},
    {"externalId", Says::kSession},
    {"in", Says::kDestinationBytes},
    {"bytesIn", Says::kDestinationBytes},
    {"msg", Says::kMessage},
    {"message", Says::kMessage},
    {"out", Says::kSourceBytes},
    {"bytesOut", Says::kSourceBytes},
    {"outcome", Says::kOutcome},
    {"eventOutcome", Says::kOutcome},
    {"proto", Says::kProtocol},
    {"transportProtocol", Says::kProtocol},
    {"reason", Says::kReason},
    {"requestClientApplication", Says::kUserAgent},
    {"rt", Says::kTime},
    {"deviceReceiptTime", Says::kTime},
    {"shost", Says::kSourceHost},
    {"sourceHostName", Says::kSourceHost},
    {"sntdom", Says::kSourceDomain},
    {"sourceNtDomain", Says::kSourceDomain},
    {"sourceTranslatedAddress", Says::kSourceNat},
    {"spt", Says::kSourcePort},
    {"sourcePort", Says::kSourcePort},
    {"sproc", Says::kAccess},
    {"src", Says::kSourceIp},
    {"sourceAddress", Says::kSourceIp},
    {"start", Says::kStart},
    {"startTime", Says::kStart},
    {"suser", Says::kSourceUser},
    {"sourceUserName", Says::kSourceUser},
    {"susr", Says::kSourceUser},
    {"subtype", Says::kSubtype},
    {"FTNTFGTlogid", Says::kCode},
    {"FortinetFortiGatelogid", Says::kCode},
    // Without the vendor's prefix, see kPrefixes.
    {"AuthMethod", Says::kMethod},
    {"AuthenticatedUserName", Says::kUser},
    {"AuthenticatedUserDomain", Says::kUserDomain},
    {"ConnectionError", Says::kReason},
    {"DeviceName", Says::kObserver},
    {"EndpointDeviceName", Says::kSourceHost},
    {"EndpointOSType", Says::kClientOs},
    {"EndpointOSVersion", Says::kClientOs},
    {"EventIDValue", Says::kSubtype},
    {"EventStatus", Says::kOutcome},
    {"GlobalProtectClientVersion", Says::kUserAgent},
    {"PacketsReceived", Says::kDestinationPackets},
    {"PacketsSent", Says::kSourcePackets},
    {"PrivateIPv4", Says::kAssignedIp},
    {"PublicIPv4", Says::kPublicIp},
    {"SourceDeviceOSVersion", Says::kClientOs},
    {"SourceRegion", Says::kRegion},
    {"SourceUserName", Says::kSourceUser},
    {"TunnelType", Says::kTunnel},
    {"action", Says::kAction},
    {"admin", Says::kUser},
    {"assignip", Says::kAssignedIp},
    {"dstintfrole", Says::kEgressRole},
    {"duration", Says::kDuration},
    {"eventtime", Says::kBestTime},
    {"group", Says::kGroup},
    {"logdesc", Says::kName},
    {"method", Says::kApplication},
    {"osname", Says::kClientOs},
    {"policyid", Says::kRuleId},
    {"policyname", Says::kRule},
    {"rcvdpkt", Says::kDestinationPackets},
    {"remip", Says::kPublicIp},
    {"sentpkt", Says::kSourcePackets},
    {"srccountry", Says::kRegion},
    {"srcintfrole", Says::kIngressRole},
    {"tunnelid", Says::kSession},
    {"tunnelip", Says::kAssignedIp},
    {"tunneltype", Says::kTunnel},
    {"unauthuser", Says::kSourceUser},
    {"user", Says::kUser},
    {"utcTime", Says::kBestTime},
    {"xauthuser", Says::kUser},
}));

// Vendors put these in front of their own keys: FTNTFGTsubtype, PanOSAuthMethod, UNIFIadmin.
constexpr auto kPrefixes = std::to_array<std::string_view>({"FTNTFGT", "FortinetFortiGate", "ad.", "PanOS", "UNIFI"});

// Custom fields: what their label, in lower case and without spaces and "_", says.
constexpr NameTable kLabels(std::to_array<Name<Says>>({
    {"rule", Says::kRule},
    {"rulename", Says::kRule},
    {"policy", Says::kRule},
    {"policyname", Says::kRule},
    {"policyid", Says::kRuleId},
    {"aclrulename", Says::kRule},
    {"accessrule", Says::kRule},
    {"sourcezone", Says::kIngress},
    {"srczone", Says::kIngress},
    {"fromzone", Says::kIngress},
    {"destinationzone", Says::kEgress},
    {"dstzone", Says::kEgress},
    {"tozone", Says::kEgress},
    {"sessionid", Says::kSession},
    {"reason", Says::kReason},
    {"dropreason", Says::kReason},
    {"failurereason", Says::kReason},
    {"useragent", Says::kUserAgent},
    {"fullrequest", Says::kUserAgent},
    {"clientversion", Says::kUserAgent},
    {"clientos", Says::kClientOs},
    {"clienttype", Says::kUserAgent},
    {"os", Says::kClientOs},
    {"group", Says::kGroup},
    {"usergroup", Says::kGroup},
    {"realm", Says::kGroup},
    {"tunnelgroup", Says::kGroup},
    {"role", Says::kGroup},
    {"roles", Says::kGroup},
    {"authmethod", Says::kMethod},
    {"authenticationmethod", Says::kMethod},
    {"tunneltype", Says::kTunnel},
    {"publicip", Says::kPublicIp},
    {"privateip", Says::kAssignedIp},
    {"assignedip", Says::kAssignedIp},
    {"virtualip", Says::kAssignedIp},
    {"duration", Says::kDuration},
    {"elapsedtime", Says::kDuration},
    {"elapsedtimeinseconds", Says::kDuration},
    {"sessionduration", Says::kDuration},
    {"sourceregion", Says::kRegion},
    {"sourcecountry", Says::kRegion},
    {"srccountry", Says::kRegion},
    {"username", Says::kUser},
    {"user", Says::kUser},
    {"affectedusername", Says::kDestinationUser},
    {"packetssent", Says::kSourcePackets},
    {"packetsreceived", Says::kDestinationPackets},
}));

constexpr CharTable kKeyCharacters{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-[]"};

// Calls each(key, value) for the pairs of the extension; values as they stand there, without spaces around. A key is
// what stands before a "=" and behind a space, if that are characters of keys.
template <typename Each>
void extension_pairs(std::string_view text, Each&& each) {
  const char* const p = text.data();
  std::string_view key;
  std::size_t value = 0;
  for (std::size_t at = 0; (at = find_byte(p, at, text.size(), {'='})) != text.size(); ++at) {
    std::size_t word = at;
    while (word != value && kKeyCharacters.has(p[word - 1])) --word;
    if (word == at || (word != 0 && !core::is_space(p[word - 1]))) continue;
    if (!key.empty()) each(key, core::trim(text.substr(value, word - value)));
    key = text.substr(word, at - word);
    value = at + 1;
  }
  if (!key.empty()) each(key, core::trim(text.substr(value)));
}

// "cs1" .. "cs6", "cn1", "cfp1", "flexString1", "deviceCustomString1" ...: a field whose meaning its label says.
bool is_custom(std::string_view key) {
  if (key.size() < 3 || !is_digit(key.back())) return false;
  const std::string_view stem = key.substr(0, key.size() - 1);
  return stem == "cs" || stem == "cn" || stem == "cfp" || stem == "flexString" || stem == "flexNumber" ||
         stem == "deviceCustomString" || stem == "deviceCustomNumber";
}

constexpr std::size_t kMostCustom = 16;

class Cef final : public RecordDecoder {
 public:
  explicit Cef(const core::TimeReader& times) : reader_(times) {}

  bool claims(const TextRecord& r) const override { return begin_of(r) != std::string_view::npos; }

  Fate decode(const TextRecord& r, Event& event) override {
    record_.clear();
    unescaped_used_ = 0;
    std::string_view text = r.message.substr(begin_of(r));
    header_field(text);  // version
    // Some write the version or the vendor twice or leave the vendor empty.
    std::array<std::string_view, 6> header;
    std::size_t fields = 0;
    while (fields < header.size() && !text.empty()) {
      const std::string_view field = header_field(text);
      if (field.empty() && fields == 0) continue;
      header[fields++] = field;
    }
    if (fields < 5) return Fate::rejected(kShortHeader);
    record_.set(Says::kVendor, header[0]);
    record_.set(Says::kProduct, header[1]);
    record_.set(Says::kId, plain(header[3]));
    const std::string_view name = plain(header[4]);
    // PAN-OS counts what is sent as inbound, as CEF words it; all others count it as outbound.
    swapped_ = header[0] == "Palo Alto Networks";
    check_point_ = header[0] == "Check Point";
    packet_leaves_ = false;
    interface_ = {};
    custom_ = 0;
    extension_pairs(text, [&](std::string_view key, std::string_view value) { pair(key, value); });
    record_.set(packet_leaves_ ? Says::kEgressInterface : Says::kIngressInterface, interface_);
    if (header[0] == "SonicWall" || header[0] == "Citrix") unlabelled();
    for (std::size_t i = 0; i < custom_; ++i) {
      const Says* says = label(labels_[i].name);
      if (says == nullptr) continue;
      // Of a whole HTTP request only who sent it.
      const bool request = *says == Says::kUserAgent && labels_[i].name == "full_request";
      record_.set(*says, plain(request ? user_agent_of(labels_[i].value) : labels_[i].value));
    }
    record_.set(Says::kName, name);
    return reader_.to_event(record_, event);
  }

 private:
  struct Custom {
    std::string_view key;
    std::string_view name;
    std::string_view value;
  };

  // Where the header's version begins: "CEF:0|", "CEF: 0|", behind a tag that stands at the front ("ASM:CEF:0|"), or
  // with "CEF:" taken for the syslog tag and perhaps lost with it.
  static std::size_t begin_of(const TextRecord& r) {
    const std::string_view text = r.message;
    if (version_at(text, 0) && (r.program == "CEF" || is_header(text))) return 0;
    const std::string_view head = text.substr(0, 64);
    for (auto at = find_text(head, "CEF:"); at != head.npos; at = find_text(head, "CEF:", at + 1)) {
      if (at != 0 && head[at - 1] != ' ' && head[at - 1] != ':') continue;
      std::size_t version = at + 4;
      while (version < text.size() && text[version] == ' ') ++version;
      if (version_at(text, version)) return version;
    }
    return std::string_view::npos;
  }
  static bool version_at(std::string_view text, std::size_t at) {
    return at + 1 < text.size() && (text[at] == '0' || text[at] == '1') && text[at + 1] == '|';
  }

  // "0|Vendor|Product|Version|Class|Name|Severity|": a word, then fields, the last of which is a number or a word.
  static bool is_header(std::string_view text) {
    text.remove_prefix(2);
    const char first = text.empty() ? ' ' : text.front();
    if (!((first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z'))) return false;
    std::size_t fields = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(text.size(), 512) && fields < 6; ++i) {
      if (text[i] == '\\') {
        ++i;
      } else {
        fields += text[i] == '|';
      }
    }
    return fields == 6;
  }

  static std::string_view user_agent_of(std::string_view request) {
    constexpr std::string_view kName = "User-Agent: ";
    const auto at = request.find(kName);
    if (at == request.npos) return {};
    request.remove_prefix(at + kName.size());
    // The line ends with an escape, or as it is.
    return request.substr(0, std::min(request.find("\\r"), request.find_first_of("\r\n")));
  }

  // Check Point names the gateway in its certificate: "CN\=gw1,O\=mgmt..". The host may be the management server.
  static std::string_view common_name(std::string_view name) {
    if (!core::skip_prefix(name, "CN")) return {};
    while (name.starts_with('\\')) name.remove_prefix(1);
    return core::skip_prefix(name, "=") ? name.substr(0, name.find(',')) : std::string_view{};
  }

  // Custom fields of vendors who leave the labels out, or put values of their own into them (SonicWall).
  void unlabelled() {
    for (std::size_t i = 0; i < custom_; ++i) {
      const Custom& field = labels_[i];
      if (field.key == "cs1") {
        record_.set(Says::kRule, plain(field.value));
        if (given_ip(field.name).present()) record_.set(Says::kSourceNat, field.name);
      }
      if (field.key == "cn1" && field.value.empty()) record_.set(Says::kDestinationPackets, field.name);
      if (field.key == "cn2" && field.value.empty()) record_.set(Says::kSourcePackets, field.name);
    }
  }

  static std::string_view header_field(std::string_view& text) {
    std::size_t i = 0;
    while ((i = find_byte(text.data(), i, text.size(), {'|', '\\'})) != text.size() && text[i] != '|')
      i = std::min(i + 2, text.size());
    const std::string_view field = text.substr(0, i);
    text = i < text.size() ? text.substr(i + 1) : std::string_view{};
    return core::trim(field);
  }

  void pair(std::string_view key, std::string_view value) {
    if (key.back() == 'l' && key.ends_with("Label") && is_custom(key.substr(0, key.size() - 5))) {
      custom(key.substr(0, key.size() - 5)).name = value;
      return;
    }
    if (is_custom(key)) {
      custom(key).value = value;
      return;
    }
    if (check_point_) {
      if (key == "originsicname") record_.replace(Says::kObserver, common_name(value));
      if (key == "ifname") interface_ = value;
      if (key == "deviceDirection") {  // of the packet at the interface, not of the connection
        packet_leaves_ = value == "1";
        return;
      }
    }
    const Says* says = kKeys.find(key);
    for (std::size_t i = 0; i < kPrefixes.size() && says == nullptr; ++i) {
      if (key.starts_with(kPrefixes[i])) says = kKeys.find(key.substr(kPrefixes[i].size()));
    }
    if (says == nullptr) return;
    Says what = *says;
    // A number of the vendor's own list, whose name stands elsewhere; the method of an HTTP request.
    if (what == Says::kApplication && core::parse_number<std::uint32_t>(value)) return;
    if (key == "method" && !value.empty() && value.front() >= 'A' && value.front() <= 'Z') return;
    if (swapped_ && what == Says::kSourceBytes) {
      what = Says::kDestinationBytes;
    } else if (swapped_ && what == Says::kDestinationBytes) {
      what = Says::kSourceBytes;
    }
    record_.set(what, plain(value));
  }

  Custom& custom(std::string_view key) {
    for (std::size_t i = 0; i < custom_; ++i) {
      if (labels_[i].key.back() == key.back() && labels_[i].key == key) return labels_[i];
    }
    if (custom_ == kMostCustom) return labels_[kMostCustom];  // written, never read
    labels_[custom_] = {key, {}, {}};
    return labels_[custom_++];
  }

  static const Says* label(std::string_view name) {
    std::array<char, 32> buffer;
    std::size_t used = 0;
    for (const char c : name) {
      if (c == ' ' || c == '_' || c == '"' || c == '-') continue;
      if (used == buffer.size()) return nullptr;
      buffer[used++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return kLabels.find({buffer.data(), used});
  }

  // The value without its escapes. Only what is short needs to be exact: names, not messages.
  std::string_view plain(std::string_view value) {
    if (!holds_byte(value.data(), value.size(), '\\') || value.size() > unescaped_.size() - unescaped_used_)
      return value;
    char* const begin = unescaped_.data() + unescaped_used_;
    char* p = begin;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '\\' && i + 1 < value.size()) ++i;
      *p++ = value[i];
    }
    unescaped_used_ += static_cast<std::size_t>(p - begin);
    return {begin, static_cast<std::size_t>(p - begin)};
  }

  CommonReader reader_;
  CommonRecord record_;
  std::array<Custom, kMostCustom + 1> labels_;
  std::size_t custom_ = 0;
  bool swapped_ = false;
  bool check_point_ = false;
  bool packet_leaves_ = false;
  std::string_view interface_;
  std::array<char, 4096> unescaped_;
  std::size_t unescaped_used_ = 0;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_cef(const core::TimeReader& times) { return std::make_unique<Cef>(times); }

}  // namespace orbwatch::decode

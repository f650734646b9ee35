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
#include <memory>
#include <string>

#include "core/text.h"
#include "decode/common_record.h"
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
    {"deviceInboundInterface", Says::kIngress},
    {"deviceOutboundInterface", Says::kEgress},
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
    // Without the vendor's prefix, see kPrefixes.
    {"AuthMethod", Says::kMethod},
    {"AuthenticatedUserName", Says::kUser},
    {"AuthenticatedUserDomain", Says::kDestinationDomain},
    {"EndpointDeviceName", Says::kSourceHost},
    {"EndpointOSType", Says::kClientOs},
    {"EndpointOSVersion", Says::kClientOs},
    {"EventIDValue", Says::kSubtype},
    {"EventStatus", Says::kOutcome},
    {"GlobalProtectClientVersion", Says::kUserAgent},
    {"PrivateIPv4", Says::kAssignedIp},
    {"PublicIPv4", Says::kPublicIp},
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

// Calls each(key, value) for the pairs of the extension; values as they stand there, without spaces around.
template <typename Each>
void extension_pairs(std::string_view text, Each&& each) {
  std::string_view key;
  std::size_t value = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t word = i;
    while (i < text.size() && kKeyCharacters.has(text[i])) ++i;
    if (i < text.size() && text[i] == '=' && i != word) {
      if (!key.empty()) each(key, core::trim(text.substr(value, word - value)));
      key = text.substr(word, i - word);
      value = ++i;
    }
    while (i < text.size() && !core::is_space(text[i])) ++i;
    while (i < text.size() && core::is_space(text[i])) ++i;
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

  bool claims(const TextRecord& r) const override { return !r.json && begin_of(r) != std::string_view::npos; }

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
    // Check Point's direction is that of the packet at the interface, not of the connection.
    no_direction_ = header[0] == "Check Point";
    custom_ = 0;
    extension_pairs(text, [&](std::string_view key, std::string_view value) { pair(key, value); });
    for (std::size_t i = 0; i < custom_; ++i) {
      if (const Says* says = label(labels_[i].name); says != nullptr) record_.set(*says, plain(labels_[i].value));
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
  // with "CEF:" taken for the syslog tag.
  static std::size_t begin_of(const TextRecord& r) {
    const std::string_view text = r.message;
    if (r.program == "CEF" && version_at(text, 0)) return 0;
    const std::string_view head = text.substr(0, 64);
    for (auto at = head.find("CEF:"); at != head.npos; at = head.find("CEF:", at + 1)) {
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

  static std::string_view header_field(std::string_view& text) {
    std::size_t i = 0;
    while (i < text.size() && text[i] != '|') i += text[i] == '\\' && i + 1 < text.size() ? 2 : 1;
    const std::string_view field = text.substr(0, i);
    text = i < text.size() ? text.substr(i + 1) : std::string_view{};
    return core::trim(field);
  }

  void pair(std::string_view key, std::string_view value) {
    if (key.ends_with("Label") && is_custom(key.substr(0, key.size() - 5))) {
      custom(key.substr(0, key.size() - 5)).name = value;
      return;
    }
    if (is_custom(key)) {
      custom(key).value = value;
      return;
    }
    const Says* says = kKeys.find(key);
    for (std::size_t i = 0; i < kPrefixes.size() && says == nullptr; ++i) {
      if (key.starts_with(kPrefixes[i])) says = kKeys.find(key.substr(kPrefixes[i].size()));
    }
    if (says == nullptr) return;
    Says what = *says;
    if (no_direction_ && what == Says::kDirection) return;
    if (swapped_ && what == Says::kSourceBytes) {
      what = Says::kDestinationBytes;
    } else if (swapped_ && what == Says::kDestinationBytes) {
      what = Says::kSourceBytes;
    }
    record_.set(what, plain(value));
  }

  Custom& custom(std::string_view key) {
    for (std::size_t i = 0; i < custom_; ++i) {
      if (labels_[i].key == key) return labels_[i];
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
    if (value.find('\\') == value.npos || value.size() > unescaped_.size() - unescaped_used_) return value;
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
  bool no_direction_ = false;
  std::array<char, 4096> unescaped_;
  std::size_t unescaped_used_ = 0;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_cef(const core::TimeReader& times) { return std::make_unique<Cef>(times); }

}  // namespace orbwatch::decode

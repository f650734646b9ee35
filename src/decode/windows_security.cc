// Windows Security events in XML (wevtutil, the Event Viewer's export, Splunk's XmlWinEventLog) and in JSON, as the
// usual shippers and converters write them:
//   winlogbeat and Elastic Agent
//   {"@timestamp":...,"winlog":{"event_id":"4625","channel":"Security","event_data":{...}}} evtx_dump and alike
//   {"Event":{"System":{"EventID":4625,...},"EventData":{"TargetUserName":...}}} NXLog, Mordor/OTRF, flat
//   {"EventID":4625,"Channel":"Security","TargetUserName":...,"EventTime":...} Azure Monitor SecurityEvent
//   {"TimeGenerated":...,"EventID":4625,"Computer":...,"TargetUserName":...} Azure diagnostics
//   {"category":"WindowsEventLogsTable","properties":{"EventId":4624,"RawXml":"<Event ..."}} Wazuh
//   {"win":{"system":{"eventID":"4625",...},"eventdata":{"targetUserName":...}}}
// Fields: Microsoft Learn, "Audit logon events" (4624, 4625, 4634, 4647, 4648, 4740, 4768, 4771, 4776, 4778, 4779,
// 4825, 6272, 6273), NTSTATUS values of [MS-ERREF] 2.3.1, Kerberos errors of RFC 4120, 7.5.9.
//
// Names are compared without regard to case and "_", so that one table serves all shapes.
// AD FS writes its audit to the same channel: 1200 to 1203 and 1206 hold an <AuditBase> document with the user's
// address
// ("Events and logging", Microsoft Learn).
// Events of remote access (RRAS) and Citrix StoreFront, whose data have no names, are read by windows_classic.cc.
// Ignored by name: every other event ("event 4688"), every other channel ("channel System").
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/text.h"
#include "core/time.h"
#include "decode/find_byte.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/name_table.h"
#include "decode/nps_reason.h"
#include "decode/scanner.h"
#include "decode/windows_classic.h"
#include "decode/xml_reader.h"
#include "decode/xml_values.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;
using json::Value;
using json::Walk;

const Symbol kNotJson = core::intern("windows_security: not JSON");
const Symbol kNotXml = core::intern("windows_security: not XML");
const Symbol kNoId = core::intern("windows_security: no event id");
const Symbol kNoTime = core::intern("windows_security: no time");
const Symbol kNoUser = core::intern("windows_security: no user");
const Symbol kOtherChannel = core::intern("channel other");
const Symbol kOtherEvent = core::intern("event other");
const Symbol kOtherProvider = core::intern("provider other");

enum Field : std::uint8_t {
  kEventId,
  kChannel,
  kProvider,
  kComputer,
  kTimeCreated,
  kTimeGenerated,
  kEventTime,
  kAtTimestamp,
  kTargetUser,
  kTargetDomain,
  kIpAddress,
  kIpPort,
  kLogonType,
  kStatus,
  kSubStatus,
  kWorkstation,
  kPackage,
  kLmPackage,
  kLogonProcess,
  kTargetLogonId,
  kLogonId,
  kSubjectUser,
  kSubjectDomain,
  kTargetServer,
  kPreAuthType,
  kCertIssuer,
  kAccountName,
  kAccountDomain,
  kClientAddress,
  kClientName,
  kSessionName,
  kCallingStation,
  kNasPortType,
  kNasAddress,
  kReasonCode,
  kShipperHost,
  kAudit,  // the <AuditBase> document of AD FS
  kFieldCount,
  kNone = kFieldCount,
};

// In lower case, without "_".
constexpr NameTable kFieldNames(std::to_array<Name<Field>>({
    {"eventid", kEventId},
    {"channel", kChannel},
    {"providername", kProvider},
    {"sourcename", kProvider},
    {"eventsourcename", kProvider},
    {"computer", kComputer},
    {"computername", kComputer},
    {"hostname", kComputer},
    {"timecreated", kTimeCreated},
    {"systemtime", kTimeCreated},
    {"timegenerated", kTimeGenerated},
    {"time", kTimeGenerated},
    {"eventtime", kEventTime},
    {"@timestamp", kAtTimestamp},
    {"targetusername", kTargetUser},
    {"targetdomainname", kTargetDomain},
    {"ipaddress", kIpAddress},
    {"ipport", kIpPort},
    {"logontype", kLogonType},
    {"status", kStatus},
    {"substatus", kSubStatus},
    {"workstationname", kWorkstation},
    {"workstation", kWorkstation},
    {"authenticationpackagename", kPackage},
    {"lmpackagename", kLmPackage},
    {"logonprocessname", kLogonProcess},
    {"targetlogonid", kTargetLogonId},
    {"logonid", kLogonId},
    {"subjectusername", kSubjectUser},
    {"subjectdomainname", kSubjectDomain},
    {"targetservername", kTargetServer},
    {"preauthtype", kPreAuthType},
    {"certissuername", kCertIssuer},
    {"accountname", kAccountName},
    {"accountdomain", kAccountDomain},
    {"clientaddress", kClientAddress},
    {"clientname", kClientName},
    {"sessionname", kSessionName},
    {"callingstationid", kCallingStation},
    {"nasporttype", kNasPortType},
    {"nasipv4address", kNasAddress},
    {"reasoncode", kReasonCode},
}));

constexpr std::size_t kLongestName = 32;

// The name in lower case without "_" and the "#"/"@" that XML converters put in front of attributes.
std::string_view plain(std::string_view key, std::array<char, kLongestName>& buffer) {
  if (key.size() > kLongestName) return {};
  std::size_t used = 0;
  for (const char c : key) {
    if (c == '_' || c == '#') continue;
    buffer[used++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return {buffer.data(), used};
}

Field field_of(std::string_view plain_name) {
  const Field* const field = kFieldNames.find(plain_name);
  return field == nullptr ? kNone : *field;
}

// The same for a name as it stands in the record.
Field field_of_raw(std::string_view name) {
  if (name.size() > kLongestName) return kNone;
  if (holds_byte(name.data(), name.size(), '_') || holds_byte(name.data(), name.size(), '#')) {
    std::array<char, kLongestName> buffer;
    return field_of(plain(name, buffer));
  }
  const Field* const field = kFieldNames.find(
      NameKey::padded(name).lower(), [&](std::string_view row) { return core::equals_ignore_case(row, name); });
  return field == nullptr ? kNone : *field;
}

struct Code {
  std::uint32_t code;
  std::string_view reason;
};

constexpr std::array kStatusReasons = {
    Code{0xC0000064, "no such user"},
    Code{0xC000006A, "wrong password"},
    Code{0xC000006C, "password policy"},
    Code{0xC000006D, "bad user name or password"},
    Code{0xC000006E, "account restriction"},
    Code{0xC000006F, "outside allowed hours"},
    Code{0xC0000070, "workstation not allowed"},
    Code{0xC0000071, "password expired"},
    Code{0xC0000072, "account disabled"},
    Code{0xC000005E, "no logon server available"},
    Code{0xC00000DC, "server in wrong state"},
    Code{0xC0000133, "clocks out of step"},
    Code{0xC000015B, "logon type not granted"},
    Code{0xC000018C, "trust relationship failed"},
    Code{0xC000018D, "trust relationship failed"},
    Code{0xC0000192, "netlogon not started"},
    Code{0xC0000193, "account expired"},
    Code{0xC0000224, "password must change"},
    Code{0xC0000225, "windows error"},
    Code{0xC0000234, "account locked out"},
    Code{0xC00002EE, "failure reason unspecified"},
    Code{0xC0000371, "no cached secret"},
    Code{0xC0000413, "authentication firewall"},
    Code{0xC0000418, "NTLM blocked"},
    Code{0xC0000199, "computer account used"},
    Code{0xC0000022, "access denied"},
    Code{0xC000009A, "insufficient resources"},
    Code{0xC0000388, "downgrade detected"},
};

constexpr std::array kKerberosReasons = {
    Code{0x6, "no such user"},
    Code{0x7, "no such server"},
    Code{0x8, "principal not unique"},
    Code{0x9, "no key"},
    Code{0xC, "policy or workstation restriction"},
    Code{0xE, "encryption type not supported"},
    Code{0xF, "checksum type not supported"},
    Code{0x10, "pre-authentication type not supported"},
    Code{0x12, "account disabled, expired or locked out"},
    Code{0x17, "password expired"},
    Code{0x18, "wrong password"},
    Code{0x19, "pre-authentication required"},
    Code{0x1F, "integrity check failed"},
    Code{0x20, "ticket expired"},
    Code{0x21, "ticket not yet valid"},
    Code{0x22, "replay"},
    Code{0x25, "clocks out of step"},
    Code{0x3E, "client not trusted"},
    Code{0x42, "key too weak"},
    Code{0x44, "wrong realm"},
};

template <std::size_t N>
std::string_view reason_of(const std::array<Code, N>& table, std::uint32_t code) {
  for (const Code& row : table) {
    if (row.code == code) return row.reason;
  }
  return "unlisted status";
}

std::optional<std::uint64_t> hex_or_decimal(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return core::parse_number<std::uint64_t>(text.substr(2), 16);
  return core::parse_number<std::uint64_t>(text);
}

bool absent(std::string_view text) { return text.empty() || text == "-"; }

class WindowsSecurity final : public RecordDecoder {
 public:
  explicit WindowsSecurity(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (!r.json) {
      return r.message.starts_with("<Event") && !begins_events(r.message) &&
             holds_text(r.message.substr(0, 400), "<System>");
    }
    const std::uint64_t keys = json::keys_of(r);
    if ((keys & json::kWinlog) != 0) return true;
    if ((keys & json::kEventId) != 0) {
      return (keys & (json::kChannel | json::kWindowsSource | json::kEventData | json::kComputer)) != 0;
    }
    if ((keys & json::kSystem) != 0 && (keys & json::kEventData) != 0) return true;
    if ((keys & json::kEvtxEvent) != 0) return holds_text(r.message, "\"System\"");
    if ((keys & json::kWin) != 0) return holds_text(r.message, "\"eventID\"");
    if ((keys & json::kData) != 0) {
      const std::string_view data = json::whole_member(r, "data");
      return holds_text(data.substr(0, 64), "\"win\"") && holds_text(data, "\"eventID\"");
    }
    if ((keys & json::kProperties) != 0) return holds_text(r.message, "\"WindowsEventLogsTable\"");
    return false;
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Row row{};
    string_count_ = 0;
    message_.reset();
    buffer_.clear();
    buffer_.reserve(r.message.size());
    if (!r.json) {
      if (!xml(r.message, row)) return Fate::rejected(kNotXml);
    } else {
      json::Object object;
      if (!parser_.open(r, object)) return Fate::rejected(kNotJson);
      bool broken = false;
      const Walk walk = json::each_field(object, [&](std::string_view key, Value& value) {
        broken = !member(key, value, row, 0);
        return !broken;
      });
      if (walk == Walk::kBroken || broken) return Fate::rejected(kNotJson);
    }

    if (const ClassicSource source = classic_source(row[kProvider], row[kChannel]); source != ClassicSource::kNone)
      return fill_classic(source, row, e);
    if (!absent(row[kChannel]) && !core::equals_ignore_case(row[kChannel], "Security"))
      return ignored_channel(row[kChannel]);
    if (row[kChannel].empty() && !absent(row[kProvider]) && !security_provider(row[kProvider]))
      return Fate::ignored(kOtherProvider);
    const auto id = json::number(row[kEventId]);
    if (!id || *id == 0 || *id > 65535) return Fate::rejected(kNoId);
    if (row[kProvider] == "AD FS Auditing") return fill_adfs(static_cast<unsigned>(*id), row, e);
    return fill(static_cast<unsigned>(*id), row, e);
  }

 private:
  using Row = std::array<std::string_view, kFieldCount>;

  // Objects that hold fields of the event, in any of the shapes.
  static bool is_container(std::string_view name) {
    return name == "winlog" || name == "event" || name == "system" || name == "eventdata" || name == "userdata" ||
           name == "properties" || name == "win" || name == "data" || name == "provider" || name == "timecreated" ||
           name == "attributes" || name == "eventid" || name == "host" || name == "source";
  }

  // False if the JSON is broken. `depth` bounds the recursion.
  bool member(std::string_view key, Value& value, Row& row, int depth) {
    std::array<char, kLongestName> buffer;
    const std::string_view name = plain(key, buffer);
    if (name.empty()) return true;
    const char kind = value.kind();
    if (kind == '{') {
      if (depth >= 5 || !is_container(name)) return true;
      return inside(name, value, row, depth);
    }
    if (kind == '[') return name == "data" || name == "text" ? data_list(value, row) : true;
    if (name == "rawxml") return xml(json::text(value), row);
    if (name == "data") put_string(string_count_, json::text(value));
    if (name.starts_with("param")) {  // winlogbeat counts data without names
      const auto number = core::parse_number<std::size_t>(name.substr(5));
      if (number && *number != 0) put_string(*number - 1, json::text(value));
    }
    if (name == "message" || name == "rendereddescription") message_ = value;
    if ((name == "message" || name.starts_with("param")) && value.raw().find("<AuditBase") != key.npos) {
      row[kAudit] = json::text(value);
      return true;
    }
    const Field field = field_of(name);
    if (field == kNone) return true;
    const std::string_view text = json::text(value);
    // "hostname" and alike: the innermost statement about the computer, "Computer" before "host".
    if (!row[field].empty() && (field == kComputer || field == kTimeCreated)) return true;
    if (!text.empty()) row[field] = text;
    return true;
  }

  // <Event><System>...</System><EventData><Data Name="TargetUserName">alice</Data>...; Azure's diagnostics keep the
  // event's data as such a text within JSON. False if a tag does not end.
  bool xml(std::string_view text, Row& row) {
    XmlReader reader(text);
    std::string_view field;
    bool unnamed = false;    // within a <Data> without a name
    std::size_t string = 0;  // its place
    bool rendered = false;   // within <RenderingInfo>, which repeats the fields in somebody's language
    while (true) {
      switch (reader.next()) {
        case XmlReader::Token::kOpen:
          field = reader.name() == "Data" ? reader.attribute("Name") : reader.name();
          unnamed = field.empty();
          if (unnamed) put_string(string = string_count_, {});  // it may stay empty
          if (field == "RenderingInfo") rendered = true;
          if (field == "Provider" && row[kProvider].empty()) row[kProvider] = reader.attribute("Name");
          if (field == "TimeCreated") row[kTimeCreated] = reader.attribute("SystemTime");
          break;
        case XmlReader::Token::kText:
          if (unnamed) put_string(string, xml_unescaped(reader.text(), buffer_));
          set_xml(field, reader.text(), rendered, row);
          break;
        case XmlReader::Token::kClose:
          if (reader.name() == "RenderingInfo") rendered = false;
          field = {};
          unnamed = false;
          break;
        case XmlReader::Token::kEnd: return true;
        case XmlReader::Token::kBroken: return false;
      }
    }
  }

  void put_string(std::size_t at, std::string_view text) {
    if (at >= strings_.size()) return;
    for (; string_count_ <= at; ++string_count_) strings_[string_count_] = {};
    strings_[at] = text;
  }

  void set_xml(std::string_view name, std::string_view text, bool rendered, Row& row) {
    if (name.empty() && holds_text(text, "AuditBase")) {
      row[kAudit] = xml_unescaped(text, buffer_);
    } else if (!rendered && !name.empty()) {
      const Field field = field_of_raw(name);
      if (field == kNone || !row[field].empty()) return;
      row[field] = holds_byte(text.data(), text.size(), '&') ? xml_unescaped(text, buffer_) : text;
    }
  }

  bool inside(std::string_view container, Value& value, Row& row, int depth) {
    bool good = true;
    const bool ecs_event = container == "event";
    const bool id = container == "eventid";
    const bool provider = container == "provider";
    const bool host = container == "host";
    const bool source = container == "source";  // Elastic's own processing moves the address out of event_data
    const Walk walk = json::each_field(value, [&](std::string_view key, Value& v) {
      if (id && (key == "#text" || key == "text" || key == "Value" || key == "value" || key == "$")) {
        row[kEventId] = json::text(v);
      } else if (ecs_event && key == "code") {
        if (row[kEventId].empty()) row[kEventId] = json::text(v);
      } else if (ecs_event && key == "provider") {
        if (row[kProvider].empty()) row[kProvider] = json::text(v);
      } else if (host) {
        if (key == "name") row[kShipperHost] = json::text(v);  // with forwarded events this is the collector
      } else if (source) {
        if (key == "ip" && row[kIpAddress].empty()) row[kIpAddress] = json::text(v);
        if (key == "port" && row[kIpPort].empty()) row[kIpPort] = json::text(v);
        if (key == "domain" && row[kWorkstation].empty()) row[kWorkstation] = json::text(v);
      } else if (provider && (key == "Name" || key == "@Name" || key == "name")) {
        row[kProvider] = json::text(v);
      } else if (key == "@SystemTime" || key == "SystemTime") {
        row[kTimeCreated] = json::text(v);
      } else if (provider && key == "#attributes" && json::is_object(v)) {
        good = json::each_field(v, [&](std::string_view k, Value& w) {
                 if (k == "Name") row[kProvider] = json::text(w);
                 return true;
               }) != Walk::kBroken;
      } else {
        good = member(key, v, row, depth + 1);
      }
      return good;
    });
    return good && walk != Walk::kBroken;
  }

  // [{"@Name":"TargetUserName","#text":"alice"}, ...] in the spellings of the XML converters.
  bool data_list(Value& value, Row& row) {
    const Walk list = json::each_element(value, [&](Value& item) {
      if (!json::is_object(item)) {
        put_string(string_count_, json::text(item));
        return true;
      }
      std::array<char, kLongestName> buffer;
      std::string_view name;
      std::string_view text;
      const Walk walk = json::each_field(item, [&](std::string_view key, Value& v) {
        if (key == "@Name" || key == "Name" || key == "name" || key == "_Name") {
          name = json::text(v);
        } else if (key == "#text" || key == "text" || key == "Text" || key == "Value" || key == "value" ||
                   key == "content" || key == "_text" || key == "$") {
          text = json::text(v);
        } else if (key == "#attributes" || key == "@attributes" || key == "_attributes") {
          return json::each_field(v, [&](std::string_view k, Value& w) {
                   if (k == "Name") name = json::text(w);
                   return true;
                 }) != Walk::kBroken;
        }
        return true;
      });
      if (walk == Walk::kBroken) return false;
      const Field field = field_of(plain(name, buffer));
      if (field != kNone && !text.empty()) row[field] = text;
      return true;
    });
    return list == Walk::kEnd;
  }

  static bool security_provider(std::string_view name) {
    return name == "Microsoft-Windows-Security-Auditing" || name == "Security" || name == "Microsoft-Windows-Eventlog";
  }

  static Fate ignored_channel(std::string_view channel) {
    std::array<char, 128> buffer;
    constexpr std::string_view kPrefix = "channel ";
    if (channel.size() > buffer.size() - kPrefix.size()) return Fate::ignored(kOtherChannel);
    for (const char c : channel) {
      const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                        c == '/' || c == ' ' || c == '_' || c == '.';
      if (!good) return Fate::ignored(kOtherChannel);
    }
    std::memcpy(buffer.data(), kPrefix.data(), kPrefix.size());
    std::memcpy(buffer.data() + kPrefix.size(), channel.data(), channel.size());
    return Fate::ignored(std::string_view(buffer.data(), kPrefix.size() + channel.size()));
  }

  static Fate ignored_event(unsigned id) {
    // Events of the Security channel have numbers in these ranges; others would only fill the table of reasons.
    if (!((id >= 1100 && id <= 1210) || (id >= 4600 && id <= 5200) || (id >= 5370 && id <= 5500) ||
          (id >= 5600 && id <= 5720) || (id >= 299 && id <= 520) || (id >= 6140 && id <= 6500) ||
          (id >= 8190 && id <= 8200))) {
      return Fate::ignored(kOtherEvent);
    }
    std::array<char, 16> buffer = {'e', 'v', 'e', 'n', 't', ' '};
    const auto [end, error] = std::to_chars(buffer.data() + 6, buffer.data() + buffer.size(), id);
    return Fate::ignored(std::string_view(buffer.data(), static_cast<std::size_t>(end - buffer.data())));
  }

  core::Nanoseconds iso(std::string_view text) const { return core::parse_iso8601(text, times_).value_or(0); }

  // True if the time says itself where it belongs: Z or an offset behind the seconds.
  static bool has_zone(std::string_view text) {
    return text.size() > 19 && (text.back() == 'Z' || text.find_first_of("+-", 19) != text.npos);
  }

  // "/Date(1763712930500)/" of PowerShell's ConvertTo-Json.
  core::Nanoseconds any_time(std::string_view text) const {
    if (core::skip_prefix(text, "/Date(")) return core::parse_epoch(text).value_or(0);
    if (text.size() > 4 && text[4] == '-') return iso(text);
    return core::parse_epoch(text).value_or(0);
  }

  // The event's own UTC time first; a local time without zone only if there is nothing better.
  core::Nanoseconds time(const Row& row, core::Nanoseconds envelope) const {
    core::Nanoseconds t = any_time(row[kTimeCreated]);
    if (t == 0) t = any_time(row[kTimeGenerated]);
    if (t == 0 && has_zone(row[kEventTime])) t = iso(row[kEventTime]);
    if (t == 0) t = any_time(row[kAtTimestamp]);
    if (t == 0) t = any_time(row[kEventTime]);
    return t != 0 ? t : envelope;
  }

  static core::Ip address(std::string_view text) {
    if (absent(text) || text == "LOCAL") return {};
    if (core::skip_prefix(text, "\\\\")) return {};
    if (const auto ip = core::Ip::parse(text)) return *ip;
    return {};
  }

  static void set_names(std::string_view user, std::string_view domain, Event& e) {
    set_typed_user(e, absent(user) ? std::string_view{} : user);
    if (!absent(domain) && e.user.present() && !e.user_domain.present()) e.user_domain = core::intern(domain);
  }

  // "\\PC7" and "PC7"
  static Symbol host(std::string_view text) {
    while (text.starts_with('\\')) text.remove_prefix(1);
    return absent(text) || text == "LOCAL" ? Symbol() : core::intern(text);
  }

  static AuthMethod method_of(const Row& row) {
    const std::string_view package = row[kPackage];
    if (core::equals_ignore_case(package, "Kerberos")) return AuthMethod::kKerberos;
    if (core::equals_ignore_case(package, "NTLM") || package.starts_with("MICROSOFT_AUTHENTICATION_PACKAGE"))
      return AuthMethod::kNtlm;
    if (row[kLmPackage].starts_with("NTLM")) return AuthMethod::kNtlm;
    if (core::equals_ignore_case(package, "Schannel") || row[kLogonProcess].starts_with("Schannel"))
      return AuthMethod::kCertificate;
    return package.empty() || package == "Negotiate" || absent(package) ? AuthMethod::kUnknown : AuthMethod::kOther;
  }

  static void set_reason(std::string_view reason, Event& e) { e.reason = core::intern(reason); }

  // The event's number and the computer that logged it.
  static void put_origin(unsigned id, const Row& row, Event& e) {
    std::array<char, 8> number;
    const auto [end, error] = std::to_chars(number.data(), number.data() + number.size(), id);
    e.code = core::intern({number.data(), static_cast<std::size_t>(end - number.data())});
    if (const std::string_view name = row[absent(row[kComputer]) ? kShipperHost : kComputer]; !absent(name))
      e.observer = core::intern(name);
  }

  Fate fill(unsigned id, const Row& row, Event& e) const {
    switch (id) {
      case 4624:
      case 4625:
      case 4634:
      case 4647:
      case 4648:
      case 4740:
      case 4768:
      case 4771:
      case 4776:
      case 4777:
      case 4778:
      case 4779:
      case 4825:
      case 6272:
      case 6273: break;
      default: return ignored_event(id);
    }
    e.time = time(row, e.time);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_origin(id, row, e);
    e.event_class = Class::kAuthentication;
    e.activity = Activity::kLogon;
    e.service = Service::kWindows;
    e.source_ip = address(row[kIpAddress]);
    e.source_port = json::port(row[kIpPort]);
    e.client_host = host(row[kWorkstation]);
    set_names(row[kTargetUser], row[kTargetDomain], e);
    if (const auto type = json::number(row[kLogonType]); type && *type <= 255) {
      e.logon_type = static_cast<std::uint8_t>(*type);
      if (*type == 10) e.service = Service::kRdp;
    }
    if (const auto logon = hex_or_decimal(row[kTargetLogonId])) e.session_id = *logon;

    const auto status = static_cast<std::uint32_t>(hex_or_decimal(row[kStatus]).value_or(0));
    switch (id) {
      case 4624:
        e.outcome = Outcome::kSuccess;
        e.auth_method = method_of(row);
        break;
      case 4625: {
        e.outcome = Outcome::kFailure;
        e.auth_method = method_of(row);
        const auto sub = static_cast<std::uint32_t>(hex_or_decimal(row[kSubStatus]).value_or(0));
        if (sub != 0 || status != 0) set_reason(reason_of(kStatusReasons, sub != 0 ? sub : status), e);
        break;
      }
      case 4634:
      case 4647: e.activity = Activity::kLogoff; break;
      case 4648:
        // Somebody on this computer used another account's credentials; whether they were accepted is in 4624/4625.
        e.activity = Activity::kObserved;
        if (!absent(row[kTargetServer])) e.destination_name = core::intern(row[kTargetServer]);
        break;
      case 4740:
        e.activity = Activity::kObserved;
        e.outcome = Outcome::kFailure;
        set_reason("account locked out", e);
        // TargetDomainName is the caller's computer here; the account's domain is the subject's.
        e.client_host = host(row[kTargetDomain]);
        e.user_domain = absent(row[kSubjectDomain]) ? Symbol() : core::intern(row[kSubjectDomain]);
        break;
      case 4768:
      case 4771:
        e.service = Service::kKerberos;
        e.auth_method = !absent(row[kCertIssuer]) || row[kPreAuthType] == "15" || row[kPreAuthType] == "16"
                            ? AuthMethod::kCertificate
                            : AuthMethod::kKerberos;
        e.outcome = id == 4768 && status == 0 ? Outcome::kSuccess : Outcome::kFailure;
        if (e.outcome == Outcome::kFailure) set_reason(reason_of(kKerberosReasons, status), e);
        break;
      case 4776:
      case 4777:
        e.auth_method = AuthMethod::kNtlm;
        e.outcome = id == 4776 && status == 0 ? Outcome::kSuccess : Outcome::kFailure;
        if (e.outcome == Outcome::kFailure) set_reason(reason_of(kStatusReasons, status), e);
        break;
      case 4778:
      case 4779:
        e.event_class = Class::kSession;
        e.activity = id == 4778 ? Activity::kStart : Activity::kEnd;
        e.source_ip = address(row[kClientAddress]);
        e.client_host = host(row[kClientName]);
        set_names(row[kAccountName], row[kAccountDomain], e);
        if (row[kSessionName].starts_with("RDP-")) e.service = Service::kRdp;
        if (const auto logon = hex_or_decimal(row[kLogonId])) e.session_id = *logon;
        break;
      case 4825:
        // Proven who he is, but not allowed to use Remote Desktop here.
        e.service = Service::kRdp;
        e.outcome = Outcome::kFailure;
        set_reason("remote desktop not allowed", e);
        e.source_ip = address(row[kClientAddress]);
        set_names(row[kAccountName], row[kAccountDomain], e);
        if (const auto logon = hex_or_decimal(row[kLogonId])) e.session_id = *logon;
        break;
      case 6272:
      case 6273:
        // Network Policy Server, RADIUS: only a "Virtual" port is a VPN; Wi-Fi and switch ports are not remote access.
        if (!core::equals_ignore_case(row[kNasPortType], "Virtual"))
          return Fate::ignored("RADIUS of another port type");
        e.service = Service::kVpn;
        e.auth_method = AuthMethod::kRadius;
        e.source_ip = address(row[kCallingStation]);
        e.destination_ip = address(row[kNasAddress]);
        set_names(row[kSubjectUser], row[kSubjectDomain], e);
        e.outcome = id == 6272 ? Outcome::kSuccess : Outcome::kFailure;
        if (id == 6273) {
          set_reason(nps_reason(json::number(row[kReasonCode]).value_or(UINT32_MAX)), e);
        }
        break;
      default: break;
    }
    // Failures with an empty name happen (NTLM probes); without any end they say nothing.
    if (!e.user.present() && !e.source_ip.present() && !e.client_host.present()) return Fate::rejected(kNoUser);
    return Fate::kept();
  }

  Fate fill_classic(ClassicSource source, const Row& row, Event& e) const {
    const auto id = json::number(row[kEventId]);
    if (!id || *id == 0 || *id > 65535) return Fate::rejected(kNoId);
    const std::string_view message = message_ ? json::text(*message_) : std::string_view{};
    const Fate fate =
        read_classic(source, static_cast<unsigned>(*id), std::span(strings_).first(string_count_), message, e);
    if (fate.verdict != Verdict::kEvent) return fate;
    e.time = time(row, e.time);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_origin(static_cast<unsigned>(*id), row, e);
    return fate;
  }

  // AD FS: 1202 and 1203 are log-ins; 1200 and 1201 tell of the token that an application gets after a log-in or from
  // single sign-on, 1206 of the end.
  Fate fill_adfs(unsigned id, const Row& row, Event& e) const {
    if (id < 1200 || id > 1206 || id == 1204 || id == 1205) return ignored_event(id);
    e.time = time(row, e.time);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_origin(id, row, e);
    e.event_class = Class::kAuthentication;
    e.activity = id == 1206 ? Activity::kLogoff : id >= 1202 ? Activity::kLogon : Activity::kObserved;
    e.outcome = id % 2 == 0 ? Outcome::kSuccess : Outcome::kFailure;
    e.service = Service::kWeb;
    e.auth_method = AuthMethod::kSaml;
    const auto begin = row[kAudit].find("<AuditBase");
    if (begin != row[kAudit].npos) adfs_audit(row[kAudit].substr(begin), e);
    return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoUser);
  }

  static void adfs_audit(std::string_view document, Event& e) {
    XmlReader reader(document);
    std::string_view name;
    while (true) {
      const XmlReader::Token token = reader.next();
      if (token == XmlReader::Token::kEnd || token == XmlReader::Token::kBroken) return;
      if (token == XmlReader::Token::kOpen) name = reader.name();
      if (token == XmlReader::Token::kClose) name = {};
      if (token != XmlReader::Token::kText || reader.text() == "N/A") continue;
      adfs_field(name, reader.text(), e);
    }
  }

  static void adfs_field(std::string_view name, std::string_view text, Event& e) {
    if (name == "UserId") {
      set_names(text, {}, e);
    } else if (name == "IpAddress") {
      // The client first, then the proxies it came through.
      e.source_ip = address(core::trim(text.substr(0, text.find(','))));
    } else if (name == "UserAgentString") {
      e.user_agent = core::intern(text);
    } else if (name == "RelyingParty") {
      e.destination_name = core::intern(text);
    } else if (name == "MfaPerformed") {
      e.mfa = text == "true" ? event::Mfa::kYes : event::Mfa::kNo;
    } else if (name == "PrimaryAuth") {
      if (core::contains_ignore_case(text, "password")) e.auth_method = AuthMethod::kPassword;
      if (core::contains_ignore_case(text, "tlsclient")) e.auth_method = AuthMethod::kCertificate;
      if (core::contains_ignore_case(text, "kerberos")) e.auth_method = AuthMethod::kKerberos;
    } else if (name == "FailureType" && text != "None") {
      e.reason = closed_reason(text);
    }
  }

  core::TimeReader times_;
  json::Parser parser_;
  std::string buffer_;                        // texts of XML without their entities
  std::array<std::string_view, 16> strings_;  // data without names, in their order
  std::size_t string_count_ = 0;
  std::optional<Value> message_;  // its text, which is read only if there is nothing else
};

}  // namespace

std::unique_ptr<RecordDecoder> make_windows_security(const core::TimeReader& times) {
  return std::make_unique<WindowsSecurity>(times);
}

}  // namespace orbwatch::decode

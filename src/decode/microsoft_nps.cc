// Log files of Microsoft's Network Policy Server and of Routing and Remote Access (IAS): XML ("DTS compliant"), the
// database format ("ODBC") and the older IAS format. Columns and attributes: Microsoft Learn, "Interpret NPS Database
// Format Log Files" and "Interpret IAS Format Log Files"; RADIUS attributes: RFC 2865 and 2866.
//
// Three sample lines:
//   "NPS1","RAS",11/20/2026,08:15:30,4,"alice",,"198.51.100.2","192.0.2.10",,"10.8.0.5","VPN1","198.51.100.2",...
//   <Event><Timestamp data_type="4">11/20/2026 08:15:30.120</Timestamp><Computer-Name
//   data_type="1">NPS1</Computer-Name>... 198.51.100.2,alice,11/20/2026,08:15:30,IAS,NPS1,31,192.0.2.10,61,5,4136,1
//
// An answer (accept, reject) does not repeat the address of the client; the request does. Both hold the same Class,
// which NPS makes unique, so the last requests are remembered: bounded, the newer one takes the older one's place.
// Only VPN (port type Virtual) is kept, as with NPS's events in windows_security.
#include "decode/nps_reason.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "core/time.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/scanner.h"
#include "decode/xml_reader.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kBroken = core::intern("microsoft_nps: not XML");
const Symbol kNoTime = core::intern("microsoft_nps: no time");
const Symbol kNoPacketType = core::intern("microsoft_nps: no packet type");
const Symbol kNoUser = core::intern("microsoft_nps: neither user nor address");

enum Field : std::uint8_t {
  kComputer,
  kTimestamp,
  kPacketType,
  kUserName,
  kAccountName,
  kCallingStation,
  kFramedAddress,
  kNasAddress,
  kClientAddress,
  kNasPortType,
  kPolicy,
  kReasonCode,
  kClass,
  kStatusType,
  kInputOctets,
  kOutputOctets,
  kInputGigawords,
  kOutputGigawords,
  kSessionId,
  kSessionTime,
  kInputPackets,
  kOutputPackets,
  kTerminateCause,
  kTunnelClient,
  kClientName,
  kClientVersion,
  kFieldCount,
  kNone = kFieldCount,
};

using Row = std::array<std::string_view, kFieldCount>;

struct FieldName {
  std::string_view xml;
  std::uint32_t attribute;  // of the IAS format: RADIUS' number, above 4095 IAS' own
  std::uint8_t column;      // of the database format, from 0; kNoColumn
  Field field;
};
constexpr std::uint8_t kNoColumn = 255;
constexpr std::uint32_t kNoAttribute = 0;

constexpr std::array kFields = {
    FieldName{"Computer-Name", kNoAttribute, 0, kComputer},
    FieldName{"Timestamp", kNoAttribute, kNoColumn, kTimestamp},
    FieldName{"Packet-Type", 4136, 4, kPacketType},
    FieldName{"User-Name", 1, 5, kUserName},
    FieldName{"Fully-Qualifed-User-Name", 4130, 6, kAccountName},  // spelt so by Microsoft
    FieldName{"SAM-Account-Name", 4129, kNoColumn, kAccountName},
    FieldName{"Calling-Station-Id", 31, 8, kCallingStation},
    FieldName{"Framed-IP-Address", 8, 10, kFramedAddress},
    FieldName{"NAS-IP-Address", 4, 12, kNasAddress},
    FieldName{"Client-IP-Address", 4108, 15, kClientAddress},
    FieldName{"NAS-Port-Type", 61, 19, kNasPortType},
    FieldName{"NP-Policy-Name", 4149, 24, kPolicy},
    FieldName{"Reason-Code", 4142, 25, kReasonCode},
    FieldName{"Class", 25, 26, kClass},
    FieldName{"Acct-Status-Type", 40, 31, kStatusType},
    FieldName{"Acct-Input-Octets", 42, 33, kInputOctets},
    FieldName{"Acct-Output-Octets", 43, 34, kOutputOctets},
    FieldName{"Acct-Input-Gigawords", 52, kNoColumn, kInputGigawords},
    FieldName{"Acct-Output-Gigawords", 53, kNoColumn, kOutputGigawords},
    FieldName{"Acct-Session-Id", 44, 35, kSessionId},
    FieldName{"Acct-Session-Time", 46, 37, kSessionTime},
    FieldName{"Acct-Input-Packets", 47, 38, kInputPackets},
    FieldName{"Acct-Output-Packets", 48, 39, kOutputPackets},
    FieldName{"Acct-Terminate-Cause", 49, 40, kTerminateCause},
    FieldName{"Tunnel-Client-Endpt", 66, 46, kTunnelClient},
    FieldName{"MS-RAS-Client-Name", kNoAttribute, 64, kClientName},
    FieldName{"MS-RAS-Client-Version", kNoAttribute, 65, kClientVersion},
};

constexpr std::array kColumns = [] {
  std::array<Field, 72> columns{};
  columns.fill(kNone);
  for (const FieldName& row : kFields) {
    if (row.column != kNoColumn) columns[row.column] = row.field;
  }
  return columns;
}();

// Causes of RFC 2866, 5.10.
constexpr std::array<std::string_view, 19> kTerminateCauses = {"",
                                                               "user request",
                                                               "lost carrier",
                                                               "lost service",
                                                               "idle timeout",
                                                               "session timeout",
                                                               "admin reset",
                                                               "admin reboot",
                                                               "port error",
                                                               "NAS error",
                                                               "NAS request",
                                                               "NAS reboot",
                                                               "port unneeded",
                                                               "port preempted",
                                                               "port suspended",
                                                               "service unavailable",
                                                               "callback",
                                                               "user error",
                                                               "host request"};

// "11/20/2026"
bool is_date(std::string_view text) {
  return text.size() == 10 && text[2] == '/' && text[5] == '/' && is_digit(text[0]) && is_digit(text[9]);
}
bool is_service(std::string_view text) { return text == "IAS" || text == "RAS" || text == "NPS"; }

// A cell of CSV as NPS writes it, without its quotes; moves behind the comma.
std::string_view take_cell(std::string_view& text) {
  if (text.starts_with('"')) {
    std::size_t end = text.find('"', 1);
    while (end != text.npos && end + 1 < text.size() && text[end + 1] == '"') end = text.find('"', end + 2);
    const std::string_view cell = text.substr(1, end == text.npos ? text.npos : end - 1);
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    core::take_until(text, ',');
    return cell;
  }
  return core::take_until(text, ',');
}

enum class Shape : std::uint8_t { kNone, kXml, kDatabase, kIas };

Shape shape_of(std::string_view text) {
  if (text.starts_with("<Event>")) {
    text = core::trim(text.substr(7, 64));
    return text.starts_with("<Timestamp data_type=") ? Shape::kXml : Shape::kNone;
  }
  if (text.empty() || (text.front() != '"' && !is_digit(text.front()))) return Shape::kNone;
  const bool database = text.front() == '"';
  std::array<std::string_view, 5> cells;
  for (std::string_view& cell : cells) cell = take_cell(text);
  if (database) return is_service(cells[1]) && is_date(cells[2]) ? Shape::kDatabase : Shape::kNone;
  return is_date(cells[2]) && is_service(cells[4]) && core::Ip::parse(cells[0]) ? Shape::kIas : Shape::kNone;
}

class MicrosoftNps final : public RecordDecoder {
 public:
  explicit MicrosoftNps(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override { return shape_of(r.message) != Shape::kNone; }

  Fate decode(const TextRecord& r, Event& e) override {
    Row row{};
    buffer_.clear();
    buffer_.reserve(r.message.size() + 32);
    switch (shape_of(r.message)) {
      case Shape::kXml:
        if (!xml(r.message, row)) return Fate::rejected(kBroken);
        e.time = time(row[kTimestamp].substr(0, 10),
                      core::trim(row[kTimestamp].substr(std::min<std::size_t>(10, row[kTimestamp].size()))));
        break;
      case Shape::kDatabase: database(r.message, row, e); break;
      default: ias(r.message, row, e); break;
    }
    if (e.time == 0) return Fate::rejected(kNoTime);
    return fill(row, e);
  }

 private:
  bool xml(std::string_view text, Row& row) {
    XmlReader reader(text);
    Field field = kNone;
    while (true) {
      switch (reader.next()) {
        case XmlReader::Token::kOpen: field = field_of(reader.name()); break;
        case XmlReader::Token::kText:
          if (field != kNone && row[field].empty()) row[field] = xml_unescaped(reader.text(), buffer_);
          break;
        case XmlReader::Token::kClose: field = kNone; break;
        case XmlReader::Token::kEnd: return true;
        case XmlReader::Token::kBroken: return false;
      }
    }
  }
  static Field field_of(std::string_view name) {
    for (const FieldName& row : kFields) {
      if (row.xml == name) return row.field;
    }
    return kNone;
  }

  void database(std::string_view text, Row& row, Event& e) const {
    std::string_view date;
    for (std::size_t column = 0; column < kColumns.size() && !text.empty(); ++column) {
      const std::string_view cell = take_cell(text);
      if (column == 2) date = cell;
      if (column == 3) e.time = time(date, cell);
      if (kColumns[column] != kNone) row[kColumns[column]] = cell;
    }
  }

  // NAS, user, date, time, service, computer, then numbers of attributes and their values.
  void ias(std::string_view text, Row& row, Event& e) const {
    row[kNasAddress] = take_cell(text);
    row[kUserName] = take_cell(text);
    const std::string_view date = take_cell(text);
    e.time = time(date, take_cell(text));
    take_cell(text);
    row[kComputer] = take_cell(text);
    while (!text.empty()) {
      const auto number = json::number(take_cell(text));
      const std::string_view value = take_cell(text);
      for (const FieldName& field : kFields) {
        if (number && field.attribute == *number && field.attribute != kNoAttribute && row[field.field].empty()) {
          row[field.field] = value;
        }
      }
    }
  }

  // "11/20/2026" and "08:15:30[.120]". NPS writes month/day/year whatever the country, in local time.
  core::Nanoseconds time(std::string_view date, std::string_view clock) const {
    if (!is_date(date)) return 0;
    core::CivilTime civil;
    civil.month = core::parse_number<int>(date.substr(0, 2)).value_or(0);
    civil.day = core::parse_number<int>(date.substr(3, 2)).value_or(0);
    civil.year = core::parse_number<int>(date.substr(6, 4)).value_or(0);
    Scanner s(clock);
    const auto part = [&] { return static_cast<int>(std::min<std::uint64_t>(s.number(), 99)); };
    civil.hour = part();
    if (!s.skip(':')) return 0;
    civil.minute = part();
    if (!s.skip(':')) return 0;
    civil.second = part();
    if (s.skip('.')) {
      std::int32_t unit = 100'000'000;
      for (; is_digit(s.peek()) && unit > 0; s.advance(1), unit /= 10) civil.nanosecond += (s.peek() - '0') * unit;
    }
    return civil.year != 0 && core::valid(civil) ? times_.resolve(civil) : 0;
  }

  static std::uint64_t bytes(std::string_view low, std::string_view high) {
    return json::number(low).value_or(0) + ((json::number(high).value_or(0) & 0xFFFFFFFF) << 32);
  }

  // What a request said of the client.
  struct Request {
    std::uint64_t hash = 0;
    core::Ip source;
    core::Ip gateway;
    bool other_port = false;
  };
  static constexpr std::size_t kRequests = 4096;

  Fate fill(const Row& row, Event& e) {
    const auto type = json::number(row[kPacketType]);
    if (!type) return Fate::rejected(kNoPacketType);
    if (!row[kComputer].empty()) e.observer = core::intern(row[kComputer]);
    e.service = Service::kVpn;
    e.source_ip = given_ip(row[kCallingStation]);
    if (!e.source_ip.present()) e.source_ip = given_ip(row[kTunnelClient]);
    e.destination_ip = given_ip(row[kNasAddress]);
    if (!e.destination_ip.present()) e.destination_ip = given_ip(row[kClientAddress]);
    set_name(row, e);
    if (!row[kPolicy].empty()) e.rule = core::intern(row[kPolicy]);
    const bool other_port = !row[kNasPortType].empty() && row[kNasPortType] != "5";  // 5: Virtual
    const std::uint64_t class_hash = row[kClass].empty() ? 0 : core::hash64(row[kClass]);
    e.session_id = class_hash;
    switch (*type) {
      case 1: remember({class_hash, e.source_ip, e.destination_ip, other_port}); return Fate::ignored("Access-Request");
      case 2:
      case 3: return answer(*type == 2, other_port, class_hash, row, e);
      case 4: return accounting(other_port, row, e);
      case 5: return Fate::ignored("Accounting-Response");
      case 11: return Fate::ignored("Access-Challenge");
      default: return Fate::ignored("other RADIUS packet");
    }
  }

  // The typed name; NPS' own may be a path in the directory, "corp.example/Users/alice".
  static void set_name(const Row& row, Event& e) {
    std::string_view name = row[kUserName].empty() ? row[kAccountName] : row[kUserName];
    if (row[kUserName].empty()) {
      if (const auto slash = name.rfind('/'); slash != name.npos) name.remove_prefix(slash + 1);
    }
    set_typed_user(e, name);
  }

  void remember(const Request& request) {
    if (request.hash == 0) return;
    if (requests_.empty()) requests_.resize(kRequests);
    requests_[request.hash % kRequests] = request;
  }

  Fate answer(bool accept, bool other_port, std::uint64_t class_hash, const Row& row, Event& e) {
    if (class_hash != 0 && !requests_.empty()) {
      if (const Request& request = requests_[class_hash % kRequests]; request.hash == class_hash) {
        if (!e.source_ip.present()) e.source_ip = request.source;
        if (!e.destination_ip.present()) e.destination_ip = request.gateway;
        other_port |= request.other_port;
      }
    }
    if (other_port) return Fate::ignored("RADIUS of another port type");
    e.event_class = Class::kAuthentication;
    e.activity = Activity::kLogon;
    e.outcome = accept ? Outcome::kSuccess : Outcome::kFailure;
    e.auth_method = AuthMethod::kRadius;
    e.code = core::intern(accept ? "Access-Accept" : "Access-Reject");
    if (!accept) e.reason = core::intern(nps_reason(json::number(row[kReasonCode]).value_or(UINT32_MAX)));
    return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoUser);
  }

  static Fate accounting(bool other_port, const Row& row, Event& e) {
    if (other_port) return Fate::ignored("RADIUS of another port type");
    const auto status = json::number(row[kStatusType]).value_or(0);
    switch (status) {
      case 1: e.activity = Activity::kStart; break;
      case 2: e.activity = Activity::kEnd; break;
      case 3: e.activity = Activity::kUpdate; break;
      default: return Fate::ignored("accounting on, off and other");
    }
    e.code = core::intern(status == 1 ? "Start" : status == 2 ? "Stop" : "Interim-Update");
    e.event_class = Class::kSession;
    e.assigned_ip = given_ip(row[kFramedAddress]);
    e.source_bytes = bytes(row[kInputOctets], row[kInputGigawords]);
    e.destination_bytes = bytes(row[kOutputOctets], row[kOutputGigawords]);
    e.source_packets = json::number(row[kInputPackets]).value_or(0);
    e.destination_packets = json::number(row[kOutputPackets]).value_or(0);
    e.duration = seconds(json::number(row[kSessionTime]).value_or(0));
    if (e.session_id == 0 && !row[kSessionId].empty()) e.session_id = core::hash64(row[kSessionId]);
    if (status == 2) {
      const auto cause = json::number(row[kTerminateCause]).value_or(0);
      if (cause != 0 && cause < kTerminateCauses.size()) e.reason = core::intern(kTerminateCauses[cause]);
    }
    std::string_view client = row[kClientName];
    core::skip_prefix(client, "MSRAS-0-");
    if (!client.empty()) e.client_host = core::intern(client);
    if (!row[kClientVersion].empty()) e.user_agent = core::intern(row[kClientVersion]);
    return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoUser);
  }

  core::TimeReader times_;
  std::string buffer_;             // texts of XML without their entities
  std::vector<Request> requests_;  // by hash; made when the first request is met
};

struct Code {
  std::uint32_t code;
  std::string_view reason;
};
constexpr std::array kReasons = {
    Code{0, ""},
    Code{8, "no such user"},
    Code{16, "bad user name or password"},
    Code{22, "client could not be authenticated"},
    Code{23, "error in EAP"},
    Code{34, "account disabled"},
    Code{35, "account expired"},
    Code{36, "account locked out"},
    Code{37, "outside allowed hours"},
    Code{48, "no policy matches"},
    Code{49, "no proxy policy matches"},
    Code{65, "dial-in not allowed"},
    Code{66, "method not allowed"},
    Code{265, "certificate of an unknown authority"},
};

}  // namespace

std::string_view nps_reason(std::uint64_t code) {
  for (const Code& row : kReasons) {
    if (row.code == code) return row.reason;
  }
  return "unlisted status";
}

std::unique_ptr<RecordDecoder> make_microsoft_nps(const core::TimeReader& times) {
  return std::make_unique<MicrosoftNps>(times);
}

}  // namespace orbwatch::decode

#include "decode/zeek_log.h"

#include <charconv>
#include <string>

#include "core/text.h"
#include "core/time.h"
#include "decode/json_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode::zeek {
namespace {

using event::Activity;
using event::Class;
using event::Direction;
using event::Outcome;
using event::Service;

const Symbol kNoTime = core::intern("zeek: no time");
const Symbol kNoAddress = core::intern("zeek: no address");
const Symbol kConnCode = core::intern("conn");
const Symbol kSslCode = core::intern("ssl");
const Symbol kSshCode = core::intern("ssh");
const Symbol kTls = core::intern("tls");

struct FieldName {
  std::string_view name;
  Field field;
};

// Both spellings of the connection's ends occur: Log::default_scope_sep may be "_".
constexpr std::array kFieldNames = {
    FieldName{"ts", kTs},
    FieldName{"uid", kUid},
    FieldName{"ja3", kJa3},
    FieldName{"ja4", kJa4},
    FieldName{"ja3s", kJa3s},
    FieldName{"ja4s", kJa4s},
    FieldName{"proto", kProto},
    FieldName{"hassh", kHassh},
    FieldName{"cipher", kCipher},
    FieldName{"issuer", kIssuer},
    FieldName{"client", kClient},
    FieldName{"server", kServer},
    FieldName{"service", kService},
    FieldName{"history", kHistory},
    FieldName{"version", kVersion},
    FieldName{"subject", kSubject},
    FieldName{"ip_proto", kIpProto},
    FieldName{"duration", kDuration},
    FieldName{"direction", kDirection},
    FieldName{"id.orig_h", kOrigH},
    FieldName{"id.orig_p", kOrigP},
    FieldName{"id.resp_h", kRespH},
    FieldName{"id.resp_p", kRespP},
    FieldName{"id_orig_h", kOrigH},
    FieldName{"id_orig_p", kOrigP},
    FieldName{"id_resp_h", kRespH},
    FieldName{"id_resp_p", kRespP},
    FieldName{"orig_pkts", kOrigPkts},
    FieldName{"resp_pkts", kRespPkts},
    FieldName{"conn_state", kConnState},
    FieldName{"local_orig", kLocalOrig},
    FieldName{"local_resp", kLocalResp},
    FieldName{"orig_bytes", kOrigBytes},
    FieldName{"resp_bytes", kRespBytes},
    FieldName{"server_name", kServerName},
    FieldName{"established", kEstablished},
    FieldName{"hasshServer", kHasshServer},
    FieldName{"auth_success", kAuthSuccess},
    FieldName{"auth_attempts", kAuthAttempts},
    FieldName{"orig_ip_bytes", kOrigIpBytes},
    FieldName{"resp_ip_bytes", kRespIpBytes},
    FieldName{"remote_location.country_code", kCountry},
    FieldName{"remote_location_country_code", kCountry},
};

constexpr bool sorted_by_length() {
  for (std::size_t i = 1; i < kFieldNames.size(); ++i) {
    if (kFieldNames[i - 1].name.size() > kFieldNames[i].name.size()) return false;
  }
  return true;
}
static_assert(sorted_by_length());

constexpr std::size_t kLongestName = 28;
static_assert(kFieldNames.back().name.size() <= kLongestName);

// kFirst[n]: index of the first name that is at least n bytes long.
constexpr auto kFirst = [] {
  std::array<std::uint8_t, kLongestName + 2> first{};
  for (std::size_t n = 0; n < first.size(); ++n) {
    std::size_t i = 0;
    while (i < kFieldNames.size() && kFieldNames[i].name.size() < n) ++i;
    first[n] = static_cast<std::uint8_t>(i);
  }
  return first;
}();

bool plain_word(std::string_view text) {
  if (text.empty() || text.size() > 40) return false;
  for (const char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
          c == '.'))
      return false;
  }
  return true;
}

// The thirteen states of conn.log, as event.reason, and what they say of the attempt to connect.
struct ConnState {
  std::string_view name;
  Outcome outcome;
};
constexpr std::array kConnStates = {
    ConnState{"S0", Outcome::kFailure},    ConnState{"S1", Outcome::kSuccess},   ConnState{"SF", Outcome::kSuccess},
    ConnState{"REJ", Outcome::kFailure},   ConnState{"S2", Outcome::kSuccess},   ConnState{"S3", Outcome::kSuccess},
    ConnState{"RSTO", Outcome::kSuccess},  ConnState{"RSTR", Outcome::kSuccess}, ConnState{"RSTOS0", Outcome::kFailure},
    ConnState{"RSTRH", Outcome::kFailure}, ConnState{"SH", Outcome::kFailure},   ConnState{"SHR", Outcome::kFailure},
    ConnState{"OTH", Outcome::kUnknown}};

// TCP flags that the history letters prove; both sides together.
std::uint16_t tcp_flags(std::string_view history) {
  std::uint16_t flags = 0;
  for (const char c : history) {
    switch (c | 0x20) {
      case 's': flags |= 0x02; break;
      case 'h': flags |= 0x12; break;
      case 'a': flags |= 0x10; break;
      case 'd': flags |= 0x10; break;
      case 'f': flags |= 0x01; break;
      case 'r': flags |= 0x04; break;
      default: break;
    }
  }
  return flags;
}

bool is_true(std::string_view text) { return text == "T" || text == "true"; }
bool is_false(std::string_view text) { return text == "F" || text == "false"; }

core::Nanoseconds time(std::string_view text, const core::TimeReader& times) {
  std::string_view rest = text;
  if (text.size() > 10 && text[4] == '-') {
    const auto iso = core::parse_iso8601(rest, times);
    return iso && rest.empty() ? *iso : 0;
  }
  const auto epoch = core::parse_epoch(rest);
  return epoch && rest.empty() ? *epoch : 0;
}

// "12.250000" seconds; JSON may write "1.5e-05".
core::Nanoseconds interval(std::string_view text) {
  double seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || stop == text.data() || !(seconds > 0) || seconds > 1e9) return 0;
  return static_cast<core::Nanoseconds>(seconds * 1e6 + 0.5) * core::kMicrosecond;
}

void conn(const Row& row, Event& e) {
  e.event_class = Class::kFlow;
  e.activity = Activity::kTraffic;
  e.code = kConnCode;
  e.protocol = protocol_number(row[kProto]);
  if (e.protocol == 0 && !row[kIpProto].empty()) e.protocol = protocol_number(row[kIpProto]);
  if (e.protocol == 1) {
    // Type and code stand where other protocols have their ports.
    if (!e.source_ip.is_v4()) e.protocol = 58;
    e.source_port = 0;
    e.destination_port = 0;
  }
  if (!row[kService].empty()) e.application = core::intern(row[kService]);
  e.duration = interval(row[kDuration]);
  // Bytes with their IP headers, as NetFlow counts them; without that column, payload bytes.
  e.source_bytes = json::number(row[kOrigIpBytes].empty() ? row[kOrigBytes] : row[kOrigIpBytes]).value_or(0);
  e.destination_bytes = json::number(row[kRespIpBytes].empty() ? row[kRespBytes] : row[kRespIpBytes]).value_or(0);
  e.source_packets = json::number(row[kOrigPkts]).value_or(0);
  e.destination_packets = json::number(row[kRespPkts]).value_or(0);
  for (const ConnState& state : kConnStates) {
    if (state.name != row[kConnState]) continue;
    e.reason = core::intern(state.name);
    e.outcome = state.outcome;
    break;
  }
  if (e.protocol == 6) e.tcp_flags = tcp_flags(row[kHistory]);
  const bool from_here = is_true(row[kLocalOrig]);
  const bool to_here = is_true(row[kLocalResp]);
  if ((from_here || is_false(row[kLocalOrig])) && (to_here || is_false(row[kLocalResp]))) {
    e.direction = from_here ? (to_here ? Direction::kInternal : Direction::kOutbound)
                            : (to_here ? Direction::kInbound : Direction::kExternal);
  }
}

void ssl(const Row& row, Event& e) {
  e.event_class = Class::kHandshake;
  e.activity = Activity::kObserved;
  e.code = kSslCode;
  e.application = kTls;
  e.protocol_version = core::intern(row[kVersion]);
  e.protocol = row[kVersion].starts_with("DTLS") ? 17 : 6;
  if (is_true(row[kEstablished])) e.outcome = Outcome::kSuccess;
  if (is_false(row[kEstablished])) e.outcome = Outcome::kFailure;
  e.destination_name = core::intern(row[kServerName]);
  e.certificate_subject = core::intern(row[kSubject]);
  e.certificate_issuer = core::intern(row[kIssuer]);
  e.fingerprint = core::intern(row[kJa4].empty() ? row[kJa3] : row[kJa4]);
  e.server_fingerprint = core::intern(row[kJa4s].empty() ? row[kJa3s] : row[kJa4s]);
}

void ssh(const Row& row, Event& e) {
  e.event_class = Class::kAuthentication;
  e.activity = Activity::kLogon;
  e.service = Service::kSsh;
  e.code = kSshCode;
  e.application = kSshCode;
  e.protocol = 6;
  if (is_true(row[kAuthSuccess])) e.outcome = Outcome::kSuccess;
  if (is_false(row[kAuthSuccess])) e.outcome = Outcome::kFailure;
  e.protocol_version = core::intern(row[kVersion]);
  e.user_agent = core::intern(row[kClient]);
  e.banner = core::intern(row[kServer]);
  e.fingerprint = core::intern(row[kHassh]);
  e.server_fingerprint = core::intern(row[kHasshServer]);
  e.region = core::intern(row[kCountry]);
  if (row[kDirection] == "INBOUND") e.direction = Direction::kInbound;
  if (row[kDirection] == "OUTBOUND") e.direction = Direction::kOutbound;
}

}  // namespace

Field field_of(std::string_view name) {
  if (name.size() > kLongestName) return kIgnored;
  for (std::size_t i = kFirst[name.size()]; i < kFirst[name.size() + 1]; ++i) {
    // The last byte tells most names of one length apart.
    if (kFieldNames[i].name.back() == name.back() && kFieldNames[i].name == name) return kFieldNames[i].field;
  }
  return kIgnored;
}

Log log_of(std::string_view path) {
  if (path == "conn") return Log::kConn;
  if (path == "ssl") return Log::kSsl;
  if (path == "ssh") return Log::kSsh;
  return path.empty() ? Log::kUnknown : Log::kOther;
}

Symbol ignored_name(std::string_view path) {
  return core::intern(plain_word(path) ? "zeek " + std::string(path) : std::string("zeek log of another kind"));
}

Log guess(const Row& row) {
  if (!row[kConnState].empty()) return Log::kConn;
  if (!row[kCipher].empty() || !row[kEstablished].empty()) return Log::kSsl;
  if (!row[kAuthAttempts].empty() || !row[kAuthSuccess].empty()) return Log::kSsh;
  if (row[kClient].starts_with("SSH-") || row[kServer].starts_with("SSH-")) return Log::kSsh;
  return Log::kUnknown;
}

Fate fill(Log log, const Row& row, const core::TimeReader& times, Event& e) {
  e.time = time(row[kTs], times);
  if (e.time == 0) return Fate::rejected(kNoTime);
  e.source_ip = json::ip(row[kOrigH]);
  e.destination_ip = json::ip(row[kRespH]);
  if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
  e.source_port = json::port(row[kOrigP]);
  e.destination_port = json::port(row[kRespP]);
  if (!row[kUid].empty()) e.session_id = core::hash64(row[kUid]);
  switch (log) {
    case Log::kConn: conn(row, e); break;
    case Log::kSsl: ssl(row, e); break;
    default: ssh(row, e); break;
  }
  return Fate::kept();
}

}  // namespace orbwatch::decode::zeek

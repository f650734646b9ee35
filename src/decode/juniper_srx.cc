// Juniper Junos: SRX flow sessions (RT_FLOW, AppTrack), screens, remote-access VPN, log-ins of users and
// administrators; also of other Junos devices. Structured (sd-syslog, RFC 5424) and plain:
//   <14>1 2026-11-22T08:00:00.123Z srx1 RT_FLOW - RT_FLOW_SESSION_DENY [junos@2636.1.1.1.2.129
//   source-address="203.0.113.9" source-port="40000" destination-address="192.0.2.1" ... policy-name="deny-all" ...]
//   Nov 22 08:00:00 srx1 RT_FLOW: RT_FLOW_SESSION_CLOSE: session closed TCP FIN: 10.0.0.5/51000->198.51.100.1/443 0x0
//   junos-https 192.0.2.1/40000->198.51.100.1/443 0x0 source rule r1 N/A N/A 6 out trust untrust 4242 10(1200)
//   30(33000) 60 UNKNOWN UNKNOWN N/A(N/A) ge-0/0/1.0 ...
//
// Sources: "System Log Explorer" and "Structured system log messages" (juniper.net) for Junos 12.1 to 23.4. Plain
// messages are rows of words whose number grew with the releases: they are read from anchors (the addresses, the
// protocol number), not by place.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoPeer = core::intern("juniper_srx: no address or user");
const Symbol kOther = core::intern("message other");

enum Key : std::uint8_t {
  kAction,
  kApplication,
  kAttack,
  kClientIp,
  kClientName,
  kBytesClient,
  kBytesServer,
  kDst,
  kDstPort,
  kDstZone,
  kElapsed,
  kInterface,
  kInterfaceIn,
  kInternalIp,
  kLocalAddress,
  kNatSrc,
  kNested,
  kPacketsClient,
  kPacketsServer,
  kPolicy,
  kProtocol,
  kProtocolName,
  kReason,
  kRemoteAddress,
  kService,
  kSession,
  kSession32,
  kSrc,
  kSrcPort,
  kSrcZone,
  kSshConnection,
  kUser,
  kUserDash,
  kVpn,
  kKeys
};

constexpr KeyNames<kKeys> kNames({"action",
                                  "application",
                                  "attack-name",
                                  "client-ip",
                                  "client-name",
                                  "bytes-from-client",
                                  "bytes-from-server",
                                  "destination-address",
                                  "destination-port",
                                  "destination-zone-name",
                                  "elapsed-time",
                                  "interface-name",
                                  "packet-incoming-interface",
                                  "internal-ip",
                                  "local-address",
                                  "nat-source-address",
                                  "nested-application",
                                  "packets-from-client",
                                  "packets-from-server",
                                  "policy-name",
                                  "protocol-id",
                                  "protocol-name",
                                  "reason",
                                  "remote-address",
                                  "service-name",
                                  "session-id",
                                  "session-id-32",
                                  "source-address",
                                  "source-port",
                                  "source-zone-name",
                                  "ssh-connection",
                                  "username",
                                  "user-name",
                                  "vpn-name"});

using Fields = Values<kKeys>;

// A record: its message name and either its fields or its sentence, or both.
struct Message {
  std::string_view tag;     // "RT_FLOW_SESSION_CREATE"
  std::string_view fields;  // within the brackets, behind "junos@2636...."
  std::string_view text;
  std::string_view before;  // "2026-11-22T08:00:00.1Z srx1 RT_FLOW -": header that a relay left in the message
};

bool is_tag(std::string_view word) {
  if (word.size() < 5 || word.size() > 60 || !word.contains('_')) return false;
  return std::all_of(word.begin(), word.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; });
}

// Message names of Junos, by their beginnings: what tells a plain message from another program's.
bool is_junos_tag(std::string_view tag) {
  for (const std::string_view family :
       {"RT_FLOW_"sv,     "RT_SCREEN_"sv, "RT_SRC_"sv, "APPTRACK_"sv, "UI_"sv,  "LOGIN_"sv,   "SSHD_LOGIN_"sv,
        "DYNAMIC_VPN_"sv, "WEB_AUTH_"sv,  "JADE_"sv,   "FWAUTH_"sv,   "KMD_"sv, "IKE_VPN_"sv, "IKE_"sv,
        "LIBJNX_"sv,      "WEBFILTER_"sv, "AAMW_"sv,   "SECINTEL_"sv, "IDP_"sv, "FLOW_"sv,    "RTLOG_"sv,
        "AV_"sv,          "USERFW_"sv,    "NSD_"sv,    "PFE_"sv,      "RPD_"sv, "SNMP_"sv,    "CHASSISD_"sv,
        "L2ALD_"sv,       "ANTISPAM_"sv,  "CONTENT_"sv}) {
    if (tag.starts_with(family)) return true;
  }
  return false;
}

// "[junos@2636.1.1.1.2.129 key="value" ...] text" at the front.
void take_fields(std::string_view text, Message& m) {
  const auto space = text.find(' ');
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    if (text[end] == '\\' && quoted) {
      ++end;
    } else if (text[end] == '"') {
      quoted = !quoted;
    } else if (text[end] == ']' && !quoted) {
      break;
    }
  }
  end = std::min(end, text.size());
  if (space < end) m.fields = text.substr(space + 1, end - space - 1);
  if (end < text.size()) m.text = core::trim(text.substr(end + 1));
}

// "[fpc0 PFE_FW_SYSLOG_IP: ]FW: ge-0/0/0.0 D tcp 203.0.113.9 192.0.2.1 40000 22 (1 packets)": what stands behind "FW:
// ".
std::string_view filter_text(std::string_view text) {
  const auto at = text.substr(0, 64).find("FW: ");
  if (at != 0 && (at == text.npos || !text.substr(0, at).contains("PFE_FW_SYSLOG"))) return {};
  return text.substr(at + 4);
}

// INTERFACE VERDICT ... (N packets)
bool is_filter(std::string_view text) {
  if (!text.ends_with(" packets)")) return false;
  const std::string_view interface = core::take_until(text, ' ');
  while (text.starts_with(' ')) text.remove_prefix(1);
  return interface.contains('/') && text.size() > 2 && text[1] == ' ' &&
         (text[0] == 'A' || text[0] == 'D' || text[0] == 'R');
}

bool read_message(const TextRecord& r, Message& m) {
  if (r.program == "sshd") return false;  // the format openssh reads all that sshd says
  if (r.structured.starts_with("[junos@") && is_tag(r.message_id)) {
    m.tag = r.message_id;
    // The envelope's reader has found the end already.
    m.fields = r.structured.substr(0, r.structured.size() - (r.structured.ends_with(']') ? 1 : 0));
    m.fields.remove_prefix(std::min(m.fields.find(' '), m.fields.size()));
    m.text = r.message;
    return true;
  }
  std::string_view text = r.message;
  const auto bracket = text.substr(0, 200).find(" [junos@");
  if (bracket != text.npos) {
    std::string_view head = text.substr(0, bracket);
    m.tag = head.substr(head.rfind(' ') + 1);
    m.before = head;
    if (!is_tag(m.tag)) return false;
    take_fields(text.substr(bracket + 1), m);
    return true;
  }
  // "mgd[54999]: UI_LOGIN_EVENT: User ...", "RT_FLOW: RT_FLOW_SESSION_DENY: ...", "%-RT_FLOW_SESSION_DENY: ..."
  if (is_filter(r.program == "FW" ? text : filter_text(text))) {
    m.tag = "PFE_FW_SYSLOG_IP";
    m.text = r.program == "FW" ? text : filter_text(text);
    return true;
  }
  for (int word = 0; word < 2; ++word) {
    skip_prefix(text, "%-");
    const auto colon = text.substr(0, 64).find(": ");
    if (colon == text.npos) return false;
    const std::string_view name = text.substr(0, colon);
    text.remove_prefix(colon + 2);
    if (is_tag(name) && is_junos_tag(name) && name != "RT_FLOW" && name != "RT_IDS" && name != "RT_UTM" &&
        name != "RT_SYSTEM") {
      m.tag = name;
      m.text = text;
      return true;
    }
  }
  return false;
}

// "10.0.0.5/51000", also with an IPv6 address.
Endpoint slashed(std::string_view text) {
  const auto slash = text.rfind('/');
  Endpoint out;
  out.ip = given_ip(text.substr(0, slash));
  if (slash != text.npos) out.port = core::parse_number<std::uint16_t>(text.substr(slash + 1)).value_or(0);
  return out;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c); });
}

std::string_view known(std::string_view value) {
  return value == "N/A" || value == "None" || value == "UNKNOWN" || value == "unknown" ? std::string_view{} : value;
}

// What stands between `before` and the next quote, space, comma or full stop at the end.
std::string_view word_after(std::string_view text, std::string_view before) {
  const auto at = text.find(before);
  if (at == text.npos) return {};
  Scanner s(text.substr(at + before.size()));
  s.spaces();
  return quoted_word(s);
}

constexpr std::size_t kMostWords = 64;

struct Words {
  std::array<std::string_view, kMostWords> word;
  std::size_t count = 0;

  explicit Words(std::string_view text) {
    while (!text.empty() && count < kMostWords) {
      const std::string_view next = core::take_until(text, ' ');
      if (!next.empty()) word[count++] = next;
    }
  }
};

// "10(1200)": packets and bytes.
bool take_counts(std::string_view text, std::uint64_t& packets, std::uint64_t& bytes) {
  Scanner s(text);
  if (!is_digit(s.peek())) return false;
  packets = s.number();
  if (!s.skip('(')) return false;
  bytes = s.number();
  return s.skip(')');
}

class JuniperSrx final : public RecordDecoder {
 public:
  explicit JuniperSrx(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    Message m;
    return read_message(r, m);
  }

  Fate decode(const TextRecord& record, Event& e) override {
    Message m;
    if (!read_message(record, m)) return Fate::rejected(kNoPeer);
    e.code = core::intern(m.tag);
    if (std::string_view before = m.before; !before.empty()) {
      if (const auto time = core::parse_iso8601(before, times_); time && before.starts_with(' ')) {
        e.time = *time;
        before.remove_prefix(1);
        e.observer = core::intern(core::take_until(before, ' '));
      }
    }
    Fields f(kNames);
    f.read(m.fields, ' ');
    const Fate fate = tell(m, f, e);
    if (fate.verdict == Verdict::kEvent && !e.source_ip.present() && !e.user.present()) return Fate::rejected(kNoPeer);
    return fate;
  }

 private:
  static void structured_session(const Fields& f, Event& e) {
    e.source_ip = f.ip(kSrc);
    e.source_port = f.port(kSrcPort);
    e.destination_ip = f.ip(kDst);
    e.destination_port = f.port(kDstPort);
    e.protocol = protocol_number(f.either(kProtocol, kProtocolName));
    e.source_bytes = f.number(kBytesClient);
    e.destination_bytes = f.number(kBytesServer);
    e.source_packets = f.number(kPacketsClient);
    e.destination_packets = f.number(kPacketsServer);
    e.duration = seconds(f.number(kElapsed));
    e.session_id = f[kSession].empty() ? f.number(kSession32) : f.number(kSession);
    e.ingress = core::intern(f[kSrcZone].empty() ? f.either(kInterfaceIn, kInterface) : f[kSrcZone]);
    e.egress = f.symbol(kDstZone);
    e.rule = core::intern(known(f[kPolicy]));
    if (const core::Ip nat = f.ip(kNatSrc); nat != e.source_ip) e.assigned_ip = nat;
    std::string_view application = known(f[kNested]);
    if (application.empty()) application = known(f[kApplication]);
    if (application.empty()) application = known(f[kService]);
    skip_prefix(application, "junos-");
    e.application = lower_symbol(application);
    set_user(e, known(f[kUser]));
  }

  // "... SRC/PORT->DST/PORT [0xTAG] SERVICE [NAT->NAT ...] PROTO POLICY FROM TO SESSION [PKTS(BYTES) PKTS(BYTES)
  // SECONDS]" and "... SRC/PORT->DST/PORT [0xTAG] SERVICE PROTO(TYPE) POLICY FROM TO ..."
  static void plain_session(std::string_view text, Event& e) {
    const Words w(text);
    std::size_t flow = 0;
    while (flow < w.count && !w.word[flow].contains("->")) ++flow;
    if (flow == w.count) return;
    const auto arrow = w.word[flow].find("->");
    const Endpoint from = slashed(w.word[flow].substr(0, arrow));
    const Endpoint to = slashed(w.word[flow].substr(arrow + 2));
    e.source_ip = from.ip;
    e.source_port = from.port;
    e.destination_ip = to.ip;
    e.destination_port = to.port;
    std::size_t at = flow + 1;
    if (at < w.count && w.word[at].starts_with("0x")) ++at;
    if (at < w.count) {
      std::string_view service = known(w.word[at]);
      skip_prefix(service, "junos-");
      e.application = lower_symbol(service);
    }
    for (std::size_t i = at; i < w.count; ++i) {
      const std::string_view word = w.word[i];
      if (const auto nat = word.find("->"); nat != word.npos) {
        const core::Ip translated = slashed(word.substr(0, nat)).ip;
        if (translated != e.source_ip) e.assigned_ip = translated;
        continue;
      }
      // Denied: the protocol with the ICMP type.
      std::uint64_t protocol = 0;
      std::uint64_t type = 0;
      if (take_counts(word, protocol, type) && protocol <= 255) {
        put_policy(w, i, static_cast<std::uint8_t>(protocol), e);
        return;
      }
      // Created, closed: the protocol, four words before the session's number, which is the last word or is followed
      // by a word with brackets.
      const bool fits = all_digits(word) && word.size() <= 3 && i + 4 < w.count && all_digits(w.word[i + 4]) &&
                        (i + 5 == w.count || w.word[i + 5].contains('('));
      if (!fits) continue;
      put_policy(w, i, core::parse_number<std::uint8_t>(word).value_or(0), e);
      e.session_id = core::parse_number<std::uint64_t>(w.word[i + 4]).value_or(0);
      if (i + 7 < w.count && take_counts(w.word[i + 5], e.source_packets, e.source_bytes) &&
          take_counts(w.word[i + 6], e.destination_packets, e.destination_bytes)) {
        e.duration = seconds(core::parse_number<std::uint64_t>(w.word[i + 7]).value_or(0));
      } else {
        e.source_packets = e.source_bytes = e.destination_packets = e.destination_bytes = 0;
      }
      return;
    }
  }

  static void put_policy(const Words& w, std::size_t protocol_at, std::uint8_t protocol, Event& e) {
    e.protocol = protocol;
    if (protocol_at + 3 >= w.count) return;
    e.rule = core::intern(w.word[protocol_at + 1]);
    e.ingress = core::intern(w.word[protocol_at + 2]);
    e.egress = core::intern(w.word[protocol_at + 3]);
  }

  static Fate session(const Message& m, const Fields& f, Event& e) {
    e.event_class = Class::kConnection;
    e.action = Action::kAllowed;
    if (m.tag.contains("_DENY")) {
      e.action = Action::kDenied;
    } else if (m.tag.contains("_CREATE")) {
      e.activity = Activity::kStart;
    } else if (m.tag.contains("_CLOSE")) {
      e.activity = Activity::kEnd;
    } else if (m.tag.contains("_UPDATE")) {
      e.activity = Activity::kUpdate;
    } else {
      return other(m.tag);
    }
    if (m.fields.empty()) {
      plain_session(m.text, e);
      std::string_view reason = m.text;
      if (skip_prefix(reason, "session closed ")) e.reason = closed_reason(reason.substr(0, reason.find(':')));
    } else {
      structured_session(f, e);
      e.reason = closed_reason(f[kReason]);
    }
    // Of ICMP the places of the ports hold type, code and number.
    if (e.protocol == 1 || e.protocol == 58) e.source_port = e.destination_port = 0;
    return Fate::kept();
  }

  // A firewall filter: "ge-0/0/0.0 D [... ]tcp 203.0.113.9 192.0.2.1 40000 22 (1 packets)"
  static Fate filter(std::string_view text, Event& e) {
    const Words w(text);
    for (std::size_t i = 2; i + 2 < w.count; ++i) {
      const auto from = core::Ip::parse(w.word[i + 1]);
      const auto to = core::Ip::parse(w.word[i + 2]);
      if (!from || !to) continue;
      e.event_class = Class::kConnection;
      e.action = w.word[1] == "A" ? Action::kAllowed : Action::kDenied;
      if (e.action == Action::kAllowed) e.activity = Activity::kStart;
      e.ingress = core::intern(w.word[0]);
      e.protocol = protocol_number(w.word[i]);
      e.source_ip = *from;
      e.destination_ip = *to;
      if (w.word[w.count - 1] == "packets)" && w.word[w.count - 2].starts_with('('))
        e.source_packets = core::parse_number<std::uint64_t>(w.word[w.count - 2].substr(1)).value_or(0);
      if ((e.protocol == 6 || e.protocol == 17) && i + 4 < w.count) {
        e.source_port = core::parse_number<std::uint16_t>(w.word[i + 3]).value_or(0);
        e.destination_port = core::parse_number<std::uint16_t>(w.word[i + 4]).value_or(0);
      }
      return Fate::kept();
    }
    return Fate::ignored("filter without addresses");
  }

  // Screens: floods, scans and spoofed addresses that the device stopped.
  static Fate screen(const Message& m, const Fields& f, Event& e) {
    if (m.fields.empty()) return other(m.tag);
    structured_session(f, e);
    if (!e.source_ip.present()) return Fate::ignored("screen without source");
    e.event_class = Class::kConnection;
    e.activity = Activity::kAlert;
    if (f[kAction] == "drop") e.action = Action::kDenied;
    std::string_view attack = f[kAttack];
    while (attack.ends_with('!')) attack.remove_suffix(1);
    e.rule = core::intern(attack);
    return Fate::kept();
  }

  static void put_account(const Message& m, const Fields& f, Event& e) {
    std::string_view user = f[kUser].empty() ? f.either(kUserDash, kClientName) : f[kUser];
    for (const std::string_view before : {"for user "sv, "User "sv, "user "sv, "(username "sv}) {
      if (user.empty()) user = word_after(m.text, before);
    }
    while (user.ends_with(')')) user.remove_suffix(1);
    set_user(e, user);
  }

  static void put_source(const Message& m, const Fields& f, Event& e) {
    for (const Key key : {kSrc, kClientIp, kRemoteAddress}) {
      if (!e.source_ip.present()) e.source_ip = f.ip(key);
    }
    // "192.0.2.77 40382 192.0.2.1 22": as SSH_CONNECTION has it.
    std::string_view connection = f[kSshConnection];
    if (connection.empty()) {
      if (const auto at = m.text.find("ssh-connection '"); at != m.text.npos) {
        connection = m.text.substr(at + 16);
        connection = connection.substr(0, connection.find('\''));
      }
    }
    if (!connection.empty()) {
      const Words w(connection);
      if (w.count > 0) e.source_ip = given_ip(w.word[0]);
      if (w.count > 1) e.source_port = core::parse_number<std::uint16_t>(w.word[1]).value_or(0);
      if (w.count > 2) e.destination_ip = given_ip(w.word[2]);
      if (w.count > 3) e.destination_port = core::parse_number<std::uint16_t>(w.word[3]).value_or(0);
      e.application = core::intern("ssh");
    }
    for (const std::string_view before : {" from host "sv, " from "sv, " at "sv}) {
      if (e.source_ip.present()) break;
      e.source_ip = given_ip(word_after(m.text, before));
    }
  }

  static Fate login(const Message& m, const Fields& f, Outcome outcome, Service service, Event& e) {
    put_login(e, outcome, service);
    put_account(m, f, e);
    put_source(m, f, e);
    e.reason = closed_reason(f[kReason]);
    return Fate::kept();
  }

  // "VPN staff from 198.51.100.7 is up. Local-ip: 192.0.2.1, ... remote tunnel-ip: 10.8.0.5, ... AAA username: alice,
  // ..."
  static Fate tunnel(const Message& m, const Fields& f, Event& e) {
    const bool up = m.tag.contains("_UP_");
    put_session(e, up ? Activity::kStart : Activity::kEnd, core::intern("ipsec"));
    if (up) e.outcome = Outcome::kSuccess;
    e.source_ip = f.ip(kRemoteAddress);
    if (!e.source_ip.present()) e.source_ip = given_ip(word_after(m.text, " from "));
    e.destination_ip = f.ip(kLocalAddress);
    if (!e.destination_ip.present()) e.destination_ip = given_ip(word_after(m.text, "Local-ip: "));
    e.assigned_ip = f.ip(kInternalIp);
    if (!e.assigned_ip.present()) e.assigned_ip = given_ip(word_after(m.text, "remote tunnel-ip: "));
    std::string_view user = f.either(kUser, kClientName);
    if (user.empty()) user = word_after(m.text, "AAA username: ");
    if (user != "Not-Applicable" && user != "Not-Available") set_user(e, user);
    e.group = core::intern(f[kVpn].empty() ? word_after(m.text, "VPN ") : f[kVpn]);
    return Fate::kept();
  }

  static Fate tell(const Message& m, const Fields& f, Event& e) {
    const std::string_view tag = m.tag;
    if (tag.starts_with("RT_FLOW_SESSION_") || tag.starts_with("APPTRACK_SESSION_")) return session(m, f, e);
    if (tag.starts_with("RT_SCREEN_")) return screen(m, f, e);
    if (tag == "PFE_FW_SYSLOG_IP") return filter(m.text, e);
    const bool failed = tag.contains("_FAIL") || tag.contains("_LOCKED");
    if (tag.starts_with("DYNAMIC_VPN_AUTH_"))
      return login(m, f, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kVpn, e);
    if (tag.contains("VPN_UP_ALARM") || tag.contains("VPN_DOWN_ALARM")) return tunnel(m, f, e);
    if (tag == "UI_LOGIN_EVENT" || tag == "LOGIN_INFORMATION" || tag == "LOGIN_ROOT")
      return login(m, f, Outcome::kSuccess, Service::kManagement, e);
    if (tag == "UI_LOGOUT_EVENT") {
      login(m, f, Outcome::kUnknown, Service::kManagement, e);
      e.activity = Activity::kLogoff;
      return Fate::kept();
    }
    if (tag == "UI_AUTH_EVENT") {
      login(m, f, Outcome::kSuccess, Service::kManagement, e);
      e.activity = Activity::kObserved;
      return Fate::kept();
    }
    if (tag == "LOGIN_FAILED" || tag == "SSHD_LOGIN_FAILED" || tag == "LIBJNX_LOGIN_ACCOUNT_LOCKED")
      return login(m, f, Outcome::kFailure, Service::kManagement, e);
    if (tag.starts_with("WEB_AUTH_") || tag.starts_with("JADE_AUTH_")) {
      login(m, f, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kManagement, e);
      if (!e.source_ip.present() && !e.user.present()) return Fate::ignored("log-in without user and address");
      return Fate::kept();
    }
    if (tag.starts_with("FWAUTH_") && (failed || tag.contains("ACCEPTED") || tag.contains("SUCCESS")))
      return login(m, f, failed ? Outcome::kFailure : Outcome::kSuccess, Service::kWeb, e);
    return other(tag);
  }

  // "message UI_COMMIT"
  static Fate other(std::string_view tag) {
    std::array<char, 72> name;
    if (tag.size() > 60) return Fate::ignored(kOther);
    char* p = std::copy_n("message ", 8, name.data());
    p = std::copy(tag.begin(), tag.end(), p);
    return Fate::ignored({name.data(), static_cast<std::size_t>(p - name.data())});
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_juniper_srx(const core::TimeReader& times) {
  return std::make_unique<JuniperSrx>(times);
}

}  // namespace orbwatch::decode

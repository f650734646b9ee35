// WALLIX Bastion: log-ins of its users, connections to its SSH and RDP proxies, sessions on the targets behind them.
//
// Sources: "SIEM Logs Guide" of WALLIX Bastion 12.0 and 12.4, as public notes cite it; log_siem.cpp and log_id.hpp of
// its RDP proxy, redemption (github.com/wallix/redemption).
//   Nov 22 08:00:00 wab1 wabengine: [wabauth] action="authentify" user="alice" client_ip="203.0.113.7"
//   status="success" infos="diagnostic [Authentication success: identified with local(LOCAL).]"
//   <30>1 2026-11-22T08:00:01+00:00 wab1 sshproxy 4597 - - [sshproxy] psid="1616" type="INCOMING_CONNECTION"
//   src_ip="203.0.113.7" src_port="53344"
//   <30>1 2026-11-22T08:00:02+00:00 wab1 rdpproxy 4600 - - [RDP Session] session_id="1830" client_ip="203.0.113.7"
//   target_ip="192.0.2.30" user="alice" device="srv1" ... type="SESSION_ESTABLISHED_SUCCESSFULLY"
// Ignored by name: other tags ("record wabaudit"), other types ("type KBD_INPUT").
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/pairs.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Event;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNobody = core::intern("wallix_bastion: neither user nor address");
const Symbol kNoType = core::intern("wallix_bastion: no type");
const Symbol kCanceled = core::intern("canceled");

enum Key : std::uint8_t {
  kAction,
  kType,
  kUser,
  kClient,
  kStatus,
  kInfos,
  kPsid,
  kSourceIp,
  kSourcePort,
  kMethod,
  kSession,
  kTarget,
  kHost,
  kPort,
  kDevice,
  kReason,
  kDuration,
  kKeys
};

// In the order of the enumeration.
const KeyNames<kKeys> kNames(std::array<std::string_view, kKeys>{
    "action", "type", "user", "client_ip", "status", "infos", "psid", "src_ip", "src_port", "method", "session_id",
    "target_ip", "host", "port", "device", "reason", "duration"});

constexpr std::array<std::string_view, 17> kTags = {
    "wabauth",        "wabaudit",    "wabengine",     "sshproxy",         "rdpproxy",  "RDP Proxy",
    "Vault Activity", "integrity",   "sessionexport", "sessionimport",    "boot",      "sysaudit",
    "wallixplugins",  "WABWATCHDOG", "CLI Audit",     "sessionintegrity", "sessionlog"};

constexpr std::string_view kSessionTag = " Session";
constexpr std::string_view kUntagged = "action=\"authentify\" user=\"";

// "[TAG] name=...": a tag of the product and the pairs behind it.
struct Tagged {
  std::string_view tag;
  std::string_view pairs;
};

bool tagged(std::string_view text, Tagged& out) {
  if (text.starts_with(kUntagged)) {  // older versions
    out = {"wabauth", text};
    return true;
  }
  if (!text.starts_with('[')) {
    // The header of RFC 5424 without its version, "rdpproxy 4597 - - [RDP Session] ...".
    if (!text.starts_with("rdpproxy ") && !text.starts_with("sshproxy ") && !text.starts_with("wabengine "))
      return false;
    const auto at = text.substr(0, 64).find(" [");
    if (at == text.npos) return false;
    text.remove_prefix(at + 1);
  }
  const auto close = text.substr(0, 32).find("] ");
  if (close == text.npos) return false;
  out.tag = text.substr(1, close - 1);
  out.pairs = text.substr(close + 2);
  if (!out.tag.ends_with(kSessionTag) && std::find(kTags.begin(), kTags.end(), out.tag) == kTags.end()) return false;
  const auto equals = out.pairs.substr(0, 32).find('=');
  return equals != out.pairs.npos && equals != 0 && out.pairs.substr(equals).starts_with("=\"");
}

// "SSH Key", "Password", "OTP" of the proxies; the type within "identified with local(LOCAL)" of wabauth.
AuthMethod method_of(std::string_view text) {
  struct Row {
    std::string_view name;
    AuthMethod method;
  };
  static constexpr std::array kRows = {
      Row{"LOCAL", AuthMethod::kPassword},    Row{"Password", AuthMethod::kPassword},
      Row{"LDAP", AuthMethod::kLdap},         Row{"RADIUS", AuthMethod::kRadius},
      Row{"KERBEROS", AuthMethod::kKerberos}, Row{"Kerberos", AuthMethod::kKerberos},
      Row{"SAML", AuthMethod::kSaml},         Row{"X509", AuthMethod::kCertificate},
      Row{"SSH Key", AuthMethod::kPublicKey},
  };
  for (const Row& row : kRows) {
    if (row.name == text) return row.method;
  }
  return text.empty() ? AuthMethod::kUnknown : AuthMethod::kOther;
}

// What stands within the last brackets: the method that decided.
std::string_view last_method(std::string_view diagnostic) {
  const auto open = diagnostic.rfind('(');
  const auto close = diagnostic.find(')', open == diagnostic.npos ? 0 : open);
  return open == diagnostic.npos || close == diagnostic.npos ? std::string_view()
                                                             : diagnostic.substr(open + 1, close - open - 1);
}

using Pairs = Values<kKeys>;

void put_user(const Pairs& p, Event& e) {
  // Who came with a certificate or a ticket has no name before it is proven.
  if (!p[kUser].starts_with("[unknown ")) set_typed_user(e, p[kUser]);
}

Fate someone(const Event& e) {
  return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNobody);
}

Fate login(const Pairs& p, Event& e) {
  if (p[kAction] != "authentify") return json::ignored("action", p[kAction]);
  std::string_view diagnostic = core::between(p[kInfos], "diagnostic [", "").value_or(p[kInfos]);
  if (diagnostic.ends_with(']')) diagnostic.remove_suffix(1);
  const bool good = p[kStatus] == "success";
  const bool bad = p[kStatus] == "failure";
  put_login(e, good ? Outcome::kSuccess : bad ? Outcome::kFailure : Outcome::kUnknown, Service::kOther);
  // "started", "canceled", and what a single method said before the Bastion decided.
  if ((!good && !bad) || !diagnostic.starts_with("Authentication ")) e.activity = Activity::kObserved;
  if (bad) e.reason = closed_reason(diagnostic);
  if (p[kStatus].starts_with("cancel")) e.reason = kCanceled;
  e.code = core::intern(p[kAction]);
  e.auth_method = method_of(last_method(diagnostic));
  put_user(p, e);
  e.source_ip = p.ip(kClient);
  return someone(e);
}

void put_target(const Pairs& p, Event& e) {
  const std::string_view address = p.either(kTarget, kHost);
  e.destination_ip = given_ip(address);
  e.destination_port = p.port(kPort);
  const bool named = !e.destination_ip.present() && !address.empty();
  e.destination_name = core::intern(p[kDevice].empty() && named ? address : p[kDevice]);
}

void put_start(Outcome outcome, Event& e) {
  put_session(e, Activity::kStart);
  e.outcome = outcome;
}

// A step of a connection to a proxy: "INCOMING_CONNECTION", "AUTHENTICATION_SUCCESS", "TARGET_CONNECTION" ...
Fate step(const Pairs& p, Event& e) {
  const std::string_view type = p[kType];
  if (type == "INCOMING_CONNECTION" || type == "DISCONNECT" || type == "DISCONNECTION") {
    e.event_class = Class::kConnection;
    e.activity = type.starts_with('I') ? Activity::kStart : Activity::kEnd;
    e.action = event::Action::kAllowed;
    e.protocol = 6;
  } else if (type == "AUTHENTICATION_SUCCESS" || type == "AUTHENTICATION_FAILURE") {
    // wabauth tells the same attempt, with the client's address.
    put_login(e, type.ends_with("SUCCESS") ? Outcome::kSuccess : Outcome::kFailure, Service::kOther);
    e.activity = Activity::kObserved;
    e.auth_method = method_of(p[kMethod]);
    if (p[kMethod] == "OTP") e.mfa = Mfa::kYes;
  } else if (type == "LOGOUT") {
    put_login(e, Outcome::kUnknown, Service::kOther);
    e.activity = Activity::kLogoff;
  } else if (type == "TARGET_CONNECTION") {
    put_start(Outcome::kSuccess, e);
  } else if (type == "TARGET_CONNECTION_FAILED") {
    put_start(Outcome::kFailure, e);
  } else if (type == "TARGET_DISCONNECTION") {
    put_session(e, Activity::kEnd);
  } else {
    return type.empty() ? Fate::rejected(kNoType) : json::ignored("type", type);
  }
  e.code = core::intern(type);
  e.reason = closed_reason(p[kReason]);
  put_user(p, e);
  e.source_ip = p.ip(kSourceIp);
  e.source_port = p.port(kSourcePort);
  put_target(p, e);
  if (const auto id = p.either(kSession, kPsid); !id.empty()) e.session_id = core::hash64(id);
  // The end of a connection before anybody logged in says nothing that its beginning does not.
  if (type.starts_with("DISCONNECT") && !e.user.present()) return json::ignored("type", type);
  return someone(e);
}

// A session on a target.
Fate session(const Pairs& p, Event& e) {
  const std::string_view type = p[kType];
  if (type == "SESSION_ESTABLISHED_SUCCESSFULLY") {
    put_start(Outcome::kSuccess, e);
  } else if (type == "SESSION_CREATION_FAILED" || type == "CONNECTION_FAILED") {
    put_start(Outcome::kFailure, e);
  } else if (type == "SESSION_DISCONNECTION") {
    put_session(e, Activity::kEnd);
    Scanner s(p[kDuration]);
    e.duration = scan_duration(s);
  } else {
    return type.empty() ? Fate::rejected(kNoType) : json::ignored("type", type);
  }
  e.code = core::intern(type);
  e.reason = closed_reason(p[kReason]);
  put_user(p, e);
  e.source_ip = p.ip(kClient);
  put_target(p, e);
  if (!p[kSession].empty()) e.session_id = core::hash64(p[kSession]);
  return someone(e);
}

class WallixBastion final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    Tagged t;
    return tagged(r.message, t);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Tagged t;
    if (!tagged(r.message, t)) return Fate::rejected(kNoType);
    const bool of_session = t.tag.ends_with(kSessionTag);
    const bool of_proxy = t.tag == "sshproxy" || t.tag == "rdpproxy" || t.tag == "RDP Proxy";
    if (!of_session && !of_proxy && t.tag != "wabauth" && t.tag != "wabengine") return json::ignored("record", t.tag);
    Pairs p(kNames);
    p.read(t.pairs, ' ');
    if (!of_session && !of_proxy) return login(p, e);
    const Fate fate = of_session ? session(p, e) : step(p, e);
    e.application = application_of(t.tag);
    e.service = t.tag.starts_with("SSH") || t.tag == "sshproxy"   ? Service::kSsh
                : t.tag.starts_with("RDP") || t.tag == "rdpproxy" ? Service::kRdp
                : t.tag.starts_with("Web")                        ? Service::kWeb
                                                                  : Service::kOther;
    return fate;
  }

 private:
  static Symbol application_of(std::string_view tag) {
    if (tag.ends_with("proxy")) return core::intern(tag.substr(0, 3));
    return lower_symbol(tag.substr(0, tag.find(' ')));
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_wallix_bastion(const core::TimeReader&) {
  return std::make_unique<WallixBastion>();
}

}  // namespace orbwatch::decode

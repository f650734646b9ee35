// strongSwan's IKE daemon charon: syslog (charon, charon-systemd, ipsec) and its own log files.
//
// Sources: src/libcharon of strongSwan 4 to 6: sa/ikev1/tasks and sa/ikev2 (authenticators, tasks/ike_auth.c,
// child_create.c, child_delete.c), sa/ike_sa.c, sa/eap, plugins eap_mschapv2, eap_radius, xauth_generic, xauth_pam;
// bus/listeners/file_logger.c.
//   charon[32532]: 08[IKE] <84> 203.0.113.7 is initiating an IKE_SA
//   charon: 06[IKE] <rw|84> IKE_SA rw[84] established between 192.0.2.1[vpn.example]...203.0.113.7[alice@corp.example]
//   charon: 06[IKE] <rw|84> assigning virtual IP 10.3.0.1 to peer 'alice'
// Most lines name the connection's number ("<rw|84>") and either the user or the address. The number is session_id, so
// that a device's lines of one connection can be joined. What is not said in kMessages is ignored by the name of its
// group ("charon NET").
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using core::skip_prefix;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kIke = core::intern("ipsec");
const Symbol kNoAddress = core::intern("strongswan: no address");
const Symbol kNobody = core::intern("charon line that names nobody");
const Symbol kOther = core::intern("charon other message");

// The log groups of libstrongswan (utils/debug.c).
constexpr std::array<std::string_view, 18> kGroups = {"DMN", "MGR", "IKE", "CHD", "JOB", "CFG", "KNL", "NET", "ASN",
                                                      "ENC", "TNC", "IMC", "IMV", "PTS", "TLS", "APP", "ESP", "LIB"};

// "08[IKE] <rw|84> text", "06[NET] text", "[IKE] text"; with ike_name = no or in old versions without the connection.
struct Line {
  std::string_view group;
  std::string_view connection;
  std::uint64_t number = 0;
  std::string_view text;
};

bool scan_line(std::string_view message, Line& out) {
  Scanner s(message);
  while (is_digit(s.peek())) s.advance(1);
  if (!s.skip('[')) return false;
  out.group = s.until(']');
  if (out.group.size() == 4 && is_digit(out.group[3])) out.group.remove_suffix(1);  // log_level = yes: "[IKE1]"
  if (!s.skip("] ") || std::find(kGroups.begin(), kGroups.end(), out.group) == kGroups.end()) return false;
  if (s.peek() == '<') {
    Scanner ahead = s;
    ahead.advance(1);
    std::string_view name = ahead.until('>');
    const auto bar = name.rfind('|');
    if (bar != name.npos) {
      out.connection = name.substr(0, bar);
      name.remove_prefix(bar + 1);
    }
    if (!name.empty() && is_digit(name[0]) && ahead.skip("> ")) {
      out.number = Scanner(name).number();
      s = ahead;
    } else {
      out.connection = {};
    }
  }
  out.text = s.rest();
  return true;
}

// What stands between the quotes that follow `words`. Identities may hold quotes: the last one before `behind` ends it.
std::string_view identity(std::string_view text, std::string_view words, std::string_view behind) {
  const auto at = text.find(words);
  if (at == text.npos) return {};
  text.remove_prefix(at + words.size());
  if (!skip_prefix(text, "'")) return {};
  return text.substr(0, behind.empty() ? text.rfind('\'') : text.find(behind));
}

// An IKE identity: a user's name, an address (Windows' clients), a distinguished name with CN=.
void put_identity(std::string_view name, Event& e) {
  if (name.empty() || name == "%any" || core::Ip::parse(name)) return;
  if (const auto cn = name.find("CN="); cn != name.npos) {
    name = name.substr(cn + 3);
    name = name.substr(0, name.find(','));
  }
  set_typed_user(e, name);
}

Fate login(Event& e, Outcome outcome, AuthMethod method, std::string_view reason = {}) {
  put_login(e, outcome, Service::kVpn);
  e.auth_method = method;
  if (!reason.empty()) e.reason = closed_reason(reason);
  return e.user.present() || e.source_ip.present() || e.session_id != 0 ? Fate::kept() : Fate::ignored(kNobody);
}

Fate fact(Event& e, Outcome outcome, std::string_view reason = {}) {
  const Fate fate = login(e, outcome, AuthMethod::kOther, reason);
  e.activity = Activity::kObserved;
  return fate;
}

// "RSA signature", "EAP", "pre-shared key", "RSA_EMSA_PKCS1_SHA2_384", "ED25519" ...
AuthMethod method_of(std::string_view words) {
  if (words.starts_with("EAP")) return AuthMethod::kOther;
  if (words.starts_with("pre-shared")) return AuthMethod::kPassword;
  if (words.contains("signature") || words.starts_with("RSA") || words.starts_with("ECDSA") ||
      words.starts_with("ED25519") || words.starts_with("ED448"))
    return AuthMethod::kCertificate;
  return AuthMethod::kOther;
}

// "192.0.2.1[vpn.example]...203.0.113.7[alice]" at the cursor: this side, the other side.
bool scan_sides(Scanner& s, Event& e) {
  if (!s.ip(e.destination_ip)) return false;
  if (!s.skip('[')) return false;
  if (!s.skip_past("]...") || !s.ip(e.source_ip)) return false;
  if (s.skip('[')) {
    std::string_view name = s.rest();
    name = name.substr(0, name.rfind(']'));
    put_identity(name, e);
  }
  return true;
}

Fate session(Event& e, Activity activity) {
  put_session(e, activity, kIke);
  return e.user.present() || e.source_ip.present() || e.session_id != 0 ? Fate::kept() : Fate::ignored(kNobody);
}

Fate handshake(Event& e, Activity activity, Outcome outcome = Outcome::kUnknown, std::string_view reason = {}) {
  e.event_class = Class::kHandshake;
  e.activity = activity;
  e.outcome = outcome;
  if (!reason.empty()) e.reason = core::intern(reason);
  return e.source_ip.present() || e.session_id != 0 ? Fate::kept() : Fate::ignored(kNobody);
}

// The number in "rw[84]" or "rw{3}", for lines without "<rw|84>" in front.
void put_connection(std::string_view text, Event& e) {
  const auto open = text.find_first_of("[ ");
  if (open == text.npos || text[open] != '[') return;
  if (!e.group.present()) e.group = core::intern(text.substr(0, open));
  if (e.session_id == 0) e.session_id = Scanner(text.substr(open + 1)).number();
}

// "IKE_SA rw[84] established between A[id]...B[id]"
Fate established(std::string_view text, Event& e) {
  put_connection(text, e);
  Scanner s(text);
  if (!s.skip_past(" between ") || !scan_sides(s, e)) return Fate::rejected(kNoAddress);
  e.outcome = Outcome::kSuccess;
  return session(e, Activity::kStart);
}

// "deleting IKE_SA rw[84] between A[id]...B[id]"
Fate deleting(std::string_view text, Event& e) {
  put_connection(text, e);
  Scanner s(text);
  if (s.skip_past(" between ")) scan_sides(s, e);
  return session(e, Activity::kEnd);
}

// "CHILD_SA rw{3} established with SPIs c1_i c2_o and TS 10.0.0.0/16 === 10.3.0.1/32"
Fate child_established(std::string_view text, Event& e) {
  // One address on the other side is the client's; a network is a branch's.
  if (const auto to = text.find(" === "); to != text.npos) {
    const std::string_view remote = text.substr(to + 5);
    const std::string_view one = remote.substr(0, remote.find(' '));
    if (one.ends_with("/32") || one.ends_with("/128")) e.assigned_ip = given_ip(one.substr(0, one.find('/')));
  }
  return session(e, Activity::kUpdate);
}

// "closing CHILD_SA rw{3} with SPIs c1_i (123 bytes) c2_o (456 bytes) and TS ..."
Fate child_closed(std::string_view text, Event& e) {
  Scanner s(text);
  if (s.skip_past("_i (")) e.source_bytes = s.number();
  if (s.skip_past("_o (")) e.destination_bytes = s.number();
  e.reason = core::intern("CHILD_SA closed");
  return session(e, Activity::kUpdate);
}

// "authentication of 'alice' with EAP successful", "... (myself) with RSA signature successful", "... with pre-shared
// key failed"
Fate authentication(std::string_view text, Event& e) {
  const auto with = text.rfind("' with ");
  if (with == text.npos) return Fate::ignored("charon own authentication");  // "(myself)"
  put_identity(identity(text, "of ", "' with "), e);
  const std::string_view words = text.substr(with + 7);
  if (words.ends_with("successful")) return login(e, Outcome::kSuccess, method_of(words));
  if (words.contains("failed")) return login(e, Outcome::kFailure, method_of(words));
  return Fate::ignored(kOther);
}

// "XAuth authentication of 'alice' successful", "... failed"; "(myself)" is the client's side.
Fate xauth(std::string_view text, Event& e) {
  if (text.contains("(myself)")) return Fate::ignored("charon own authentication");
  put_identity(identity(text, "of ", text.contains("' successful") ? "' successful" : "' failed"), e);
  if (text.ends_with("successful")) return login(e, Outcome::kSuccess, AuthMethod::kPassword);
  return login(e, Outcome::kFailure, AuthMethod::kPassword);
}

// "EAP method EAP_MSCHAPV2 failed for peer alice"
Fate eap(std::string_view text, Event& e) {
  const auto failed = text.find(" failed for peer ");
  if (failed == text.npos) return Fate::ignored("charon EAP detail");
  put_identity(text.substr(failed + 17), e);
  return login(e, Outcome::kFailure, AuthMethod::kOther, "EAP failed");
}

// The words with which a message begins, and what reads it.
struct Message {
  std::string_view begins;
  Fate (*read)(std::string_view text, Event& e);
};

Fate read_ike_sa(std::string_view text, Event& e) {
  text.remove_prefix(7);
  return text.contains(" established between ") ? established(text, e) : Fate::ignored("charon IKE_SA state");
}
Fate read_child_sa(std::string_view text, Event& e) {
  return text.contains(" established with SPIs ") ? child_established(text, e) : Fate::ignored("charon CHILD_SA state");
}
Fate read_deleting(std::string_view text, Event& e) { return deleting(text.substr(16), e); }
Fate read_half_open(std::string_view text, Event& e) {
  Scanner s(text);
  if (s.skip_past(" with ")) s.ip(e.source_ip);
  return handshake(e, Activity::kEnd, Outcome::kFailure, "timeout before authentication");
}
Fate read_assigning(std::string_view text, Event& e) {
  Scanner s(text);
  if (s.skip_past("virtual IP ")) s.ip(e.assigned_ip);
  put_identity(identity(text, "to peer ", {}), e);
  return session(e, Activity::kUpdate);
}
Fate read_eap_identity(std::string_view text, Event& e) {
  put_identity(identity(text, "identity ", {}), e);
  return fact(e, Outcome::kUnknown, "EAP identity");
}
// "EAP-MS-CHAPv2 username: 'alice'", "EAP-MS-CHAPv2 verification failed, retry (1)". When no retry is left, "EAP method
// ... failed" follows and counts.
Fate read_mschap(std::string_view text, Event& e) {
  if (text.contains("username: ")) {
    put_identity(identity(text, "username: ", {}), e);
    return fact(e, Outcome::kUnknown, "EAP identity");
  }
  if (text.contains("failed, retry")) return login(e, Outcome::kFailure, AuthMethod::kPassword, "wrong password");
  return Fate::ignored("charon EAP detail");
}
Fate read_no_eap_key(std::string_view text, Event& e) {
  // "no EAP key found for hosts 'vpn.example' - 'alice'"
  if (const auto at = text.rfind(" - '"); at != text.npos) put_identity(identity(text.substr(at), " - ", {}), e);
  return fact(e, Outcome::kFailure, "user not found");
}
Fate read_radius(std::string_view text, Event& e) {
  // "RADIUS authentication of 'alice' successful", "... failed"
  put_identity(identity(text, "of ", text.contains("' successful") ? "' successful" : "' failed"), e);
  const Fate fate = fact(e, text.ends_with("successful") ? Outcome::kSuccess : Outcome::kFailure);
  e.auth_method = AuthMethod::kRadius;
  return fate;
}
Fate read_xauth_pam(std::string_view text, Event& e) {
  // "XAuth pam_authenticate for 'alice' failed: System error"
  put_identity(identity(text, "for ", "' failed"), e);
  const auto why = text.find("failed: ");
  return fact(e, Outcome::kFailure, why == text.npos ? std::string_view{} : text.substr(why + 8));
}
Fate read_no_config(std::string_view text, Event& e) {
  // "no matching peer config found", "no IKE config found for A...B, sending NO_PROPOSAL_CHOSEN"
  if (const auto at = text.find("..."); at != text.npos) {
    Scanner s(text.substr(at + 3));
    s.ip(e.source_ip);
  }
  return handshake(e, Activity::kObserved, Outcome::kFailure, "no matching configuration");
}
Fate read_no_proposal(std::string_view, Event& e) {
  return handshake(e, Activity::kObserved, Outcome::kFailure, "no common algorithm");
}
// "no trusted RSA public key found for 'alice'": the certificate is unknown, expired or revoked.
Fate read_no_trusted(std::string_view text, Event& e) {
  put_identity(identity(text, "found for ", {}), e);
  return login(e, Outcome::kFailure, AuthMethod::kCertificate, "no trusted key");
}
// "received ZyXEL ZyWALL Router vendor ID": what the other side's software is. Ids of mere features are left out.
Fate read_vendor(std::string_view text, Event& e) {
  const auto end = text.find(" vendor ID");
  if (end == text.npos || end <= 9 || end > 64) return Fate::ignored("charon IKE");
  const std::string_view name = text.substr(9, end - 9);
  for (const std::string_view software :
       {"strongSwan"sv, "MS NT5 ISAKMPOAKLEY"sv, "Cisco VPN"sv, "Cisco Unity"sv, "ZyXEL"sv, "Sonicwall"sv,
        "Fortigate"sv, "Checkpoint"sv, "NetScreen"sv, "Juniper"sv}) {
    if (!name.starts_with(software)) continue;
    e.user_agent = core::intern(name);
    return handshake(e, Activity::kObserved);
  }
  return Fate::ignored("charon vendor ID");
}

constexpr std::array kMessages = {
    Message{"IKE_SA ", read_ike_sa},
    Message{"CHILD_SA ", read_child_sa},
    Message{"inbound CHILD_SA ", read_child_sa},
    Message{"outbound CHILD_SA ", read_child_sa},
    Message{"closing CHILD_SA ", child_closed},
    Message{"deleting IKE_SA ", read_deleting},
    Message{"deleting half open IKE_SA ", read_half_open},
    Message{"assigning virtual IP ", read_assigning},
    Message{"authentication of ", authentication},
    Message{"XAuth authentication of ", xauth},
    Message{"XAuth pam_authenticate for ", read_xauth_pam},
    Message{"RADIUS authentication of ", read_radius},
    Message{"received EAP identity ", read_eap_identity},
    Message{"EAP-MS-CHAPv2 ", read_mschap},
    Message{"EAP method ", eap},
    Message{"EAP vendor specific method ", eap},
    Message{"no trusted ", read_no_trusted},
    Message{"no EAP key found ", read_no_eap_key},
    Message{"no matching peer config found", read_no_config},
    Message{"no IKE config found", read_no_config},
    Message{"no peer config found", read_no_config},
    Message{"received proposals unacceptable", read_no_proposal},
    Message{"no proposal found", read_no_proposal},
    Message{"received ", read_vendor},
};

class StrongSwan final : public RecordDecoder {
 public:
  explicit StrongSwan(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.program == "charon" || r.program == "charon-systemd" || r.program == "charon-nm") return true;
    if (!r.program.empty() && r.program != "ipsec") return false;
    // pfSense and old versions log as "ipsec: 08[IKE] ..."; log files have a time and no program.
    Line line;
    if (scan_line(r.message, line)) return true;
    std::string_view text = r.raw;
    core::Nanoseconds time = 0;
    return r.program.empty() && skip_file_time(text, time) && scan_line(text, line);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    e.service = Service::kVpn;
    e.application = kIke;
    Line line;
    std::string_view text = r.message;
    if (!scan_line(text, line)) {
      text = r.raw;
      if (r.program.empty() && skip_file_time(text, e.time) && scan_line(text, line)) {
        e.observer = {};  // what the envelope took for a name
      } else {
        line.text = r.message;  // the journal of charon-systemd leaves out group and number
      }
    }
    e.session_id = line.number;
    e.group = core::intern(line.connection);
    return message(line, e);
  }

 private:
  // "Nov 22 08:00:00 08[IKE] ..." and "2026-11-22 08:00:00 08[IKE] ...": time_format of charon's file loggers.
  bool skip_file_time(std::string_view& text, core::Nanoseconds& time) const {
    std::string_view rest = text;
    if (rest.size() < 20) return false;
    const auto read = is_digit(rest[0]) ? core::parse_iso8601(rest, times_) : core::parse_bsd(rest, times_);
    if (!read || !skip_prefix(rest, " ")) return false;
    time = *read;
    text = rest;
    return true;
  }

  static Fate message(const Line& line, Event& e) {
    const std::string_view text = line.text;
    // "203.0.113.7 is initiating an IKE_SA", "... a Main Mode IKE_SA", "... IKE_SA rw[84]" (6.0)
    if (const auto at = text.find(" is initiating "); at < 64) {
      e.source_ip = given_ip(text.substr(0, at));
      return handshake(e, Activity::kStart);
    }
    for (const Message& known : kMessages) {
      if (text.starts_with(known.begins)) return known.read(text, e);
    }
    if (line.group.empty()) return Fate::ignored(kOther);
    std::array<char, 10> name;
    std::copy_n("charon ", 7, name.data());
    std::copy_n(line.group.begin(), 3, name.data() + 7);
    return Fate::ignored({name.data(), name.size()});
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_strongswan(const core::TimeReader& times) {
  return std::make_unique<StrongSwan>(times);
}

}  // namespace orbwatch::decode

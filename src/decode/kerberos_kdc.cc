// Key distribution centres beside Windows': MIT's krb5kdc (syslog or its own file) and Heimdal's kdc. Source of the
// texts: kdc_log.c of MIT Kerberos 1.4 to 1.21; kerberos5.c of Heimdal 1.5 to 7.
//
// Three sample lines:
//   Nov 20 08:15:30 kdc1 krb5kdc[123](info): AS_REQ (4 etypes {18 17 16 23}) 192.0.2.10: ISSUE: authtime 1795162530,
//   etypes {rep=18 tkt=18 ses=18}, alice@CORP.EXAMPLE for krbtgt/CORP.EXAMPLE@CORP.EXAMPLE
//   Nov 20 08:15:31 kdc1 krb5kdc[123](info): AS_REQ (4 etypes {18 17 16 23}) 203.0.113.7: PREAUTH_FAILED:
//   bob@CORP.EXAMPLE for krbtgt/CORP.EXAMPLE@CORP.EXAMPLE, Preauthentication failed 2026-11-20T08:15:32 AS-REQ
//   alice@CORP.EXAMPLE from IPv4:192.0.2.10 for krbtgt/CORP.EXAMPLE@CORP.EXAMPLE
//
// Ignored by name: tickets for services (TGS_REQ: they follow a log-in, they are none) and the first, empty request of
// each log-in (NEEDED_PREAUTH).
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "core/time.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoTime = core::intern("kerberos_kdc: no time");
const Symbol kNoAddress = core::intern("kerberos_kdc: no address");
const Symbol kNoPrincipal = core::intern("kerberos_kdc: no principal");
const Symbol kOther = core::intern("KDC other message");

struct Status {
  std::string_view name;
  std::string_view reason;
};
// MIT's names of what came of a request.
constexpr std::array kStatuses = {
    Status{"PREAUTH_FAILED", "wrong password"},
    Status{"CLIENT_NOT_FOUND", "no such user"},
    Status{"SERVER_NOT_FOUND", "no such server"},
    Status{"LOCKED_OUT", "account locked out"},
    Status{"CLIENT LOCKED OUT", "account locked out"},
    Status{"CLIENT EXPIRED", "account expired"},
    Status{"CLIENT KEY EXPIRED", "password expired"},
    Status{"REQUIRED PWCHANGE", "password must change"},
    Status{"CLOCK_SKEW", "clocks out of step"},
    Status{"BAD_ENCRYPTION_TYPE", "encryption type not supported"},
    Status{"PREAUTH_REQUIRED", "pre-authentication required"},
    Status{"NEEDED_HW_PREAUTH", "pre-authentication required"},
};

// What Heimdal writes to its own file, behind the time and without a program's name.
constexpr std::array<std::string_view, 6> kHeimdalBegins = {"AS-REQ ",
                                                            "TGS-REQ ",
                                                            "Failed to decrypt PA-DATA -- ",
                                                            "ENC-TS Pre-authentication succeeded -- ",
                                                            "UNKNOWN -- ",
                                                            "Client sent patypes: "};

bool is_heimdal(std::string_view text) {
  for (const std::string_view begin : kHeimdalBegins) {
    if (text.starts_with(begin)) return true;
  }
  return false;
}

// "alice@CORP.EXAMPLE", "alice\@corp.example@CORP.EXAMPLE", "HTTP/web.corp.example@CORP.EXAMPLE"
void set_principal(std::string_view text, Event& e) {
  text = core::trim(text);
  std::string_view realm;
  if (const auto at = text.rfind('@'); at != text.npos && (at == 0 || text[at - 1] != '\\')) {
    realm = text.substr(at + 1);
    text = text.substr(0, at);
  }
  if (const auto at = text.find("\\@"); at != text.npos) {  // an enterprise name carries its own domain
    realm = text.substr(at + 2);
    text = text.substr(0, at);
  }
  if (text.empty() || text == "<unknown client>") return;
  e.user = core::intern(text);
  if (!realm.empty()) e.user_domain = core::intern(realm);
}

class KerberosKdc final : public RecordDecoder {
 public:
  explicit KerberosKdc(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.program == "krb5kdc" || r.program == "kdc") return true;
    if (r.program.empty() && r.message.starts_with("krb5kdc[")) return true;
    return is_own_file(r.raw) && is_heimdal(r.raw.substr(20));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    std::string_view text = r.message;
    if (r.program.empty() && text.starts_with("krb5kdc[")) {
      // MIT's own file: "krb5kdc[123](info): "
      const auto end = text.find("): ");
      text = end == text.npos ? std::string_view{} : text.substr(end + 3);
    } else if (r.program != "krb5kdc" && r.program != "kdc") {
      std::string_view when = r.raw.substr(0, 19);
      e.time = core::parse_iso8601(when, times_).value_or(0);
      e.observer = {};  // the envelope took the first word for a host
      text = r.raw.substr(20);
    }
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.event_class = Class::kAuthentication;
    e.activity = Activity::kLogon;
    e.service = Service::kKerberos;
    e.auth_method = AuthMethod::kKerberos;
    if (skip_prefix(text, "AS_REQ ")) return mit(text, e);
    if (text.starts_with("TGS_REQ ") || text.starts_with("TGS-REQ ")) return Fate::ignored("TGS_REQ");
    return heimdal(text, e);
  }

 private:
  // "2026-11-20T08:15:32 "
  static bool is_own_file(std::string_view raw) {
    return raw.size() > 26 && raw[4] == '-' && raw[10] == 'T' && raw[19] == ' ';
  }

  // "(4 etypes {18 17}) 192.0.2.10: STATUS: [authtime N, etypes {...}, ]CLIENT for SERVER[, text]"
  static Fate mit(std::string_view text, Event& e) {
    Scanner s(text);
    if (!s.skip_past("}) ") || !s.ip(e.source_ip) || !s.skip(": ")) return Fate::rejected(kNoAddress);
    text = s.rest();
    const auto colon = text.find(": ");
    if (colon == text.npos) return Fate::ignored(kOther);
    const std::string_view status = text.substr(0, colon);
    if (status == "NEEDED_PREAUTH" || status == "REFERRAL") return Fate::ignored(core::intern(status));
    text.remove_prefix(colon + 2);
    if (status == "ISSUE") {
      e.outcome = Outcome::kSuccess;
      e.code = core::intern("ISSUE");
      if (const auto types = text.find("}, "); types != text.npos) text.remove_prefix(types + 3);
    } else {
      e.outcome = Outcome::kFailure;
      set_status(status, e);
    }
    // A name that was typed may hold these words; the server's stands at the end.
    set_principal(text.substr(0, text.rfind(" for ")), e);
    return e.user.present() ? Fate::kept() : Fate::rejected(kNoPrincipal);
  }

  static void set_status(std::string_view status, Event& e) {
    e.reason = core::intern("other KDC status");
    for (const Status& row : kStatuses) {
      if (row.name != status) continue;
      e.code = core::intern(row.name);
      e.reason = core::intern(row.reason);
    }
  }

  // Heimdal tells the address in one line and what came of it in another.
  static Fate heimdal(std::string_view text, Event& e) {
    if (skip_prefix(text, "AS-REQ ")) {
      const auto from = text.rfind(" from IPv");
      if (from == text.npos) return Fate::ignored(kOther);  // "AS-REQ authtime: ..."
      set_principal(text.substr(0, from), e);
      std::string_view address = text.substr(from + 9);
      address = address.substr(address.find(':') + 1);
      e.source_ip = json::ip(address.substr(0, address.find(" for ")));
      e.activity = Activity::kObserved;
      e.code = core::intern("AS-REQ");
      return e.user.present() && e.source_ip.present() ? Fate::kept() : Fate::rejected(kNoAddress);
    }
    const bool good = skip_prefix(text, "ENC-TS Pre-authentication succeeded -- ");
    const bool bad = !good && skip_prefix(text, "Failed to decrypt PA-DATA -- ");
    const bool unknown = !good && !bad && skip_prefix(text, "UNKNOWN -- ");
    if (!good && !bad && !unknown) return Fate::ignored(kOther);
    const std::string_view end = good ? " using " : bad ? " (enctype" : ": ";
    set_principal(text.substr(0, text.rfind(end)), e);
    e.outcome = good ? Outcome::kSuccess : Outcome::kFailure;
    if (!good) e.reason = core::intern(bad ? "wrong password" : "no such user");
    return e.user.present() ? Fate::kept() : Fate::rejected(kNoPrincipal);
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_kerberos_kdc(const core::TimeReader& times) {
  return std::make_unique<KerberosKdc>(times);
}

}  // namespace orbwatch::decode

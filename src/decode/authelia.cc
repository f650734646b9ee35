// Authelia: first and second factors, from its log as text (the default) or JSON.
// Spec: https://www.authelia.com/configuration/miscellaneous/logging/ and the messages of its regulator and handlers.
//
// Three sample records (shortened):
//   time="2026-11-22T08:00:00Z" level=error msg="Unsuccessful 1FA authentication attempt by user 'bob'" error="invalid
//   credentials" method=POST path=/api/firstfactor remote_ip=203.0.113.9
//   {"level":"error","method":"POST","msg":"Unsuccessful TOTP authentication attempt by user 'alice'","path":"/api/
//   secondfactor/totp","remote_ip":"203.0.113.7","time":"2026-11-22T08:00:01Z"}
//   {"level":"debug","msg":"Successful 1FA authentication attempt made by user 'alice'",...}
// Ignored by name: requests for pages ("access to a page"), everything else ("authelia other message").
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/pairs.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Activity;
using event::AuthMethod;
using event::Mfa;
using event::Outcome;
using event::Service;

const Symbol kNotJson = core::intern("authelia: not JSON");
const Symbol kNoTime = core::intern("authelia: no time");
const Symbol kNobody = core::intern("authelia: neither user nor address");
const Symbol kAccess = core::intern("access to a page");
const Symbol kOther = core::intern("authelia other message");
const Symbol kBanned = core::intern("banned");
const Symbol kNoSuchUser = core::intern("no such user");

enum Field : std::uint8_t { kTime, kMessage, kError, kAddress, kPath, kKeys };

// In the order of the enumeration.
const KeyNames<kKeys> kNames(std::array<std::string_view, kKeys>{"time", "msg", "error", "remote_ip", "path"});
const json::Fields kFields(
    {{"time", kTime}, {"msg", kMessage}, {"error", kError}, {"remote_ip", kAddress}, {"path", kPath}});

// How the messages of the server itself begin: they have no request and no name of the program in them.
constexpr std::array<std::string_view, 8> kServer = {
    "Authelia ",         "Storage schema ",      "Startup ",           "Listening for ", "Log severity ",
    "Logging severity ", "Initializing server ", "Performing Startup "};

bool is_server(std::string_view message) {
  for (const std::string_view begin : kServer) {
    if (message.starts_with(begin)) return true;
  }
  return false;
}

class Authelia final : public json::TableDecoder {
 public:
  explicit Authelia(const core::TimeReader& times) : TableDecoder(kFields, kNotJson), times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.json) {
      const bool request = (json::keys_of(r) & json::kRemoteIp) != 0;
      if (!request && (json::products_of(r) & json::kTime) == 0) return false;
      const std::string_view message = json::raw_member(r, "msg");
      if (!message.starts_with('"') || json::raw_member(r, "level").empty()) return false;
      return request ? !json::raw_member(r, "path").empty() : is_server(message.substr(1));
    }
    if (!r.message.starts_with("time=\"")) return false;
    if (r.program == "authelia") return true;
    if (r.message.contains(" remote_ip=")) return r.message.contains(" path=/");
    const auto message = r.message.substr(0, 64).find(" msg=\"");
    return message != r.message.npos && is_server(r.message.substr(message + 6));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (r.json) return TableDecoder::decode(r, e);
    Values<kKeys> values(kNames);
    values.read(r.message, ' ');
    return fill(values, e);
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override { return fill(row, e); }

  template <typename Texts>
  Fate fill(const Texts& texts, Event& e) const {
    std::string_view t = texts[kMessage];
    const bool good = skip_prefix(t, "Successful ");
    if (good || skip_prefix(t, "Unsuccessful ")) {
      const std::string_view factor = core::take_until(t, ' ');
      if (!skip_prefix(t, good ? "authentication attempt made by user '" : "authentication attempt by user '"))
        return Fate::ignored(kOther);
      put_login(e, good ? Outcome::kSuccess : Outcome::kFailure, Service::kWeb);
      put_factor(factor, e);
      // Who tries typed the name; what stands behind it is Authelia's own.
      auto end = t.rfind("' and they are banned until ");
      if (end != t.npos) {
        e.reason = kBanned;
      } else {
        end = t.ends_with('\'') ? t.size() - 1 : t.find("': ");
        if (!good) put_reason(end < t.size() - 1 ? t.substr(end + 3) : texts[kError], e);
      }
      set_typed_user(e, t.substr(0, end));
    } else if (skip_prefix(t, "Error occurred getting details for user with username input '")) {
      put_login(e, Outcome::kFailure, Service::kWeb);
      put_factor("1FA", e);
      e.reason = kNoSuchUser;
      set_typed_user(e, t.substr(0, t.rfind("' which usually indicates")));
    } else {
      return Fate::ignored(t.starts_with("Access to ") ? kAccess : kOther);
    }
    if (const auto time = read_time(texts[kTime])) e.time = time;
    if (e.time == 0) return Fate::rejected(kNoTime);
    json::set_source(e, texts[kAddress]);
    return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNobody);
  }

  core::Nanoseconds read_time(std::string_view text) const { return core::parse_iso8601(text, times_).value_or(0); }

  static void put_factor(std::string_view factor, Event& e) {
    e.code = core::intern(is_known(factor) ? factor : std::string_view("other"));
    if (factor == "1FA") {
      e.auth_method = AuthMethod::kPassword;
      return;
    }
    e.activity = Activity::kChallenge;
    e.mfa = Mfa::kYes;
    e.auth_method = factor == "WebAuthn" || factor == "U2F" ? AuthMethod::kPublicKey : AuthMethod::kOther;
  }

  static bool is_known(std::string_view factor) {
    return factor == "1FA" || factor == "TOTP" || factor == "WebAuthn" || factor == "Webauthn" || factor == "U2F" ||
           factor == "Duo";
  }

  static void put_reason(std::string_view text, Event& e) {
    if (text.starts_with("user not found")) {
      e.reason = kNoSuchUser;
    } else {
      e.reason = closed_reason(text);
    }
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_authelia(const core::TimeReader& times) {
  return std::make_unique<Authelia>(times);
}

}  // namespace orbwatch::decode

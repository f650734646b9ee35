// Apache Guacamole: log-ins, failures, log-outs and remote desktops, from the log of its web application (Logback,
// alone or within Tomcat's, a container's or syslog's); guacd. Spec:
// https://guacamole.apache.org/doc/gug/configuring-guacamole.html (logging) and the messages of its
// AuthenticationService, EventLoggingListener and TunnelRequestService.
//
// Three sample lines:
//   2026-11-22T08:00:00,123Z [http-nio-8080-exec-3] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt
//   from [203.0.113.9, 198.51.100.2] for user "bob" failed.
//   2026-11-22T08:00:01,123Z [http-nio-8080-exec-4] INFO  o.a.g.r.auth.AuthenticationService - User "alice"
//   successfully authenticated from [203.0.113.7, 198.51.100.2]. 2026-11-22T08:00:02,123Z [http-nio-8080-exec-5] INFO
//   o.a.g.tunnel.TunnelRequestService - User "alice" connected to connection "7".
// Ignored by name: changes of objects and everything else ("guacamole other message"), "guacd message", "Tomcat
// message".
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using core::skip_prefix;
using event::Activity;
using event::Outcome;
using event::Service;

const Symbol kNoTime = core::intern("guacamole: no time");
const Symbol kNobody = core::intern("guacamole: neither user nor address");
const Symbol kOther = core::intern("guacamole other message");
const Symbol kProxy = core::intern("guacd message");
const Symbol kTomcat = core::intern("Tomcat message");
const Symbol kGuacamole = core::intern("guacamole");

bool is_level(std::string_view word) {
  return word == "INFO" || word == "WARN" || word == "ERROR" || word == "DEBUG" || word == "TRACE";
}

// "[08:00:00.123 ][thread] LEVEL  logger - message" of Guacamole's loggers; false if it is none.
bool split(std::string_view line, std::string_view& message) {
  if (line.empty() || (line[0] != '[' && !is_digit(line[0]))) return false;
  Scanner s(line);
  if (is_digit(s.peek())) {
    if (line.size() < 13 || line[2] != ':' || line[5] != ':') return false;
    s.word();
    s.skip(' ');
  }
  if (!s.skip('[') || !s.skip_past("] ")) return false;
  if (!is_level(s.word())) return false;
  s.spaces();
  const std::string_view logger = s.word();
  if (!logger.starts_with("o.a.g.") && !logger.starts_with("o.a.guacamole.") &&
      !logger.starts_with("o.apache.guacamole.") && !logger.starts_with("org.apache.guacamole."))
    return false;
  if (!s.skip(" - ")) return false;
  message = s.rest();
  return true;
}

// "22-Nov-2026 08:00:00.123 INFO [main] org.apache.coyote...", as Tomcat writes about itself into the same file.
bool is_tomcat(std::string_view line) {
  return line.size() > 40 && line[2] == '-' && line[6] == '-' && line[11] == ' ' && line[14] == ':' &&
         line[20] == '.' && is_digit(line[0]) && core::month_number(line.substr(3, 3)) != 0 &&
         line.substr(24, 96).contains("] org.apache.");
}

class Guacamole final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    std::string_view message;
    return split(r.message, message) || is_tomcat(r.message) || is_proxy(r);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    std::string_view t;
    if (!split(r.message, t)) return Fate::ignored(is_proxy(r) ? kProxy : kTomcat);
    if (const Fate fate = read(t, e); fate.verdict != Verdict::kEvent) return fate;
    if (e.time == 0) return Fate::rejected(kNoTime);
    return e.user.present() || e.source_ip.present() ? Fate::kept() : Fate::rejected(kNobody);
  }

 private:
  static bool is_proxy(const TextRecord& r) { return r.program == "guacd" || r.message.starts_with("guacd["); }

  static Fate read(std::string_view t, Event& e) {
    if (skip_prefix(t, "Authentication attempt from ")) return attempt(t, e);
    const bool empty = skip_prefix(t, "Anonymous authentication attempt from ");
    if (empty) {
      put_login(e, Outcome::kFailure, Service::kWeb);
      json::set_source(e, first_address(t));
      e.reason = core::intern("no user name");
      return Fate::kept();
    }
    if (!skip_prefix(t, "User \"")) return Fate::ignored(kOther);
    // Who tries typed the name: the words are looked for from the end.
    if (const auto at = t.rfind(" successfully authenticated from "); at != t.npos) {
      put_login(e, Outcome::kSuccess, Service::kWeb);
      put_user(t.substr(0, at), e);
      json::set_source(e, first_address(t.substr(at + 33)));
      return Fate::kept();
    }
    if (const auto at = t.rfind(" has logged out"); at != t.npos) {
      put_login(e, Outcome::kUnknown, Service::kWeb);
      e.activity = Activity::kLogoff;
      put_user(t.substr(0, at), e);
      return Fate::kept();
    }
    for (const Join& join : kJoins) {
      const auto at = t.rfind(join.words);
      if (at == t.npos) continue;
      put_session(e, join.activity, kGuacamole);
      e.service = Service::kWeb;
      set_typed_user(e, t.substr(0, at));
      Scanner s(t.substr(at + join.words.size()));
      e.destination_name = core::intern(s.until('"'));
      if (s.skip("\". Duration: ")) {
        // At most a month: a larger number is no duration.
        e.duration = static_cast<core::Nanoseconds>(std::min<std::uint64_t>(s.number(), 31ULL * 86400 * 1000)) *
                     core::kMillisecond;
      }
      return Fate::kept();
    }
    return Fate::ignored(kOther);
  }

  struct Join {
    std::string_view words;
    Activity activity;
  };
  static constexpr std::array kJoins = {
      Join{"\" disconnected from connection \"", Activity::kEnd},
      Join{"\" disconnected from connection group \"", Activity::kEnd},
      Join{"\" connected to connection \"", Activity::kStart},
      Join{"\" connected to group \"", Activity::kStart},
      Join{"\" disconnected from group \"", Activity::kEnd},
  };

  // "ADDRESSES for user "NAME" failed[: REASON[ (rejected by "PROVIDER")]]",
  // "... requires additional credentials to continue: REASON"
  static Fate attempt(std::string_view t, Event& e) {
    const auto user = t.find(" for user \"");
    if (user == t.npos) return Fate::ignored(kOther);
    json::set_source(e, first_address(t.substr(0, user)));
    t.remove_prefix(user + 11);
    if (const auto more = t.rfind("\" requires additional credentials"); more != t.npos) {
      put_login(e, Outcome::kUnknown, Service::kWeb);
      e.activity = Activity::kChallenge;
      set_typed_user(e, t.substr(0, more));
      return Fate::kept();
    }
    const auto failed = t.rfind("\" failed");
    if (failed == t.npos) return Fate::ignored(kOther);
    put_login(e, Outcome::kFailure, Service::kWeb);
    set_typed_user(e, t.substr(0, failed));
    std::string_view why = t.substr(failed + 8);
    if (skip_prefix(why, ": ")) e.reason = closed_reason(why.substr(0, why.find(" (rejected by ")));
    return Fate::kept();
  }

  // "NAME"" or "NAME" (authenticated by "PROVIDER")"
  static void put_user(std::string_view text, Event& e) {
    if (const auto by = text.rfind("\" (authenticated by \""); by != text.npos) text = text.substr(0, by + 1);
    if (text.ends_with('"')) text.remove_suffix(1);
    set_typed_user(e, text);
  }

  // "203.0.113.7", "[203.0.113.7, 198.51.100.2]": the client first, then the proxies it came through.
  static std::string_view first_address(std::string_view text) {
    text = core::trim(text);
    if (skip_prefix(text, "[")) text = text.substr(0, text.find_first_of(",]"));
    return text;
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_guacamole(const core::TimeReader&) { return std::make_unique<Guacamole>(); }

}  // namespace orbwatch::decode

// Sources: the texts of the events in Windows Server 2008 to 2022, "RAS Connection Establishment" and "RAS Connection
// Termination" (Microsoft Learn); StoreFront's event log "Citrix Delivery Services".
#include "decode/windows_classic.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/text.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::AuthMethod;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kStoreFrontOther = core::intern("channel Citrix Delivery Services");
const Symbol kNobody = core::intern("remote access without user or address");

constexpr std::size_t kMostStrings = 16;
constexpr std::string_view kToEnd;

// What stands before each string of an event in its text; behind the last one stands the last word.
struct Text {
  unsigned id = 0;
  std::size_t count = 0;
  std::array<std::string_view, kMostStrings> words;
};
constexpr Text text(unsigned id, std::initializer_list<std::string_view> words) {
  Text out;
  out.id = id;
  for (const std::string_view word : words) out.words[out.count++] = word;
  return out;
}
constexpr std::array kTexts = {
    text(20209, {"VPN server and the VPN client ", " has been established"}),
    text(20249, {"The user ", " has connected and failed to authenticate on port ", ". "}),
    text(20250, {"The user ", " has connected and has been successfully authenticated on port ", kToEnd}),
    text(20253, {"The user ", " connected to port ", " has been disconnected because no network"}),
    text(20255, {"Point to Point Protocol module on port: ", ", UserName: ", ". ", kToEnd}),
    text(20271, {"The user ", " connected from ",
                 " but failed an authentication attempt due to the following reason: ", kToEnd}),
    text(20272, {"The user ", " connected on port ", " on ", " at ", " and disconnected on ", " at ",
                 "The user was active for ", " minutes ", " seconds.", " bytes were sent and ",
                 " bytes were received. The reason for disconnecting was ", kToEnd}),
    text(20274, {"The user ", " connected on port ", " has been assigned address ", kToEnd}),
    text(20275, {"The user with ip address ", " has disconnected"}),
};

constexpr std::size_t kGuid = 38;  // "{8B3F...}" with its braces

// The identifiers in front of the others: the routing domain's, then the connection's ("CoID"), which may be missing.
bool is_identifier(std::string_view string) {
  return (string.size() >= 2 && string.front() == '{' && string.back() == '}') || string == "NA";
}

// The insertion strings of an event without its identifiers.
class Strings {
 public:
  Strings(unsigned id, std::span<const std::string_view> given, std::string_view message) {
    if (given.empty()) {
      read(id, message);
      return;
    }
    for (; !given.empty() && is_identifier(given.front()); given = given.subspan(1)) note(given.front());
    count_ = std::min(given.size(), kMostStrings);
    std::copy_n(given.begin(), count_, strings_.begin());
  }

  std::string_view operator[](std::size_t i) const { return i < count_ ? core::trim(strings_[i]) : std::string_view{}; }
  std::uint64_t number(std::size_t i) const { return json::number((*this)[i]).value_or(0); }
  std::string_view connection() const { return connection_; }

 private:
  void note(std::string_view identifier) {
    if (identifier.size() == kGuid) connection_ = identifier;
  }

  // "RoutingDomainID- {...}: CoID={...}: The user ..."
  void read(unsigned id, std::string_view message) {
    const auto found = std::find_if(kTexts.begin(), kTexts.end(), [id](const Text& t) { return t.id == id; });
    if (found == kTexts.end()) return;
    const auto begin = message.find(found->words[0]);
    if (begin == message.npos) return;
    const std::string_view head = message.substr(0, begin);
    for (auto at = head.find('{'); at != head.npos; at = head.find('{', at + 1)) {
      if (const auto end = head.find('}', at); end != head.npos) note(head.substr(at, end - at + 1));
    }
    message.remove_prefix(begin + found->words[0].size());
    for (std::size_t i = 1; i < found->count; ++i) {
      const std::string_view word = found->words[i];
      const auto end = word == kToEnd ? message.size() : message.find(word);
      if (end == message.npos) return;
      strings_[count_++] = message.substr(0, end);
      message.remove_prefix(end + word.size());
    }
  }

  std::array<std::string_view, kMostStrings> strings_;
  std::size_t count_ = 0;
  std::string_view connection_;
};

// Sources of remote access count from 20000.
Fate ignored(std::string_view prefix, unsigned id) {
  std::array<char, 8> number;
  const auto [end, error] = std::to_chars(number.data(), number.data() + number.size(), id);
  const std::string_view text(number.data(), static_cast<std::size_t>(end - number.data()));
  return json::ignored(prefix, id >= 20000 && id < 20500 ? text : std::string_view("other"));
}

// RRAS has "<Unauthenticated User>" for nobody.
void put_user(std::string_view name, Event& e) {
  if (!name.starts_with('<')) set_typed_user(e, name);
}

void put_end(std::string_view reason, Event& e) {
  put_session(e, Activity::kEnd);
  e.reason = closed_reason(reason);
}

// 20249 and 20255 tell of the same failure as 20271, which has the client's address.
void put_observed_failure(std::string_view reason, Event& e) {
  put_login(e, Outcome::kFailure, Service::kVpn);
  e.activity = Activity::kObserved;
  e.reason = closed_reason(reason);
}

Fate remote_access(unsigned id, const Strings& s, Event& e) {
  switch (id) {
    case 20249:
      put_observed_failure("authentication failure", e);
      put_user(s[0], e);
      break;
    case 20250:
      put_login(e, Outcome::kSuccess, Service::kVpn);
      put_user(s[0], e);
      break;
    case 20253:
      put_end("no network protocol", e);
      put_user(s[0], e);
      break;
    case 20255:
      put_observed_failure(s[2], e);
      put_user(s[1], e);
      break;
    case 20271:
      put_login(e, Outcome::kFailure, Service::kVpn);
      put_user(s[0], e);
      e.source_ip = given_ip(s[1]);
      e.reason = closed_reason(s[2]);
      break;
    case 20272: {
      put_end(s[10].substr(0, s[10].find(". ")), e);
      put_user(s[0], e);
      e.duration = seconds(std::min<std::uint64_t>(s.number(6), UINT32_MAX) * 60 +
                           std::min<std::uint64_t>(s.number(7), UINT32_MAX));
      // Sent by the server, to the client.
      e.destination_bytes = s.number(8);
      e.source_bytes = s.number(9);
      break;
    }
    case 20274:
      put_session(e, Activity::kStart);
      put_user(s[0], e);
      e.assigned_ip = given_ip(s[2]);
      break;
    case 20275:
      put_end({}, e);
      e.assigned_ip = given_ip(s[0]);
      break;
    default: return ignored("RemoteAccess event", id);
  }
  if (!s.connection().empty()) e.session_id = core::hash64(s.connection());
  return Fate::kept();
}

// 20209: a client has connected, and its tunnel (GRE) does not come through.
Fate ras_man(unsigned id, const Strings& s, Event& e) {
  if (id != 20209) return ignored("RasMan event", id);
  e.event_class = Class::kConnection;
  e.activity = Activity::kStart;
  e.outcome = Outcome::kFailure;
  e.service = Service::kVpn;
  e.reason = core::intern("tunnel not established");
  e.source_ip = given_ip(s[0]);
  return Fate::kept();
}

// "CitrixAGBasic single sign-on failed because the credentials failed verification with reason: Failed. The credentials
// supplied were; user: alice domain: CORP"
Fate store_front(std::string_view message, Event& e) {
  constexpr std::string_view kReason = "credentials failed verification with reason: ";
  constexpr std::string_view kUser = "user: ";
  constexpr std::string_view kDomain = "domain:";
  const auto reason = message.find(kReason);
  if (reason == message.npos) return Fate::ignored(kStoreFrontOther);
  put_login(e, Outcome::kFailure, Service::kWeb);
  std::string_view rest = message.substr(reason + kReason.size());
  e.reason = closed_reason(rest.substr(0, rest.find_first_of(". \r\n")));
  const auto user = rest.find(kUser);
  if (user == rest.npos) return Fate::kept();
  rest.remove_prefix(user + kUser.size());
  const auto domain = rest.rfind(kDomain);  // the name was typed
  set_typed_user(e, core::trim(rest.substr(0, domain)));
  if (domain != rest.npos && e.user.present() && !e.user_domain.present()) {
    rest.remove_prefix(domain + kDomain.size());
    e.user_domain = core::intern(core::trim(rest));
  }
  return Fate::kept();
}

}  // namespace

ClassicSource classic_source(std::string_view provider, std::string_view channel) {
  if (core::equals_ignore_case(provider, "RemoteAccess")) return ClassicSource::kRemoteAccess;
  if (core::equals_ignore_case(provider, "RasMan")) return ClassicSource::kRasMan;
  if (channel == "Citrix Delivery Services") return ClassicSource::kStoreFront;
  return ClassicSource::kNone;
}

Fate read_classic(ClassicSource source, unsigned id, std::span<const std::string_view> strings,
                  std::string_view message, Event& e) {
  Fate fate = Fate::kept();
  if (source == ClassicSource::kStoreFront) {
    fate = store_front(strings.empty() ? message : strings.front(), e);
  } else {
    const Strings read(id, strings, message);
    fate = source == ClassicSource::kRasMan ? ras_man(id, read, e) : remote_access(id, read, e);
  }
  if (fate.verdict != Verdict::kEvent) return fate;
  const bool somebody = e.user.present() || e.source_ip.present() || e.assigned_ip.present();
  return somebody ? fate : Fate::ignored(kNobody);
}

}  // namespace orbwatch::decode

// pfSense and OPNsense: the packet filter's log (filterlog, CSV) and log-ins to the web interface.
//
// Sources: "Raw Filter Log Format" (docs.netgate.com, pfSense 2.2 to 2.8; OPNsense 15 to 26 writes the same with a
// label where pfSense has the tracker number); filterlog's print-*.c; auth.inc of both products.
//   filterlog[123]:
//   5,,,1000000103,igb0,match,block,in,4,0x0,,250,31401,0,DF,6,tcp,60,203.0.113.9,192.0.2.1,50000,22,0,S, 1,,64240,,mss
//   filterlog[123]: 98,,,02f4bab031b57d1e30553ce08e0ec131,igb0,match,pass,in,6,0x00,0x0ea87,51,udp,17,73,2001:db8::9,
//   2001:db8::1,6881,4500,73
//   php-fpm[374]: /index.php: webConfigurator authentication error for user 'root' from: 203.0.113.9
// "in" and "out" are seen from the interface, not from the network: they say which interface is ingress or egress.
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;

const Symbol kNoAddress = core::intern("pf_filterlog: no address");
const Symbol kNoColumns = core::intern("pf_filterlog: too few columns");
const Symbol kNoUser = core::intern("pf_filterlog: no user");
const Symbol kWeb = core::intern("web");

// The columns that every record has.
enum Column : std::uint8_t {
  kRule,
  kSubRule,
  kAnchor,
  kTracker,
  kInterface,
  kReason,
  kAction,
  kDirection,
  kVersion,
  kBehind
};
// Of IPv4: tos, ecn, ttl, id, offset, flags, number and name of the protocol, length, source, destination; of IPv6:
// class, label, hop limit, name and number of the protocol, length, source, destination.
constexpr std::size_t kColumns4 = 20;
constexpr std::size_t kColumns6 = 17;
constexpr std::size_t kMostColumns = 28;

class Columns {
 public:
  explicit Columns(std::string_view text) {
    Scanner s(text);
    while (count_ < kMostColumns) {
      values_[count_++] = s.until(',');
      if (!s.skip(',')) break;
    }
  }
  std::string_view operator[](std::size_t i) const { return i < count_ ? values_[i] : std::string_view{}; }
  std::size_t count() const { return count_; }

 private:
  std::array<std::string_view, kMostColumns> values_;
  std::size_t count_ = 0;
};

std::uint16_t flags_of(std::string_view letters) {
  constexpr std::string_view kLetters = "FSRPAUEC";  // in the order of the bits; W is pf's letter for CWR
  std::uint16_t flags = 0;
  for (const char c : letters) {
    if (const auto bit = kLetters.find(c == 'W' ? 'C' : c); bit != kLetters.npos)
      flags |= static_cast<std::uint16_t>(1U << bit);
  }
  return flags;
}

Action action_of(std::string_view word) {
  if (word == "pass") return Action::kAllowed;
  if (word == "block" || word == "reject" || word == "drop" || word == "synproxy-drop") return Action::kDenied;
  return Action::kNone;  // match, nat, rdr, scrub ...
}

bool is_direction(std::string_view word) { return word == "in" || word == "out" || word == "in/out"; }

std::uint64_t number(std::string_view text) { return Scanner(text).number(); }

Fate packet(std::string_view text, Event& event) {
  const Columns c(text);
  if (c.count() <= kBehind || !is_direction(c[kDirection])) return Fate::rejected(kNoColumns);
  const bool v6 = c[kVersion] == "6";
  // With columns more or less than documented the record keeps its addresses.
  std::size_t at = (v6 ? kColumns6 : kColumns4) - 2;
  const bool documented = core::Ip::parse(c[at]).has_value();
  if (!documented) {
    at = kBehind;
    while (at + 1 < c.count() && !(core::Ip::parse(c[at]) && core::Ip::parse(c[at + 1]))) ++at;
  }
  event.source_ip = given_ip(c[at]);
  event.destination_ip = given_ip(c[at + 1]);
  if (!event.source_ip.present() && !event.destination_ip.present()) return Fate::rejected(kNoAddress);
  // Number and name of the protocol change places between IPv4 and IPv6: the number is sure.
  if (documented) event.protocol = protocol_number(c[at - (v6 ? 2 : 3)]);
  if (event.protocol == 0) event.protocol = protocol_number(c[at - (v6 ? 3 : 2)]);
  event.event_class = Class::kConnection;
  event.action = action_of(c[kAction]);
  event.rule = core::intern(c[kTracker].empty() || c[kTracker] == "0" ? c[kRule] : c[kTracker]);
  if (c[kReason] != "match") event.reason = closed_reason(c[kReason]);
  (c[kDirection] == "out" ? event.egress : event.ingress) = core::intern(c[kInterface]);
  event.source_bytes = number(c[at - 1]);
  event.source_packets = 1;
  if (documented && (event.protocol == 6 || event.protocol == 17)) {
    event.source_port = Scanner(c[at + 2]).port();
    event.destination_port = Scanner(c[at + 3]).port();
    if (event.protocol == 6) event.tcp_flags = flags_of(c[at + 5]);
  }
  return Fate::kept();
}

// "webConfigurator authentication error for user 'root' from: A", "Web GUI authentication error for 'root' from A",
// "Successful login for user 'root' from: A (Local Database)", "User logged out for user 'root' from: A"; also without
// quotes. Moves behind the words; false if the text says something else.
bool skip_login(std::string_view& text, Event& event) {
  struct Words {
    std::string_view text;
    Outcome outcome;
    Activity activity;
  };
  static constexpr std::array kWords = {
      Words{" authentication error for ", Outcome::kFailure, Activity::kLogon},
      Words{"Successful login for ", Outcome::kSuccess, Activity::kLogon},
      Words{"User logged out for ", Outcome::kUnknown, Activity::kLogoff},
      Words{"Session timed out for ", Outcome::kUnknown, Activity::kLogoff},
  };
  for (const Words& words : kWords) {
    const auto at = text.find(words.text);
    if (at == text.npos) continue;
    put_login(event, words.outcome, Service::kManagement);
    event.activity = words.activity;
    text.remove_prefix(at + words.text.size());
    core::skip_prefix(text, "user ");
    return true;
  }
  return false;
}

// The programs that write web log-ins name the page first: "/index.php: ". PHP logs errors that way, too.
bool is_web_login(const TextRecord& r) {
  if (r.program != "php-fpm" && r.program != "php" && r.program != "audit") return false;
  Event scratch;
  std::string_view text = r.message;
  return text.starts_with('/') && skip_login(text, scratch);
}

Fate web_login(std::string_view text, Event& event) {
  skip_login(text, event);
  event.application = kWeb;
  // The address stands behind the last "from": a name may hold that word.
  const auto from = text.rfind(" from");
  if (from == text.npos) return Fate::rejected(kNoUser);
  std::string_view user = core::trim(text.substr(0, from));
  if (user.size() >= 2 && (user.front() == '\'' || user.front() == '"') && user.back() == user.front())
    user = user.substr(1, user.size() - 2);
  set_typed_user(event, user);
  Scanner s(text.substr(from + 5));
  s.skip(':');
  s.spaces();
  s.ip(event.source_ip);
  if (!event.user.present() && !event.source_ip.present()) return Fate::rejected(kNoUser);
  return Fate::kept();
}

class PfFilterlog final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    if (r.program == "filterlog") return true;
    if (!r.program.empty()) return is_web_login(r);
    // Bare records, as collectors hand them on: five columns of any text, then words of a small vocabulary.
    const std::string_view text = r.message;
    if (text.size() < 30 || !is_digit(text[0])) return false;
    Scanner s(text.substr(0, 400));
    std::array<std::string_view, kBehind> head;
    for (std::string_view& column : head) {
      column = s.until(',');
      if (!s.skip(',')) return false;
    }
    return is_direction(head[kDirection]) && (head[kVersion] == "4" || head[kVersion] == "6") &&
           Scanner(head[kRule]).number() < 100'000 && !head[kAction].empty() && !is_digit(head[kAction][0]);
  }

  Fate decode(const TextRecord& r, Event& event) override {
    return !r.program.empty() && r.program != "filterlog" ? web_login(r.message, event) : packet(r.message, event);
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_pf_filterlog(const core::TimeReader&) { return std::make_unique<PfFilterlog>(); }

}  // namespace orbwatch::decode

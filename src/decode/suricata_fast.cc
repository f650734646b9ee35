// Alerts of Suricata and Snort in one line: Suricata's fast.log, Snort's alert_fast, and what both write to syslog.
// Spec: https://docs.suricata.io/en/latest/configuration/suricata-yaml.html (fast.log, syslog) and the Snort manual,
// output modules.
//
// Three sample lines:
//   11/22/2026-08:00:00.123456  [**] [1:2008578:4] ET SCAN Sipvicious Scan [**] [Classification: Attempted Information
//   Leak] [Priority: 2] {UDP} 203.0.113.9:5116 -> 192.0.2.10:5060
//   11/22-08:00:01.123456  [Drop] [**] [1:1000002:0] test [**] [Priority: 0] {TCP} 203.0.113.9:4000 -> 192.0.2.10:80
//   Nov 22 08:00:02 ids snort[12]: [1:469:3] ICMP PING NMAP [Classification: Attempted Information Leak] [Priority: 2]
//   {ICMP} 203.0.113.9 -> 192.0.2.10
// Ignored by name: what the programs say of themselves ("sensor message"), alerts without IP ("alert without
// address").
#include <algorithm>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;

const Symbol kBroken = core::intern("suricata_fast: alert not understood");
const Symbol kNoTime = core::intern("suricata_fast: no time");
const Symbol kMessage = core::intern("sensor message");
const Symbol kNoAddress = core::intern("alert without address");
const Symbol kAlert = core::intern("alert");

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmp6 = 58;

// "11/22/2026-08:00:00.123456", "11/22-08:00:00.123456" and "11/22/26-..." (Snort with -y) at the cursor; 0 if there is
// none.
core::Nanoseconds read_time(Scanner& s, const core::TimeReader& times) {
  core::CivilTime civil;
  const auto part = [&s] { return static_cast<int>(std::min<std::uint64_t>(s.number(), 9999)); };
  civil.year = 0;
  civil.month = part();
  if (!s.skip('/')) return 0;
  civil.day = part();
  if (s.skip('/')) {
    civil.year = part();
    if (civil.year < 100) civil.year += 2000;
  }
  if (!s.skip('-')) return 0;
  civil.hour = part();
  if (!s.skip(':')) return 0;
  civil.minute = part();
  if (!s.skip(':')) return 0;
  civil.second = part();
  if (s.skip('.')) {
    std::int32_t unit = 100'000'000;
    for (; is_digit(s.peek()); s.advance(1), unit /= 10) civil.nanosecond += (s.peek() - '0') * unit;
  }
  return times.resolve(civil);
}

// "[1:2008578:4] " at the cursor
bool is_signature(std::string_view text) {
  Scanner s(text);
  if (!s.skip('[') || !is_digit(s.peek())) return false;
  s.number();
  if (!s.skip(':')) return false;
  s.number();
  if (!s.skip(':')) return false;
  s.number();
  return s.skip(']');
}

bool is_program(std::string_view name) { return name == "suricata" || name == "snort" || name == "barnyard2"; }

class SuricataFast final : public RecordDecoder {
 public:
  explicit SuricataFast(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (is_program(r.program)) return true;
    if (r.message.size() < 40 || !is_digit(r.message[0]) || r.message[2] != '/') return false;
    const auto marks = r.message.substr(0, 64).find("[**] [");
    return marks != r.message.npos && is_signature(r.message.substr(marks + 5));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Scanner s(r.message);
    if (is_digit(s.peek())) {
      e.time = read_time(s, times_);
      s.spaces();
    }
    e.event_class = Class::kConnection;
    e.activity = Activity::kAlert;
    e.code = kAlert;
    // A rule of the drop kind that only warns ("wDrop", when not inline) has stopped nothing.
    if (s.skip("[Drop] ")) e.action = Action::kDenied;
    s.skip("[wDrop] ");
    s.skip("[**] ");
    if (!is_signature(s.rest())) return is_program(r.program) ? Fate::ignored(kMessage) : Fate::rejected(kBroken);
    s.skip_past("] ");
    if (s.skip("[Drop] ")) e.action = Action::kDenied;
    if (e.time == 0) return Fate::rejected(kNoTime);
    // What follows the signature's name is the sensor's own; the name may hold anything.
    const std::string_view rest = s.rest();
    const auto open = rest.rfind(" {");
    if (open == rest.npos) return Fate::rejected(kBroken);
    std::string_view name = rest.substr(0, open);
    if (const auto mark = name.rfind(" [**]"); mark != name.npos) {
      name = name.substr(0, mark);
    } else {
      name = name.substr(0, name.rfind(" [Priority: "));
      name = name.substr(0, name.rfind(" [Classification: "));
    }
    e.rule = core::intern(core::trim(name));
    Scanner ends(rest.substr(open + 2));
    e.protocol = protocol_number(ends.until('}'));
    if (!ends.skip("} ")) return Fate::rejected(kBroken);
    const std::string_view source = ends.word();
    if (!ends.skip(" -> ")) return Fate::rejected(kBroken);
    put_ends(source, ends.word(), e);
    return e.source_ip.present() || e.destination_ip.present() ? Fate::kept() : Fate::ignored(kNoAddress);
  }

 private:
  static void put_ends(std::string_view from, std::string_view to, Event& e) {
    const bool icmp = e.protocol == kIcmp || e.protocol == kIcmp6;
    const Endpoint source = read_end(from, icmp);
    const Endpoint destination = read_end(to, icmp);
    e.source_ip = source.ip;
    e.destination_ip = destination.ip;
    if (icmp) {
      // Suricata writes the message's type and code in place of the ports.
      e.destination_port = static_cast<std::uint16_t>(((source.port & 255U) << 8U) | (destination.port & 255U));
    } else {
      e.source_port = source.port;
      e.destination_port = destination.port;
    }
  }

  // Where the protocol has no ports, Snort writes the address alone; Suricata writes all groups of an IPv6 address.
  static Endpoint read_end(std::string_view text, bool icmp) {
    const auto colons = std::count(text.begin(), text.end(), ':');
    if (icmp && colons > 1 && colons < 8) return {given_ip(text), 0};
    return endpoint(text);
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_suricata_fast(const core::TimeReader& times) {
  return std::make_unique<SuricataFast>(times);
}

}  // namespace orbwatch::decode

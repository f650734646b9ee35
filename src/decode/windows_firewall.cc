// Windows Firewall's own log, pfirewall.log.
//
// Source: "Configure logging" and "Interpreting the Windows Firewall log" (learn.microsoft.com); log version 1.5 of
// Windows XP SP2 to 11 and Server 2025. The columns have had this order ever since; Windows 11 adds pid at the end.
//   #Fields: date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin icmptype
//   icmpcode info path pid
//   2026-11-22 08:00:00 DROP TCP 203.0.113.9 192.0.2.10 50000 3389 52 S 1 0 8192 - - - RECEIVE 4
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using std::string_view_literals::operator""sv;

using event::Action;
using event::Activity;
using event::Class;

const Symbol kNoAddress = core::intern("windows_firewall: no address");
const Symbol kHeader = core::intern("header of the log");
const Symbol kLost = core::intern("number of events lost");

struct Line {
  std::string_view time;  // "2026-11-22 08:00:00"
  std::string_view action;
  std::string_view protocol;
  std::string_view rest;  // from src-ip
};

bool scan_line(std::string_view text, Line& out) {
  if (text.size() < 30 || !is_digit(text[0]) || text[4] != '-' || text[7] != '-' || text[10] != ' ' ||
      text[13] != ':' || text[16] != ':' || text[19] != ' ')
    return false;
  out.time = text.substr(0, 19);
  Scanner s(text.substr(20));
  out.action = s.word();
  s.spaces();
  out.protocol = s.word();
  s.spaces();
  out.rest = s.rest();
  bool known = false;
  for (const std::string_view action :
       {"ALLOW"sv, "DROP"sv, "OPEN"sv, "CLOSE"sv, "OPEN-INBOUND"sv, "INFO-EVENTS-LOST"sv})
    known |= action == out.action;
  return known && !out.rest.empty();
}

bool is_header(std::string_view text) {
  return text.starts_with("#Software: Microsoft Windows Firewall") || text == "#Version: 1.5" ||
         text.starts_with("#Time Format: ") || text.starts_with("#Fields: date time action protocol src-ip dst-ip");
}

class WindowsFirewall final : public RecordDecoder {
 public:
  explicit WindowsFirewall(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    Line line;
    return (scan_line(r.raw, line) || scan_line(r.message, line) || is_header(core::trim(r.raw)));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    Line line;
    const bool own = scan_line(r.raw, line);
    if (!own && !scan_line(r.message, line)) return Fate::ignored(kHeader);
    if (own) e.observer = {};  // what the envelope took for a host is the action
    std::string_view time = line.time;
    if (const auto read = core::parse_iso8601(time, times_)) e.time = *read;
    if (line.action == "INFO-EVENTS-LOST") return Fate::ignored(kLost);
    Scanner s(line.rest);
    const auto next = [&] {
      const std::string_view word = s.word();
      s.spaces();
      return word == "-" ? std::string_view{} : word;
    };
    e.source_ip = given_ip(next());
    e.destination_ip = given_ip(next());
    if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
    e.source_port = Scanner(next()).port();
    e.destination_port = Scanner(next()).port();
    e.protocol = protocol_number(line.protocol);
    if (const std::string_view size = next(); !size.empty()) {
      e.source_bytes = Scanner(size).number();
      if (e.source_bytes != 0) e.source_packets = 1;
    }
    for (const char flag : next()) {
      constexpr std::string_view kLetters = "FSRPAU";
      if (const auto bit = kLetters.find(flag); bit != kLetters.npos)
        e.tcp_flags |= static_cast<std::uint16_t>(1U << bit);
    }
    e.event_class = Class::kConnection;
    e.action = line.action == "DROP" ? Action::kDenied : Action::kAllowed;
    if (line.action.starts_with("OPEN")) e.activity = Activity::kStart;
    if (line.action == "CLOSE") e.activity = Activity::kEnd;
    return Fate::kept();
  }

 private:
  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_windows_firewall(const core::TimeReader& times) {
  return std::make_unique<WindowsFirewall>(times);
}

}  // namespace orbwatch::decode

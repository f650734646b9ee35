// VMware NSX: packet logs of the distributed firewall (dfwpktlogs of ESXi hosts, FIREWALL-PKTLOG) and of the gateway
// firewall (edge nodes).
// Spec: "NSX Administration Guide", Distributed Firewall Packet Logs and Gateway Firewall Packet Logs, NSX for vSphere
// 6.3 to NSX 4.2 (techdocs.broadcom.com)
//
// Three sample records:
//   2026-11-22T08:00:00.749Z esx1 dfwpktlogs: b6507827 INET match PASS mainrs/1024 IN 52 TCP
//   203.0.113.7/49627->10.0.0.4/443 SEW
//   <134>2026-11-22T08:00:01.1Z esx1 FIREWALL-PKTLOG - - - INET TERM PASS 5096 OUT TCP
//   RST 10.0.0.4/60512->198.51.100.9/443 9/9 1461/4738 web <181>1 2026-11-22T08:00:02.080427+00:00 edge1 NSX 2802
//   FIREWALL [nsx@6876 comp="nsx-edge" subcomp="datapathd.firewallpkt"] <1 55f1af2f487544e9:b0e059132ad7753d> INET
//   reason-match PASS 1005 OUT 60 TCP ...
//
// Nothing is ignored by name.
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/flow_text.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Direction;

const Symbol kNoTime = core::intern("vmware_nsx: no time");
const Symbol kNoEnds = core::intern("vmware_nsx: no addresses");
const Symbol kMatchCode = core::intern("match");
const Symbol kTermCode = core::intern("TERM");
const Symbol kDropCode = core::intern("other");

constexpr std::array<std::string_view, 8> kAllowing = {"PASS", "NAT", "RDR", "PBR", "LB", "PUNT", "REDIRECT", "COPY"};
constexpr std::array<std::string_view, 4> kRefusing = {"DROP", "REJECT", "NONAT", "NORDR"};

template <std::size_t N>
bool is_among(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "INET match PASS ...", "INET6 TERM ...": what stands behind the address family; "" if there is none. `before` is what
// stands in front.
std::string_view packet_of(std::string_view text, std::string_view& before) {
  const auto at = text.substr(0, 96).find("INET");
  if (at == text.npos || (at != 0 && text[at - 1] != ' ')) return {};
  before = core::trim(text.substr(0, at));
  text.remove_prefix(at + 4);
  core::skip_prefix(text, "6");
  return core::skip_prefix(text, " ") ? text : std::string_view{};
}

bool is_packet(std::string_view text) {
  std::string_view reason = core::take_until(text, ' ');
  const std::string_view second = core::take_until(text, ' ');
  const bool verdict = is_among(second, kAllowing) || is_among(second, kRefusing);
  return (verdict || reason == "TERM") && text.substr(0, 160).contains("->");
}

// "203.0.113.7/49627", "203.0.113.7" or, without brackets, IPv6.
void put_end(std::string_view text, core::Ip& ip, std::uint16_t& port) {
  const std::string_view address = core::take_until(text, '/');
  ip = given_ip(address);
  port = json::port(text);
}

struct Pair {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
};

// "9/4": in, out.
bool read_pair(std::string_view text, Pair& pair) {
  const auto in = json::number(core::take_until(text, '/'));
  const auto out = json::number(text);
  if (!in || !out) return false;
  pair = {*in, *out};
  return true;
}

class VmwareNsx final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    std::string_view before;
    return is_packet(packet_of(r.message, before));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (e.time == 0) return Fate::rejected(kNoTime);
    std::string_view before;
    std::string_view text = packet_of(r.message, before);
    // The filter at the machine's interface. In the host's own file it stands where a name would.
    if (before.empty() && r.program.empty() && is_filter(r.host)) {
      before = r.host;
      e.observer = {};
    }
    if (is_filter(before)) e.ingress = core::intern(before);
    const std::string_view reason = core::take_until(text, ' ');
    e.event_class = Class::kConnection;
    e.action = Action::kAllowed;
    std::string_view rule = core::take_until(text, ' ');
    const bool refused = is_among(rule, kRefusing);
    if (refused || is_among(rule, kAllowing)) {
      if (refused) e.action = Action::kDenied;
      rule = core::take_until(text, ' ');
    }
    e.rule = core::intern(rule);
    put_reason(reason, e);
    const std::string_view direction = core::take_until(text, ' ');
    if (!read_packet(text, direction == "OUT", e)) return Fate::rejected(kNoEnds);
    // At the machine's interface: between private addresses it says nothing of the network's border.
    if (direction == "IN" && e.source_ip.is_global()) e.direction = Direction::kInbound;
    if (direction == "OUT" && e.destination_ip.is_global()) e.direction = Direction::kOutbound;
    return Fate::kept();
  }

 private:
  // "b6507827", "50047"
  static bool is_filter(std::string_view text) {
    return !text.empty() && text.size() <= 10 &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  }

  static void put_reason(std::string_view reason, Event& e) {
    if (reason == "match" || reason == "reason-match") {
      e.code = kMatchCode;
      if (e.action == Action::kAllowed) e.activity = Activity::kStart;
    } else if (reason == "TERM") {
      e.code = kTermCode;
      e.activity = Activity::kEnd;
    } else {
      e.code = kDropCode;
      e.reason = closed_reason(reason);
    }
  }

  // "52 TCP A/1->B/2 S", "TCP RST A/1->B/2 9/4 1461/473 tag", "36 PROTO 2 A->B"
  static bool read_packet(std::string_view text, bool out, Event& e) {
    bool ends = false;
    bool counted = false;
    while (!text.empty()) {
      const std::string_view word = core::take_until(text, ' ');
      Pair pair;
      if (!ends) {
        if (const auto arrow = word.find("->"); arrow != word.npos) {
          put_end(word.substr(0, arrow), e.source_ip, e.source_port);
          put_end(word.substr(arrow + 2), e.destination_ip, e.destination_port);
          ends = true;
        } else if (word == "PROTO") {
          e.protocol = protocol_number(core::take_until(text, ' '));
        } else if (const std::uint8_t number = is_digit(word.empty() ? ' ' : word[0]) ? 0 : protocol_number(word);
                   number != 0) {
          e.protocol = number;
        } else if (word == "RST" || word == "FIN" || word == "TIMEOUT") {
          e.reason = core::intern(word);
        }
      } else if (read_pair(word, pair)) {
        if (counted) {
          e.source_bytes = out ? pair.out : pair.in;
          e.destination_bytes = out ? pair.in : pair.out;
        } else {
          e.source_packets = out ? pair.out : pair.in;
          e.destination_packets = out ? pair.in : pair.out;
        }
        counted = true;
      } else if (!word.empty() && e.protocol == 6 && is_flags(word)) {
        e.tcp_flags = tcp_flags_of(word);
      } else if (!word.empty()) {
        e.rule = core::intern(word);  // the name that the rule gives to its lines
      }
    }
    return ends && (e.source_ip.present() || e.destination_ip.present());
  }

  static bool is_flags(std::string_view word) {
    return word.size() <= 8 && word.find_first_not_of("SAPUFREWC") == word.npos;
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_vmware_nsx(const core::TimeReader&) { return std::make_unique<VmwareNsx>(); }

}  // namespace orbwatch::decode

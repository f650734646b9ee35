// Linux netfilter: what the LOG and NFLOG targets of iptables and nftables write (kernel, ulogd), with any prefix; and
// ulogd's connection tracking lines.
//
// Sources: net/netfilter/nf_log_syslog.c of Linux 3 to 6 (nf_log_ipv4.c and nf_log_ipv6.c before 5.13); ulogd2
// util/printpkt.c and util/printflow.c; ufw(8); the prefixes of UniFi gateways, EdgeOS and VyOS, Shorewall, firewalld,
// OpenWrt and Proxmox VE.
//   kernel: [203.842973] [UFW BLOCK] IN=eth0 OUT= MAC=... SRC=203.0.113.9 DST=192.0.2.10 LEN=40 ... PROTO=TCP SPT=8080
//   DPT=23 WINDOW=1024 RES=0x00 SYN URGP=0
//   kernel: [WAN_LOCAL-default-D]IN=eth8 OUT= MAC=... SRC=203.0.113.9 DST=192.0.2.10 ... PROTO=UDP SPT=53 DPT=500 LEN=8
//   ulogd[7]: [DESTROY] ORIG: SRC=10.0.0.5 DST=198.51.100.9 PROTO=TCP SPT=50000 DPT=443 PKTS=9 BYTES=900 , REPLY:
//   SRC=198.51.100.9 DST=192.0.2.1 PROTO=TCP SPT=443 DPT=50000 PKTS=8 BYTES=8000
// The kernel does not log a verdict: it is read from the prefix, which the administrator or the product chose.
// ARP and bridged frames without addresses are ignored by name.
#include <algorithm>
#include <array>

#include "core/text.h"
#include "decode/formats.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;

const Symbol kNoAddress = core::intern("netfilter: no address");
const Symbol kFrame = core::intern("frame without IP addresses");

// Prefixes have at most 127 bytes (nftables); before them stands the kernel's uptime, behind them UniFi's description.
constexpr std::size_t kLongestPrefix = 320;

bool is_word(char c) { return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// Where the packet's fields begin: "IN=" at the beginning of a word, followed by "OUT=" as the next field; npos if
// there is none.
std::size_t fields_at(std::string_view text) {
  const std::string_view head = text.substr(0, kLongestPrefix);
  for (auto at = head.find("IN="); at != head.npos; at = head.find("IN=", at + 3)) {
    if (at != 0 && is_word(text[at - 1])) continue;
    const auto next = text.find(' ', at);
    if (next != text.npos && text.substr(next + 1).starts_with("OUT=")) return at;
  }
  return head.npos;
}

// "[NEW] ORIG: SRC=": ulogd's connection tracking.
std::size_t flow_at(std::string_view text) { return text.substr(0, kLongestPrefix).find("ORIG: SRC="); }

// The kernel's uptime "[50028442.088484] " (printk.time).
void skip_uptime(std::string_view& text) {
  if (!text.starts_with('[')) return;
  std::size_t i = 1;
  while (i < text.size() && (text[i] == ' ' || text[i] == '.' || is_digit(text[i]))) ++i;
  if (i < 3 || i >= text.size() || text[i] != ']') return;
  text.remove_prefix(i + 1);
  text = core::trim(text);
}

struct Word {
  std::string_view text;
  Action action;
};

// Words of a prefix that state the verdict.
constexpr std::array kVerdicts = {
    Word{"accept", Action::kAllowed},  Word{"accepted", Action::kAllowed},  Word{"allow", Action::kAllowed},
    Word{"allowed", Action::kAllowed}, Word{"pass", Action::kAllowed},      Word{"passed", Action::kAllowed},
    Word{"permit", Action::kAllowed},  Word{"permitted", Action::kAllowed}, Word{"ret", Action::kAllowed},
    Word{"drop", Action::kDenied},     Word{"dropped", Action::kDenied},    Word{"deny", Action::kDenied},
    Word{"denied", Action::kDenied},   Word{"block", Action::kDenied},      Word{"blocked", Action::kDenied},
    Word{"reject", Action::kDenied},   Word{"rejected", Action::kDenied},
};

// The last word that states one: "[UFW LIMIT BLOCK] ". Within brackets EdgeOS, VyOS and UniFi end a rule's name with -A
// (accept), -D (drop) or -R (reject), some with the rule's number behind it: "[WAN_LOCAL-default-D]",
// "[LAN_WAN-A-10001]".
Action verdict_of(std::string_view prefix) {
  Action action = Action::kNone;
  const bool brackets = prefix.starts_with('[');
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= prefix.size(); ++i) {
    if (i < prefix.size() && is_word(prefix[i])) continue;
    const std::string_view word = prefix.substr(begin, i - begin);
    const bool behind_dash = begin != 0 && prefix[begin - 1] == '-';
    begin = i + 1;
    if (word.size() == 1 && brackets && behind_dash && i < prefix.size() && (prefix[i] == ']' || prefix[i] == '-')) {
      if (word == "A") action = Action::kAllowed;
      if (word == "D" || word == "R") action = Action::kDenied;
    }
    if (word.size() < 3 || word.size() > 9) continue;
    for (const Word& known : kVerdicts) {
      if (core::equals_ignore_case(known.text, word)) action = known.action;
    }
  }
  return action;
}

// "[UFW BLOCK]" -> "UFW BLOCK", "FINAL_REJECT:" -> "FINAL_REJECT".
std::string_view rule_name(std::string_view prefix) {
  prefix = core::trim(prefix);
  while (prefix.ends_with(':')) prefix.remove_suffix(1);
  if (prefix.starts_with('[') && prefix.find(']') == prefix.size() - 1) {
    prefix = core::trim(prefix.substr(1, prefix.size() - 2));
  }
  return prefix;
}

constexpr CharTable kEndsKey(" =");

// What one direction of a packet or connection says of itself.
struct Packet {
  core::Ip source;
  core::Ip destination;
  std::string_view in;
  std::string_view out;
  std::string_view protocol;
  std::uint64_t length = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t flags = 0;
};

std::uint16_t flag_of(std::string_view word) {
  constexpr std::array<std::string_view, 8> kFlags = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
  for (std::size_t i = 0; i < kFlags.size(); ++i) {
    if (word == kFlags[i]) return static_cast<std::uint16_t>(1U << i);
  }
  return 0;
}

// Reads fields up to the end, to the packet that an ICMP error quotes ("[SRC="), or to the other direction (",").
void scan_packet(Scanner& s, Packet& p) {
  while (!s.done()) {
    s.spaces();
    if (s.peek() == '[' || s.peek() == ',') return;
    const std::string_view key = s.until_table(kEndsKey);
    if (!s.skip('=')) {
      if (key.size() == 3 && !p.protocol.empty()) p.flags |= flag_of(key);
      continue;
    }
    const std::string_view value = s.word();
    switch (key.size()) {
      case 2:
        if (key == "IN") p.in = value;
        break;
      case 3: {
        Scanner v(value);
        if (key == "SRC") {
          v.ip(p.source);
        } else if (key == "DST") {
          v.ip(p.destination);
        } else if (key == "SPT") {
          p.source_port = v.port();
        } else if (key == "DPT") {
          p.destination_port = v.port();
        } else if (key == "OUT") {
          p.out = value;
        } else if (key == "LEN" && p.length == 0) {  // UDP has a second one, without the IP header
          p.length = v.number();
        }
        break;
      }
      case 4:
        if (key == "PKTS") p.packets = Scanner(value).number();
        break;
      case 5:
        if (key == "PROTO") p.protocol = value;
        if (key == "BYTES") p.bytes = Scanner(value).number();
        break;
      default: break;
    }
  }
}

void put(const Packet& p, Event& event) {
  event.event_class = Class::kConnection;
  event.source_ip = p.source;
  event.destination_ip = p.destination;
  event.source_port = p.source_port;
  event.destination_port = p.destination_port;
  event.protocol = protocol_number(p.protocol);
  event.tcp_flags = p.flags;
}

class Netfilter final : public RecordDecoder {
 public:
  explicit Netfilter(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (const auto at = fields_at(r.message); at != std::string_view::npos) {
      return r.message.find(" SRC=", at) != std::string_view::npos ||
             r.message.find(" MAC=", at) != std::string_view::npos;
    }
    const auto at = flow_at(r.message);
    return at != std::string_view::npos && r.message.find("REPLY: SRC=", at) != std::string_view::npos;
  }

  Fate decode(const TextRecord& r, Event& event) override {
    const auto at = fields_at(r.message);
    if (at == std::string_view::npos) return flow(r.message, event);
    Packet packet;
    Scanner s(r.message.substr(at));
    scan_packet(s, packet);
    if (!packet.source.present() && !packet.destination.present()) {
      // "MACSRC=... MACPROTO=0806 ARP HTYPE=1 ...": frames that a bridge or an ARP rule logs.
      return r.message.find("MACPROTO=", at) != std::string_view::npos ? Fate::ignored(kFrame)
                                                                       : Fate::rejected(kNoAddress);
    }
    put(packet, event);
    event.ingress = core::intern(packet.in);
    event.egress = core::intern(packet.out);
    event.source_bytes = packet.length;
    event.source_packets = 1;
    put_rule(r, r.message.substr(0, at), event);
    return Fate::kept();
  }

 private:
  void put_rule(const TextRecord& r, std::string_view prefix, Event& event) const {
    prefix = core::trim(prefix);
    skip_uptime(prefix);
    // "[WAN_IN-RET-3001] DESCR="Allow web" ": the name that the rule has in UniFi's pages.
    std::string_view description;
    if (const auto at = prefix.find("DESCR=\""); at != prefix.npos) {
      description = prefix.substr(at + 7);
      description = core::trim(description.substr(0, description.find('"')));
      prefix = core::trim(prefix.substr(0, at));
    }
    // A file without the kernel's tag: the envelope took the prefix "DROP: " for the program's name.
    if (prefix.empty() && r.program != "kernel" && r.program != "ulogd") prefix = r.program;
    event.action = verdict_of(prefix);
    prefix = without_time(prefix, event);
    event.rule = core::intern(description.empty() ? rule_name(prefix) : description);
  }

  // Proxmox VE: "100 6 tap100i0-IN 22/Nov/2026:08:00:00 +0100 policy DROP: ": guest, level and chain, the time, words.
  // Its time becomes the event's, and the chain is what is left of the prefix.
  std::string_view without_time(std::string_view prefix, Event& event) const {
    constexpr std::string_view kShape = "00/aaa/0000:00:00:00 +0000";
    const auto slash = prefix.find('/');
    if (slash == prefix.npos || slash < 3 || prefix.size() < slash - 2 + kShape.size()) return prefix;
    const std::string_view time = prefix.substr(slash - 2, kShape.size());
    for (std::size_t i = 0; i < kShape.size(); ++i) {
      const bool fits = kShape[i] == '0'   ? is_digit(time[i])
                        : kShape[i] == 'a' ? is_word(time[i])
                        : kShape[i] == '+' ? time[i] == '+' || time[i] == '-'
                                           : time[i] == kShape[i];
      if (!fits) return prefix;
    }
    const int month = core::month_number(time.substr(3));
    if (month == 0) return prefix;
    std::array<char, 24> iso{};  // the order that core reads: 2026-11-22T08:00:00+0100
    std::copy_n(time.data() + 7, 4, iso.data());
    iso[4] = iso[7] = '-';
    iso[5] = static_cast<char>('0' + month / 10);
    iso[6] = static_cast<char>('0' + month % 10);
    std::copy_n(time.begin(), 2, iso.data() + 8);
    iso[10] = 'T';
    std::copy_n(time.data() + 12, 8, iso.data() + 11);
    std::copy_n(time.data() + 21, 5, iso.data() + 19);
    std::string_view text(iso.data(), iso.size());
    if (const auto read = core::parse_iso8601(text, times_)) event.time = *read;
    const std::string_view chain = core::trim(prefix.substr(0, slash - 2));
    return chain.substr(chain.rfind(' ') + 1);
  }

  // "[NEW] ORIG: SRC=... PKTS=0 BYTES=0 , REPLY: SRC=..."
  static Fate flow(std::string_view text, Event& event) {
    const auto at = flow_at(text);
    const std::string_view prefix = text.substr(0, at);
    Packet original;
    Packet reply;
    Scanner s(text.substr(at + 6));
    scan_packet(s, original);
    if (s.skip_past("REPLY: ")) scan_packet(s, reply);
    if (!original.source.present() || !original.destination.present()) return Fate::rejected(kNoAddress);
    put(original, event);
    event.activity = prefix.contains("[NEW]")       ? Activity::kStart
                     : prefix.contains("[DESTROY]") ? Activity::kEnd
                                                    : Activity::kUpdate;
    event.action = Action::kAllowed;  // a connection that is tracked was let through
    event.source_bytes = original.bytes;
    event.source_packets = original.packets;
    event.destination_bytes = reply.bytes;
    event.destination_packets = reply.packets;
    if (reply.destination.present() && reply.destination != original.source) event.assigned_ip = reply.destination;
    return Fate::kept();
  }

  core::TimeReader times_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_netfilter(const core::TimeReader& times) {
  return std::make_unique<Netfilter>(times);
}

}  // namespace orbwatch::decode

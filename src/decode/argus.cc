// Argus flows as its client ra prints them with a separator (`ra -c ,`), among them the binetflow files of the CTU data
// sets.
// Spec: https://openargus.org/ (manual pages ra(1), rarc(5))
//
// Three sample records:
//   StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,SrcPkts,Label
//   2026/11/20 08:15:30.672448,63.822830,tcp,203.0.113.12,56101,   ->,10.0.0.4,443,FSPA_FSPA,0,0,31,8764,1887,15,
//   2026/11/20 08:15:31.325010,0.027947,udp,10.0.0.4,48427,  <->,192.0.2.53,53,CON,0,0,2,142,63,1,
//
// Columns are those of the last header line. Ignored by name: header lines, "proto NAME" for what is no IP flow (man,
// arp, llc ...).
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

using std::string_view_literals::operator""sv;

using event::Activity;
using event::Class;
using event::Outcome;

const Symbol kHeader = core::intern("header");
const Symbol kColumns = core::intern("argus: another number of columns than the header");
const Symbol kNoTime = core::intern("argus: no time");
const Symbol kNoAddress = core::intern("argus: no address");

enum Field : std::uint8_t {
  kUnknown,
  kSource,
  kDestination,
  kStart,
  kLast,
  kDuration,
  kProtocol,
  kSourcePort,
  kDestinationPort,
  kDirection,
  kState,
  kPackets,
  kBytes,
  kSourcePackets,
  kSourceBytes,
  kDestinationPackets,
  kDestinationBytes,
  kSensor,
  kSequence,
};

constexpr std::array kNames = {
    Columns::Name{"StartTime", kStart},       Columns::Name{"LastTime", kLast},
    Columns::Name{"Dur", kDuration},          Columns::Name{"Proto", kProtocol},
    Columns::Name{"SrcAddr", kSource},        Columns::Name{"DstAddr", kDestination},
    Columns::Name{"Sport", kSourcePort},      Columns::Name{"Dport", kDestinationPort},
    Columns::Name{"Dir", kDirection},         Columns::Name{"State", kState},
    Columns::Name{"TotPkts", kPackets},       Columns::Name{"TotBytes", kBytes},
    Columns::Name{"SrcPkts", kSourcePackets}, Columns::Name{"DstPkts", kDestinationPackets},
    Columns::Name{"SrcBytes", kSourceBytes},  Columns::Name{"DstBytes", kDestinationBytes},
    Columns::Name{"SrcId", kSensor},          Columns::Name{"Seq", kSequence},
};

std::uint8_t protocol_of(std::string_view name) {
  // What Argus recognised within UDP.
  if (name == "rtp" || name == "rtcp" || name == "udt") return 17;
  return protocol_number(name);
}

// Is the state made of the TCP flags of both sides ("FSPA_FSPA", "S_RA", "S_")?
bool is_flag_state(std::string_view state) {
  return state.find('_') != state.npos && state.find_first_not_of("FSRPAUEC_") == state.npos;
}

Outcome outcome_of(std::string_view state) {
  if (is_flag_state(state)) {
    const std::string_view answer = state.substr(state.find('_') + 1);
    if (answer.find('S') != answer.npos) return Outcome::kSuccess;
    const bool asked = state.substr(0, state.find('_')).find('S') != state.npos;
    return asked && (answer.empty() || answer.find('R') != answer.npos) ? Outcome::kFailure : Outcome::kUnknown;
  }
  for (const std::string_view established : {"CON"sv, "EST"sv, "FIN"sv, "CLO"sv}) {
    if (state == established) return Outcome::kSuccess;
  }
  return state == "REQ" ? Outcome::kFailure : Outcome::kUnknown;
}

class Argus final : public RecordDecoder {
 public:
  explicit Argus(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    return columns_.fits(r.raw) || header_separator(r.raw, kNames, 6, kDestination) != '\0';
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (const char separator = header_separator(r.raw, kNames, 6, kDestination); separator != '\0') {
      columns_.read(r.raw, separator, kNames);
      return Fate::ignored(kHeader);
    }
    e.observer = {};
    Columns::Row row;
    return columns_.split(r.raw, row) ? fill(row, e) : Fate::rejected(kColumns);
  }

 private:
  Fate fill(const Columns::Row& row, Event& e) const {
    const std::string_view protocol = row[kProtocol];
    e.protocol = protocol_of(protocol);
    if (protocol == "man" || protocol == "arp" || protocol == "rarp") return json::ignored("proto", protocol);
    e.source_ip = given_ip(row[kSource]);
    e.destination_ip = given_ip(row[kDestination]);
    if (!e.source_ip.present() && !e.destination_ip.present()) {
      if (e.protocol == 0 && !protocol.empty()) return json::ignored("proto", protocol);
      return Fate::rejected(kNoAddress);
    }
    e.time = flow_time(row[row[kStart].empty() ? kLast : kStart], times_);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.duration = flow_duration(row[kDuration]);
    if (e.duration == 0 && !row[kLast].empty() && !row[kStart].empty())
      e.duration = std::max<core::Nanoseconds>(flow_time(row[kLast], times_) - e.time, 0);
    e.event_class = Class::kFlow;
    e.activity = Activity::kTraffic;
    if (has_ports(e.protocol)) {
      e.source_port = json::port(row[kSourcePort]);
      e.destination_port = json::port(row[kDestinationPort]);
    }
    counts(row, e);
    const std::string_view state = row[kState];
    e.reason = closed_reason(state);
    if (e.protocol == 6) {
      e.outcome = outcome_of(state);
      if (is_flag_state(state)) e.tcp_flags = tcp_flags_of(state);
    }
    e.observer = json::symbol(row[kSensor]);
    // The first packet that was seen came from the address printed first; the arrow says who asked for the connection.
    if (row[kDirection] == "<-" || row[kDirection] == "<") swap_ends(e);
    return Fate::kept();
  }

  // What one side sent is what is left of the total.
  static void counts(const Columns::Row& row, Event& e) {
    const auto rest = [](std::string_view total, std::uint64_t one, std::string_view other) {
      if (!other.empty()) return json::number(other).value_or(0);
      const std::uint64_t all = json::number(total).value_or(0);
      return all > one ? all - one : 0;
    };
    if (row[kSourceBytes].empty() && row[kDestinationBytes].empty()) return;
    e.source_packets = json::number(row[kSourcePackets]).value_or(0);
    e.source_bytes = json::number(row[kSourceBytes]).value_or(0);
    if (!row[kSourcePackets].empty() || !row[kDestinationPackets].empty())
      e.destination_packets = rest(row[kPackets], e.source_packets, row[kDestinationPackets]);
    e.destination_bytes = rest(row[kBytes], e.source_bytes, row[kDestinationBytes]);
  }

  static void swap_ends(Event& e) {
    std::swap(e.source_ip, e.destination_ip);
    std::swap(e.source_port, e.destination_port);
    std::swap(e.source_bytes, e.destination_bytes);
    std::swap(e.source_packets, e.destination_packets);
  }

  core::TimeReader times_;
  Columns columns_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_argus(const core::TimeReader& times) { return std::make_unique<Argus>(times); }

}  // namespace orbwatch::decode

// Flows as nfdump prints them: CSV (`-o csv` of versions 1.6 and 1.7, `-o csv-fast`, any `-o "csv:..."`) and JSON (`-o
// json`, `-o ndjson`).
// Spec: https://github.com/phaag/nfdump (manual page nfdump(1))
//
// Three sample records:
//   ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,...   (a header; the columns are those of the last)
//   2026-11-20 08:15:30,2026-11-20 08:15:31,1.250,203.0.113.12,10.0.0.4,50122,443,TCP,...AP.SF,0,0,12,1840,0,0,3,7,...
//   {"type":"FLOW","first":"2026-11-20T08:15:30.500","last":"...","in_packets":12,"in_bytes":1840,"proto":6,
//   "tcp_flags":"...AP.SF","src_port":50122,"dst_port":443,"src4_addr":"203.0.113.12","dst4_addr":"10.0.0.4"}
//
// Ignored by name: header lines, "summary" for the three lines behind a table, "event NAME" for events of a firewall or
// NAT that are about no connection, "flow without addresses" (0.0.0.0 on both sides).
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

const Symbol kHeader = core::intern("header");
const Symbol kWithoutAddress = core::intern("flow without addresses");
const Symbol kSummary = core::intern("summary");
const Symbol kNotJson = core::intern("nfdump_text: not JSON");
const Symbol kColumns = core::intern("nfdump_text: another number of columns than the header");
const Symbol kNoTime = core::intern("nfdump_text: no time");
const Symbol kNoAddress = core::intern("nfdump_text: no address");

enum Field : std::uint8_t {
  kUnknown,
  kSource,
  kDestination,
  kFirst,
  kLast,
  kDuration,
  kProtocol,
  kSourcePort,
  kDestinationPort,
  kFlags,
  kInPackets,
  kInBytes,
  kOutPackets,
  kOutBytes,
  kInput,
  kOutput,
  kRouter,
  kEvent,
  kEventTime,
  kTranslatedSource,
  kUser,
  kServerName,
  kJa3,
  kJa4,
};

constexpr std::array kNames = {
    Columns::Name{"ts", kFirst},
    Columns::Name{"firstSeen", kFirst},
    Columns::Name{"te", kLast},
    Columns::Name{"lastSeen", kLast},
    Columns::Name{"td", kDuration},
    Columns::Name{"duration", kDuration},
    Columns::Name{"sa", kSource},
    Columns::Name{"srcAddr", kSource},
    Columns::Name{"da", kDestination},
    Columns::Name{"dstAddr", kDestination},
    Columns::Name{"sp", kSourcePort},
    Columns::Name{"srcPort", kSourcePort},
    Columns::Name{"dp", kDestinationPort},
    Columns::Name{"dstPort", kDestinationPort},
    Columns::Name{"pr", kProtocol},
    Columns::Name{"proto", kProtocol},
    Columns::Name{"flg", kFlags},
    Columns::Name{"flags", kFlags},
    Columns::Name{"ipkt", kInPackets},
    Columns::Name{"packets", kInPackets},
    Columns::Name{"inPackets", kInPackets},
    Columns::Name{"ibyt", kInBytes},
    Columns::Name{"bytes", kInBytes},
    Columns::Name{"inBytes", kInBytes},
    Columns::Name{"opkt", kOutPackets},
    Columns::Name{"outPackets", kOutPackets},
    Columns::Name{"obyt", kOutBytes},
    Columns::Name{"outBytes", kOutBytes},
    Columns::Name{"in", kInput},
    Columns::Name{"input", kInput},
    Columns::Name{"out", kOutput},
    Columns::Name{"output", kOutput},
    Columns::Name{"ra", kRouter},
    Columns::Name{"routerIP", kRouter},
};

const json::Fields kFields({
    {"first", kFirst},
    {"t_first", kFirst},
    {"last", kLast},
    {"t_last", kLast},
    {"proto", kProtocol},
    {"src4_addr", kSource},
    {"src6_addr", kSource},
    {"dst4_addr", kDestination},
    {"dst6_addr", kDestination},
    {"src_port", kSourcePort},
    {"dst_port", kDestinationPort},
    {"tcp_flags", kFlags},
    {"in_packets", kInPackets},
    {"in_bytes", kInBytes},
    {"out_packets", kOutPackets},
    {"out_bytes", kOutBytes},
    {"input_snmp", kInput},
    {"output_snmp", kOutput},
    {"ip4_router", kRouter},
    {"ip6_router", kRouter},
    {"event", kEvent},
    {"event_time", kEventTime},
    {"t_event", kEventTime},
    {"src4_xlt_ip", kTranslatedSource},
    {"src6_xlt_ip", kTranslatedSource},
    {"username", kUser},
    {"user name", kUser},
    {"sni", kServerName},
    {"ja3", kJa3},
    {"ja4", kJa4},
});

class NfdumpText final : public RecordDecoder {
 public:
  explicit NfdumpText(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    if (r.json) {
      constexpr std::uint64_t kBoth = json::kNfdumpSource | json::kNfdumpTime;
      return (json::keys_of(r) & kBoth) == kBoth;
    }
    if (columns_.fits(r.raw)) return true;
    return is_header(r.raw) || (!columns_.empty() && (is_summary(r.raw) || summary_));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    e.observer = {};
    if (r.json) return from_json(r, e);
    if (is_header(r.raw)) {
      columns_.read(r.raw, ',', kNames);
      summary_ = false;
      return Fate::ignored(kHeader);
    }
    // Behind the flows: "Summary", the names of the totals, the totals.
    if (summary_ || is_summary(r.raw)) {
      summary_ = true;
      return Fate::ignored(kSummary);
    }
    Columns::Row row;
    return columns_.split(r.raw, row) ? fill(row, e) : Fate::rejected(kColumns);
  }

 private:
  static bool is_header(std::string_view line) { return header_separator(line, kNames, 5, kDestination) == ','; }
  static bool is_summary(std::string_view line) {
    return line == "Summary" || line == "No matching flows" || line.starts_with("flows,bytes,packets,");
  }

  Fate from_json(const TextRecord& r, Event& e) {
    json::Object object;
    json::Row cells{};
    if (!parser_.open(r, object) || !kFields.read(object, cells, memory_)) return Fate::rejected(kNotJson);
    Columns::Row row{};
    std::copy_n(cells.begin(), row.size(), row.begin());
    return fill(row, e);
  }

  Fate fill(const Columns::Row& row, Event& e) const {
    e.source_ip = given_ip(row[kSource]);
    e.destination_ip = given_ip(row[kDestination]);
    if (!e.source_ip.present() && !e.destination_ip.present()) {
      // Of a template without addresses nfdump prints them as 0.0.0.0.
      return core::Ip::parse(row[kSource]) ? Fate::ignored(kWithoutAddress) : Fate::rejected(kNoAddress);
    }
    e.time = flow_time(row[kFirst], times_);
    const core::Nanoseconds last = flow_time(row[kLast], times_);
    if (e.time == 0) e.time = last != 0 ? last : flow_time(row[kEventTime], times_);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.duration = flow_duration(row[kDuration]);
    if (e.duration == 0 && last > e.time) e.duration = last - e.time;
    e.protocol = protocol_number(row[kProtocol]);
    if (has_ports(e.protocol)) {
      e.source_port = json::port(row[kSourcePort]);
      e.destination_port = json::port(row[kDestinationPort]);
    }
    if (e.protocol == 6) e.tcp_flags = tcp_flags_of(row[kFlags]);
    e.source_packets = json::number(row[kInPackets]).value_or(0);
    e.source_bytes = json::number(row[kInBytes]).value_or(0);
    e.destination_packets = json::number(row[kOutPackets]).value_or(0);
    e.destination_bytes = json::number(row[kOutBytes]).value_or(0);
    e.ingress_index = static_cast<std::uint32_t>(json::number(row[kInput]).value_or(0));
    e.egress_index = static_cast<std::uint32_t>(json::number(row[kOutput]).value_or(0));
    e.observer_ip = given_ip(row[kRouter]);
    e.assigned_ip = given_ip(row[kTranslatedSource]);
    if (e.assigned_ip == e.source_ip) e.assigned_ip = {};
    e.destination_name = json::symbol(row[kServerName]);
    e.fingerprint = json::symbol(row[row[kJa4].empty() ? kJa3 : kJa4]);
    if (!row[kUser].empty()) set_user(e, row[kUser]);
    return row[kEvent].empty() || row[kEvent] == "IGNORE" ? flow(e) : firewall_event(row[kEvent], e);
  }

  static Fate flow(Event& e) {
    e.event_class = Class::kFlow;
    e.activity = Activity::kTraffic;
    return Fate::kept();
  }

  // What a firewall (NSEL) or a NAT device (NEL) exported.
  static Fate firewall_event(std::string_view name, Event& e) {
    const auto is = [name](std::string_view word) { return core::contains_ignore_case(name, word); };
    e.event_class = Class::kConnection;
    e.action = Action::kAllowed;
    if (is("create") || is("add")) {
      e.activity = Activity::kStart;
    } else if (is("delete")) {
      e.activity = Activity::kEnd;
    } else if (is("denied")) {
      e.action = Action::kDenied;
    } else if (is("update")) {
      e.activity = Activity::kUpdate;
    } else {
      return json::ignored("event", name);
    }
    return Fate::kept();
  }

  core::TimeReader times_;
  json::Parser parser_;
  json::Fields::Memory memory_;
  Columns columns_;
  bool summary_ = false;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_nfdump_text(const core::TimeReader& times) {
  return std::make_unique<NfdumpText>(times);
}

}  // namespace orbwatch::decode

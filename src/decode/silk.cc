// SiLK flow records as rwcut prints them, in columns or with --delimited, with any --fields.
// Spec: https://tools.netsa.cert.org/silk/rwcut.html
//
// Three sample records:
//               sIP|              dIP|sPort|dPort|pro|   packets|     bytes|   flags|                  sTime|
//               duration|sen|
//      203.0.113.12|         10.0.0.4|50122|  443|  6|        12|      1840|FS PA   |2026/11/20T08:15:30.719|    3.250|
//      S0|
//   sIP,dIP,sPort,dPort,protocol,packets,bytes,flags,sTime,duration,eTime,sensor   (rwcut --delimited=,)
//
// Columns are those of the last header line. Ignored by name: header lines.
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

const Symbol kHeader = core::intern("header");
const Symbol kColumns = core::intern("silk: another number of columns than the header");
const Symbol kNoTime = core::intern("silk: no time");
const Symbol kNoAddress = core::intern("silk: no address");

enum Field : std::uint8_t {
  kUnknown,
  kSource,
  kDestination,
  kStart,
  kEnd,
  kDuration,
  kProtocol,
  kSourcePort,
  kDestinationPort,
  kPackets,
  kBytes,
  kFlags,
  kSensor,
  kType,
  kIn,
  kOut,
};

// A title that is longer than its column is cut by rwcut.
constexpr std::array kNames = {
    Columns::Name{"sIP", kSource},
    Columns::Name{"dIP", kDestination},
    Columns::Name{"sTime", kStart},
    Columns::Name{"eTime", kEnd},
    Columns::Name{"duration", kDuration},
    Columns::Name{"durat", kDuration},
    Columns::Name{"dur", kDuration},
    Columns::Name{"protocol", kProtocol},
    Columns::Name{"pro", kProtocol},
    Columns::Name{"sPort", kSourcePort},
    Columns::Name{"dPort", kDestinationPort},
    Columns::Name{"packets", kPackets},
    Columns::Name{"pkts", kPackets},
    Columns::Name{"bytes", kBytes},
    Columns::Name{"flags", kFlags},
    Columns::Name{"sensor", kSensor},
    Columns::Name{"sen", kSensor},
    Columns::Name{"type", kType},
    Columns::Name{"typ", kType},
    Columns::Name{"in", kIn},
    Columns::Name{"out", kOut},
};

// The collector's own class of a flow: which way it crossed the border, "null" for what a router was told to drop.
void put_type(std::string_view type, Event& e) {
  if (type == "int2int") {
    e.direction = Direction::kInternal;
  } else if (type == "ext2ext") {
    e.direction = Direction::kExternal;
  } else if (type.starts_with("in")) {
    e.direction = Direction::kInbound;
  } else if (type.starts_with("out")) {
    e.direction = Direction::kOutbound;
  }
  if (type == "innull" || type == "outnull") e.action = Action::kDenied;
}

class Silk final : public RecordDecoder {
 public:
  explicit Silk(const core::TimeReader& times) : times_(times) {}

  bool claims(const TextRecord& r) const override {
    return columns_.fits(r.raw) || header_separator(r.raw, kNames, 4, kDestination) != '\0';
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (const char separator = header_separator(r.raw, kNames, 4, kDestination); separator != '\0') {
      columns_.read(r.raw, separator, kNames);
      return Fate::ignored(kHeader);
    }
    e.observer = {};
    Columns::Row row;
    return columns_.split(r.raw, row) ? fill(row, e) : Fate::rejected(kColumns);
  }

 private:
  Fate fill(const Columns::Row& row, Event& e) const {
    e.source_ip = given_ip(row[kSource]);
    e.destination_ip = given_ip(row[kDestination]);
    if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
    const core::Nanoseconds end = flow_time(row[kEnd], times_);
    e.time = row[kStart].empty() ? end : flow_time(row[kStart], times_);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.duration = flow_duration(row[kDuration]);
    if (e.duration == 0 && end > e.time) e.duration = end - e.time;
    e.event_class = Class::kFlow;
    e.activity = Activity::kTraffic;
    e.protocol = protocol_number(row[kProtocol]);
    if (has_ports(e.protocol)) {
      e.source_port = json::port(row[kSourcePort]);
      e.destination_port = json::port(row[kDestinationPort]);
    }
    e.source_packets = json::number(row[kPackets]).value_or(0);
    e.source_bytes = json::number(row[kBytes]).value_or(0);
    if (e.protocol == 6) e.tcp_flags = tcp_flags_of(row[kFlags]);
    e.observer = json::symbol(row[kSensor]);
    e.ingress_index = static_cast<std::uint32_t>(json::number(row[kIn]).value_or(0));
    e.egress_index = static_cast<std::uint32_t>(json::number(row[kOut]).value_or(0));
    put_type(row[kType], e);
    return Fate::kept();
  }

  core::TimeReader times_;
  Columns columns_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_silk(const core::TimeReader& times) { return std::make_unique<Silk>(times); }

}  // namespace orbwatch::decode

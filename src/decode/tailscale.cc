// Tailscale: network flow logs (one object holds what a node saw for some seconds; each connection in it is a record)
// and the configuration audit log, as the API gives them and as log streaming sends them.
// Spec: https://tailscale.com/kb/1219/network-flow-logs and https://tailscale.com/kb/1203/audit-logging
//
// Three sample records (shortened):
//   {"logged":"...","nodeId":"n1","start":"2026-11-22T08:00:00Z","end":"2026-11-22T08:00:05Z","virtualTraffic":[
//   {"proto":6,"src":"100.64.0.1:50000","dst":"100.64.0.2:22","txPkts":10,"txBytes":1000,"rxPkts":8,"rxBytes":800}]}
//   {...,"physicalTraffic":[{"src":"100.64.0.2:0","dst":"203.0.113.7:41641","txPkts":10,"txBytes":1500,...}]}
//   {"eventTime":"...","eventGroupID":"g1","origin":"ADMIN_CONSOLE","actor":{"loginName":"alice@corp.example",...},
//   "target":{"type":"NODE",...},"action":"LOGIN"}
// Ignored by name: changes of the configuration ("audit CREATE"), connections through a relay.
#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/find_byte.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Activity;
using event::Class;
using event::Outcome;
using event::Service;
using json::Value;
using json::Walk;

const Symbol kNotJson = core::intern("tailscale: not JSON");
const Symbol kNoTime = core::intern("tailscale: no time");
const Symbol kNoAddress = core::intern("tailscale: no address");
const Symbol kNobody = core::intern("tailscale: no actor");
const Symbol kRelayed = core::intern("connection through a relay");
const Symbol kWireguard = core::intern("wireguard");

enum Field : std::uint8_t {
  kTime,
  kStart,
  kEnd,
  kNodeId,
  kNodeName,
  kNodeUser,
  kNodeOs,
  kAction,
  kLogin,
  kTarget,
};

// Log streaming puts the record into an object with its own time.
const json::Fields kFields(
    {
        {"eventTime", kTime},
        {"start", kStart},
        {"end", kEnd},
        {"logged", kTime},
        {"nodeId", kNodeId},
        {"srcNode.name", kNodeName},
        {"srcNode.user", kNodeUser},
        {"srcNode.os", kNodeOs},
        {"action", kAction},
        {"actor.loginName", kLogin},
        {"target.name", kTarget},
        {"time", kTime},
    },
    {"", "event."});

bool is_traffic(std::string_view key) {
  return key == "virtualTraffic" || key == "subnetTraffic" || key == "exitTraffic" || key == "physicalTraffic";
}

// What stands around a connection.
struct Around {
  std::string_view record;
  core::Nanoseconds start = 0;
  core::Nanoseconds end = 0;
  std::string_view user;
  Symbol node;
  Symbol os;
};

// DERP regions stand as addresses of this kind.
bool is_relay(const core::Ip& ip) { return ip == core::Ip::v4(127 << 24 | 3 << 16 | 3 << 8 | 40); }

class Tailscale final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::products_of(r);
    if ((keys & json::kNodeId) != 0) return has_traffic(r.message);
    if (json::has_all(keys, json::kEventGroupId | json::kActor | json::kAction)) return true;
    if ((keys & json::kEvent) == 0) return false;
    const std::string_view inner = json::whole_member(r, "event");
    return inner.starts_with('{') && ((holds_text(inner, "\"nodeId\"") && has_traffic(inner)) ||
                                      (holds_text(inner, "\"eventGroupID\"") && holds_text(inner, "\"loginName\"")));
  }

  Fate decode(const TextRecord& r, Event& e) override {
    row_.fill({});
    if (!parser_.open(r, root_) || !kFields.read(root_, row_, memory_)) return Fate::rejected(kNotJson);
    return row_[kNodeId].empty() ? audit(e) : Fate::several();
  }

  void decode_parts(const TextRecord& r, Parts& parts) override {
    Around around;
    around.record = r.message;
    around.start = json::utc_time(row_[row_[kStart].empty() ? kTime : kStart]);
    around.end = json::utc_time(row_[kEnd]);
    around.user = row_[kNodeUser];
    around.node = json::symbol(row_[row_[kNodeName].empty() ? kNodeId : kNodeName]);
    around.os = json::symbol(row_[kNodeOs]);
    bool good = true;
    const auto walk = [&](const Value& object) {
      return json::each_field(object, [&](std::string_view key, const Value& value) {
        if (is_traffic(key)) good &= connections(value, key, around, parts);
        return good;
      });
    };
    Walk walked = walk(root_);
    if (walked != Walk::kBroken) {
      walked = json::each_field(root_, [&](std::string_view key, const Value& value) {
        if (key == "event") good &= walk(value) != Walk::kBroken;
        return good;
      });
    }
    if (!good || walked == Walk::kBroken) parts.end(Fate::rejected(kNotJson), {});
  }

 private:
  static bool has_traffic(std::string_view text) { return holds_text(text, "Traffic\""); }

  bool connections(const Value& list, std::string_view kind, const Around& around, Parts& parts) {
    bool good = true;
    const Walk walk = json::each_element(list, [&](const Value& element) {
      json::Row row;
      row.fill({});
      good = kConnection.read(element, row, memory_);
      if (good) parts.end(connection(row, kind, around, parts.next()), text_of(element, around.record));
      return good;
    });
    return good && walk != Walk::kBroken;
  }

  // A connection is a flat object. "" if its text lies in a cleaned copy of the record.
  static std::string_view text_of(const Value& element, std::string_view record) {
    const char* const begin = element.raw().data();
    const std::less_equal<const char*> before;
    if (!before(record.data(), begin) || !before(begin, record.data() + record.size())) return {};
    const std::string_view rest = record.substr(static_cast<std::size_t>(begin - record.data()));
    return rest.substr(0, std::min(rest.find('}'), rest.size() - 1) + 1);
  }

  enum Connection : std::uint8_t { kProto, kSrc, kDst, kTxPackets, kTxBytes, kRxPackets, kRxBytes };
  static const json::Fields kConnection;

  static Fate connection(const json::Row& row, std::string_view kind, const Around& around, Event& e) {
    e.time = around.start;
    if (e.time == 0) return Fate::rejected(kNoTime);
    if (around.end > around.start) e.duration = around.end - around.start;
    e.event_class = Class::kFlow;
    e.activity = Activity::kTraffic;
    e.code = core::intern(kind);
    e.observer = around.node;
    const Endpoint src = endpoint(row[kSrc]);
    const Endpoint dst = endpoint(row[kDst]);
    const std::uint64_t sent = json::number(row[kTxBytes]).value_or(0);
    const std::uint64_t sent_packets = json::number(row[kTxPackets]).value_or(0);
    const std::uint64_t received = json::number(row[kRxBytes]).value_or(0);
    const std::uint64_t received_packets = json::number(row[kRxPackets]).value_or(0);
    if (kind == "physicalTraffic") {
      // `src` is the other node within the network, `dst` where it is in the Internet: it is the other's tunnel that
      // ends at the node which logs.
      if (is_relay(dst.ip)) return Fate::ignored(kRelayed);
      if (!dst.ip.present()) return Fate::rejected(kNoAddress);
      e.source_ip = dst.ip;
      e.source_port = dst.port;
      e.assigned_ip = src.ip;
      e.protocol = 17;
      e.application = kWireguard;
      e.source_bytes = received;
      e.source_packets = received_packets;
      e.destination_bytes = sent;
      e.destination_packets = sent_packets;
      return Fate::kept();
    }
    if (!src.ip.present() && !dst.ip.present()) return Fate::rejected(kNoAddress);
    e.source_ip = src.ip;
    e.source_port = src.port;
    e.destination_ip = dst.ip;
    e.destination_port = dst.port;
    e.protocol = json::number(row[kProto]).value_or(0) <= 255
                     ? static_cast<std::uint8_t>(json::number(row[kProto]).value_or(0))
                     : std::uint8_t{0};
    e.source_bytes = sent;
    e.source_packets = sent_packets;
    e.destination_bytes = received;
    e.destination_packets = received_packets;
    set_user(e, around.user);
    e.client_os = around.os;
    return Fate::kept();
  }

  Fate audit(Event& e) {
    const std::string_view action = row_[kAction];
    if (action != "LOGIN" && action != "LOGOUT") return json::ignored("audit", action);
    e.time = json::utc_time(row_[kTime]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    put_login(e, Outcome::kSuccess, Service::kVpn);
    if (action == "LOGOUT") {
      e.activity = Activity::kLogoff;
      e.outcome = Outcome::kUnknown;
    }
    e.code = core::intern(action);
    set_user(e, row_[kLogin]);
    e.client_host = json::symbol(row_[kTarget]);
    return e.user.present() ? Fate::kept() : Fate::rejected(kNobody);
  }

  json::Parser parser_;
  json::Object root_;
  json::Fields::Memory memory_;
  json::Row row_;
};

const json::Fields Tailscale::kConnection({
    {"proto", kProto},
    {"src", kSrc},
    {"dst", kDst},
    {"txPkts", kTxPackets},
    {"txBytes", kTxBytes},
    {"rxPkts", kRxPackets},
    {"rxBytes", kRxBytes},
});

}  // namespace

std::unique_ptr<RecordDecoder> make_tailscale(const core::TimeReader&) { return std::make_unique<Tailscale>(); }

}  // namespace orbwatch::decode

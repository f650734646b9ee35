// Azure flow logs: network security groups (NSG, versions 1 and 2) and virtual networks (VNet, version 4). One object
// holds the flows of a minute; each flow is a record of its own.
// Spec: https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview and .../vnet-flow-logs-overview
//
// Three sample records (shortened):
//   {"time":"...","category":"NetworkSecurityGroupFlowEvent","resourceId":"/SUBSCRIPTIONS/.../NETWORKSECURITYGROUPS/WEB-NSG",
//   "properties":{"Version":2,"flows":[{"rule":"UserRule_ssh","flows":[{"mac":"000D3AF87856","flowTuples":[
//   "1763626500,203.0.113.12,10.0.0.4,35370,22,T,I,A,E,12,1840,10,9120"]}]}]}}
//   {"time":"...","flowLogVersion":4,"category":"FlowLogFlowEvent","targetResourceID":"/.../virtualNetworks/vnet1",
//   "flowRecords":{"flows":[{"aclID":"...","flowGroups":[{"rule":"DefaultRule_DenyAllInBound","flowTuples":[
//   "1763626500123,203.0.113.12,10.0.0.4,35370,22,6,I,D,NX,0,0,0,0"]}]}]}}
//   {"time":"...","operationName":"NetworkSecurityGroupFlowEvents","rule":"UserRule_ssh","flow.0":"1763626500,..."}
#include <array>
#include <memory>
#include <string_view>

#include "core/text.h"
#include "decode/flow_text.h"
#include "decode/formats.h"
#include "decode/json_record.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Direction;
using json::Value;
using json::Walk;

const Symbol kNotJson = core::intern("azure_flow: not JSON");
const Symbol kTooFew = core::intern("azure_flow: too few fields in a flow");
const Symbol kNoTime = core::intern("azure_flow: no time");
const Symbol kNoAddress = core::intern("azure_flow: no address");
const Symbol kGroupCode = core::intern("NetworkSecurityGroupFlowEvent");
const Symbol kNetworkCode = core::intern("FlowLogFlowEvent");

// The fields of a flow tuple. The two versions differ from the eighth on.
enum Field : std::uint8_t { kTime, kSource, kDestination, kSourcePort, kDestinationPort, kProtocol, kDirection };
constexpr std::size_t kFewest = 8;
constexpr std::size_t kMost = 13;
using Tuple = std::array<std::string_view, kMost>;

// What stands around a flow.
struct Around {
  Symbol resource;
  Symbol mac;
  Symbol rule;
  Symbol code;
};

// "/subscriptions/.../networkSecurityGroups/web-nsg": the last part.
Symbol resource_name(std::string_view path) { return core::intern(path.substr(path.rfind('/') + 1)); }

bool is_tuple_key(std::string_view key) { return key.starts_with("flow.") && key.size() > 5 && is_digit(key[5]); }

void put_protocol(std::string_view text, Event& e) {
  e.protocol = text == "T" ? std::uint8_t{6} : text == "U" ? std::uint8_t{17} : protocol_number(text);
}

// B, C, E: the flow began, goes on, ended. C and E bring what was counted since the last of them.
void put_state(std::string_view state, Event& e) {
  e.action = Action::kAllowed;
  if (state == "B") e.activity = Activity::kStart;
  if (state == "C") e.activity = Activity::kUpdate;
  if (state == "E") e.activity = Activity::kEnd;
  if (state == "D") e.action = Action::kDenied;
}

void put_counts(std::string_view packets, std::string_view bytes, std::string_view packets_back,
                std::string_view bytes_back, Event& e) {
  e.source_packets = json::number(packets).value_or(0);
  e.source_bytes = json::number(bytes).value_or(0);
  e.destination_packets = json::number(packets_back).value_or(0);
  e.destination_bytes = json::number(bytes_back).value_or(0);
}

Fate fill(std::string_view text, const Around& around, Event& e) {
  Tuple cells{};
  std::size_t count = 0;
  while (!text.empty() && count < kMost) cells[count++] = core::take_until(text, ',');
  if (count < kFewest) return Fate::rejected(kTooFew);
  e.time = flow_time(cells[kTime], core::TimeReader());
  if (e.time == 0) return Fate::rejected(kNoTime);
  e.source_ip = given_ip(cells[kSource]);
  e.destination_ip = given_ip(cells[kDestination]);
  if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
  e.source_port = json::port(cells[kSourcePort]);
  e.destination_port = json::port(cells[kDestinationPort]);
  put_protocol(cells[kProtocol], e);
  e.event_class = Class::kConnection;
  if (cells[7] == "A" || (cells[7] == "D" && !is_digit(cells[kProtocol].empty() ? 'T' : cells[kProtocol][0]))) {
    // Network security group: decision, then, since version 2, state and counts.
    put_state(cells[8], e);
    e.action = cells[7] == "A" ? Action::kAllowed : Action::kDenied;
    if (e.action == Action::kDenied) e.activity = Activity::kNone;
    put_counts(cells[9], cells[10], cells[11], cells[12], e);
  } else {
    // Virtual network: state, encryption, counts. A flow may be refused because it could not be encrypted.
    put_state(cells[7], e);
    if (cells[7] == "D" && cells[8].starts_with("NX_")) e.reason = closed_reason(cells[8]);
    put_counts(cells[9], cells[10], cells[11], cells[12], e);
  }
  // Seen from the machine: between private addresses it says nothing of the network's border.
  if (cells[kDirection] == "I" && e.source_ip.is_global()) e.direction = Direction::kInbound;
  if (cells[kDirection] == "O" && e.destination_ip.is_global()) e.direction = Direction::kOutbound;
  e.observer = around.resource;
  e.ingress = around.mac;
  e.rule = around.rule;
  e.code = around.code;
  return Fate::kept();
}

class AzureFlow final : public RecordDecoder {
 public:
  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::keys_of(r);
    if ((keys & (json::kFlowRecords | json::kFlowTuple)) != 0) return true;
    if ((keys & json::kProperties) == 0) return false;
    return is_group_event(json::raw_member(r, "category")) || is_group_event(json::raw_member(r, "operationName"));
  }

  Fate decode(const TextRecord& r, Event&) override {
    return parser_.open(r, root_) ? Fate::several() : Fate::rejected(kNotJson);
  }

  void decode_parts(const TextRecord&, Parts& parts) override {
    Around around;
    Value flows;
    bool has_flows = false;
    bool network = false;
    bool flat = false;
    const auto note = [&](std::string_view key, const Value& value) {
      if (key == "resourceId" || key == "targetResourceID") {
        around.resource = resource_name(json::text(value));
      } else if (key == "macAddress") {
        around.mac = core::intern(json::text(value));
      } else if (key == "rule") {
        around.rule = core::intern(json::text(value));
      } else if (key == "flowLogVersion") {
        network = true;
      } else if (key == "properties" || key == "flowRecords") {
        network |= key == "flowRecords";
        flows = value;
        has_flows = true;
      } else if (is_tuple_key(key)) {
        flat = true;
      }
      return true;
    };
    if (json::each_field(root_, note) == Walk::kBroken) {
      parts.end(Fate::rejected(kNotJson), {});
      return;
    }
    around.code = network ? kNetworkCode : kGroupCode;
    bool good = !has_flows || read_flows(flows, around, parts, 0);
    if (flat) {
      good &= json::each_field(root_, [&](std::string_view key, const Value& value) {
                if (is_tuple_key(key)) put(value, around, parts);
                return true;
              }) != Walk::kBroken;
    }
    if (!good) parts.end(Fate::rejected(kNotJson), {});
  }

 private:
  static bool is_group_event(std::string_view text) { return text.starts_with("\"NetworkSecurityGroupFlowEvent"); }

  static void put(const Value& value, const Around& around, Parts& parts) {
    const std::string_view text = json::text(value);
    Event& event = parts.next();
    parts.end(fill(text, around, event), text);
  }

  // Flows stand in arrays "flowTuples" of objects that lie at most so deep in objects and arrays of objects.
  static constexpr int kDeepest = 6;

  // An object with a rule, or one that leads to such. What names the flows may stand behind them: two passes.
  static bool read_flows(const Value& value, Around around, Parts& parts, int depth) {
    if (depth > kDeepest) return true;
    if (json::is_array(value)) {
      bool good = true;
      const Walk walk = json::each_element(value, [&](const Value& element) {
        good &= read_flows(element, around, parts, depth + 1);
        return good;
      });
      return good && walk != Walk::kBroken;
    }
    const Walk names = json::each_field(value, [&](std::string_view key, const Value& member) {
      if (key == "rule") around.rule = core::intern(json::text(member));
      if (key == "mac") around.mac = core::intern(json::text(member));
      return true;
    });
    if (names == Walk::kBroken) return false;
    bool good = true;
    const Walk walk = json::each_field(value, [&](std::string_view key, const Value& member) {
      if (key == "flowTuples") {
        good &= json::each_element(member, [&](const Value& tuple) {
                  put(tuple, around, parts);
                  return true;
                }) != Walk::kBroken;
      } else if (key == "flows" || key == "flowGroups") {
        good &= read_flows(member, around, parts, depth + 1);
      }
      return good;
    });
    return good && walk != Walk::kBroken;
  }

  json::Parser parser_;
  json::Object root_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_azure_flow(const core::TimeReader&) { return std::make_unique<AzureFlow>(); }

}  // namespace orbwatch::decode

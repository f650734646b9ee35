// Google Cloud VPC flow logs and firewall rules logs: log entries of Cloud Logging, as its API, its sinks (Cloud
// Storage, BigQuery) and Pub/Sub write them, and the bare payload.
// Spec: https://cloud.google.com/vpc/docs/about-flow-logs-records,
// https://cloud.google.com/firewall/docs/firewall-rules-logging
//
// Three sample records (shortened):
//   {"insertId":"1","jsonPayload":{"connection":{"src_ip":"203.0.113.12","src_port":50122,"dest_ip":"10.0.0.4",
//   "dest_port":443,"protocol":6},"bytes_sent":"1872","packets_sent":"16","reporter":"DEST","start_time":"...",
//   "end_time":"...","dest_vpc":{"vpc_name":"prod"}},"logName":"projects/p/logs/compute.googleapis.com%2Fvpc_flows"}
//   {"jsonPayload":{"connection":{...},"disposition":"DENIED","rule_details":{"reference":"network:prod/firewall:ssh"}}}
//   {"connection":{"src_ip":"203.0.113.12",...},"bytes_sent":1872,"reporter":"SRC","start_time":"..."}
#include <memory>
#include <string_view>

#include "decode/find_byte.h"
#include "decode/formats.h"
#include "decode/json_fields.h"
#include "decode/scanner.h"

namespace orbwatch::decode {
namespace {

using event::Action;
using event::Activity;
using event::Class;
using event::Direction;

const Symbol kNotJson = core::intern("gcp_vpc_flow: not JSON");
const Symbol kNoTime = core::intern("gcp_vpc_flow: no time");
const Symbol kNoAddress = core::intern("gcp_vpc_flow: no address");
const Symbol kFlowCode = core::intern("vpc_flows");
const Symbol kFirewallCode = core::intern("firewall");

enum Field : std::uint8_t {
  kSource,
  kDestination,
  kSourcePort,
  kDestinationPort,
  kProtocol,
  kBytes,
  kPackets,
  kReporter,
  kStart,
  kEnd,
  kTimestamp,
  kSourceMachine,
  kDestinationMachine,
  kSourceNetwork,
  kDestinationNetwork,
  kSourceCountry,
  kDisposition,
  kRule,
  kRuleDirection,
  kMachine,
  kNetwork,
  kRemoteCountry,
};

const json::Fields kFields(
    {
        {"connection.src_ip", kSource},
        {"connection.dest_ip", kDestination},
        {"connection.src_port", kSourcePort},
        {"connection.dest_port", kDestinationPort},
        {"connection.protocol", kProtocol},
        {"bytes_sent", kBytes},
        {"packets_sent", kPackets},
        {"reporter", kReporter},
        {"start_time", kStart},
        {"end_time", kEnd},
        {"timestamp", kTimestamp},
        {"src_instance.vm_name", kSourceMachine},
        {"dest_instance.vm_name", kDestinationMachine},
        {"src_vpc.vpc_name", kSourceNetwork},
        {"dest_vpc.vpc_name", kDestinationNetwork},
        {"src_location.country", kSourceCountry},
        {"disposition", kDisposition},
        {"rule_details.reference", kRule},
        {"rule_details.direction", kRuleDirection},
        {"instance.vm_name", kMachine},
        {"vpc.vpc_name", kNetwork},
        {"remote_location.country", kRemoteCountry},
    },
    {"", "jsonPayload.", "json_payload."});

class GcpVpcFlow final : public json::TableDecoder {
 public:
  GcpVpcFlow() : TableDecoder(kFields, kNotJson) {}

  bool claims(const TextRecord& r) const override {
    const std::uint64_t keys = json::keys_of(r);
    if ((keys & json::kJsonPayload) != 0) {
      return holds_text(r.message, "\"src_ip\"") && holds_text(r.message, "\"connection\"");
    }
    return (keys & (json::kConnection | json::kBytesSent)) == (json::kConnection | json::kBytesSent);
  }

 private:
  Fate fill(json::Row& row, const json::Object&, Event& e) override {
    e.time = json::utc_time(row[row[kStart].empty() ? kTimestamp : kStart]);
    if (e.time == 0) return Fate::rejected(kNoTime);
    e.source_ip = given_ip(row[kSource]);
    e.destination_ip = given_ip(row[kDestination]);
    if (!e.source_ip.present() && !e.destination_ip.present()) return Fate::rejected(kNoAddress);
    e.source_port = json::port(row[kSourcePort]);
    e.destination_port = json::port(row[kDestinationPort]);
    e.protocol = protocol_number(row[kProtocol]);
    e.client_host = json::symbol(row[kSourceMachine]);
    e.destination_name = json::symbol(row[kDestinationMachine]);
    e.region = json::symbol(row[kSourceCountry]);
    if (row[kDisposition].empty()) {
      flow(row, e);
    } else {
      firewall(row, e);
    }
    return Fate::kept();
  }

  // Only what went from source to destination is counted; the way back is a record of its own. Either end may report.
  static void flow(const json::Row& row, Event& e) {
    e.event_class = Class::kFlow;
    e.activity = Activity::kTraffic;
    e.code = kFlowCode;
    e.source_bytes = json::number(row[kBytes]).value_or(0);
    e.source_packets = json::number(row[kPackets]).value_or(0);
    if (const core::Nanoseconds end = json::utc_time(row[kEnd]); end > e.time) e.duration = end - e.time;
    const bool by_source = row[kReporter].starts_with("SRC");
    e.observer = json::symbol(row[by_source ? kSourceNetwork : kDestinationNetwork]);
    if (!by_source && e.source_ip.is_global()) e.direction = Direction::kInbound;
    if (by_source && e.destination_ip.is_global()) e.direction = Direction::kOutbound;
  }

  static void firewall(const json::Row& row, Event& e) {
    e.event_class = Class::kConnection;
    e.code = kFirewallCode;
    e.observer = json::symbol(row[kNetwork]);
    e.rule = json::symbol(row[kRule]);
    if (row[kDisposition] == "ALLOWED") {
      e.action = Action::kAllowed;
      e.activity = Activity::kStart;
    } else if (row[kDisposition] == "DENIED") {
      e.action = Action::kDenied;
    }
    const bool in = row[kRuleDirection] == "INGRESS";
    if (in && !e.destination_name.present()) e.destination_name = json::symbol(row[kMachine]);
    if (!in && !e.client_host.present()) e.client_host = json::symbol(row[kMachine]);
    if (in) e.region = json::symbol(row[kRemoteCountry]);
    if (in && e.source_ip.is_global()) e.direction = Direction::kInbound;
    if (!in && e.destination_ip.is_global()) e.direction = Direction::kOutbound;
  }
};

}  // namespace

std::unique_ptr<RecordDecoder> make_gcp_vpc_flow(const core::TimeReader&) { return std::make_unique<GcpVpcFlow>(); }

}  // namespace orbwatch::decode

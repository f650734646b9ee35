// AWS VPC flow logs (versions 2 to 10, default and custom order of fields) and Transit Gateway flow logs (version 6),
// as text with or without a header line, also as CloudWatch wraps it, and as JSON.
// Spec: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html,
// https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html
//
// Three sample records:
//   2 123456789010 eni-1235b8ca123456789 203.0.113.12 10.0.0.96 53996 22 6 1 40 1763626500 1763626560 REJECT OK
//   version srcaddr dstaddr srcport dstport protocol action log-status start end flow-direction   (a header)
//   {"timestamp":1763626560000,"message":"2 123456789010 eni-1235b8ca123456789 203.0.113.12 ... ACCEPT OK"}
//
// Columns are those of the last header line. Without one, lines are read that begin as the default format does; what
// follows its 14 fields is taken in the order of the vendor's table. Ignored by name: header lines, "log-status
// NODATA", "log-status SKIPDATA".
#include <algorithm>
#include <array>
#include <memory>
#include <string>
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
const Symbol kNoData = core::intern("log-status NODATA");
const Symbol kSkipData = core::intern("log-status SKIPDATA");
const Symbol kNotJson = core::intern("aws_vpc_flow: not JSON");
const Symbol kNoTime = core::intern("aws_vpc_flow: no time");
const Symbol kNoAddress = core::intern("aws_vpc_flow: no address");
const Symbol kColumns = core::intern("aws_vpc_flow: another number of fields than the header");
const Symbol kOrder = core::intern("aws_vpc_flow: not the default order and no header line");
const Symbol kVpcCode = core::intern("vpc");
const Symbol kTransitGatewayCode = core::intern("transit-gateway");

enum Field : std::uint8_t {
  kUnknown,
  kVersion,
  kAccount,
  kInterface,
  kSource,
  kDestination,
  kSourcePort,
  kDestinationPort,
  kProtocol,
  kPackets,
  kBytes,
  kStart,
  kEnd,
  kAction,
  kStatus,
  kVpc,
  kTcpFlags,
  kPacketSource,
  kPacketDestination,
  kDirection,
  kRejectReason,
  kGateway,
  kAttachment,
  kPairAttachment,
};

constexpr std::array kNames = {
    Columns::Name{"version", kVersion},
    Columns::Name{"account-id", kAccount},
    Columns::Name{"interface-id", kInterface},
    Columns::Name{"srcaddr", kSource},
    Columns::Name{"dstaddr", kDestination},
    Columns::Name{"srcport", kSourcePort},
    Columns::Name{"dstport", kDestinationPort},
    Columns::Name{"protocol", kProtocol},
    Columns::Name{"packets", kPackets},
    Columns::Name{"bytes", kBytes},
    Columns::Name{"start", kStart},
    Columns::Name{"end", kEnd},
    Columns::Name{"action", kAction},
    Columns::Name{"log-status", kStatus},
    Columns::Name{"vpc-id", kVpc},
    Columns::Name{"tcp-flags", kTcpFlags},
    Columns::Name{"pkt-srcaddr", kPacketSource},
    Columns::Name{"pkt-dstaddr", kPacketDestination},
    Columns::Name{"flow-direction", kDirection},
    Columns::Name{"reject-reason", kRejectReason},
    Columns::Name{"tgw-id", kGateway},
    Columns::Name{"tgw-attachment-id", kAttachment},
    Columns::Name{"tgw-pair-attachment-id", kPairAttachment},
};

// The order of fields where no header states it.
constexpr std::string_view kVpcOrder =
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status "
    "vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id "
    "pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path ecs-cluster-arn ecs-cluster-name "
    "ecs-container-instance-arn ecs-container-instance-id ecs-container-id ecs-second-container-id ecs-service-name "
    "ecs-task-definition-arn ecs-task-arn ecs-task-id reject-reason resource-id encryption-status";
constexpr std::string_view kGatewayOrder =
    "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id "
    "tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id "
    "tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status "
    "type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags "
    "region flow-direction pkt-src-aws-service pkt-dst-aws-service";

const json::Fields kJsonFields({
    {"version", kVersion},
    {"account_id", kAccount},
    {"accountId", kAccount},
    {"account-id", kAccount},
    {"account", kAccount},
    {"interface_id", kInterface},
    {"interfaceId", kInterface},
    {"interface-id", kInterface},
    {"srcAddr", kSource},
    {"src_addr", kSource},
    {"dstAddr", kDestination},
    {"dst_addr", kDestination},
    {"srcPort", kSourcePort},
    {"src_port", kSourcePort},
    {"dstPort", kDestinationPort},
    {"dst_port", kDestinationPort},
    {"protocol", kProtocol},
    {"packets", kPackets},
    {"numPackets", kPackets},
    {"bytes", kBytes},
    {"numBytes", kBytes},
    {"start", kStart},
    {"startTime", kStart},
    {"start_time", kStart},
    {"end", kEnd},
    {"endTime", kEnd},
    {"end_time", kEnd},
    {"action", kAction},
    {"log_status", kStatus},
    {"logStatus", kStatus},
    {"log-status", kStatus},
    {"status", kStatus},
    {"vpc_id", kVpc},
    {"vpcId", kVpc},
    {"vpc-id", kVpc},
    {"tcp_flags", kTcpFlags},
    {"tcpFlags", kTcpFlags},
    {"tcp-flags", kTcpFlags},
    {"pkt_srcaddr", kPacketSource},
    {"pktSrcAddr", kPacketSource},
    {"pkt-srcaddr", kPacketSource},
    {"packetSrcAddr", kPacketSource},
    {"pkt_dstaddr", kPacketDestination},
    {"pktDstAddr", kPacketDestination},
    {"pkt-dstaddr", kPacketDestination},
    {"packetDstAddr", kPacketDestination},
    {"flow_direction", kDirection},
    {"flowDirection", kDirection},
    {"flow-direction", kDirection},
    {"reject_reason", kRejectReason},
    {"reject-reason", kRejectReason},
    {"tgw_id", kGateway},
    {"tgw-id", kGateway},
    {"tgw_attachment_id", kAttachment},
    {"tgw-attachment-id", kAttachment},
    {"tgw_pair_attachment_id", kPairAttachment},
    {"tgw-pair-attachment-id", kPairAttachment},
});

enum class Order : std::uint8_t { kNone, kVpc, kGateway };

// Does a line in default order begin here? "2 123456789010 eni-...", "6 TransitGateway ...".
Order default_order(std::string_view text) {
  Scanner s(text.substr(0, 64));
  if (!is_digit(s.peek())) return Order::kNone;
  s.advance(is_digit(s.peek(1)) ? 2 : 1);
  if (!s.skip(' ')) return Order::kNone;
  if (s.skip("TransitGateway ")) return Order::kGateway;
  if (!s.skip("unknown")) {
    if (!is_digit(s.peek())) return Order::kNone;
    s.number();
  }
  return s.skip(" eni-") ? Order::kVpc : Order::kNone;
}

// The line within a text record, without what stands before it: an envelope, or the time that an export of CloudWatch
// puts in front.
std::string_view line_of(const TextRecord& r) {
  if (r.time == 0 || default_order(r.message) != Order::kNone) return r.message;
  const auto space = r.raw.find(' ');
  const std::string_view behind = space == r.raw.npos ? std::string_view{} : r.raw.substr(space + 1);
  return default_order(behind) != Order::kNone || !is_digit(r.raw.front()) ? behind : r.raw;
}

// "${version} ${srcaddr}", as the flow log's own format is written.
std::string_view bare_name(std::string_view cell) {
  if (cell.starts_with("${") && cell.ends_with('}')) return cell.substr(2, cell.size() - 3);
  return cell;
}

bool is_header(std::string_view line) {
  if (line.empty() || !((line[0] >= 'a' && line[0] <= 'z') || line.starts_with("${"))) return false;
  std::size_t known = 0;
  std::size_t all = 0;
  for (; !line.empty() && all < Columns::kMostColumns; ++all) {
    const std::string_view name = bare_name(core::take_until(line, ' '));
    for (const char c : name) {
      if (!((c >= 'a' && c <= 'z') || c == '-')) return false;
    }
    known += Columns::known(name, ' ', kNames);
  }
  return known >= 3 && known * 4 >= all;
}

class AwsVpcFlow final : public RecordDecoder {
 public:
  explicit AwsVpcFlow(const core::TimeReader& times) : times_(times) {
    vpc_.read(kVpcOrder, ' ', kNames);
    gateway_.read(kGatewayOrder, ' ', kNames);
  }

  bool claims(const TextRecord& r) const override {
    if (r.json) {
      constexpr std::uint64_t kEnds = json::kSrcAddr | json::kDstAddr;
      return (json::keys_of(r) & (kEnds | json::kSampler)) == kEnds;  // a sampler's records are json_flow's
    }
    const std::string_view line = line_of(r);
    if (default_order(line) != Order::kNone) return true;
    if (is_header(line)) return true;
    return header_.fits(line);
  }

  Fate decode(const TextRecord& r, Event& e) override {
    if (r.json) return from_json(r, e);
    const std::string_view line = line_of(r);
    if (is_header(line)) {
      read_header(line);
      return Fate::ignored(kHeader);
    }
    return from_line(line, e);
  }

 private:
  void read_header(std::string_view line) {
    std::string names;
    while (!line.empty()) {
      names += bare_name(core::take_until(line, ' '));
      if (!line.empty()) names += ' ';
    }
    header_.read(names, ' ', kNames);
  }

  Fate from_json(const TextRecord& r, Event& e) {
    json::Object object;
    json::Row cells{};
    if (!parser_.open(r, object) || !kJsonFields.read(object, cells, memory_)) return Fate::rejected(kNotJson);
    Columns::Row row{};
    std::copy_n(cells.begin(), row.size(), row.begin());
    return fill(row, e);
  }

  Fate from_line(std::string_view line, Event& e) {
    Columns::Row row;
    e.observer = {};  // what an envelope calls a host may be the line's version
    const Order order = default_order(line);
    if (!header_.empty()) return header_.split(line, row) ? fill(row, e) : Fate::rejected(kColumns);
    const Columns& table = order == Order::kGateway ? gateway_ : vpc_;
    // Newer versions add fields at the end; older ones have fewer.
    table.split(line, row);
    if (order != Order::kGateway && !is_default(row)) return Fate::rejected(kOrder);
    return fill(row, e);
  }

  static bool is_default(const Columns::Row& row) {
    const std::string_view action = row[kAction];
    const std::string_view status = row[kStatus];
    return (action == "ACCEPT" || action == "REJECT" || action == "-") &&
           (status == "OK" || status == "NODATA" || status == "SKIPDATA");
  }

  static Symbol name(std::string_view text) { return text == "-" || text == "unknown" ? Symbol() : core::intern(text); }

  Fate fill(const Columns::Row& row, Event& e) const {
    if (row[kStatus] == "NODATA") return Fate::ignored(kNoData);
    if (row[kStatus] == "SKIPDATA") return Fate::ignored(kSkipData);
    // The packet's own addresses, where they are logged, are the ends of the connection; the others may be those of a
    // NAT gateway or of the interface.
    e.source_ip = given_ip(row[kPacketSource]);
    if (!e.source_ip.present()) e.source_ip = given_ip(row[kSource]);
    e.destination_ip = given_ip(row[kPacketDestination]);
    if (!e.destination_ip.present()) e.destination_ip = given_ip(row[kDestination]);
    if (!e.source_ip.present() && !e.destination_ip.present()) {
      if (row[kSource] == "-" && row[kDestination] == "-") return Fate::ignored(kNoData);
      return Fate::rejected(kNoAddress);
    }
    if (const core::Nanoseconds start = flow_time(row[kStart], times_); start != 0) e.time = start;
    const core::Nanoseconds end = flow_time(row[kEnd], times_);
    if (e.time == 0) e.time = end;
    if (e.time == 0) return Fate::rejected(kNoTime);
    if (end > e.time) e.duration = end - e.time;
    e.protocol = protocol_number(row[kProtocol]);
    e.source_port = json::port(row[kSourcePort]);
    e.destination_port = json::port(row[kDestinationPort]);
    e.source_packets = json::number(row[kPackets]).value_or(0);
    e.source_bytes = json::number(row[kBytes]).value_or(0);
    e.tcp_flags = core::parse_number<std::uint16_t>(row[kTcpFlags]).value_or(0);
    e.event_class = Class::kFlow;
    e.activity = Activity::kTraffic;
    const bool gateway = !row[kGateway].empty();
    e.code = gateway ? kTransitGatewayCode : kVpcCode;
    if (row[kAction] == "ACCEPT") e.action = Action::kAllowed;
    if (row[kAction] == "REJECT") {
      // What a security group or network ACL refused is a firewall's verdict; no traffic was let through.
      e.event_class = Class::kConnection;
      e.activity = Activity::kNone;
      e.action = Action::kDenied;
    }
    e.reason = name(row[kRejectReason]);
    e.observer = gateway ? name(row[kGateway]) : name(row[kVpc].empty() ? row[kAccount] : row[kVpc]);
    e.ingress = name(gateway ? row[kAttachment] : row[kInterface]);
    e.egress = name(row[kPairAttachment]);
    // Seen from the interface: between private addresses it says nothing of the network's border.
    if (!gateway && row[kDirection] == "ingress" && e.source_ip.is_global()) e.direction = Direction::kInbound;
    if (!gateway && row[kDirection] == "egress" && e.destination_ip.is_global()) e.direction = Direction::kOutbound;
    return Fate::kept();
  }

  core::TimeReader times_;
  json::Parser parser_;
  json::Fields::Memory memory_;
  Columns vpc_;
  Columns gateway_;
  Columns header_;
};

}  // namespace

std::unique_ptr<RecordDecoder> make_aws_vpc_flow(const core::TimeReader& times) {
  return std::make_unique<AwsVpcFlow>(times);
}

}  // namespace orbwatch::decode

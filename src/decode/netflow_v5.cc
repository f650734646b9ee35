#include "decode/netflow_v5.h"

#include "decode/bytes.h"

namespace orbwatch::decode {
namespace {

const Symbol kBehind = core::intern("flow: bytes behind the last record");

constexpr std::size_t kHeader = 24;
constexpr std::size_t kV5Record = 48;
constexpr std::size_t kV7Record = 52;

// The records' layout, said with the element numbers of version 9; 0 is what is not read.
std::vector<FieldSpec> layout(Dialect dialect) {
  std::vector<FieldSpec> fields = {{8, 4},  {12, 4}, {15, 4}, {10, 2}, {14, 2}, {2, 4}, {1, 4},
                                   {22, 4}, {21, 4}, {7, 2},  {11, 2}, {0, 1},  {6, 1}, {4, 1},
                                   {5, 1},  {16, 2}, {17, 2}, {9, 1},  {13, 1}, {0, 2}};
  if (dialect == Dialect::kNetflowV7) fields.push_back({0, 4});
  return fields;
}

std::size_t record_length(std::string_view payload) { return be16(payload.data()) == 5 ? kV5Record : kV7Record; }

}  // namespace

NetflowV5::NetflowV5()
    : v5_(Template::compile(Dialect::kNetflowV5, layout(Dialect::kNetflowV5), false)),
      v7_(Template::compile(Dialect::kNetflowV7, layout(Dialect::kNetflowV7), false)) {}
NetflowV5::~NetflowV5() = default;

std::size_t NetflowV5::length(std::string_view payload) {
  if (payload.size() < kHeader) return 0;
  return kHeader + be16(payload.data() + 2) * record_length(payload);
}

bool NetflowV5::plausible(std::string_view payload) {
  if (payload.size() < kHeader) return false;
  const std::uint16_t version = be16(payload.data());
  if ((version != 5 && version != 7) || be16(payload.data() + 2) == 0) return false;
  const std::size_t end = length(payload);
  return payload.size() >= end && all_zero(payload.substr(end));
}

void NetflowV5::decode(const FlowContext& context) const {
  const std::string_view payload = context.datagram.payload;
  if (payload.size() < kHeader) {
    context.reject(flow_reason::kBadHeader, payload);
    return;
  }
  const bool v5 = be16(payload.data()) == 5;
  const std::size_t promised = be16(payload.data() + 2) * record_length(payload);
  if (promised == 0) {
    context.reject(flow_reason::kBadHeader, payload);
    return;
  }
  MessageTime time;
  time.uptime_ms = be32(payload.data() + 4);
  time.has_uptime = true;
  const std::uint32_t fraction = be32(payload.data() + 12);
  time.exported = be32(payload.data() + 8) * core::kSecond + (fraction < 1000000000 ? fraction : 0);
  if (be32(payload.data() + 8) == 0) time.exported = context.datagram.received;
  // Two bits of mode, fourteen of interval: 0 stands for no sampling.
  const std::uint32_t sampling = v5 ? be16(payload.data() + 22) & 0x3fffU : 0;
  const std::string_view records = payload.substr(kHeader);
  DomainFacts none;
  (v5 ? v5_ : v7_)->decode(records.substr(0, promised), time, sampling, records.size() < promised, none, context);
  if (records.size() > promised && !all_zero(records.substr(promised))) {
    context.reject(kBehind, records.substr(promised));
  }
}

}  // namespace orbwatch::decode

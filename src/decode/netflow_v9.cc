#include "decode/netflow_v9.h"

#include "decode/bytes.h"

namespace orbwatch::decode {
namespace {

constexpr std::size_t kHeader = 20;

void templates(FlowExporters& exporters, FlowExporters::Domain& domain, std::string_view set,
               const FlowContext& context) {
  ByteReader in(set);
  while (in.left() >= 4 && !all_zero(in.rest())) {
    const std::string_view seen = in.rest();
    const std::uint16_t id = in.u16();
    const std::size_t count = in.u16();
    if (id < 256 || count == 0 || in.left() < count * 4) {
      context.reject(flow_reason::kBadTemplate, seen);
      return;
    }
    std::vector<FieldSpec> fields(count);
    for (FieldSpec& f : fields) f = {in.u16(), in.u16()};
    exporters.learn(domain, id, std::move(fields), false, context);
  }
}

void options_templates(FlowExporters& exporters, FlowExporters::Domain& domain, std::string_view set,
                       const FlowContext& context) {
  ByteReader in(set);
  while (in.left() >= 6 && !all_zero(in.rest())) {
    const std::string_view seen = in.rest();
    const std::uint16_t id = in.u16();
    const std::size_t scope = in.u16();  // bytes
    const std::size_t options = in.u16();
    if (id < 256 || scope % 4 != 0 || options % 4 != 0 || scope + options == 0 || in.left() < scope + options) {
      context.reject(flow_reason::kBadTemplate, seen);
      return;
    }
    std::vector<FieldSpec> fields((scope + options) / 4);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      fields[i] = {in.u16(), in.u16(), i < scope / 4 ? kScopeOfV9 : 0};
    }
    exporters.learn(domain, id, std::move(fields), true, context);
  }
}

}  // namespace

bool netflow_v9_plausible(std::string_view payload) {
  if (payload.size() < kHeader + 4 || be16(payload.data()) != 9) return false;
  return sets_fill(payload.substr(kHeader), [](std::uint16_t id) { return id <= 1 || id >= 256; });
}

void decode_netflow_v9(FlowExporters& exporters, const FlowContext& context) {
  std::string_view payload = context.datagram.payload;
  if (payload.size() < kHeader) {
    context.reject(flow_reason::kBadHeader, payload);
    return;
  }
  MessageTime time;
  time.uptime_ms = be32(payload.data() + 4);
  time.has_uptime = true;
  time.exported = be32(payload.data() + 8) * core::kSecond;
  if (time.exported == 0) time.exported = context.datagram.received;
  FlowExporters::Domain* domain = exporters.domain(be32(payload.data() + 16), Dialect::kNetflowV9, context);
  if (domain == nullptr) return;
  payload.remove_prefix(kHeader);
  for (FlowSet set; take_set(payload, set);) {
    if (set.id >= 256) {
      exporters.data(*domain, set.id, set.inside, time, set.cut, context);
    } else if (set.id == 0) {
      templates(exporters, *domain, set.inside, context);
    } else if (set.id == 1) {
      options_templates(exporters, *domain, set.inside, context);
    } else {
      context.reject(flow_reason::kReservedSet, set.bytes);
    }
  }
  if (!all_zero(payload)) context.reject(flow_reason::kBadSet, payload);
}

}  // namespace orbwatch::decode

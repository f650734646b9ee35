#include "decode/netflow_v9.h"

#include "decode/bytes.h"

namespace orbwatch::decode {
namespace {

const Symbol kBadHeader = core::intern("flow: bad header");
const Symbol kTooManyExporters = core::intern("flow: too many exporters");
const Symbol kBadSet = core::intern("flow: bad set");
const Symbol kReservedSet = core::intern("flow: reserved set");
const Symbol kBadTemplate = core::intern("flow: unusable template");

constexpr std::size_t kHeader = 20;

bool all_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == bytes.npos; }

void templates(FlowExporters& exporters, FlowExporters::Domain& domain, std::string_view set,
               const FlowContext& context) {
  ByteReader in(set);
  while (in.left() >= 4 && !all_zero(in.rest())) {
    const std::string_view seen = in.rest();
    const std::uint16_t id = in.u16();
    const std::size_t count = in.u16();
    if (id < 256 || count == 0 || in.left() < count * 4) {
      context.reject(kBadTemplate, seen);
      return;
    }
    std::vector<FieldSpec> fields(count);
    for (FieldSpec& f : fields) {
      f.id = in.u16();
      f.length = in.u16();
    }
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
      context.reject(kBadTemplate, seen);
      return;
    }
    std::vector<FieldSpec> fields((scope + options) / 4);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      fields[i].id = in.u16();
      fields[i].length = in.u16();
      if (i < scope / 4) fields[i].enterprise = kScopeOfV9;
    }
    exporters.learn(domain, id, std::move(fields), true, context);
  }
}

}  // namespace

bool netflow_v9_plausible(std::string_view payload) {
  if (payload.size() < kHeader + 4 || be16(payload.data()) != 9) return false;
  payload.remove_prefix(kHeader);
  // Every set must be sound; the last may be padded to what the exporter likes.
  while (payload.size() >= 4) {
    const std::uint16_t id = be16(payload.data());
    const std::size_t length = be16(payload.data() + 2);
    if (id == 0 && length == 0) return all_zero(payload);
    if ((id > 1 && id < 256) || length < 4 || length > payload.size()) return false;
    payload.remove_prefix(length);
  }
  return true;
}

void decode_netflow_v9(FlowExporters& exporters, const FlowContext& context) {
  std::string_view payload = context.datagram.payload;
  if (payload.size() < kHeader) {
    context.reject(kBadHeader, payload);
    return;
  }
  MessageTime time;
  time.uptime_ms = be32(payload.data() + 4);
  time.has_uptime = true;
  time.exported = be32(payload.data() + 8) * core::kSecond;
  if (time.exported == 0) time.exported = context.datagram.received;
  FlowExporters::Domain* domain =
      exporters.domain(context.datagram.exporter, be32(payload.data() + 16), Dialect::kNetflowV9);
  if (domain == nullptr) {
    context.reject(kTooManyExporters, payload);
    return;
  }
  payload.remove_prefix(kHeader);
  while (payload.size() >= 4) {
    const std::uint16_t id = be16(payload.data());
    const std::size_t length = be16(payload.data() + 2);
    if (length < 4) {
      if (!all_zero(payload)) context.reject(kBadSet, payload);
      return;
    }
    const bool cut = length > payload.size();
    const std::string_view set = payload.substr(4, length - 4);
    if (id >= 256) {
      exporters.data(*domain, id, set, time, cut, context);
    } else if (id == 0) {
      templates(exporters, *domain, set, context);
    } else if (id == 1) {
      options_templates(exporters, *domain, set, context);
    } else {
      context.reject(kReservedSet, payload);
    }
    if (cut) return;
    payload.remove_prefix(length);
  }
  if (!all_zero(payload)) context.reject(kBadSet, payload);
}

}  // namespace orbwatch::decode

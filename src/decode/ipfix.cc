#include "decode/ipfix.h"

#include "decode/bytes.h"

namespace orbwatch::decode {
namespace {

const Symbol kWithdrawal = core::intern("template withdrawal");
const Symbol kEmptyMessage = core::intern("message without sets");

constexpr std::size_t kHeader = 16;
constexpr std::uint16_t kTemplateSet = 2;
constexpr std::uint16_t kOptionsSet = 3;

void templates(FlowExporters& exporters, FlowExporters::Domain& domain, bool options, std::string_view set,
               const FlowContext& context) {
  ByteReader in(set);
  while (in.left() >= 4 && !all_zero(in.rest())) {
    const std::string_view seen = in.rest();
    const std::uint16_t id = in.u16();
    const std::size_t count = in.u16();
    if (count == 0) {  // withdrawal
      if (id >= 256) {
        exporters.withdraw(domain, id);
      } else if (id == (options ? kOptionsSet : kTemplateSet)) {
        exporters.withdraw_all(domain, options);
      } else {
        context.reject(flow_reason::kBadTemplate, seen);
        return;
      }
      context.ignore(kWithdrawal);
      continue;
    }
    const std::size_t scope = options ? in.u16() : 0;
    if (id < 256 || scope > count || in.left() < count * 4) {
      context.reject(flow_reason::kBadTemplate, seen);
      return;
    }
    std::vector<FieldSpec> fields(count);
    for (FieldSpec& f : fields) {
      f = {in.u16(), in.u16()};
      if ((f.id & 0x8000) != 0) {
        f.id &= 0x7fff;
        f.enterprise = in.u32();
      }
    }
    if (in.bad()) {
      context.reject(flow_reason::kBadTemplate, seen);
      return;
    }
    exporters.learn(domain, id, std::move(fields), options, context);
  }
}

}  // namespace

std::size_t ipfix_length(std::string_view payload) { return payload.size() < kHeader ? 0 : be16(payload.data() + 2); }

bool ipfix_header(std::string_view payload) {
  if (payload.size() < kHeader || be16(payload.data()) != 10) return false;
  const std::size_t length = be16(payload.data() + 2);
  if (length == kHeader) return true;  // a message may be empty
  if (length < kHeader + 4 || payload.size() < kHeader + 2) return false;
  const std::uint16_t id = be16(payload.data() + kHeader);
  return id == kTemplateSet || id == kOptionsSet || id >= 256;
}

bool ipfix_plausible(std::string_view payload) {
  if (!ipfix_header(payload)) return false;
  const std::size_t all = ipfix_length(payload);
  if (all > payload.size() || !all_zero(payload.substr(all))) return false;
  return sets_fill(payload.substr(kHeader, all - kHeader), [](std::uint16_t) { return true; });
}

std::optional<std::uint32_t> decode_ipfix(FlowExporters& exporters, const FlowContext& context) {
  std::string_view payload = context.datagram.payload;
  if (payload.size() < kHeader || ipfix_length(payload) < kHeader) {
    context.reject(flow_reason::kBadHeader, payload);
    return std::nullopt;
  }
  const std::size_t all = ipfix_length(payload);
  const bool truncated = all > payload.size();
  MessageTime time;
  time.exported = be32(payload.data() + 4) * core::kSecond;
  if (time.exported == 0) time.exported = context.datagram.received;
  FlowExporters::Domain* domain = exporters.domain(be32(payload.data() + 12), Dialect::kIpfix, context);
  if (domain == nullptr) return std::nullopt;
  if (!truncated && all == kHeader) {
    context.ignore(kEmptyMessage);
    return 0;
  }
  payload = payload.substr(kHeader, all - kHeader);
  std::size_t records = 0;
  bool counted = !truncated;
  bool told = false;  // that the message breaks off: its last set said so
  for (FlowSet set; take_set(payload, set);) {
    if (set.id >= 256) {
      const auto inside = exporters.data(*domain, set.id, set.inside, time, set.cut, context);
      counted = counted && inside.has_value();
      if (inside) records += *inside;
    } else if (set.id == kTemplateSet || set.id == kOptionsSet) {
      templates(exporters, *domain, set.id == kOptionsSet, set.inside, context);
    } else {
      context.reject(flow_reason::kReservedSet, set.bytes);
    }
    told = set.cut && set.id >= 256;
  }
  if (truncated && payload.size() < 4) {
    if (!told) context.reject(flow_reason::kTruncated, payload);
  } else if (!all_zero(payload)) {
    context.reject(flow_reason::kBadSet, payload);
    return std::nullopt;
  }
  return counted ? std::optional(static_cast<std::uint32_t>(records)) : std::nullopt;
}

}  // namespace orbwatch::decode

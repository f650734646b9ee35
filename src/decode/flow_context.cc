#include "decode/flow_context.h"

#include <algorithm>

#include "decode/bytes.h"

namespace orbwatch::decode {

namespace flow_reason {
const Symbol kBadHeader = core::intern("flow: bad header");
const Symbol kBadSet = core::intern("flow: bad set");
const Symbol kBadTemplate = core::intern("flow: unusable template");
const Symbol kNoDatagram = core::intern("flow: bytes that are no datagram");
const Symbol kNoFlow = core::intern("packet without flow export");
const Symbol kReservedSet = core::intern("flow: reserved set");
const Symbol kTooManyExporters = core::intern("flow: too many exporters");
const Symbol kTruncated = core::intern("flow: truncated datagram");
}  // namespace flow_reason

void FlowContext::ignore(Symbol reason, std::uint64_t n) const { batch.counts.ignore(reason, n); }

void FlowContext::reject(Symbol reason, std::string_view seen) const {
  batch.counts.reject(reason);
  if (batch.rejects.size() >= EventBatch::kMostRejects) return;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : seen.substr(0, 32)) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  if (seen.size() > 32) hex += "...";
  batch.note_reject({datagram.record.offset, datagram.record.line, reason, std::move(hex)});
}

bool take_set(std::string_view& message, FlowSet& set) {
  if (message.size() < 4) return false;
  const std::size_t length = be16(message.data() + 2);
  if (length < 4) return false;
  set.id = be16(message.data());
  set.cut = length > message.size();
  set.bytes = message.substr(0, length);
  set.inside = set.bytes.substr(4);
  message.remove_prefix(set.bytes.size());
  return true;
}

}  // namespace orbwatch::decode

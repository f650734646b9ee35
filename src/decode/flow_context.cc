#include "decode/flow_context.h"

#include <algorithm>

namespace orbwatch::decode {

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

}  // namespace orbwatch::decode

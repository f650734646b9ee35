#include "intel/feed_table.h"

namespace orbwatch::intel {

FeedTable::Belief FeedTable::belief(const IndicatorStatement& s, decay::Kind kind, core::NetworkType type,
                                    core::Nanoseconds moment) const {
  const auto at = [](std::uint32_t seconds) { return seconds * core::kSecond; };
  decay::History history;  // its base is that of what states none
  if (s.confidence != kConfidenceNotStated) history.base = s.confidence / 100.0;
  history.first_seen = at(s.first_seen);
  history.last_seen = at(s.last_seen);
  history.valid_from = at(s.valid_from);
  history.valid_until = at(s.valid_until);
  history.revoked = (s.flags & kRevoked) != 0;
  Belief out;
  out.half_life = half_lives.of(table.feed_name(s.feed), kind, type);
  decay::Parameters parameters;
  parameters.half_life_days = out.half_life.days;
  parameters.threshold = 0;
  out.confidence = decay::confidence_at(history, parameters, moment);
  return out;
}

decay::Kind kind_of(const IndicatorKey& key) {
  switch (key.kind) {
    case IndicatorKey::Kind::kPrefix:
      return key.prefix.bits == (key.prefix.base.is_v4() ? 32 : 128) ? decay::Kind::kAddress : decay::Kind::kPrefix;
    case IndicatorKey::Kind::kText:
      if (key.text_kind == TextKind::kDomain) return decay::Kind::kDomain;
      if (key.text_kind == TextKind::kCertificate) return decay::Kind::kCertificate;
      break;
    default: break;
  }
  return decay::Kind::kFingerprint;
}

}  // namespace orbwatch::intel

#include "intel/feed_table.h"

#include <string>

namespace orbwatch::intel {

FeedTable::Belief FeedTable::belief(const IndicatorStatement& s, decay::Kind kind, core::NetworkType type,
                                    core::Nanoseconds moment, const decay::LearnedHere* learned,
                                    std::string_view value) const {
  const auto at = [](std::uint32_t seconds) { return seconds * core::kSecond; };
  decay::History history;  // its base is that of what states none
  if (s.confidence != kConfidenceNotStated) history.base = s.confidence / 100.0;
  history.first_seen = at(s.first_seen);
  history.last_seen = at(s.last_seen);
  history.valid_from = at(s.valid_from);
  history.valid_until = at(s.valid_until);
  history.revoked = (s.flags & kRevoked) != 0;
  Belief out;
  const std::string_view feed = table.feed_name(s.feed);
  auto half_life = half_lives.find(feed, kind, type);
  if (learned != nullptr) {
    if (!half_life) half_life = learned->half_lives.find("", kind, type);
    out.hits = learned->verdicts.of(feed, value, moment);
    history.true_hits = out.hits.true_hits;
    history.false_hits = out.hits.false_hits;
    history.last_true_hit = out.hits.last_true_hit;
  }
  out.half_life = half_life.value_or(decay::prior_half_life(kind, type));
  decay::Parameters parameters;
  parameters.half_life_days = out.half_life.days;
  parameters.threshold = 0;
  out.confidence = decay::confidence_at(history, parameters, moment);
  return out;
}

std::string value_of(const IndicatorKey& key) {
  switch (key.kind) {
    case IndicatorKey::Kind::kNone: return {};
    case IndicatorKey::Kind::kPrefix:
      return kind_of(key) == decay::Kind::kAddress ? key.prefix.base.text() : key.prefix.text();
    case IndicatorKey::Kind::kText: return std::string(key.text);
    case IndicatorKey::Kind::kAutonomousSystem: return "AS" + std::to_string(key.autonomous_system);
  }
  return {};
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

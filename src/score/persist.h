// Findings and the overview in an archive (core/archive.h). Whoever changes what is listed here raises the layouts of
// the sections that use it: cases, judge.
#pragma once

#include "core/archive.h"
#include "detect/persist.h"
#include "score/finding.h"
#include "score/report.h"

namespace orbwatch::score {

template <typename Archive>
void persist(Archive& a, SourceFacts& s) {
  a(s.ip, s.asn, s.org, s.country, s.city, s.network_type, s.claims, s.latitude, s.longitude);
}

template <typename Archive>
void persist(Archive& a, RecordPlace& r) {
  a(r.file, r.offset, r.line, r.raw);
}

// Without what the cases write themselves, since it came later: suppressed_by, timeline, related (track/state.cc).
template <typename Archive>
void persist(Archive& a, Finding& f) {
  a(f.id);
  a.moments(f.time, f.end);
  a.enumeration(f.kind, detect::FindingKind::kDevice);
  a(f.score, f.log_odds);
  a.enumeration(f.severity, Severity::kCritical);
  a(f.alert, f.user, f.source, f.sources, f.users, f.source_count, f.user_count, f.gateway, f.device, f.outcome);
  a(f.hypothesis, f.attack, f.evidence, f.records, f.advice, f.network);
}

template <typename Archive>
void persist(Archive& a, TimelineEntry& e) {
  a.moment(e.time);
  a.enumeration(e.what, Step::kSessionEnd);
  a(e.source, e.log_odds, e.says, e.finding);
}

template <typename Archive>
void persist(Archive& a, Overview::Day& d) {
  a(d.events, d.logins, d.failures);
}

// What grows with the events; the rest is made at the end.
template <typename Archive>
void persist(Archive& a, Overview& o) {
  a(o.logins_by_hour, o.failures_by_hour, o.days);
}

}  // namespace orbwatch::score

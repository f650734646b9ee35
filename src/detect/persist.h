// Evidence in an archive (core/archive.h).
#pragma once

#include "core/archive.h"
#include "detect/evidence.h"

namespace orbwatch::detect {

template <typename Archive>
void persist(Archive& a, Evidence& e) {
  a.constant(e.kind);
  a.constant(e.detector);
  a.enumeration(e.group, kLastGroup);
  a.enumeration(e.finding, FindingKind::kDevice);
  a(e.llr, e.says);
}

}  // namespace orbwatch::detect

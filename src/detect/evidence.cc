#include "detect/evidence.h"

namespace orbwatch::detect {

std::string_view name(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLogin: return "login";
    case FindingKind::kSpray: return "spray";
    case FindingKind::kRecon: return "recon";
    case FindingKind::kRelay: return "relay";
    case FindingKind::kExposure: return "exposure";
    case FindingKind::kIntel: return "intel";
    case FindingKind::kDevice: return "device";
  }
  return "?";
}

}  // namespace orbwatch::detect

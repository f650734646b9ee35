#include "intel/decay/half_life.h"

#include <cmath>

namespace orbwatch::intel::decay {
namespace {

using core::NetworkType;

constexpr double kLn2 = 0.6931471805599453;
// Few networks were measured, and they differ by a factor of five (Raptor Train 17 days, Quad7 90 days): hence the
// small worth.
constexpr HalfLife kHomeLine = {17 * kLn2, 5, "Raptor Train Tier 1: mean life 17 days (Lumen, September 2024)"};
constexpr HalfLife kServer = {77 * kLn2, 5, "Raptor Train Tier 2: mean life 77 days (Lumen, September 2024)"};
constexpr HalfLife kOther = {31, 3,
                             "an address stays with a relay network for as little as 31 days (Mandiant, May 2024)"};
constexpr HalfLife kPool = {1, 3, "addresses change at multiples of 24 hours (Padmanabhan et al., IMC 2016)"};
constexpr HalfLife kName = {30, 3, "half after 30 of 120 days: MISP's NIDS model (lifetime 120, speed 2)"};
constexpr HalfLife kMark = {
    365, 2, "JDY's certificate: known in November 2024 (SecurityScorecard), in use in June 2026 (Lumen)"};

}  // namespace

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::kAddress: return "address";
    case Kind::kPrefix: return "prefix";
    case Kind::kDomain: return "domain";
    case Kind::kUrl: return "url";
    case Kind::kCertificate: return "certificate";
    case Kind::kFingerprint: return "fingerprint";
  }
  return "";
}

HalfLife prior_half_life(Kind kind, NetworkType type) {
  if (kind == Kind::kCertificate || kind == Kind::kFingerprint) return kMark;
  if (kind == Kind::kDomain || kind == Kind::kUrl) return kName;
  switch (type) {
    case NetworkType::kConsumer:
    case NetworkType::kSatellite: return kHomeLine;
    case NetworkType::kMobile:
    case NetworkType::kCgnat: return kPool;
    case NetworkType::kHosting:
    case NetworkType::kVpn:
    case NetworkType::kTor: return kServer;
    case NetworkType::kBusiness:
    case NetworkType::kEducation:
    case NetworkType::kGovernment:
    case NetworkType::kInternal:
    case NetworkType::kUnknown: return kOther;
  }
  return kOther;
}

std::string HalfLives::key(std::string_view feed, Kind kind, NetworkType type) {
  std::string out;
  out += static_cast<char>(kind);
  out += static_cast<char>(type);
  out += feed;
  return out;
}

bool HalfLives::set(std::string_view feed, Kind kind, NetworkType type, const HalfLife& half_life) {
  if (!std::isfinite(half_life.days) || half_life.days <= 0) return false;
  if (!std::isfinite(half_life.worth_deaths) || half_life.worth_deaths < 0) return false;
  std::string at = key(feed, kind, type);
  if (table_.size() >= kMost && !table_.contains(at)) return false;
  table_.insert_or_assign(std::move(at), half_life);
  return true;
}

std::optional<HalfLife> HalfLives::find(std::string_view feed, Kind kind, NetworkType type) const {
  if (const auto own = table_.find(key(feed, kind, type)); own != table_.end()) return own->second;
  if (const auto any = table_.find(key(feed, kind, NetworkType::kUnknown)); any != table_.end()) return any->second;
  if (const auto all = table_.find(key("", kind, type)); all != table_.end()) return all->second;
  if (const auto each = table_.find(key("", kind, NetworkType::kUnknown)); each != table_.end()) return each->second;
  return std::nullopt;
}

HalfLife HalfLives::of(std::string_view feed, Kind kind, NetworkType type) const {
  return find(feed, kind, type).value_or(prior_half_life(kind, type));
}

}  // namespace orbwatch::intel::decay

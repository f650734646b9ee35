#include "score/combine.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace orbwatch::score {

using detect::Evidence;
using detect::FindingKind;

double prior_log_odds(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLogin: return std::log(detect::kCovertShare);
    case FindingKind::kSpray: return std::log(1.0 / 500);
    case FindingKind::kExposure: return std::log(1.0 / 500);
    case FindingKind::kIntel: return std::log(1.0 / 200);
    case FindingKind::kDevice: return std::log(1.0 / 1'000);
    case FindingKind::kRecon: return std::log(1.0 / 1'000);
    case FindingKind::kRelay: return std::log(1.0 / 1'000);
  }
  return std::log(1.0 / 1'000);
}

double combine(FindingKind kind, std::span<const Evidence> evidence, const Corrections* corrections) {
  std::array<double, detect::kGroups> strongest{};
  std::array<double, detect::kGroups> rest{};
  double negative = 0;
  for (const Evidence& e : evidence) {
    if (e.finding != kind) continue;
    double llr = std::clamp(e.llr, kLeastRatio, kMostRatio);
    if (corrections != nullptr && !corrections->empty() && llr > 0)
      llr = std::clamp(llr + corrections->of(e.kind), 0.0, kMostRatio);
    const auto group = static_cast<std::size_t>(e.group);
    if (llr < 0) {
      negative += llr;
    } else if (llr > strongest[group]) {
      rest[group] += strongest[group];
      strongest[group] = llr;
    } else {
      rest[group] += llr;
    }
  }
  double odds = prior_log_odds(kind) + negative;
  for (std::size_t g = 0; g < detect::kGroups; ++g) odds += strongest[g] + kDiscount * rest[g];
  return odds;
}

double probability(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

Severity severity_of(FindingKind kind, double p) {
  if (kind == FindingKind::kExposure) return p > 0.8 ? Severity::kHigh : Severity::kMedium;
  if (p > 0.9) return Severity::kCritical;
  if (p > 0.5) return Severity::kHigh;
  if (p > 0.1) return Severity::kMedium;
  if (p > 0.01) return Severity::kLow;
  return Severity::kInformational;
}

std::string advice_for(const Finding& f) {
  switch (f.kind) {
    case FindingKind::kLogin:
      return "Ask " + (f.user.empty() ? std::string("the user") : f.user) +
             " whether this was them, by a way other than mail. If not: end the session, reset password and second "
             "factor, and look at what "
             "the session's assigned address did inside.";
    case FindingKind::kSpray:
      return "Search the successful log-ins of the accounts tried for the days that follow, require a second factor "
             "for remote access, and do "
             "not count on blocking the sources: each is used once.";
    case FindingKind::kExposure:
      return "Close the interface to the Internet: bind it to an inside interface or an allow list, and check the "
             "device for changes and its "
             "software for known exploited vulnerabilities.";
    case FindingKind::kIntel:
      return "Check what the address did here before and after, and whether it answered; a listed address may have "
             "changed hands.";
    case FindingKind::kDevice:
      return "The far side looks like a hijacked small-office device. Look for log-ins and scans from its address and "
             "its neighbours.";
    case FindingKind::kRecon:
      return "Reduce what the Internet can reach; watch the scanned services for log-ins in the days that follow.";
    case FindingKind::kRelay:
      return "A device of yours forwards somebody else's traffic: isolate it, keep its memory if you can, and replace "
             "it if it is end-of-life.";
  }
  return {};
}

}  // namespace orbwatch::score

// Log-ins of other accounts look covert in the same days. Whoever comes through a covert network seldom takes one
// account alone, and what is known of the others makes each weak sign weigh more: an organisation that is being broken
// into has more covert log-ins than one in 20,000.
//
// How many more is estimated from the other accounts (score/intrusion_wave.h), as the rate of a Poisson process of
// which the prior is a gamma distribution with the mean kCovertShare and the weight of kPriorLogins log-ins: with x
// accounts taken in n log-ins it is (kCovertShare * kPriorLogins + x) / (kPriorLogins + n).
#include <fmt/format.h>

#include <algorithm>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::Class;
using event::Event;

constexpr double kPriorLogins = 5'000;
// It may multiply the odds by e, no more: the probabilities that are summed up are not as sure as they say, and a
// single error would be paid for by everybody.
constexpr double kMost = 1.0;
constexpr double kWorthSaying = 0.05;
constexpr Need kNeeds[] = {Need::kVpnLogins, Need::kAuthentication};
constexpr DetectorInfo kInfo = {
    "intrusion-wave",
    "Several accounts of one organisation used through a covert network in the same days",
    "T1078,T1090.003",
    "two unrelated strange log-ins in one week, above all while the profiles are being learned",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

class IntrusionWave final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.login || !v.remote || v.other_accounts <= 0 || v.networks->is_allowed(e.source_facts)) return;
    const double rate = (kCovertShare * kPriorLogins + v.other_accounts) / (kPriorLogins + v.logins_then);
    const double llr = std::min(log_ratio(rate, kCovertShare), kMost);
    if (llr < kWorthSaying) return;
    Evidence out{"other-accounts", kInfo.name, Group::kWave, FindingKind::kLogin, llr, {}};
    if (sink.wants_text()) {
      out.says = fmt::format(
          "within 7 days log-ins of other accounts look like an intruder's, above all of {} (probability {:.2g}); "
          "{:.2g} such accounts are expected in {:.0f} log-ins",
          v.strangest_account.text(), v.strangest_probability, v.other_accounts, v.logins_then);
    }
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_intrusion_wave(const Context&) { return std::make_unique<IntrusionWave>(); }

}  // namespace orbwatch::detect

// A log-in at an hour at which this user does not work. Weak alone, useful beside others: operators of covert networks
// keep the office hours of another continent.
#include <fmt/format.h>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::Class;
using event::Event;

constexpr Need kNeeds[] = {Need::kVpnLogins, Need::kAuthentication};
constexpr DetectorInfo kInfo = {
    "unusual-time", "Remote access at hours that do not align with normal business operations",
    "T1078",        "overtime, emergencies, travel across time zones, a changed shift",
    kNeeds,         bit(Class::kAuthentication) | bit(Class::kSession),
};

class UnusualTime final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.login || !v.remote) return;
    const std::size_t hour = baseline::day_hour(e.time);
    // Of an account that was never seen, everybody's hours are all there is.
    const auto& everyone = v.everyone->day_hours;
    const double p = probability(hour, v.user != nullptr ? v.user->hours : everyone, everyone, v.unit);
    // Half of them follow their own clock, half hide in the victim's working day.
    const double office = probability(hour, everyone, everyone, v.unit);
    const double llr = std::clamp(log_ratio(0.5 / 48 + 0.5 * office, p), -0.7, 3.0);
    Evidence out{"unusual-time", kInfo.name, Group::kTime, FindingKind::kLogin, llr, {}};
    if (sink.wants_text()) {
      out.says = fmt::format("{} at {}:00-{}:59 UTC {} in {:.1f} % of cases",
                             v.user != nullptr ? fmt::format("{} logs in", e.user.text()) : "people here log in",
                             hour % 24, hour % 24, hour < 24 ? "on weekdays" : "at weekends", 100 * p);
    }
    sink.add(std::move(out));
  }

 private:
  // The hour and half of each neighbour, so that 8:59 and 9:01 are alike.
  static double around(const std::array<float, 48>& hours, std::size_t hour) {
    const std::size_t day = hour / 24 * 24;
    const std::size_t h = hour % 24;
    return 0.5 * hours[hour] + 0.25 * hours[day + (h + 1) % 24] + 0.25 * hours[day + (h + 23) % 24];
  }
  static double probability(std::size_t hour, const std::array<float, 48>& user, const std::array<float, 48>& everyone,
                            double unit) {
    const double p = back_off(around(everyone, hour) / unit, total(everyone) / unit, 1.0 / 48, 48);
    return back_off(around(user, hour) / unit, total(user) / unit, p, 8);
  }
};

}  // namespace

std::unique_ptr<Detector> make_unusual_time(const Context&) { return std::make_unique<UnusualTime>(); }

}  // namespace orbwatch::detect

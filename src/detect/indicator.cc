// An address that a list names as bad. Lists die fast (a node may stay with a network for as little as 31 days), so a
// hit is evidence that decays with the entry's age, not a verdict: half of its weight after kHalfLife where the list
// states a date.
#include "intel/indicators.h"

#include <fmt/format.h>

#include <cmath>

#include "detect/factories.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::Class;
using event::Event;

constexpr double kHalfLifeDays = 31;
constexpr Need kNeeds[] = {Need::kIndicators};
constexpr DetectorInfo kInfo = {
    "indicator",
    "Contact with an address that a threat list names",
    "T1584.005,T1584.008",
    "an address that changed hands since it was listed; shared addresses behind carrier NAT",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession) | bit(Class::kConnection) | bit(Class::kFlow) |
        bit(Class::kHandshake),
};

class IndicatorHit final : public Detector {
 public:
  explicit IndicatorHit(const intel::Indicators* indicators) : indicators_(indicators) {}
  const DetectorInfo& info() const override { return kInfo; }

  bool wants(const Event& e) const override {
    if (indicators_ == nullptr || indicators_->size() == 0) return false;
    return indicators_->find(e.source_ip) != nullptr || indicators_->find(e.destination_ip) != nullptr;
  }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (indicators_ == nullptr || indicators_->size() == 0) return;
    look(e.source_ip, e, v, sink);
    if (e.destination_ip.is_global()) look(e.destination_ip, e, v, sink);
  }

 private:
  void look(const core::Ip& ip, const Event& e, const View& v, EvidenceSink& sink) const {
    if (!ip.present()) return;
    const intel::Indicator* hit = indicators_->find(ip);
    if (hit == nullptr) return;
    const bool login = v.login && ip == e.source_ip;
    double llr = login ? 6.0 : e.action == event::Action::kDenied || v.failed_login ? 5.0 : 6.5;
    if (hit->last_seen != 0 && e.time > hit->last_seen) {
      llr *= std::exp2(-static_cast<double>(e.time - hit->last_seen) / static_cast<double>(core::kDay) / kHalfLifeDays);
    }
    Evidence out{"indicator", kInfo.name, Group::kIndicator, login ? FindingKind::kLogin : FindingKind::kIntel,
                 llr,         {}};
    if (sink.wants_text()) {
      out.says = fmt::format("{} is on the list {}{}{}", ip.text(), hit->list.text(), hit->label.present() ? ": " : "",
                             hit->label.text());
    }
    sink.add(std::move(out));
  }

  const intel::Indicators* indicators_;
};

}  // namespace

std::unique_ptr<Detector> make_indicator(const Context& context) {
  return std::make_unique<IndicatorHit>(context.indicators);
}

}  // namespace orbwatch::detect

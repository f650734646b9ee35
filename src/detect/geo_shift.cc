// Hypothesis 2: geographic shifts that do not fit the user. Impossible travel between two log-ins, weighed by how often
// geolocation alone makes ordinary users "travel" (mobile gateways, carrier NAT and VPN exits do it all day).
#include <fmt/format.h>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using core::NetworkType;
using event::Class;
using event::Event;

constexpr double kFarKilometres = 500;  // below, the error of geolocation outweighs the distance
constexpr double kFastest = 1000;       // km/h, an airliner with its wind
constexpr Need kNeeds[] = {Need::kVpnLogins, Need::kAuthentication};
constexpr DetectorInfo kInfo = {
    "geo-shift",
    "Unexpected geographic shifts in authentication that do not align with normal business operations",
    "T1090.003,T1584.005",
    "mobile gateways and carrier NAT far from the phone, corporate proxies, a VPN on the laptop, wrong geolocation",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

// Networks whose addresses say little about where the person is.
bool roams(NetworkType type) {
  return type == NetworkType::kMobile || type == NetworkType::kCgnat || type == NetworkType::kVpn ||
         type == NetworkType::kSatellite || type == NetworkType::kTor;
}

class GeoShift final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.login || !v.remote || v.user == nullptr || v.networks->is_allowed(e.source_facts)) return;
    travel(e, v, sink);
    country(e, v, sink);
  }

 private:
  static void travel(const Event& e, const View& v, EvidenceSink& sink) {
    if (v.user->last_place == 0 || !v.source->located() || e.time <= v.user->last_login) return;
    if (v.familiarity == baseline::Familiarity::kSamePrefix)
      return;  // he is where he was before: the earlier log-in was the odd one
    double y, x;
    baseline::unpack_place(v.user->last_place, y, x);
    const double km = baseline::kilometres(y, x, v.source->latitude, v.source->longitude);
    const double hours = static_cast<double>(e.time - v.user->last_login) / static_cast<double>(core::kHour);
    if (km <= kFarKilometres || km <= kFastest * hours) return;
    double ordinary = back_off(v.everyone->impossible_travel / v.unit, v.everyone->travel / v.unit, 0.004, 50);
    if (roams(v.source->type) || roams(v.user->last_type)) ordinary = std::max(ordinary, 0.05);
    Evidence out{"impossible-travel", kInfo.name, Group::kPlace, FindingKind::kLogin, log_ratio(0.25, ordinary), {}};
    if (sink.wants_text()) {
      out.says = fmt::format("{:.0f} km from the log-in {:.1f} hours before ({}): faster than an airliner", km, hours,
                             v.user->last_ip.text());
    }
    sink.add(std::move(out));
  }

  static void country(const Event& e, const View& v, EvidenceSink& sink) {
    if (v.source->country == 0 || v.user->countries.size() == 0 || v.user->countries.contains(v.source->country))
      return;
    if (v.user->logins / v.unit < 5) return;
    const double world = v.networks->country_share(v.source->country);
    // A country where none of the staff ever was, and small on the Internet: no conference, no holiday so far.
    const double llr = v.system_share > 0 ? 0.5 : world < 0.01 ? 1.5 : 1.0;
    Evidence out{"new-country", kInfo.name, Group::kPlace, FindingKind::kLogin, llr, {}};
    if (sink.wants_text()) {
      out.says = fmt::format("{} is new for {}", core::unpack_country(v.source->country).view(), e.user.text());
    }
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_geo_shift(const Context&) { return std::make_unique<GeoShift>(); }

}  // namespace orbwatch::detect

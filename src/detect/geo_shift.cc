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

// The chance of impossible travel among log-ins from networks new to the user, before any data: where addresses tell
// the place, and where they do not; and for an intruder, who comes when he likes.
constexpr double kOrdinaryImpossible[2] = {0.02, 0.08};
constexpr double kCovertImpossible = 0.2;
constexpr double kStrength = 20;
constexpr Need kNeeds[] = {Need::kVpnLogins, Need::kAuthentication};
constexpr DetectorInfo kInfo = {
    "geo-shift",
    "Unexpected geographic shifts in authentication that do not align with normal business operations",
    "T1090.003,T1584.005",
    "mobile gateways and carrier NAT far from the phone, corporate proxies, a VPN on the laptop, wrong geolocation",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

// P(journey bin) for people, before any data.
constexpr double kOrdinaryJourney[baseline::kJourneyBins] = {0.01, 0.04, 0.10, 0.20, 0.65};

// P(break bin) before any data: of the break between two log-ins at home into which a moment falls by chance, which is
// all that an intruder can do about it; and of one with a journey in it.
constexpr double kOrdinaryBreak[baseline::kBreakBins] = {0.20, 0.25, 0.35, 0.15, 0.05};
constexpr double kBreakAway[baseline::kBreakBins] = {0.03, 0.07, 0.20, 0.30, 0.40};

class GeoShift final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.login || !v.remote || v.user == nullptr || v.networks->is_allowed(e.source_facts)) return;
    if (!travel(v, sink)) journey(e, v, sink);
    back(e, v, sink);
    absence(e, v, sink);
    country(e, v, sink);
  }

 private:
  static bool travel(const View& v, EvidenceSink& sink) {
    const baseline::Strangeness& strange = v.strange;
    if (!strange.impossible_travel) return false;
    const double ordinary = among_new(v, &baseline::Circumstances::impossible_travels,
                                      &baseline::Circumstances::travels, kOrdinaryImpossible[strange.roams], kStrength);
    Evidence out{"impossible-travel",
                 kInfo.name,
                 Group::kPlace,
                 FindingKind::kLogin,
                 std::clamp(log_ratio(kCovertImpossible, ordinary), 0.0, 4.0),
                 {}};
    if (sink.wants_text()) {
      out.says = fmt::format("{:.0f} km from the log-in {:.1f} hours before ({}): faster than an airliner",
                             strange.kilometres, strange.hours, v.user->last_ip.text());
    }
    sink.add(std::move(out));
    return true;
  }

  static bool far(const View& v) {
    using baseline::Familiarity;
    return (v.familiarity == Familiarity::kSameSystemFar || v.familiarity >= Familiarity::kNewSystemFar) &&
           v.source->located() && !baseline::roams(v.source->type);
  }

  // An intruder does not know of the user's journeys: the time to the log-in at home before, or behind, is that from
  // any moment, which falls into a break of the usual length (an exponential distribution of half of it as its mean).
  static double journey_llr(const View& v, std::size_t bin, double km) {
    const double mean = std::max(1.0, baseline::usual_break(*v.user, v.unit) / 2);
    const double way = baseline::journey_hours(km);
    const auto within = [&](std::size_t edge) {
      return edge == 0                        ? 0
             : edge == baseline::kJourneyBins ? 1
                                              : -std::expm1(-way * std::exp2(static_cast<double>(edge) - 2) / mean);
    };
    const double covert = within(bin + 1) - within(bin);
    const double ordinary =
        back_off(v.everyone->journeys[bin] / v.unit, total(v.everyone->journeys) / v.unit, kOrdinaryJourney[bin], 30);
    // To be there before he could be is never a sign of himself.
    const bool too_soon = bin < 2;
    return std::clamp(log_ratio(covert, ordinary), too_soon ? 0.0 : -0.5, 3.0);
  }

  // How long ago was the user at home?
  static void journey(const Event& e, const View& v, EvidenceSink& sink) {
    if (!far(v) || v.network_since != 0 || v.user->home_place == 0 || e.time <= v.user->home_login) return;
    double y, x;
    baseline::unpack_place(v.user->home_place, y, x);
    const double km = baseline::kilometres(y, x, v.source->latitude, v.source->longitude);
    if (km <= baseline::kNearKilometres) return;
    const core::Nanoseconds between = e.time - v.user->home_login;
    Evidence out{"short-journey",
                 kInfo.name,
                 Group::kTime,
                 FindingKind::kLogin,
                 journey_llr(v, baseline::journey_bin(between, km), km),
                 {}};
    if (sink.wants_text()) {
      out.says =
          fmt::format("{:.0f} km from {}, where {} logged in {:.1f} hours before; the way takes about {:.1f}", km,
                      v.user->home_ip.text(), e.user.text(),
                      static_cast<double>(between) / static_cast<double>(core::kHour), baseline::journey_hours(km));
    }
    sink.add(std::move(out));
  }

  // And how soon was he there again?
  static void back(const Event& e, const View& v, EvidenceSink& sink) {
    if (!far(v) || v.back_at == 0 || v.back_place == 0) return;
    double y, x;
    baseline::unpack_place(v.back_place, y, x);
    const double km = baseline::kilometres(y, x, v.source->latitude, v.source->longitude);
    if (km <= baseline::kNearKilometres) return;
    Evidence out{"back-too-soon",
                 kInfo.name,
                 Group::kTime,
                 FindingKind::kLogin,
                 journey_llr(v, baseline::journey_bin(v.back_at - e.time, km), km),
                 {}};
    if (sink.wants_text()) {
      out.says =
          fmt::format("{} was back {:.0f} km away ({}) {:.1f} hours later; the way takes about {:.1f}", e.user.text(),
                      km, v.back_ip.text(), static_cast<double>(v.back_at - e.time) / static_cast<double>(core::kHour),
                      baseline::journey_hours(km));
    }
    sink.add(std::move(out));
  }

  // Was he away for longer than people are between any two log-ins at home?
  static void absence(const Event& e, const View& v, EvidenceSink& sink) {
    if (!far(v) || v.back_at == 0 || v.user->home_place == 0 || v.user->home_login == 0 || e.time <= v.user->home_login)
      return;
    double y, x;
    baseline::unpack_place(v.user->home_place, y, x);
    const double km = baseline::kilometres(y, x, v.source->latitude, v.source->longitude);
    if (km <= baseline::kNearKilometres) return;
    const auto hours = [](core::Nanoseconds t) { return static_cast<double>(t) / static_cast<double>(core::kHour); };
    const double usual = baseline::usual_break(*v.user, v.unit);
    const std::size_t bin = baseline::break_bin(hours(v.back_at - v.user->home_login), usual);
    const auto& home = v.everyone->breaks_home;
    const auto& away = v.everyone->breaks_away;
    const double hours_seen = total(home) / v.unit;
    const double chance = back_off(home[bin] / v.unit, hours_seen, kOrdinaryBreak[bin], 20 * usual);
    const double journey = back_off(away[bin] / v.unit, total(away) / v.unit, kBreakAway[bin], 20);
    Evidence out{"short-absence",
                 kInfo.name,
                 Group::kTime,
                 FindingKind::kLogin,
                 std::clamp(log_ratio(chance, journey), -1.5, 2.5),
                 {}};
    if (sink.wants_text()) {
      out.says = fmt::format(
          "{} logged in at home, {:.0f} km away, {:.1f} hours before and {:.1f} hours after; the usual break between "
          "two "
          "log-ins there is {:.0f}",
          e.user.text(), km, hours(e.time - v.user->home_login), hours(v.back_at - e.time), usual);
    }
    sink.add(std::move(out));
  }

  static void country(const Event& e, const View& v, EvidenceSink& sink) {
    if (v.source->country == 0 || v.user->countries.size() == 0 || v.user->countries.contains(v.source->country))
      return;
    if (v.user->logins / v.unit < 5) return;
    const double world = v.networks->country_share(v.source->country);
    // A country where none of the staff ever was, and small on the Internet: no conference, no holiday so far.
    const double llr = v.system_share > 0 ? 0.1 : world < 0.01 ? 0.6 : 0.3;
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

// Did the session go where its user goes? An intruder does not know his way: he asks the directory, looks for shares,
// tries hosts that his victim never uses, and his own computer does none of what the victim's does by itself. Which
// hosts a session reached is known where connections or flows of the addresses that gateways assign are logged
// (baseline/tunnels.h). Part of the alternative is flat, as in session_behaviour.cc: what the intruder will do is not
// known, and some keep to what everybody uses. It speaks when a session from a network new to the user ends, and before
// if it has reached ever more new hosts.
#include <fmt/format.h>

#include <array>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::Acquaintance;
using baseline::Reached;
using baseline::ReachShapes;
using baseline::View;
using event::Class;
using event::Event;

constexpr Need kNeeds[] = {Need::kTunnelConnections};
constexpr DetectorInfo kInfo = {
    "session-destinations",
    "Remote-access sessions that reach hosts their user never uses, or none of those that he always uses",
    "T1078,T1018,T1046,T1021",
    "a new task or project, a help desk or an administrator, a renumbered server, a private computer on the road",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

constexpr double kOwnWay = 0.5;  // of intruders' sessions: unlike people's
// The intruder's own computer is in nobody's domain. Of what the victim's does by itself in every session (the
// directory, software distribution, virus protection) it does nothing; mail and shares he may use as the victim does.
// So where much is usual he reaches little of it (by usual_bin()), where it is little he may reach all of it.
constexpr double kOwnComputer = 0.7;
constexpr std::array<double, baseline::kUsualBins> kStranger = {0.30, 0.35, 0.20, 0.10, 0.05};
constexpr std::uint16_t kMuch = 5;
// Where only few destinations can be seen at all, an intruder cannot show himself by them: with so many, half as often.
constexpr double kFew = 20;
constexpr double kLeast = -0.7;  // each: an ordinary session shows little, and the three speak of one
constexpr double kMost = 5.0;

class SessionDestinations final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (v.reached == nullptr || v.user == nullptr || !v.remote) return;
    const Reached& reached = *v.reached;
    const std::string_view name = e.user.text();
    const bool compared = reached.acquaintance != Acquaintance::kNone;
    if (compared) {
      const auto [p, covert] =
          chances(v, &ReachShapes::fresh, reached.fresh_bin(), kOwnWay, 1.0 / baseline::kFreshBins);
      add(sink, "new-destinations", Group::kDestinations, log_ratio(covert, p), reached, [&, chance = p] {
        if (reached.fresh == 0) {
          return fmt::format("the session reached {} inside, none of them new to {}; so in {:.0f} % of cases",
                             counted(reached), name, 100 * chance);
        }
        return fmt::format("the session reached {} inside, {} of them new to {} ({}); so many in {:.2g} % of cases",
                           counted(reached), reached.fresh, name, examples(reached), 100 * chance);
      });
    }
    if (reached.fresh > 0) {
      const auto [p, covert] = chances(v, &ReachShapes::rare, reached.rare_bin(), kOwnWay, 1.0 / baseline::kRareBins);
      add(sink, "rare-destinations", Group::kDestinations, log_ratio(covert, p), reached, [&, chance = p] {
        if (!compared) {
          return fmt::format(
              "the session reached {} inside, {} of them used by hardly anybody ({}); so many in {:.2g} % of cases",
              counted(reached), reached.rare, examples(reached), 100 * chance);
        }
        return fmt::format("{} of what was new to {} inside hardly anybody uses; so many in {:.2g} % of cases",
                           reached.rare, name, 100 * chance);
      });
    }
    if (reached.usual > 0 && reached.ended) {
      const std::size_t bin = reached.usual_bin();
      const bool much = reached.usual >= kMuch;
      const auto [p, covert] = chances(v, &ReachShapes::usual, bin, much ? kOwnComputer : kOwnWay,
                                       much ? kStranger[bin] : 1.0 / baseline::kUsualBins);
      add(sink, "usual-destinations", Group::kClient, log_ratio(covert, p), reached, [&, chance = p] {
        return fmt::format(
            "of {} destinations that nearly all sessions of {} reach this one reached {}; so in {:.2g} % of "
            "cases",
            reached.usual, name, reached.usual_seen, 100 * chance);
      });
    }
  }

 private:
  struct Chances {
    double ordinary;
    double covert;
  };
  // `strangers` of the intruders go their own way, with the chance `stranger` of this bin.
  template <std::size_t N>
  static Chances chances(const View& v, std::array<float, N> ReachShapes::* field, std::size_t bin, double strangers,
                         double stranger) {
    constexpr double kFlat = 1.0 / static_cast<double>(N);
    const bool well = v.destinations != nullptr && v.reached->acquaintance == Acquaintance::kWell;
    const auto& everyone = v.reach_everyone->*field;
    const double all = back_off(everyone[bin] / v.unit, total(everyone) / v.unit, kFlat, 20);
    const double own_way = strangers * v.reachable / (v.reachable + kFew);
    return {
        in_new_place<N>(bin, well ? &(v.destinations->shapes.*field) : nullptr, everyone, v.reach_away->*field, kFlat,
                        v.unit),
        own_way * stranger + (1 - own_way) * all,
    };
  }

  static std::string counted(const Reached& reached) {
    const bool more = reached.destinations >= baseline::Tunnels::kMostDestinations;
    return fmt::format("{}{} destination{}", more ? "at least " : "", reached.destinations,
                       reached.destinations == 1 ? "" : "s");
  }
  static std::string examples(const Reached& reached) {
    std::string out;
    for (const baseline::Destination& d : reached.examples) {
      if (!d.ip.present()) continue;
      if (!out.empty()) out += ", ";
      out += d.ip.text();
      if (d.port != 0 && d.port < baseline::kDynamicPort) out += fmt::format(" port {}", d.port);
    }
    return out;
  }

  // A session that goes on may reach more: nothing speaks for it yet.
  template <typename Says>
  static void add(EvidenceSink& sink, std::string_view kind, Group group, double llr, const Reached& reached,
                  Says&& says) {
    if (!reached.ended && llr <= 0) return;
    Evidence out{kind, kInfo.name, group, FindingKind::kLogin, std::clamp(llr, kLeast, kMost), {}};
    if (sink.wants_text()) out.says = says();
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_session_destinations(const Context&) { return std::make_unique<SessionDestinations>(); }

}  // namespace orbwatch::detect

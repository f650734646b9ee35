// Stolen credentials used beside their owner. Whoever moves, travels or changes provider stays there for a while and is
// not at home meanwhile; an intruder comes through one exit node after the other, while the owner goes on as before.
//
// Two pieces of evidence about a network that is new for the user (docs/detectors/parallel-use.md):
//  - another strange log-in of the same user within baseline::kProbation: if that was an intruder's, this one may be,
//  too;
//  - what the user did within that time after it: told when the log-in is judged once more. How often ordinary users do
//    what is counted over all log-ins.
#include <fmt/format.h>

#include <array>
#include <bit>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::Class;
using event::Event;

constexpr Need kNeeds[] = {Need::kVpnLogins, Need::kAuthentication};
constexpr DetectorInfo kInfo = {
    "parallel-use",
    "Stolen credentials used through changing exit nodes while their owner goes on as before",
    "T1078,T1090.003",
    "people on the road who change hotels and are home in between, phones, coffee shops",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

// The chance of each FollowUp bit within baseline::kProbation: models, weighed as kStrength log-ins; the first row is
// for new networks of the user's own provider, where kCarriedOn speaks of other providers only.
struct Chances {
  double again;
  double carried_on;
  double elsewhere;
};
constexpr Chances kOrdinary[baseline::kNovelties] = {{0.45, 0.30, 0.25}, {0.45, 0.60, 0.35}};
constexpr Chances kCovert[baseline::kNovelties] = {{0.30, 0.40, 0.50}, {0.30, 0.85, 0.55}};
constexpr double kStrength = 20;
// What the evidence about one log-in says of another of the same user. Both would follow from stolen credentials; but a
// journey or a new telephone also brings several strange log-ins, so that it counts by half.
constexpr double kShared = 0.5;

double days(core::Nanoseconds time) { return static_cast<double>(time) / static_cast<double>(core::kDay); }

double chance(const Chances& c, std::size_t bits) {
  const auto side = [&](unsigned bit, double p) { return (bits & bit) != 0 ? p : 1 - p; };
  return side(baseline::kAgain, c.again) * side(baseline::kCarriedOn, c.carried_on) *
         side(baseline::kElsewhere, c.elsewhere);
}

class ParallelUse final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    using baseline::Familiarity;
    if (!v.login || !v.remote || v.user == nullptr || v.networks->is_allowed(e.source_facts)) return;
    const bool known = v.familiarity == Familiarity::kSamePrefix;
    if (known && !v.neighbour) return;
    other(e, v, sink);
    const std::size_t novelty = baseline::same_system(v.familiarity) ? 0 : 1;
    if (v.followed && !known) after(e, v, novelty, sink);
  }

 private:
  static void other(const Event& e, const View& v, EvidenceSink& sink) {
    if (v.other_login <= 0) return;
    Evidence out{
        "other-login", kInfo.name, Group::kAccount, FindingKind::kLogin, std::min(kShared * v.other_login, 4.0), {}};
    if (sink.wants_text()) {
      out.says = fmt::format("another strange log-in of {}, from {} at {}", e.user.text(), v.other_login_ip.text(),
                             core::rfc3339(v.other_login_at));
    }
    sink.add(std::move(out));
  }

  // While the time is not over, the story so far is compared with all stories that begin so.
  static void after(const Event& e, const View& v, std::size_t novelty, EvidenceSink& sink) {
    if (v.follow_up == 0 && !v.follow_up_closed) return;
    const auto& counts = v.everyone->follow_ups[novelty];
    const double all = total(counts) / v.unit;
    double ordinary = 0, covert = 0;
    for (std::size_t bits = 0; bits < baseline::kFollowUps; ++bits) {
      const bool fits = v.follow_up_closed ? bits == v.follow_up : (bits & v.follow_up) == v.follow_up;
      if (!fits) continue;
      ordinary += back_off(counts[bits] / v.unit, all, chance(kOrdinary[novelty], bits), kStrength);
      covert += chance(kCovert[novelty], bits);
    }
    Evidence out{"what-followed",
                 kInfo.name,
                 Group::kPattern,
                 FindingKind::kLogin,
                 std::clamp(log_ratio(covert, ordinary), -2.5, 2.5),
                 {}};
    if (sink.wants_text()) out.says = story(e, v, novelty);
    sink.add(std::move(out));
  }

  static std::string story(const Event& e, const View& v, std::size_t novelty) {
    const double within = days(baseline::kProbation);
    if (v.follow_up == 0) return fmt::format("{} did not log in from elsewhere for {:.0f} days", e.user.text(), within);
    std::string text = fmt::format("within {:.0f} days {}", within, e.user.text());
    int left = std::popcount(v.follow_up);
    const auto part = [&](unsigned bit, std::string_view words) {
      if ((v.follow_up & bit) == 0) return;
      text += ' ';
      text += words;
      if (--left > 0) text += left == 1 ? " and" : ",";
    };
    part(baseline::kAgain, novelty == 0 ? "came from this network again" : "came through this provider again");
    part(baseline::kCarriedOn, "went on from known networks");
    part(baseline::kElsewhere, "came from a further new network");
    return text;
  }
};

}  // namespace

std::unique_ptr<Detector> make_parallel_use(const Context&) { return std::make_unique<ParallelUse>(); }

}  // namespace orbwatch::detect

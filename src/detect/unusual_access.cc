// A log-in through another gateway or group, from another computer, with another TLS or SSH client, or without the
// second factor than its user's (baseline/marks.h). Who has stolen a password has not stolen the laptop: its name, what
// its software says in a handshake, and the place where the user's client is set to connect to are the owner's.
#include <fmt/format.h>

#include <array>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::Mark;
using baseline::MarkSeen;
using baseline::View;
using event::Class;
using event::Event;

// Of people's log-ins: with something new of its kind, before any data; and how many log-ins that weighs. A second
// factor is compared in another way.
constexpr std::array<std::array<double, baseline::kMarks>, 2> kOrdinaryNew = {
    {{0.01, 0.01, 0.02, 0}, {0.05, 0.04, 0.06, 0}}};  // where the user is known to be, and from a network new to him
constexpr double kOthersStrength = 50;
constexpr double kUserStrength = 20;
// Of intruders' log-ins: through any of the gateways and groups, not the one that the user's client is set to.
constexpr double kCovertGateway = 0.2;
constexpr double kLeastRest = 0.05;
constexpr double kWorthSaying = 0.3;  // nearly everybody comes through his own gateway: that is no news
// With the user's own computer's name (it stands in what infostealers sell), and with a client whose handshake is the
// same: the same software gives the same.
constexpr double kCovertSameComputer = 0.25;
constexpr double kCovertSameHandshake = 0.5;
// Who logs in with an SSH key has stolen that, or has added one of his own.
constexpr double kCovertSameKey = 0.9;
// Of those whom no second factor stops, who then log in without.
constexpr double kCovertWithout = 0.6;
// Something new by itself says no more than this: laptops are replaced, and software is brought up to date.
constexpr double kMostOfGateway = 3.5;
constexpr double kMostOfComputer = 4;
constexpr double kMostOfFingerprint = 3;
constexpr double kColleagues = -1;  // it is a colleague's computer, or one that all use
constexpr double kBothStrange = 1.5;
constexpr Need kNeeds[] = {Need::kVpnLogins, Need::kAuthentication};
constexpr DetectorInfo kInfo = {
    "unusual-access",
    "Stolen credentials used from another computer, with other software, by another way in than their owner's",
    "T1078,T1090.003",
    "a new laptop, a gateway that fails over, a user who is moved to another group, a new version of a client",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

const MarkSeen& of(const View& v, Mark kind) { return v.marks[static_cast<std::size_t>(kind)]; }

// The chance that an ordinary log-in of this user has something new: the first one he ever showed was no news. What he
// did at home says nothing of what he does away.
double fresh(const MarkSeen& m, Mark kind) {
  const double prior = kOrdinaryNew[m.away ? 1 : 0][static_cast<std::size_t>(kind)];
  const double people = std::clamp(back_off(m.changed, m.counted, prior, kOthersStrength), 1e-4, 0.9);
  if (m.away) return people;
  const double times = m.known > 0 ? m.known - 1.0 : 0.0;
  return std::clamp(back_off(std::min(times, m.all), m.all, people, kUserStrength), 1e-4, 0.9);
}

bool enough(const MarkSeen& m) { return m.key != 0 && m.all >= baseline::Marks::kLeastKnown; }

class UnusualAccess final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.login || !v.remote || v.user == nullptr || v.networks->is_allowed(e.source_facts)) return;
    gateway(e, of(v, Mark::kGateway), sink);
    computer(e, of(v, Mark::kComputer), sink);
    fingerprint(e, of(v, Mark::kFingerprint), sink);
    second_factor(e, of(v, Mark::kSecondFactor), sink);
  }

 private:
  static void gateway(const Event& e, const MarkSeen& m, EvidenceSink& sink) {
    if (!enough(m)) return;
    const double p = fresh(m, Mark::kGateway);
    double llr = 0;
    if (m.own > 0) {
      const double usual = m.own / m.all;
      llr = log_ratio((1 - kCovertGateway) * usual + kCovertGateway * m.share, (1 - p) * usual);
    } else {
      // Which of the others it is, is as likely for both: by how many log in there.
      llr = log_ratio(kCovertGateway * std::max(kLeastRest, 1 - m.known_share), p);
    }
    if (std::abs(llr) < kWorthSaying) return;
    add(sink, "unusual-gateway", Group::kGateway, llr, -0.5, kMostOfGateway, [&] {
      const std::string door = e.group.present() ? fmt::format("{}, group {}", e.observer.text(), e.group.text())
                                                 : std::string(e.observer.text());
      return m.own > 0
                 ? fmt::format("{} comes through {} in {:.2g} % of cases", e.user.text(), door, 100 * m.own / m.all)
                 : fmt::format(
                       "first log-in of {} through {} after {:.0f} through others; {:.2g} % of log-ins "
                       "here go through it",
                       e.user.text(), door, m.all, 100 * m.share);
    });
  }

  static void computer(const Event& e, const MarkSeen& m, EvidenceSink& sink) {
    if (!enough(m)) return;
    double llr = same_or_new(m, Mark::kComputer, kCovertSameComputer, kMostOfComputer);
    if (m.own <= 0 && m.share > 0) llr += kColleagues;
    if (m.own <= 0 && m.share <= 0 && m.strange_for.present()) llr += kBothStrange;
    add(sink, "unusual-computer", Group::kClient, llr, -1.5, 5.5, [&] {
      if (m.own > 0) return fmt::format("{} uses this computer ({})", e.user.text(), e.client_host.text());
      std::string says = fmt::format("{} never used a computer named {}", e.user.text(), e.client_host.text());
      if (m.share > 0) {
        says += "; others do";
      } else if (m.strange_for.present()) {
        says += fmt::format("; it has come up as {}, too, who never used it either", m.strange_for.text());
      } else {
        says += ", nor does anybody here";
      }
      return says;
    });
  }

  static void fingerprint(const Event& e, const MarkSeen& m, EvidenceSink& sink) {
    if (!enough(m)) return;
    const bool key = e.auth_method == event::AuthMethod::kPublicKey;
    double llr = same_or_new(m, Mark::kFingerprint, key ? kCovertSameKey : kCovertSameHandshake, kMostOfFingerprint);
    if (!key && m.own <= 0 && m.share > 0.05) llr += kColleagues;
    if (std::abs(llr) < kWorthSaying) return;
    add(sink, "unusual-fingerprint", Group::kClient, llr, -0.7, kMostOfFingerprint, [&] {
      const std::string_view what = key ? "the key" : "the client's handshake";
      return m.own > 0 ? fmt::format("{} is one that {} has used ({})", what, e.user.text(), e.fingerprint.text())
                       : fmt::format("{} is new to {} ({}); {:.2g} % of log-ins here have it", what, e.user.text(),
                                     e.fingerprint.text(), 100 * m.share);
    });
  }

  static double same_or_new(const MarkSeen& m, Mark kind, double same, double most) {
    const double p = fresh(m, kind);
    return m.own > 0 ? log_ratio(same, 1 - p) : std::min(log_ratio(1 - same, p), most);
  }

  // Whoever is in has passed what is demanded: half of the intruders as people do.
  static void second_factor(const Event& e, const MarkSeen& m, EvidenceSink& sink) {
    if (!enough(m)) return;
    const bool without = e.mfa == event::Mfa::kNo;
    const double covert = 0.5 * m.share + 0.5 * (without ? kCovertWithout : 1 - kCovertWithout);
    add(sink, "second-factor", Group::kClient, log_ratio(covert, back_off(m.own, m.all, m.share, 4)), -0.7, 4, [&] {
      return fmt::format("{} a second factor; {} logs in so in {:.2g} % of cases", without ? "without" : "with",
                         e.user.text(), 100 * m.own / m.all);
    });
  }

  template <typename Says>
  static void add(EvidenceSink& sink, std::string_view kind, Group group, double llr, double least, double most,
                  Says&& says) {
    Evidence out{kind, kInfo.name, group, FindingKind::kLogin, std::clamp(llr, least, most), {}};
    if (sink.wants_text()) out.says = says();
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_unusual_access(const Context&) { return std::make_unique<UnusualAccess>(); }

}  // namespace orbwatch::detect

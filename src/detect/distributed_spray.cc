// Password spraying from many sources that each try once or twice (Microsoft on CovertNetwork-1658, 31 October 2024:
// one attempt per account and day in about 80 % of cases). Counting failures per source never sees it; the number of
// strangers who fail does.
//
// The number of sources within 24 hours that nobody ever logged in from, that failed at most three times and do not
// stand in the tried user's own networks (baseline::StrangerFailures), is compared with an ordinary day's: negative
// binomial with the mean and dispersion of the days before against the same with a spray added (Javed and Paxson, CCS
// 2013, model the site-wide statistic likewise). So is the number of those in consumer networks.
#include <fmt/format.h>

#include <cmath>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::Class;
using event::Event;

constexpr double kSpraySizes[] = {10, 30, 100, 300, 1000};  // sources a day
constexpr double kMost = 10.0;    // of each count: what the history does not know may happen, too
constexpr double kGuessed = 0.4;  // share of intrusions that the network's own guessing made possible
// The chance that the address of a log-in from a new network has only failed so far, on other accounts: of an intruder,
// who may guess and use with the same node, and of people, before any data.
constexpr double kCovertGuess = 0.1;
constexpr double kOrdinaryGuess = 0.0005;
constexpr double kMostAfterTry = 2.0;  // a single failure by a stranger may have been anybody's mistake
constexpr Need kNeeds[] = {Need::kVpnLogins, Need::kAuthentication};
constexpr DetectorInfo kInfo = {
    "distributed-spray",
    "Password spraying through a covert network: few attempts per source, many sources",
    "T1110.003,T1090.003",
    "a password expiry that hits many users on the road at once; opportunistic bots that change address for each try",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

double log_negative_binomial(double x, double mean, double k) {
  return std::lgamma(x + k) - std::lgamma(k) - std::lgamma(x + 1) + k * std::log(k / (k + mean)) +
         x * std::log(mean / (k + mean));
}

class DistributedSpray final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.remote) return;
    if (v.failed_login) {
      failure(v, sink);
    } else if (v.login) {
      success(e, v, sink);
    }
  }

 private:
  static void failure(const View& v, EvidenceSink& sink) {
    const baseline::SourceProfile* s = v.source_profile;
    if (s != nullptr && (s->successes > 0 || s->failures >= 3)) return;
    if (v.user != nullptr && v.familiarity <= baseline::Familiarity::kSameSystemFar) return;
    const double seen = v.strangers->failures_24h() + 1.0;
    const double sources = v.strangers->sources_24h() + (s == nullptr || !s->counted_as_stranger(v.now) ? 1.0 : 0.0);
    // Few tries per source is what makes it distributed: three failures of two hosts are no spray.
    if (sources < 6 || seen > 2.5 * sources) return;
    const auto day = v.strangers->ordinary_sources();
    Evidence out{"distributed-spray", kInfo.name, Group::kVolume, FindingKind::kSpray, more_than(sources, day), {}};
    if (sink.wants_text()) {
      out.says = fmt::format(
          "{:.0f} failed log-ins by {:.0f} sources that nobody knows within 24 hours, {:.1f} each; an ordinary day has "
          "{:.0f} such sources",
          seen, sources, seen / sources, day.mean);
    }
    sink.add(std::move(out));
    // Ordinary password-guessing bots sit at hosting providers for the greater part.
    const double consumer = v.strangers->consumer_24h();
    const auto consumer_day = v.strangers->ordinary_consumer();
    Evidence type{
        "consumer-sources", kInfo.name, Group::kSource, FindingKind::kSpray, more_than(consumer, consumer_day), {}};
    if (type.llr <= 0) return;
    if (sink.wants_text()) {
      type.says = fmt::format(
          "{:.0f} of {:.0f} sources stand in consumer broadband or mobile networks; an ordinary day has {:.0f} such",
          consumer, sources, consumer_day.mean);
    }
    sink.add(std::move(type));
  }

  // So many sources of a spray of unknown size beside the ordinary ones, or of an ordinary day alone?
  static double more_than(double seen, const baseline::StrangerFailures::Ordinary& day) {
    double covert = 0;
    const double ordinary = log_negative_binomial(seen, day.mean, day.dispersion);
    for (const double added : kSpraySizes)
      covert += std::exp(std::min(700.0, log_negative_binomial(seen, day.mean + added, day.dispersion) - ordinary));
    return std::clamp(std::log(std::max(1e-9, covert / static_cast<double>(std::size(kSpraySizes)))), -3.0, kMost);
  }

  // Other accounts that the address failed on before its first success.
  static int guesses(const Event& e, const View& v) {
    const baseline::SourceProfile* s = v.source_profile;
    if (s == nullptr || s->successes > 0) return 0;
    int others = 0;
    for (const auto id : s->failed_users) others += id != 0 && id != e.user.id() ? 1 : 0;
    return others;
  }

  // A log-in that succeeds from a source that failed on other accounts, or soon after a stranger tried this account.
  static void success(const Event& e, const View& v, EvidenceSink& sink) {
    if (v.user != nullptr ? v.strange.guessed > 0 : guesses(e, v) > 0) {
      const int others = v.user != nullptr ? v.strange.guessed : guesses(e, v);
      // Offices, families and kiosks whose first log-in failed do it, too: as often as it is counted.
      double ordinary = kOrdinaryGuess;
      if (v.user != nullptr) {
        ordinary =
            among_new(v, &baseline::Circumstances::guessed, &baseline::Circumstances::logins, kOrdinaryGuess, 200);
      }
      Evidence out{"sprayer-success",
                   kInfo.name,
                   Group::kAttempts,
                   FindingKind::kLogin,
                   std::clamp(log_ratio(kCovertGuess, ordinary), 0.0, 5.0),
                   {}};
      if (sink.wants_text()) {
        const bool more = v.source_profile->failed_user_count > v.source_profile->failed_users.size();
        out.says = fmt::format("this address failed on {}{} other account{} before", more ? "at least " : "", others,
                               others == 1 ? "" : "s");
      }
      sink.add(std::move(out));
      return;
    }
    if (v.user == nullptr || !v.strange.tried || v.familiarity <= baseline::Familiarity::kSameSystemNear) return;
    const core::Nanoseconds ago = e.time - v.user->stranger_failure;
    // People also fail and succeed from changing networks; and while strangers try many accounts, an ordinary log-in
    // often comes after such a try.
    const double counted = among_new(v, &baseline::Circumstances::tried, &baseline::Circumstances::logins, 0.04, 20);
    const double chance = std::clamp(std::max(counted, v.accounts_tried), 0.02, 1.0);
    Evidence out{"after-spray",
                 kInfo.name,
                 Group::kAttempts,
                 FindingKind::kLogin,
                 std::min(log_ratio(kGuessed + (1 - kGuessed) * chance, chance), kMostAfterTry),
                 {}};
    if (sink.wants_text()) {
      out.says = fmt::format("{:.1f} hours after {} failed on this account from a network that {} never used",
                             static_cast<double>(ago) / static_cast<double>(core::kHour), v.user->stranger_ip.text(),
                             e.user.text());
    }
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_distributed_spray(const Context&) { return std::make_unique<DistributedSpray>(); }

}  // namespace orbwatch::detect

// Password spraying from many sources that each try once or twice (Microsoft on CovertNetwork-1658, 31 October 2024:
// one attempt per account and day in about 80 % of cases). Counting failures per source never sees it; the number of
// strangers who fail does.
//
// The count of failures within 24 hours by sources that nobody ever logged in from, that tried at most three times and
// do not stand in the tried user's own networks (baseline::StrangerFailures) is compared with an ordinary day's:
// negative binomial with mean m and dispersion k against the same with a spray added (Javed and Paxson, CCS 2013, model
// the site-wide statistic likewise).
#include <fmt/format.h>

#include <cmath>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::Class;
using event::Event;

constexpr double kDispersion = 2.0;  // variance of ordinary days: m + m^2 / k
constexpr double kGuessed = 0.4;     // share of intrusions that the network's own guessing made possible
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
    // Below one a day the history says little about the next burst of an ordinary bot.
    const double mean = std::max(1.0, v.strangers->ordinary_day());
    const double added = std::max(10.0, 2 * mean);
    const double llr =
        log_negative_binomial(seen, mean + added, kDispersion) - log_negative_binomial(seen, mean, kDispersion);
    Evidence out{"distributed-spray", kInfo.name, Group::kVolume, FindingKind::kSpray, std::clamp(llr, -3.0, 14.0), {}};
    if (sink.wants_text()) {
      out.says = fmt::format(
          "{:.0f} failed log-ins by {:.0f} sources that nobody knows within 24 hours, {:.1f} each; an ordinary day has "
          "{:.0f}",
          seen, sources, seen / sources, mean);
    }
    sink.add(std::move(out));
    const double consumer = v.strangers->consumer_24h();
    if (sources >= 8 && consumer / sources > 0.5) {
      // Ordinary password-guessing bots sit at hosting providers for the greater part.
      Evidence type{"consumer-sources",
                    kInfo.name,
                    Group::kSource,
                    FindingKind::kSpray,
                    std::min(2.0, 4 * (consumer / sources - 0.5)),
                    {}};
      if (sink.wants_text())
        type.says =
            fmt::format("{:.0f} of {:.0f} sources stand in consumer broadband or mobile networks", consumer, sources);
      sink.add(std::move(type));
    }
  }

  // A log-in that succeeds from a source that failed on other accounts, or soon after a stranger tried this account.
  static void success(const Event& e, const View& v, EvidenceSink& sink) {
    const baseline::SourceProfile* s = v.source_profile;
    if (s != nullptr && s->failed_user_count > 0) {
      int others = 0;
      for (const auto id : s->failed_users) others += id != 0 && id != e.user.id() ? 1 : 0;
      if (others > 0 && s->successes == 0) {
        Evidence out{"sprayer-success", kInfo.name, Group::kVolume, FindingKind::kLogin, 5.0, {}};
        if (sink.wants_text()) {
          const bool more = s->failed_user_count > s->failed_users.size();
          out.says = fmt::format("this address failed on {}{} other account{} before", more ? "at least " : "", others,
                                 others == 1 ? "" : "s");
        }
        sink.add(std::move(out));
        return;
      }
    }
    if (v.user == nullptr || v.user->stranger_failure == 0 || v.familiarity <= baseline::Familiarity::kSameSystemNear)
      return;
    const core::Nanoseconds ago = e.time - v.user->stranger_failure;
    if (ago < 0 || ago > 3 * core::kDay) return;
    // While strangers try many accounts, an ordinary log-in often comes after such a try.
    const double chance = std::clamp(v.accounts_tried, 0.02, 1.0);
    Evidence out{"after-spray",
                 kInfo.name,
                 Group::kVolume,
                 FindingKind::kLogin,
                 log_ratio(kGuessed + (1 - kGuessed) * chance, chance),
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

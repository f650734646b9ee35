// A client (software and operating system) that the user never used. Operators bring their own laptop, however well the
// exit node is placed: the advisory asks to profile "operating system, time zone and configuration" of connections.
#include <fmt/format.h>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::ClientChange;
using baseline::View;
using event::Class;
using event::Event;

constexpr std::size_t index(ClientChange change) { return static_cast<std::size_t>(change); }

// The chance of each ClientChange. For an intruder a model: a good part look like the victim, for the common client is
// easily guessed; the others bring what they have, seldom something newer of the victim's own kind. For ordinary
// log-ins before any data is seen: roll-outs, a second or a new computer.
constexpr std::array<double, baseline::kClientChanges> kCovert = {0.35, 0.07, 0.15, 0.43};
constexpr std::array<double, baseline::kClientChanges> kOrdinary = {0.955, 0.025, 0.005, 0.015};
constexpr double kUserStrength = 10;
constexpr double kOthersStrength = 30;
constexpr Need kNeeds[] = {Need::kVpnLogins};
constexpr DetectorInfo kInfo = {
    "new-client",
    "Remote access with client software or an operating system that this user never used",
    "T1078,T1090.003",
    "a new laptop or phone, a second computer that is seldom brought up to date, a reinstalled one",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

class NewClient final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.login || !v.remote || !v.client.present() || v.user == nullptr || v.user->clients.size() == 0) return;
    const double ordinary = probability<baseline::kClientChanges>(
        index(v.client_change), &v.user->client_changes, v.group != nullptr ? &v.group->client_changes : nullptr,
        v.everyone->client_changes, kOrdinary[index(v.client_change)], v.unit, kUserStrength, kOthersStrength,
        kOthersStrength);
    double llr = log_ratio(kCovert[index(v.client_change)], std::clamp(ordinary, 0.002, 0.99));
    // A client that many colleagues use is an ordinary new laptop; one that nobody uses is not. A new version comes to
    // somebody first.
    if (v.client_change == ClientChange::kOther || v.client_change == ClientChange::kOlder)
      llr += v.client_share > 0.05 ? -1.0 : v.client_share == 0 ? 0.7 : 0;
    Evidence out{"new-client", kInfo.name, Group::kClient, FindingKind::kLogin, std::clamp(llr, -1.5, 5.0), {}};
    if (sink.wants_text()) out.says = sentence(e, v);
    sink.add(std::move(out));
  }

 private:
  static std::string sentence(const Event& e, const View& v) {
    const std::string client = fmt::format(
        "{}{}{}", e.user_agent.text(), e.user_agent.present() && e.client_os.present() ? ", " : "", e.client_os.text());
    const double share = 100 * v.client_share;
    switch (v.client_change) {
      case ClientChange::kSame: return fmt::format("{} uses this client ({})", e.user.text(), client);
      case ClientChange::kUpgraded:
        return fmt::format("{} has a newer version of the client used before ({})", e.user.text(), client);
      case ClientChange::kOlder:
        return fmt::format("{} used newer versions of this client before ({}); {:.1f} % of log-ins here use this one",
                           e.user.text(), client, share);
      case ClientChange::kOther: break;
    }
    return fmt::format("{} never used this client ({}); {:.1f} % of log-ins here do, in any version", e.user.text(),
                       client, share);
  }
};

}  // namespace

std::unique_ptr<Detector> make_new_client(const Context&) { return std::make_unique<NewClient>(); }

}  // namespace orbwatch::detect

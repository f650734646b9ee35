// A client (software and operating system) that the user never used. Operators bring their own laptop, however well the
// exit node is placed: the advisory asks to profile "operating system, time zone and configuration" of connections.
#include <fmt/format.h>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::Class;
using event::Event;

constexpr double kCopied =
    0.35;  // share of intrusions whose client looks like the victim's: the common client is easy to guess
constexpr Need kNeeds[] = {Need::kVpnLogins};
constexpr DetectorInfo kInfo = {
    "new-client",
    "Remote access with client software or an operating system that this user never used",
    "T1078,T1090.003",
    "a new laptop or phone, a client upgrade to another major version, a reinstalled computer",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

class NewClient final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.login || !v.remote || v.client == 0 || v.user == nullptr || v.user->clients.size() == 0) return;
    const bool known = v.client_known;
    const double all = (v.everyone->client_new + v.everyone->client_known) / v.unit;
    double rate = back_off(v.everyone->client_new / v.unit, all, 0.03, 30);
    if (v.group != nullptr) {
      rate = back_off(v.group->client_new / v.unit, (v.group->client_new + v.group->client_known) / v.unit, rate, 30);
    }
    // Someone with several devices so far is likelier to show one more.
    const double devices = static_cast<double>(v.user->clients.size());
    const double logins = v.user->logins / v.unit;
    rate = std::clamp(back_off(devices - 1, logins, rate, 10), 0.002, 0.9);
    double llr = known ? log_ratio(kCopied, 1 - rate) : log_ratio(1 - kCopied, rate);
    // A client that many colleagues use is an ordinary new laptop; one that nobody uses is not.
    if (!known) llr += v.client_share > 0.05 ? -1.0 : v.client_share == 0 ? 0.7 : 0;
    Evidence out{"new-client", kInfo.name, Group::kClient, FindingKind::kLogin, std::clamp(llr, -1.5, 5.0), {}};
    if (sink.wants_text()) {
      const std::string client =
          fmt::format("{}{}{}", e.user_agent.text(), e.user_agent.present() && e.client_os.present() ? ", " : "",
                      e.client_os.text());
      out.says = known ? fmt::format("{} uses this client ({})", e.user.text(), client)
                       : fmt::format("{} never used this client ({}); {:.1f} % of log-ins here do", e.user.text(),
                                     client, 100 * v.client_share);
    }
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_new_client(const Context&) { return std::make_unique<NewClient>(); }

}  // namespace orbwatch::detect

// A log-in by a method that this user does not use for this service: a password where he uses a key. What is stolen
// or guessed is a password for the most part; a key that stays on the owner's computer is not.
#include <fmt/format.h>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::View;
using event::AuthMethod;
using event::Class;
using event::Event;

constexpr Need kNeeds[] = {Need::kAuthentication};
constexpr DetectorInfo kInfo = {
    "new-method",
    "Stolen credentials used in another way than their owner uses his",
    "T1078",
    "a new computer before its key is installed, a changed sign-in policy, an administrator at somebody else's desk",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

// By which method intruders come in; a model: what can be guessed, phished or bought is a password.
constexpr double attack_method(AuthMethod method) {
  switch (method) {
    case AuthMethod::kPassword: return 0.70;
    case AuthMethod::kPublicKey: return 0.08;
    case AuthMethod::kCertificate: return 0.04;
    default: return 0.20;
  }
}

template <std::size_t N>
void counts(const baseline::TopWeights<std::uint16_t, N>& methods, std::uint16_t key, double& of_key,
            double& of_service) {
  of_key = methods.weight(key);
  of_service = 0;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (baseline::method_service(methods.key(i)) == baseline::method_service(key)) of_service += methods.weight_at(i);
  }
}

class NewMethod final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (!v.login || !v.remote || v.user == nullptr || v.method == 0) return;
    double here = 0, all = 0, own = 0, user = 0;
    counts(v.everyone->methods, v.method, here, all);
    counts(v.user->methods, v.method, own, user);
    if (user <= 0) return;  // the first log-in of this user to this service
    const double attack = attack_method(e.auth_method);
    const double p = back_off(own / v.unit, user / v.unit, back_off(here / v.unit, all / v.unit, attack, 20), 4);
    Evidence out{
        "new-method", kInfo.name, Group::kClient, FindingKind::kLogin, std::clamp(log_ratio(attack, p), -1.0, 4.0), {}};
    if (sink.wants_text()) {
      out.says = fmt::format("by {}; {} logs in so in {:.1f} % of cases", event::name(e.auth_method), e.user.text(),
                             100 * own / user);
    }
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_new_method(const Context&) { return std::make_unique<NewMethod>(); }

}  // namespace orbwatch::detect

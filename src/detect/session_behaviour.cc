// Was the session what this user's sessions are? An intruder works for minutes or for days, reads or carries away; what
// he will do is not known. Half of the alternative is flat: each length between a minute and a day is as likely as any
// other on a logarithmic scale, and so with the bytes; half is what people do in general. It speaks when a session from
// a network new to the user ends.
#include <fmt/format.h>

#include <array>

#include "detect/factories.h"
#include "detect/smoothing.h"

namespace orbwatch::detect {
namespace {

using baseline::SessionShape;
using baseline::SessionShapes;
using baseline::View;
using event::Class;
using event::Event;

constexpr Need kNeeds[] = {Need::kVpnLogins};
constexpr DetectorInfo kInfo = {
    "session-behaviour",
    "Remote-access sessions that do not resemble those of their user",
    "T1078,T1133",
    "a short look at the mail from a hotel, a large download, a connection that breaks",
    kNeeds,
    bit(Class::kAuthentication) | bit(Class::kSession),
};

// The bins' widths on a logarithmic scale, from 1 minute to 24 hours.
constexpr std::array<double, baseline::kLengthBins> kFlatLength = {0.095, 0.126, 0.151, 0.096, 0.095,
                                                                   0.095, 0.095, 0.095, 0.152};
constexpr double kFlatVolume = 1.0 / baseline::kVolumeBins;  // from 10 kB to 10 GB
constexpr double kFlatUpload = 1.0 / baseline::kUploadBins;
constexpr double kOwnWay = 0.65;  // of intruders' sessions: unlike people's
constexpr double kLeast = -0.7;   // each: an ordinary session shows little, and the three speak of one
constexpr double kMost = 4.0;

class SessionBehaviour final : public Detector {
 public:
  const DetectorInfo& info() const override { return kInfo; }

  void evidence(const Event& e, const View& v, EvidenceSink& sink) const override {
    if (v.session == nullptr || v.user == nullptr || !v.remote) return;
    const SessionShape& shape = *v.session;
    if (shape.length > 0) {
      const std::size_t bin = shape.length_bin();
      const auto [p, covert] = chances(v, &SessionShapes::lengths, bin, kFlatLength[bin]);
      const double hours = static_cast<double>(shape.length) / static_cast<double>(core::kHour);
      add(sink, "session-length", Group::kDuration, log_ratio(covert, p), [&, chance = p] {
        return fmt::format("the session lasted {:.1f} hours; as expected of {} in {:.0f} % of cases", hours,
                           e.user.text(), 100 * chance);
      });
    }
    if (!shape.has_volume()) return;
    const std::size_t bin = shape.volume_bin();
    const auto [p, covert] = chances(v, &SessionShapes::volumes, bin, kFlatVolume);
    const double megabytes =
        (static_cast<double>(shape.source_bytes) + static_cast<double>(shape.destination_bytes)) / 1e6;
    add(sink, "session-volume", Group::kVolume, log_ratio(covert, p), [&, chance = p] {
      return fmt::format("the session carried {:.1f} MB; as expected of {} in {:.0f} % of cases", megabytes,
                         e.user.text(), 100 * chance);
    });
    const std::size_t upload = shape.upload_bin();
    const auto [q, covert_upload] = chances(v, &SessionShapes::uploads, upload, kFlatUpload);
    add(sink, "session-upload", Group::kVolume, log_ratio(covert_upload, q), [&, chance = q] {
      return fmt::format("{:.0f} % of its bytes were sent by the client; as expected of {} in {:.0f} % of cases",
                         static_cast<double>(shape.source_bytes) / 1e4 / std::max(megabytes, 1e-6), e.user.text(),
                         100 * chance);
    });
  }

 private:
  struct Chances {
    double ordinary;
    double covert;
  };
  template <std::size_t N>
  static Chances chances(const View& v, std::array<float, N> SessionShapes::* field, std::size_t bin, double flat) {
    const auto& everyone = v.everyone->sessions.*field;
    const double all = back_off(everyone[bin] / v.unit, total(everyone) / v.unit, flat, 20);
    return {
        in_new_place<N>(bin, &(v.user->sessions.*field), everyone, v.everyone->new_sessions.*field, flat, v.unit),
        kOwnWay * flat + (1 - kOwnWay) * all,
    };
  }

  template <typename Says>
  static void add(EvidenceSink& sink, std::string_view kind, Group group, double llr, Says&& says) {
    Evidence out{kind, kInfo.name, group, FindingKind::kLogin, std::clamp(llr, kLeast, kMost), {}};
    if (sink.wants_text()) out.says = says();
    sink.add(std::move(out));
  }
};

}  // namespace

std::unique_ptr<Detector> make_session_behaviour(const Context&) { return std::make_unique<SessionBehaviour>(); }

}  // namespace orbwatch::detect

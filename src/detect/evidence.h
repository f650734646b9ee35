// What a detector says about one event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orbwatch::detect {

// Evidence of the same group is about the same underlying fact (the place, the client, ...); score/ counts the
// strongest of a group fully and the others at a discount.
enum class Group : std::uint8_t {
  kPlace,
  kLine,  // whether the user's own line may have got another address
  kClient,
  kTime,
  kDuration,
  kVolume,
  kSource,
  kAttempts,  // failures before
  kPattern,
  kAccount,
  kExposure,
  kIndicator,
  kDestinations,  // what a session reached inside
  kWave,          // what other accounts tell of the days
  kGateway        // the way in
};

constexpr Group kLastGroup = Group::kGateway;
constexpr std::size_t kGroups = static_cast<std::size_t>(kLastGroup) + 1;

// The share of covert ones among log-ins before any evidence, so that a medium organisation (300 log-ins a day) has one
// in two months. A guess; score/combine.h starts from it.
constexpr double kCovertShare = 1.0 / 20'000;

// One kind of finding, the finding JSON's `kind`.
enum class FindingKind : std::uint8_t { kLogin, kSpray, kRecon, kRelay, kExposure, kIntel, kDevice };
std::string_view name(FindingKind kind);

struct Evidence {
  std::string_view kind;      // "new-network", static storage; the finding JSON's evidence[].kind
  std::string_view detector;  // name of the detector, static storage
  Group group = Group::kPlace;
  FindingKind finding = FindingKind::kLogin;
  double llr = 0;    // natural log of P(this | covert network) / P(this | ordinary); negative speaks for ordinary
  std::string says;  // one sentence for a person; empty in the first pass (see EvidenceSink)
};

// Detectors run twice on an event that matters: first for the numbers alone (wants_text() false: `says` must stay
// empty, so that nothing is allocated), then, if the score is worth a person's time, once more with text. Both passes
// see the same view.
class EvidenceSink {
 public:
  explicit EvidenceSink(bool wants_text) : wants_text_(wants_text) {}
  bool wants_text() const { return wants_text_; }
  void add(Evidence evidence) { evidence_.push_back(std::move(evidence)); }
  const std::vector<Evidence>& evidence() const { return evidence_; }
  std::vector<Evidence>& evidence() { return evidence_; }
  void clear() { evidence_.clear(); }
  void want_text(bool wanted) { wants_text_ = wanted; }

 private:
  std::vector<Evidence> evidence_;
  bool wants_text_;
};

}  // namespace orbwatch::detect

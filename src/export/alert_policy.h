// What stands in front of an output: which findings it is told of, each once and again only when it has become worse,
// and no more than a receiver can bear. Pure: the wall clock comes in as an argument.
//
// The rules, in this order; each finding is counted under the first that stops it:
//   1. below the minimum severity, not an alert (if only alerts are wanted), of a kind that is not wanted: not told.
//   2. known already: a finding (by its id) that was told is told again only if its severity has risen, if it has
//      grown by `grown_by`: sources + users + records are at least so many times what they were when it was told; or if
//      log-ins that would be alerts alone come from more networks (/24, /48) than then: an intruder's further exit
//      node.
//   3. rate limit: a token bucket holds `burst` tokens and gains `per_hour` an hour; a finding takes one. Without a
//   token
//      it is held back: counted, the first kMostListed named, and all of them told by one later message as soon as
//      there is a token (due()). Such findings count as told.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "score/finding.h"

namespace orbwatch::exporting {

struct AlertRules {
  score::Severity minimum_severity = score::Severity::kInformational;
  bool alerts_only = true;                 // only what is inside the alert budget
  std::vector<detect::FindingKind> kinds;  // empty = all
  double grown_by = 2.0;                   // > 1
  double per_hour = 60;                    // > 0
  double burst = 20;                       // >= 1
};

enum class Verdict : std::uint8_t { kTell, kBelowSeverity, kNoAlert, kOtherKind, kTold, kHeldBack };
std::string_view name(Verdict verdict);

// What must survive a restart, so that nothing is told twice. Plain values; memory: kMostTold findings (the longest
// ago are forgotten and may be told again).
struct AlertState {
  static constexpr std::size_t kMostTold = 50'000;
  static constexpr std::uint64_t kNetworksUnknown = UINT64_MAX;  // told by a version that did not count them
  struct Told {
    score::Severity severity = score::Severity::kInformational;
    std::uint64_t size = 0;
    core::Nanoseconds time = 0;                 // wall clock
    std::uint64_t networks = kNetworksUnknown;  // of log-ins that would be alerts alone
  };
  struct HeldBack {
    std::string id;
    detect::FindingKind kind = detect::FindingKind::kLogin;
    score::Severity severity = score::Severity::kInformational;
    std::string user;
    std::string source;
  };
  std::map<std::string, Told, std::less<>> told;  // by the finding's id
  double tokens = -1;                             // -1 = a full bucket
  core::Nanoseconds refilled = 0;                 // wall clock
  std::vector<HeldBack> held_back;                // the first, at most Finding::kMostListed
  std::uint64_t held_back_count = 0;
  core::Nanoseconds held_back_first = 0, held_back_last = 0;  // wall clock

  // Lines of text. parse() takes what text() gave; anything else is an error that names the line.
  std::string text() const;
  static core::Expected<AlertState> parse(std::string_view text);
};

class AlertPolicy {
 public:
  explicit AlertPolicy(AlertRules rules, AlertState state = {}) : rules_(std::move(rules)), state_(std::move(state)) {}

  // now: wall clock; may jump, backwards it counts as standing still. kTell: the caller hands the finding on and then
  // calls told(); if it could not, it does not, and the finding is told the next time.
  Verdict judge(const score::Finding& finding, core::Nanoseconds now);
  void told(const score::Finding& finding, core::Nanoseconds now);

  // A finding that sums up what was held back, if there is any and a token is there; summed_up() forgets them.
  std::optional<score::Finding> due(core::Nanoseconds now);
  void summed_up() { forget_held_back(); }

  // How often each verdict was given since the start, and what was held back and not yet summed up.
  std::uint64_t count(Verdict verdict) const { return counts_[static_cast<std::size_t>(verdict)]; }
  std::uint64_t held_back() const { return state_.held_back_count; }
  std::uint64_t forgotten() const { return forgotten_; }  // findings forgotten for lack of room
  const AlertState& state() const { return state_; }

 private:
  bool take_token(core::Nanoseconds now);
  void remember(const score::Finding& finding, core::Nanoseconds now);
  void forget_held_back();

  AlertRules rules_;
  AlertState state_;
  std::uint64_t counts_[6] = {};
  std::uint64_t forgotten_ = 0;
};

}  // namespace orbwatch::exporting

// Findings beside the truth: what each is worth, and what it finds. The rules of counting are stated here and in
// docs/evaluation.md; the test of this file holds them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "detect/evidence.h"
#include "evaluate/simulate.h"
#include "score/finding.h"

namespace orbwatch::evaluate {

// What a finding is worth as an alert, in this order:
//   kTrue       it overlaps an item of the truth in time (kSlack on both sides) and shares a source address with it, or
//               names no source at all and shares the user; a finding about one user's log-ins must be about the
//               user of the intrusion
//   kAftermath  it names a user of an intrusion (covert-login, credential-success-after-spray) within a day after it
//               began, but another source: the victim's own session, seen as strange because of the intruder's. Counted
//               neither way
//   kGrey       as kTrue, with a grey item: something ordinary that a tool may rightly point out. Counted neither way
//   kFalse      all else
enum class AlertClass : std::uint8_t { kTrue, kAftermath, kGrey, kFalse };

constexpr core::Nanoseconds kSlack = 10 * core::kMinute;
// An item of many sources (spray, slow-scan) is found by one finding that shares this many of them, or half of them if
// they are fewer than twice as many: a single guess that is pointed out is not a spray found.
constexpr std::size_t kSharedSources = 5;
// Days counted as learning: false alerts on them are reported apart.
constexpr int kLearningDays = 7;

// A log-in with stolen credentials.
bool is_intrusion(const TruthItem& item);

AlertClass classify(const Truth& truth, const score::Finding& finding);
// Whether the finding touches the item so that the item counts as found.
bool finds(const score::Finding& finding, const TruthItem& item);

// The items that are to be found: all but the grey ones, in the order of the truth.
std::vector<TruthItem> items_of(const Truth& truth);
// The 24-hour day of the world, from its start; times outside fall on the first or last.
int day_of(const Truth& truth, core::Nanoseconds time);

// What the measures need of a finding, once it has been compared.
struct Judgement {
  double strength = 0;  // its log-odds; of a reference its score
  AlertClass worth = AlertClass::kFalse;
  int day = 0;
  detect::FindingKind kind = detect::FindingKind::kLogin;
  std::vector<std::uint32_t> finds;  // indices into items_of()
  std::string evidence;              // kind and strongest evidence, "login: new-network"
  double lent = 0;                   // of `strength`: what the finding has of other accounts (detect/intrusion_wave.cc)
};
std::vector<Judgement> compare(const Truth& truth, const std::vector<score::Finding>& findings);

}  // namespace orbwatch::evaluate

#include "evaluate/watch.h"

#include <algorithm>

#include "baseline/baseline.h"

namespace orbwatch::evaluate {

using core::Nanoseconds;

namespace {
constexpr Nanoseconds kOneAttempt = 2 * core::kSecond;
}

Watch::Watch(const Truth& truth)
    : truth_(truth), items_(items_of(truth)), references_(make_references()), alerts_(references_.size()) {
  seen_.alerted.resize(items_.size());
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const TruthItem& item = items_[i];
    if (item.kind == "spray") {
      SprayStory& story = seen_.sprays[item.campaign];
      if (story.begin == 0 || item.time < story.begin) story.begin = item.time;
    } else if (!is_intrusion(item)) {
      continue;
    }
    for (const std::string& source : item.sources) {
      if (const auto ip = core::Ip::parse(source)) by_source_[*ip].push_back(static_cast<std::uint32_t>(i));
    }
  }
}

void Watch::login(const event::Event& login) {
  if (day_of(truth_, login.time) >= kLearningDays && baseline::is_login(login)) {
    ++seen_.logins;
    if (const auto found = by_source_.find(login.source_ip); found != by_source_.end()) {
      const bool covert = std::ranges::any_of(found->second, [&](std::uint32_t i) {
        const TruthItem& item = items_[i];
        return is_intrusion(item) && login.time >= item.time - kSlack && login.time <= item.end + kSlack &&
               std::ranges::find(item.users, login.user.text()) != item.users.end();
      });
      seen_.covert_logins += covert ? 1 : 0;
    }
  }
  if (const auto shown = reference_login(login, *networks_)) {
    for (std::size_t r = 0; r < references_.size(); ++r) {
      if (const auto score = references_[r]->take(*shown)) alerts_[r].add(*shown, *score);
    }
  }
}

void Watch::failed_login(const event::Event& attempt) {
  const auto found = by_source_.find(attempt.source_ip);
  if (found == by_source_.end() || !attempt.user.present()) return;
  for (const std::uint32_t i : found->second) {
    const TruthItem& item = items_[i];
    if (item.kind != "spray" || attempt.time < item.time || attempt.time > item.end) continue;
    seen_.sprays[item.campaign].attempts.emplace_back(attempt.time, attempt.user);
    return;
  }
}

void Watch::told(const score::Finding& finding, Nanoseconds now) {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const TruthItem& item = items_[i];
    const bool spray = item.kind == "spray" && finding.kind == detect::FindingKind::kSpray;
    if ((!finding.alert || seen_.alerted[i] != 0) && !spray) continue;
    if (!finds(finding, item)) continue;
    if (finding.alert && seen_.alerted[i] == 0) seen_.alerted[i] = now;
    if (!spray) continue;
    SprayStory& story = seen_.sprays[item.campaign];
    if (finding.alert && story.alerted == 0) story.alerted = now;
    if (story.strength.empty() || finding.log_odds > story.strength.back().second)
      story.strength.emplace_back(now, finding.log_odds);
  }
}

Watched Watch::take() {
  for (auto& [campaign, story] : seen_.sprays) {
    std::ranges::stable_sort(story.attempts, {}, &std::pair<Nanoseconds, core::Symbol>::first);
    // Some gateways write two lines about one attempt.
    absl::flat_hash_map<core::Symbol, Nanoseconds> last;
    std::erase_if(story.attempts, [&](const auto& attempt) {
      const auto [known, first] = last.try_emplace(attempt.second, attempt.first);
      const bool same = !first && attempt.first - known->second <= kOneAttempt;
      known->second = attempt.first;
      return same;
    });
  }
  for (AlertList& alerts : alerts_) seen_.references.push_back(alerts.take());
  return std::move(seen_);
}

}  // namespace orbwatch::evaluate

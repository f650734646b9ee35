#include "intel/decay/local_verdicts.h"

#include <algorithm>
#include <utility>

namespace orbwatch::intel::decay {
namespace {

// No feed's name has a space.
std::string key(std::string_view feed, std::string_view value) {
  std::string out;
  out.reserve(feed.size() + 1 + value.size());
  out += feed;
  out += ' ';
  out += value;
  return out;
}

}  // namespace

void LocalVerdicts::add(std::string_view feed, std::string_view value, JudgedHit hit) {
  by_entry_[key(feed, value)].push_back(std::move(hit));
}

void LocalVerdicts::remove(std::string_view feed, std::string_view value, std::string_view verdict) {
  const auto found = by_entry_.find(key(feed, value));
  if (found == by_entry_.end()) return;
  std::erase_if(found->second, [&](const JudgedHit& hit) { return hit.verdict == verdict; });
  if (found->second.empty()) by_entry_.erase(found);
}

HitsHere LocalVerdicts::of(std::string_view feed, std::string_view value, core::Nanoseconds moment) const {
  HitsHere out;
  if (by_entry_.empty()) return out;
  const auto found = by_entry_.find(key(feed, value));
  if (found == by_entry_.end()) return out;
  const std::vector<JudgedHit>& all = found->second;
  for (std::size_t i = all.size() > kMostAsked ? all.size() - kMostAsked : 0; i < all.size(); ++i) {
    const JudgedHit& hit = all[i];
    if (hit.expires != 0 && moment >= hit.expires) continue;
    ++(hit.was_true ? out.true_hits : out.false_hits);
    if (hit.was_true) out.last_true_hit = std::max(out.last_true_hit, hit.seen);
  }
  return out;
}

}  // namespace orbwatch::intel::decay

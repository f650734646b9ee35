#include "baseline/marks.h"

#include <absl/container/flat_hash_map.h>

#include <string_view>

#include "baseline/profile.h"
#include "event/event.h"

namespace orbwatch::baseline {
namespace {

std::uint32_t key_of(Mark kind, std::uint64_t hash) {
  const auto low = static_cast<std::uint32_t>(hash ^ hash >> 32) & 0x3fff'ffffU;
  return static_cast<std::uint32_t>(kind) << 30 | (low == 0 ? 1 : low);
}

// The name of a computer. What has a dot in it is in most logs the name of an address in the DNS, which says where
// somebody is, not with what.
bool names_computer(std::string_view name) {
  return name.size() > 1 && name.find('.') == name.npos && name.find(':') == name.npos && name != "localhost" &&
         name != "unknown" && name != "UNKNOWN" && name != "N/A";
}

}  // namespace

MarkKeys marks_of(const event::Event& e) {
  MarkKeys keys{};
  const auto set = [&](Mark kind, std::uint64_t hash) { keys[static_cast<std::size_t>(kind)] = key_of(kind, hash); };
  if (e.observer.present()) set(Mark::kGateway, core::hash64(e.group.text(), core::hash64(e.observer.text())));
  if (names_computer(e.client_host.text())) set(Mark::kComputer, core::hash64(e.client_host.text()));
  if (e.fingerprint.present()) set(Mark::kFingerprint, core::hash64(e.fingerprint.text()));
  if (e.mfa != event::Mfa::kUnknown) set(Mark::kSecondFactor, e.mfa == event::Mfa::kYes ? 2 : 1);
  return keys;
}

MarksSeen Marks::seen(const UserProfile& user, const event::Event& e, double unit, bool away) const {
  MarksSeen out;
  const MarkKeys keys = marks_of(e);
  for (std::size_t i = 0; i < user.marks.size(); ++i) {
    const std::uint32_t known = user.marks.key(i);
    const std::size_t kind = kind_of_mark(known);
    MarkSeen& seen = out[kind];
    if (keys[kind] == 0) continue;
    const double weight = user.marks.weight_at(i) / unit;
    seen.all += weight;
    ++seen.known;
    if (known == keys[kind]) seen.own = weight;
    if (const auto share = shares_.find(known); share != shares_.end() && totals_[kind] > 0)
      seen.known_share += share->second / totals_[kind];
  }
  for (std::size_t kind = 0; kind < kMarks; ++kind) {
    if (keys[kind] == 0) continue;
    MarkSeen& seen = out[kind];
    seen.key = keys[kind];
    if (const auto share = shares_.find(keys[kind]); share != shares_.end() && totals_[kind] > 0)
      seen.share = share->second / totals_[kind];
    const Change& change = changes_[away ? 1 : 0][kind];
    seen.away = away;
    seen.changed = change.fresh / unit;
    seen.counted = (change.fresh + change.same) / unit;
  }
  MarkSeen& computer = out[static_cast<std::size_t>(Mark::kComputer)];
  if (computer.key != 0 && computer.own <= 0) {
    if (const auto found = strange_.find(computer.key);
        found != strange_.end() && e.time - found->second.time <= kRemembered) {
      const Strange& s = found->second;
      computer.strange_for = s.last != e.user ? s.last : s.before;
    }
  }
  return out;
}

void Marks::count(const UserProfile& user, const event::Event& e, double unit, bool away, bool discovery) {
  const MarksSeen now = seen(user, e, unit, away);
  for (std::size_t kind = 0; kind < kMarks; ++kind) {
    const MarkSeen& mark = now[kind];
    if (mark.key == 0 || mark.all < kLeastKnown) continue;
    Change& change = changes_[away ? 1 : 0][kind];
    if (discovery) (mark.own > 0 ? change.same : change.fresh) += static_cast<float>(unit);
    if (kind != static_cast<std::size_t>(Mark::kComputer) || mark.own > 0) continue;
    if (strange_.size() >= kMostStrange && !strange_.contains(mark.key)) {
      absl::erase_if(strange_, [&](const auto& s) { return e.time - s.second.time > kRemembered; });
      if (strange_.size() >= kMostStrange) strange_.clear();
    }
    Strange& s = strange_[mark.key];
    if (s.last != e.user) {
      s.before = s.last;
      s.last = e.user;
    }
    s.time = e.time;
  }
}

void Marks::learn(UserProfile& user, const event::Event& e, double unit) {
  const auto w = static_cast<float>(unit);
  for (const std::uint32_t key : marks_of(e)) {
    if (key == 0) continue;
    user.marks.add(key, w);
    totals_[kind_of_mark(key)] += w;
    if (const auto found = shares_.find(key); found != shares_.end()) {
      found->second += w;
    } else if (shares_.size() < kMost) {
      shares_.emplace(key, w);
    }
  }
}

}  // namespace orbwatch::baseline

#include "score/intrusion_wave.h"

#include <algorithm>
#include <cstdlib>

#include "score/combine.h"

namespace orbwatch::score {
namespace {

constexpr std::uint32_t kLayout = 1;  // of the saved state; raised with every change of it
constexpr std::int64_t kMostDay = 1'000'000;

}  // namespace

void IntrusionWave::count(core::Nanoseconds time) {
  const std::int64_t day = time / core::kDay;
  if (day < 0) return;
  Day& at = days_[static_cast<std::size_t>(day % kDays)];
  if (at.day > day) return;  // disorder of a month
  if (at.day < day) at = {day, 0};
  ++at.logins;
}

void IntrusionWave::note(core::Nanoseconds time, core::Symbol user, double log_odds) {
  newest_ = std::max(newest_, time);
  auto account = std::ranges::find(accounts_, user, &Account::user);
  if (account != accounts_.end()) std::erase_if(account->logins, [&](const Login& l) { return l.time == time; });
  if (log_odds < kLeastLogOdds) return;
  if (account == accounts_.end()) account = accounts_.insert(account, {user, {}});
  account->logins.push_back({time, log_odds});
  if (account->logins.size() > kMostOfOne)
    account->logins.erase(std::ranges::min_element(account->logins, {}, &Login::log_odds));
  // A log-in that is judged anew is at most a span old, and looks a span back.
  for (Account& a : accounts_) std::erase_if(a.logins, [&](const Login& l) { return l.time + 2 * kSpan < newest_; });
  std::erase_if(accounts_, [](const Account& a) { return a.logins.empty(); });
  if (accounts_.size() > kMostAccounts) drop_weakest();
}

void IntrusionWave::drop_weakest() {
  const auto strength = [](const Account& a) { return std::ranges::max(a.logins, {}, &Login::log_odds).log_odds; };
  accounts_.erase(std::ranges::min_element(accounts_, {}, strength));
}

void IntrusionWave::forget(core::Symbol user) {
  std::erase_if(accounts_, [&](const Account& a) { return a.user == user; });
}

IntrusionWave::Others IntrusionWave::others(core::Nanoseconds time, core::Symbol user) const {
  Others out;
  for (const Account& a : accounts_) {
    if (a.user == user) continue;
    double best = 0;
    for (const Login& l : a.logins) {
      if (std::abs(l.time - time) <= kSpan) best = std::max(best, probability(l.log_odds));
    }
    out.taken += best;
    if (best > out.probability) {
      out.probability = best;
      out.strangest = a.user;
    }
  }
  if (out.taken <= 0) return out;
  for (const Day& d : days_) {
    if (std::abs(d.day - time / core::kDay) <= kSpan / core::kDay) out.logins += static_cast<double>(d.logins);
  }
  return out;
}

template <typename Archive>
void IntrusionWave::persist(Archive& a) {
  a.section("intrusion-wave", kLayout);
  a.moment(newest_);
  a.sequence(accounts_, [&](Account& account) {
    a(account.user);
    a.sequence(account.logins, [&](Login& login) {
      a.moment(login.time);
      a(login.log_odds);
    });
    if constexpr (Archive::kReads) {
      if (account.logins.empty()) account.logins.push_back({});
    }
  });
  for (Day& d : days_) {
    a.bounded(d.day, kMostDay);
    a(d.logins);
  }
}

void IntrusionWave::save(core::ArchiveWriter& archive) const { const_cast<IntrusionWave*>(this)->persist(archive); }
void IntrusionWave::load(core::ArchiveReader& archive) { persist(archive); }

}  // namespace orbwatch::score

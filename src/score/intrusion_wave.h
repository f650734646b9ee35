// How many accounts intruders seem to have at the moment. Intrusions come in waves: whoever has broken into one account
// of an organisation, through a network of hijacked devices, tries others in the same days. So while log-ins of some
// accounts look covert, one of another account is covert more often than the prior of score/combine.h says.
//
// Kept are the log-ins whose own evidence says so (probability at least kLeastLogOdds), by account; counted are all
// log-ins, by day. What the wave lends to a log-in must not be in what is noted of it, or accounts would lift each
// other without end.
//
// Memory: kMostAccounts accounts of kMostOfOne log-ins each. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/archive.h"
#include "core/symbol.h"
#include "core/time.h"

namespace orbwatch::score {

class IntrusionWave {
 public:
  static constexpr core::Nanoseconds kSpan = 7 * core::kDay;  // to both sides
  static constexpr double kLeastLogOdds = -4;
  static constexpr std::size_t kMostAccounts = 64;
  static constexpr std::size_t kMostOfOne = 4;

  // A log-in of anybody.
  void count(core::Nanoseconds time);
  // What a log-in's own evidence says of it, as log-odds. Of the same user and time it replaces what was said before;
  // weak ones are not kept. Beyond the bounds those that say least are left out.
  void note(core::Nanoseconds time, core::Symbol user, double log_odds);
  // Its log-ins were the user's own.
  void forget(core::Symbol user);

  struct Others {
    double taken = 0;   // accounts that intruders have, in expectation: the sum of the highest probability of each
    double logins = 0;  // of anybody, in the same days (UTC)
    core::Symbol strangest;
    double probability = 0;  // of its strangest log-in
  };
  // Within kSpan of this time, without this user's own log-ins. Of a time that is past also what came behind.
  Others others(core::Nanoseconds time, core::Symbol user) const;

  // Errors stick to the reader.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  struct Login {
    core::Nanoseconds time = 0;
    double log_odds = 0;
  };
  struct Account {
    core::Symbol user;
    std::vector<Login> logins;
  };
  // Log-ins are judged anew for as long as a span behind, and look a span back then.
  static constexpr std::int64_t kDays = 32;
  struct Day {
    std::int64_t day = 0;  // since 1970
    std::uint64_t logins = 0;
  };

  template <typename Archive>
  void persist(Archive& archive);
  void drop_weakest();

  std::vector<Account> accounts_;  // in the order in which they came, so that sums do not depend on a hash
  std::array<Day, kDays> days_{};  // at day modulo kDays
  core::Nanoseconds newest_ = 0;
};

}  // namespace orbwatch::score

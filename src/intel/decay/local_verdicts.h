// What analysts here said of hits on indicators: by feed and value as it stands in the feed, with when it was seen and
// until when the verdict counts. confidence.h says what they do ("Verdicts").
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "intel/decay/half_life.h"

namespace orbwatch::intel::decay {

// Of one entry of a feed, in force at a moment.
struct HitsHere {
  std::uint32_t true_hits = 0;
  std::uint32_t false_hits = 0;
  core::Nanoseconds last_true_hit = 0;  // 0: there is none, or it is not known when it was
};

struct JudgedHit {
  std::string verdict;            // id, by which it is removed
  bool was_true = false;          // else false, or harmless
  core::Nanoseconds seen = 0;     // event time of what was judged; 0 = not known
  core::Nanoseconds expires = 0;  // compared with the time of what is asked about; 0 = never
};

// The same hits in the same order give the same answers, whatever was removed between them. As many hits as are added:
// whoever adds bounds them. Not thread-safe while it changes.
class LocalVerdicts {
 public:
  // Of one entry the newest so many are asked: ten false ones take a base of 0.8 to 0.23 already.
  static constexpr std::size_t kMostAsked = 256;

  void add(std::string_view feed, std::string_view value, JudgedHit hit);
  void remove(std::string_view feed, std::string_view value, std::string_view verdict);
  // `value` as IndicatorKey text has it (value_of in intel/feed_table.h).
  HitsHere of(std::string_view feed, std::string_view value, core::Nanoseconds moment) const;
  bool empty() const { return by_entry_.empty(); }

 private:
  absl::flat_hash_map<std::string, std::vector<JudgedHit>> by_entry_;
};

// All that a place has taught about indicators, beside what their feeds state. Half-lives under the feed "".
struct LearnedHere {
  LocalVerdicts verdicts;
  HalfLives half_lives;
};

}  // namespace orbwatch::intel::decay

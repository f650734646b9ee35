// What feeds state, ready to be looked up: the compiled table and how fast each feed's indicators age.
#pragma once

#include <string>

#include "intel/decay/confidence.h"
#include "intel/decay/half_life.h"
#include "intel/decay/local_verdicts.h"
#include "intel/table/indicator_table.h"

namespace orbwatch::intel {

struct FeedTable {
  IndicatorTable table;
  decay::HalfLives half_lives;

  struct Belief {
    decay::Confidence confidence;
    decay::HalfLife half_life;
    decay::HitsHere hits;  // of this entry of the feed, judged here
  };
  // How far a statement of this table is believed at a moment, for an indicator of this kind in this kind of network.
  // The half-life is the first of: the feed's own, the learned one, the prior. `value`: of the entry (value_of), asked
  // for where anything was judged here.
  Belief belief(const IndicatorStatement& statement, decay::Kind kind, core::NetworkType type, core::Nanoseconds moment,
                const decay::LearnedHere* learned = nullptr, std::string_view value = {}) const;
};

// An entry as its feeds state it: "192.0.2.1", "192.0.2.0/24", "example.org", a fingerprint, "AS64496".
std::string value_of(const IndicatorKey& key);
// What kind of indicator an entry of a table is.
decay::Kind kind_of(const IndicatorKey& key);

}  // namespace orbwatch::intel

// What feeds state, ready to be looked up: the compiled table and how fast each feed's indicators age.
#pragma once

#include "intel/decay/confidence.h"
#include "intel/decay/half_life.h"
#include "intel/table/indicator_table.h"

namespace orbwatch::intel {

struct FeedTable {
  IndicatorTable table;
  decay::HalfLives half_lives;

  struct Belief {
    decay::Confidence confidence;
    decay::HalfLife half_life;
  };
  // How far a statement of this table is believed at a moment, for an indicator of this kind in this kind of network.
  Belief belief(const IndicatorStatement& statement, decay::Kind kind, core::NetworkType type,
                core::Nanoseconds moment) const;
};

// What kind of indicator an entry of a table is.
decay::Kind kind_of(const IndicatorKey& key);

}  // namespace orbwatch::intel

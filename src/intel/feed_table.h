// What feeds state, ready to be looked up: the compiled table and how fast each feed's indicators age.
#pragma once

#include "intel/decay/half_life.h"
#include "intel/table/indicator_table.h"

namespace orbwatch::intel {

struct FeedTable {
  IndicatorTable table;
  decay::HalfLives half_lives;
};

}  // namespace orbwatch::intel

// The report of a backtest: for a terminal, as JSON, as one HTML page. All three say the same. Times are UTC.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "evaluate/backtest.h"

namespace orbwatch::evaluate {

// Recommendations need this many tries on each side that they compare.
constexpr std::uint64_t kLeastCompared = 8;

// Plain sentences, each derived from numbers of the result that it states. Empty if nothing stands out.
std::vector<std::string> recommendations(const BacktestResult& result);

// Ends with a newline. `width`: columns of the terminal; sentences are broken there, tables are not.
std::string backtest_text(const BacktestResult& result, int width);
// One object, no newline; docs/backtest.md describes it.
std::string backtest_json(const BacktestResult& result);
// Self-contained, without a script; its content security policy allows its own style alone.
std::string backtest_html(const BacktestResult& result);

}  // namespace orbwatch::evaluate

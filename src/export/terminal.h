// What `hunt` prints for a person: the ranked findings with their reasons, then where every record went.
#pragma once

#include <cstddef>
#include <string>

#include "score/report.h"

namespace orbwatch::exporting {

struct TerminalOptions {
  int width = 80;                 // columns of the terminal; less than 40 is taken as 40, more than 200 as 200
  bool colour = false;            // ANSI SGR sequences; nothing else is ever written that a terminal would act on
  std::size_t most_alerts = 200;  // shown with their reasons; the rest is counted
  std::size_t most_below = 10;    // findings below the budget, one line each; the rest is counted
};

// UTF-8, lines end with \n, no line is wider than options.width. Control characters, invalid UTF-8 and characters that
// reorder text, all of which log data may hold, are replaced by "?".
std::string terminal_report(const score::HuntResult& result, const TerminalOptions& options);

}  // namespace orbwatch::exporting

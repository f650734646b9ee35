// One test finding to each output, as `orbwatch outputs test` sends it.
#pragma once

#include <string>
#include <vector>

#include "core/time.h"
#include "export/output_settings.h"

namespace orbwatch::exporting {

struct Tried {
  std::string output;  // its name
  std::string target;  // Output::target(); "" if the output could not be made
  bool delivered = false;
  std::string error;  // one line, "" if it was delivered; without secrets
};

// Makes the output, renders test_finding() in its format and delivers it once, by the code that a service's deliveries
// use. No rules, no spool, no second attempt: nothing of a service is touched, and what one of them does with its spool
// meanwhile does not matter. Blocks for at most the time-out of the settings. now: wall clock.
Tried try_output(const OutputSettings& settings, core::Nanoseconds now);

std::string to_text(const Tried& tried);             // "siem  failed  why", a line
std::string to_json(const std::vector<Tried>& all);  // {"delivered":1,"failed":0,"outputs":[...]}

}  // namespace orbwatch::exporting

// What `orbwatch evaluate` writes. Neither text holds a time of the machine, a host or a path: the same worlds and
// findings give the same bytes.
#pragma once

#include <string>

#include "evaluate/evaluate.h"

namespace orbwatch::evaluate {

// The tables of docs/detection-results.md.
std::string markdown(const Evaluation& evaluation);
// All numbers as one JSON document; docs/evaluation.md describes it.
std::string json(const Evaluation& evaluation);

}  // namespace orbwatch::evaluate

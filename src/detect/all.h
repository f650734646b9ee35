// Every detector. A new one is one file in this folder, one line in all.cc, a test beside it and a page in
// docs/detectors/.
#pragma once

#include <memory>
#include <vector>

#include "detect/detector.h"

namespace orbwatch::intel {
class Indicators;
namespace decay {
struct LearnedHere;
}
}  // namespace orbwatch::intel

namespace orbwatch::detect {

// What detectors may consult beside the profiles. Tables do not change while events are judged; what was learned
// changes between two events, when a verdict comes or a day ends. Both must outlive the detectors.
struct Context {
  const intel::Indicators* indicators = nullptr;       // null: none were given
  const intel::decay::LearnedHere* learned = nullptr;  // about indicators; null: nothing
};

std::vector<std::unique_ptr<Detector>> make_detectors(const Context& context);

}  // namespace orbwatch::detect

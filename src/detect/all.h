// Every detector. A new one is one file in this folder, one line in all.cc, a test beside it and a page in
// docs/detectors/.
#pragma once

#include <memory>
#include <vector>

#include "detect/detector.h"

namespace orbwatch::intel {
class Indicators;
}

namespace orbwatch::detect {

// What detectors may consult beside the profiles: tables that do not change while events are judged.
struct Context {
  const intel::Indicators* indicators = nullptr;  // null: none were given
};

std::vector<std::unique_ptr<Detector>> make_detectors(const Context& context);

}  // namespace orbwatch::detect

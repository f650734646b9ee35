#include "core/error.h"

namespace orbwatch::core {

std::string Error::text() const {
  std::string out = message;
  if (!seen.empty()) out += ": " + seen;
  if (!hint.empty()) out += " (" + hint + ")";
  return out;
}

}  // namespace orbwatch::core

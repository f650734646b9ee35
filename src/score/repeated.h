// Evidence of one kind that is observed again and again of one person in one place: the hours of his log-ins, the
// lengths of his sessions. n observations are worth n / (1 + kAlike * (n - 1)) independent ones (the effect of a
// clustered sample: L. Kish, Survey Sampling, 1965): an intruder who once worked at night does it again, and so does a
// traveller in another time zone. So ever more of them weigh at most 1 / kAlike times their mean.
#pragma once

#include <algorithm>
#include <cstdint>

namespace orbwatch::score {

struct Repeated {
  static constexpr double kAlike = 0.5;

  std::uint32_t count = 0;
  double sum = 0;   // of the log-likelihood ratios
  double best = 0;  // the largest

  // True if it is the largest so far: the one to tell of.
  bool add(double llr) {
    const bool first = count == 0;
    const bool largest = first || llr > best;
    if (count < UINT32_MAX) ++count;
    sum += llr;
    best = first ? llr : std::max(best, llr);
    return largest;
  }
  double llr() const { return count == 0 ? 0 : sum / (1 + kAlike * (static_cast<double>(count) - 1)); }
};

}  // namespace orbwatch::score

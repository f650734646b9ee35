#include "evaluate/rng.h"

#include <bit>

namespace orbwatch::evaluate {

double natural_log(double x) {
  if (!(x > 0)) return -745;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  int exponent = static_cast<int>((bits >> 52) & 0x7ff) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);  // [1, 2)
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double z = (m - 1) / (m + 1);
  const double square = z * z;
  double sum = 0;
  double power = z;
  for (int k = 1; k < 30; k += 2) {
    sum += power / k;
    power *= square;
  }
  return 2 * sum + exponent * 0.6931471805599453;
}

int Rng::poisson(double mean) {
  if (mean <= 0) return 0;
  if (mean > 60) {
    // sqrt by Newton: std::sqrt is exact too, but may be replaced by an estimate under -ffast-math
    double root = mean > 1 ? mean / 2 : 1;
    for (int i = 0; i < 40; ++i) root = 0.5 * (root + mean / root);
    const double value = mean + root * bell() + 0.5;
    return value < 0 ? 0 : static_cast<int>(value);
  }
  int count = 0;
  for (double time = exponential(1); time < mean; time += exponential(1)) ++count;
  return count;
}

}  // namespace orbwatch::evaluate

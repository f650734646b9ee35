// Random numbers for simulated worlds: counter-based, so that every user, day and node has its own stream and adding
// one thing leaves all others as they were. Only IEEE basic operations are used (no libm, no std::*_distribution, no
// fused multiply-add: see CMakeLists.txt): a seed gives the same world with every compiler and library. That holds only
// if whoever draws does not leave the order of two draws to the compiler: never draw twice among the arguments of one
// call.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace orbwatch::evaluate {

// SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA 2014).
constexpr std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) { return mix(a ^ mix(b + 0x9e3779b97f4a7c15ULL)); }

// Natural logarithm of x > 0 by reduction to [1/sqrt 2, sqrt 2) and the series of artanh; error below 1e-12.
double natural_log(double x);

class Rng {
 public:
  Rng(std::uint64_t seed, std::initializer_list<std::uint64_t> stream) : key_(mix(seed + 0x6a09e667f3bcc909ULL)) {
    for (const std::uint64_t part : stream) key_ = mix(key_, part);
  }

  std::uint64_t next() { return mix(key_ + 0x9e3779b97f4a7c15ULL * ++counter_); }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }               // [0, 1)
  std::uint64_t below(std::uint64_t n) { return n < 2 ? 0 : ((next() >> 32) * n) >> 32; }  // 0 .. n - 1; n at most 2^32
  int between(int low, int high) {
    return low + static_cast<int>(below(static_cast<std::uint64_t>(std::int64_t{high} - low + 1)));
  }  // both included
  bool chance(double p) { return uniform() < p; }
  double exponential(double mean) { return -mean * natural_log(1.0 - uniform()); }
  // Mean 0, standard deviation 1, never beyond 3.5 (sum of uniforms).
  double bell() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum > 3.5 ? 3.5 : sum < -3.5 ? -3.5 : sum;
  }
  // How many events of a Poisson process fall into one unit; exact for small means, a rounded bell for large ones.
  int poisson(double mean);
  template <typename T>
  const T& pick(std::span<const T> from) {
    return from[below(from.size())];
  }
  template <typename T, std::size_t N>
  const T& pick(const std::array<T, N>& from) {
    return from[below(N)];
  }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace orbwatch::evaluate

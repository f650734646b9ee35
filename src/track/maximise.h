// The maximum of a smooth function of a few parameters: Newton's method with derivatives by central differences, damped
// (Levenberg) so that every step climbs. For log-likelihoods in parameters on a log scale, where steps of 1e-3 are
// small; not for functions with several peaks.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>

namespace orbwatch::track {

template <int N>
struct Maximum {
  Eigen::Matrix<double, N, 1> at;
  Eigen::Matrix<double, N, N> information;  // minus the second derivatives: the inverse is the covariance
  double value = 0;
  bool found = false;  // the slope is flat and the information is positive definite
};

// At most 100 steps, each of length 2 or less. A value of the function that is no number counts as too low.
template <int N, typename Function>
Maximum<N> maximise(const Function& f, const Eigen::Matrix<double, N, 1>& start) {
  using Vector = Eigen::Matrix<double, N, 1>;
  using Matrix = Eigen::Matrix<double, N, N>;
  constexpr double kStep = 1e-3;
  Maximum<N> out{start, Matrix::Identity(), f(start), false};
  if (!std::isfinite(out.value)) return out;
  double damping = 1e-3;
  for (int round = 0; round < 100; ++round) {
    Vector up, down, slope;
    for (int i = 0; i < N; ++i) {
      const Vector step = kStep * Vector::Unit(i);
      up[i] = f(out.at + step);
      down[i] = f(out.at - step);
      slope[i] = (up[i] - down[i]) / (2 * kStep);
      out.information(i, i) = (2 * out.value - up[i] - down[i]) / (kStep * kStep);
    }
    for (int i = 0; i < N; ++i) {
      for (int j = 0; j < i; ++j) {
        const Vector a = kStep * Vector::Unit(i), b = kStep * Vector::Unit(j);
        const double mixed =
            (f(out.at + a + b) - up[i] - up[j] + 2 * out.value - down[i] - down[j] + f(out.at - a - b)) /
            (2 * kStep * kStep);
        out.information(i, j) = out.information(j, i) = -mixed;
      }
    }
    if (!slope.allFinite() || !out.information.allFinite()) return out;
    const Eigen::LLT<Matrix> plain(out.information);
    if (plain.info() == Eigen::Success && slope.dot(plain.solve(slope)) < 1e-10) {
      out.found = true;
      return out;
    }
    bool climbed = false;
    for (; damping < 1e12 && !climbed; damping *= 4) {
      Matrix damped = out.information;
      damped.diagonal().array() += damping * (1 + out.information.diagonal().array().abs());
      const Eigen::LLT<Matrix> solver(damped);
      if (solver.info() != Eigen::Success) continue;
      Vector step = solver.solve(slope);
      if (step.norm() > 2) step *= 2 / step.norm();
      const double value = f(out.at + step);
      if (!(value > out.value)) continue;
      out.at += step;
      out.value = value;
      climbed = true;
    }
    if (!climbed) {
      // No step climbs: the slope that is left is the noise of the differences.
      out.found = plain.info() == Eigen::Success && slope.dot(plain.solve(slope)) < 1e-4;
      return out;
    }
    damping = std::max(damping / 64, 1e-9);
  }
  return out;
}

}  // namespace orbwatch::track

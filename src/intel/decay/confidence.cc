#include "intel/decay/confidence.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace orbwatch::intel::decay {
namespace {

bool positive(double value) { return std::isfinite(value) && value > 0; }
bool share(double value) { return value >= 0 && value <= 1; }  // false for what is no number

double days_between(core::Nanoseconds from, core::Nanoseconds to) {
  return (static_cast<double>(to) - static_cast<double>(from)) / static_cast<double>(core::kDay);
}

core::Nanoseconds earlier(core::Nanoseconds a, core::Nanoseconds b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

}  // namespace

std::string_view name(Model model) { return model == Model::kHalfLife ? "half_life" : "polynomial"; }

bool parse_model(std::string_view word, Model& out) {
  for (const Model model : {Model::kHalfLife, Model::kPolynomial}) {
    if (word != name(model)) continue;
    out = model;
    return true;
  }
  return false;
}

std::string_view name(Standing standing) {
  switch (standing) {
    case Standing::kActive: return "active";
    case Standing::kExpired: return "expired";
    case Standing::kPastValidity: return "past validity";
    case Standing::kRevoked: return "revoked";
  }
  return "";
}

core::Expected<void> check(const Parameters& parameters) {
  const auto wrong = [](std::string what, double value, std::string hint) {
    return core::fail(std::move(what) + " of an indicator's decay is out of range", std::to_string(value),
                      std::move(hint));
  };
  if (!positive(parameters.half_life_days)) return wrong("half-life", parameters.half_life_days, "days above 0");
  if (!positive(parameters.lifetime_days)) return wrong("lifetime", parameters.lifetime_days, "days above 0");
  if (!positive(parameters.speed)) return wrong("speed", parameters.speed, "a number above 0; MISP's default is 2");
  if (!share(parameters.threshold)) return wrong("threshold", parameters.threshold, "0 to 1");
  if (!std::isfinite(parameters.undated_age_days) || parameters.undated_age_days < 0) {
    return wrong("assumed age", parameters.undated_age_days, "days, 0 or more");
  }
  return {};
}

double decayed(double base, double age_days, const Parameters& parameters) {
  const double age = std::max(0.0, age_days);
  if (parameters.model == Model::kHalfLife) return base * std::exp2(-age / parameters.half_life_days);
  if (age >= parameters.lifetime_days) return 0;
  return base * (1 - std::pow(age / parameters.lifetime_days, 1 / parameters.speed));
}

double age_of(double base, double confidence, const Parameters& parameters) {
  if (!(confidence > 0) || confidence >= base) return 0;
  if (parameters.model == Model::kHalfLife) return parameters.half_life_days * std::log2(base / confidence);
  return parameters.lifetime_days * std::pow(1 - confidence / base, parameters.speed);
}

Confidence confidence_at(const History& history, const Parameters& parameters, core::Nanoseconds moment) {
  Confidence out;
  // A date of validity stands in for sightings only where there are none.
  core::Nanoseconds first = earlier(history.first_seen, history.last_seen);
  core::Nanoseconds newest = std::max(history.first_seen, history.last_seen);
  if (first == 0) first = newest = history.valid_from;
  for (const core::Nanoseconds again : {history.last_sighting, history.last_true_hit}) {
    first = earlier(first, again);
    newest = std::max(newest, again);
  }
  out.dated = first != 0;
  if (!out.dated) {
    out.age_days = parameters.undated_age_days;
  } else if (moment > newest) {
    out.age_days = days_between(newest, moment);
  } else if (moment < first) {
    out.age_days = days_between(moment, first);
  }
  if (history.revoked) {
    out.standing = Standing::kRevoked;
    return out;
  }
  if (history.valid_until != 0 && moment >= history.valid_until) {
    out.standing = Standing::kPastValidity;
    return out;
  }
  const double stated = share(history.base) ? history.base : history.base > 1 ? 1.0 : 0.0;
  const double hits = static_cast<double>(history.true_hits);
  const double base = (stated * kBaseWorth + hits) / (kBaseWorth + hits + static_cast<double>(history.false_hits));
  out.value = decayed(base, out.age_days, parameters);
  if (out.value < parameters.threshold) out.standing = Standing::kExpired;
  return out;
}

}  // namespace orbwatch::intel::decay

// How much an indicator is still to be believed at a moment: confidence by age.
//
// Two models, to be chosen by configuration:
//   half-life   c(t) = base * 2^(-t / half_life)
//   polynomial  c(t) = base * (1 - (t / lifetime)^(1 / speed)), 0 from t = lifetime on: MISP's (Mokaddem, Wagener,
//               Dulaunoy, Iklody, "Taxonomy driven indicator scoring in MISP threat intelligence platforms",
//               arXiv:1902.03914; MISP's app/Model/DecayingModelsFormulas/Polynomial.php). A speed of 1 is a straight
//               line, a larger one loses most at first, one below 1 loses most at the end. MISP counts scores to 100,
//               here they are 0..1.
//
// Age. A sighting begins it anew (MISP); so does a hit that somebody here found to be true. Between the first and the
// newest sighting the age is 0. Before the first sighting it counts backwards: logs are hunted after a list came out,
// and a node was in use before somebody noticed it. (MISP gives 0 there.) An entry without any date gets an assumed
// age: lists keep what nobody took out.
//
// Verdicts. The stated base counts as kBaseWorth verdicts: base' = (base * kBaseWorth + true) / (kBaseWorth + true +
// false), the mean of a beta distribution. One false hit lowers a base of 0.8 to 0.64, ten to 0.23.
//
// Pure functions: no clock, no state, any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "core/time.h"

namespace orbwatch::intel::decay {

enum class Model : std::uint8_t { kHalfLife, kPolynomial };
std::string_view name(Model model);  // "half_life", "polynomial": the words of the configuration
bool parse_model(std::string_view word, Model& out);

// The defaults of the polynomial are those of MISP's NIDS model (misp-decaying-models, nids-simple-model.json).
struct Parameters {
  Model model = Model::kHalfLife;
  double half_life_days = 31;    // > 0
  double lifetime_days = 120;    // > 0
  double speed = 2;              // > 0
  double threshold = 0.3;        // 0..1: below it the indicator has expired
  double undated_age_days = 31;  // >= 0: the age of an entry without dates
};
// An error names the first value that is out of range or no number.
core::Expected<void> check(const Parameters& parameters);

// What is known of one indicator. Moments: 0 = not stated.
struct History {
  double base = 0.5;  // confidence that was stated, 0..1; others are cut to that
  core::Nanoseconds first_seen = 0;
  core::Nanoseconds last_seen = 0;
  core::Nanoseconds valid_from = 0;   // STIX 2.1: many producers put the moment of writing here; a date of last resort
  core::Nanoseconds valid_until = 0;  // STIX 2.1: exclusive; believed nothing from then on
  core::Nanoseconds last_sighting = 0;  // the newest further sighting: by another feed, a partner
  core::Nanoseconds last_true_hit = 0;  // the newest hit here that was found to be true
  std::uint32_t true_hits = 0;          // verdicts here
  std::uint32_t false_hits = 0;
  bool revoked = false;  // its producer says that it was wrong: believed nothing at any moment
};
constexpr double kBaseWorth = 4;

enum class Standing : std::uint8_t { kActive, kExpired, kPastValidity, kRevoked };
std::string_view name(Standing standing);  // "active", "expired", "past validity", "revoked"

struct Confidence {
  double value = 0;  // 0..1; kExpired keeps its small value, kPastValidity and kRevoked have 0
  Standing standing = Standing::kActive;
  double age_days = 0;  // >= 0
  bool dated = true;    // false: the age is assumed
};
// `parameters` as check() accepts them. Falls with age, with false hits; rises with base, with true hits.
Confidence confidence_at(const History& history, const Parameters& parameters, core::Nanoseconds moment);

// c(age) for one base; age in days, below 0 counts as 0. 0..base.
double decayed(double base, double age_days, const Parameters& parameters);
// The age at which a base has fallen to `confidence` (0 < confidence <= base), in days.
double age_of(double base, double confidence, const Parameters& parameters);

}  // namespace orbwatch::intel::decay

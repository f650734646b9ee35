#include "score/half_lives.h"

#include <fmt/format.h>

#include "score/json_object.h"

namespace orbwatch::score {
namespace {

std::string number(double value) { return detail::trimmed(fmt::format("{:.2f}", std::isfinite(value) ? value : 0)); }

}  // namespace

std::string to_json(const NodeHalfLife& h) {
  std::string out;
  detail::Object o(out);
  o.text("network_type", core::name(h.type));
  o.key("prior_days") += number(h.prior_days);
  o.text("prior_source", h.prior_source);
  o.key("lives") += std::to_string(h.lives);
  o.key("deaths") += std::to_string(h.deaths);
  if (h.learned_days) {
    detail::Object l(o.key("learned_days"));
    l.key("value") += number(h.learned_days->value);
    l.key("low") += number(h.learned_days->low);
    l.key("high") += number(h.learned_days->high);
    l.close();
    o.key("cut") += h.cut ? "true" : "false";
  }
  o.key("days") += number(h.days);
  o.key("threshold") += number(h.threshold);
  o.key("falls_below_days") += number(h.falls_below_days);
  o.close();
  return out;
}

}  // namespace orbwatch::score

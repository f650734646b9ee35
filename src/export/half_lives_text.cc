#include "export/half_lives_text.h"

#include <fmt/format.h>

namespace orbwatch::exporting {

std::string half_lives_text(std::span<const score::NodeHalfLife> half_lives) {
  std::string out = fmt::format("{:<22} {:>7} {:>22} {:>6} {:>6} {:>8} {:>7}\n", "network", "prior", "learned", "lives",
                                "deaths", "in use", "below");
  bool cut = false, learned = false;
  double threshold = 0;
  for (const score::NodeHalfLife& h : half_lives) {
    std::string range = "-";
    if (h.learned_days) {
      range = fmt::format("{:.1f} d ({:.1f} to {:.1f}){}", h.learned_days->value, h.learned_days->low,
                          h.learned_days->high, h.cut ? "*" : "");
    }
    out += fmt::format("{:<22} {:>5.1f} d {:>22} {:>6} {:>6} {:>6.1f} d {:>5.1f} d\n", core::label(h.type),
                       h.prior_days, range, h.lives, h.deaths, h.days, h.falls_below_days);
    cut |= h.cut;
    learned |= h.learned_days.has_value();
    threshold = h.threshold;
  }
  out += fmt::format(
      "\nHalf-lives of addresses as nodes of covert networks, in days, with intervals of 90 %. Below: the age at which "
      "an address\nof a feed that states no confidence is believed less than {:.0f} %.\n",
      100 * threshold);
  if (!learned) out += "Too few nodes were seen to die here: the priors are in use.\n";
  if (cut) out += "* At the edge of what is believed: what was observed lies beyond it.\n";
  return out;
}

}  // namespace orbwatch::exporting

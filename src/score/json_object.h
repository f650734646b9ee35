// How this room writes JSON: one object, member by member. For findings and networks.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"

namespace orbwatch::score::detail {

// Writes the members of one object; a member that is unknown (empty, zero) is left out.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }

  std::string& key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    core::append_json_string(out_, name);
    out_ += ':';
    return out_;
  }
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) core::append_json_string(key(name), value);
  }
  void count(std::string_view name, std::uint64_t value) {
    if (value != 0) fmt::format_to(std::back_inserter(key(name)), "{}", value);
  }
  void texts(std::string_view name, const std::vector<std::string>& values, std::size_t most) {
    if (values.empty()) return;
    list(name, values, most, [](std::string& out, const std::string& value) { core::append_json_string(out, value); });
  }
  template <typename T, typename Write>
  void list(std::string_view name, const std::vector<T>& values, std::size_t most, Write write) {
    if (values.empty()) return;
    key(name) += '[';
    for (std::size_t i = 0; i < std::min(values.size(), most); ++i) {
      if (i > 0) out_ += ',';
      write(out_, values[i]);
    }
    out_ += ']';
  }

 private:
  std::string& out_;
  bool first_ = true;
};

inline std::string trimmed(std::string digits) {
  if (digits.find('.') != std::string::npos) {
    while (digits.back() == '0') digits.pop_back();
    if (digits.back() == '.') digits.pop_back();
  }
  return digits == "-0" ? "0" : digits;
}

// Four decimals; more where they would say "certain" or "impossible" of what is neither (two digits of the rest, at
// most nine).
inline std::string probability(double p) {
  if (!std::isfinite(p)) return "0";
  p = std::clamp(p, 0.0, 1.0);
  const double rest = std::min(p, 1 - p);
  int decimals = 4;
  if (rest > 0) decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(rest))) + 1, 4, 9);
  return trimmed(fmt::format("{:.{}f}", p, decimals));
}

}  // namespace orbwatch::score::detail

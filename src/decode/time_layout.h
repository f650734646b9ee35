// How a user's own format writes its times.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace orbwatch::decode {

class TimeLayout {
 public:
  TimeLayout() = default;
  // "iso8601", "epoch", "bsd", or a pattern of absl::ParseTime (with at least one "%"); nullopt for anything else.
  static std::optional<TimeLayout> make(std::string_view format);

  // The moment; 0 if the text is no such time. A pattern must cover all of it, the three named formats its beginning.
  // What the text leaves out (zone, year) is taken from `times`.
  core::Nanoseconds read(std::string_view text, const core::TimeReader& times) const;

 private:
  enum class Kind : unsigned char { kIso8601, kEpoch, kBsd, kPattern };
  Kind kind_ = Kind::kIso8601;
  std::string pattern_;
  bool has_year_ = false;
  bool has_zone_ = false;
};

}  // namespace orbwatch::decode

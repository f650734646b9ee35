// What of MISP is no list of indicators: the manifest of a feed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace orbwatch::intel {

// One event that a feed offers.
struct MispManifestEntry {
  std::string uuid;  // its file is UUID.json; lower-case hex and "-", nothing else
  core::Nanoseconds timestamp = 0;
  std::string info;  // printable, cut
};

// manifest.json of a MISP feed: {"UUID": {"info": "...", "timestamp": "1538071642", ...}, ...}, in order of uuid. An
// error if the document is anything else, or if a uuid or a time is none: what is fetched is chosen by it.
core::Expected<std::vector<MispManifestEntry>> read_misp_manifest(std::string_view bytes);

inline constexpr std::size_t kMostMispEvents = 1'000'000;

}  // namespace orbwatch::intel

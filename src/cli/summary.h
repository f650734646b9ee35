// The accounting of a hunt as one JSON object, for `hunt --summary`. Its members: docs/cli.md.
#pragma once

#include <string>
#include <string_view>

#include "score/report.h"

namespace orbwatch::cli {

// "read" (to its end), "partly" (up to an error), "empty", "unknown-format" or "unreadable".
std::string_view fate(const score::InputReport& input);

// Ends with a newline. Members that are maps are sorted, so that equal hunts give equal bytes.
std::string summary_json(const score::HuntResult& result);

}  // namespace orbwatch::cli

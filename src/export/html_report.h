// The report as one self-contained HTML page: pictures, findings with their evidence, accounting. Works from a file
// without a network; light and dark; prints.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "score/report.h"

namespace orbwatch::exporting {

struct HtmlOptions {
  std::size_t most_findings = 5000;  // the best; the page says how many are left out
  std::size_t most_records = 5;      // raw records with each finding
};

// The data are embedded as a JSON block in which "<", ">", "&" and the line separators U+2028 and U+2029 are escaped,
// so that no text of a log can end the block. The page's content security policy allows its own script and style by
// hash and nothing else.
std::string html_report(const score::HuntResult& result, const HtmlOptions& options);

// `json` as it may stand inside a script element.
std::string script_safe(std::string_view json);

// "sha256-<base64>" of `text`, as a content security policy names a script.
std::string csp_hash(std::string_view text);

}  // namespace orbwatch::exporting

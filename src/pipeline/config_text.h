// Configurations as text: the one with every key, and what a file comes to once the defaults are filled in.
#pragma once

#include <string>
#include <string_view>

#include "pipeline/config.h"

namespace orbwatch::pipeline {

// packaging/orbwatch.yaml: every key that parse_config() knows, with its default and what it means. Optional keys stand
// behind "#", without a space between; comments have one.
std::string_view default_config();

// The configuration with every default in place, in the shape of the file: each map has all the keys that its type
// takes. Left out is what has no value unless it is given (a name of a network, `format` of a collector, ...).
// Secrets are replaced by kRedacted: hashes of tokens; of the addresses of webhooks and proxies everything behind the
// host, and the whole address is then written so that parse_config() refuses it; in any text the user and password of
// an address. A text in which nothing was replaced is accepted by parse_config() and comes to the same text again.
constexpr std::string_view kRedacted = "(redacted)";
std::string to_yaml(const Config& config);
// The same tree as one JSON object.
std::string to_json(const Config& config);

}  // namespace orbwatch::pipeline

// Reads one profile out of YAML, strictly: what is not of the schema is an error with its line, never ignored.
//
// The text may be hostile. It is walked once as events before a tree is made of it, so that depth and number of nodes
// are bounded; anchors, aliases, tags and a second document are refused.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/error.h"
#include "intel/profiles/profile.h"

namespace orbwatch::intel::profiles {

constexpr std::size_t kLongestProfile = 64 << 10;  // bytes of YAML
constexpr std::size_t kMostNodes = 8'000;          // values and keys of a file
constexpr int kDeepest = 6;                        // lists and maps inside each other; the schema needs 4
constexpr std::size_t kLongestText = 400;          // bytes of one value
constexpr std::size_t kMostItems = 200;            // of one list

// A pure function of the text; thread-safe. `file` names it in messages. Errors are "FILE:LINE: ..." and begin behind
// that with their kind: "not YAML", "too long", "too deep", "too many values", "anchor or alias", "unknown key",
// "key stands twice", "wrong type", "missing key", "missing source", "unknown source", "unused source", "bad port",
// "bad date", "bad ATT&CK id", "bad value".
core::Expected<Profile> read_profile(std::string_view yaml, std::string_view file);

}  // namespace orbwatch::intel::profiles

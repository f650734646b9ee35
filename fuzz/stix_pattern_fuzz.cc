// Fuzz target of the parser of STIX patterns (intel/feed/stix_pattern.h). Beside crashes and hangs, each run checks
// that a pattern with white space around it and in brackets means the same, and that one with FOLLOWEDBY, AND or
// REPEATS behind it never gives a value.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "intel/feed/stix_pattern.h"

namespace {

using namespace orbwatch::intel;

[[noreturn]] void broken(const char* promise) {
  std::fprintf(stderr, "%s\n", promise);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto pattern = read_stix_pattern(text, {});
  if (!pattern) return 0;
  if (pattern->values.empty() && pattern->refused.empty()) broken("a pattern without any alternative");
  if (pattern->values.size() + pattern->refused.size() > kMostPatternAlternatives) broken("too many alternatives");
  for (const FeedValue& value : pattern->values) {
    if (value.value.empty() || value.value.size() > kLongestValue) broken("a value out of its bounds");
  }
  for (const ValueVerdict& refused : pattern->refused) {
    if (refused.reason.empty() || refused.fate == ValueFate::kItem) broken("refused without a name");
  }
  const auto same = read_stix_pattern(" ( " + text + "\n) ", {});
  if (same && (same->values.size() != pattern->values.size() || same->refused.size() != pattern->refused.size()))
    broken("brackets change the meaning");
  for (const std::string_view more :
       {" FOLLOWEDBY [ipv4-addr:value = '192.0.2.1']", " AND [ipv4-addr:value = '192.0.2.1']", " REPEATS 2 TIMES"}) {
    const auto refused = read_stix_pattern("(" + text + ")" + std::string(more), {});
    if (refused && !refused->values.empty()) broken("a restriction is dropped");
  }
  return 0;
}

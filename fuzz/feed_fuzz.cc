// Fuzz target of the readers of threat feeds (intel/feed/): the first byte chooses the reader, the second the settings.
// Beside crashes and hangs, each run checks their promises:
//  - each record is used, ignored or rejected, and as many items are given as counted;
//  - an item holds what its kind says, in its bounds, and its label is printable;
//  - the same document gives the same items and counts.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/text.h"
#include "intel/feed/all.h"
#include "intel/feed/misp.h"

namespace {

using namespace orbwatch::intel;
using orbwatch::core::printable;

[[noreturn]] void broken(const char* promise) {
  std::fprintf(stderr, "%s\n", promise);
  std::abort();
}

class Check final : public FeedSink {
 public:
  void take(const FeedItem& item) override {
    ++items;
    digest = digest * 1099511628211U + std::hash<std::string_view>()(item.value) + item.port + item.record;
    if (item.value.empty() || item.value.size() > kLongestValue) broken("a value out of its bounds");
    if (item.id.size() > kLongestId || item.tags.size() > kMostTags) broken("an id or tags out of their bounds");
    if (item.label.size() > kLongestLabel || printable(item.label, kLongestLabel) != item.label)
      broken("a label that is not printable");
    for (const std::string_view tag : item.tags) {
      if (tag.empty() || tag.size() > kLongestTag) broken("a tag out of its bounds");
    }
    if (item.kind == FeedKind::kPrefix && !item.known_good && item.prefix.bits == 0) broken("a prefix of everything");
    if (item.kind == FeedKind::kAutonomousSystem && item.autonomous_system == 0) broken("no autonomous system");
    if (item.kind == FeedKind::kUrl && item.host.empty() && !item.prefix.base.present()) broken("a URL without host");
    if (item.confidence > 100 && item.confidence != kConfidenceNotSaid) broken("a confidence out of its bounds");
    for (const auto time : {item.valid_from, item.valid_until, item.first_seen, item.last_seen, item.modified}) {
      if (time < 0) broken("a time before 1970");
    }
    if (item.first_seen != 0 && item.last_seen != 0 && item.last_seen < item.first_seen) broken("seen backwards");
  }
  std::uint64_t items = 0;
  std::uint64_t digest = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto readers = feed_readers();
  const std::size_t which = data[0] % (readers.size() + 1);
  FeedSettings settings;
  const std::uint8_t choice = data[1];
  // A copy of its own, so that reading beyond the end is seen.
  const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (which == readers.size()) {
    [[maybe_unused]] const auto manifest = read_misp_manifest(bytes);
    (void)recognise_feed(bytes, "feed");
    return 0;
  }
  if ((choice & 1) != 0) settings.kind = "domain";
  if ((choice & 2) != 0) settings.known_good = true;
  if ((choice & 4) != 0) settings.mapping.value = "#1";
  if ((choice & 8) != 0) settings.mapping.tags = "#2";
  if ((choice & 16) != 0) settings.skip = 1;
  if ((choice & 32) != 0) settings.label = "label";
  if ((choice & 64) != 0) settings.delimiter = ';';
  const FeedReader& reader = *readers[which];
  Check sink;
  const auto counts = reader.read(bytes, settings, sink);
  Check second;
  const auto again = reader.read(bytes, settings, second);
  if (counts.has_value() != again.has_value() || sink.digest != second.digest)
    broken("the same document gives another result");
  if (!counts) return 0;
  if (counts->records != counts->used + counts->ignored_total() + counts->rejected_total())
    broken("records do not add up");
  if (counts->items != sink.items || counts->items < counts->used) broken("items do not add up");
  if (counts->ignored.size() > kMostFeedReasons + 1 || counts->rejected.size() > kMostFeedReasons + 1 ||
      counts->first_rejected.size() > kMostFeedRejectionsShown)
    broken("too many reasons");
  return 0;
}

// Looking back: were indicators that a feed names now seen before it named them? Compares what feeds state with the
// events of a store file; one pass over the distinct addresses and fingerprints of the file, then the details of the
// hits alone. Writes nothing but its own mark.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/ip.h"
#include "core/network_facts.h"
#include "core/time.h"
#include "intel/feed_store/feed_source.h"
#include "store/sightings.h"

namespace orbwatch::pipeline {

struct SeenIndicator {
  store::Sighting seen;
  std::string indicator;  // the address, prefix or fingerprint that the feed names
  std::string feed;
  std::string label;
  std::uint16_t port = 0;        // that the feed names; events are compared without it. 0 = any
  core::Nanoseconds listed = 0;  // when the feed was first read with it
  // The feed's own date (first seen, else valid from), else `listed`.
  core::Nanoseconds dated = 0;
  // From the first event here to `dated`; above 0: it was seen before the feed knew. Days.
  double days_before_feed = 0;
  double confidence = 0;   // 0..1, the most at the first or the last event
  std::string known_good;  // a feed that calls it harmless; "" = none
};

struct FeedSearch {
  std::vector<SeenIndicator> seen;   // those that were seen first before
  std::uint64_t indicators = 0;      // that were compared
  std::uint64_t not_comparable = 0;  // of kinds that no stored event has: names, URLs by name, AS numbers and others
  std::uint64_t subjects = 0;        // distinct addresses, fingerprints, certificates and banners of the file
  std::uint64_t not_believed = 0;    // seen, but revoked or past its validity at both ends
  std::uint64_t left_out = 0;        // seen, beyond kMostSeen
  core::Nanoseconds newest = 0;      // update of the feeds that was searched: `since` for the next time
};
constexpr std::size_t kMostSeen = 100'000;

struct FeedSearchRequest {
  std::vector<intel::FeedSource> sources;
  std::string folder;
  std::string store;
  core::Nanoseconds since = 0;  // only what came up after this moment; 0 = all that is listed
  std::function<core::NetworkType(const core::Ip&)> type_of;  // empty: unknown
};
// Errors: no table of feeds yet, a damaged file, the store cannot be read.
core::Expected<FeedSearch> search_store(const FeedSearchRequest& request);

// Up to which update of the feeds a store was searched; 0: never. A mark that cannot be read counts as none: all is
// searched again.
core::Nanoseconds searched_until(const std::string& folder, const std::string& store);
core::Expected<void> note_search(const std::string& folder, const std::string& store, core::Nanoseconds newest);

}  // namespace orbwatch::pipeline

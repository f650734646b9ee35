// Reads a MISP feed: a folder of a web server, or of this computer, with a manifest and one file an event, as MISP's
// feed generator writes it (https://www.misp-project.org/feeds/, MISP core format draft-17). manifest.json names each
// event's uuid with timestamp, info and organisation; UUID.json is the event. hashes.csv is not read.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "intel/fetch/fetch.h"

namespace orbwatch::intel {

struct MispLimits {
  std::uint64_t most_manifest_bytes = 64ULL << 20;
  std::size_t most_listed = 200'000;  // events in the manifest
  std::size_t most_events = 20'000;   // fetched by one reading; what is left comes next time
  std::uint64_t most_event_bytes = 32ULL << 20;
  std::uint64_t most_bytes = 1ULL << 30;  // of all events of one reading; then the same
  std::size_t most_troubles_in_row = 20;  // missing or too large: then the feed is given up
  std::chrono::seconds most_time{3'600};  // then the rest is left for the next reading
};

struct MispFeedSettings {
  std::string url;  // the folder or its manifest.json
  MispLimits limits;
};

// What is had of the feed: each event's timestamp (seconds since 1970) by its uuid. It is a list and not one moment,
// because an event's timestamp is that of its last change and not of its publication: old events are published late.
class MispCursor {
 public:
  std::map<std::string, std::int64_t, std::less<>> events;  // uuids in lower case

  // One line an event, "UUID SECONDS", in the order of the uuids.
  std::string text() const;
  // An error if a line is damaged or there are more than 1,000,000.
  static core::Expected<MispCursor> parse(std::string_view text);
};

struct MispListing {  // what the manifest says of an event
  std::string uuid;   // lower case
  std::int64_t timestamp = 0;
  std::string info;          // at most 200 bytes
  std::string organisation;  // at most 200 bytes
};

struct MispReading {
  MispCursor cursor;  // for next time; events that are no longer listed are not in it
  std::uint64_t listed = 0;
  std::uint64_t taken = 0;
  std::uint64_t known = 0;            // not newer than the cursor's
  std::uint64_t invalid = 0;          // entries of the manifest whose uuid or timestamp is none
  std::uint64_t missing = 0;          // named but not there; asked for again next time
  std::uint64_t too_large = 0;        // likewise
  std::uint64_t left = 0;             // over the limits of one reading
  std::uint64_t withdrawn = 0;        // in the cursor given, no longer in the manifest
  std::uint64_t bytes = 0;            // of the events taken
  std::vector<std::string> troubles;  // the first 20 that are invalid, missing or too large, by name; printable
  std::vector<std::string> gone;      // uuids of the withdrawn
};

// Takes one event, as it came. An error ends the reading with that error.
using MispSink = std::function<core::Expected<void>(const MispListing& event, std::string_view json)>;

// Newest events first. The sink has all of it only when this returns without an error: after an error what it took must
// be thrown away, and the cursor stays.
core::Expected<MispReading> read_misp_feed(Fetcher& fetcher, const MispFeedSettings& settings, const MispCursor& cursor,
                                           const MispSink& sink, const std::stop_token& stop = {});

}  // namespace orbwatch::intel

// Threat feeds kept up to date: each is fetched, read, and taken or refused by itself; then the table is made anew.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "intel/feed_store/feed_store.h"
#include "intel/feed_table.h"

namespace orbwatch::pipeline {

struct FeedOutcome {
  std::string name;
  std::optional<intel::FeedUpdate> update;  // none: it was refused, or nothing is new
  bool unchanged = false;                   // the source says that nothing is new
  std::string error;                        // why it was refused; the feed stays as it was
};

struct FeedsUpdate {
  std::vector<FeedOutcome> feeds;  // in the order of the sources
  intel::FeedStore::Compiled table;
  bool all_good() const;
};

struct FetchedFeed {
  bool not_modified = false;
  std::string document;  // of TAXII and MISP empty: see `parts`
  intel::Validators validators;
  intel::FeedParts parts;  // of TAXII and MISP
};
// From a file, a server, a TAXII collection or a MISP feed. `known`: what is had of it (intel::FeedStore::known); of a
// collection and a MISP feed only what is new is then read. An error: nothing of it is to be used, `known` still holds.
core::Expected<FetchedFeed> fetch_feed(const intel::FeedSource& source, const intel::FeedKnown& known = {});

struct FeedsRequest {
  std::vector<intel::FeedSource> sources;  // all that make the table
  std::vector<std::string> only;           // names of those to fetch; empty: all
  std::string folder;
  core::Nanoseconds now = 0;
  bool accept = false;                           // take documents that would not be believed (intel::FeedStore::take)
  bool whole = false;                            // read all of each feed, whatever is had of it
  std::function<void(const FeedOutcome&)> done;  // after each; may be empty
};
// Errors: no such name, the folder cannot be written, the table cannot be made. What a single feed does wrong is told
// in its outcome and leaves the others alone.
// A TAXII server does not say what it removed without revoking it: a collection is read whole again after so long.
constexpr core::Nanoseconds kWholeAfter = 7 * core::kDay;
core::Expected<FeedsUpdate> update_feeds(const FeedsRequest& request);

// The table of a folder with the half-lives that the sources state. Null: there is none yet.
core::Expected<std::unique_ptr<const intel::FeedTable>> open_feeds(const std::string& folder,
                                                                   std::span<const intel::FeedSource> sources);

// Everything that the table says under a value: an address and the prefixes that hold it, a name and those above it, a
// fingerprint of any kind, an AS number ("AS64496").
std::vector<std::uint32_t> entries_of(const intel::IndicatorTable& table, const std::string& value);

}  // namespace orbwatch::pipeline

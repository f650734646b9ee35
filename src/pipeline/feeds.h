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
  std::string document;  // of TAXII and MISP all objects and events, joined
  intel::Validators validators;
};
// From a file, a server, a TAXII collection or a MISP feed; `known`: see intel::FeedStore::known. Collections and MISP
// feeds are read whole each time.
core::Expected<FetchedFeed> fetch_feed(const intel::FeedSource& source, const intel::Validators& known = {});

struct FeedsRequest {
  std::vector<intel::FeedSource> sources;  // all that make the table
  std::vector<std::string> only;           // names of those to fetch; empty: all
  std::string folder;
  core::Nanoseconds now = 0;
  bool accept = false;                           // take documents that would not be believed (intel::FeedStore::take)
  std::function<void(const FeedOutcome&)> done;  // after each; may be empty
};
// Errors: no such name, the folder cannot be written, the table cannot be made. What a single feed does wrong is told
// in its outcome and leaves the others alone.
core::Expected<FeedsUpdate> update_feeds(const FeedsRequest& request);

// The table of a folder with the half-lives that the sources state. Null: there is none yet.
core::Expected<std::unique_ptr<const intel::FeedTable>> open_feeds(const std::string& folder,
                                                                   std::span<const intel::FeedSource> sources);

}  // namespace orbwatch::pipeline

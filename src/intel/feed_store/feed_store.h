// Threat feeds as they are kept on disk: what each feed states, since when, and the table that is looked up.
//
// A folder holds one file a feed, `<name>.feed`, its last try, `<name>.try`, and `indicators.table` (table/), made of
// all of them. A document is taken whole or not at all: what is broken, or hard to believe, changes nothing. What a
// feed no longer lists is remembered for kKeptFor, since logs are older than lists; its age takes its weight (decay/).
//
// One process writes a folder at a time, by a lock on it; readers need none, for files are replaced whole.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "intel/feed/reader.h"
#include "intel/feed_store/feed_source.h"
#include "intel/fetch/fetch.h"
#include "intel/table/indicator_table.h"
#include "intel/table/indicator_table_writer.h"

namespace orbwatch::intel {

struct FeedFile;
struct FeedStatement;

// An object of a STIX collection, or an event of a MISP feed, as it came.
struct FeedPart {
  std::string id;            // of the object, or the event's uuid
  std::int64_t version = 0;  // of an object `modified` (ns), of an event the manifest's timestamp (s)
  std::string json;          // whole and sound
};

// What came of a collection or of a MISP feed: all of it, or what changed since the last reading.
struct FeedParts {
  bool whole = true;
  std::vector<FeedPart> parts;
  std::vector<std::string> gone;  // ids of what is no longer offered
  std::string added_after;        // of TAXII: for the next reading
  std::string collection;         // of TAXII: address
  bool nothing_new() const { return !whole && parts.empty() && gone.empty(); }
};

// The parts as one document, which the reader of the protocol's format understands. A part that comes twice stands
// there with its newest version.
std::string joined(FeedProtocol protocol, std::span<const FeedPart> parts);

// What is had of a feed, for a request of what is new. All is empty where it would be read in another way now.
struct FeedKnown {
  Validators validators;                                   // of a document
  std::string added_after, collection;                     // of TAXII
  std::map<std::string, std::int64_t, std::less<>> parts;  // of MISP: timestamps by uuid
  core::Nanoseconds whole = 0;                             // when all of it was read; 0: never
};

struct FeedUpdate {
  std::string format;
  FeedCounts counts;
  std::uint64_t listed = 0;      // statements of the document, those of one key folded
  std::uint64_t added = 0;       // not listed before
  std::uint64_t removed = 0;     // listed before
  std::uint64_t remembered = 0;  // no longer listed
  std::uint64_t forgotten = 0;   // removed longer ago than kKeptFor
  bool only_new = false;         // of a collection or a MISP feed: only what changed was fetched
  std::uint64_t parts = 0;       // objects or events that were fetched
};

struct FeedState {
  std::string name;
  std::string format;
  core::Nanoseconds first = 0;    // first document taken; 0: none yet
  core::Nanoseconds updated = 0;  // newest document taken
  core::Nanoseconds tried = 0;    // newest attempt
  std::string error;              // of that attempt; empty: it went well
  std::uint64_t listed = 0;
  std::uint64_t remembered = 0;
  std::uint64_t records = 0, used = 0, ignored = 0, rejected = 0;  // of the newest document
};

class FeedStore {
 public:
  static constexpr core::Nanoseconds kKeptFor = 180 * core::kDay;
  static constexpr std::string_view kTable = "indicators.table";

  // Makes the folder if it is not there, and locks it. Errors: no folder can be made there, another process writes it.
  static core::Expected<FeedStore> open(const std::string& folder);
  FeedStore(FeedStore&& other) noexcept;
  FeedStore& operator=(FeedStore&&) = delete;
  ~FeedStore();

  // Reads the document and, if it is good, remembers what it states. Not believed, unless `accept`: one without any
  // statement, one of which more than half of the records are rejected, one that lost more than most_shrinkage of (at
  // least kFewStatements) statements, one whose prefixes hold more than most_addresses.
  static constexpr std::uint64_t kFewStatements = 20;
  core::Expected<FeedUpdate> take(const FeedSource& source, std::string_view document, core::Nanoseconds now,
                                  bool accept = false, const Validators& validators = {});
  // Likewise for a collection or a MISP feed. What is new is put to what is had: of a part the newest version counts,
  // what is gone is no longer listed; then all of it is believed, or not, as one document. An update by what is new
  // gives what reading the whole would give.
  core::Expected<FeedUpdate> take_parts(const FeedSource& source, FeedParts parts, core::Nanoseconds now,
                                        bool accept = false);
  core::Expected<FeedKnown> known(const FeedSource& source) const;
  // An attempt to update ended so; empty: well. Told by states().
  void note_try(const FeedSource& source, core::Nanoseconds now, std::string_view error) const;

  struct Compiled {
    IndicatorTableCounts counts;
    std::uint64_t bytes = 0;
    std::uint64_t not_looked_up = 0;  // statements of a kind that nothing is compared with yet
  };
  // Makes the table of all of these feeds that have one document at least.
  core::Expected<Compiled> compile(std::span<const FeedSource> sources, core::Nanoseconds now) const;

  const std::string& folder() const { return folder_; }

 private:
  explicit FeedStore(std::string folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
  core::Expected<FeedUpdate> take_document(const FeedSource& source, std::string_view document, core::Nanoseconds now,
                                           bool accept, FeedFile&& before, FeedFile&& after);
  std::string folder_;
  int lock_ = -1;
};

// What stands for the key of the table (IndicatorKey) under which compile() puts a statement; "": nothing is compared
// with it.
std::string table_key(const FeedStatement& statement);
std::string table_key(const IndicatorKey& key);

// Of each of them, for `feeds list`; takes no lock. Errors: a file of the folder that is damaged.
core::Expected<std::vector<FeedState>> feed_states(const std::string& folder, std::span<const FeedSource> sources);

// Reads a document and forgets it: the format that was found, and its counts.
core::Expected<std::pair<std::string, FeedCounts>> check_feed(std::string_view document, std::string_view file_name,
                                                              const FeedSource& source);

}  // namespace orbwatch::intel

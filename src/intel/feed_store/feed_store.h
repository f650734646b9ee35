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
#include "intel/fetch/fetch.h"
#include "intel/table/indicator_table_writer.h"

namespace orbwatch::intel {

// What stands at a feed's address: the document itself, or a server or folder that has many.
enum class FeedProtocol : std::uint8_t { kDocument, kTaxii, kMisp };
std::string_view name(FeedProtocol protocol);  // "document", "taxii", "misp": the words of the configuration
bool parse_feed_protocol(std::string_view word, FeedProtocol& out);

// What the user says of a feed.
struct FeedSource {
  std::string name;             // is_feed_name()
  std::string from;             // a path or a URL
  std::string format = "auto";  // of a FeedReader
  FeedSettings settings;
  FeedProtocol protocol = FeedProtocol::kDocument;
  std::string collection;     // of TAXII: id, alias or title
  std::string api_root;       // of TAXII; empty: the default one first
  FetchSettings fetch;        // how a server is spoken to
  double half_life_days = 0;  // 0: by kind of indicator and of network (decay/half_life.h)
  // Beyond these a document is not believed, see take().
  std::uint64_t most_addresses = std::uint64_t{1} << 24;  // IPv4, as many as a /8
  double most_shrinkage = 0.5;                            // 0..1: share of the statements that may go at once
};

// Letters, digits, '-' and '_', at most 64: it is the name of a file, and stands in findings.
bool is_feed_name(std::string_view name);

struct FeedUpdate {
  std::string format;
  FeedCounts counts;
  std::uint64_t listed = 0;      // statements of the document, those of one key folded
  std::uint64_t added = 0;       // not listed before
  std::uint64_t removed = 0;     // listed before
  std::uint64_t remembered = 0;  // no longer listed
  std::uint64_t forgotten = 0;   // removed longer ago than kKeptFor
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
  // Those of the newest document taken, for a conditional request. Empty if there is none, or if it would be read in
  // another way now.
  core::Expected<Validators> known(const FeedSource& source) const;
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
  std::string folder_;
  int lock_ = -1;
};

// Of each of them, for `feeds list`; takes no lock. Errors: a file of the folder that is damaged.
core::Expected<std::vector<FeedState>> feed_states(const std::string& folder, std::span<const FeedSource> sources);

// Reads a document and forgets it: the format that was found, and its counts.
core::Expected<std::pair<std::string, FeedCounts>> check_feed(std::string_view document, std::string_view file_name,
                                                              const FeedSource& source);

}  // namespace orbwatch::intel

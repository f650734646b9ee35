// What is kept of one feed, `<name>.feed` in the folder of feeds: what it states and stated, since when, and of a
// collection or a MISP feed the objects and events that it is made of, so that only new ones need be fetched.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/ip.h"
#include "core/time.h"
#include "intel/feed/item.h"
#include "intel/fetch/fetch.h"

namespace orbwatch::intel {

// One statement: FeedItem, with its texts. Moments are nanoseconds since 1970, 0 = not said.
struct FeedStatement {
  FeedKind kind = FeedKind::kPrefix;
  core::Prefix prefix;
  bool has_prefix = false;
  std::uint32_t autonomous_system = 0;
  std::string value, host, label, id;
  std::uint16_t port = 0;
  std::uint8_t confidence = kConfidenceNotSaid;
  bool revoked = false, detect = true, known_good = false;
  core::Nanoseconds valid_from = 0, valid_until = 0, first_seen = 0, last_seen = 0, modified = 0;
  std::uint32_t sightings = 0, false_positives = 0;
  core::Nanoseconds listed_from = 0;   // of the newest time that it was listed
  core::Nanoseconds listed_until = 0;  // 0: it is listed

  bool listed() const { return listed_until == 0; }
  // What makes two statements of a feed the same.
  std::string key() const;
};

// An object of a STIX collection or an event of a MISP feed.
struct StoredPart {
  std::int64_t version = 0;  // of an object `modified`, ns; of an event the manifest's timestamp, s
  std::string json;
};

struct FeedFile {
  std::string format;
  core::Nanoseconds first = 0;    // first document taken; 0: none yet
  core::Nanoseconds updated = 0;  // newest document taken
  std::uint64_t records = 0, used = 0, ignored = 0, rejected = 0;
  std::uint64_t read_as = 0;  // hash of the settings by which it was read
  Validators validators;
  std::vector<FeedStatement> statements;
  // Since layout 2; of a document empty.
  std::string added_after;                               // of TAXII: what was added later is new
  std::string collection;                                // of TAXII: address of the collection
  core::Nanoseconds whole = 0;                           // when all of it was read
  std::map<std::string, StoredPart, std::less<>> parts;  // by id or uuid
};

// Nothing was taken yet: an empty one. Errors: damaged, or of a newer version.
core::Expected<FeedFile> load_feed_file(const std::string& folder, std::string_view name);
// The old file or the new one, whatever happens.
core::Expected<void> save_feed_file(const std::string& folder, std::string_view name, FeedFile& file);

}  // namespace orbwatch::intel

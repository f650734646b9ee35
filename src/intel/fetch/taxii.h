// A client of TAXII 2.1 (OASIS Standard, 10 June 2021): discovery (4.1), API roots (4.2), collections (5.1), objects
// (5.4) with paging (3.5) by `next`, and by X-TAXII-Date-Added-Last where a server has no `next`. It reads and never
// writes to the server.
//
// A server is not trusted: what it says of the next page must move on, and pages, bytes, objects and time are bounded.
// Credentials go to the origin of TaxiiSettings::url only; API roots on another origin are passed over.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "intel/fetch/fetch.h"

namespace orbwatch::intel {

struct TaxiiLimits {
  std::uint64_t most_page_bytes = 32ULL << 20;  // of one answer
  std::uint64_t most_bytes = 1ULL << 30;        // of all pages of one reading
  std::uint64_t most_objects = 5'000'000;
  unsigned most_pages = 10'000;
  unsigned most_empty_pages = 3;  // in a row, where the server says that there are more
  std::chrono::seconds most_time{3'600};
};

struct TaxiiSettings {
  std::string url;                 // of the discovery, or of an API root
  std::string api_root;            // title or address; "" = the default one first, then the others as they are named
  std::string collection;          // id, alias or title
  std::vector<std::string> types;  // match[type]: STIX types, such as "indicator"; none = all
  unsigned page_size = 1'000;      // `limit`; 0 = as the server likes
  TaxiiLimits limits;
};

struct TaxiiCollection {
  std::string api_root;  // address, ends with "/"
  std::string id, title, alias;
  bool can_read = false;
  std::vector<std::string> media_types;  // none named = STIX 2.1
};

// The collections of the API roots that the settings allow, at most 1,000 of each of at most 32 roots. A root that
// cannot be read is passed over if another can. For people who look for the name of a collection.
core::Expected<std::vector<TaxiiCollection>> taxii_collections(Fetcher& fetcher, const TaxiiSettings& settings,
                                                               const std::stop_token& stop = {});

struct TaxiiReading {
  // What to give as added_after next time: the date of the newest object that was read, as the server wrote it; as
  // given if nothing new came.
  std::string added_after;
  TaxiiCollection collection;
  std::uint64_t pages = 0, objects = 0, bytes = 0;
};

// Takes one envelope (JSON, as it came). An error ends the reading with that error.
using TaxiiSink = std::function<core::Expected<void>(std::string_view envelope)>;

// Reads what was added to the collection after `added_after` (RFC 3339; "" = everything). The sink has all of it only
// when this returns without an error: after an error what it took must be thrown away, and `added_after` stays.
// A server may add an object with the date of the newest one after it was read; the specification offers no way to see
// that.
core::Expected<TaxiiReading> read_taxii(Fetcher& fetcher, const TaxiiSettings& settings, const std::string& added_after,
                                        const TaxiiSink& sink, const std::stop_token& stop = {});

}  // namespace orbwatch::intel

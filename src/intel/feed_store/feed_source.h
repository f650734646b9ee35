// What the user says of a threat feed: where it is, how it is read, and what is believed of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "intel/feed/reader.h"
#include "intel/fetch/fetch.h"

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
  double price_per_year = 0;  // in whatever currency all feeds are given; 0: not said
  // Beyond these a document is not believed, see take().
  std::uint64_t most_addresses = std::uint64_t{1} << 24;  // IPv4, as many as a /8
  double most_shrinkage = 0.5;                            // 0..1: share of the statements that may go at once
};

// Letters, digits, '-' and '_', at most 64: it is the name of a file, and stands in findings.
bool is_feed_name(std::string_view name);

}  // namespace orbwatch::intel

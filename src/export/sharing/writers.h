// The formats in which findings are given to others, in one table. A writer is a pure function: no clock, no input or
// output; the same Shared and options give the same bytes. To add one: a file in this folder and a row below.
//
// Identifiers are UUIDs of version 5 out of what a thing is and who gives it, so that the same thing given twice has
// the same one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/time.h"
#include "export/sharing/shared.h"

namespace orbwatch::exporting::sharing {

struct WriteOptions {
  std::string sender;          // whose it is, as a partner shall see it; "" = nobody is named
  Tlp tlp = Tlp::kAmber;       // of all of it
  core::Nanoseconds made = 0;  // when it is given; not 0
  // The file that this one replaces, as a writer of the same format wrote it; "" = none. STIX keeps `created` of what
  // is there, and `modified` of what has not changed.
  std::string_view before;
  // Nothing was left out for its age or its time: an indicator in `before` that is not given any more was taken back.
  bool whole = false;
};

struct Written {
  std::string text;
  std::uint64_t indicators = 0;
  std::uint64_t revoked = 0;
  std::map<std::string, std::uint64_t, std::less<>> left_out;  // by the format alone, by reason
};

struct Writer {
  std::string_view name;  // as the command takes it
  std::string_view says;
  std::string_view media_type;
  unsigned most_age;  // days since an address was last seen, where nobody says another number; 0 = no limit
  Written (*write)(const Shared&, const WriteOptions&);
};

Written write_stix(const Shared& shared, const WriteOptions& options);
Written write_misp(const Shared& shared, const WriteOptions& options);
Written write_csv(const Shared& shared, const WriteOptions& options);
Written write_edl(const Shared& shared, const WriteOptions& options);

inline constexpr Writer kWriters[] = {
    {"stix", "STIX 2.1 bundle", "application/stix+json;version=2.1", 0, write_stix},
    {"misp", "MISP event", "application/json", 0, write_misp},
    {"csv", "table with a header", "text/csv; charset=utf-8", 0, write_csv},
    {"edl", "list of addresses for firewalls", "text/plain; charset=utf-8", 30, write_edl},
};

// nullptr if there is none of that name.
const Writer* find_writer(std::string_view name);

// Of things that are ours; `kind` keeps those of different kinds apart.
std::string shared_uuid(std::string_view kind, const WriteOptions& options, std::string_view name);

}  // namespace orbwatch::exporting::sharing

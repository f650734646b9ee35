// `orbwatch format new`: a mapping (docs/formats/mapping.md) proposed out of a sample of a format that is not known.
//
// The method is plain: what kind of table the records are, and for each column, key or path its name and the shapes of
// its texts. A name out of a list of usual ones together with texts that fit is "certain", one of the two is "likely",
// what is only the best of what is left is a "guess". Everything that found no place is listed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/time.h"

namespace orbwatch::decode {

struct Proposal {
  std::string yaml;  // with comments; compiles
  // What the proposed mapping makes of the sample's records.
  std::uint64_t records = 0;
  std::uint64_t events = 0;
};

// `sample`: the first bytes of a log, a last line that is cut included; the first 2,000 records are looked at. Readable
// core::kPadding bytes behind its end. `file` is shown in the comments, `name` becomes the format's name (what no name
// may hold is replaced). Fails if the records are no table of a kind that mappings know, hold no time, or neither an
// address nor a user.
core::Expected<Proposal> propose_mapping(std::string_view sample, std::string_view file, std::string_view name,
                                         const core::TimeReader& times);

}  // namespace orbwatch::decode

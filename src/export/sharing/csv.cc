// A table with a header (RFC 4180, lines end with a line feed), a row for each address. What is not known is empty;
// several values of a cell are parted by blanks. No cell begins with a sign that a spreadsheet takes for a formula.
#include <fmt/format.h>

#include <algorithm>

#include "export/finding_words.h"
#include "export/sharing/writers.h"

namespace orbwatch::exporting::sharing {
namespace {

std::string quoted(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == text.npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace

Written write_csv(const Shared& shared, const WriteOptions& options) {
  Written out;
  out.text =
      "ip,port,first_seen,last_seen,asn,country,network_type,role,confidence,sightings,covert_network,attack,traits,"
      "tlp,"
      "sender\n";
  for (const Indicator& i : shared.indicators()) {
    std::uint64_t count = 0;
    for (const Sighting& s : i.sightings) count += s.count;
    std::string attack, traits;
    for (const std::string& id : i.attack) attack += (attack.empty() ? "" : " ") + id;
    for (const Trait& t : i.traits) {
      traits += fmt::format("{}{}={}", traits.empty() ? "" : "; ", name(t.kind()), t.text());
    }
    const std::string_view type =
        i.network_type == core::NetworkType::kUnknown ? std::string_view() : core::name(i.network_type);
    out.text +=
        fmt::format("{},{},{},{},{},{},{},{},{:.0f},{},{},{},{},{},{}\n", i.address.text(),
                    i.port == 0 ? "" : std::to_string(i.port), core::rfc3339(i.first_seen), core::rfc3339(i.last_seen),
                    i.asn == 0 ? "" : std::to_string(i.asn), i.country, type, name(i.role), i.confidence * 100, count,
                    quoted(i.network), attack, quoted(traits), name(options.tlp), quoted(options.sender));
    ++out.indicators;
  }
  return out;
}

}  // namespace orbwatch::exporting::sharing

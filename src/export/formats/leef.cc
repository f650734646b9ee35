// QRadar Log Event Extended Format 2.0: IBM, "LEEF event components" and "predefined LEEF event attributes".
// LEEF has no escapes: within a value the delimiter and control characters become spaces. The character between the
// pairs is named in the header in hexadecimal ("x09"). devTime is in milliseconds since 1970, which needs no
// devTimeFormat. isLoginEvent is not set: QRadar would learn users' addresses from findings about somebody else.
#include <fmt/format.h>

#include <algorithm>

#include "export/finding_words.h"
#include "export/formats.h"

namespace orbwatch::exporting {
namespace {

using score::Finding;
using score::Severity;

// 1..10
int severity_of(const Finding& finding) {
  switch (finding.severity) {
    case Severity::kCritical: return 10;
    case Severity::kHigh: return 8;
    case Severity::kMedium: return 6;
    case Severity::kLow: return 3;
    case Severity::kInformational: break;
  }
  return 1;
}

}  // namespace

std::string render_leef(const Finding& f, const RenderOptions& options) {
  const char delimiter = options.leef_delimiter;
  std::string out = fmt::format("LEEF:2.0|orbwatch|orbwatch|{}|{}|x{:02X}|", ORBWATCH_VERSION, name(f.kind),
                                static_cast<unsigned>(static_cast<unsigned char>(delimiter)));
  const auto add = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    if (out.back() != '|') out += delimiter;
    out += key;
    out += '=';
    std::string text = one_line(value, options.longest_value);
    std::ranges::replace(text, delimiter, ' ');
    out += text;
  };
  const auto sources = sources_of(f);
  const auto users = users_of(f);
  if (const auto moment = moment_of(f, options.now); moment != 0) add("devTime", std::to_string(milliseconds(moment)));
  add("cat", name(f.kind));
  add("sev", std::to_string(severity_of(f)));
  add("name", title(f));
  if (sources.size() == 1) add("src", sources[0]->ip.text());
  if (users.size() == 1) add("usrName", users[0]);
  add("sender", f.gateway);
  add("device", f.device);
  add("outcome", f.outcome);
  add("findingId", f.id);
  add("score", score_text(f));
  add("alert", f.alert ? "true" : "false");
  if (f.end != 0) add("endTime", std::to_string(milliseconds(f.end)));
  if (sources.size() == 1) {
    if (sources[0]->asn != 0) add("srcAsn", std::to_string(sources[0]->asn));
    add("srcOrg", sources[0]->org);
    add("srcCountry", sources[0]->country);
    add("srcCity", sources[0]->city);
    add("srcNetworkType", sources[0]->network_type);
  } else if (!sources.empty()) {
    add("sourceCount", std::to_string(std::max<std::uint64_t>(f.source_count, sources.size())));
    std::vector<std::string> addresses;
    addresses.reserve(sources.size());
    for (const score::SourceFacts* source : sources) addresses.push_back(source->ip.text());
    add("sources", joined({addresses.begin(), addresses.end()}, options.longest_value));
  }
  if (users.size() > 1) {
    add("userCount", std::to_string(std::max<std::uint64_t>(f.user_count, users.size())));
    add("users", joined(users, options.longest_value));
  }
  add("hypothesis", f.hypothesis);
  add("attack", joined(techniques_of(f), options.longest_value));
  std::vector<std::string_view> says;
  says.reserve(f.evidence.size());
  for (const detect::Evidence& e : f.evidence) says.push_back(e.says.empty() ? e.kind : std::string_view(e.says));
  add("evidence", joined(says, options.longest_value));
  add("covertNetwork", f.network);
  add("record", first_record(f, options.longest_value));
  add("advice", f.advice);
  return out;
}

}  // namespace orbwatch::exporting

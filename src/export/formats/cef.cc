// ArcSight Common Event Format, "Implementing ArcSight CEF" revision 25 (CEF:0).
// In the header "\" and "|" are escaped, in the extension "\" and "=" and line ends (\n, \r); other control characters
// become spaces. `src` holds IPv4 only in this revision; IPv6 stands in c6a2.
#include <fmt/format.h>

#include <algorithm>

#include "export/finding_words.h"
#include "export/formats.h"

namespace orbwatch::exporting {
namespace {

using score::Finding;
using score::Severity;

// 0..3 low, 4..6 medium, 7..8 high, 9..10 very high.
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

std::string header_field(std::string_view value) {
  std::string out;
  for (const char c : one_line(value, 512)) {
    if (c == '\\' || c == '|') out += '\\';
    out += c;
  }
  return out;
}

class Extension {
 public:
  Extension(std::string& out, std::size_t longest) : out_(out), longest_(longest) {}

  // most: the length of the field in the dictionary.
  void add(std::string_view key, std::string_view value, std::size_t most = 1023) {
    if (value.empty()) return;
    if (out_.back() != '|') out_ += ' ';
    out_ += key;
    out_ += '=';
    const std::string text = bounded_utf8(value, std::min(most, longest_));
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const auto byte = static_cast<unsigned char>(c);
      if (c == '\n') {
        out_ += "\\n";
      } else if (c == '\r') {
        out_ += "\\r";
      } else if (byte < 0x20 || byte == 0x7f) {
        out_ += ' ';
      } else if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
        out_ += ' ';
        ++i;
      } else {
        if (c == '\\' || c == '=') out_ += '\\';
        out_ += c;
      }
    }
  }
  void number(std::string_view key, std::uint64_t value) {
    if (value != 0) add(key, std::to_string(value));
  }
  // A custom field and its label.
  void custom(std::string_view field, std::string_view label, std::string_view value) {
    if (value.empty()) return;
    add(std::string(field) + "Label", label);
    add(field, value, 4000);
  }

 private:
  std::string& out_;
  std::size_t longest_;
};

}  // namespace

std::string render_cef(const Finding& f, const RenderOptions& options) {
  std::string out = fmt::format("CEF:0|orbwatch|orbwatch|{}|{}|{}|{}|", header_field(ORBWATCH_VERSION),
                                header_field(name(f.kind)), header_field(title(f)), severity_of(f));
  Extension x(out, options.longest_value);
  const auto sources = sources_of(f);
  const auto users = users_of(f);
  x.add("externalId", f.id, 40);
  if (const auto moment = moment_of(f, options.now); moment != 0) {
    x.add("rt", std::to_string(milliseconds(moment)));
    x.add("start", std::to_string(milliseconds(moment)));
  }
  if (f.end != 0) x.add("end", std::to_string(milliseconds(f.end)));
  x.add("cat", name(f.kind));
  x.number("cnt", std::max<std::uint64_t>(f.records.size(), 1));
  if (sources.size() == 1) {
    const core::Ip& ip = sources[0]->ip;
    if (ip.is_v4()) {
      x.add("src", ip.text());
    } else {
      x.custom("c6a2", "Source IPv6 Address", ip.text());
    }
  }
  // The account that was used is who came (suser) and who was logged in to (duser): products look for either.
  if (users.size() == 1) {
    x.add("suser", users[0]);
    x.add("duser", users[0]);
  }
  x.add("dvchost", f.gateway, 100);
  x.add("dhost", f.device);
  x.add("outcome", f.outcome, 63);
  x.custom("cs1", "Hypothesis", f.hypothesis);
  x.custom("cs2", "ATT&CK Techniques", joined(techniques_of(f), 1023));
  if (sources.size() == 1) x.custom("cs3", "Source Network", describe(*sources[0], 1023));
  std::string evidence;
  for (const detect::Evidence& e : f.evidence) {
    if (evidence.size() > 4000) break;
    if (!evidence.empty()) evidence += "; ";
    evidence += e.says.empty() ? std::string(e.kind) : e.says;
  }
  x.custom("cs4", "Evidence", evidence);
  if (sources.size() > 1 || users.size() > 1) {
    std::vector<std::string> addresses;
    addresses.reserve(sources.size());
    for (const score::SourceFacts* source : sources) addresses.push_back(source->ip.text());
    std::string involved;
    if (addresses.size() > 1) involved = "from " + joined({addresses.begin(), addresses.end()}, 2000);
    if (users.size() > 1) involved += (involved.empty() ? "users " : "; users ") + joined(users, 2000);
    x.custom("cs5", "Involved", involved);
  }
  x.custom("cs6", "Covert Network", f.network);
  x.custom("cfp1", "Score", score_text(f));
  if (sources.size() == 1 && sources[0]->asn != 0) x.custom("cn1", "Source AS", std::to_string(sources[0]->asn));
  if (sources.size() > 1)
    x.custom("cn2", "Sources", std::to_string(std::max<std::uint64_t>(f.source_count, sources.size())));
  if (users.size() > 1) x.custom("cn3", "Users", std::to_string(std::max<std::uint64_t>(f.user_count, users.size())));
  if (sources.size() == 1) x.custom("flexString1", "Source Country", sources[0]->country);
  x.custom("flexString2", "Record", first_record(f, options.longest_value));
  x.add("msg", f.advice);
  return out;
}

}  // namespace orbwatch::exporting

// Findings for tests of what leaves orbwatch: one of every kind, and such as a hostile log would give.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "score/finding.h"
#include "support/sample_report.h"

namespace orbwatch::exporting {

// Every text of a finding is `text`.
inline score::Finding filled_with(const std::string& text) {
  score::Finding f = testing::sample_finding(1, false);
  f.user = f.gateway = f.device = f.outcome = f.hypothesis = f.advice = f.network = text;
  f.source.org = f.source.country = f.source.city = f.source.network_type = f.source.claims = text;
  f.attack = {text, "T1090.003"};
  for (detect::Evidence& e : f.evidence) e.says = text;
  for (score::RecordPlace& r : f.records) r.file = r.raw = text;
  return f;
}

// Name of the case, finding.
using NamedFinding = std::pair<std::string, score::Finding>;

inline std::vector<NamedFinding> findings_of_every_kind() {
  std::vector<NamedFinding> out;
  for (std::uint64_t i = 7; i < 14; ++i) {
    score::Finding f = testing::sample_finding(i, false);
    f.alert = i % 2 == 0;
    if (f.sources.size() > 4) f.sources.resize(4);
    if (f.users.size() > 3) f.users.resize(3);
    f.end = f.time + 90 * core::kMinute + 250 * core::kMillisecond;
    if (f.kind == detect::FindingKind::kRelay) f.source.ip = *core::Ip::parse("2001:db8::7");
    if (f.kind == detect::FindingKind::kExposure) f.device = "router7.example";
    out.emplace_back(name(f.kind), std::move(f));
  }
  score::Finding empty;
  empty.id = "00";
  out.emplace_back("empty", std::move(empty));
  using namespace std::string_literals;
  out.emplace_back("hostile", filled_with("q\"b]s\\p|e=x y=z\nn\rr\0t\ti\xff' OR '\xe2\x80\xae"s));
  return out;
}

// Text that would break out of each of the formats, if it were not escaped.
inline std::vector<std::string> hostile_texts() {
  using namespace std::string_literals;
  std::vector<std::string> out = {
      "a\"b]c\\d",
      "a|b\\|c",
      "a=b c=d\\=e src=198.51.100.9",
      "line\nforged\r\nCEF:0|x|x|x|x|x|x|src=198.51.100.9",
      "nul\0inside"s,
      "tab\tsrc=198.51.100.9\tusrName=forged",
      "invalid \xff\xfe\xc3( utf-8",
      std::string("c1 \xc2\x9b") + "31m control",
      "' OR value = '",
      "\\",
      std::string(10'240, 'x'),
      std::string(3'000, '\\'),
      std::string(3'000, '\n'),
  };
  std::string wide;
  for (int i = 0; i < 3'000; ++i) wide += "\xe6\x9d\xb1";
  out.push_back(std::move(wide));
  for (const std::string& text : testing::kHostile) out.push_back(text);
  return out;
}

}  // namespace orbwatch::exporting

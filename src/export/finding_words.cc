#include "export/finding_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace orbwatch::exporting {
namespace {

using detect::FindingKind;
using score::Finding;
using score::SourceFacts;

// MITRE ATT&CK Enterprise 17: the techniques that detectors name, and their parents.
struct Technique {
  std::string_view id;
  std::string_view name;
};
constexpr Technique kTechniques[] = {
    {"T1018", "Remote System Discovery"},
    {"T1021", "Remote Services"},
    {"T1046", "Network Service Discovery"},
    {"T1078", "Valid Accounts"},
    {"T1090", "Proxy"},
    {"T1090.001", "Internal Proxy"},
    {"T1090.002", "External Proxy"},
    {"T1090.003", "Multi-hop Proxy"},
    {"T1110", "Brute Force"},
    {"T1110.003", "Password Spraying"},
    {"T1110.004", "Credential Stuffing"},
    {"T1133", "External Remote Services"},
    {"T1190", "Exploit Public-Facing Application"},
    {"T1584", "Compromise Infrastructure"},
    {"T1584.005", "Botnet"},
    {"T1584.008", "Network Devices"},
    {"T1595", "Active Scanning"},
    {"T1595.001", "Scanning IP Blocks"},
    {"T1595.002", "Vulnerability Scanning"},
};

bool is_control(std::string_view text, std::size_t length) {
  const auto first = static_cast<unsigned char>(text[0]);
  return first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
}

std::string cleaned(std::string_view text, std::size_t most, bool controls) {
  constexpr std::string_view kCut = "...";
  most = std::max(most, kCut.size());
  std::string out;
  std::size_t fits = 0;  // how much of `out` leaves room for the dots
  while (!text.empty()) {
    const std::size_t length = core::utf8_length(text);
    std::string_view next = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(next.size());
    if (length == 0) {
      next = "\xef\xbf\xbd";
    } else if (!controls && is_control(next, length)) {
      next = " ";
    }
    if (out.size() + next.size() > most) {
      out.resize(fits);
      return out.append(kCut);
    }
    out += next;
    if (out.size() + kCut.size() <= most) fits = out.size();
  }
  return out;
}

}  // namespace

std::string_view title(const Finding& finding) {
  if (!finding.evidence.empty()) {
    if (finding.evidence[0].kind == kTestEvidence) return "Test of an output";
    if (finding.evidence[0].kind == kHeldBackEvidence) return "Alerts held back by the rate limit";
  }
  switch (finding.kind) {
    case FindingKind::kLogin: return "Log-in through a covert relay network";
    case FindingKind::kSpray: return "Distributed password guessing";
    case FindingKind::kRecon: return "Distributed reconnaissance";
    case FindingKind::kRelay: return "Device used as a relay";
    case FindingKind::kExposure: return "Exposed management interface";
    case FindingKind::kIntel: return "Contact with a known indicator";
    case FindingKind::kDevice: return "Device with traits of a hijacked router";
  }
  return "Finding";
}

std::string summary(const Finding& f, std::size_t most) {
  std::string out(title(f));
  const auto users = users_of(f);
  const auto sources = sources_of(f);
  if (users.size() == 1) {
    out += fmt::format(": {}", one_line(users[0], 256));
  } else if (!users.empty()) {
    out += fmt::format(": {} users", std::max<std::uint64_t>(f.user_count, users.size()));
  }
  if (sources.size() == 1) {
    out += " from " + sources[0]->ip.text();
    if (const std::string facts = describe(*sources[0], 512); !facts.empty()) out += " (" + facts + ")";
  } else if (!sources.empty()) {
    out += fmt::format(" from {} addresses", std::max<std::uint64_t>(f.source_count, sources.size()));
  }
  if (!f.gateway.empty()) out += " at " + one_line(f.gateway, 256);
  if (!f.device.empty()) out += ", device " + one_line(f.device, 256);
  if (!f.outcome.empty()) out += ", " + one_line(f.outcome, 64);
  if (!f.hypothesis.empty()) out += ". " + one_line(f.hypothesis, 1024);
  if (!f.evidence.empty() && !f.evidence[0].says.empty()) out += ": " + one_line(f.evidence[0].says, 1024);
  return one_line(out, most);
}

std::string describe(const SourceFacts& source, std::size_t most) {
  std::string out;
  const auto add = [&out](std::string_view what, std::string_view between = ", ") {
    if (what.empty()) return;
    if (!out.empty()) out += between;
    out += what;
  };
  if (source.asn != 0) add(fmt::format("AS{}", source.asn));
  add(source.org, " ");
  add(source.network_type);
  add(source.city);
  add(source.country);
  return one_line(out, most);
}

std::string first_record(const Finding& finding, std::size_t most) {
  if (finding.records.empty()) return {};
  const score::RecordPlace& record = finding.records[0];
  const std::string place = record.line != 0 ? fmt::format(":{}", record.line) : fmt::format("@{}", record.offset);
  return one_line(record.file, most > place.size() + 16 ? most - place.size() : 16) + place;
}

std::vector<const SourceFacts*> sources_of(const Finding& finding) {
  std::vector<const SourceFacts*> out;
  const auto add = [&out](const SourceFacts& source) {
    if (!source.ip.present() || out.size() == Finding::kMostListed) return;
    if (std::ranges::any_of(out, [&](const SourceFacts* other) { return other->ip == source.ip; })) return;
    out.push_back(&source);
  };
  add(finding.source);
  for (const SourceFacts& source : finding.sources) add(source);
  return out;
}

std::vector<std::string_view> users_of(const Finding& finding) {
  std::vector<std::string_view> out;
  const auto add = [&out](std::string_view user) {
    if (!user.empty() && out.size() < Finding::kMostListed && std::ranges::find(out, user) == out.end())
      out.push_back(user);
  };
  add(finding.user);
  for (const std::string& user : finding.users) add(user);
  return out;
}

std::vector<std::string_view> techniques_of(const Finding& finding) {
  std::vector<std::string_view> out;
  for (const std::string& id : finding.attack) {
    if (is_technique(id) && out.size() < kMostTechniques && std::ranges::find(out, id) == out.end())
      out.emplace_back(id);
  }
  return out;
}

std::string_view technique_name(std::string_view id) {
  for (const Technique& technique : kTechniques) {
    if (technique.id == id) return technique.name;
  }
  return {};
}

bool is_technique(std::string_view id) {
  const auto digits = [](std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (id.size() != 5 && id.size() != 9) return false;
  return id[0] == 'T' && digits(id.substr(1, 4)) && (id.size() == 5 || (id[5] == '.' && digits(id.substr(6))));
}

std::string technique_url(std::string_view id) {
  std::string url = "https://attack.mitre.org/techniques/";
  url += id.substr(0, 5);
  url += '/';
  if (id.size() == 9) {
    url += id.substr(6);
    url += '/';
  }
  return url;
}

std::string score_text(const Finding& finding) {
  double score = std::isfinite(finding.score) ? std::clamp(finding.score, 0.0, 1.0) : 0;
  if (score < 1) score = std::min(score, 0.999999);
  std::string digits = fmt::format("{:.6f}", score);
  while (digits.back() == '0') digits.pop_back();
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

unsigned score_percent(const Finding& finding) {
  if (!std::isfinite(finding.score) || finding.score <= 0) return 0;
  if (finding.score >= 1) return 100;
  return std::min(99U, static_cast<unsigned>(finding.score * 100 + 0.5));
}

std::string bounded_utf8(std::string_view text, std::size_t most) { return cleaned(text, most, true); }
std::string one_line(std::string_view text, std::size_t most) { return cleaned(text, most, false); }

std::string joined(const std::vector<std::string_view>& parts, std::size_t most) {
  std::string out;
  for (const std::string_view part : parts) {
    if (out.size() > most) break;
    if (!out.empty()) out += ", ";
    out += part.substr(0, most + 1);
  }
  return one_line(out, most);
}

std::int64_t milliseconds(core::Nanoseconds time) {
  const std::int64_t whole = time / core::kMillisecond;
  return time % core::kMillisecond < 0 ? whole - 1 : whole;
}

std::string time_milliseconds(core::Nanoseconds time) {
  const core::CivilTime t = core::to_utc(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.year, t.month, t.day, t.hour, t.minute, t.second,
                     t.nanosecond / 1'000'000);
}

core::Nanoseconds moment_of(const Finding& finding, core::Nanoseconds now) {
  if (finding.time != 0) return finding.time;
  return finding.end != 0 ? finding.end : now;
}

}  // namespace orbwatch::exporting

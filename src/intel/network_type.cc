#include "intel/network_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.h"
#include "intel/csv.h"
#include "intel/embedded.h"

namespace orbwatch::intel {
namespace {

struct NameRule {
  std::string pattern;  // lower case, with the blanks that its kind of match needs
  std::string_view shown;
  NetworkType type;
  float weight;
};

std::vector<NameRule> read_rules(std::string_view text) {
  std::vector<NameRule> rules;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty() || line.front() == '#' || line.starts_with("pattern,")) continue;
    const std::string_view pattern = take_field(line);
    const std::string_view match = take_field(line);
    NetworkType type{};
    const bool known = core::parse_network_type(take_field(line), type);
    const auto weight = parse_real(take_field(line));
    if (!known || !weight || pattern.empty()) continue;  // network_type_test checks that no row is lost here
    std::string text_to_find = core::lower(pattern);
    if (match != "part") text_to_find.insert(0, 1, ' ');
    if (match == "word") text_to_find += ' ';
    rules.push_back({std::move(text_to_find), pattern, type, static_cast<float>(*weight)});
  }
  return rules;
}

const std::vector<NameRule>& name_rules() {
  static const std::vector<NameRule> rules = read_rules(embedded_as_name_rules());
  return rules;
}

// Lower case, every run of other characters than letters and digits is one blank, a blank at both ends. Bytes beyond
// ASCII count as letters, so that UTF-8 words stay whole.
std::string as_words(std::string_view name) {
  std::string out = " ";
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (letter) {
      out += c;
    } else if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c + 32);
    } else if (c == '\'') {
      continue;
    } else if (out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.back() != ' ') out += ' ';
  return out;
}

// A sum below this is no opinion that could dispute another.
constexpr float kWeakestOpinion = 0.4F;

bool overlay(NetworkType type) { return type == NetworkType::kVpn || type == NetworkType::kTor; }

}  // namespace

TypeDecision decide_type(std::span<const TypeClaim> claims) {
  TypeDecision out;
  std::array<float, core::kNetworkTypes> sums{};
  for (const TypeClaim& claim : claims) {
    const auto i = static_cast<std::size_t>(claim.type);
    if (i >= sums.size() || claim.type == NetworkType::kUnknown) continue;
    sums[i] += claim.weight;
    out.sources |= static_cast<std::uint8_t>(claim.source);
  }
  float best = 0;
  bool decreed = false;
  for (std::size_t i = 1; i < sums.size(); ++i) {
    if (sums[i] > best) {
      best = sums[i];
      out.type = static_cast<NetworkType>(i);
    }
    decreed |= sums[i] >= kWeightUserList;
  }
  if (!decreed) {
    // Tor is the more exact word: databases that flag an exit node flag it as a proxy, too.
    if (sums[static_cast<std::size_t>(NetworkType::kTor)] >= kOverlayThreshold) {
      out.type = NetworkType::kTor;
    } else if (sums[static_cast<std::size_t>(NetworkType::kVpn)] >= kOverlayThreshold) {
      out.type = NetworkType::kVpn;
    }
  }
  for (std::size_t i = 1; i < sums.size(); ++i) {
    const auto type = static_cast<NetworkType>(i);
    // Under a VPN or a Tor exit some kind of network always lies: hosting is no contradiction.
    if (sums[i] >= kWeakestOpinion && type != out.type &&
        !(overlay(out.type) && (overlay(type) || type == NetworkType::kHosting)))
      out.disputed = true;
  }
  return out;
}

std::string explain_type(std::span<const TypeClaim> claims) {
  std::vector<const TypeClaim*> sorted;
  for (const TypeClaim& claim : claims) sorted.push_back(&claim);
  std::sort(sorted.begin(), sorted.end(), [](const TypeClaim* a, const TypeClaim* b) {
    if (a->weight != b->weight) return a->weight > b->weight;
    if (a->type != b->type) return a->type < b->type;
    return a->says < b->says;
  });
  std::string out;
  for (const TypeClaim* claim : sorted) {
    if (!out.empty()) out += "; ";
    out += fmt::format("{} according to {}", core::label(claim->type), claim->says);
  }
  return out;
}

std::vector<TypeClaim> claims_by_name(std::string_view as_name) {
  std::array<const NameRule*, core::kNetworkTypes> best{};
  const std::string words = as_words(as_name);
  for (const NameRule& rule : name_rules()) {
    const NameRule*& slot = best[static_cast<std::size_t>(rule.type)];
    if (slot != nullptr && slot->weight >= rule.weight) continue;
    if (words.find(rule.pattern) != words.npos) slot = &rule;
  }
  std::vector<TypeClaim> claims;
  for (const NameRule* rule : best) {
    if (rule == nullptr) continue;
    claims.push_back({rule->type, TypeSource::kAsName, rule->weight, fmt::format("AS name ('{}')", rule->shown)});
  }
  return claims;
}

std::span<const CuratedAs> curated_as() {
  static const std::vector<CuratedAs> rows = [] {
    std::vector<CuratedAs> out;
    std::string_view text = embedded_as_types();
    while (!text.empty()) {
      std::string_view line = take_line(text);
      if (line.empty() || line.front() == '#' || line.starts_with("asn,")) continue;
      const auto asn = core::parse_number<std::uint32_t>(take_field(line));
      NetworkType type{};
      const bool known = core::parse_network_type(take_field(line), type);
      if (asn && known) out.push_back({*asn, type, take_field(line)});  // network_type_test checks that no row is lost
    }
    std::sort(out.begin(), out.end(), [](const CuratedAs& a, const CuratedAs& b) { return a.asn < b.asn; });
    return out;
  }();
  return rows;
}

RuleCheck check_name_rules(const AsNames& names) {
  RuleCheck check;
  for (const CuratedAs& row : curated_as()) {
    const std::string_view as_name = names.name_of(row.asn);
    if (as_name.empty()) continue;
    ++check.rows;
    const NetworkType by_rules = decide_type(claims_by_name(as_name)).type;
    ++check.confusion[static_cast<std::size_t>(row.type)][static_cast<std::size_t>(by_rules)];
    if (by_rules == NetworkType::kUnknown) {
      ++check.silent;
    } else if (by_rules == row.type) {
      ++check.right;
    } else {
      ++check.wrong;
      if (check.examples.size() < 40) {
        check.examples.push_back(
            fmt::format("AS{} {}: curated {}, rules {}", row.asn, as_name, core::name(row.type), core::name(by_rules)));
      }
    }
  }
  return check;
}

std::string RuleCheck::text() const {
  std::string out = fmt::format(
      "AS-name rules against the curated AS numbers: {} with a name, {} right, {} wrong, {} without a rule\n", rows,
      right, wrong, silent);
  if (right + wrong != 0) {
    out += fmt::format("where the rules speak they are right in {:.1f} %; they speak for {:.1f} %\n",
                       100.0 * right / (right + wrong), 100.0 * (right + wrong) / rows);
  }
  out += fmt::format("\n{:<12}", "curated");
  for (int t = 0; t < core::kNetworkTypes; ++t) out += fmt::format("{:>11}", core::name(static_cast<NetworkType>(t)));
  out += "  <- by rules\n";
  for (int row = 0; row < core::kNetworkTypes; ++row) {
    std::uint32_t sum = 0;
    for (const std::uint32_t n : confusion[row]) sum += n;
    if (sum == 0) continue;
    out += fmt::format("{:<12}", core::name(static_cast<NetworkType>(row)));
    for (const std::uint32_t n : confusion[row]) out += fmt::format("{:>11}", n);
    out += '\n';
  }
  if (!examples.empty()) out += "\nwrong:\n";
  for (const std::string& example : examples) out += "  " + example + "\n";
  return out;
}

}  // namespace orbwatch::intel

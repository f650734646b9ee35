#include "score/verdicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "score/combine.h"

namespace orbwatch::score {
namespace {

using core::Nanoseconds;
using core::Prefix;
using detect::FindingKind;

constexpr std::size_t kMostDays = 64;  // whose corrections are kept
constexpr std::uint32_t kLayout = 2;   // of the saved entries: raised with every change of what persist() lists

constexpr std::array<std::string_view, kScopes> kScopeNames = {
    "user-network", "user-autonomous-system", "user", "source-prefix", "autonomous-system", "gateway", "device"};

template <typename T, typename U>
bool in(const std::vector<T>& all, const U& one) {
  return std::ranges::find(all, one) != all.end();
}

bool by_user(Scope scope) {
  return scope == Scope::kUserNetwork || scope == Scope::kUserSystem || scope == Scope::kUser;
}
bool by_network(Scope scope) { return scope == Scope::kUserNetwork || scope == Scope::kSourcePrefix; }
bool by_system(Scope scope) { return scope == Scope::kUserSystem || scope == Scope::kSystem; }

// A finding in memory lists a single user or source as well, one that is handed out has it outside of the list.
std::span<const std::string> users_of(const Finding& f) {
  if (!f.users.empty()) return f.users;
  return {&f.user, f.user.empty() ? 0U : 1U};
}
std::span<const SourceFacts> sources_of(const Finding& f) {
  if (!f.sources.empty()) return f.sources;
  return {&f.source, f.source.ip.present() ? 1U : 0U};
}

std::string text_key(char what, FindingKind kind, std::string_view text) {
  return fmt::format("{}{}|{}", what, static_cast<int>(kind), text);
}
std::string network_key(const core::Ip& ip) { return Prefix::neighbourhood(ip).text(); }

// By one user, network or system of those that a suppression goes by; covers() looks at the others.
std::vector<std::string> keys_of(const Verdict& v) {
  std::vector<std::string> keys;
  if (by_user(v.scope)) {
    for (const std::string& user : v.users) keys.push_back(text_key('u', v.kind, user));
  } else if (by_network(v.scope)) {
    for (const Prefix& network : v.networks) keys.push_back(text_key('n', v.kind, network.text()));
  } else if (by_system(v.scope)) {
    for (const std::uint32_t system : v.systems) keys.push_back(text_key('s', v.kind, std::to_string(system)));
  } else {
    keys.push_back(v.scope == Scope::kGateway ? text_key('g', v.kind, v.gateway) : text_key('d', v.kind, v.device));
  }
  return keys;
}

std::string intruder_key(std::string_view user, const core::Ip& source) {
  return fmt::format("{}|{}", network_key(source), user);
}

bool same_line(const core::Ip& a, const core::Ip& b) {
  return a.is_v4() || b.is_v4() ? a == b : a.masked(64) == b.masked(64);
}

double logit(double p) { return std::log(p / (1 - p)); }

}  // namespace

std::string_view name(Judgement judgement) {
  switch (judgement) {
    case Judgement::kTrue: return "true";
    case Judgement::kFalse: return "false";
    case Judgement::kBenign: return "benign";
    case Judgement::kWithdrawn: return "withdrawn";
  }
  return "?";
}

std::string_view name(Scope scope) { return kScopeNames[static_cast<std::size_t>(scope) % kScopes]; }

bool parse_scope(std::string_view word, Scope& out) {
  const auto found = std::ranges::find(kScopeNames, word);
  if (found == kScopeNames.end()) return false;
  out = static_cast<Scope>(found - kScopeNames.begin());
  return true;
}

Scope default_scope(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLogin: return Scope::kUserNetwork;
    case FindingKind::kSpray: return Scope::kGateway;
    case FindingKind::kExposure:
    case FindingKind::kDevice: return Scope::kDevice;
    case FindingKind::kRecon:
    case FindingKind::kRelay:
    case FindingKind::kIntel: return Scope::kSourcePrefix;
  }
  return Scope::kSourcePrefix;
}

bool Verdict::speaks_of(const core::Ip& source) const {
  if (sources.empty()) return true;
  if (says != Judgement::kTrue) return in(networks, Prefix::neighbourhood(source));
  return std::ranges::any_of(sources, [&](const core::Ip& known) { return same_line(known, source); });
}

std::string_view lacks(const Verdict& v) {
  if (by_user(v.scope) && v.users.empty()) return "it names no user";
  if (by_user(v.scope) && v.scope != Scope::kUser && v.users.size() > 1) return "it names more than one user";
  if (by_network(v.scope) && v.networks.empty()) return "it names no source";
  if (by_system(v.scope) && v.systems.empty()) return "the autonomous system of its sources is not known";
  if (v.scope == Scope::kGateway && v.gateway.empty()) return "it names no gateway";
  if (v.scope == Scope::kDevice && v.device.empty()) return "it names no device";
  return {};
}

VerdictNote note_of(const Verdict& v) {
  return {v.id, std::string(name(v.says)), v.author, v.reason, v.time, v.expires};
}

bool covers(const Verdict& v, const Finding& f) {
  if (v.kind != f.kind || !lacks(v).empty()) return false;
  const auto users = users_of(f);
  const auto sources = sources_of(f);
  if (by_user(v.scope)) {
    if (users.empty() || f.user_count > users.size()) return false;
    if (!std::ranges::all_of(users, [&](const auto& user) { return in(v.users, user); })) return false;
  }
  if (by_network(v.scope) || by_system(v.scope)) {
    if (sources.empty() || f.source_count > sources.size()) return false;
    for (const SourceFacts& source : sources) {
      if (by_network(v.scope) && !in(v.networks, Prefix::neighbourhood(source.ip))) return false;
      if (by_system(v.scope) && (source.asn == 0 || !in(v.systems, source.asn))) return false;
    }
  }
  if (v.scope == Scope::kGateway) return f.gateway == v.gateway;
  if (v.scope == Scope::kDevice) return f.device == v.device && f.gateway == v.gateway;
  return true;
}

std::vector<std::pair<std::string, double>> Corrections::list() const {
  std::vector<std::pair<std::string, double>> out(by_kind_.begin(), by_kind_.end());
  std::ranges::sort(out);
  return out;
}

Verdicts::Taken Verdicts::take(Verdict v) {
  if (by_id_.contains(v.id)) return Taken::kKnown;
  if (entries_.size() >= kMostVerdicts) return Taken::kFull;
  if (v.says == Judgement::kWithdrawn) {
    const auto found = by_id_.find(v.withdraws);
    if (found == by_id_.end() || entries_[found->second].verdict.says == Judgement::kWithdrawn) return Taken::kUnknown;
    Entry& ends = entries_[found->second];
    if (!ends.ended) ends.ended_by = v.id;
    ends.ended = true;
  } else if (const auto before = by_finding_.find(v.finding); before != by_finding_.end()) {
    Entry& ends = entries_[before->second];
    if (!ends.ended) ends.ended_by = v.id;
    ends.ended = true;
  }
  entries_.push_back({std::move(v), false, {}, 0, 0});
  index(entries_.size() - 1);
  corrections_.clear();
  return Taken::kYes;
}

void Verdicts::index(std::size_t at) {
  const Verdict& v = entries_[at].verdict;
  by_id_.emplace(v.id, at);
  if (v.says == Judgement::kWithdrawn) return;
  by_finding_[v.finding] = at;
  if (v.says == Judgement::kBenign) {
    for (const std::string& key : keys_of(v)) suppressions_[key].push_back(at);
  } else if (v.says == Judgement::kTrue && v.kind == FindingKind::kLogin) {
    for (const std::string& user : v.users) {
      for (const core::Ip& source : v.sources) {
        auto& all = intruders_[intruder_key(user, source)];
        if (!in(all, at)) all.push_back(at);
      }
    }
  }
}

const Verdicts::Entry* Verdicts::find(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &entries_[found->second];
}

const Verdict* Verdicts::of(std::string_view finding, Nanoseconds when) const {
  const auto found = by_finding_.find(finding);
  if (found == by_finding_.end() || !entries_[found->second].in_force(when)) return nullptr;
  return &entries_[found->second].verdict;
}

bool Verdicts::intruder(std::string_view user, const core::Ip& source, bool address, Nanoseconds when) const {
  if (intruders_.empty()) return false;
  const auto found = intruders_.find(intruder_key(user, source));
  if (found == intruders_.end()) return false;
  return std::ranges::any_of(found->second, [&](std::size_t at) {
    if (!entries_[at].in_force(when)) return false;
    return !address || std::ranges::any_of(entries_[at].verdict.sources,
                                           [&](const core::Ip& known) { return same_line(known, source); });
  });
}

// Of those that cover it the one that bears most; SIZE_MAX if there is none.
std::size_t Verdicts::suppression(const Finding& f) const {
  if (suppressions_.empty()) return SIZE_MAX;
  std::vector<std::string> keys;
  const auto users = users_of(f);
  const auto sources = sources_of(f);
  if (!users.empty()) keys.push_back(text_key('u', f.kind, users[0]));
  if (!sources.empty()) {
    keys.push_back(text_key('n', f.kind, network_key(sources[0].ip)));
    keys.push_back(text_key('s', f.kind, std::to_string(sources[0].asn)));
  }
  keys.push_back(text_key('g', f.kind, f.gateway));
  keys.push_back(text_key('d', f.kind, f.device));
  std::size_t best = SIZE_MAX;
  for (const std::string& key : keys) {
    const auto found = suppressions_.find(key);
    if (found == suppressions_.end()) continue;
    for (const std::size_t at : found->second) {
      const Entry& entry = entries_[at];
      if (!entry.in_force(std::max(f.time, f.end)) || !covers(entry.verdict, f)) continue;
      if (best == SIZE_MAX || entry.verdict.log_odds > entries_[best].verdict.log_odds) best = at;
    }
  }
  return best;
}

bool Verdicts::annotate(Finding& f) {
  const std::string marked = std::move(f.suppressed_by.id);
  f.verdict = f.suppressed_by = f.risen_above = {};
  if (entries_.empty()) return false;
  if (const Verdict* said = of(f.id, std::max(f.time, f.end))) f.verdict = note_of(*said);
  if (!f.alert) return false;
  const std::size_t at = suppression(f);
  if (at == SIZE_MAX) return false;
  Entry& entry = entries_[at];
  if (f.log_odds > entry.verdict.log_odds + kMostRise) {
    f.risen_above = note_of(entry.verdict);
    return false;
  }
  f.alert = false;
  f.suppressed_by = note_of(entry.verdict);
  if (marked == entry.verdict.id) return false;
  ++entry.hits;
  entry.last = std::max(entry.last, std::max(f.time, f.end));
  return true;
}

const Corrections& Verdicts::corrections(Nanoseconds time) {
  const std::int64_t day = time / core::kDay;
  if (corrections_.size() >= kMostDays && !corrections_.contains(day)) corrections_.clear();
  const auto [found, fresh] = corrections_.try_emplace(day);
  Corrections& out = found->second;
  if (!fresh) return out;
  struct Credit {
    double of_true = 0;
    double of_false = 0;
  };
  absl::flat_hash_map<std::string_view, Credit> credits;
  Credit all;
  const Nanoseconds when = day * core::kDay;
  for (const Entry& entry : entries_) {
    const Verdict& v = entry.verdict;
    if (v.says == Judgement::kWithdrawn || !entry.in_force(when)) continue;
    double sum = 0;
    for (const Verdict::Reason& reason : v.evidence) sum += std::clamp(reason.llr, 0.0, kMostRatio);
    if (sum <= 0) continue;
    const auto age = static_cast<double>(std::max<Nanoseconds>(0, when - v.time));
    const double weight = std::exp2(-age / static_cast<double>(kVerdictHalfLife));
    const auto share = v.says == Judgement::kTrue ? &Credit::of_true : &Credit::of_false;
    all.*share += weight;
    for (const Verdict::Reason& reason : v.evidence)
      credits[reason.kind].*share += weight * std::clamp(reason.llr, 0.0, kMostRatio) / sum;
  }
  const double r = (all.of_true + 1) / (all.of_true + all.of_false + 2);
  for (const auto& [kind, credit] : credits) {
    const double m = (credit.of_true + kPriorVerdicts * r) / (credit.of_true + credit.of_false + kPriorVerdicts);
    const double correction = std::clamp(logit(m) - logit(r), -kMostCorrection, kMostCorrection);
    if (std::abs(correction) > 1e-9) out.by_kind_.emplace(kind, correction);
  }
  return out;
}

template <typename Archive>
void Verdicts::persist(Archive& a) {
  const std::uint32_t layout = a.section("verdicts", kLayout, 1);
  a.sequence(entries_, [&](Entry& entry) {
    Verdict& v = entry.verdict;
    a(v.id);
    a.moment(v.time);
    a(v.author);
    a.enumeration(v.says, Judgement::kWithdrawn);
    a(v.reason, v.withdraws, v.finding);
    a.enumeration(v.kind, FindingKind::kDevice);
    a(v.log_odds, v.users);
    a.sequence(v.networks, [&](Prefix& network) {
      a(network.base);
      a.bounded(network.bits, std::uint8_t{128});
    });
    a(v.sources, v.systems, v.gateway, v.device);
    a.sequence(v.evidence, [&](Verdict::Reason& reason) { a(reason.kind, reason.llr); });
    if (layout >= 2) {
      a.sequence(v.indicators, [&](Verdict::Indicator& indicator) { a(indicator.feed, indicator.value); });
      a.moment(v.seen);
    }
    a.enumeration(v.scope, Scope::kDevice);
    a.moment(v.expires);
    a(entry.ended, entry.ended_by, entry.hits);
    a.moment(entry.last);
  });
}

void Verdicts::save(core::ArchiveWriter& archive) const { const_cast<Verdicts*>(this)->persist(archive); }

void Verdicts::load(core::ArchiveReader& archive) {
  persist(archive);
  if (!archive.ok()) return;
  if (entries_.size() > kMostVerdicts) {
    archive.refuse("there are too many verdicts");
    return;
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) index(i);
  corrections_.clear();
}

}  // namespace orbwatch::score

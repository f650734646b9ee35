// What analysts said of findings: kept for good, acted upon while it is in force, taken back by a further entry.
//
// In force is an entry that was not withdrawn, that no later one on the same finding has replaced, and that has not
// expired. Expiry is compared with the time of what is judged, never with the clock, so that the same inputs give the
// same result. An entry that was given later than an event happened counts for that event, too: a hunt reads old logs.
//
// Suppressions. A `benign` entry is one: a finding of the same kind that it covers (Scope) is no alert. It covers
// nothing wider than what was judged: of a finding with several users or sources each must be covered, and one that has
// more of them than are listed (Finding::kMostListed) is not. It hides nothing that became much stranger: if the
// finding's log-odds are more than kMostRise above those of the judged one, it stays an alert and says so.
//
// Weights. Each entry on a finding is shared out to the kinds of evidence that spoke for it: kind k of finding i gets
// the credit c(i,k) = its ratio / the sum of the finding's positive ratios, times 2^(-age / kVerdictHalfLife). With
// T(k) and F(k) the credits of true and of false (or benign) entries, T and F their sums over the findings, and r = (T
// + 1) / (T + F + 2) the share of true ones, the posterior mean of a Beta prior with mean r and kPriorVerdicts
// pseudo-entries is
//   m(k) = (T(k) + kPriorVerdicts r) / (T(k) + F(k) + kPriorVerdicts)
// and the correction of the kind's log-likelihood ratio
//   d(k) = logit m(k) - logit r, within -kMostCorrection and kMostCorrection.
// By Bayes' rule d(k) estimates log P(k | true) / P(k | false) among what was judged: what the kind tells true from
// false beyond what it was thought to: a kind that false findings show more often than true ones loses, one that both
// show alike keeps its weight. A handful of entries moves little: one false entry of two equal kinds takes 0.09 off
// each. The correction is added to positive ratios and never turns one into its opposite. (Beta-binomial shrinkage:
// Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4.)
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/archive.h"
#include "core/ip.h"
#include "core/time.h"
#include "score/finding.h"

namespace orbwatch::score {

constexpr double kMostRise = 3;
constexpr double kPriorVerdicts = 8;
constexpr double kMostCorrection = 2;
constexpr core::Nanoseconds kVerdictHalfLife = 180 * core::kDay;
// Entries that are kept in memory and used; further ones of a file are left out by name.
constexpr std::size_t kMostVerdicts = 20'000;

enum class Judgement : std::uint8_t { kTrue, kFalse, kBenign, kWithdrawn };
std::string_view name(Judgement judgement);  // "true", "false", "benign", "withdrawn"

// What else a suppression covers besides the kind of finding.
enum class Scope : std::uint8_t {
  kUserNetwork,   // this user from these networks (Prefix::neighbourhood)
  kUserSystem,    // this user from these autonomous systems
  kUser,          // these users from anywhere
  kSourcePrefix,  // these networks, whoever comes from there
  kSystem,        // these autonomous systems
  kGateway,       // this gateway
  kDevice,        // this device, seen by this gateway
};
constexpr std::size_t kScopes = 7;
std::string_view name(Scope scope);  // "user-network", "user-autonomous-system", "user", "source-prefix" ...
bool parse_scope(std::string_view word, Scope& out);
// What is meant where nobody says a scope.
Scope default_scope(detect::FindingKind kind);

// One entry of the file (pipeline/verdict_file.h).
struct Verdict {
  std::string id;
  core::Nanoseconds time = 0;  // wall clock, when it was given
  std::string author;
  Judgement says = Judgement::kFalse;
  std::string reason;
  std::string withdraws;  // kWithdrawn: the entry that it ends. What follows is empty then
  std::string finding;
  detect::FindingKind kind = detect::FindingKind::kLogin;
  double log_odds = 0;             // of the finding when it was judged
  std::vector<std::string> users;  // lists as the finding has them: at most Finding::kMostListed
  std::vector<core::Prefix> networks;
  std::vector<core::Ip> sources;
  std::vector<std::uint32_t> systems;
  std::string gateway;
  std::string device;
  struct Reason {
    std::string kind;
    double llr = 0;
  };
  std::vector<Reason> evidence;
  // Entries of threat feeds that the evidence names (detect/feed_hit.h), at most kMostIndicators: what was said of the
  // finding counts for them (intel/decay).
  struct Indicator {
    std::string feed;
    std::string value;  // as it stands in the feed
    friend bool operator==(const Indicator&, const Indicator&) = default;
  };
  static constexpr std::size_t kMostIndicators = 16;
  std::vector<Indicator> indicators;
  core::Nanoseconds seen = 0;  // end of the finding, in event time; 0 = not known
  Scope scope = Scope::kUserNetwork;
  core::Nanoseconds expires = 0;  // 0 = never

  // Whether a log-in from there, which is in the finding, was judged as well: one that joined later, or that a `true`
  // leaves out, was not. Of `true` the very address (IPv6: /64) counts, of the others its neighbourhood.
  bool speaks_of(const core::Ip& source) const;
};

// "" if the entry can be a suppression of that scope, else why not: what it would go by is not known of the finding.
std::string_view lacks(const Verdict& verdict);
VerdictNote note_of(const Verdict& verdict);
// Whether it covers the finding, whatever its score and the time.
bool covers(const Verdict& verdict, const Finding& finding);

// Log-likelihood ratios to add by kind of evidence.
class Corrections {
 public:
  bool empty() const { return by_kind_.empty(); }
  double of(std::string_view kind) const {
    const auto found = by_kind_.find(kind);
    return found == by_kind_.end() ? 0 : found->second;
  }
  // By kind, in the order of its name.
  std::vector<std::pair<std::string, double>> list() const;

 private:
  friend class Verdicts;
  std::map<std::string, double, std::less<>> by_kind_;
};

// All entries. Not thread-safe.
class Verdicts {
 public:
  enum class Taken : std::uint8_t {
    kYes,
    kKnown,    // an entry of this id is there: nothing changes
    kUnknown,  // it withdraws an entry that is not there, or one of a withdrawal
    kFull,     // kMostVerdicts
  };
  Taken take(Verdict verdict);
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }

  struct Entry {
    Verdict verdict;
    bool ended = false;          // withdrawn or replaced
    std::string ended_by;        // id of the entry that did
    std::uint64_t hits = 0;      // of a suppression: findings that would have been alerts, each once
    core::Nanoseconds last = 0;  // end of the last of them
    bool in_force(core::Nanoseconds when) const { return !ended && (verdict.expires == 0 || when < verdict.expires); }
  };
  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* find(std::string_view id) const;
  // The one in force on this finding, or null.
  const Verdict* of(std::string_view finding, core::Nanoseconds when) const;
  // Whether a true verdict in force says that an intruder came as this user from this neighbourhood; `address`: from
  // this very address (IPv6: /64), for networks that the user shares with him.
  bool intruder(std::string_view user, const core::Ip& source, bool address, core::Nanoseconds when) const;

  // Fills in what was said of the finding; an alert that a suppression covers is none any more, which counts as a hit
  // unless the finding was marked with that one before. True if there was a hit.
  bool annotate(Finding& finding);

  // Of the day of `when`, whatever was asked before; some days are kept. Valid until the next call.
  const Corrections& corrections(core::Nanoseconds when);

  // Everything. Errors stick to the reader; after one this is to be thrown away.
  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  std::size_t suppression(const Finding& finding) const;
  void index(std::size_t at);
  template <typename Archive>
  void persist(Archive& archive);

  std::vector<Entry> entries_;
  std::map<std::string, std::size_t, std::less<>> by_id_;
  std::map<std::string, std::size_t, std::less<>> by_finding_;  // the newest on it
  // Suppressions by scope, kind and one of what they go by; true verdicts on log-ins by user and network.
  absl::flat_hash_map<std::string, std::vector<std::size_t>> suppressions_;
  absl::flat_hash_map<std::string, std::vector<std::size_t>> intruders_;
  absl::flat_hash_map<std::int64_t, Corrections> corrections_;  // by day, at most kMostDays
};

}  // namespace orbwatch::score

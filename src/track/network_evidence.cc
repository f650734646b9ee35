#include "track/network_evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/archive.h"

namespace orbwatch::track {
namespace {

using core::Nanoseconds;

constexpr double kMostGroup = 6;      // nats, either way: no single group decides alone against all others
constexpr double kFurther = 0.25;     // of a group's weaker traits: they mostly repeat what the strongest says
constexpr double kRareAccount = 0.1;  // of many-valued traits: what more sources show is no coincidence
constexpr double kRarePort = 0.03;    // of ports everybody asks for the same few
constexpr double kMostGateway = 0.5;
constexpr std::uint32_t kHabit = 4;  // steps
constexpr std::uint32_t kScanPorts = 3;
constexpr double kMostPlace = 0.35;  // each of provider and country: half the world's homes are with few providers
// In the set of pairs: that the source has a trait of a kind at all.
constexpr std::uint32_t kAnyValue = 0xffffffff;
constexpr std::array<Nanoseconds, 6> kPaces = {core::kMinute,   10 * core::kMinute, core::kHour,
                                               6 * core::kHour, 20 * core::kHour,   28 * core::kHour};

enum class Model : std::uint8_t { kShares, kMany, kWeak, kNone };

struct KindRule {
  EvidenceGroup group;
  Model model;
  // Of the Dirichlet prior. Small: a source shows one value nearly always; large: all sources resemble the background.
  double concentration;
  std::uint8_t most_values;  // of one address; the least seen makes room
};

constexpr KindRule rule_of(TraitKind kind) {
  using enum TraitKind;
  switch (kind) {
    case kClient:
    case kJa3:
    case kJa4:
    case kHassh: return {EvidenceGroup::kSoftware, Model::kShares, 0.15, 4};
    case kCertificate:
    case kBanner: return {EvidenceGroup::kDevice, Model::kShares, 0.15, 4};
    case kNodePort: return {EvidenceGroup::kDevice, Model::kMany, 0, 8};
    case kFeedLabel: return {EvidenceGroup::kLabel, Model::kShares, 0.3, 2};
    case kPortAsked: return {EvidenceGroup::kTargets, Model::kMany, 0, 16};
    case kAccount: return {EvidenceGroup::kTargets, Model::kMany, 0, 24};
    case kGateway: return {EvidenceGroup::kTargets, Model::kShares, 1, 4};
    case kHours: return {EvidenceGroup::kRhythm, Model::kShares, 8, 12};
    case kPace: return {EvidenceGroup::kRhythm, Model::kShares, 6, 7};
    case kAccountPace: return {EvidenceGroup::kRhythm, Model::kShares, 6, 7};
    case kProvider:
    case kCountry: return {EvidenceGroup::kPlace, Model::kWeak, 0, 2};
    case kScanWindow: return {EvidenceGroup::kTargets, Model::kNone, 0, 2};
    case kCampaign: return {EvidenceGroup::kCampaign, Model::kNone, 0, 4};
  }
  return {EvidenceGroup::kSoftware, Model::kNone, 0, 1};
}

constexpr std::array<KindRule, kTraitKinds> kRules = [] {
  std::array<KindRule, kTraitKinds> out{};
  for (std::size_t k = 0; k < kTraitKinds; ++k) out[k] = rule_of(static_cast<TraitKind>(k));
  return out;
}();
const KindRule& rule(TraitKind kind) { return kRules[static_cast<std::size_t>(kind)]; }

// a (a + 1) ... (a + n - 1) over b (b + 1) ... (b + n - 1). For n up to kMostOfKind no such product leaves a double.
double rise_ratio(double a, double b, unsigned n) {
  double above = 1, below = 1;
  for (unsigned i = 0; i < n; ++i) {
    above *= a + i;
    below *= b + i;
  }
  return above / below;
}

// A text that a source wrote, as part of a sentence.
std::string quoted(const Trait& trait) {
  return is_text(trait.kind) ? fmt::format("'{}'", trait.text()) : trait.text();
}

std::string how_rare(const Trait& trait, const Surroundings& around) {
  return fmt::format("{:.0f} of {:.0f} sources show it", std::max(1.0, around.all.sources(trait)),
                     std::max(1.0, around.all.sources(trait.kind)));
}

// Surroundings::share(); 1 for an account or a port that says nothing.
double told_share(const Trait& trait, const Surroundings& around) {
  const double share = around.share(trait);
  if (trait.kind == TraitKind::kAccount) return share <= kRareAccount && around.telling(trait) ? share : 1;
  if (rule(trait.kind).model == Model::kMany) return share <= kRarePort ? share : 1;
  return share;
}

// Nats of one kind of trait, and what to say of it.
struct KindEvidence {
  double nats = 0;
  std::array<Trait, 3> common{};  // strongest first
  std::size_t commons = 0;
  bool differs = false;
};

std::uint64_t value_bit(const Trait& trait) { return std::uint64_t{1} << (trait.value * 0x9e3779b1U >> 26); }

// Each value of a kind that both show: how often `a` did and how often `b`, and weight_of() it.
template <typename Visit>
void each_common(TraitKind kind, const Observed& a, const Observed& b, const Surroundings& around, const Visit& visit) {
  const auto k = static_cast<std::size_t>(kind);
  const std::uint64_t common = a.values == nullptr || b.values == nullptr ? ~0ULL : a.values[k] & b.values[k];
  if (common == 0) return;
  const std::span<const NodeProfile::Count> counts = a.profile->counts(kind);
  const double* weights = a.weights == nullptr ? nullptr : a.weights + (counts.data() - a.profile->counts().data());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if ((common & value_bit(counts[i].trait)) == 0) continue;
    const std::uint8_t other = b.profile->of(counts[i].trait);
    if (other != 0) visit(counts[i], other, weights == nullptr ? weight_of(counts[i].trait, around) : weights[i]);
  }
}

// What it says by itself that one source made `a` observations of a kind and another `b`: rise_ratio(concentration,
// concentration + a, b). Nearly all pairs ask for it, so that it is calculated once.
struct Apart {
  double ratio = 1;
  double nats = 0;
};
Apart apart(TraitKind kind, std::uint32_t a, std::uint32_t b) {
  const auto calculated = [](TraitKind of, std::uint32_t own, std::uint32_t other) {
    const double concentration = rule(of).concentration;
    const double ratio = rise_ratio(concentration, concentration + own, other);
    return Apart{ratio, std::log(ratio)};
  };
  constexpr std::uint32_t kMost = NodeProfile::kMostOfKind + 1;
  using Table = std::array<std::array<std::array<Apart, kMost>, kMost>, kTraitKinds>;
  static const auto table = [&] {
    auto made = std::make_unique<Table>();
    for (std::size_t k = 0; k < kTraitKinds; ++k) {
      if (kRules[k].model != Model::kShares) continue;
      for (std::uint32_t own = 0; own < kMost; ++own) {
        for (std::uint32_t other = 0; other < kMost; ++other)
          (*made)[k][own][other] = calculated(static_cast<TraitKind>(k), own, other);
      }
    }
    return made;
  }();
  return a < kMost && b < kMost ? (*table)[static_cast<std::size_t>(kind)][a][b] : calculated(kind, a, b);
}

KindEvidence by_shares(TraitKind kind, const Observed& a, const Observed& b, const Surroundings& around) {
  KindEvidence out;
  const std::uint32_t all_a = a.profile->total(kind), all_b = b.profile->total(kind);
  if (all_a == 0 || all_b == 0) return out;
  double best = 0, ratio = 1;
  each_common(kind, a, b, around, [&](const NodeProfile::Count& count, std::uint8_t other, double prior) {
    const double own = rise_ratio(prior + count.n, prior, other);
    ratio *= own;
    if (out.commons == 0 || own > best) {
      best = own;
      out.common[0] = count.trait;
      out.commons = 1;
    }
  });
  const Apart by_itself = apart(kind, all_a, all_b);
  out.nats = out.commons == 0 ? by_itself.nats : std::log(ratio * by_itself.ratio);
  // A gateway is one of few; the same one is hardly a coincidence, another one is a difference. A few steps at one time
  // of the day are no habit.
  if (kind == TraitKind::kGateway) out.nats = std::min(out.nats, kMostGateway);
  const bool habit = rule(kind).group == EvidenceGroup::kRhythm;
  if (habit && std::min(all_a, all_b) < kHabit) out.nats = std::min(out.nats, 0.0);
  out.differs = out.nats < 0;
  return out;
}

KindEvidence by_many(TraitKind kind, const Observed& a, const Observed& b, const Surroundings& around) {
  KindEvidence out;
  std::array<double, 3> strongest{};
  each_common(kind, a, b, around, [&](const NodeProfile::Count& count, std::uint8_t, double nats) {
    if (nats <= 0) return;
    Trait trait = count.trait;
    for (std::size_t i = 0; i < strongest.size(); ++i) {
      if (nats <= strongest[i]) continue;
      std::swap(nats, strongest[i]);
      std::swap(trait, out.common[i]);
    }
    out.commons = std::min(out.commons + 1, strongest.size());
  });
  out.nats = strongest[0] + strongest[1] / 2 + strongest[2] / 4;
  return out;
}

KindEvidence by_place(TraitKind kind, const Observed& a, const Observed& b, const Surroundings& around) {
  KindEvidence out;
  each_common(kind, a, b, around, [&](const NodeProfile::Count& count, std::uint8_t, double nats) {
    out.nats = std::max(out.nats, nats);
    out.common[0] = count.trait;
    out.commons = 1;
  });
  return out;
}

// How unlikely it is that two strangers who ask for popular ports have none in common.
double disjoint_scan(const Observed& a, const Observed& b, const Surroundings& around) {
  if (!scans(*a.profile) || !scans(*b.profile)) return 0;
  if (std::max(a.last, b.last) - std::min(a.last, b.last) > core::kDay) return 0;
  const ScanPart part_a = a.scan == nullptr ? scan_part(*a.profile, around) : *a.scan;
  const ScanPart part_b = b.scan == nullptr ? scan_part(*b.profile, around) : *b.scan;
  return disjoint(part_a, part_b, *a.profile, *b.profile);
}

const NodeProfile::Partner* partner(const Observed& a, const Observed& b) {
  for (const NodeProfile::Partner& p : a.profile->partners()) {
    if (p.ip == *b.ip) return &p;
  }
  for (const NodeProfile::Partner& p : b.profile->partners()) {
    if (p.ip == *a.ip) return &p;
  }
  return nullptr;
}

constexpr double kMostCampaign = 4;

struct CommonCampaign {
  std::uint32_t campaign = 0;
  double share = 0;  // the smaller of both
  double nats = 0;
};
// The campaign that both are most surely of.
CommonCampaign common_campaign(const Observed& a, const Observed& b, const Surroundings& around) {
  CampaignSpace space_a, space_b;
  const auto parts = [&](const Observed& observed, CampaignSpace& space) {
    return observed.campaigns.empty() ? campaign_parts(*observed.profile, around, space) : observed.campaigns;
  };
  const std::span<const CampaignPart> parts_b = parts(b, space_b);
  CommonCampaign best;
  for (const CampaignPart& own : parts(a, space_a)) {
    const auto other = std::ranges::find(parts_b, own.whole, &CampaignPart::whole);
    if (other == parts_b.end() || other->share == 0) continue;
    const double least = std::min(own.share, other->share);
    const double nats = std::min(kMostCampaign, std::log(least / std::max(1e-9, 1 - least)));
    if (nats > best.nats) best = {own.campaign, least, nats};
  }
  return best;
}

bool one_person(const NodeProfile& a, const NodeProfile& b) {
  constexpr TraitKind kKind = TraitKind::kAccount;
  if (a.distinct(kKind) != 1 || b.distinct(kKind) != 1) return false;
  return b.of(a.counts(kKind)[0].trait) != 0;
}

std::string sentence(TraitKind kind, const KindEvidence& evidence, const Surroundings& around) {
  if (evidence.differs) {
    switch (kind) {
      case TraitKind::kHours: return "active at different times of the day";
      case TraitKind::kPace: return "each node's steps follow one another at another pace";
      case TraitKind::kAccountPace: return "accounts are tried at another pace";
      case TraitKind::kGateway: return "ask at different gateways";
      default: return fmt::format("differ in {}", name(kind));
    }
  }
  if (evidence.commons == 0) return "";
  const Trait& first = evidence.common[0];
  switch (kind) {
    case TraitKind::kHours:
      return fmt::format("both active {}, where {:.0f} % of sources are", first.text(), 100 * around.share(first));
    case TraitKind::kPace:
      return fmt::format("both take their next step {}, as {:.0f} % of sources do", first.text(),
                         100 * around.share(first));
    case TraitKind::kAccountPace:
      return fmt::format("accounts are tried again by both {}, as by {:.0f} % of sources", first.text(),
                         100 * around.share(first));
    case TraitKind::kAccount:
    case TraitKind::kPortAsked:
    case TraitKind::kNodePort: {
      const std::string_view does = kind == TraitKind::kAccount     ? "both tried the account"
                                    : kind == TraitKind::kPortAsked ? "both asked for the port"
                                                                    : "both listen on port";
      std::string names = quoted(first);
      for (std::size_t i = 1; i < evidence.commons; ++i) names += fmt::format(", {}", quoted(evidence.common[i]));
      return fmt::format("{}{} {} ({})", does, evidence.commons > 1 && kind != TraitKind::kNodePort ? "s" : "", names,
                         how_rare(first, around));
    }
    case TraitKind::kProvider: return fmt::format("both with provider {}", first.text());
    case TraitKind::kCountry: return fmt::format("both in {}", first.text());
    case TraitKind::kFeedLabel: return fmt::format("a feed calls both {} ({})", quoted(first), how_rare(first, around));
    case TraitKind::kGateway:
      return fmt::format("both ask at gateway {}, where {:.0f} % of sources do", quoted(first),
                         100 * around.share(first));
    default: return fmt::format("same {} {} ({})", name(kind), quoted(first), how_rare(first, around));
  }
}

// Each kind of the groups that are wanted in turn: visit(kind, group, evidence).
template <typename Wants, typename Visit>
void each_kind(const Observed& a, const Observed& b, const Surroundings& around, const Wants& wants,
               const Visit& visit) {
  for (std::size_t k = 0; k < kTraitKinds; ++k) {
    const auto kind = static_cast<TraitKind>(k);
    if (a.profile->total(kind) == 0 || b.profile->total(kind) == 0) continue;
    const KindRule& how = rule(kind);
    if (!wants(how.group)) continue;
    switch (how.model) {
      case Model::kShares: visit(kind, how.group, by_shares(kind, a, b, around)); break;
      case Model::kMany: visit(kind, how.group, by_many(kind, a, b, around)); break;
      case Model::kWeak: visit(kind, how.group, by_place(kind, a, b, around)); break;
      case Model::kNone: break;
    }
  }
}

double handover_nats(const NodeProfile::Partner& p) {
  // Within minutes: a change of network on the way does that as well, hence little at first; more, if it goes on.
  return (p.relay ? 2.5 : 0.5) + std::min(2.0, 0.5 * (p.times - 1));
}

}  // namespace

std::string_view name(TraitKind kind) {
  using enum TraitKind;
  switch (kind) {
    case kClient: return "client";
    case kJa3: return "JA3";
    case kJa4: return "JA4";
    case kHassh: return "HASSH";
    case kCertificate: return "certificate";
    case kBanner: return "banner";
    case kNodePort: return "open port";
    case kFeedLabel: return "feed's name";
    case kPortAsked: return "port asked for";
    case kAccount: return "account";
    case kGateway: return "gateway";
    case kHours: return "time of day";
    case kPace: return "pace";
    case kAccountPace: return "pace by account";
    case kProvider: return "provider";
    case kCountry: return "country";
    case kScanWindow: return "probes of one gateway at one time";
    case kCampaign: return "campaign";
  }
  return "";
}

bool is_habit(TraitKind kind) {
  using enum TraitKind;
  return kind == kGateway || kind == kHours || kind == kPace || kind == kAccountPace;
}

bool is_text(TraitKind kind) {
  using enum TraitKind;
  switch (kind) {
    case kNodePort:
    case kPortAsked:
    case kHours:
    case kPace:
    case kAccountPace:
    case kProvider:
    case kScanWindow: return false;
    default: return true;
  }
}

std::string Trait::text() const {
  switch (kind) {
    case TraitKind::kHours: return fmt::format("{:02} to {:02} UTC", 2 * value, 2 * value + 2);
    case TraitKind::kPace:
    case TraitKind::kAccountPace: return std::string(pace_text(value));
    case TraitKind::kProvider: return fmt::format("AS{}", value);
    default: return is_text(kind) ? std::string(core::Symbol(value).text()) : fmt::format("{}", value);
  }
}

std::uint32_t pace_class(Nanoseconds gap) {
  return static_cast<std::uint32_t>(std::ranges::upper_bound(kPaces, gap) - kPaces.begin());
}

std::string_view pace_text(std::uint32_t pace_class) {
  constexpr std::array<std::string_view, 7> kTexts = {"within a minute",      "within 10 minutes", "within an hour",
                                                      "within six hours",     "within 20 hours",   "about a day later",
                                                      "more than a day later"};
  return kTexts[std::min<std::size_t>(pace_class, kTexts.size() - 1)];
}

std::array<Nanoseconds, core::kNetworkTypes> usual_half_lives() {
  using enum core::NetworkType;
  std::array<Nanoseconds, core::kNetworkTypes> out;
  out.fill(31 * core::kDay);
  const auto set = [&out](core::NetworkType type, Nanoseconds time) { out[static_cast<std::size_t>(type)] = time; };
  for (const auto type : {kConsumer, kSatellite}) set(type, 283 * core::kHour);
  for (const auto type : {kMobile, kCgnat}) set(type, core::kDay);
  for (const auto type : {kHosting, kVpn, kTor}) set(type, 1281 * core::kHour);
  return out;
}

void Background::pass(Nanoseconds now) {
  if (now <= now_) return;
  now_ = now;
  if (epoch_ == 0) epoch_ = pairs_since_ = now_;
  if (now_ - pairs_since_ >= kHalfLife) {
    if (now_ - pairs_since_ >= 2 * kHalfLife) pairs_.clear();
    pairs_since_ = now_;
    next_pairs();
  }
  // By whole half-lives and powers of two, so that nothing is rounded.
  if (const Nanoseconds over = now_ - epoch_; over >= 16 * kHalfLife) {
    const Nanoseconds whole = over / kHalfLife;
    const double factor = std::ldexp(1.0, -static_cast<int>(std::min<Nanoseconds>(whole, 1000)));
    epoch_ += whole * kHalfLife;
    for (auto& [trait, count] : counts_) count *= factor;
    for (double& total : totals_) total *= factor;
  }
  set_unit();
}

void Background::set_unit() { unit_ = std::exp2(static_cast<double>(now_ - epoch_) / static_cast<double>(kHalfLife)); }

void Background::next_pairs() {
  if (++counting_ == 0) counting_ = 1;
  pairs_before_ = std::move(pairs_);
  pairs_.clear();
}

void Surroundings::pass(Nanoseconds now) {
  all.pass(now);
  strange.pass(now);
  accounts.pass(now);
}

void Surroundings::see(const core::Ip& source, const Trait& trait, std::uint16_t& counted) {
  if (rule(trait.kind).group == EvidenceGroup::kTargets && rule(trait.kind).model == Model::kNone) return;
  Background& background = is_habit(trait.kind) ? strange : all;
  if (counted == background.counting()) return;
  background.see(source, trait);
  counted = background.counting();
}

double Surroundings::share(const Trait& trait) const {
  if (is_habit(trait.kind)) return strange.share(trait);
  switch (trait.kind) {
    // That a network goes through a list makes none of its names common.
    case TraitKind::kAccount:
      return accounts.sources(TraitKind::kAccount) < kEnoughAccounts ? all.share(trait) : accounts.share(trait);
    default: return all.share(trait);
  }
}

bool Surroundings::telling(const Trait& account) const {
  return accounts.sources(TraitKind::kAccount) < kEnoughAccounts || accounts.sources(account) > 0;
}

void Background::make_room() {
  // The threshold goes with all that are equal, so that the order of the table decides nothing.
  std::vector<double> counts;
  counts.reserve(counts_.size());
  for (const auto& [trait, count] : counts_) counts.push_back(count);
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 4);
  std::ranges::nth_element(counts, middle);
  const double threshold = *middle;
  forgotten_ += absl::erase_if(counts_, [&](const auto& item) { return item.second <= threshold; });
}

void Background::see(const core::Ip& source, const Trait& trait) {
  if (!pairs_.insert({source, trait}).second) return;
  if (counts_.size() >= limits_.most_traits && !counts_.contains(trait)) make_room();
  counts_[trait] += unit_;
  // Where a source has many values by nature the share is of sources, else of values.
  const Trait any{TraitKind::kScanWindow, kAnyValue - static_cast<std::uint32_t>(trait.kind)};
  if (rule(trait.kind).model != Model::kMany || pairs_.insert({source, any}).second)
    totals_[static_cast<std::size_t>(trait.kind)] += unit_;
  // At once, so that it changes nothing to be told what is counted, or not.
  if (pairs_.size() < limits_.most_pairs / 2) return;
  pairs_since_ = now_;
  next_pairs();
  ++begun_anew_;
}

double Background::sources(const Trait& trait) const {
  const auto at = counts_.find(trait);
  return at == counts_.end() ? 0 : at->second / unit_;
}
double Background::sources(TraitKind kind) const { return totals_[static_cast<std::size_t>(kind)] / unit_; }
double Background::share(const Trait& trait) const {
  return std::min(1.0, (sources(trait) + 1) / (sources(trait.kind) + 2));
}

namespace {
template <typename Archive>
void persist_trait(Archive& a, Trait& trait) {
  a.enumeration(trait.kind, kLastTraitKind);
  if (is_text(trait.kind)) {
    a.symbol_id(trait.value);
  } else {
    a(trait.value);
  }
}

template <typename Archive>
void persist_campaign(Archive& a, CampaignDay& day) {
  a.symbol_id(day.campaign);
  a.bounded(day.day, std::int32_t{200'000});
  a(day.kind);
}
}  // namespace

template <typename Archive>
void Surroundings::persist(Archive& a) {
  all.persist(a);
  strange.persist(a);
  accounts.persist(a);
  a.entries(campaigns, [&](CampaignDay& day, CampaignCount& count) {
    persist_campaign(a, day);
    a(count.sources, count.usual);
    if constexpr (Archive::kReads) {
      if (!(count.usual >= 0 && count.usual < 1e9F)) a.refuse("an ordinary day has no such number of sources");
    }
  });
  a.entries(one_operator, [&](std::uint32_t& campaign, std::uint32_t& whole) {
    a.symbol_id(campaign);
    a.symbol_id(whole);
  });
  a(strangers_failed, strangers_on_accounts);
  if constexpr (Archive::kReads) {
    if (!(strangers_failed >= strangers_on_accounts && strangers_on_accounts >= 0 && strangers_failed < 1e12))
      a.refuse("a count of failed log-ins is none");
  }
}
template void Surroundings::persist(core::ArchiveWriter& a);
template void Surroundings::persist(core::ArchiveReader& a);

template <typename Archive>
void Background::persist(Archive& a) {
  a.entries(counts_, [&](Trait& trait, double& count) {
    persist_trait(a, trait);
    a(count);
  });
  a(totals_);
  for (auto* set : {&pairs_, &pairs_before_}) {
    std::vector<Pair> pairs;
    if constexpr (!Archive::kReads) pairs.assign(set->begin(), set->end());
    a.sequence(pairs, [&](Pair& pair) {
      a(pair.source);
      persist_trait(a, pair.trait);
    });
    if constexpr (Archive::kReads) {
      set->clear();
      set->insert(pairs.begin(), pairs.end());
    }
  }
  a.moments(epoch_, pairs_since_, now_);
  a(forgotten_, begun_anew_);
  if constexpr (Archive::kReads) {
    unit_ = 1;
    const auto countable = [](double count) { return count >= 0 && count < 1e100; };
    bool sound = std::ranges::all_of(totals_, countable);
    for (const auto& [trait, count] : counts_) sound &= countable(count);
    if (!sound) a.refuse("a count of sources is none");
    if (epoch_ > now_) a.refuse("a count began after it was last changed");
    if (epoch_ != 0 && a.ok()) set_unit();
  }
}
template void Background::persist(core::ArchiveWriter& a);
template void Background::persist(core::ArchiveReader& a);

std::uint8_t NodeProfile::of(const Trait& trait) const {
  for (const Count& count : counts(trait.kind)) {
    if (count.trait.value == trait.value) return count.n;
  }
  return 0;
}

NodeProfile::Added NodeProfile::add(const Trait& trait, std::uint64_t& dropped) {
  const auto kind = static_cast<std::size_t>(trait.kind);
  const KindRule& how = rule(trait.kind);
  const std::uint8_t most = how.model == Model::kShares ? kMostOfKind : kMostCount;
  const std::size_t from = begin(trait.kind);
  std::size_t at = from;
  const std::size_t end = begin_[kind + 1];
  while (at < end && counts_[at].trait.value != trait.value) ++at;
  const bool fresh = at == end;
  std::optional<Trait> instead;
  if (!fresh) {
    if (counts_[at].n < most) {
      ++counts_[at].n;
      ++totals_[kind];
    }
  } else {
    if (end - from >= how.most_values) {
      const auto first = counts_.begin() + static_cast<std::ptrdiff_t>(from);
      const auto last = counts_.begin() + static_cast<std::ptrdiff_t>(end);
      const auto least = std::min_element(first, last, [](const Count& a, const Count& b) { return a.n < b.n; });
      totals_[kind] = static_cast<std::uint16_t>(totals_[kind] - least->n);
      instead = least->trait;
      std::move(least + 1, last, least);
      at = end - 1;
      counts_[at] = {trait, 1};
      ++dropped;
    } else {
      counts_.insert(counts_.begin() + static_cast<std::ptrdiff_t>(end), {trait, 1});
      for (std::size_t k = kind + 1; k < begin_.size(); ++k) ++begin_[k];
    }
    ++totals_[kind];
  }
  if (how.model == Model::kShares && totals_[kind] > kMostOfKind) {
    totals_[kind] = 0;
    for (std::size_t i = from; i < begin_[kind + 1]; ++i) {
      Count& count = counts_[i];
      count.n = static_cast<std::uint8_t>((count.n + 1) / 2);  // none is forgotten
      totals_[kind] = static_cast<std::uint16_t>(totals_[kind] + count.n);
    }
  }
  return {&counts_[at], fresh, instead};
}

void NodeProfile::hand_over(const core::Ip& with, Nanoseconds gap, bool relay) {
  for (Partner& p : partners_) {
    if (p.ip != with) continue;
    p.times = static_cast<std::uint16_t>(std::min(p.times + 1, 1000));
    p.shortest = std::min(p.shortest, gap);
    p.relay |= relay;
    return;
  }
  if (partners_.size() >= kMostPartners) partners_.erase(partners_.begin());
  partners_.push_back({with, 1, gap, relay});
}

bool NodeProfile::campaign(const CampaignDay& day) {
  if (std::ranges::find(campaigns_, day) != campaigns_.end()) return false;
  if (campaigns_.size() >= kMostCampaigns) campaigns_.erase(campaigns_.begin());
  campaigns_.push_back(day);
  return true;
}

void NodeProfile::halve() {
  for (Count& count : counts_) count.n /= 2;
  std::erase_if(counts_, [](const Count& count) { return count.n == 0; });
  count_kinds();
  for (Partner& p : partners_) p.times /= 2;
  std::erase_if(partners_, [](const Partner& p) { return p.times == 0; });
}

void NodeProfile::count_kinds() {
  totals_ = {};
  begin_ = {};
  for (const Count& count : counts_) {
    const auto kind = static_cast<std::size_t>(count.trait.kind);
    totals_[kind] = static_cast<std::uint16_t>(totals_[kind] + count.n);
    ++begin_[kind + 1];
  }
  for (std::size_t k = 1; k < begin_.size(); ++k) begin_[k] = static_cast<std::uint8_t>(begin_[k] + begin_[k - 1]);
}

template <typename Archive>
void NodeProfile::persist(Archive& a) {
  a.sequence(counts_, [&](Count& count) {
    persist_trait(a, count.trait);
    a.bounded(count.n, kMostCount);
  });
  a.sequence(partners_, [&](Partner& p) {
    a(p.ip);
    a.bounded(p.times, std::uint16_t{1000});
    a.moment(p.shortest);
    a(p.relay);
  });
  a.sequence(campaigns_, [&](CampaignDay& day) { persist_campaign(a, day); });
  if constexpr (Archive::kReads) {
    if (campaigns_.size() > kMostCampaigns) a.refuse("a node is of more campaigns than are kept of one");
    if (counts_.size() > 255 || partners_.size() > kMostPartners) {
      a.refuse("a node shows more than is kept of one");
      counts_.clear();
      partners_.clear();
    }
    if (!std::ranges::is_sorted(counts_, {}, [](const Count& count) { return count.trait.kind; })) {
      a.refuse("what a node shows is not in order");
      counts_.clear();
    }
    count_kinds();
  }
}
template void NodeProfile::persist(core::ArchiveWriter& a);
template void NodeProfile::persist(core::ArchiveReader& a);

std::string_view name(EvidenceGroup group) {
  switch (group) {
    case EvidenceGroup::kSoftware: return "software";
    case EvidenceGroup::kDevice: return "device";
    case EvidenceGroup::kTargets: return "targets";
    case EvidenceGroup::kRhythm: return "rhythm";
    case EvidenceGroup::kHandover: return "hand-over";
    case EvidenceGroup::kPlace: return "place";
    case EvidenceGroup::kLabel: return "label";
    case EvidenceGroup::kCampaign: return "campaign";
  }
  return "";
}

double sharing_factor(core::NetworkType type) {
  return type == core::NetworkType::kCgnat || type == core::NetworkType::kMobile ? 1.0 / 3 : 1;
}

bool says_something(const Trait& trait, const Surroundings& around) { return told_share(trait, around) < 1; }

double weight_of(const Trait& trait, const Surroundings& around) {
  const KindRule& how = rule(trait.kind);
  switch (how.model) {
    case Model::kShares: return how.concentration * around.share(trait);
    case Model::kMany: return -std::log(told_share(trait, around));
    case Model::kWeak: return std::min(kMostPlace, -0.1 * std::log(around.share(trait)));
    case Model::kNone: break;
  }
  return 0;
}

ShownValues shown_values(const NodeProfile& profile, const double* weights) {
  ShownValues out{};
  const double* weight = weights;
  for (const NodeProfile::Count& count : profile.counts()) {
    const bool nothing = weight != nullptr && *weight <= 0;
    if (weight != nullptr) ++weight;
    const bool silent = nothing && rule(count.trait.kind).model == Model::kMany;
    if (!silent) out[static_cast<std::size_t>(count.trait.kind)] |= value_bit(count.trait);
  }
  return out;
}

bool scans(const NodeProfile& profile) { return profile.distinct(TraitKind::kPortAsked) >= kScanPorts; }

std::span<const CampaignPart> campaign_parts(const NodeProfile& profile, const Surroundings& around,
                                             CampaignSpace& space) {
  std::size_t n = 0;
  for (const CampaignDay& day : profile.campaigns()) {
    const std::uint32_t whole = around.campaign(day.campaign);
    const auto at = around.campaigns.find(day);
    const double share = at == around.campaigns.end() ? 0 : at->second.share();
    const auto end = space.begin() + static_cast<std::ptrdiff_t>(n);
    const auto known = std::find_if(space.begin(), end, [&](const CampaignPart& p) { return p.whole == whole; });
    if (known == end) {
      space[n++] = {day.campaign, whole, share};
    } else {
      known->share = std::max(known->share, share);
    }
  }
  return std::span(space).first(n);
}

ScanPart scan_part(const NodeProfile& profile, const Surroundings& around) {
  ScanPart part;
  if (!scans(profile)) return part;
  for (const NodeProfile::Count& count : profile.counts(TraitKind::kPortAsked)) {
    if (part.telling < ScanPart::kMostDisjoint) part.telling -= std::log1p(-std::min(0.9, around.share(count.trait)));
    part.ports |= value_bit(count.trait);
  }
  part.telling = std::min(part.telling, ScanPart::kMostDisjoint);
  return part;
}

double disjoint(const ScanPart& a, const ScanPart& b, const NodeProfile& profile_a, const NodeProfile& profile_b) {
  if ((a.ports & b.ports) != 0) {
    for (const NodeProfile::Count& count : profile_a.counts(TraitKind::kPortAsked)) {
      if (profile_b.of(count.trait) != 0) return 0;
    }
  }
  return std::min(a.telling, b.telling);
}

Evidence compare(const Observed& a, const Observed& b, const Surroundings& around, bool if_linked) {
  Evidence out;
  const NodeProfile::Partner* handed = partner(a, b);
  if (one_person(*a.profile, *b.profile) && (handed == nullptr || !handed->relay)) {
    out.one_person = true;
    return out;
  }
  std::array<double, kEvidenceGroups> best{}, worst{}, further{};
  const auto take = [&](EvidenceGroup group, double nats) {
    const auto g = static_cast<std::size_t>(group);
    if (nats > best[g]) {
      further[g] += best[g];
      best[g] = nats;
    } else if (nats > 0) {
      further[g] += nats;
    }
    worst[g] = std::min(worst[g], nats);
  };
  const double factor = std::min(sharing_factor(a.type), sharing_factor(b.type));
  const auto settle = [&](std::size_t g) {
    const double nats = std::clamp(best[g] + kFurther * further[g] + worst[g], -kMostGroup, kMostGroup);
    out.groups[g] = nats > 0 ? factor * nats : nats;
  };
  const auto take_kind = [&](TraitKind, EvidenceGroup group, const KindEvidence& evidence) {
    take(group, evidence.nats);
  };
  constexpr auto kRhythm = EvidenceGroup::kRhythm;
  each_kind(a, b, around, [](EvidenceGroup group) { return group != kRhythm; }, take_kind);
  take(EvidenceGroup::kTargets, disjoint_scan(a, b, around));
  if (handed != nullptr) take(EvidenceGroup::kHandover, handover_nats(*handed));
  if (!a.profile->campaigns().empty() && !b.profile->campaigns().empty())
    take(EvidenceGroup::kCampaign, common_campaign(a, b, around).nats);
  for (std::size_t g = 0; g < kEvidenceGroups; ++g) settle(g);
  // The rhythm has most values, and of groups that speak it can only be one.
  if (if_linked && out.speaking() == 0) return out;
  each_kind(a, b, around, [](EvidenceGroup group) { return group == kRhythm; }, take_kind);
  settle(static_cast<std::size_t>(kRhythm));
  return out;
}

std::vector<Reason> reasons(const Observed& a, const Observed& b, const Surroundings& around) {
  std::vector<Reason> out;
  const NodeProfile::Partner* handed = partner(a, b);
  if (one_person(*a.profile, *b.profile) && (handed == nullptr || !handed->relay)) {
    out.push_back({EvidenceGroup::kTargets, 0, "both tried one and the same account only: one person explains it"});
    return out;
  }
  const auto any = [](EvidenceGroup) { return true; };
  each_kind(a, b, around, any, [&](TraitKind kind, EvidenceGroup group, const KindEvidence& evidence) {
    if (std::abs(evidence.nats) < 0.1) return;
    if (std::string text = sentence(kind, evidence, around); !text.empty())
      out.push_back({group, evidence.nats, std::move(text)});
  });
  if (const double nats = disjoint_scan(a, b, around); nats >= 0.1) {
    out.push_back(
        {EvidenceGroup::kTargets, nats,
         fmt::format("asked for {} and {} ports within a day and for none in common",
                     a.profile->distinct(TraitKind::kPortAsked), b.profile->distinct(TraitKind::kPortAsked))});
  }
  if (handed != nullptr) {
    out.push_back({EvidenceGroup::kHandover, handover_nats(*handed),
                   fmt::format("an account went on from one to the other {} time{}, {} s apart at least{}",
                               handed->times, handed->times == 1 ? "" : "s", handed->shortest / core::kSecond,
                               handed->relay ? ", and was used from three providers within a day" : "")});
  }
  if (const CommonCampaign common = common_campaign(a, b, around); common.nats >= 0.1) {
    out.push_back(
        {EvidenceGroup::kCampaign, common.nats,
         fmt::format("both are sources of finding {} or its operator's others; {:.0f} % such are beyond chance",
                     core::Symbol(common.campaign).text(), std::floor(100 * common.share))});
  }
  if (sharing_factor(a.type) < 1 || sharing_factor(b.type) < 1) {
    for (Reason& reason : out) {
      if (reason.nats > 0) reason.nats *= std::min(sharing_factor(a.type), sharing_factor(b.type));
    }
  }
  std::ranges::stable_sort(out, std::greater<>(), &Reason::nats);
  return out;
}

}  // namespace orbwatch::track

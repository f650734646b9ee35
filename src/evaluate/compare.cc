#include "evaluate/compare.h"

#include <absl/container/flat_hash_set.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace orbwatch::evaluate {
namespace {

using core::kDay;
using core::Nanoseconds;
using score::Finding;

// A finding and the set of its sources, made when somebody asks: most findings overlap no item at all.
class Compared {
 public:
  explicit Compared(const Finding& finding) : finding_(finding) {}

  bool overlaps(const TruthItem& item) const {
    return finding_.time <= item.end + kSlack && std::max(finding_.end, finding_.time) >= item.time - kSlack;
  }
  bool names_user(const TruthItem& item) const {
    const auto in_item = [&](const std::string& user) {
      return !user.empty() && std::ranges::find(item.users, user) != item.users.end();
    };
    return in_item(finding_.user) || std::ranges::any_of(finding_.users, in_item);
  }
  std::size_t shared_sources(const TruthItem& item) {
    const auto& own = sources();
    return static_cast<std::size_t>(
        std::ranges::count_if(item.sources, [&](const std::string& s) { return own.contains(s); }));
  }
  // Enough for an alert to be true.
  bool touches(const TruthItem& item) {
    if (!overlaps(item)) return false;
    if (sources().empty()) return names_user(item);
    return shared_sources(item) > 0 && !about_another(item);
  }
  // Others may have come through the same exit node while a user's finding lasts, for two weeks at most.
  bool about_another(const TruthItem& item) const {
    return is_intrusion(item) && finding_.kind == detect::FindingKind::kLogin && !finding_.user.empty() &&
           !names_user(item);
  }
  bool finds(const TruthItem& item) {
    if (!touches(item)) return false;
    if (item.kind != "spray" && item.kind != "slow-scan") return true;
    const std::size_t needed = std::min(kSharedSources, std::max<std::size_t>(1, (item.sources.size() + 1) / 2));
    return shared_sources(item) >= needed;
  }
  AlertClass worth(const Truth& truth) {
    bool aftermath = false;
    bool grey = false;
    for (const TruthItem& item : truth.items) {
      if (touches(item)) {
        if (!item.grey) return AlertClass::kTrue;
        grey = true;
      }
      aftermath |= is_intrusion(item) && finding_.time >= item.time - kSlack && finding_.time <= item.time + kDay &&
                   names_user(item);
    }
    return aftermath ? AlertClass::kAftermath : grey ? AlertClass::kGrey : AlertClass::kFalse;
  }

 private:
  const absl::flat_hash_set<std::string>& sources() {
    if (!sources_) {
      sources_.emplace();
      if (finding_.source.ip.present()) sources_->insert(finding_.source.ip.text());
      for (const score::SourceFacts& s : finding_.sources) {
        if (s.ip.present()) sources_->insert(s.ip.text());
      }
    }
    return *sources_;
  }

  const Finding& finding_;
  std::optional<absl::flat_hash_set<std::string>> sources_;
};

}  // namespace

bool is_intrusion(const TruthItem& item) {
  return item.kind == "covert-login" || item.kind == "credential-success-after-spray";
}

AlertClass classify(const Truth& truth, const Finding& finding) { return Compared(finding).worth(truth); }

bool finds(const Finding& finding, const TruthItem& item) { return Compared(finding).finds(item); }

std::vector<TruthItem> items_of(const Truth& truth) {
  std::vector<TruthItem> items;
  std::ranges::copy_if(truth.items, std::back_inserter(items), [](const TruthItem& item) { return !item.grey; });
  return items;
}

int day_of(const Truth& truth, Nanoseconds time) {
  const Nanoseconds since = time - truth.start;
  return std::clamp(static_cast<int>(since < 0 ? -1 : since / kDay), 0, std::max(truth.days - 1, 0));
}

std::vector<Judgement> compare(const Truth& truth, const std::vector<Finding>& findings) {
  const std::vector<TruthItem> items = items_of(truth);
  std::vector<Judgement> out;
  out.reserve(findings.size());
  for (const Finding& finding : findings) {
    Compared compared(finding);
    Judgement j;
    j.strength = finding.log_odds;
    j.worth = compared.worth(truth);
    j.day = day_of(truth, finding.time);
    j.kind = finding.kind;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (compared.finds(items[i])) j.finds.push_back(static_cast<std::uint32_t>(i));
    }
    for (const detect::Evidence& e : finding.evidence) j.lent += e.group == detect::Group::kWave ? e.llr : 0;
    j.evidence = finding.evidence.empty()
                     ? std::string(detect::name(finding.kind))
                     : fmt::format("{}: {}", detect::name(finding.kind), finding.evidence.front().kind);
    out.push_back(std::move(j));
  }
  return out;
}

}  // namespace orbwatch::evaluate

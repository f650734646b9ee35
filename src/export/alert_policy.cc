#include "export/alert_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "export/finding_words.h"

namespace orbwatch::exporting {
namespace {

using score::Finding;

constexpr std::string_view kMagic = "orbwatch-alerts 2";
constexpr std::string_view kMagicBefore = "orbwatch-alerts 1";  // without networks
constexpr std::size_t kLongestName = 256;

std::uint64_t size_of(const Finding& f) {
  return std::max<std::uint64_t>(f.source_count, f.sources.size()) +
         std::max<std::uint64_t>(f.user_count, f.users.size()) + f.records.size();
}

std::uint64_t networks_of(const Finding& f) {
  if (f.kind != detect::FindingKind::kLogin) return 0;
  std::vector<core::Prefix> networks;
  for (const score::TimelineEntry& step : f.timeline) {
    if (!step.alert) continue;
    const core::Prefix network = core::Prefix::neighbourhood(step.source.ip);
    if (std::ranges::find(networks, network) == networks.end()) networks.push_back(network);
  }
  return networks.size();
}

// One field of a line: no control characters, hence no tab and no line end.
std::string field(std::string_view text) { return one_line(text, kLongestName); }

template <typename Enum>
std::optional<Enum> read_enum(std::string_view text, Enum most) {
  const auto value = core::parse_number<unsigned>(text);
  if (!value || *value > static_cast<unsigned>(most)) return std::nullopt;
  return static_cast<Enum>(*value);
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTell: return "told";
    case Verdict::kBelowSeverity: return "below the minimum severity";
    case Verdict::kNoAlert: return "no alert";
    case Verdict::kOtherKind: return "kind not wanted";
    case Verdict::kTold: return "told before";
    case Verdict::kHeldBack: return "held back by the rate limit";
  }
  return "?";
}

Verdict AlertPolicy::judge(const Finding& f, core::Nanoseconds now) {
  const Verdict verdict = [&] {
    if (f.severity < rules_.minimum_severity) return Verdict::kBelowSeverity;
    if (rules_.alerts_only && !f.alert) return Verdict::kNoAlert;
    if (!rules_.kinds.empty() && std::ranges::find(rules_.kinds, f.kind) == rules_.kinds.end())
      return Verdict::kOtherKind;
    if (const auto known = state_.told.find(f.id); known != state_.told.end()) {
      const AlertState::Told& told = known->second;
      const double grown = static_cast<double>(size_of(f)) / static_cast<double>(std::max<std::uint64_t>(told.size, 1));
      if (f.severity <= told.severity && grown < rules_.grown_by && networks_of(f) <= told.networks)
        return Verdict::kTold;
    }
    return take_token(now) ? Verdict::kTell : Verdict::kHeldBack;
  }();
  ++counts_[static_cast<std::size_t>(verdict)];
  if (verdict != Verdict::kHeldBack) return verdict;
  if (state_.held_back_count++ == 0) state_.held_back_first = now;
  state_.held_back_last = now;
  if (state_.held_back.size() < Finding::kMostListed) {
    const auto sources = sources_of(f);
    const auto users = users_of(f);
    state_.held_back.push_back({field(f.id), f.kind, f.severity, users.empty() ? "" : field(users[0]),
                                sources.empty() ? "" : sources[0]->ip.text()});
  }
  remember(f, now);
  return verdict;
}

void AlertPolicy::told(const Finding& finding, core::Nanoseconds now) { remember(finding, now); }

bool AlertPolicy::take_token(core::Nanoseconds now) {
  const double burst = std::max(rules_.burst, 1.0);
  if (state_.tokens < 0) {
    state_.tokens = burst;
    state_.refilled = now;
  }
  // A clock that was set back: from here on.
  if (now > state_.refilled) {
    const double hours = static_cast<double>(now - state_.refilled) / static_cast<double>(core::kHour);
    state_.tokens = std::min(burst, state_.tokens + hours * rules_.per_hour);
  }
  state_.refilled = now;
  constexpr double kRounding = 1e-6;  // many small gains sum up to a little less
  if (state_.tokens < 1 - kRounding) return false;
  state_.tokens = std::max(state_.tokens - 1, 0.0);
  return true;
}

void AlertPolicy::remember(const Finding& finding, core::Nanoseconds now) {
  const std::string id = field(finding.id);
  if (state_.told.size() >= AlertState::kMostTold && !state_.told.contains(id)) {
    // A tenth at once, so that it is not done for each finding.
    std::vector<std::pair<core::Nanoseconds, std::string>> by_time;
    by_time.reserve(state_.told.size());
    for (const auto& [other, told] : state_.told) by_time.emplace_back(told.time, other);
    const auto cut = by_time.begin() + static_cast<std::ptrdiff_t>(AlertState::kMostTold / 10);
    std::ranges::nth_element(by_time, cut);
    for (auto it = by_time.begin(); it != cut; ++it) state_.told.erase(it->second);
    forgotten_ += AlertState::kMostTold / 10;
  }
  state_.told[id] = {finding.severity, size_of(finding), now, networks_of(finding)};
}

std::optional<Finding> AlertPolicy::due(core::Nanoseconds now) {
  if (state_.held_back_count == 0 || !take_token(now)) return std::nullopt;
  Finding f;
  const auto strongest = std::ranges::max_element(state_.held_back, {}, &AlertState::HeldBack::severity);
  f.kind = strongest->kind;
  f.severity = strongest->severity;
  f.alert = true;
  f.time = state_.held_back_first;
  f.end = state_.held_back_last;
  f.id = fmt::format("{:016x}", static_cast<std::uint64_t>(state_.held_back_first) ^ state_.held_back_count);
  f.hypothesis = fmt::format(
      "{} alerts came faster than the rate limit of this output lets through; they are listed here{}",
      state_.held_back_count,
      state_.held_back_count > state_.held_back.size() ? fmt::format(", the first {} by name", state_.held_back.size())
                                                       : std::string());
  for (const AlertState::HeldBack& held : state_.held_back) {
    detect::Evidence evidence;
    evidence.kind = kHeldBackEvidence;
    evidence.detector = kHeldBackEvidence;
    evidence.finding = held.kind;
    evidence.says = fmt::format("{}: {}, {}", held.id, name(held.kind), name(held.severity));
    if (!held.user.empty()) evidence.says += ", " + held.user;
    if (!held.source.empty()) evidence.says += " from " + held.source;
    f.evidence.push_back(std::move(evidence));
    if (!held.user.empty() && std::ranges::find(f.users, held.user) == f.users.end()) f.users.push_back(held.user);
    if (const auto ip = core::Ip::parse(held.source)) {
      f.sources.emplace_back();
      f.sources.back().ip = *ip;
    }
  }
  f.advice = "Look these findings up by their ids.";
  return f;
}

void AlertPolicy::forget_held_back() {
  state_.held_back.clear();
  state_.held_back_count = 0;
  state_.held_back_first = state_.held_back_last = 0;
}

std::string AlertState::text() const {
  std::string out = fmt::format("{}\n", kMagic);
  // In thousandths: a double's text would depend on how it is printed.
  out +=
      fmt::format("tokens\t{}\t{}\n", tokens < 0 ? -1 : static_cast<std::int64_t>(std::floor(tokens * 1000)), refilled);
  for (const auto& [id, t] : told) {
    out += fmt::format("told\t{}\t{}\t{}\t{}\t{}\n", static_cast<unsigned>(t.severity), t.size, t.time, t.networks, id);
  }
  if (held_back_count != 0)
    out += fmt::format("held-back\t{}\t{}\t{}\n", held_back_count, held_back_first, held_back_last);
  for (const HeldBack& h : held_back) {
    out += fmt::format("held\t{}\t{}\t{}\t{}\t{}\n", static_cast<unsigned>(h.kind), static_cast<unsigned>(h.severity),
                       h.id, h.user, h.source);
  }
  return out;
}

core::Expected<AlertState> AlertState::parse(std::string_view text) {
  AlertState state;
  std::size_t number = 1;
  const auto wrong = [&number](std::string_view line) {
    return core::fail(fmt::format("the state of the alerts is damaged in line {}", number), core::printable(line, 100),
                      "remove the file: alerts may then be told again");
  };
  const std::string_view magic = core::take_until(text, '\n');
  if (magic != kMagic && magic != kMagicBefore) return wrong(magic);
  while (!text.empty()) {
    ++number;
    const std::string_view line = core::take_until(text, '\n');
    std::string_view rest = line;
    const auto next = [&rest] { return core::take_until(rest, '\t'); };
    const auto number_of = [&] { return core::parse_number<std::int64_t>(next()); };
    const std::string_view what = next();
    if (what == "tokens") {
      const auto tokens = number_of(), refilled = number_of();
      if (!tokens || !refilled) return wrong(line);
      state.tokens = *tokens < 0 ? -1 : static_cast<double>(*tokens) / 1000;
      state.refilled = *refilled;
    } else if (what == "told") {
      const auto severity = read_enum(next(), score::Severity::kCritical);
      const auto size = core::parse_number<std::uint64_t>(next());
      const auto time = number_of();
      std::optional<std::uint64_t> networks = kNetworksUnknown;
      if (magic == kMagic) networks = core::parse_number<std::uint64_t>(next());
      if (!severity || !size || !time || !networks || state.told.size() >= kMostTold) return wrong(line);
      state.told[std::string(rest)] = {*severity, *size, *time, *networks};
    } else if (what == "held-back") {
      const auto count = core::parse_number<std::uint64_t>(next());
      const auto first = number_of(), last = number_of();
      if (!count || !first || !last) return wrong(line);
      state.held_back_count = *count;
      state.held_back_first = *first;
      state.held_back_last = *last;
    } else if (what == "held") {
      const auto kind = read_enum(next(), detect::FindingKind::kDevice);
      const auto severity = read_enum(next(), score::Severity::kCritical);
      if (!kind || !severity || state.held_back.size() >= score::Finding::kMostListed) return wrong(line);
      const std::string_view id = next(), user = next(), source = next();
      state.held_back.push_back({std::string(id), *kind, *severity, std::string(user), std::string(source)});
    } else {
      return wrong(line);
    }
  }
  if (state.held_back.size() > state.held_back_count || (state.held_back.empty() && state.held_back_count != 0))
    return wrong("held-back");
  return state;
}

}  // namespace orbwatch::exporting

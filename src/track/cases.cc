#include "track/cases.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "score/combine.h"

namespace orbwatch::track {
namespace {

using core::Nanoseconds;
using detect::Evidence;
using detect::FindingKind;
using score::Finding;

// A duration beyond this is damage; it must not hold a finding open for ever.
constexpr Nanoseconds kLongest = 366 * core::kDay;

// A further event joins if it comes within this time of the last one.
Nanoseconds joins_within(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLogin: return baseline::kProbation;
    case FindingKind::kSpray: return 12 * core::kHour;
    case FindingKind::kRecon: return 36 * core::kHour;
    default: return 30 * core::kDay;
  }
}

std::string login_key(const event::Event& e) {
  return fmt::format("login|{}|{}", e.user.text(), core::Prefix::neighbourhood(e.source_ip).text());
}

std::string id_of(FindingKind kind, Nanoseconds time, std::string_view key) {
  return fmt::format("{:016x}", core::hash64(fmt::format("{}|{}|{}", detect::name(kind), time, key)));
}

std::string key_of(const Scored& s) {
  const event::Event& e = *s.event;
  switch (s.kind) {
    case FindingKind::kLogin: return login_key(e);
    case FindingKind::kSpray: return "spray";
    case FindingKind::kRecon: return "recon";
    case FindingKind::kExposure: return fmt::format("exposure|{}|{}", s.device, e.observer.text());
    case FindingKind::kDevice: return fmt::format("device|{}", s.device);
    default: return fmt::format("{}|{}", detect::name(s.kind), e.source_ip.text());
  }
}

// Of two pieces of one kind the stronger stays, or the later if it corrects the other.
void merge_evidence(std::vector<Evidence>& into, std::vector<Evidence>& from, bool corrects) {
  for (Evidence& e : from) {
    const auto same = std::find_if(into.begin(), into.end(), [&](const Evidence& x) { return x.kind == e.kind; });
    if (same == into.end()) {
      into.push_back(std::move(e));
    } else if (corrects || e.llr > same->llr) {
      *same = std::move(e);
    }
  }
}

}  // namespace

void Cases::add(Scored s) {
  std::string key = key_of(s);
  if (s.again) {
    if (const std::size_t found = find(key, *s.event); found < findings_.size()) {
      merge(findings_[found], s);
      note_change(found);
      return;
    }
  } else if (const auto found = open_.find(key); found != open_.end()) {
    Entry& entry = findings_[found->second];
    if (s.event->time <= entry.finding.end + joins_within(s.kind)) {
      merge(entry, s);
      note_change(found->second);
      return;
    }
  }
  if (findings_.size() >= kMostFindings) make_room();
  Entry entry;
  Finding& f = entry.finding;
  f.kind = s.kind;
  f.time = f.end = s.event->time;
  f.log_odds = s.log_odds;
  f.id = id_of(s.kind, f.time, key);
  merge(entry, s);
  if (s.kind == FindingKind::kLogin) by_id_[f.id] = findings_.size();
  open_[std::move(key)] = findings_.size();
  findings_.push_back(std::move(entry));
  note_change(findings_.size() - 1);
}

void Cases::note_change(std::size_t at) {
  if (findings_[at].changed) return;
  findings_[at].changed = true;
  changed_.push_back(at);
}

bool Cases::joins(const event::Event& login) const {
  const auto open = open_.find(login_key(login));
  return open != open_.end() && login.time <= findings_[open->second].finding.end + joins_within(FindingKind::kLogin);
}

std::string_view Cases::finding_of(const event::Event& login) const {
  const std::size_t at = find(login_key(login), login);
  return at < findings_.size() ? std::string_view(findings_[at].finding.id) : std::string_view();
}

std::vector<baseline::Client> Cases::clients_of(std::string_view id) const {
  const auto found = by_id_.find(std::string(id));
  return found == by_id_.end() ? std::vector<baseline::Client>() : findings_[found->second].clients;
}

std::vector<Nanoseconds> Cases::logins_of(std::string_view id) const {
  std::vector<Nanoseconds> times;
  if (const auto found = by_id_.find(std::string(id)); found != by_id_.end()) {
    for (const auto& [time, log_odds] : findings_[found->second].logins) times.push_back(time);
  }
  std::ranges::sort(times);
  return times;
}

void Cases::touch(const std::function<bool(const Finding&)>& which) {
  for (std::size_t i = 0; i < findings_.size(); ++i) {
    if (which(findings_[i].finding)) note_change(i);
  }
}

bool Cases::has(const event::Event& login) const { return find(login_key(login), login) < findings_.size(); }

std::size_t Cases::find(const std::string& key, const event::Event& login) const {
  const auto began = by_id_.find(id_of(FindingKind::kLogin, login.time, key));
  if (began != by_id_.end()) return began->second;
  const auto open = open_.find(key);
  if (open == open_.end()) return SIZE_MAX;
  const Finding& f = findings_[open->second].finding;
  return login.time >= f.time && login.time <= f.end ? open->second : SIZE_MAX;
}

// The log-odds of the finding with this score in it.
double Cases::score_with(Entry& entry, const Scored& s) {
  if (s.kind != FindingKind::kLogin) return std::max(entry.finding.log_odds, s.log_odds);
  auto& logins = entry.logins;
  const auto known = std::ranges::find(logins, s.event->time, &std::pair<Nanoseconds, double>::first);
  if (known == logins.end() && logins.size() >= Finding::kMostListed)
    return std::max(entry.finding.log_odds, s.log_odds);
  if (known == logins.end()) {
    logins.emplace_back(s.event->time, s.log_odds);
  } else {
    known->second = s.again ? s.log_odds : std::max(known->second, s.log_odds);
  }
  return std::ranges::max(logins, {}, &std::pair<Nanoseconds, double>::second).second;
}

void Cases::merge(Entry& entry, Scored& s) {
  Finding& f = entry.finding;
  const event::Event& e = *s.event;
  f.time = std::min(f.time, e.time);
  f.end = std::max(f.end, e.time + std::clamp<Nanoseconds>(e.duration, 0, kLongest));
  f.log_odds = score_with(entry, s);
  const bool strongest = s.log_odds >= f.log_odds || f.evidence.empty();
  const bool corrects = s.again && strongest;
  if (corrects && entry.logins.size() == 1) f.evidence.clear();  // it says all there is to say
  merge_evidence(f.evidence, s.evidence, corrects);
  std::sort(f.evidence.begin(), f.evidence.end(),
            [](const Evidence& a, const Evidence& b) { return a.llr != b.llr ? a.llr > b.llr : a.kind < b.kind; });
  if (strongest) {
    f.hypothesis = s.hypothesis;
    f.attack.clear();
    std::string_view rest = s.technique;
    while (!rest.empty()) f.attack.emplace_back(core::take_until(rest, ','));
    f.source = s.source;
    if (e.user.present()) f.user = e.user.text();
    if (e.observer.present()) f.gateway = e.observer.text();
    f.outcome = event::name(e.outcome);
    if (!s.device.empty()) f.device = s.device;
  }
  if (s.new_client.present() && entry.clients.size() < kMostClients &&
      std::ranges::find(entry.clients, s.new_client) == entry.clients.end())
    entry.clients.push_back(s.new_client);
  // Sets are bounded as well: beyond kMostFindings members the counts are lower bounds.
  if (e.source_ip.present() && entry.sources.size() < kMostFindings && entry.sources.insert(e.source_ip).second) {
    ++f.source_count;
    if (f.sources.size() < Finding::kMostListed) f.sources.push_back(s.source);
  }
  if (e.user.present() && entry.users.size() < kMostFindings && entry.users.insert(std::string(e.user.text())).second) {
    ++f.user_count;
    if (f.users.size() < Finding::kMostListed) f.users.emplace_back(e.user.text());
  }
  for (score::RecordPlace& place : s.records) {
    if (f.records.size() >= Finding::kMostListed) break;
    // A log-in may be judged twice.
    const bool listed = std::ranges::any_of(f.records, [&](const score::RecordPlace& r) {
      return r.offset == place.offset && r.line == place.line && r.file == place.file;
    });
    if (!listed) f.records.push_back(std::move(place));
  }
}

// Drops the weakest quarter; of equals the oldest go first.
void Cases::make_room() {
  std::vector<std::size_t> order(findings_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto dropped = order.begin() + static_cast<std::ptrdiff_t>((order.size() + 3) / 4);
  std::nth_element(order.begin(), dropped, order.end(), [&](std::size_t a, std::size_t b) {
    const Finding& x = findings_[a].finding;
    const Finding& y = findings_[b].finding;
    if (x.log_odds != y.log_odds) return x.log_odds < y.log_odds;
    return x.end != y.end ? x.end < y.end : a < b;
  });
  std::vector<bool> gone(findings_.size());
  for (auto it = order.begin(); it != dropped; ++it) gone[*it] = true;
  dropped_ += static_cast<std::uint64_t>(dropped - order.begin());
  drop(gone);
}

void Cases::drop(const std::vector<bool>& gone) {
  std::vector<std::size_t> moved(findings_.size(), SIZE_MAX);
  std::vector<Entry> kept;
  kept.reserve(findings_.size());
  for (std::size_t i = 0; i < findings_.size(); ++i) {
    if (gone[i]) {
      if (tells_of_all_ && findings_[i].changed) leaving_.push_back(std::move(findings_[i].finding));
      continue;
    }
    moved[i] = kept.size();
    kept.push_back(std::move(findings_[i]));
  }
  findings_ = std::move(kept);
  for (auto* index : {&open_, &by_id_}) {
    absl::erase_if(*index, [&](auto& item) {
      item.second = moved[item.second];
      return item.second == SIZE_MAX;
    });
  }
  for (std::size_t& at : changed_) at = moved[at];
  std::erase(changed_, SIZE_MAX);
}

void Cases::forget_closed(Nanoseconds now) {
  std::vector<bool> gone(findings_.size());
  bool any = false;
  for (std::size_t i = 0; i < findings_.size(); ++i) {
    const Entry& entry = findings_[i];
    gone[i] = entry.finding.end + joins_within(entry.finding.kind) + kKeptClosed < now;
    any |= gone[i];
  }
  if (any) drop(gone);
}

namespace {

// What a reader sees of it.
void complete(Finding& f) {
  f.score = score::probability(f.log_odds);
  f.severity = score::severity_of(f.kind, f.score);
  f.advice = score::advice_for(f);
  std::sort(f.users.begin(), f.users.end());
  // A single one is told by `user` and `source`.
  if (f.source_count > 1) {
    f.source = {};
  } else {
    f.sources.clear();
  }
  if (f.user_count > 1) {
    f.user.clear();
  } else {
    f.users.clear();
  }
}

}  // namespace

void Cases::changed(const std::function<void(Finding&)>& visit) {
  for (Finding& left : leaving_) {
    complete(left);
    visit(left);
  }
  leaving_.clear();
  for (const std::size_t at : changed_) {
    findings_[at].changed = false;
    Finding now = findings_[at].finding;
    complete(now);
    visit(now);
    if (!now.suppressed_by.id.empty()) findings_[at].finding.suppressed_by.id = std::move(now.suppressed_by.id);
  }
  changed_.clear();
}

std::vector<Finding> Cases::take() {
  std::vector<Finding> out;
  out.reserve(findings_.size());
  for (Entry& entry : findings_) {
    Finding& f = entry.finding;
    complete(f);
    out.push_back(std::move(f));
  }
  findings_.clear();
  open_.clear();
  by_id_.clear();
  changed_.clear();
  std::sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) {
    if (a.log_odds != b.log_odds) return a.log_odds > b.log_odds;
    if (a.time != b.time) return a.time < b.time;
    return a.id < b.id;
  });
  return out;
}

}  // namespace orbwatch::track

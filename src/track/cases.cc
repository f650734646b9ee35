#include "track/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

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

const std::string kSprayKey = "spray";
const std::string kOrdinaryGuessingKey = "spray|ordinary";  // of what does not stand out
// detect/distributed_spray.cc
constexpr std::string_view kSprayerSuccess = "sprayer-success";
constexpr std::string_view kAfterSpray = "after-spray";

// A further event joins if it comes within this time of the last one.
Nanoseconds joins_within(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLogin: return baseline::kProbation;
    case FindingKind::kSpray: return 36 * core::kHour;
    case FindingKind::kRecon: return 36 * core::kHour;
    default: return 30 * core::kDay;
  }
}

// How long what does not stand out is listed with what does.
constexpr Nanoseconds kTail = 12 * core::kHour;

// Strangers fail every day. What the evidence speaks for by some degree is a finding of its own, so that the days
// before and after it do not belong to it.
bool stands_out(FindingKind kind, double log_odds) {
  return kind != FindingKind::kSpray || log_odds >= score::prior_log_odds(kind) + 1;
}

// Of what begins a finding: its id goes by the network, too.
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
    case FindingKind::kSpray: return kSprayKey;
    case FindingKind::kRecon: return "recon";
    case FindingKind::kExposure: return fmt::format("exposure|{}|{}", s.device, e.observer.text());
    case FindingKind::kDevice: return fmt::format("device|{}", s.device);
    default: return fmt::format("{}|{}", detect::name(s.kind), e.source_ip.text());
  }
}

// Of two pieces of one kind the stronger stays.
void merge_evidence(std::vector<Evidence>& into, std::vector<Evidence>& from) {
  for (Evidence& e : from) {
    const auto same = std::find_if(into.begin(), into.end(), [&](const Evidence& x) { return x.kind == e.kind; });
    if (same == into.end()) {
      into.push_back(std::move(e));
    } else if (e.llr > same->llr) {
      *same = std::move(e);
    }
  }
}

void sort_evidence(std::vector<Evidence>& evidence) {
  std::sort(evidence.begin(), evidence.end(),
            [](const Evidence& a, const Evidence& b) { return a.llr != b.llr ? a.llr > b.llr : a.kind < b.kind; });
}

std::vector<std::string> techniques(std::string_view rest) {
  std::vector<std::string> out;
  while (!rest.empty()) out.emplace_back(core::take_until(rest, ','));
  return out;
}

bool is_from(const core::Ip& ip, std::span<const core::Ip> sources) {
  return !ip.present() || std::ranges::find(sources, ip) != sources.end();
}

bool comes_after_a_try(const std::vector<Evidence>& evidence) {
  return std::ranges::any_of(evidence,
                             [](const Evidence& e) { return e.kind == kSprayerSuccess || e.kind == kAfterSpray; });
}

// Whether a log-in of this time may be part of the finding; one that is judged late may lie before it.
bool in_reach(const Finding& f, Nanoseconds time) {
  const Nanoseconds within = joins_within(FindingKind::kLogin);
  if (time < f.time) return f.time - time <= within && f.end - time <= kLongestCase;
  return time <= f.end + within && time <= f.time + kLongestCase;
}

}  // namespace

void Story::add(const Session& session) {
  if (sessions.size() >= kMostSessions) return;
  const bool known =
      std::ranges::any_of(sessions, [&](const Session& s) { return s.end == session.end && s.ip == session.ip; });
  if (!known) sessions.push_back(session);
}

// What nobody's name stands on belongs together by its network.
std::string Cases::user_key(std::string_view user, const core::Ip& ip) {
  return user.empty() ? "|" + core::Prefix::neighbourhood(ip).text() : std::string(user);
}

std::string Cases::add(Scored s) {
  const std::string key = key_of(s);
  if (const std::size_t home = home_of(key, s); home < findings_.size()) {
    if (s.kind == FindingKind::kSpray && stands_out(s.kind, s.log_odds)) {
      open_[kSprayKey] = home;
      if (const auto other = open_.find(kOrdinaryGuessingKey); other != open_.end() && other->second == home)
        open_.erase(other);
    }
    merge(findings_[home], s);
    note_change(home);
    return findings_[home].finding.id;
  }
  if (findings_.size() >= kMostFindings) make_room();
  Entry entry;
  Finding& f = entry.finding;
  f.kind = s.kind;
  f.time = f.end = s.event->time;
  f.log_odds = s.log_odds;
  f.id = id_of(s.kind, f.time, key);
  const event::Event& e = *s.event;
  if (s.kind == FindingKind::kLogin) {
    by_id_[f.id] = findings_.size();
    by_user_[user_key(e.user.text(), e.source_ip)].push_back(findings_.size());
  } else {
    open_[stands_out(s.kind, s.log_odds) ? key : kOrdinaryGuessingKey] = findings_.size();
  }
  merge(entry, s);
  findings_.push_back(std::move(entry));
  note_change(findings_.size() - 1);
  return findings_.back().finding.id;
}

std::size_t Cases::home_of(const std::string& key, const Scored& s) const {
  if (s.kind == FindingKind::kLogin) {
    const std::size_t held = s.again ? find(*s.event) : SIZE_MAX;
    return held < findings_.size() ? held : open_to(*s.event, s.weak);
  }
  const auto open = [&](const std::string& by, Nanoseconds within) {
    const auto found = open_.find(by);
    if (found == open_.end()) return SIZE_MAX;
    return s.event->time <= findings_[found->second].finding.end + within ? found->second : SIZE_MAX;
  };
  if (stands_out(s.kind, s.log_odds)) {
    const std::size_t home = open(key, joins_within(s.kind));
    if (home != SIZE_MAX || s.kind != FindingKind::kSpray) return home;
    // What stands out was counted over a day.
    const std::size_t begun = open(kOrdinaryGuessingKey, kTail);
    return begun != SIZE_MAX && s.event->time <= findings_[begun].finding.time + core::kDay ? begun : SIZE_MAX;
  }
  const std::size_t home = open(key, kTail);
  return home != SIZE_MAX ? home : open(kOrdinaryGuessingKey, kTail);
}

void Cases::note_change(std::size_t at) {
  if (findings_[at].changed) return;
  findings_[at].changed = true;
  changed_.push_back(at);
}

const std::vector<std::size_t>* Cases::findings_of(const event::Event& login) const {
  const auto found = by_user_.find(user_key(login.user.text(), login.source_ip));
  return found == by_user_.end() ? nullptr : &found->second;
}

const Cases::Login* Cases::listed(const Entry& entry, const event::Event& login) {
  const auto found = std::ranges::find_if(entry.logins, [&](const Login& l) {
    return l.time == login.time &&
           (l.ip == login.source_ip || (!l.ip.present() && knows_network(entry, login.source_ip)));
  });
  return found == entry.logins.end() ? nullptr : &*found;
}

bool Cases::knows_network(const Entry& entry, const core::Ip& ip) {
  const core::Prefix network = core::Prefix::neighbourhood(ip);
  return std::ranges::any_of(entry.finding.sources,
                             [&](const score::SourceFacts& source) { return network.contains(source.ip); });
}

// The newest that it may join.
std::size_t Cases::open_to(const event::Event& login, bool weak) const {
  const std::vector<std::size_t>* all = findings_of(login);
  if (all == nullptr) return SIZE_MAX;
  for (auto at = all->rbegin(); at != all->rend(); ++at) {
    const Entry& entry = findings_[*at];
    if (in_reach(entry.finding, login.time) && (!weak || knows_network(entry, login.source_ip))) return *at;
  }
  return SIZE_MAX;
}

bool Cases::joins(const event::Event& login) const { return open_to(login, true) < findings_.size(); }

std::string_view Cases::finding_of(const event::Event& login) const {
  const std::size_t at = find(login);
  return at < findings_.size() ? std::string_view(findings_[at].finding.id) : std::string_view();
}

std::vector<baseline::Client> Cases::clients_of(std::string_view id, std::span<const core::Ip> sources) const {
  std::vector<baseline::Client> clients;
  const auto found = by_id_.find(std::string(id));
  if (found == by_id_.end()) return clients;
  for (const Login& login : findings_[found->second].logins) {
    if (clients.size() >= kMostClients) break;
    if (!login.new_client.present() || !is_from(login.ip, sources)) continue;
    if (std::ranges::find(clients, login.new_client) == clients.end()) clients.push_back(login.new_client);
  }
  return clients;
}

std::vector<Nanoseconds> Cases::logins_of(std::string_view id, std::span<const core::Ip> sources) const {
  std::vector<Nanoseconds> times;
  if (const auto found = by_id_.find(std::string(id)); found != by_id_.end()) {
    for (const Login& login : findings_[found->second].logins) {
      if (is_from(login.ip, sources)) times.push_back(login.time);
    }
  }
  std::ranges::sort(times);
  return times;
}

void Cases::touch(const std::function<bool(const Finding&)>& which) {
  for (std::size_t i = 0; i < findings_.size(); ++i) {
    if (which(findings_[i].finding)) note_change(i);
  }
}

void Cases::each(const std::function<void(const Finding&)>& visit) const {
  for (const Entry& entry : findings_) visit(entry.finding);
}

bool Cases::has(const event::Event& login) const { return find(login) < findings_.size(); }

std::size_t Cases::find(const event::Event& login) const {
  const std::vector<std::size_t>* all = findings_of(login);
  std::size_t around = SIZE_MAX;
  if (all == nullptr) return around;
  for (auto at = all->rbegin(); at != all->rend(); ++at) {
    const Entry& entry = findings_[*at];
    if (login.time < entry.finding.time || login.time > entry.finding.end) continue;
    if (listed(entry, login) != nullptr) return *at;
    if (around == SIZE_MAX && knows_network(entry, login.source_ip)) around = *at;
  }
  return around;
}

void Cases::merge(Entry& entry, Scored& s) {
  Finding& f = entry.finding;
  const event::Event& e = *s.event;
  f.time = std::min(f.time, e.time);
  if (stands_out(s.kind, s.log_odds) || !stands_out(s.kind, f.log_odds))
    f.end = std::max(f.end, e.time + std::clamp<Nanoseconds>(e.duration, 0, kLongest));
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
    const bool known = std::ranges::any_of(f.records, [&](const score::RecordPlace& r) {
      return r.offset == place.offset && r.line == place.line && r.file == place.file;
    });
    if (!known) f.records.push_back(std::move(place));
  }
  if (s.kind == FindingKind::kLogin) {
    merge_login(entry, s);
    return;
  }
  const bool strongest = s.log_odds >= f.log_odds || f.evidence.empty();
  f.log_odds = std::max(f.log_odds, s.log_odds);
  merge_evidence(f.evidence, s.evidence);
  sort_evidence(f.evidence);
  if (!strongest) return;
  f.hypothesis = s.hypothesis;
  f.attack = techniques(s.technique);
  f.source = s.source;
  if (e.user.present()) f.user = e.user.text();
  if (e.observer.present()) f.gateway = e.observer.text();
  f.outcome = event::name(e.outcome);
  if (!s.device.empty()) f.device = s.device;
}

void Cases::merge_login(Entry& entry, Scored& s) {
  const event::Event& e = *s.event;
  if (e.user.present()) entry.finding.user = e.user.text();
  if (comes_after_a_try(s.evidence)) relate(entry, e, s.source);
  auto* login = const_cast<Login*>(listed(entry, e));
  if (login == nullptr) {
    if (entry.logins.size() < Finding::kMostListed) {
      login = &entry.logins.emplace_back();
    } else {
      const auto weakest = std::ranges::min_element(entry.logins, {}, &Login::log_odds);
      if (weakest->log_odds >= s.log_odds) return;
      login = &*weakest;
    }
    *login = {};
  } else if (!s.again && s.log_odds < login->log_odds) {
    return;
  }
  login->time = e.time;
  login->ip = e.source_ip;
  login->log_odds = s.log_odds;
  login->evidence = std::move(s.evidence);
  sort_evidence(login->evidence);
  login->hypothesis = s.hypothesis;
  login->techniques = techniques(s.technique);
  login->outcome = event::name(e.outcome);
  login->gateway = e.observer.text();
  login->source = std::move(s.source);
  login->tried_from = std::move(s.tried_from);
  if (s.new_client.present()) login->new_client = s.new_client;
  login->story = std::move(s.story);
  speak_of_strongest(entry);
}

// Of equals the first speaks, so that the order in which they were judged does not show.
void Cases::speak_of_strongest(Entry& entry) {
  const Login& best = *std::ranges::max_element(entry.logins, [](const Login& a, const Login& b) {
    if (a.evidence.empty() != b.evidence.empty()) return a.evidence.empty();  // it is listed, and no more
    if (a.log_odds != b.log_odds) return a.log_odds < b.log_odds;
    return a.time != b.time ? a.time > b.time : a.ip > b.ip;
  });
  Finding& f = entry.finding;
  f.log_odds = best.log_odds;
  f.evidence = best.evidence;
  f.hypothesis = best.hypothesis;
  f.attack = best.techniques;
  f.source = best.source;
  f.gateway = best.gateway;
  f.outcome = best.outcome;
}

// The spray that is going on and the log-in after a try of it name each other.
void Cases::relate(Entry& entry, const event::Event& e, const score::SourceFacts& source) {
  auto open = open_.find(kSprayKey);
  if (open == open_.end() || e.time > findings_[open->second].finding.end + joins_within(FindingKind::kSpray))
    open = open_.find(kOrdinaryGuessingKey);
  if (open == open_.end()) return;
  Entry& spray = findings_[open->second];
  Finding& f = spray.finding;
  if (e.time < f.time || e.time > f.end + joins_within(FindingKind::kSpray)) return;
  if (entry.finding.related.empty()) entry.finding.related = f.id;
  const bool known = std::ranges::any_of(f.timeline, [&](const score::TimelineEntry& told) {
    return told.time == e.time && told.source.ip == e.source_ip && told.finding == entry.finding.id;
  });
  if (known) return;
  ++f.timeline_count;
  if (f.timeline.size() < Finding::kMostListed) {
    score::TimelineEntry& told = f.timeline.emplace_back();
    told.time = e.time;
    told.source = source;
    told.finding = entry.finding.id;
    told.says = fmt::format("{} logged in from {} after a try", e.user.present() ? e.user.text() : "somebody",
                            e.source_ip.text());
    std::ranges::stable_sort(f.timeline, {}, &score::TimelineEntry::time);
  }
  note_change(open->second);
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
      if (tells_of_all_ && findings_[i].changed)
        leaving_.push_back(complete(findings_[i], std::move(findings_[i].finding)));
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
  absl::erase_if(by_user_, [&](auto& item) {
    for (std::size_t& at : item.second) at = moved[at];
    std::erase(item.second, SIZE_MAX);
    return item.second.empty();
  });
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

std::string size_text(std::uint64_t bytes) {
  const auto n = static_cast<double>(bytes);
  if (bytes < 1'000) return fmt::format("{} bytes", bytes);
  if (bytes < 1'000'000) return fmt::format("{:.0f} kB", n / 1e3);
  if (bytes < 1'000'000'000) return fmt::format("{:.0f} MB", n / 1e6);
  return fmt::format("{:.1f} GB", n / 1e9);
}

std::string length_text(Nanoseconds length) {
  const auto n = static_cast<double>(length);
  if (length < core::kMinute) return fmt::format("{:.0f} seconds", n / static_cast<double>(core::kSecond));
  if (length < core::kHour) return fmt::format("{:.0f} minutes", n / static_cast<double>(core::kMinute));
  if (length < 2 * core::kDay) return fmt::format("{:.1f} hours", n / static_cast<double>(core::kHour));
  return fmt::format("{:.1f} days", n / static_cast<double>(core::kDay));
}

// "lasted 3.2 hours, 1.2 GB to the client, 40 MB from it".
std::string session_text(const baseline::SessionShape& shape) {
  std::string out = shape.length > 0 ? "lasted " + length_text(shape.length) : "ended";
  if (shape.has_volume())
    out += fmt::format(", {} to the client, {} from it", size_text(shape.destination_bytes),
                       size_text(shape.source_bytes));
  return out;
}

auto order(const score::TimelineEntry& e) { return std::tuple(e.time, e.what, e.source.ip); }

// Each step once: two log-ins may have the same try before them.
void add_step(std::vector<score::TimelineEntry>& all, score::TimelineEntry step) {
  if (std::ranges::find(all, order(step), order) == all.end()) all.push_back(std::move(step));
}

}  // namespace

// What a reader sees of it.
Finding Cases::complete(const Entry& entry, Finding f) {
  f.score = score::probability(f.log_odds);
  f.severity = score::severity_of(f.kind, f.score);
  f.advice = score::advice_for(f);
  std::sort(f.users.begin(), f.users.end());
  // A single one is told by `user` and `source`; a user's log-ins are told by the strongest one's source as well.
  if (f.source_count <= 1) {
    f.sources.clear();
  } else if (f.kind != FindingKind::kLogin) {
    f.source = {};
  }
  if (f.user_count > 1) {
    f.user.clear();
  } else {
    f.users.clear();
  }
  if (f.kind != FindingKind::kLogin) return f;
  // Log-ins come first where there is no room for all; of what surrounds them that of the strongest.
  std::vector<const Login*> logins;
  logins.reserve(entry.logins.size());
  for (const Login& login : entry.logins) logins.push_back(&login);
  std::ranges::sort(logins, [](const Login* a, const Login* b) {
    if (a->log_odds != b->log_odds) return a->log_odds > b->log_odds;
    return a->time != b->time ? a->time < b->time : a->ip < b->ip;
  });
  for (const Login* login : logins) {
    score::TimelineEntry step;
    step.time = login->time;
    step.source = login->source;
    step.log_odds = login->log_odds;
    if (!login->evidence.empty() && login->evidence.front().llr > 0) step.says = login->evidence.front().says;
    add_step(f.timeline, std::move(step));
  }
  for (const Login* login : logins) {
    if (login->story.tried_at != 0) {
      score::TimelineEntry step;
      step.time = login->story.tried_at;
      step.what = score::Step::kFailedLogin;
      step.source = login->tried_from;
      step.says = "a stranger tried this account and failed";
      add_step(f.timeline, std::move(step));
    }
    for (const Story::Session& session : login->story.sessions) {
      score::TimelineEntry step;
      step.time = session.end;
      step.what = score::Step::kSessionEnd;
      step.source = login->source;  // of the same network
      step.source.ip = session.ip;
      step.says = session_text(session.shape);
      add_step(f.timeline, std::move(step));
    }
  }
  f.timeline_count = f.timeline.size();
  if (f.timeline.size() > Finding::kMostListed) f.timeline.resize(Finding::kMostListed);
  std::ranges::sort(f.timeline, {}, order);
  return f;
}

void Cases::changed(const std::function<void(Finding&)>& visit) {
  for (Finding& left : leaving_) visit(left);
  leaving_.clear();
  for (const std::size_t at : changed_) {
    findings_[at].changed = false;
    Finding now = complete(findings_[at], findings_[at].finding);
    visit(now);
    findings_[at].finding.network = now.network;
    if (!now.suppressed_by.id.empty()) findings_[at].finding.suppressed_by.id = std::move(now.suppressed_by.id);
  }
  changed_.clear();
}

std::vector<Finding> Cases::take() {
  std::vector<Finding> out;
  out.reserve(findings_.size());
  for (Entry& entry : findings_) out.push_back(complete(entry, std::move(entry.finding)));
  findings_.clear();
  open_.clear();
  by_id_.clear();
  by_user_.clear();
  changed_.clear();
  std::sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) {
    if (a.log_odds != b.log_odds) return a.log_odds > b.log_odds;
    if (a.time != b.time) return a.time < b.time;
    return a.id < b.id;
  });
  return out;
}

}  // namespace orbwatch::track

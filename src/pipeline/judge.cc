#include "pipeline/judge.h"

#include <absl/container/inlined_vector.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "detect/persist.h"
#include "detect/soho_source.h"
#include "enrich/persist.h"
#include "event/persist.h"
#include "intel/soho.h"
#include "score/combine.h"
#include "score/persist.h"

namespace orbwatch::pipeline {
namespace {

using core::Nanoseconds;
using detect::Evidence;
using detect::FindingKind;
using detect::Need;
using event::Class;
using event::Event;

// Scores below are not kept at all: just below what may be an alert, so that the report can show what nearly was one.
constexpr double kLeastLogOdds = score::kLeastAlertLogOdds - 0.25;
constexpr std::size_t kMostMoves = 20'000;  // some 2 KiB each
constexpr std::size_t kMostPaths = 200'000;
constexpr std::size_t kMostPlaces = 200'000;
constexpr std::size_t kShownPaths = 60;
constexpr std::size_t kShownPlaces = 2'000;
constexpr std::size_t kMostDays = 4'000;
constexpr std::size_t kClasses = 8;
constexpr std::int64_t kOverviewDays = 400;  // in a service: see changed()
constexpr std::int64_t kUnusedDays = 90;
constexpr std::uint32_t kLayout = 7;          // of the saved state: raised with every change of what persist() lists
constexpr std::uint32_t kEarlier = 1U << 31;  // in RecordRef::source: counts in earlier_names_
constexpr std::string_view kOtherLogin = "other-login";        // detect/parallel_use.cc
constexpr std::string_view kOtherAccounts = "other-accounts";  // detect/intrusion_wave.cc
// detect/unusual_time.cc, session_behaviour.cc, session_destinations.cc; Move::repeated is in this order. The first is
// said of a log-in, the others of a session.
constexpr std::array<std::string_view, 7> kAddsUp = {"unusual-time",      "session-length",   "session-volume",
                                                     "session-upload",    "new-destinations", "rare-destinations",
                                                     "usual-destinations"};
constexpr std::size_t kAddedUpBefore6 = 4;  // of them in layout 5
constexpr std::span kOfSessions = std::span(kAddsUp).subspan(1);
// What only other log-ins can tell of one.
constexpr std::string_view kLater[] = {"line-kept",     "back-too-soon", "short-absence",
                                       "what-followed", kOtherLogin,     kOtherAccounts};

constexpr double kSaidIntruder = 7;                   // log-odds of what an analyst has confirmed
constexpr Nanoseconds kTriedWithin = 3 * core::kDay;  // a stranger's failed attempt before a log-in belongs to it

std::size_t index(Class c) { return static_cast<std::size_t>(c); }

track::Story story_of(const Event& e, const baseline::View& view) {
  track::Story story;
  if (!view.login || view.user == nullptr) return story;
  const Nanoseconds tried = view.user->stranger_failure;
  if (tried == 0 || tried > e.time || e.time - tried > kTriedWithin) return story;
  story.tried_at = tried;
  story.tried_from = view.user->stranger_ip;
  return story;
}

// Of a finding of many sources: of which kind this one is, and how many such an ordinary day has. Strangers who fail
// are of one kind if they stand in access networks, else of another; access lines that probe by the port.
std::optional<Campaign> campaign_of(FindingKind kind, const Event& e, const baseline::View& view,
                                    const std::string& finding) {
  if (kind == FindingKind::kSpray && view.failed_login) {
    const bool consumer =
        view.source->type == core::NetworkType::kConsumer || view.source->type == core::NetworkType::kMobile;
    const double homes = view.strangers->ordinary_consumer().mean;
    const double usual = consumer ? homes : std::max(0.0, view.strangers->ordinary_sources().mean - homes);
    return Campaign{core::intern(finding), consumer, usual};
  }
  if (kind == FindingKind::kRecon) {
    const std::size_t port = baseline::edge_port(e.destination_port, e.protocol);
    if (port != baseline::kNoEdgePort)
      return Campaign{core::intern(finding), e.destination_port, view.edge->ordinary(port).mean};
  }
  return std::nullopt;
}

// What a log-in has from others, which it must not lend on.
bool is_lent(const Evidence& x) { return x.kind == kOtherLogin || x.kind == kOtherAccounts; }

void set_alert(score::Finding& f, double line) {
  f.alert = f.log_odds >= line;
  for (score::TimelineEntry& step : f.timeline) step.alert = step.log_odds && *step.log_odds >= line;
}

}  // namespace

Judge::Judge(const enrich::Enricher& enricher, const intel::Indicators* indicators, double alerts_per_day,
             const std::vector<std::string>& names)
    : enricher_(enricher),
      indicators_(indicators),
      alerts_per_day_(alerts_per_day),
      names_(names),
      baseline_(enricher),
      detectors_(detect::make_detectors({indicators, &learned_})),
      by_class_(kClasses),
      events_of_class_(kClasses),
      threshold_(alerts_per_day),
      signs_(enricher, indicators) {
  for (const auto& detector : detectors_) {
    for (std::size_t c = 0; c < kClasses; ++c) {
      if ((detector->info().classes >> c & 1) != 0) by_class_[c].push_back(detector.get());
    }
  }
}

Judge::~Judge() = default;

void Judge::take(const Event& e, const event::EventBatch& batch) {
  if (!plausible(e.time)) {
    ++undated_;
    return;
  }
  if (e.event_class == Class::kDevice) {
    observe(e, batch);
    return;
  }
  if (first_ == 0 || e.time < first_) first_ = e.time;
  if (e.time > now_) {
    now_ = e.time;
    settle(now_);
    learn_half_lives();
  }
  count(e);
  switch (e.event_class) {
    case Class::kAuthentication:
    case Class::kSession: {
      // The raw line is only looked up for lines that may be kept.
      const auto role = stitcher_.take(e, raw(e, batch));
      if (role == enrich::SessionStitcher::Role::kNone) {
        judge(e, nullptr, &batch);
      } else if (e.event_class == Class::kSession && e.activity == event::Activity::kEnd) {
        judge_session(e);
        baseline_.learn(e);  // of a log-in that is still pending: once more when it has settled
        if (role == enrich::SessionStitcher::Role::kJoined) baseline_.close_tunnel(e);
      } else if (enrich::is_login_line(e)) {
        baseline_.open_tunnel(e);  // now: its first connections come before the log-in has settled
      }
      break;
    }
    default: {
      if (const baseline::Tunnel* tunnel = baseline_.note_destination(e)) judge_tunnel(*tunnel, e.time);
      bool wanted = false;
      for (const detect::Detector* d : by_class_[index(e.event_class) % kClasses]) wanted |= d->wants(e);
      Campaign campaign;
      if (wanted) {
        campaign = judge(e, nullptr, &batch);
      } else if (e.action == event::Action::kDenied) {
        baseline_.learn(e);
      }
      if (e.event_class == Class::kHandshake) {
        signs_.handshake(e);
      } else if (e.action == event::Action::kDenied && is_stranger(e)) {
        signs_.denied(e, campaign);
      }
      note_trait(e);
    }
  }
}

// A scan tells of an address, not of a moment: it moves no clock and is nothing that anybody did.
void Judge::observe(const Event& e, const event::EventBatch& batch) {
  ++events_of_class_[index(e.event_class)];
  if (first_scan_ == 0 || e.time < first_scan_) first_scan_ = e.time;
  last_scan_ = std::max(last_scan_, e.time);
  const auto& detectors = by_class_[index(e.event_class)];
  if (std::any_of(detectors.begin(), detectors.end(), [&](const detect::Detector* d) { return d->wants(e); }))
    judge(e, nullptr, &batch);
  signs_.device(e);
  note_trait(e);
}

void Judge::note_trait(const Event& e) {
  const detect::SohoTrait trait = detect::soho_trait(e);
  if (trait.weight == 0) return;
  baseline::Baseline::SohoNote note{.weight = trait.weight, .scanned = e.event_class == Class::kDevice};
  if (trait.port != nullptr) note.port = trait.port->port;
  if (trait.banner != nullptr) {
    const std::ptrdiff_t number = trait.banner - intel::soho_banners().data() + 1;
    note.banner = number <= UINT8_MAX ? static_cast<std::uint8_t>(number) : 0;
  }
  baseline_.note_soho(trait.address, note, e.time);
}

void Judge::settle(Nanoseconds now) {
  enrich::Login login;
  while (stitcher_.next(now, login)) {
    ++logins_;
    if (!login.event.fingerprint.present()) login.event.fingerprint = signs_.fingerprint_of(login.event);
    count_login(login.event, true);
    close_moves(login.event.time);
    if (login_seen_) login_seen_(login.event);
    judge(login.event, &login.lines, nullptr);
    if (login.end.time != 0) {  // it ended before its start could be learned
      judge_session(login.end);
      baseline_.learn(login.end);
      baseline_.close_tunnel(login.end);
    }
  }
}

// Once a day of event time, behind the log-ins of the day before. Without feeds nobody asks.
void Judge::learn_half_lives() {
  const std::int64_t day = now_ / core::kDay;
  if (day == learned_day_ || !learn_half_lives_ || indicators_ == nullptr || indicators_->feeds() == nullptr) return;
  learned_day_ = day;
  half_lives_.learn(signs_.tracker().lives());
  learned_.half_lives = half_lives_.table();
}

void Judge::count(const Event& e) {
  const std::int64_t day = e.time / core::kDay;
  if (day != day_) {
    day_ = day;
    const std::string text = core::date_text(e.time);
    today_ = overview_.days.size() < kMostDays || overview_.days.contains(text) ? &overview_.days[text] : nullptr;
  }
  if (today_ != nullptr) ++today_->events;
  ++events_of_class_[index(e.event_class) % kClasses];
  switch (e.event_class) {
    case Class::kFlow: ++flows_; break;
    case Class::kConnection: ++connections_; break;
    case Class::kSession:
      if (e.service == event::Service::kVpn) ++vpn_logins_;
      break;
    case Class::kAuthentication:
      ++authentications_;
      if (e.service == event::Service::kVpn) ++vpn_logins_;
      if (baseline::is_failed_login(e)) count_login(e, false);
      break;
    default: break;
  }
}

void Judge::count_login(const Event& e, bool success) {
  const std::size_t hour = baseline::hour_of_week(e.time);
  ++(success ? overview_.logins_by_hour : overview_.failures_by_hour)[hour];
  // A log-in that waited for its lines may be of the day before.
  if (e.time / core::kDay == day_) {
    if (today_ != nullptr) ++(success ? today_->logins : today_->failures);
  } else if (const auto day = overview_.days.find(core::date_text(e.time)); day != overview_.days.end()) {
    ++(success ? day->second.logins : day->second.failures);
  }
  const auto& facts = enricher_.facts(e.source_facts);
  if (success) {
    const Path path{facts.type, e.observer, e.user};
    const auto found = paths_.find(path);
    if (found != paths_.end()) {
      ++found->second.logins;
      found->second.day = std::max(found->second.day, e.time / core::kDay);
    } else if (paths_.size() < kMostPaths) {
      paths_.emplace(path, PathCount{1, e.time / core::kDay});
    }
  }
  const std::uint32_t place = baseline::pack_place(facts.latitude, facts.longitude);
  if (place == 0) return;
  if (places_.size() < kMostPlaces || places_.contains(place)) {
    PlaceCount& p = places_[place];
    if (!p.ip.present()) p.ip = e.source_ip;
    p.day = std::max(p.day, e.time / core::kDay);
    ++(success ? p.logins : p.failures);
  }
}

// From outside, and none of those that the organisation vouches for.
bool Judge::is_stranger(const Event& e) const {
  return e.source_ip.is_global() && !enricher_.is_own(e.source_facts) && !enricher_.is_allowed(e.source_facts);
}

Campaign Judge::judge(const Event& e, const std::vector<enrich::RawLine>* lines, const event::EventBatch* batch) {
  if (baseline::is_login(e)) judge_moves(e);
  baseline::View view = baseline_.view(e);
  // The first log-in of an account comes from a network new to it, too.
  const bool new_network = view.login && view.remote && lines != nullptr &&
                           (view.user == nullptr || view.familiarity != baseline::Familiarity::kSamePrefix ||
                            (view.neighbour && view.readdressed < baseline::kKeepsAddress));
  if (new_network) show_others(view, e);
  if (view.login) {
    wave_.count(e.time);
    show_wave(view, e);
  }
  sink_.clear();
  sink_.want_text(false);
  const auto& detectors = by_class_[index(e.event_class) % kClasses];
  for (const detect::Detector* d : detectors) d->evidence(e, view, sink_);
  bool alarming = false;
  Campaign campaign;
  double above = -1;  // of a log-in: log-odds above the least that may be an alert
  const bool move = new_network && view.network_since == 0;
  const bool repeat = new_network && !move;
  std::optional<Evidence> hour;  // of a repeat
  double login_odds = 0;
  double own_odds = -INFINITY;  // without what others lend
  bool listed = false;
  if (!sink_.evidence().empty()) {
    // One event may speak for findings of several kinds; each is judged by its own evidence.
    const auto of_kind = [](const std::vector<Evidence>& all, FindingKind kind) {
      std::vector<Evidence> out;
      for (const Evidence& x : all) {
        if (x.finding == kind) out.push_back(x);
      }
      return out;
    };
    std::uint32_t kinds = 0;
    for (const Evidence& x : sink_.evidence()) kinds |= 1U << static_cast<unsigned>(x.finding);
    std::vector<std::pair<FindingKind, double>> worth;
    for (unsigned k = 0; kinds >> k != 0; ++k) {
      if ((kinds >> k & 1) == 0) continue;
      const auto kind = static_cast<FindingKind>(k);
      // A further log-in is seen with what is known of its network by now.
      const bool known = kind == FindingKind::kLogin && repeat;
      const std::vector<Evidence> more = known ? with_network(e, view, sink_.evidence()) : std::vector<Evidence>();
      const std::vector<Evidence>& evidence = known ? more : sink_.evidence();
      const double odds = combine(kind, evidence, e.time);
      if (kind == FindingKind::kLogin) {
        login_odds = odds;
        own_odds = odds < score::IntrusionWave::kLeastLogOdds ? odds : own_log_odds(evidence, e.time);
      }
      // What is on probation was counted at first sight.
      if (kind == FindingKind::kLogin && view.login && view.network_since == 0) threshold_.add(e.time, odds);
      // What belongs to a finding is shown there, however weak.
      if (odds >= kLeastLogOdds || (kind == FindingKind::kLogin && new_network && cases_.joins(e)))
        worth.emplace_back(kind, odds);
    }
    if (!worth.empty() || new_network) {
      sink_.clear();
      sink_.want_text(true);
      for (const detect::Detector* d : detectors) d->evidence(e, view, sink_);
      if (move) remember_move(e, view, of_kind(sink_.evidence(), FindingKind::kLogin), lines, story_of(e, view));
      if (repeat) {
        const auto at = std::ranges::find(sink_.evidence(), kAddsUp[0], &Evidence::kind);
        if (at != sink_.evidence().end()) hour = *at;
      }
      for (const auto& [kind, odds] : worth) {
        if (kind == FindingKind::kLogin && odds >= threshold_.value()) alarming = true;
        std::vector<Evidence> evidence = of_kind(sink_.evidence(), kind);
        if (kind == FindingKind::kLogin && repeat) evidence = with_network(e, view, std::move(evidence));
        const std::string finding =
            add_scored(e, kind, odds, std::move(evidence), lines, batch, false,
                       view.login && view.client_change != baseline::ClientChange::kSame, story_of(e, view));
        if (kind == FindingKind::kLogin) above = odds - score::kLeastAlertLogOdds;
        listed |= kind == FindingKind::kLogin;
        if (const auto part = campaign_of(kind, e, view, finding)) campaign = *part;
      }
    }
  }
  const Said said = view.login ? said_of(e) : Said::kNothing;
  if (said == Said::kIntruder) {
    baseline_.refuse(e);
  } else if (said == Said::kOwn) {
    baseline_.learn_at_once(e);
  } else if (alarming && view.login) {
    baseline_.quarantine(e);
  } else if (e.event_class != Class::kDevice) {
    baseline_.learn(e);
  }
  if (view.login) note_in_wave(e, own_odds, said);
  if (repeat) repeat_move(e, view, std::move(hour), login_odds, listed);
  if (new_network) {
    if (const baseline::Tunnel* tunnel = baseline_.telling_tunnel(e)) judge_tunnel(*tunnel, now_);
  }
  if (new_network) judge_others(e.user);
  if (view.remote && is_stranger(e)) {
    if (view.failed_login) {
      signs_.failed_login(e, campaign);
    } else if (view.login) {
      signs_.login(e, said == Said::kOwn ? -1 : above);
    }
  }
  return campaign;
}

// By what the evidence weighs by itself, without what other log-ins and other accounts lend it.
double Judge::own_log_odds(const std::vector<Evidence>& evidence, Nanoseconds time) {
  std::vector<Evidence> own;
  for (const Evidence& x : evidence) {
    if (!is_lent(x)) own.push_back(x);
  }
  return combine(FindingKind::kLogin, own, time);
}

// Without the prior.
double Judge::worth(const std::vector<Evidence>& evidence, Nanoseconds time) {
  return own_log_odds(evidence, time) - score::prior_log_odds(FindingKind::kLogin);
}

void Judge::note_in_wave(const Event& login, double own_log_odds, Said said) {
  if (said == Said::kOwn) return;
  wave_.note(login.time, login.user, said == Said::kIntruder ? kSaidIntruder : own_log_odds);
}

// By the time of the event, whenever it is judged: a service must not differ from a hunt.
double Judge::combine(FindingKind kind, const std::vector<Evidence>& evidence, Nanoseconds time) {
  return score::combine(kind, evidence, verdicts_.empty() ? nullptr : &verdicts_.corrections(time));
}

Judge::Said Judge::said_of(const Event& login) const {
  if (verdicts_.empty()) return Said::kNothing;
  if (const std::string_view id = cases_.finding_of(login); !id.empty()) {
    // It speaks of the log-ins that were judged, not of what has come from elsewhere since.
    if (const score::Verdict* verdict = verdicts_.of(id, login.time); verdict && verdict->speaks_of(login.source_ip))
      return verdict->says == score::Judgement::kTrue ? Said::kIntruder : Said::kOwn;
  }
  // In a network that the user comes from, too, only the very line was the intruder's.
  const baseline::UserProfile* user = baseline_.user(login.user);
  const bool shared = user != nullptr && user->prefixes.contains(baseline::prefix_key(login.source_ip));
  return verdicts_.intruder(login.user.text(), login.source_ip, shared, login.time) ? Said::kIntruder : Said::kNothing;
}

score::Verdicts::Taken Judge::take_verdict(const score::Verdict& verdict) {
  using score::Judgement;
  // What it ends has covered findings that must be told anew.
  std::optional<score::Verdict> ended;
  if (verdict.says == Judgement::kWithdrawn) {
    if (const auto* entry = verdicts_.find(verdict.withdraws)) ended = entry->verdict;
  } else if (const score::Verdict* before = verdicts_.of(verdict.finding, 0)) {
    ended = *before;
  }
  // What was refused has taught nothing that could be taken back.
  std::vector<core::Ip> learned;
  for (const core::Ip& ip : verdict.sources) {
    if (!verdict.users.empty() && !verdicts_.intruder(verdict.users[0], ip, false, now_)) learned.push_back(ip);
  }
  const auto taken = verdicts_.take(verdict);
  if (taken != score::Verdicts::Taken::kYes) return taken;
  if (ended) {
    for (const score::Verdict::Indicator& i : ended->indicators) learned_.verdicts.remove(i.feed, i.value, ended->id);
  }
  if (verdict.says != Judgement::kWithdrawn) teach_indicators(verdict);
  if (verdict.says != Judgement::kWithdrawn && verdict.kind == FindingKind::kLogin) teach(verdict, learned);
  const auto concerns = [](const score::Verdict& v, const score::Finding& f) {
    return v.finding == f.id || (v.says == Judgement::kBenign && score::covers(v, f));
  };
  cases_.touch([&](const score::Finding& f) {
    return (verdict.says != Judgement::kWithdrawn && concerns(verdict, f)) || (ended && concerns(*ended, f));
  });
  return taken;
}

void Judge::teach_indicators(const score::Verdict& verdict) {
  const bool was_true = verdict.says == score::Judgement::kTrue;
  for (const score::Verdict::Indicator& i : verdict.indicators)
    learned_.verdicts.add(i.feed, i.value, {verdict.id, was_true, verdict.seen, verdict.expires});
}

void Judge::teach(const score::Verdict& verdict, std::span<const core::Ip> learned) {
  if (verdict.users.size() != 1) return;
  const core::Symbol user = core::intern(verdict.users.front());
  const bool intruder = verdict.says == score::Judgement::kTrue;
  if (!intruder) wave_.forget(user);
  // What lies ahead (a hunt knows verdicts beforehand) is noted when it is judged.
  if (intruder && verdict.seen > 0 && verdict.seen <= now_) wave_.note(verdict.seen, user, kSaidIntruder);
  if (baseline_.user(user) == nullptr) return;
  std::vector<baseline::Baseline::Origin> origins;
  origins.reserve(verdict.sources.size());
  for (const core::Ip& ip : verdict.sources) origins.push_back({ip, enricher_.lookup(ip)});
  const std::vector<baseline::Client> clients = cases_.clients_of(verdict.finding, verdict.sources);
  if (intruder) {
    baseline_.disown(user, origins, clients, cases_.logins_of(verdict.finding, learned));
  } else {
    baseline_.accept(user, origins, clients);
  }
}

void Judge::remember_move(const Event& e, const baseline::View& view, std::vector<Evidence> evidence,
                          const std::vector<enrich::RawLine>* lines, track::Story story) {
  const MoveKey key{e.user, view.network_key};
  const double own = worth(evidence, e.time);
  moves_.insert_or_assign(key, Move{e,
                                    view.network_key,
                                    view.client_change != baseline::ClientChange::kSame,
                                    std::move(evidence),
                                    *lines,
                                    own,
                                    view.other_login,
                                    std::move(story),
                                    {},
                                    {}});
  probation_.emplace_back(e.time, key);
  while (probation_.size() + settled_.size() > kMostMoves) forget_move(settled_.empty() ? probation_ : settled_);
}

// `whole`: else the session goes on, and what is said of it now is said only until it has ended.
void Judge::add_up(Move& move, Evidence x, bool whole) {
  static_assert(kAddsUp.size() == Move::kAddsUp);
  const auto at = static_cast<std::size_t>(std::ranges::find(kAddsUp, x.kind) - std::begin(kAddsUp));
  const auto said = std::ranges::find(move.evidence, x.kind, &Evidence::kind);
  // The hour of the first log-in was said when that was judged.
  if (at == 0 && move.repeated[at].count == 0 && said != move.evidence.end()) move.repeated[at].add(said->llr);
  score::Repeated repeated = move.repeated[at];
  const bool tell = repeated.add(x.llr);
  if (whole) move.repeated[at] = repeated;
  if (said == move.evidence.end()) {
    x.llr = repeated.llr();
    move.evidence.push_back(std::move(x));
    return;
  }
  if (tell) said->says = std::move(x.says);
  said->llr = repeated.llr();
}

// A further log-in from a network on probation: what it says by itself is said of the network.
void Judge::repeat_move(const Event& e, const baseline::View& view, std::optional<Evidence> hour, double log_odds,
                        bool listed) {
  const auto found = moves_.find(MoveKey{e.user, view.network_key});
  if (found == moves_.end() || found->second.event.time == e.time) return;
  Move& move = found->second;
  if (!listed && move.repeats.size() < Move::kMostRepeats) move.repeats.emplace_back(e, log_odds);
  if (!hour) return;
  add_up(move, std::move(*hour), true);
  judge_again(move, baseline_.view(move.event));
}

// The evidence of a further log-in from a network on probation, and what was said of that network since it came up: by
// sessions that have ended, and by what the user did.
std::vector<Evidence> Judge::with_network(const Event& e, const baseline::View& view, std::vector<Evidence> own) const {
  const auto found = moves_.find(MoveKey{e.user, view.network_key});
  if (found == moves_.end()) return own;
  for (const Evidence& x : found->second.evidence) {
    const bool later = std::ranges::find(kOfSessions, x.kind) != kOfSessions.end() ||
                       std::ranges::find(kLater, x.kind) != std::end(kLater);
    if (!later || is_lent(x)) continue;
    if (std::ranges::find(own, x.kind, &Evidence::kind) == own.end()) own.push_back(x);
  }
  return own;
}

// They are shown with the first one, once that is told of.
void Judge::list_repeats(Move& move) {
  if (move.repeats.empty() || !cases_.has(move.event)) return;
  for (const auto& [event, odds] : std::exchange(move.repeats, {})) {
    if (cases_.joins(event)) add_scored(event, FindingKind::kLogin, odds, {}, nullptr, nullptr, false, false, {});
  }
}

Judge::Move* Judge::move_of(const std::pair<Nanoseconds, MoveKey>& place) {
  const auto found = moves_.find(place.second);
  const bool same = found != moves_.end() && found->second.event.time == place.first;
  return same ? &found->second : nullptr;  // else it came up once more since, and stands further behind
}

void Judge::forget_move(std::deque<std::pair<Nanoseconds, MoveKey>>& queue) {
  if (move_of(queue.front()) != nullptr) moves_.erase(queue.front().second);
  queue.pop_front();
}

// Nothing that the user does now tells more of a network that came up so long ago. It may tell of others for as long
// again.
void Judge::close_moves(Nanoseconds now) {
  while (!probation_.empty() && probation_.front().first + baseline::kProbation < now) {
    const auto place = probation_.front();
    probation_.pop_front();
    Move* move = move_of(place);
    if (move == nullptr) continue;
    settled_.push_back(place);
    if (const auto story = baseline_.close_network(move->event)) {
      baseline::View view = baseline_.view(move->event);
      view.followed = view.follow_up_closed = true;
      view.follow_up = *story;
      judge_again(*move, view);
      judge_others(place.second.first);
    }
  }
  while (!settled_.empty() && settled_.front().first + 2 * baseline::kProbation < now) forget_move(settled_);
}

// The log-ins of a user from networks that are on probation.
template <typename Visit>
void Judge::each_move(core::Symbol user, Visit&& visit) {
  const baseline::UserProfile* profile = baseline_.user(user);
  if (profile == nullptr) return;
  for (const auto& recent : profile->recent_networks) {
    if (recent.since == 0) continue;
    const auto found = moves_.find(MoveKey{user, recent.key()});
    if (found != moves_.end()) visit(found->second);
  }
}

void Judge::show_others(baseline::View& view, const Event& e) {
  each_move(e.user, [&](const Move& other) {
    if (other.network == view.network_key) return;
    if (other.worth <= view.other_login || std::abs(other.event.time - e.time) > baseline::kProbation) return;
    view.other_login = other.worth;
    view.other_login_at = other.event.time;
    view.other_login_ip = other.event.source_ip;
  });
}

void Judge::show_wave(baseline::View& view, const Event& e) const {
  if (alone_) return;
  const score::IntrusionWave::Others others = wave_.others(e.time, e.user);
  view.other_accounts = others.taken;
  view.logins_then = others.logins;
  view.strangest_account = others.strangest;
  view.strangest_probability = others.probability;
}

// The strange log-ins of one user speak for each other.
void Judge::judge_others(core::Symbol user) {
  std::vector<MoveKey> changed;
  each_move(user, [&](Move& move) {
    baseline::View view;
    view.network_key = move.network;
    show_others(view, move.event);
    if (view.other_login != move.other_worth) changed.emplace_back(user, move.network);
  });
  for (const MoveKey& key : changed) {
    Move& move = moves_.find(key)->second;
    judge_again(move, baseline_.view(move.event));
  }
}

// Does this log-in tell something of one from a network that was new for the user? Then that one is judged with this
// knowledge.
void Judge::judge_moves(const Event& e) {
  const core::NetworkFacts& here = enricher_.facts(e.source_facts);
  for (const baseline::Baseline::Light& light : baseline_.light(e)) {
    const auto found = moves_.find(MoveKey{e.user, light.key});
    if (found == moves_.end()) continue;
    Move& move = found->second;
    baseline::View view = baseline_.view(move.event);
    if (light.left) {
      view.back_at = e.time;
      view.back_ip = e.source_ip;
      view.back_place = baseline::pack_place(here.latitude, here.longitude);
      view.line_kept = here.asn != 0 && here.asn == view.source->asn;
    }
    view.followed = true;
    view.follow_up = light.follow_up;
    judge_again(move, view);
  }
}

// A session from a network that was new for the user has ended: it may be told by what it was like.
void Judge::judge_session(const Event& end) {
  const baseline::SessionShape shape = baseline_.session_shape(end);
  const std::optional<baseline::Reached> reached = baseline_.reached(end);
  if (shape.length <= 0 && !shape.has_volume() && !reached) return;
  // Also of where it was opened, if it went on from elsewhere.
  const baseline::Tunnel* tunnel = baseline_.tunnels().tunnel(end);
  const core::Ip opened = tunnel != nullptr ? tunnel->source : end.source_ip;
  absl::InlinedVector<std::uint64_t, 4> keys;
  for (const core::Ip& ip : {end.source_ip, opened}) {
    for (const std::uint64_t key : {baseline::prefix_key(ip), baseline::address_key(ip)}) {
      if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
    }
  }
  for (const std::uint64_t key : keys) {
    const auto found = moves_.find(MoveKey{end.user, key});
    if (found == moves_.end()) continue;
    Move& move = found->second;
    // One that began before is another's story.
    if (end.time < move.event.time || end.time - shape.length < move.event.time - enrich::kJoinWithin) continue;
    // Each end once, though several lines may tell of it; of many sessions the first ones speak.
    const std::size_t known = move.story.sessions.size();
    move.story.add({end.time, end.source_ip, shape});
    if (move.story.sessions.size() == known) continue;
    baseline::View view = baseline_.view(move.event);
    view.session = &shape;
    if (reached) baseline_.show_reached(view, end.user, *reached);
    judge_again(move, view);
  }
}

// A session from a network that was new for the user goes on and has reached ever more that is new to him.
void Judge::judge_tunnel(const baseline::Tunnel& tunnel, Nanoseconds now) {
  for (const std::uint64_t key : {baseline::prefix_key(tunnel.source), baseline::address_key(tunnel.source)}) {
    const auto found = moves_.find(MoveKey{tunnel.user, key});
    if (found == moves_.end()) continue;
    Move& move = found->second;
    if (now < move.event.time || tunnel.opened < move.event.time - enrich::kJoinWithin) continue;
    const baseline::Reached reached = baseline_.reached(tunnel);
    baseline::View view = baseline_.view(move.event);
    baseline_.show_reached(view, tunnel.user, reached);
    judge_again(move, view);
  }
}

// Keeps what was said at first sight and adds, or says anew, what only other log-ins can tell.
void Judge::judge_again(Move& move, baseline::View view) {
  view.network_key = move.network;
  show_others(view, move.event);
  show_wave(view, move.event);
  std::erase_if(move.evidence, is_lent);
  sink_.clear();
  sink_.want_text(true);
  for (const detect::Detector* d : by_class_[index(move.event.event_class) % kClasses])
    d->evidence(move.event, view, sink_);
  for (Evidence& x : sink_.evidence()) {
    if (std::ranges::find(kOfSessions, x.kind) != kOfSessions.end()) {
      add_up(move, std::move(x), view.session != nullptr);
      continue;
    }
    if (std::ranges::find(kLater, x.kind) == std::end(kLater)) continue;
    const auto said = std::ranges::find(move.evidence, x.kind, &Evidence::kind);
    if (said != move.evidence.end()) {
      *said = std::move(x);
    } else {
      move.evidence.push_back(std::move(x));
    }
  }
  move.worth = worth(move.evidence, move.event.time);
  move.other_worth = view.other_login;
  const double odds = combine(FindingKind::kLogin, move.evidence, move.event.time);
  add_scored(move.event, FindingKind::kLogin, odds, move.evidence, &move.lines, nullptr, true, move.client_new,
             move.story);
  list_repeats(move);
  const Said said = said_of(move.event);
  note_in_wave(move.event, move.worth + score::prior_log_odds(FindingKind::kLogin), said);
  if (said == Said::kIntruder || (said == Said::kNothing && odds >= threshold_.value()))
    baseline_.forget(move.event, move.client_new);
}

score::SourceFacts Judge::source_facts(const core::Ip& ip, std::uint32_t index) const {
  score::SourceFacts out;
  out.ip = ip;
  const enrich::Description d = enricher_.describe(index);
  out.asn = d.asn;
  out.org = d.org;
  out.country = d.country;
  out.city = d.city;
  if (d.network_type != core::NetworkType::kUnknown) out.network_type = core::label(d.network_type);
  out.claims = d.type_text;
  out.latitude = d.latitude;
  out.longitude = d.longitude;
  return out;
}

std::string Judge::add_scored(const Event& e, FindingKind kind, double log_odds, std::vector<Evidence> evidence,
                              const std::vector<enrich::RawLine>* lines, const event::EventBatch* batch, bool again,
                              bool client_new, track::Story story) {
  if (again && log_odds < kLeastLogOdds && !cases_.has(e)) return {};
  track::Scored scored;
  scored.again = again;
  scored.event = &e;
  scored.kind = kind;
  scored.log_odds = log_odds;
  scored.weak = kind == FindingKind::kLogin && log_odds < kLeastLogOdds;
  if (story.tried_at != 0) scored.tried_from = source_facts(story.tried_from, enricher_.lookup(story.tried_from));
  scored.story = std::move(story);
  if (client_new) scored.new_client = baseline::client_of(e);
  const auto strongest = std::max_element(evidence.begin(), evidence.end(),
                                          [](const Evidence& a, const Evidence& b) { return a.llr < b.llr; });
  for (const auto& d : detectors_) {
    if (strongest != evidence.end() && d->info().name == strongest->detector) {
      scored.hypothesis = d->info().hypothesis;
      scored.technique = d->info().technique;
    }
  }
  scored.evidence = std::move(evidence);
  const auto place = [&](const event::RecordRef& r, std::string_view raw) {
    score::RecordPlace p;
    p.file = input_name(r.source);
    p.offset = r.offset;
    p.line = r.line;
    p.raw = raw.substr(0, 2048);
    scored.records.push_back(std::move(p));
  };
  if (lines != nullptr) {
    for (const enrich::RawLine& line : *lines) place(line.place, line.text);
  } else {
    place(e.record, batch != nullptr ? raw(e, *batch) : std::string_view{});
  }
  scored.source = source_facts(e.source_ip, e.source_facts);
  if (kind == FindingKind::kExposure) {
    scored.device = e.destination_ip.present() ? fmt::format("{}:{}", e.destination_ip.text(), e.destination_port)
                                               : std::string(e.observer.text());
  } else if (kind == FindingKind::kDevice) {
    scored.device = detect::soho_trait(e).address.text();
  }
  return cases_.add(std::move(scored));
}

std::vector<score::Network> Judge::networks_in_full() const {
  std::vector<score::Network> out = signs_.networks();
  if (out.empty()) return out;
  absl::flat_hash_map<std::string_view, score::Network*> by_id;
  for (score::Network& network : out) by_id.emplace(network.id, &network);
  // In the order in which a hunt lists findings.
  struct Linked {
    double log_odds = 0;
    Nanoseconds time = 0;
    std::string_view id;
    score::Network* network = nullptr;
  };
  std::vector<Linked> linked;
  cases_.each([&](const score::Finding& f) {
    if (const auto network = by_id.find(f.network); network != by_id.end())
      linked.push_back({f.log_odds, f.time, f.id, network->second});
  });
  std::ranges::sort(linked, [](const Linked& a, const Linked& b) {
    if (a.log_odds != b.log_odds) return a.log_odds > b.log_odds;
    return a.time != b.time ? a.time < b.time : a.id < b.id;
  });
  for (const Linked& one : linked) one.network->findings.emplace_back(one.id);
  return out;
}

void Judge::finish(score::HuntResult& result) {
  settle(INT64_MAX);
  close_moves(now_);
  result.first = first_ != 0 ? first_ : first_scan_;
  result.last = now_ != 0 ? now_ : last_scan_;
  result.findings = cases_.take();
  signs_.settle();
  result.networks = signs_.networks();
  result.half_lives = half_lives_of(signs_.tracker().lives());
  absl::flat_hash_map<std::string_view, score::Network*> by_id;
  for (score::Network& network : result.networks) by_id.emplace(network.id, &network);
  const double line = score::alert_line(result.findings, overview_, alerts_per_day_);
  for (auto& f : result.findings) {
    set_alert(f, line);
    suppressed_ += verdicts_.annotate(f) ? 1 : 0;
    f.network = signs_.network_of(f);
    if (const auto network = by_id.find(f.network); network != by_id.end()) network->second->findings.push_back(f.id);
  }
  tell_of_verdicts(result);

  const std::uint64_t have[] = {vpn_logins_,
                                authentications_,
                                connections_,
                                flows_,
                                indicators_ == nullptr ? 0 : indicators_->count(),
                                baseline_.tunnels().noted()};
  for (const auto& d : detectors_) {
    score::HypothesisReport h;
    h.detector = d->info().name;
    h.hypothesis = d->info().hypothesis;
    std::string missing;
    for (const Need need : d->info().needs) {
      h.tested |= have[static_cast<std::size_t>(need)] > 0;
      missing += (missing.empty() ? "" : " or ") + std::string(detect::name(need));
    }
    if (h.tested) {
      for (std::size_t c = 0; c < kClasses; ++c)
        h.events += (d->info().classes >> c & 1) != 0 ? events_of_class_[c] : 0;
      h.tested = h.events > 0;
      if (!h.tested) h.why_not = "no events that it looks at";
    } else {
      h.why_not = "needs " + missing;
    }
    result.hypotheses.push_back(std::move(h));
  }

  result.overview = std::move(overview_);
  result.overview.users = baseline_.users();
  result.overview.sources = baseline_.sources();
  std::set<std::string_view> gateways;
  std::vector<std::pair<Path, std::uint64_t>> paths;
  paths.reserve(paths_.size());
  for (const auto& [path, used] : paths_) paths.emplace_back(path, used.logins);
  const auto text_order = [](const Path& a, const Path& b) {
    if (a.type != b.type) return a.type < b.type;
    if (a.gateway != b.gateway) return a.gateway.text() < b.gateway.text();
    return a.user.text() < b.user.text();
  };
  std::sort(paths.begin(), paths.end(), [&](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : text_order(a.first, b.first);
  });
  std::map<std::pair<std::string, std::string>, std::uint64_t> others;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto& [path, logins] = paths[i];
    gateways.insert(path.gateway.text());
    if (i < kShownPaths) {
      result.overview.paths.push_back({std::string(core::label(path.type)), std::string(path.gateway.text()),
                                       std::string(path.user.text()), logins});
    } else {
      others[{std::string(core::label(path.type)), std::string(path.gateway.text())}] += logins;
    }
  }
  for (const auto& [key, logins] : others) result.overview.paths.push_back({key.first, key.second, "others", logins});
  result.overview.gateways = gateways.size();
  for (const auto& [place, counts] : places_) {
    score::Overview::Place p;
    baseline::unpack_place(place, p.latitude, p.longitude);
    const std::uint32_t facts = enricher_.lookup(counts.ip);
    p.city = enricher_.city(facts);
    p.country = core::unpack_country(enricher_.facts(facts).country).view();
    p.logins = counts.logins;
    p.failures = counts.failures;
    result.overview.places.push_back(std::move(p));
  }
  std::sort(result.overview.places.begin(), result.overview.places.end(), [](const auto& a, const auto& b) {
    if (a.logins + a.failures != b.logins + b.failures) return a.logins + a.failures > b.logins + b.failures;
    return std::pair(a.latitude, a.longitude) < std::pair(b.latitude, b.longitude);
  });
  if (result.overview.places.size() > kShownPlaces) result.overview.places.resize(kShownPlaces);

  if (undated_ > 0)
    result.notes.push_back(fmt::format(
        "{} events carry no time, or one that cannot be, and were not judged (--year or --tz may help)", undated_));
  if (cases_.dropped() > 0)
    result.notes.push_back(
        fmt::format("{} of the weakest findings were dropped to stay within memory", cases_.dropped()));
  if (baseline_.forgotten_sources() > 0)
    result.notes.push_back(
        fmt::format("{} source addresses were forgotten to stay within memory", baseline_.forgotten_sources()));
  if (const std::uint64_t refused = baseline_.tunnels().refused(); refused > 0)
    result.notes.push_back(fmt::format("what {} sessions reached inside was not noted to stay within memory", refused));
  if (const std::uint64_t uncounted = baseline_.edge().uncounted(); uncounted > 0)
    result.notes.push_back(fmt::format(
        "{} denied connections were left out of the search for coordinated scans to stay within memory", uncounted));
  if (baseline_.refused_users() > 0)
    result.notes.push_back(
        fmt::format("{} log-ins of users beyond the limit were not learned", baseline_.refused_users()));
  if (const std::uint64_t folded = folded_before_ + core::symbol_overflow(); folded > 0)
    result.notes.push_back(fmt::format("{} names beyond the limit were folded into one", folded));
}

void Judge::tell_of_verdicts(score::HuntResult& result) {
  for (const score::Verdicts::Entry& entry : verdicts_.entries()) {
    const score::Verdict& v = entry.verdict;
    if (v.says == score::Judgement::kBenign)
      result.suppressions.push_back({score::note_of(v), v.finding, entry.hits, entry.last});
  }
  if (verdicts_.empty()) return;
  std::string weights;
  for (const auto& [kind, correction] : verdicts_.corrections(now_).list()) {
    if (std::abs(correction) >= 0.005)
      weights += fmt::format("{}{} {:+.2f}", weights.empty() ? "" : ", ", kind, correction);
  }
  if (!weights.empty()) result.notes.push_back(fmt::format("verdicts move the weights of evidence: {}", weights));
}

void Judge::look(const std::function<void(const score::Finding&)>& visit) {
  if (signs_.redrawn()) cases_.touch([this](const score::Finding& f) { return signs_.network_of(f) != f.network; });
  cases_.changed([&](score::Finding& f) {
    set_alert(f, threshold_.value());
    f.network = signs_.network_of(f);
    suppressed_ += verdicts_.annotate(f) ? 1 : 0;
    visit(f);
  });
}

void Judge::changed(const std::function<void(const score::Finding&)>& visit) {
  look(visit);
  forget_old();
}

void Judge::advance(Nanoseconds now) {
  // now_ stays: it is the time of the last event.
  if (plausible(now) && now > now_) settle(now);
}

void Judge::forget_old() {
  const std::int64_t day = now_ / core::kDay;
  if (day == forgot_day_) return;
  forgot_day_ = day;
  cases_.forget_closed(now_);
  absl::erase_if(paths_, [&](const auto& item) { return item.second.day < day - kUnusedDays; });
  absl::erase_if(places_, [&](const auto& item) { return item.second.day < day - kUnusedDays; });
  const std::string oldest = core::date_text(std::max<Nanoseconds>(0, now_ - kOverviewDays * core::kDay));
  overview_.days.erase(overview_.days.begin(), overview_.days.lower_bound(oldest));
  day_ = INT64_MIN;  // the next event looks its day up
  today_ = nullptr;
}

std::string_view Judge::raw(const Event& e, const event::EventBatch& batch) const {
  const std::string_view record = batch.raw(e.record);
  return raw_as_ ? raw_as_(e, record) : record;
}

std::string_view Judge::input_name(std::uint32_t source) const {
  if (source < names_.size()) return names_[source];
  const std::uint32_t earlier = source - kEarlier;
  return source >= kEarlier && earlier < earlier_names_.size() ? std::string_view(earlier_names_[earlier])
                                                               : std::string_view();
}

template <typename Archive>
std::uint32_t Judge::persist(Archive& a) {
  const std::uint32_t layout = a.section("judge", kLayout, 1);
  a.entries(moves_, [&](MoveKey& key, Move& move) {
    a(key, move.event, move.network, move.client_new, move.evidence, move.lines, move.worth, move.other_worth);
    if (layout >= 3) track::persist(a, move.story);
  });
  for (auto* queue : {&probation_, &settled_}) {
    a.sequence(*queue, [&](std::pair<Nanoseconds, MoveKey>& place) {
      a.moment(place.first);
      a(place.second);
    });
  }
  a(overview_);
  a.entries(paths_, [&](Path& path, PathCount& used) {
    a.enumeration(path.type, core::NetworkType::kInternal);
    a(path.gateway, path.user, used.logins);
    a.bounded(used.day, std::int64_t{1'000'000});
  });
  a.entries(places_, [&](std::uint32_t& place, PlaceCount& used) {
    a(place, used.ip, used.logins, used.failures);
    a.bounded(used.day, std::int64_t{1'000'000});
  });
  a.moments(now_, first_, first_scan_, last_scan_);
  for (std::uint64_t& n : events_of_class_) a(n);
  a(vpn_logins_, authentications_, connections_, flows_, undated_, logins_);
  a.bounded(forgot_day_, std::int64_t{1'000'000});
  return layout;
}

// Networks and what is learned of them.
template <typename Archive>
void Judge::persist_networks(Archive& a) {
  half_lives_.persist(a);
  a.bounded(learned_day_, std::int64_t{1'000'000});
}

// What layout 5 added to the networks on probation.
template <typename Archive>
void Judge::persist_repeats(Archive& a, std::uint32_t layout) {
  struct Added {
    std::array<score::Repeated, Move::kAddsUp> repeated{};
    std::vector<std::pair<Event, double>> repeats;
  };
  absl::flat_hash_map<MoveKey, Added> all;
  for (auto& [key, move] : moves_) {
    const bool any = !move.repeats.empty() ||
                     std::ranges::any_of(move.repeated, [](const score::Repeated& r) { return r.count > 0; });
    if (any) all.emplace(key, Added{move.repeated, move.repeats});
  }
  a.entries(all, [&](MoveKey& key, Added& added) {
    a(key);
    for (std::size_t i = 0; i < (layout >= 6 ? Move::kAddsUp : kAddedUpBefore6); ++i) {
      score::Repeated& r = added.repeated[i];
      a(r.count, r.sum, r.best);
    }
    a.sequence(added.repeats, [&](std::pair<Event, double>& repeat) { a(repeat.first, repeat.second); });
    if constexpr (Archive::kReads) {
      const auto found = moves_.find(key);
      if (found == moves_.end()) return;
      found->second.repeated = added.repeated;
      found->second.repeats = std::move(added.repeats);
    }
  });
}

void Judge::save(core::ArchiveWriter& archive) const {
  const_cast<Judge*>(this)->persist(archive);
  // What points into tables of this process, by what it means.
  std::vector<std::pair<std::string, std::uint8_t>> banners;
  for (const intel::SohoBanner& b : intel::soho_banners())
    banners.emplace_back(b.pattern, static_cast<std::uint8_t>(b.field));
  archive(folded_before_ + core::symbol_overflow(), banners, names_, earlier_names_);
  baseline_.save(archive);
  stitcher_.save(archive);
  threshold_.save(archive);
  cases_.save(archive);
  verdicts_.save(archive);
  signs_.save(archive);
  const_cast<Judge*>(this)->persist_networks(archive);
  const_cast<Judge*>(this)->persist_repeats(archive, kLayout);
  wave_.save(archive);
}

core::Expected<void> Judge::load(core::ArchiveReader& archive) {
  const std::uint32_t layout = persist(archive);
  std::vector<std::pair<std::string, std::uint8_t>> banners;
  std::vector<std::string> names;
  std::vector<std::string> earlier;
  archive(folded_before_, banners, names, earlier);
  baseline_.load(archive);
  stitcher_.load(archive);
  threshold_.load(archive);
  cases_.load(archive);
  if (layout >= 2) verdicts_.load(archive);  // before, there were none
  if (layout >= 4) {                         // before, networks were not tracked
    signs_.load(archive);
    persist_networks(archive);
  }
  if (layout >= 5) persist_repeats(archive, layout);  // before, what came again was not kept
  if (layout >= 7) wave_.load(archive);               // before, each account was judged alone
  if (auto sound = archive.check(); !sound) return sound;
  if (learn_half_lives_) learned_.half_lives = half_lives_.table();
  for (const score::Verdicts::Entry& entry : verdicts_.entries()) {
    if (!entry.ended && entry.verdict.says != score::Judgement::kWithdrawn) teach_indicators(entry.verdict);
  }

  std::array<std::uint8_t, 256> numbers{};
  const auto known = intel::soho_banners();
  for (std::size_t i = 0; i < banners.size() && i + 1 < numbers.size(); ++i) {
    for (std::size_t k = 0; k < known.size() && k < UINT8_MAX; ++k) {
      if (known[k].pattern == banners[i].first && static_cast<std::uint8_t>(known[k].field) == banners[i].second)
        numbers[i + 1] = static_cast<std::uint8_t>(k + 1);
    }
  }
  baseline_.renumber_banners(numbers);

  absl::flat_hash_map<std::string_view, std::uint32_t> inputs;
  for (std::uint32_t i = 0; i < names_.size(); ++i) inputs.emplace(names_[i], i);
  absl::flat_hash_map<std::uint32_t, std::uint32_t> now;  // by the number that was saved
  const auto place = [&](event::RecordRef& record) {
    const auto [found, first] = now.emplace(record.source, UINT32_MAX);
    if (first) {
      const std::string* name = record.source < names.size() ? &names[record.source] : nullptr;
      if (record.source >= kEarlier && record.source - kEarlier < earlier.size())
        name = &earlier[record.source - kEarlier];
      if (name != nullptr) {
        if (const auto input = inputs.find(*name); input != inputs.end()) {
          found->second = input->second;
        } else {
          found->second = kEarlier + static_cast<std::uint32_t>(earlier_names_.size());
          earlier_names_.push_back(*name);
        }
      }
    }
    record.source = found->second;
  };
  const auto event = [&](Event& e) {
    e.source_facts = enricher_.lookup(e.source_ip);
    e.destination_facts = enricher_.lookup(e.destination_ip);
    place(e.record);
  };
  baseline_.each_event(event);
  stitcher_.each_event(event);
  stitcher_.each_place(place);
  for (auto& [key, move] : moves_) {
    event(move.event);
    for (enrich::RawLine& line : move.lines) place(line.place);
    for (auto& repeat : move.repeats) event(repeat.first);
  }
  return {};
}

}  // namespace orbwatch::pipeline

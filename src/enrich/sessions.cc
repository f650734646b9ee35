#include "enrich/sessions.h"

#include <algorithm>

namespace orbwatch::enrich {
namespace {

using event::Activity;
using event::Class;
using event::Outcome;

constexpr std::size_t kMostRaw = 2048;
constexpr std::size_t kMostEnded = 65536;

template <typename T>
void fill(T& to, const T& from) {
  if (to == T{}) to = from;
}

}  // namespace

bool is_login_line(const Event& e) {
  if (!e.user.present() || e.outcome == Outcome::kFailure) return false;
  if (e.event_class == Class::kAuthentication) {
    return (e.activity == Activity::kLogon || e.activity == Activity::kChallenge) && e.outcome == Outcome::kSuccess;
  }
  return e.event_class == Class::kSession && (e.activity == Activity::kStart || e.activity == Activity::kUpdate);
}

bool is_end_line(const Event& e) {
  if (!e.user.present()) return false;
  return (e.event_class == Class::kSession && e.activity == Activity::kEnd) ||
         (e.event_class == Class::kAuthentication && e.activity == Activity::kLogoff);
}

void SessionStitcher::complete(Event& login, const Event& line) const {
  fill(login.assigned_ip, line.assigned_ip);
  fill(login.destination_ip, line.destination_ip);
  fill(login.destination_port, line.destination_port);
  fill(login.source_port, line.source_port);
  fill(login.user_domain, line.user_domain);
  fill(login.group, line.group);
  fill(login.user_agent, line.user_agent);
  fill(login.client_os, line.client_os);
  fill(login.client_host, line.client_host);
  fill(login.application, line.application);
  fill(login.fingerprint, line.fingerprint);
  fill(login.banner, line.banner);
  fill(login.region, line.region);
  fill(login.auth_method, line.auth_method);
  if (line.mfa == event::Mfa::kYes || login.mfa == event::Mfa::kUnknown) login.mfa = line.mfa;
  fill(login.service, line.service);
  fill(login.session_id, line.session_id);
}

SessionStitcher::Role SessionStitcher::take(const Event& e, std::string_view raw) {
  if (e.time <= 0) return Role::kNone;
  if (is_end_line(e)) {
    const auto found = open_.find(Key{e.user, e.source_ip});
    if (found == open_.end()) return Role::kJoined;
    Open& session = found->second;
    if (!session.ended && ended_.size() < kMostEnded) {
      ended_.push_back({e.user, session.gateway, e.source_ip, session.assigned, session.start, e.time, e.source_bytes,
                        e.destination_bytes});
    }
    session.ended = true;
    session.last = e.time;
    if (session.pending == 0 || session.pending - 1 < first_pending_) return Role::kJoined;
    // A gateway may write several lines about the end; not all have duration and bytes.
    Event& end = pending_[session.pending - 1 - first_pending_].end;
    if (end.time == 0) {
      end = e;
    } else {
      fill(end.duration, e.duration);
      fill(end.source_bytes, e.source_bytes);
      fill(end.destination_bytes, e.destination_bytes);
      fill(end.assigned_ip, e.assigned_ip);
    }
    return Role::kEndsPending;
  }
  if (!is_login_line(e)) return Role::kNone;
  if (!e.source_ip.present()) {
    if (e.event_class == Class::kAuthentication) {
      if (nameless_.size() >= most_pending_) forget_nameless(e.time);
      const Account account{e.user, e.observer};
      if (nameless_.size() < most_pending_ || nameless_.contains(account))
        nameless_[account] = {e, std::string(raw.substr(0, kMostRaw))};
    }
    return Role::kJoined;
  }
  Open& session = open_[Key{e.user, e.source_ip}];
  const bool fresh = session.last == 0 || (session.ended && e.time > session.last + core::kSecond) ||
                     e.time > session.last + kLongestSession;
  // A second "start" long after the first is a new log-in even if no end line was seen; other lines move the session
  // on.
  // So is one whose start comes soon after a pause, whatever lines came first: of a session that went on from elsewhere
  // no end is seen here.
  if (session.last != 0 && e.time > session.last + kJoinWithin) session.burst = e.time;
  const bool again = !fresh && session.pending == 0 && e.time > session.start + kJoinWithin &&
                     (e.activity == Activity::kLogon ||
                      (e.activity == Activity::kStart && session.burst != 0 && e.time - session.burst <= kJoinWithin));
  if (!fresh && !again) {
    session.last = std::max(session.last, e.time);
    if (!session.assigned.present()) session.assigned = e.assigned_ip;
    if (session.pending != 0 && session.pending - 1 >= first_pending_) {
      Login& login = pending_[session.pending - 1 - first_pending_];
      // A line of another class from another device (RADIUS, domain controller) completes, too, but never replaces.
      complete(login.event, e);
      if (login.lines.size() < Login::kMostLines)
        login.lines.push_back({e.record, std::string(raw.substr(0, kMostRaw))});
    }
    return Role::kJoined;
  }
  Login login;
  login.event = e;
  login.event.outcome = Outcome::kSuccess;
  login.lines.push_back({e.record, std::string(raw.substr(0, kMostRaw))});
  if (const auto found = nameless_.find(Account{e.user, e.observer}); found != nameless_.end()) {
    Nameless& before = found->second;
    if (before.event.time <= e.time + core::kSecond && e.time - before.event.time <= kJoinWithin) {
      complete(login.event, before.event);
      login.lines.insert(login.lines.begin(), RawLine{before.event.record, std::move(before.raw)});
    }
    nameless_.erase(found);
  }
  session = Open{};
  session.start = session.last = e.time;
  session.assigned = login.event.assigned_ip;
  session.gateway = e.observer;
  session.pending = first_pending_ + pending_.size() + 1;
  ++sessions_;
  pending_.push_back(std::move(login));
  if (open_.size() > most_open_) forget(e.time);
  return Role::kJoined;
}

bool SessionStitcher::next(Nanoseconds now, Login& out) {
  if (pending_.empty()) return false;
  const Event& first = pending_.front().event;
  if (now != INT64_MAX && pending_.size() <= most_pending_ && first.time > now - kSettle) return false;
  out = std::move(pending_.front());
  pending_.pop_front();
  ++first_pending_;
  const auto found = open_.find(Key{out.event.user, out.event.source_ip});
  if (found != open_.end() && found->second.pending == first_pending_) found->second.pending = 0;
  return true;
}

// Forgets sessions by age until a tenth of the room is free, so that the work is spread over as many new sessions.
void SessionStitcher::forget(Nanoseconds now) {
  absl::erase_if(open_, [&](const auto& item) { return item.second.ended && item.second.last < now - kJoinWithin; });
  for (Nanoseconds age = kLongestSession; age >= core::kMinute && open_.size() > most_open_ - most_open_ / 10;
       age /= 2) {
    absl::erase_if(open_, [&](const auto& item) { return item.second.last < now - age; });
  }
  // All of them within a minute: no log of people. What is pending is handed out all the same.
  if (open_.size() > most_open_) open_.clear();
}

void SessionStitcher::forget_nameless(Nanoseconds now) {
  absl::erase_if(nameless_, [&](const auto& item) { return item.second.event.time < now - kJoinWithin; });
}

}  // namespace orbwatch::enrich

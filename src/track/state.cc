// The cases in an archive.
#include <algorithm>

#include "core/archive.h"
#include "score/persist.h"
#include "track/cases.h"

namespace orbwatch::track {
namespace {

// Raised with every change of what is listed here or in score/persist.h.
constexpr std::uint32_t kLayout = 4;

// What a finding had not when score::persist was written.
template <typename Archive>
void persist_later_members(Archive& a, score::Finding& f) {
  a(f.timeline, f.timeline_count, f.related);
}

}  // namespace

template <typename Archive>
void persist(Archive& a, Story& story) {
  a.moment(story.tried_at);
  a(story.tried_from);
  a.sequence(story.sessions, [&](Story::Session& session) {
    a.moment(session.end);
    a(session.ip, session.shape.length, session.shape.source_bytes, session.shape.destination_bytes);
  });
}
template void persist(core::ArchiveWriter& a, Story& story);
template void persist(core::ArchiveReader& a, Story& story);

// A finding's log-ins were their times and scores, and what was said of them was said of the finding: the strongest has
// it. Where they came from is known if they had but one address.
void Cases::load_before_4(core::ArchiveReader& a, Entry& entry, std::uint32_t layout) {
  score::Finding& f = entry.finding;
  a.sequence(entry.logins, [&](Login& login) {
    a.moment(login.time);
    a(login.log_odds);
  });
  if (layout >= 3) {
    a(f.suppressed_by.id);
    std::vector<baseline::Client> clients;
    a.sequence(clients, [&](baseline::Client& client) { a(client.software, client.system); });
    for (std::size_t i = 0; i < std::min(clients.size(), entry.logins.size()); ++i)
      entry.logins[i].new_client = clients[i];
  }
  if (entry.logins.empty()) return;
  for (Login& login : entry.logins) {
    if (f.sources.size() != 1) continue;
    login.ip = f.sources[0].ip;
    login.source = f.sources[0];
  }
  Login& best = *std::ranges::max_element(entry.logins, {}, &Login::log_odds);
  best.evidence = f.evidence;
  best.gateway = f.gateway;
  best.source = f.source;
  best.hypothesis = f.hypothesis;
  best.outcome = f.outcome;
  best.techniques = f.attack;
}

void Cases::index_users() {
  by_user_.clear();
  for (std::size_t i = 0; i < findings_.size(); ++i) {
    const score::Finding& f = findings_[i].finding;
    if (f.kind != detect::FindingKind::kLogin) continue;
    by_user_[user_key(f.user, f.sources.empty() ? core::Ip() : f.sources[0].ip)].push_back(i);
  }
}

template <typename Archive>
void Cases::persist(Archive& a) {
  const std::uint32_t layout = a.section("cases", kLayout, 1);
  a.sequence(findings_, [&](Entry& entry) {
    a(entry.finding, entry.sources, entry.users, entry.changed);
    if (layout < 4) {
      if constexpr (Archive::kReads) load_before_4(a, entry, layout);
      return;
    }
    a(entry.finding.suppressed_by.id);
    persist_later_members(a, entry.finding);
    a.sequence(entry.logins, [&](Login& login) {
      a.moment(login.time);
      a(login.ip, login.log_odds, login.evidence, login.hypothesis, login.techniques, login.outcome);
      a(login.gateway, login.source, login.tried_from, login.new_client.software, login.new_client.system);
      track::persist(a, login.story);
    });
  });
  a(open_, by_id_, changed_, dropped_);
  if (layout >= 4) {
    a.sequence(leaving_, [&](score::Finding& left) {
      a(left);
      persist_later_members(a, left);
    });
  } else if (layout >= 2) {
    a(leaving_);
  }
  if constexpr (Archive::kReads) {
    bool sound = true;
    for (const auto* index : {&open_, &by_id_}) {
      for (const auto& [key, at] : *index) sound &= at < findings_.size();
    }
    for (const std::size_t at : changed_) sound &= at < findings_.size();
    if (!sound) a.refuse("a finding is named that is not there");
    // Log-ins were open by user and network then.
    if (layout < 4) absl::erase_if(open_, [](const auto& item) { return item.first.starts_with("login|"); });
    index_users();
  }
}

void Cases::save(core::ArchiveWriter& archive) const { const_cast<Cases*>(this)->persist(archive); }
void Cases::load(core::ArchiveReader& archive) { persist(archive); }

}  // namespace orbwatch::track

// The stitcher in an archive.
#include "core/archive.h"
#include "enrich/persist.h"
#include "enrich/sessions.h"

namespace orbwatch::enrich {
namespace {

// Raised with every change of what is listed here.
constexpr std::uint32_t kLayout = 2;

}  // namespace

template <typename A>
void persist(A& a, Login& login) {
  a(login.event, login.lines, login.end);
}

template <typename A>
void persist(A& a, Session& s) {
  a(s.user, s.gateway, s.source_ip, s.assigned_ip);
  a.moments(s.start, s.end);
  a(s.source_bytes, s.destination_bytes);
}

template <typename Archive>
void SessionStitcher::persist(Archive& a) {
  const std::uint32_t layout = a.section("sessions", kLayout, 1);
  a.bounded(first_pending_, std::uint64_t{1} << 62);
  a(sessions_, pending_, ended_);
  a.entries(open_, [&](Key& key, Open& open) {
    a(key.user, key.source);
    a.moments(open.start, open.last);
    if (layout >= 2) a.moment(open.burst);
    a(open.ended, open.pending, open.assigned, open.gateway, open.devices);
    if constexpr (Archive::kReads) {
      if (open.pending > first_pending_ && open.pending - 1 - first_pending_ >= pending_.size())
        a.refuse("a session points to a log-in that is not there");
    }
  });
  a.entries(nameless_,
            [&](Account& account, Nameless& line) { a(account.user, account.device, line.event, line.raw); });
}

void SessionStitcher::save(core::ArchiveWriter& archive) const { const_cast<SessionStitcher*>(this)->persist(archive); }
void SessionStitcher::load(core::ArchiveReader& archive) { persist(archive); }

}  // namespace orbwatch::enrich

// The cases in an archive.
#include "core/archive.h"
#include "score/persist.h"
#include "track/cases.h"

namespace orbwatch::track {
namespace {

// Raised with every change of what is listed here or in score/persist.h.
constexpr std::uint32_t kLayout = 3;

}  // namespace

template <typename Archive>
void Cases::persist(Archive& a) {
  const std::uint32_t layout = a.section("cases", kLayout, 1);
  a.sequence(findings_, [&](Entry& entry) {
    a(entry.finding, entry.sources, entry.users, entry.changed);
    a.sequence(entry.logins, [&](std::pair<core::Nanoseconds, double>& login) {
      a.moment(login.first);
      a(login.second);
    });
    if (layout < 3) return;
    a(entry.finding.suppressed_by.id);
    a.sequence(entry.clients, [&](baseline::Client& client) { a(client.software, client.system); });
  });
  a(open_, by_id_, changed_, dropped_);
  if (layout >= 2) a(leaving_);
  if constexpr (Archive::kReads) {
    bool sound = true;
    for (const auto* index : {&open_, &by_id_}) {
      for (const auto& [key, at] : *index) sound &= at < findings_.size();
    }
    for (const std::size_t at : changed_) sound &= at < findings_.size();
    if (!sound) a.refuse("a finding is named that is not there");
  }
}

void Cases::save(core::ArchiveWriter& archive) const { const_cast<Cases*>(this)->persist(archive); }
void Cases::load(core::ArchiveReader& archive) { persist(archive); }

}  // namespace orbwatch::track

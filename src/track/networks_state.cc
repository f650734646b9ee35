// The networks in an archive.
#include <algorithm>

#include "track/networks.h"

namespace orbwatch::track {
namespace {

// Raised with every change of what is listed here or in network_evidence.cc.
constexpr std::uint32_t kLayout = 1;

}  // namespace

template <typename Archive>
void NetworkTracker::persist(Archive& a) {
  a.section("networks", kLayout);
  around_.persist(a);
  const auto facts = [&](Facts& f) {
    a(f.asn, f.provider, f.country, f.city, f.latitude, f.longitude);
    a.enumeration(f.type, core::NetworkType::kInternal);
  };
  const auto amount = [&](double value) {
    if constexpr (Archive::kReads) {
      if (!(value >= -1e6 && value <= 1e6)) a.refuse("an amount is out of its range");
    }
  };
  a.entries(nodes_, [&](core::Ip& ip, Node& node) {
    a(ip);
    facts(node.facts);
    a.moments(node.first, node.last, node.aged, node.changed);
    a(node.strength, node.days, node.hours, node.kinds);
    node.profile.persist(a);
    a(node.network);
    a.enumeration(node.findable, Findable::kByMore);
    amount(node.strength);
  });
  a.entries(posted_, [&](Trait& trait, std::deque<core::Ip>& posted) {
    a.enumeration(trait.kind, kLastTraitKind);
    if (is_text(trait.kind)) {
      a.symbol_id(trait.value);
    } else {
      a(trait.value);
    }
    a(posted);
  });
  a.entries(accounts_, [&](core::Symbol& symbol, Account& account) {
    a(symbol);
    a.moments(account.last, account.session);
    a(account.by);
    a.bounded(account.day, std::int64_t{200'000});
    a(account.providers);
    a.bounded(account.provider_count, static_cast<std::uint8_t>(account.providers.size()));
  });
  a.entries(ordinary_, [&](core::Ip& ip, OrdinaryPlace& place) {
    a(ip);
    a.moment(place.last);
  });
  a.entries(networks_, [&](std::uint32_t& number, Entity& entity) {
    a(number, entity.id);
    a.moments(entity.first, entity.last);
    a(entity.cohesion, entity.members, entity.representatives);
    amount(entity.cohesion);
    a.sequence(entity.past, [&](PastNode& past) {
      a(past.ip);
      facts(past.facts);
      a.moments(past.first, past.last);
      a(past.days, past.sightings, past.strength);
    });
    a.sequence(entity.history, [&](NetworkChange& change) {
      a.moment(change.time);
      a.enumeration(change.kind, NetworkChangeKind::kSplit);
      a(change.other, change.why);
    });
    a(entity.attempts, entity.account_days);
    a.bounded(entity.day, std::int64_t{200'000});
    a(entity.accounts_of_day);
  });
  a.sequence(links_, [&](Link& link) {
    a(link.a, link.b, link.nats);
    amount(link.nats);
  });
  a.bounded(next_network_, std::uint32_t{0xfffffff0});
  a.moments(now_, next_clustering_, last_clustering_);
  a(sightings_since_, unplaced_, in_graph_);
  a(counts_.sightings, counts_.without_address, counts_.late, counts_.joined, counts_.owners_changed,
    counts_.nodes_forgotten, counts_.accounts_forgotten, counts_.ordinary_forgotten, counts_.networks_forgotten,
    counts_.past_nodes_forgotten, counts_.traits_dropped, counts_.not_clustered, counts_.clusterings,
    counts_.clusterings_failed);
  if constexpr (Archive::kReads) {
    any_unshown_ = true;
    unshown_.clear();
    // What refers to one another must be there.
    bool sound = next_network_ != kNone;
    for (const auto& [ip, node] : nodes_) sound &= node.network == kNone || networks_.contains(node.network);
    for (const auto& [number, entity] : networks_) {
      sound &= number != kNone && number < next_network_;
      for (const core::Ip& ip : entity.members) {
        const auto node = nodes_.find(ip);
        sound &= node != nodes_.end() && node->second.network == number;
      }
    }
    for (const auto& [trait, posted] : posted_) sound &= !posted.empty();
    if (!sound) a.refuse("a network names a node that is not there");
  }
}

void NetworkTracker::save(core::ArchiveWriter& archive) const { const_cast<NetworkTracker*>(this)->persist(archive); }
void NetworkTracker::load(core::ArchiveReader& archive) { persist(archive); }

}  // namespace orbwatch::track

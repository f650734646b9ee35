#include "pipeline/network_signs.h"

#include <algorithm>

#include "detect/soho_source.h"
#include "intel/feed_table.h"
#include "intel/soho.h"
#include "pipeline/known_networks.h"
#include "pipeline/learned_half_lives.h"

namespace orbwatch::pipeline {
namespace {

using core::Ip;
using core::NetworkType;
using event::Event;
using track::NodeSighting;
using track::SightingKind;
using track::Trait;
using track::TraitKind;

constexpr double kFailed = 0.5;
constexpr double kDenied = 0.2;
constexpr double kStrange = 1;
constexpr double kDevice = 0.5;
constexpr double kListed = 0.5;
constexpr std::uint8_t kMediumTrait = 2;  // detect::SohoTrait::weight
constexpr core::Nanoseconds kDoorWindow = 6 * core::kHour;
// A client shakes hands just before its log-in is told, and again for its tunnel; sensors' clocks differ a little.
constexpr core::Nanoseconds kBefore = 2 * core::kMinute;
constexpr core::Nanoseconds kBehind = 30 * core::kSecond;
constexpr std::uint32_t kLayout = 2;

// JA4 has parts with underscores; of the hashes of 32 digits that of SSH is HASSH.
TraitKind kind_of_fingerprint(const Event& e) {
  if (e.fingerprint.text().find('_') != std::string_view::npos) return TraitKind::kJa4;
  return e.service == event::Service::kSsh || e.application.text() == "ssh" ? TraitKind::kHassh : TraitKind::kJa3;
}
TraitKind kind_of_fingerprint(core::Symbol fingerprint) {
  return fingerprint.text().find('_') != std::string_view::npos ? TraitKind::kJa4 : TraitKind::kJa3;
}

track::NetworkLimits limits() {
  track::NetworkLimits out;
  out.half_lives = prior_half_lives();
  return out;
}

}  // namespace

NetworkSigns::NetworkSigns(const enrich::Enricher& enricher, const intel::Indicators* indicators)
    : enricher_(enricher), indicators_(indicators), tracker_(limits()) {}

// The first name that is no list of what is harmless.
core::Symbol NetworkSigns::listed_as(const Ip& ip) const {
  if (indicators_ == nullptr) return {};
  if (const intel::Indicator* found = indicators_->find(ip)) return found->label.present() ? found->label : found->list;
  const intel::FeedTable* feeds = indicators_->feeds();
  if (feeds == nullptr) return {};
  const std::uint32_t entry = feeds->table.find(ip);
  if (entry == intel::IndicatorTable::kNone) return {};
  core::Symbol label;
  intel::StatementReader reader = feeds->table.statements(entry);
  intel::IndicatorStatement statement;
  while (reader.next(statement)) {
    if ((statement.flags & intel::kKnownGood) != 0) return {};
    if ((statement.flags & intel::kContextOnly) != 0 || label.present()) continue;
    label = core::intern(statement.label.empty() ? feeds->table.feed_name(statement.feed) : statement.label);
  }
  return label;
}

void NetworkSigns::place(NodeSighting& s, std::uint32_t index) {
  const core::NetworkFacts& facts = enricher_.facts(index);
  if (names_.size() >= kMostKept && !names_.contains(index)) names_.clear();
  const auto [at, fresh] = names_.try_emplace(index);
  if (fresh) {
    at->second = {core::intern(enricher_.text(facts.as_name)), core::intern(core::unpack_country(facts.country).view()),
                  core::intern(enricher_.text(facts.city))};
  }
  s.asn = facts.asn;
  s.provider = at->second.provider;
  s.country = at->second.country;
  s.city = at->second.city;
  s.latitude = facts.latitude;
  s.longitude = facts.longitude;
  s.type = facts.type;
}

NodeSighting NetworkSigns::sighting(const Event& e, SightingKind kind, double strength) {
  NodeSighting s;
  s.time = e.time;
  s.address = e.source_ip;
  s.kind = kind;
  s.strength = strength;
  s.gateway = e.observer;
  s.account = e.user;
  place(s, e.source_facts);
  s.add(Trait::of(TraitKind::kClient, e.user_agent));
  if (e.fingerprint.present()) {
    s.add(Trait::of(kind_of_fingerprint(e), e.fingerprint));
  } else if (const auto kept = handshakes_.find(e.source_ip); kept != handshakes_.end()) {
    const core::Symbol fingerprint = kept->second.fingerprint;
    s.add(Trait::of(kind_of_fingerprint(fingerprint), fingerprint));
  }
  if (kind != SightingKind::kOrdinary) {
    s.feed_label = listed_as(e.source_ip);
    if (s.feed_label.present()) s.strength += kListed;
  }
  return s;
}

void NetworkSigns::failed_login(const Event& e, const Campaign& campaign) {
  NodeSighting s = sighting(e, SightingKind::kFailedLogin, kFailed);
  s.campaign = campaign.finding;
  s.campaign_kind = campaign.kind;
  s.campaign_usual = campaign.usual;
  tracker_.add(s);
}

void NetworkSigns::denied(const Event& e, const Campaign& campaign) {
  if (const std::int64_t window = e.time / kDoorWindow; window != window_) {
    window_ = window;
    doors_.clear();
  }
  const std::uint64_t door = core::hash64(
      {reinterpret_cast<const char*>(e.source_ip.bytes.data()), e.source_ip.bytes.size()},
      core::hash64({reinterpret_cast<const char*>(e.destination_ip.bytes.data()), e.destination_ip.bytes.size()},
                   e.destination_port));
  // Full: from here on a door of this window may count once more.
  if (doors_.size() >= kMostKept && !doors_.contains(door)) doors_.clear();
  if (!doors_.insert(door).second) return;
  NodeSighting s = sighting(e, SightingKind::kProbe, kDenied);
  s.account = {};
  s.add_port(e.destination_port);
  s.campaign = campaign.finding;
  s.campaign_kind = campaign.kind;
  s.campaign_usual = campaign.usual;
  tracker_.add(s);
}

void NetworkSigns::login(const Event& e, double above) {
  if (above < 0) {
    tracker_.add(sighting(e, SightingKind::kOrdinary, 0));
  } else {
    tracker_.add(sighting(e, SightingKind::kStrangeLogin, kStrange + above));
  }
}

void NetworkSigns::device(const Event& e) {
  const detect::SohoTrait trait = detect::soho_trait(e);
  if (trait.weight < kMediumTrait || !trait.address.is_global()) return;
  // It is about whoever shows it, not about who looked.
  NodeSighting s;
  s.time = e.time;
  s.address = trait.address;
  s.kind = SightingKind::kDeviceTrait;
  s.strength = kDevice;
  const std::uint32_t index = trait.address == e.source_ip ? e.source_facts : enricher_.lookup(trait.address);
  place(s, index);
  s.add(Trait::of(TraitKind::kBanner, e.banner));
  s.add(Trait::of(TraitKind::kCertificate,
                  e.certificate_fingerprint.present() ? e.certificate_fingerprint : e.certificate_subject));
  if (trait.port != nullptr) s.add(Trait{TraitKind::kNodePort, trait.port->port});
  s.feed_label = listed_as(s.address);
  tracker_.add(s);
}

void NetworkSigns::handshake(const Event& e) {
  if (!e.fingerprint.present() || !e.source_ip.is_global()) return;
  if (handshakes_.size() >= kMostKept && !handshakes_.contains(e.source_ip)) handshakes_.clear();
  handshakes_[e.source_ip] = {e.fingerprint, e.time};
}

core::Symbol NetworkSigns::fingerprint_of(const Event& login) const {
  const auto found = handshakes_.find(login.source_ip);
  if (found == handshakes_.end()) return {};
  const core::Nanoseconds ago = login.time - found->second.time;
  return ago <= kBefore && ago >= -kBehind ? found->second.fingerprint : core::Symbol();
}

std::string_view NetworkSigns::network_of(const score::Finding& f) const {
  if (f.kind == detect::FindingKind::kSpray || f.kind == detect::FindingKind::kRecon)
    return tracker_.network_of_campaign(core::intern(f.id));
  if (const std::string_view own = tracker_.network_of(f.source.ip); !own.empty()) return own;
  for (const score::SourceFacts& source : f.sources) {
    if (const std::string_view other = tracker_.network_of(source.ip); !other.empty()) return other;
  }
  return "";
}

bool NetworkSigns::redrawn() {
  const std::uint64_t drawn = tracker_.counts().clusterings;
  return drawn != std::exchange(drawn_, drawn);
}

std::vector<score::Network> NetworkSigns::networks() const {
  std::vector<score::Network> out = tracker_.networks(true);
  std::erase_if(out, [](const score::Network& network) { return network.active_nodes == 0; });
  for (score::Network& network : out) network.known = known_networks_like(network);
  return out;
}

template <typename Archive>
void NetworkSigns::persist(Archive& a) {
  const std::uint32_t layout = a.section("network signs", kLayout, 1);
  a(doors_);
  a.bounded(window_, std::int64_t{10'000'000});
  a.entries(handshakes_, [&](core::Ip& ip, Handshake& handshake) {
    a(ip, handshake.fingerprint);
    if (layout >= 2) a.moment(handshake.time);  // before, when was not kept
  });
  a(drawn_);
}

void NetworkSigns::save(core::ArchiveWriter& archive) const {
  const_cast<NetworkSigns*>(this)->persist(archive);
  tracker_.save(archive);
}

void NetworkSigns::load(core::ArchiveReader& archive) {
  persist(archive);
  tracker_.load(archive);
}

}  // namespace orbwatch::pipeline

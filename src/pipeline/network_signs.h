// What the judge has seen, as sightings for the tracker of covert networks (track/networks.h): which events are weak
// signs, how much each is worth, and what is ordinary.
//
//   failed log-in of a stranger         0.5; of a spray's finding: with the finding's id
//   denied connection from outside      0.2, once for each source, door and six hours (where more than kMostKept doors
//                                       are asked for, now and then again); of a scan's finding: with its id
//   log-in that may be an alert         its log-odds above that line, and 1
//   any other log-in                    ordinary: it says what is common, and whose address it is
//   device seen to be a relay's kind    0.5 (detect::soho_trait, medium or strong)
//   address that a list or feed names   0.5, with the name, beside whichever of these it is
//
// Deterministic in the order of the calls. Memory: that of the tracker, and some 100 bytes for each of kMostKept
// sources. Not thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/archive.h"
#include "enrich/enrich.h"
#include "event/event.h"
#include "intel/indicators.h"
#include "score/finding.h"
#include "score/network.h"
#include "track/networks.h"

namespace orbwatch::pipeline {

// The finding that an event is a part of: track::NodeSighting::campaign and what goes with it.
struct Campaign {
  core::Symbol finding;
  std::uint16_t kind = 0;
  double usual = 0;
};

class NetworkSigns {
 public:
  static constexpr std::size_t kMostKept = 100'000;

  // Both must outlive it. `indicators` may be null.
  NetworkSigns(const enrich::Enricher& enricher, const intel::Indicators* indicators);

  void failed_login(const event::Event& event, const Campaign& campaign);
  void denied(const event::Event& event, const Campaign& campaign);
  // `above`: log-odds above the least that may be an alert; below 0 the log-in is ordinary.
  void login(const event::Event& event, double above);
  void device(const event::Event& event);
  // The fingerprint of a client's handshake belongs to what its address does next.
  void handshake(const event::Event& event);

  // That of the latest handshake from there, if it was about when this log-in began; else none.
  core::Symbol fingerprint_of(const event::Event& login) const;

  // The network that a finding is linked with, "" if none: of a log-in that of its addresses, of a spray or scan the
  // one that most of its sources are nodes of.
  std::string_view network_of(const score::Finding& finding) const;
  // Whether networks have been drawn anew since the last call.
  bool redrawn();
  // At the end of a hunt.
  void settle() { tracker_.settle(); }
  // In full, most confident first, those without active nodes left out; with the known networks that they look like.
  std::vector<score::Network> networks() const;
  const track::NetworkTracker& tracker() const { return tracker_; }

  void save(core::ArchiveWriter& archive) const;
  void load(core::ArchiveReader& archive);

 private:
  // Where its address stands; `index`: of the enricher's facts.
  void place(track::NodeSighting& sighting, std::uint32_t index);
  track::NodeSighting sighting(const event::Event& event, track::SightingKind kind, double strength);
  core::Symbol listed_as(const core::Ip& ip) const;
  template <typename Archive>
  void persist(Archive& archive);

  const enrich::Enricher& enricher_;
  const intel::Indicators* indicators_;
  track::NetworkTracker tracker_;
  absl::flat_hash_set<std::uint64_t> doors_;  // hashes of source, address and port, asked for within window_
  std::int64_t window_ = 0;
  struct Handshake {
    core::Symbol fingerprint;
    core::Nanoseconds time = 0;
  };
  absl::flat_hash_map<core::Ip, Handshake> handshakes_;
  struct Names {
    core::Symbol provider, country, city;
  };
  absl::flat_hash_map<std::uint32_t, Names> names_;  // by the index of facts; made again where it is missing
  std::uint64_t drawn_ = 0;                          // clusterings, at the last call of redrawn()
};

}  // namespace orbwatch::pipeline

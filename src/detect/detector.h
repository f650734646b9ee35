// The interface of a detector. One file each, listed in all.h, explained in docs/detectors/<name>.md.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "baseline/view.h"
#include "detect/evidence.h"
#include "event/event.h"

namespace orbwatch::detect {

// A log source that a hypothesis needs; if the data has none, the report says that the hypothesis could not be tested.
enum class Need : std::uint8_t { kVpnLogins, kAuthentication, kConnections, kFlows, kIndicators, kTunnelConnections };
std::string_view name(Need need);

struct DetectorInfo {
  std::string_view name;             // "new-network": file new_network.cc, page docs/detectors/new-network.md
  std::string_view hypothesis;       // the advisory's sentence that it tests, short
  std::string_view technique;        // ATT&CK ids, comma-separated: "T1090.003,T1584.008"
  std::string_view false_positives;  // the known ones, one line
  std::span<const Need> needs;       // any of these suffices to test it
  std::uint32_t classes;             // event classes it looks at: bits 1 << event::Class; others are not shown to it
};

constexpr std::uint32_t bit(event::Class c) { return 1U << static_cast<unsigned>(c); }

class Detector {
 public:
  virtual ~Detector() = default;
  virtual const DetectorInfo& info() const = 0;
  // A cheap look at the event alone: false if it can give no evidence. Spares flows and connections the look-up of
  // profiles.
  virtual bool wants(const event::Event&) const { return true; }
  // Pure: reads the event and the view, adds evidence to the sink. Owns no memory: what must be remembered is a profile
  // in baseline/. Called before the event is learned. Thread-safe as long as the view does not change.
  virtual void evidence(const event::Event& event, const baseline::View& view, EvidenceSink& sink) const = 0;
};

}  // namespace orbwatch::detect

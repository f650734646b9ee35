// The trait of a small-office, home or IoT device that an event shows, if any. The pipeline stores it with the source's
// profile.
#pragma once

#include <cstdint>

#include "core/ip.h"
#include "event/event.h"

namespace orbwatch::intel {
struct SohoPort;
struct SohoBanner;
}  // namespace orbwatch::intel

namespace orbwatch::detect {

struct SohoTrait {
  core::Ip address;                       // who shows it
  const intel::SohoPort* port = nullptr;  // one of the two is set if weight > 0
  const intel::SohoBanner* banner = nullptr;
  std::uint8_t weight = 0;  // 0 none, 1 weak, 2 medium, 3 strong
};

SohoTrait soho_trait(const event::Event& event);

}  // namespace orbwatch::detect

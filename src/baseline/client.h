// The software that a user logs in with, as the log states it, and how it differs from what he used before. A computer
// is brought up to date; it does not go back, and seldom changes its operating system. "Operating system, time zone and
// configuration" of connections is what the advisory asks to profile.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "core/symbol.h"

namespace orbwatch::event {
struct Event;
}

namespace orbwatch::baseline {

struct Client {
  core::Symbol software;  // event.user_agent
  core::Symbol system;    // event.client_os
  bool present() const { return software.present() || system.present(); }
  friend bool operator==(const Client&, const Client&) = default;
};

Client client_of(const event::Event& event);

// Hash of the texts without their version numbers: the same for all versions of one product on one operating system,
// also where the vendor gave the product another name. Never 0 for a client that is present.
std::uint64_t model_key(const Client& client);

// Hash of the very texts: of this client alone. As model_key(), the same in every process.
std::uint64_t version_key(const Client& client);

// By the version numbers in both texts, in the order in which they stand there. Meaningful within one model.
std::strong_ordering compare_versions(const Client& a, const Client& b);

// How a client differs from those that the user is known for.
enum class ClientChange : std::uint8_t {
  kSame,      // used before, to the last digit of its version
  kUpgraded,  // a newer version than any he used of this model
  kOlder,     // an older version than he used of this model
  kOther      // another product or operating system
};
constexpr std::size_t kClientChanges = 4;

}  // namespace orbwatch::baseline

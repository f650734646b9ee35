// Covert networks (score/network.h) as they are kept, and read again by who has no logs: in the store's table
// covert_networks, and in STATE/networks.ndjson of a service, whose store nobody else can open while it runs.
//
// networks.ndjson is replaced as a whole (written beside and renamed), so that a reader sees the old file or the new
// one. Its first line says what it holds: {"orbwatch_networks":1,"networks":N,"left_out":N}; then comes a network a
// line, most confident first, as score::to_whole_json() writes it. At most kMostNetworkBytes; networks for which there
// is no room are left out and counted.
//
// What is read was perhaps written by somebody else: identifiers are checked, numbers bounded, places within nodes
// exist, and texts that are printed as they stand hold no control characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "score/network.h"

namespace orbwatch::pipeline {

inline constexpr std::string_view kNetworksFile = "networks.ndjson";  // in a service's state
inline constexpr std::size_t kMostNetworkBytes = std::size_t{256} << 20;

struct KeptNetworks {
  std::vector<score::Network> networks;  // most confident first, then by id: the order of a hunt
  std::uint64_t left_out = 0;            // when they were written, for there was no room
  std::uint64_t damaged = 0;             // not understood, or without some of their nodes
};

// In place of the old file. Errors (ErrorKind::kOutput): it cannot be written; the old one stays then.
core::Expected<void> write_networks(const std::string& folder, std::span<const score::Network> networks);

// Of a service, whether it runs or not. Errors: the folder has no such file, it cannot be read, or is another's.
core::Expected<KeptNetworks> networks_in_state(const std::string& folder);
// Of a file that a hunt wrote, or of a stopped service. Errors: it cannot be asked; it is older than the table.
core::Expected<KeptNetworks> networks_in_store(const std::string& file);
// Whether the store has the table at all: those before schema 3 have none.
core::Expected<bool> store_has_networks(const std::string& file);

// Of one line of score::to_whole_json(). Errors say what is wrong with it.
core::Expected<score::Network> parse_network(std::string_view json);

}  // namespace orbwatch::pipeline

// A covert network (score/network.h) as text: for the terminal, for a firewall, for Graphviz.
#pragma once

#include <span>
#include <string>

#include "score/network.h"

namespace orbwatch::exporting {

// A table, one line a network.
std::string networks_text(std::span<const score::Network> networks);
// All of one: facts, traits, known networks, nodes with their roles, the strongest links.
std::string network_text(const score::Network& network);
// Day by day (UTC): new nodes, nodes seen for the last time, merges and splits.
std::string network_timeline(const score::Network& network);
// One address a line, active nodes only, after a comment that says of what. A node's address may belong to somebody
// else in a few days: the comment says how old the oldest sighting is.
std::string network_block_list(const score::Network& network);
// Links as an undirected graph in the DOT language.
std::string network_dot(const score::Network& network);

}  // namespace orbwatch::exporting

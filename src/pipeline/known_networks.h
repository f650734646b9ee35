// Which published networks (intel/profiles) a tracked one looks like.
#pragma once

#include <vector>

#include "score/network.h"

namespace orbwatch::pipeline {

// The best three at most; none where nothing but weak traits agrees. With the profiles that are built in.
std::vector<score::KnownNetwork> known_networks_like(const score::Network& network);

}  // namespace orbwatch::pipeline

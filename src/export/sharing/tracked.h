// A tracked covert network (score/network.h) as what may be given away: the network and its active nodes.
#pragma once

#include "export/sharing/shared.h"
#include "score/network.h"

namespace orbwatch::exporting::sharing {

// Accounts, gateways and ids of findings stay in the house; so do nodes that are gone, for their addresses are somebody
// else's by now. Traits are given only where at least two nodes show them and the guard of free text lets them out.
void add_tracked(Selection& selection, const score::Network& network);

}  // namespace orbwatch::exporting::sharing

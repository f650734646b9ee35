// A tracked covert network (score/network.h) as what may be given away: the network and its active nodes.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "core/ip.h"
#include "export/sharing/shared.h"
#include "score/network.h"

namespace orbwatch::exporting::sharing {

// Accounts, gateways and ids of findings stay in the house; so do nodes that are gone, for their addresses are somebody
// else's by now. Traits are given only where at least two nodes show them and the guard of free text lets them out.
// So do gateways that are addresses, as the organisation's own, and `kept_back`.
void add_tracked(Selection& selection, const score::Network& network, const std::set<core::Ip>& kept_back = {});

// What analysts said of findings, as far as networks are concerned.
struct Judged {
  std::set<std::string, std::less<>> confirmed;  // ids of findings called true, and of the networks that they name
  std::set<std::string, std::less<>> dismissed;  // likewise of those called false or benign
  std::set<core::Ip> kept_back;                  // sources that were not an intruder's by these, or are suppressed
};
// Under the rules that hold for findings: a network is given if a finding is confirmed that is linked with it or has
// its nodes as sources; with Rules::all also where nobody has said anything of such ones. Its confidence must reach
// Rules::least, and it must have been seen since Rules::since. What is left out is counted; true if it is given.
bool add_tracked(Selection& selection, const score::Network& network, const Judged& judged);

}  // namespace orbwatch::exporting::sharing

// What of a store's findings is given to others: reads them, what analysts said of them, the covert networks that they
// are linked with (pipeline/kept_networks.h), and the traits of the addresses that are left, and puts all of it through
// a Selection (export/sharing/shared.h). Names of users, hosts and gateways are not even read from findings, but for a
// gateway that is an address, which is kept from being given away; those of networks go no further than
// export/sharing/tracked.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/error.h"
#include "export/sharing/shared.h"

namespace orbwatch::pipeline {

struct SharedFindings {
  exporting::sharing::Shared shared;
  std::map<std::string, std::uint64_t, std::less<>> left_out;  // by reason
  std::uint64_t findings = 0;                                  // read
  std::uint64_t given = 0;                                     // of them, that gave an address
  std::uint64_t networks = 0;                                  // read
  std::uint64_t networks_given = 0;
  bool has_networks = true;  // false: an earlier version wrote the store or state, or the service has just begun
};

struct SharedSource {
  std::string store;  // a file that `hunt --db` wrote, or that of a service which does not run
  std::string state;  // or: the folder of a service's state, whether it runs or not; without traits of single addresses
  std::string
      verdicts;  // what analysts said by now; "" = the state's, else as the store has it from when it was written
};

// A finding whose verdict was withdrawn or has expired counts as not judged. Errors: the store, the state or the
// verdicts cannot be read.
core::Expected<SharedFindings> read_shared_findings(const SharedSource& source, const exporting::sharing::Rules& rules);

// The finding of one line of JSON (score::to_json) as far as it is needed to share it. Errors: it is none.
core::Expected<score::Finding> parse_shared_finding(std::string_view json);

}  // namespace orbwatch::pipeline

// What of a store's findings is given to others: reads them, what analysts said of them, and the traits of the
// addresses that are left, and puts all of it through a Selection (export/sharing/shared.h). Names of users, hosts and
// gateways are not even read, but for a gateway that is an address, which is kept from being given away.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "export/sharing/shared.h"

namespace orbwatch::pipeline {

struct SharedFindings {
  exporting::sharing::Shared shared;
  std::map<std::string, std::uint64_t, std::less<>> left_out;  // by reason
  std::uint64_t findings = 0;                                  // read
  std::uint64_t given = 0;                                     // of them, that gave an address
};

// `verdicts`: a file of verdicts that says what is so now, "" = as the store has it from the time it was written. A
// finding whose verdict was withdrawn or has expired counts as not judged. Errors: the store or the file cannot be
// read.
core::Expected<SharedFindings> read_shared_findings(const std::string& store, const std::string& verdicts,
                                                    const exporting::sharing::Rules& rules);

// The finding of one line of JSON (score::to_json) as far as it is needed to share it. Errors: it is none.
core::Expected<score::Finding> parse_shared_finding(std::string_view json);

}  // namespace orbwatch::pipeline

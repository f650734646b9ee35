// What a hunt hands out: findings, accounting, what could be tested, and aggregates for the pictures. Plain values;
// export/ and store/ read them, pipeline/ fills them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/time.h"
#include "event/batch.h"
#include "score/finding.h"
#include "score/half_lives.h"
#include "score/network.h"

namespace orbwatch::score {

// Where the records of one input went: read = events + ignored + rejected.
struct InputReport {
  std::string path;
  std::string format;  // "" if none was recognised
  std::string error;   // why it could not be read (to its end); "" if all went well
  bool recognised = true;
  bool unknown_format = false;  // it could be read, but holds no log that is known; `error` says so
  event::Counts counts;
  std::uint64_t bytes = 0;      // decompressed
  core::Nanoseconds first = 0;  // times of its earliest and latest event
  core::Nanoseconds last = 0;
  std::vector<event::Reject> rejects;  // the first few
};

struct HypothesisReport {
  std::string detector;
  std::string hypothesis;
  bool tested = false;
  std::string why_not;       // "no VPN log-ins in the data"
  std::uint64_t events = 0;  // that it looked at
};

// Aggregates over the enriched events, for the report's pictures. Bounded.
struct Overview {
  // Log-ins by hour of the week (UTC, Monday 0:00 first), successes and failures.
  std::uint64_t logins_by_hour[168] = {};
  std::uint64_t failures_by_hour[168] = {};
  // Per day (UTC date text): events, log-ins, failed log-ins.
  struct Day {
    std::uint64_t events = 0, logins = 0, failures = 0;
  };
  std::map<std::string, Day> days;
  // Log-ins: network type -> gateway -> user (for the Sankey), the largest; rest is summed as "others".
  struct Path {
    std::string network_type, gateway, user;
    std::uint64_t logins = 0;
  };
  std::vector<Path> paths;
  // Places of log-in sources: one row per (latitude, longitude) cell.
  struct Place {
    double latitude = 0, longitude = 0;
    std::string city, country;
    std::uint64_t logins = 0, failures = 0;
  };
  std::vector<Place> places;
  std::uint64_t users = 0, sources = 0, gateways = 0;
};

// What became of a suppression in this hunt.
struct SuppressionUse {
  VerdictNote note;
  std::string finding;         // that was judged
  std::uint64_t hits = 0;      // alerts that are none because of it
  core::Nanoseconds last = 0;  // end of the last of them
};

struct HuntResult {
  std::vector<Finding> findings;         // best first
  std::vector<Network> networks;         // covert networks with active nodes, the most confident first
  std::vector<NodeHalfLife> half_lives;  // of their nodes, by kind of network
  std::vector<InputReport> inputs;
  std::vector<HypothesisReport> hypotheses;
  event::Counts total;
  Overview overview;
  core::Nanoseconds first = 0, last = 0;
  std::vector<SuppressionUse> suppressions;  // in force or not, in the order of the file
  std::vector<std::string> notes;  // things the user should know: no network facts, budget, attribution of data
};

}  // namespace orbwatch::score

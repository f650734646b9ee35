// The two tables beside the runner: inputs.yaml (which format each file of shared/data is) and known-differences.yaml.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "parity/parity.h"

namespace orbwatch::parity {

// One line of inputs.yaml. The first whose pattern fits a file holds.
struct Input {
  std::string files{};     // a glob pattern over the path below shared/data; * matches "/" as well
  std::string format{};    // a name of `orbwatch formats`
  std::string expects{};   // the file is a peer's expectation of an input of this format; it may be a log as well
  std::string none{};      // why the file is no log that orbwatch should read
  std::string holds{};     // how the records lie in the file: see records_in()
  std::string envelope{};  // what a collector would have put before records that the peer gets without it
  mutable std::uint64_t used = 0;

  const std::string& decoder() const { return expects.empty() ? format : expects; }
};

struct Inputs {
  std::vector<Input> rows;

  const Input* of(const std::string& file) const;  // null: the file is in no row
};

core::Expected<Inputs> read_inputs(const fs::path& file);

// True if orbwatch has a decoder of that name.
bool has_decoder(const std::string& format);

// A difference between orbwatch and a peer in one field of one record. `field` "record" stands for the whole record
// (theirs: "event"), "extra" for an event that the peer does not have, "count NAME" for a number of records.
struct Difference {
  std::string peer{};
  std::string format{};
  std::string file{};
  std::string place{};
  std::string field{};
  std::string ours{};
  std::string theirs{};
};

// One explanation of known-differences.yaml. Empty patterns fit everything.
struct Explanation {
  std::string peer, format, field, file, ours, theirs, reason;
  std::uint64_t used = 0;

  bool fits(const Difference& difference) const;
};

// A format below the bar: its present share of equal fields in per cent, which may not fall.
struct Exception {
  std::string format{};
  double equal = 0;
  std::string reason;
};

struct Known {
  std::vector<Explanation> explanations;
  std::vector<Exception> exceptions;
};

core::Expected<Known> read_known(const fs::path& file);

// The records of a file as a collector would have received them: `holds` is "" (the file itself), "sekoia"
// (input.message), "jsonl KEY" (a string or object a line), "events" (a list of objects), "ini" (lines "log N pass ="),
// "fail2ban" (lines that are no comment), "cloudtrail" or "yaml".
std::string records_in(const fs::path& file, const std::string& holds);

}  // namespace orbwatch::parity

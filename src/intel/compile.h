// Makes the table of networks.h from what publishers give: MMDB files, AS range CSV files, lists. One pass over each
// input, one file out, written beside its place and renamed, so that a reader sees the old table or the new one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"
#include "intel/network_type.h"
#include "intel/networks.h"

namespace orbwatch::intel {

// A list that gives a type to the AS numbers ("AS64500", "64500") or prefixes, one a line, "#" begins a comment. CSV:
// first column.
struct TypeListFile {
  std::string path;
  NetworkType type = NetworkType::kUnknown;
  std::string label;  // shown in findings; "" = the file's name
};

struct BuildOptions {
  // MaxMind DB files of any kind: city, country, ASN, ISP, connection type, anonymous IP. Fields by MaxMind's names
  // (nested) and by DB-IP's flat names (city, country_code, latitude, longitude, state1). A later file wins where two
  // give the same field.
  std::vector<std::string> mmdb;
  // "start,end,asn,name" with addresses dotted, RFC 5952 or as decimal numbers; the last range wins where they overlap.
  std::vector<std::string> as_csv;
  std::vector<TypeListFile> user_lists;
  bool shipped_lists = true;  // data/as-types.csv and data/lists/, built into the program
  std::string output;
  core::Nanoseconds built = 0;  // time stamp to write; the caller reads the clock
  std::string as_version;       // version of the AS CSV files if their publisher states one elsewhere
  std::string place_version;    // same for MMDB files; "" = their build date
  std::string attribution;      // added to what is known of the inputs
};

struct BuildReport {
  std::vector<SourceInfo> sources;
  std::uint64_t facts = 0;
  std::uint64_t v4_blocks = 0;
  std::uint64_t v6_ranges = 0;
  std::uint64_t bytes = 0;
  std::uint64_t rejected_lines = 0;  // of CSV files and lists
  std::string first_rejected;        // "file:line: text"
  std::string text() const;
};

// `progress` gets short lines for people; may be empty. Errors: an input that cannot be read or is damaged, an output
// that cannot be written; nothing is left behind then. Memory: some 1.5 GB for the free city data set.
core::Expected<BuildReport> build_networks(const BuildOptions& options,
                                           const std::function<void(std::string_view)>& progress = {});

// Changes with every change of the data that is built into the program (curated AS numbers, name rules, lists). A table
// states the one it was made with as version of the source "as-types.csv".
std::string shipped_data_version();

// Is the MMDB file sound? Walks all of it; the error says what is wrong.
core::Expected<void> check_mmdb(const std::string& path);

}  // namespace orbwatch::intel

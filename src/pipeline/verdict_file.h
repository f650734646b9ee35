// The file of verdicts (score/verdicts.h) and what the command needs around it: the findings that can be judged, and
// how often suppressions were used.
//
// verdicts.ndjson holds one JSON object a line and is only ever appended to (docs/verdicts.md describes the members).
// An entry is written with one write() behind O_APPEND and brought to the disk, so that two writers never mix and a
// kill leaves at most one line without its end. Such a line, and any other that cannot be read, is reported with its
// number and left out.
//
// A service keeps its findings in a database that nobody else can open while it runs. Beside it stands therefore
// STATE/findings.index: a line for each finding that was told, newest last, in at most two files of kMostIndexBytes
// (findings.index.1 is the older one). Whoever judges a finding reads it there, whether the service runs or not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "score/verdicts.h"

namespace orbwatch::pipeline {

constexpr std::string_view kVerdictFile = "verdicts.ndjson";  // in a service's state
constexpr std::string_view kUseFile = "verdicts.use";         // hits of its suppressions
constexpr std::string_view kFindingsIndex = "findings.index";
constexpr std::size_t kMostVerdictBytes = std::size_t{64} << 20;  // of a file; then nothing is appended any more
constexpr std::size_t kMostVerdictLine = std::size_t{256} << 10;  // longer ones are damage
constexpr std::size_t kMostIndexBytes = std::size_t{32} << 20;
constexpr std::size_t kMostReason = 1'000;  // bytes of a reason; an author has a tenth

// One line, without its end.
std::string to_json(const score::Verdict& verdict);
// Errors say what is wrong with the line.
core::Expected<score::Verdict> parse_verdict(std::string_view line);

struct DamagedLine {
  std::uint64_t number = 0;  // from 1
  std::string why;
};
struct VerdictFile {
  struct Line {
    score::Verdict verdict;
    std::uint64_t end = 0;  // bytes of the file up to and with it
    std::string_view text;  // in `bytes`
  };
  std::string bytes;
  std::vector<Line> lines;
  std::vector<DamagedLine> damaged;  // the first kMostDamaged
  std::uint64_t all_damaged = 0;
  static constexpr std::size_t kMostDamaged = 100;
};
// Whole lines behind the first `from` bytes; what stands behind the last line end is not whole yet (`partial`: counts
// as damaged). No file: none. Errors: it cannot be read, or is longer than kMostVerdictBytes.
core::Expected<VerdictFile> read_verdicts(const std::string& path, std::uint64_t from = 0, bool partial = true);

// A new entry's id: out of all that is in it.
std::string verdict_id(const score::Verdict& verdict);
// Errors (ErrorKind::kOutput): the file cannot be written, is a link, or has no room left (kMostVerdictBytes). A new
// file belongs to the owner of its folder, even if root makes it.
core::Expected<void> append_verdict(const std::string& path, const score::Verdict& verdict);

// What is known of a finding by which it can be judged: a verdict without id, time, author, judgement, scope.
// `begin`: the first digits of its id. Errors: no such finding, several (named), the file or folder cannot be read.
core::Expected<score::Verdict> find_case_in_store(const std::string& db, std::string_view begin);
core::Expected<score::Verdict> find_case_in_state(const std::string& folder, std::string_view begin);

// Appends findings to the index of a service's state. Errors: it cannot be written.
core::Expected<void> append_to_index(const std::string& folder, std::span<const score::Finding> findings);

struct SuppressionHits {
  std::string id;
  std::uint64_t hits = 0;
  core::Nanoseconds last = 0;
};
// In place of the old file. Errors: it cannot be written.
core::Expected<void> write_hits(const std::string& folder, const score::Verdicts& verdicts);
// None if there is no such file.
std::vector<SuppressionHits> read_hits(const std::string& folder);
// Of the hunt that wrote the database. Errors: it cannot be asked.
core::Expected<std::vector<SuppressionHits>> hits_in_store(const std::string& db);

}  // namespace orbwatch::pipeline

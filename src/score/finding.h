// A finding: what a person reads. Its JSON (see to_json) is the stable contract that `--json`, the store and the
// exporters share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ip.h"
#include "core/time.h"
#include "detect/evidence.h"

namespace orbwatch::score {

// Who stands at an address. Empty or zero means unknown. `claims` tells who says what about the network type, since
// sources disagree: "hosting (list x4bnet), consumer broadband (AS name)".
struct SourceFacts {
  core::Ip ip;
  std::uint32_t asn = 0;
  std::string org;
  std::string country;  // ISO 3166-1 alpha-2
  std::string city;
  std::string network_type;
  std::string claims;
  double latitude = 0;  // degrees; both 0 = unknown
  double longitude = 0;
};

struct RecordPlace {
  std::string file;
  std::uint64_t offset = 0;  // bytes from the start of the decompressed input
  std::uint32_t line = 0;    // 1-based line, packet or record number
  std::string raw;           // the record itself if it is text (at most 2 KiB), not part of the JSON unless asked for
};

enum class Severity : std::uint8_t { kInformational, kLow, kMedium, kHigh, kCritical };
std::string_view name(Severity severity);

// An analyst's verdict as a finding shows it (score/verdicts.h).
struct VerdictNote {
  std::string id;    // of the entry; "" = there is none
  std::string says;  // "true", "false", "benign"
  std::string author;
  std::string reason;
  core::Nanoseconds time = 0;     // wall clock, when it was given
  core::Nanoseconds expires = 0;  // 0 = never
};

// One step of what a finding tells.
enum class Step : std::uint8_t {
  kFailedLogin,  // a stranger's failed attempt on the account, before a log-in
  kLogin,        // a log-in that is in the finding; of a spray: a user who logged in after a try
  kSessionEnd,   // the end of a log-in's session
};
std::string_view name(Step step);  // "failed-log-in", "log-in", "session-end"

struct TimelineEntry {
  core::Nanoseconds time = 0;
  Step what = Step::kLogin;
  SourceFacts source;
  std::optional<double> log_odds;  // of a log-in that was judged
  bool alert = false;              // that log-in alone reaches the alert line
  std::string says;                // one sentence for a person, may be empty
  std::string finding;             // of a spray's log-in: the finding that it is in
};

struct Finding {
  std::string id;  // stable: derived from kind, time, user, source; 16 hex digits
  core::Nanoseconds time = 0;
  core::Nanoseconds end = 0;
  detect::FindingKind kind = detect::FindingKind::kLogin;
  double score = 0;     // 0..1, calibrated probability
  double log_odds = 0;  // the same before the logistic function; what the budget ranks by
  Severity severity = Severity::kInformational;
  bool alert = false;  // inside the alert budget
  std::string user;
  SourceFacts source;                // of kind login the strongest log-in's; of another kind when there is one only
  std::vector<SourceFacts> sources;  // when many; at most kMostListed, source_count says how many there were
  std::vector<std::string> users;    // when many; likewise
  std::uint64_t source_count = 0;
  std::uint64_t user_count = 0;
  std::string gateway;
  std::string device;
  std::string outcome;                     // "success", "failure": of the log-in itself
  std::string hypothesis;                  // sentence
  std::vector<std::string> attack;         // ATT&CK technique ids
  std::vector<detect::Evidence> evidence;  // strongest first
  std::vector<RecordPlace> records;        // at most kMostListed
  std::string advice;
  std::string network;  // covert network id, if linked
  // What happened, ascending by time; at most kMostListed, timeline_count says how many there were. Of kinds login and
  // spray only.
  std::vector<TimelineEntry> timeline;
  std::uint64_t timeline_count = 0;
  std::string related;        // of a log-in after a try: the spray's finding
  VerdictNote verdict;        // on this very finding
  VerdictNote suppressed_by;  // would be an alert, but for this suppression
  VerdictNote risen_above;    // is an alert although this one covers it: it has become much stranger

  static constexpr std::size_t kMostListed = 100;
};

// One line, no newline; absent means unknown. `with_raw` adds records[].raw.
std::string to_json(const Finding& finding, bool with_raw = false);

}  // namespace orbwatch::score

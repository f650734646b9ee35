// `orbwatch simulate`: writes a simulated organisation's logs, with a covert network at work in them, and the truth
// about it. What a world contains and what it leaves out: docs/evaluation.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/time.h"

namespace orbwatch::evaluate {

struct SimulateOptions {
  std::uint64_t seed = 1;
  std::string out;                   // directory; made if it does not exist. Files of the same names are replaced.
  int users = 150;                   // 1..200000
  int days = 28;                     // 2..1000
  std::string start = "2026-10-05";  // first local day
  std::string region;                // "de", "gb", "us"; "" = by the seed
  double noise = 1;  // background traffic of the Internet and of customers, relative; 0 = none. Grows with `users`
  std::uint64_t lines = 0;  // about so many log lines: sets `users` for the given days and noise; 0 = not used
  // The covert network.
  int attack_from = -1;   // first day (0 = first) on which it may act; -1 = after 40 % of the days
  int attack_days = -1;   // length of that time; -1 = 45 % of the days, so that ordinary days follow
  int covert_logins = 6;  // intrusions with stolen credentials, one to three log-ins each
  int sprays = 1;         // campaigns of `spray_days`; each ends in two accounts taken over
  int spray_days = 4;     // as far as the time of the attacks reaches
  int scans = 1;          // campaigns of three days
  int management_probes = 2;
  // Worlds as they are. 0: the plain world; its bytes stay the same from version to version. 1: more kinds of people,
  // providers' and organisation's events, several countries, other intruders (docs/evaluation.md).
  int variety = 0;
  std::string sector = "office";  // office, hospital, factory, school
  // The VPN gateways. "asa": two Cisco ASA, a FortiGate, and a bastion; "mixed": other vendors' beside or instead;
  // "asa-only": two ASA and nothing else. "" = asa, with variety by the seed.
  std::string gateways;
  // Whether firewalls log what sessions reach inside the tunnel: "none", "logged"; "" = with variety only.
  std::string tunnel_traffic;
};

// One entry of the truth: something the covert network did, or ("grey") something ordinary that a tool may rightly
// point out.
struct TruthItem {
  std::string id;    // "s3-spray-2"
  std::string kind;  // covert-login, spray, credential-success-after-spray, slow-scan, management-probe; grey: exposure
  std::string campaign;        // items of one campaign share it
  core::Nanoseconds time = 0;  // of its first and last line
  core::Nanoseconds end = 0;
  std::vector<std::string> users;
  std::vector<std::string> sources;
  std::string gateway;
  std::string placement;  // of the exit node, seen from the user: same-town-same-provider, same-town-other-provider,
                          // other-town, abroad; with variety also hosting (a rented server)
  std::string provider;   // of the exit node: own (of one of the user's lines, homes and telephone), new
  std::string client;     // copied (as the user's own), different, unseen (the gateway does not log it)
  std::string outcome;    // success, failure
  // With variety only, of a covert log-in. What the exit is: home-router, business-router, rented-server. How it went:
  // "" (as usual), on-ramp-error (straight from a rented server), hand-over (resumed from another node), weekly
  // (low and slow), reused-node (that served against another victim before).
  std::string relay;
  std::string conduct;
  // What the session reached behind the gateway, where that is logged: "" (not logged), nothing (no more than names and
  // a domain controller), as-victim (what its owner reaches, as far as an intruder can know), looks-around, sweeps.
  std::string inside;
  int disguise = 0;  // 0 (plain) .. 5 (own town, own provider, own client, usual hours)
  bool grey = false;
  std::uint64_t lines = 0;

  friend bool operator==(const TruthItem&, const TruthItem&) = default;
};

// Something ordinary that happened in a world with variety, for whoever asks where a false alert came from. Kinds:
// docs/evaluation.md.
struct Happening {
  std::string kind;
  std::string what;            // a provider and town, a country, a gateway
  core::Nanoseconds time = 0;  // both 0: all the time
  core::Nanoseconds end = 0;
  std::vector<std::string> users;

  friend bool operator==(const Happening&, const Happening&) = default;
};

struct SimulateResult {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;         // before compression
  std::vector<std::string> files;  // paths, the truth file excluded
  std::string truth_file;
  int users = 0;
  std::string region;
  core::Nanoseconds start = 0;  // local midnight of the first day
  int days = 0;
  std::vector<TruthItem> truth;
  std::vector<Happening> happenings;
};

// The truth is beside the logs, hidden, so that a hunt of the directory does not read it.
inline constexpr std::string_view kTruthFile = ".truth.jsonl";

// Deterministic: the same options give the same bytes (of gzip files: of their content) on every machine. Memory is
// bounded by one day's lines. Errors: options out of range, directory or file cannot be written.
core::Expected<SimulateResult> simulate(const SimulateOptions& options);

// Reads a truth file that simulate() wrote: a header line, then one item or one happening a line. Days are local days
// of the world's region.
struct Truth {
  std::uint64_t seed = 0;
  std::string version;
  std::string region;
  core::Nanoseconds start = 0;
  int days = 0;
  int attack_from = 0;
  std::vector<TruthItem> items;
  std::vector<Happening> happenings;
};
core::Expected<Truth> read_truth(const std::string& path);

}  // namespace orbwatch::evaluate

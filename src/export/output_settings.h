// One output as the configuration names it, and what is made of it. The meaning of each key and the guarantees of each
// type stand in docs/outputs.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "export/alert_policy.h"
#include "export/back_off.h"
#include "export/output.h"
#include "export/spool.h"
#include "score/finding.h"

namespace orbwatch::exporting {

// Members are named as the keys. Empty and zero mean: not given. Secrets are never in here, only the files that hold
// them.
struct OutputSettings {
  std::string name;    // a-z, 0-9, "-", "_"; at most 64; the folder in the spool
  std::string type;    // file, syslog, webhook, email
  std::string format;  // of formats.h; default: ndjson, for syslog syslog, for email text

  // file
  std::string path;

  // syslog, email
  std::string host;                   // name or address of the receiver
  unsigned port = 0;                  // default: 514 for udp and tcp, 6514 for tls; email 587, with security tls 465
  std::string transport = "udp";      // syslog: udp, tcp, tls
  std::string facility = "local0";    // syslog
  std::string security = "starttls";  // email: starttls, tls, none

  // webhook
  std::string url;
  std::string secret_file;         // key of the signature
  std::string authorization_file;  // value of the Authorization header
  std::string proxy;               // http://host:port; the environment's proxies are never used

  // email
  std::string from;
  std::vector<std::string> to;
  std::string user;
  std::string password_file;

  // TLS of syslog, webhook, email. There is no way to switch the check of the server's certificate off.
  std::string ca_file;           // default: the system's
  std::string certificate_file;  // of the client, PEM
  std::string key_file;

  unsigned timeout_seconds = 30;  // of one attempt, 1..300
  BackOff retry;
  std::uint64_t most_attempts = 0;  // then it is a dead letter; 0 = never gives up
  SpoolLimits spool;
  AlertRules rules;
  std::string organisation;  // in STIX
  std::string report_host;   // this computer's name in syslog; "" = as the system says
};

// The first key that is wrong, by name: "outputs.siem.url: ...".
core::Expected<void> check(const OutputSettings& settings);

// With the format and the port that the type has where none was given. The settings must be checked.
OutputSettings with_defaults(OutputSettings settings);

// Checks the settings and reads the secrets; connects to nothing.
core::Expected<std::unique_ptr<Output>> make_output(const OutputSettings& settings);

// The finding in the output's format. Over UDP values are cut until the message fits into one datagram. now: wall
// clock, for findings without a time.
core::Expected<Message> make_message(const score::Finding& finding, const OutputSettings& settings,
                                     core::Nanoseconds now);

// A finding that says of itself that it is a test: informational, documentation addresses. For `orbwatch outputs test`.
score::Finding test_finding(core::Nanoseconds now);

}  // namespace orbwatch::exporting

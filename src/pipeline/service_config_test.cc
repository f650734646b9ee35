#include "pipeline/service_config.h"

#include <gtest/gtest.h>

#include "pipeline/config.h"

namespace orbwatch::pipeline {
namespace {

std::string error_of(const std::string& yaml) {
  const auto parsed = parse_config(yaml, "c.yaml");
  return parsed ? "" : parsed.error().text();
}

TEST(ServiceConfig, ReadsEveryKey) {
  const auto parsed = parse_config(R"(state: /var/lib/orbwatch
collect:
  - type: syslog_udp
    listen: 0.0.0.0:514
    admit: [192.0.2.0/24, "2001:db8::/32"]
    workers: 2
    receive_buffer: 64MiB
  - type: syslog_tcp
    name: tls
    listen: "[::]:6514"
    connections: 10
    idle_timeout: 1h
    format: fortigate
    timezone: Europe/Berlin
    tls: {certificate: /c.pem, key: /k.pem, client_ca: /ca.pem}
  - {type: flow_udp, listen: ":2055"}
  - {type: flow_tcp, listen: "127.0.0.1:4739"}
  - {type: tail, paths: [/var/log/a.log, /var/log/b], from: beginning}
  - type: http
    listen: 127.0.0.1:8088
    token_hashes: [0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef]
  - type: relp
    listen: 127.0.0.1:2514
    admit: 192.0.2.0/24
    connections: 20
    idle_timeout: 2h
    format: openssh
    timezone: Europe/Berlin
    tls: {certificate: /c.pem, key: /k.pem, client_ca: /ca.pem}
journal: {most_bytes: 1GiB, sync: 0ms}
checkpoint: 2min
lateness: 12h
store: {events: false, keep: 90d, most_bytes: 100GiB}
metrics: {listen: "127.0.0.1:9464"}
pseudonyms: {key_file: /key, raw_records: false}
outputs:
  - {name: siem, type: syslog, host: siem.example, transport: tcp, minimum_severity: high, kinds: [login, spray],
     timeout: 10s, retry: {first: 2s, longest: 1min}, rate: {per_hour: 10, burst: 5}, spool: {most_bytes: 1MiB}}
)",
                                   "c.yaml");
  ASSERT_TRUE(parsed) << parsed.error().text();
  const ServiceConfig& s = parsed->service;
  EXPECT_EQ(s.state, "/var/lib/orbwatch");
  EXPECT_EQ(s.pseudonyms, (PseudonymSettings{.key_file = "/key", .raw_records = false}));
  ASSERT_EQ(s.collect.size(), 7U);
  EXPECT_EQ(s.collect[0].name, "syslog_udp 0.0.0.0:514");
  EXPECT_EQ(s.collect[0].workers, 2);
  EXPECT_EQ(s.collect[0].admit.size(), 2U);
  EXPECT_EQ(s.collect[0].receive_buffer, 64ULL << 20);
  EXPECT_EQ(s.collect[1].name, "tls");
  EXPECT_EQ(s.collect[1].type, CollectorType::kSyslogTcp);
  EXPECT_EQ(s.collect[1].connections, 10);
  EXPECT_EQ(s.collect[1].idle_timeout, std::chrono::hours(1));
  EXPECT_EQ(s.collect[1].tls.client_ca, "/ca.pem");
  EXPECT_EQ(s.collect[1].format, "fortigate");
  EXPECT_EQ(s.collect[1].timezone, "Europe/Berlin");
  EXPECT_EQ(s.collect[3].type, CollectorType::kFlowTcp);
  EXPECT_EQ(s.collect[4].paths.size(), 2U);
  EXPECT_TRUE(s.collect[4].from_beginning);
  EXPECT_EQ(s.collect[5].token_hashes.size(), 1U);
  EXPECT_EQ(s.collect[6].type, CollectorType::kRelp);
  EXPECT_EQ(s.collect[6].name, "relp 127.0.0.1:2514");
  EXPECT_EQ(s.collect[6].connections, 20);
  EXPECT_EQ(s.collect[6].idle_timeout, std::chrono::hours(2));
  EXPECT_EQ(s.collect[6].format, "openssh");
  EXPECT_EQ(s.collect[6].timezone, "Europe/Berlin");
  EXPECT_EQ(s.collect[6].admit.size(), 1U);
  EXPECT_EQ(s.collect[6].tls.key, "/k.pem");
  EXPECT_EQ(s.journal_bytes, 1ULL << 30);
  EXPECT_EQ(s.journal_sync.count(), 0);
  EXPECT_EQ(s.checkpoint, std::chrono::minutes(2));
  EXPECT_EQ(s.lateness, 12 * core::kHour);
  EXPECT_FALSE(s.store_events);
  EXPECT_EQ(s.keep_days, 90);
  EXPECT_EQ(s.keep_bytes, 100ULL << 30);
  EXPECT_EQ(s.metrics_listen, "127.0.0.1:9464");
  ASSERT_EQ(s.outputs.size(), 1U);
  EXPECT_EQ(s.outputs[0].rules.minimum_severity, score::Severity::kHigh);
  EXPECT_EQ(s.outputs[0].rules.kinds.size(), 2U);
  EXPECT_EQ(s.outputs[0].timeout_seconds, 10U);
  EXPECT_EQ(s.outputs[0].retry.longest, std::chrono::minutes(1));
  EXPECT_EQ(s.outputs[0].spool.most_bytes, 1ULL << 20);
}

TEST(ServiceConfig, SaysWhereAndWhatIsWrong) {
  struct Case {
    std::string yaml;
    std::string error;
  };
  for (const Case& c : {
           Case{"collect: 1\n", "c.yaml:1: 'collect' must be a list"},
           Case{"collect:\n  - type: syslog\n    listen: :514\n",
                "c.yaml:2: 'type' must be one of syslog_udp, syslog_tcp, flow_udp, flow_tcp, tail, http, relp, seen "
                "'syslog'"},
           Case{"collect:\n  - type: syslog_udp\n", "c.yaml:2: a collector of type syslog_udp needs 'listen'"},
           Case{"collect:\n  - type: tail\n", "c.yaml:2: a collector of type tail needs 'paths'"},
           Case{"collect:\n  - type: tail\n    paths: /x\n    listen: :1\n",
                "c.yaml:4: 'listen' means nothing for a collector of type tail"},
           Case{"collect:\n  - {type: flow_udp, listen: \":1\"}\n  - {type: flow_udp, listen: \":1\"}\n",
                "c.yaml:3: two collectors are named 'flow_udp :1'"},
           Case{"collect:\n  - type: flow_udp\n    listen: :1\n    workers: 0\n",
                "c.yaml:4: 'workers' must be within 1 and 64"},
           Case{"collect:\n  - type: http\n    listen: :1\n",
                "c.yaml:2: a collector of type http needs 'token_hashes' (see `orbwatch token`), or 'open_to_anyone: "
                "true'"},
           Case{"collect:\n  - type: http\n    listen: :1\n    token_hashes: [secret]\n",
                "c.yaml:4: a token's hash is 64 digits of 0-9 and a-f, as `orbwatch token` prints it"},
           Case{"collect:\n  - type: relp\n", "c.yaml:2: a collector of type relp needs 'listen'"},
           Case{"collect:\n  - type: relp\n    listen: :1\n    workers: 2\n",
                "c.yaml:4: 'workers' means nothing for a collector of type relp"},
           Case{"collect:\n  - type: relp\n    listen: :1\n    tls: {certificate: /c}\n",
                "c.yaml:4: 'tls' needs 'certificate' and 'key'"},
           Case{"collect:\n  - type: syslog_tcp\n    listen: :1\n    tls: {key: /k}\n",
                "c.yaml:4: 'tls' needs 'certificate' and 'key'"},
           Case{"collect:\n  - type: syslog_tcp\n    listen: :1\n    format: nothing\n",
                "c.yaml:4: 'nothing' is no format of text records (see `orbwatch formats`)"},
           Case{"collect:\n  - type: syslog_udp\n    listen: :1\n    admit: here\n",
                "c.yaml:4: 'admit' lists prefixes like 192.0.2.0/24, seen 'here'"},
           Case{"checkpoint: 60\n",
                "c.yaml:1: 'checkpoint' must be a time with its unit, such as 500ms, 60s, 15min, 1h or 30d"},
           Case{"checkpoint: 10ms\n", "c.yaml:1: 'checkpoint' must be within 1 s and 86400 s"},
           Case{"journal:\n  most_bytes: 4\n",
                "c.yaml:2: 'most_bytes' must be a size with its unit, such as 512MiB or 4GiB"},
           Case{"journal:\n  most_bytes: 4KiB\n", "c.yaml:2: 'most_bytes' must be at least 262144 KiB"},
           Case{"store:\n  keep: 1h\n", "c.yaml:2: 'keep' must be within 86400 s and 315360000 s"},
           Case{"pseudonyms: yes\n", "c.yaml:1: 'pseudonyms' must be a map"},
           Case{"pseudonyms:\n  raw_records: false\n",
                "c.yaml:2: 'pseudonyms' needs 'key_file' (`orbwatch pseudonym key` makes one)"},
           Case{"pseudonyms: {key_file: /k, raw_records: maybe}\n", "c.yaml:1: 'raw_records' must be true or false"},
           Case{"outputs:\n  - {name: a, type: file, path: /x, minimum_severity: loud}\n",
                "c.yaml:2: 'minimum_severity' must be one of informational, low, medium, high, critical, seen 'loud'"},
       })
    EXPECT_EQ(error_of(c.yaml), c.error) << c.yaml;
}

TEST(ServiceConfig, ListenSaysWhatIsWrong) {
  for (const char* bad : {"514x", "example.com:514", "192.0.2.1", "1.2.3.4:70000"}) {
    const std::string error = error_of("collect:\n  - type: syslog_udp\n    listen: " + std::string(bad) + "\n");
    EXPECT_TRUE(error.starts_with("c.yaml:3: 'listen'")) << bad << ": " << error;
  }
}

}  // namespace
}  // namespace orbwatch::pipeline

#include "pipeline/config_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <functional>
#include <set>
#include <sstream>
#include <string>

namespace orbwatch::pipeline {
namespace {

Config parsed(std::string_view yaml) {
  auto config = parse_config(yaml, "c.yaml");
  if (!config) ADD_FAILURE() << config.error().text() << "\n" << yaml;
  return config ? *config : Config{};
}

// The default configuration with everything that stands behind "#" without a space.
std::string everything_set() {
  std::istringstream lines{std::string(default_config())};
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find_first_not_of(' ');
    const bool optional = at != line.npos && line[at] == '#' &&
                          (at + 1 == line.size() || line[at + 1] != ' ' || line.compare(at + 1, 2, "  ") == 0);
    if (optional) line.erase(at, 1);
    out += line + "\n";
  }
  return out;
}

// "collect.tls.key" of every key in the tree.
std::set<std::string> keys_of(const YAML::Node& node, const std::string& path = {}) {
  std::set<std::string> out;
  for (const auto& item : node) {
    if (node.IsSequence()) {
      out.merge(keys_of(item, path));
    } else {
      std::string key = path;
      key += (path.empty() ? "" : ".") + item.first.Scalar();
      out.insert(key);
      out.merge(keys_of(item.second, key));
    }
  }
  return out;
}

// Every key that the parser knows. It says which when it meets one that it does not.
std::set<std::string> known_keys() {
  std::set<std::string> out;
  for (const auto& [path, yaml] : {
           std::pair<std::string, std::string>{"", "unknown: 1"},
           {"networks.", "networks: [{prefix: 192.0.2.0/24, unknown: 1}]"},
           {"feeds.", "feeds: [{name: a, from: b, unknown: 1}]"},
           {"feeds.mapping.", "feeds: [{name: a, from: b, mapping: {unknown: 1}}]"},
           {"collect.", "collect: [{type: flow_udp, listen: ':1', unknown: 1}]"},
           {"collect.tls.", "collect: [{type: flow_tcp, listen: ':1', tls: {certificate: a, key: b, unknown: 1}}]"},
           {"journal.", "journal: {unknown: 1}"},
           {"store.", "store: {unknown: 1}"},
           {"metrics.", "metrics: {unknown: 1}"},
           {"pseudonyms.", "pseudonyms: {unknown: 1}"},
           {"outputs.", "outputs: [{name: a, type: file, path: b, unknown: 1}]"},
           {"outputs.retry.", "outputs: [{name: a, type: file, path: b, retry: {unknown: 1}}]"},
           {"outputs.rate.", "outputs: [{name: a, type: file, path: b, rate: {unknown: 1}}]"},
           {"outputs.spool.", "outputs: [{name: a, type: file, path: b, spool: {unknown: 1}}]"},
       }) {
    const auto config = parse_config(yaml, "c.yaml");
    const std::string error = config ? "" : config.error().text();
    const auto begin = error.find("(known: ");
    if (begin == error.npos) {
      ADD_FAILURE() << yaml << "\n" << error;
      continue;
    }
    std::istringstream words(error.substr(begin + 8, error.find(')', begin) - begin - 8));
    for (std::string word; std::getline(words >> std::ws, word, ',');) out.insert(path + word);
  }
  return out;
}

TEST(DefaultConfig, NamesEveryKey) {
  const std::string all = everything_set();
  parsed(all);
  EXPECT_EQ(keys_of(YAML::Load(all)), known_keys());
}

TEST(DefaultConfig, SaysTheDefaults) {
  // What is set is what would be without it.
  const std::string least =
      "state: /var/lib/orbwatch/service\n"
      "collect:\n"
      "  - {type: syslog_udp, name: syslog-udp, listen: '127.0.0.1:5514'}\n"
      "  - {type: syslog_tcp, name: syslog-tcp, listen: '127.0.0.1:5514'}\n"
      "  - {type: flow_udp, name: flows, listen: '127.0.0.1:2055'}\n"
      "metrics: {listen: '127.0.0.1:9464'}\n";
  EXPECT_EQ(to_yaml(parsed(default_config())), to_yaml(parsed(least)));
  // What could be set is shown with its default, where it has one.
  const Config all = parsed(everything_set());
  for (const CollectorSettings& c : all.service.collect) {
    const CollectorSettings usual;
    EXPECT_EQ(c.workers, usual.workers) << c.name;
    EXPECT_EQ(c.receive_buffer, usual.receive_buffer) << c.name;
    EXPECT_EQ(c.idle_timeout, usual.idle_timeout) << c.name;
    EXPECT_EQ(c.connections, c.type == CollectorType::kHttp ? 64 : usual.connections) << c.name;
    EXPECT_EQ(c.from_beginning, usual.from_beginning) << c.name;
  }
  ASSERT_EQ(all.service.outputs.size(), 4U);
  for (exporting::OutputSettings o : all.service.outputs) {
    const exporting::OutputSettings usual;
    EXPECT_EQ(o.timeout_seconds, usual.timeout_seconds) << o.name;
    EXPECT_EQ(o.retry.first, usual.retry.first) << o.name;
    EXPECT_EQ(o.retry.longest, usual.retry.longest) << o.name;
    EXPECT_EQ(o.most_attempts, usual.most_attempts) << o.name;
    EXPECT_EQ(o.spool.most_messages, usual.spool.most_messages) << o.name;
    EXPECT_EQ(o.spool.most_bytes, usual.spool.most_bytes) << o.name;
    EXPECT_EQ(o.rules.alerts_only, usual.rules.alerts_only) << o.name;
    EXPECT_EQ(o.rules.minimum_severity, usual.rules.minimum_severity) << o.name;
    EXPECT_EQ(o.rules.kinds, usual.rules.kinds) << o.name;
    EXPECT_EQ(o.rules.grown_by, usual.rules.grown_by) << o.name;
    EXPECT_EQ(o.rules.per_hour, usual.rules.per_hour) << o.name;
    EXPECT_EQ(o.rules.burst, usual.rules.burst) << o.name;
    EXPECT_EQ(o.facility, usual.facility) << o.name;
    EXPECT_EQ(o.security, usual.security) << o.name;
    const unsigned port = o.port;
    o.port = 0;
    if (port != 0) {
      EXPECT_EQ(port, exporting::with_defaults(o).port) << o.name;
    }
  }
}

// Every key with a value that is not its default.
constexpr const char* kUnusual = R"(alerts_per_day: 2.5
timezone: Europe/Berlin
indicators: [a.txt, "b c.csv"]
mappings: [/etc/formats, "-x: #y"]
verdicts: "/srv/a b.ndjson"
networks:
  - {prefix: 198.51.100.0/24, name: "Büro \"A\": 1", type: business, site: "1e5", country: DE, latitude: 52.5,
     longitude: 13.4, own: false, allowed: true}
feeds:
  - {name: f-1, from: "/srv/a b.csv", format: csv, kind: domain, label: "L: 1", known_good: true, half_life: 2.5, price_per_year: 1500.5,
     protocol: taxii, collection: c1, api_root: r, authentication: basic, user: u, header: X-Key,
     secret_file: "/s s", secret_variable: V, ca_file: /ca, certificate_file: /c, key_file: /k,
     proxy: "http://proxy.example:3128", timeout: 20s, most_bytes: 3MiB, most_addresses: 7, most_shrinkage: 0.25, delimiter: ";", skip: 3, records: a.b, mapping: {value: "#2", kind: k,
     label: l, port: p, first_seen: f, last_seen: s, valid_from: vf, valid_until: vu, confidence: c, modified: m,
     tags: t, id: i}}
feeds_folder: /srv/feeds
learn_half_lives: false
state: "true"
collect:
  - {type: syslog_udp, name: "~", listen: "0.0.0.0:514", admit: [192.0.2.0/24, "2001:db8::/32"], workers: 2,
     receive_buffer: 65MiB, format: fortigate, timezone: Asia/Tokyo}
  - {type: flow_tcp, name: tls, listen: "[::]:4739", connections: 10, idle_timeout: 90s,
     tls: {certificate: /c.pem, key: /k.pem, client_ca: /ca.pem}}
  - {type: tail, name: files, paths: [/var/log/a.log, "/var/log/*.txt"], from: beginning}
  - {type: http, name: push, listen: "127.0.0.1:8088", open_to_anyone: true, connections: 65}
journal: {most_bytes: 257MiB, sync: 1500ms}
checkpoint: 2min
lateness: 12h
store: {events: false, keep: 90d, most_bytes: 1TiB}
metrics: {listen: "127.0.0.1:9464"}
pseudonyms: {key_file: "/k e y", raw_records: false}
outputs:
  - {name: siem, type: syslog, format: cef, host: siem.example, port: 1514, transport: tls, facility: auth,
     ca_file: /ca, certificate_file: /c, key_file: /k, minimum_severity: high, kinds: [login, spray], grown_by: 3.5,
     timeout: 10s, attempts: 7, retry: {first: 2s, longest: 1min}, rate: {per_hour: 10, burst: 5.5},
     spool: {most_alerts: 11, most_bytes: 1MiB}, alerts_only: false, organisation: Org, report_host: here}
  - {name: hook, type: webhook, format: ocsf, url: "https://hook.example:8443/", secret_file: /s,
     authorization_file: /a, proxy: "http://proxy.example:3128"}
  - {name: mail, type: email, format: stix, host: "2001:db8::1", port: 26, security: none, from: a@example.org,
     to: [b@example.org, c@example.org]}
  - {name: mail-2, type: email, format: stix, host: mail.example, port: 26, security: tls, from: a@example.org,
     to: [b@example.org], user: someone, password_file: "/p w"}
  - {name: file, type: file, format: leef, path: "/a: b # c"}
)";

// Each value of `given` stands at the same place in `shown`.
void expect_same(const YAML::Node& given, const YAML::Node& shown, const std::string& path) {
  ASSERT_EQ(given.Type(), shown.Type()) << path;
  if (given.IsScalar()) {
    EXPECT_EQ(given.Scalar(), shown.Scalar()) << path;
  }
  if (given.IsSequence()) {
    ASSERT_EQ(given.size(), shown.size()) << path;
    for (std::size_t i = 0; i < given.size(); ++i) expect_same(given[i], shown[i], path + "." + std::to_string(i));
  }
  if (!given.IsMap()) return;
  for (const auto& item : given) {
    const std::string key = item.first.Scalar();
    const std::string place = fmt::format("{}.{}", path, key);
    ASSERT_TRUE(shown[key]) << place;
    expect_same(item.second, shown[key], place);
  }
}

TEST(ShownConfig, SaysEverythingThatWasGiven) {
  const std::string shown = to_yaml(parsed(kUnusual));
  expect_same(YAML::Load(kUnusual), YAML::Load(shown), "");
  EXPECT_EQ(to_yaml(parsed(shown)), shown);
  // JSON is YAML.
  const std::string json = to_json(parsed(kUnusual));
  expect_same(YAML::Load(shown), YAML::Load(json), "");
  EXPECT_EQ(to_json(parsed(json)), json);
  // No key is missing in it but those whose values would be redacted.
  std::set<std::string> keys = keys_of(YAML::Load(shown));
  EXPECT_EQ(keys, known_keys());
}

TEST(ShownConfig, FillsInTheDefaults) {
  const YAML::Node shown =
      YAML::Load(to_yaml(parsed("timezone: Asia/Tokyo\ncollect:\n  - {type: syslog_tcp, listen: ':6514'}\n"
                                "outputs:\n  - {name: s, type: syslog, host: h, transport: tls}\n  - {name: m, type: "
                                "email, host: h, from: a@b.c, "
                                "to: d@e.f}\n")));
  EXPECT_EQ(shown["journal"]["most_bytes"].Scalar(), "4GiB");
  EXPECT_EQ(shown["lateness"].Scalar(), "1h");
  EXPECT_EQ(shown["collect"][0]["name"].Scalar(), "syslog_tcp :6514");
  EXPECT_EQ(shown["collect"][0]["connections"].Scalar(), "1000");
  EXPECT_EQ(shown["collect"][0]["timezone"].Scalar(), "Asia/Tokyo");
  EXPECT_EQ(shown["outputs"][0]["port"].Scalar(), "6514");
  EXPECT_EQ(shown["outputs"][0]["format"].Scalar(), "syslog");
  EXPECT_EQ(shown["outputs"][1]["port"].Scalar(), "587");
  EXPECT_EQ(to_yaml(parsed("")), to_yaml(parsed(to_yaml(parsed("")))));
}

TEST(ShownConfig, ShowsNoSecret) {
  const std::string hash(64, 'a');
  const Config config = parsed(
      "mappings: 'https://someone:passw0rd@example.org/formats'\n"
      "collect:\n"
      "  - {type: http, name: 'ftp://a:passw1rd@[2001:db8::1]/ and http://b:passw2rd@c?d', listen: ':1', token_hashes: "
      "[" +
      hash +
      "]}\n"
      "outputs:\n"
      "  - {name: a, type: webhook, url: 'https://hooks.example/services/T0/s3cret', proxy: 'http://p:1/s4cret'}\n"
      "  - {name: b, type: webhook, url: 'https://hooks.example:8443?token=s5cret'}\n"
      "  - {name: c, type: webhook, url: 'https://hooks.example/#s6cret', secret_file: /etc/named}\n");
  for (const std::string& shown : {to_yaml(config), to_json(config)}) {
    for (const std::string& secret :
         {hash, std::string("passw"), std::string("cret'"), std::string("s3cret"), std::string("s4cret"),
          std::string("s5cret"), std::string("s6cret"), std::string("services/T0"), std::string("someone")})
      EXPECT_EQ(shown.find(secret), shown.npos) << secret << "\n" << shown;
    for (const std::string told :
         {"https://hooks.example", "https://hooks.example:8443", "/etc/named", "example.org/formats"})
      EXPECT_NE(shown.find(told), shown.npos) << told << "\n" << shown;
    // It cannot be taken for a configuration.
    EXPECT_FALSE(parse_config(shown, "shown.yaml")) << shown;
  }
  // Each of them alone is enough for that.
  for (const std::string& yaml : {"collect: [{type: http, listen: ':1', token_hashes: [" + hash + "]}]",
                                  std::string("outputs: [{name: a, type: webhook, url: 'https://h.example/x'}]"),
                                  std::string("outputs: [{name: a, type: webhook, url: 'https://h.example', proxy: "
                                              "'http://p.example/x'}]")})
    EXPECT_FALSE(parse_config(to_yaml(parsed(yaml)), "shown.yaml")) << to_yaml(parsed(yaml));
}

}  // namespace
}  // namespace orbwatch::pipeline

#include "pipeline/service_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>

#include "core/text.h"
#include "core/time.h"
#include "decode/all.h"
#include "pipeline/yaml.h"
#include "source/sockets.h"

namespace orbwatch::pipeline {
namespace {

using yaml::only_keys;
using yaml::read;
using yaml::read_size;
using yaml::read_time;
using yaml::wrong;

constexpr std::array<std::string_view, 7> kTypes = {"syslog_udp", "syslog_tcp", "flow_udp", "flow_tcp",
                                                    "tail",       "http",       "relp"};

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array kTimeUnits = {Unit{"ms", 1},     Unit{"s", 1000},      Unit{"min", 60'000},
                                   Unit{"m", 60'000}, Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr std::array kSizeUnits = {Unit{"KiB", 1ULL << 10}, Unit{"MiB", 1ULL << 20}, Unit{"GiB", 1ULL << 30},
                                   Unit{"TiB", 1ULL << 40}, Unit{"B", 1}};

// "90s", "4 GiB": a whole number and a unit.
template <std::size_t N>
std::optional<std::uint64_t> measured(std::string_view text, const std::array<Unit, N>& units) {
  text = core::trim(text);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto value = core::parse_number<std::uint64_t>(text.substr(0, digits));
  const std::string_view unit = core::trim(text.substr(digits));
  for (const Unit& u : units) {
    if (value && u.name == unit && *value <= std::numeric_limits<std::int64_t>::max() / 1'000'000 / u.factor)
      return *value * u.factor;
  }
  return std::nullopt;
}

std::string text_of(const YAML::Node& node, const char* key) {
  if (!node.IsScalar()) wrong(node, fmt::format("'{}' must be one value", key));
  return node.Scalar();
}

void check_listen(const YAML::Node& node, const std::string& text) {
  if (const auto endpoint = source::Endpoint::parse(text); !endpoint)
    wrong(node, fmt::format("'listen': {}", endpoint.error().text()));
}

void read_list(const YAML::Node& map, const char* key, std::vector<std::string>& out) {
  const YAML::Node node = map[key];
  if (node && node.IsScalar()) {
    out.push_back(node.Scalar());
  } else {
    read(map, key, out, "a text or a list of texts");
  }
}

TlsSettings read_tls(const YAML::Node& node) {
  TlsSettings out;
  if (!node.IsMap()) wrong(node, "'tls' is a map with at least 'certificate' and 'key'");
  only_keys(node, {"certificate", "key", "client_ca"});
  read(node, "certificate", out.certificate, "a file");
  read(node, "key", out.key, "a file");
  read(node, "client_ca", out.client_ca, "a file");
  if (out.certificate.empty() || out.key.empty()) wrong(node, "'tls' needs 'certificate' and 'key'");
  return out;
}

bool known_format(std::string_view name) {
  const auto named = [&](const auto& format) { return format.name == name; };
  return std::ranges::any_of(decode::record_formats(), named);
}

CollectorSettings read_collector(const YAML::Node& node) {
  CollectorSettings out;
  if (!node.IsMap()) wrong(node, "an entry of 'collect' is a map with at least 'type'");
  only_keys(node, {"type", "name", "listen", "format", "timezone", "workers", "receive_buffer", "connections",
                   "idle_timeout", "tls", "paths", "from", "token_hashes", "open_to_anyone", "admit"});
  std::string type;
  read(node, "type", type, "a type of collector");
  const auto found = std::find(kTypes.begin(), kTypes.end(), type);
  if (found == kTypes.end()) {
    wrong(node["type"] ? node["type"] : node,
          fmt::format("'type' must be one of {}, seen '{}'", fmt::join(kTypes, ", "), core::printable(type, 40)));
  }
  out.type = static_cast<CollectorType>(found - kTypes.begin());
  const auto only_for = [&](const char* key, std::initializer_list<CollectorType> types) {
    if (node[key] && std::find(types.begin(), types.end(), out.type) == types.end())
      wrong(node[key], fmt::format("'{}' means nothing for a collector of type {}", key, type));
  };
  using enum CollectorType;
  only_for("listen", {kSyslogUdp, kSyslogTcp, kFlowUdp, kFlowTcp, kHttp, kRelp});
  only_for("workers", {kSyslogUdp, kFlowUdp});
  only_for("receive_buffer", {kSyslogUdp, kFlowUdp});
  only_for("connections", {kSyslogTcp, kFlowTcp, kHttp, kRelp});
  only_for("idle_timeout", {kSyslogTcp, kFlowTcp, kRelp});
  only_for("tls", {kSyslogTcp, kFlowTcp, kHttp, kRelp});
  only_for("format", {kSyslogUdp, kSyslogTcp, kTail, kHttp, kRelp});
  only_for("timezone", {kSyslogUdp, kSyslogTcp, kTail, kHttp, kRelp});
  only_for("paths", {kTail});
  only_for("from", {kTail});
  only_for("token_hashes", {kHttp});
  only_for("open_to_anyone", {kHttp});
  only_for("admit", {kSyslogUdp, kSyslogTcp, kFlowUdp, kFlowTcp, kHttp, kRelp});
  if (out.type == kTail) {
    read_list(node, "paths", out.paths);
    if (out.paths.empty()) wrong(node, "a collector of type tail needs 'paths'");
  } else {
    read(node, "listen", out.listen, "an address and a port");
    if (out.listen.empty()) wrong(node, fmt::format("a collector of type {} needs 'listen'", type));
    check_listen(node["listen"], out.listen);
  }
  out.name = fmt::format("{} {}", type, out.type == kTail ? out.paths.front() : out.listen);
  read(node, "name", out.name, "a text");
  if (out.name.empty()) wrong(node["name"], "'name' must not be empty");
  read(node, "format", out.format, "the name of a format");
  if (!out.format.empty() && !known_format(out.format))
    wrong(node["format"],
          fmt::format("'{}' is no format of text records (see `orbwatch formats`)", core::printable(out.format, 40)));
  read(node, "timezone", out.timezone, "the name of a time zone");
  if (!out.timezone.empty() && !core::TimeReader::make(out.timezone, 0))
    wrong(node["timezone"], fmt::format("unknown time zone '{}'", core::printable(out.timezone, 40)));
  read(node, "workers", out.workers, "a number");
  if (out.workers < 1 || out.workers > 64) wrong(node["workers"], "'workers' must be within 1 and 64");
  read_size(node, "receive_buffer", out.receive_buffer, 64 << 10);
  read(node, "connections", out.connections, "a number");
  if (out.connections < 1 || out.connections > 100'000)
    wrong(node["connections"], "'connections' must be within 1 and 100000");
  std::chrono::milliseconds idle = out.idle_timeout;
  if (out.type == kHttp && !node["connections"]) out.connections = 64;
  read_time(node, "idle_timeout", idle, 1000, 30ULL * 86'400'000);
  out.idle_timeout = std::chrono::duration_cast<std::chrono::seconds>(idle);
  if (node["tls"]) out.tls = read_tls(node["tls"]);
  std::string from;
  read(node, "from", from, "'beginning' or 'end'");
  if (!from.empty() && from != "beginning" && from != "end") wrong(node["from"], "'from' must be 'beginning' or 'end'");
  out.from_beginning = from == "beginning";
  read_list(node, "token_hashes", out.token_hashes);
  for (const std::string& hash : out.token_hashes) {
    if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != hash.npos)
      wrong(node["token_hashes"], "a token's hash is 64 digits of 0-9 and a-f, as `orbwatch token` prints it");
  }
  read(node, "open_to_anyone", out.open_to_anyone, "true or false");
  std::vector<std::string> admit;
  read_list(node, "admit", admit);
  for (const std::string& text : admit) {
    const auto prefix = core::Prefix::parse(text);
    if (!prefix)
      wrong(node["admit"],
            fmt::format("'admit' lists prefixes like 192.0.2.0/24, seen '{}'", core::printable(text, 40)));
    out.admit.push_back(*prefix);
  }
  if (out.type == kHttp && out.token_hashes.empty() && !out.open_to_anyone)
    wrong(node, "a collector of type http needs 'token_hashes' (see `orbwatch token`), or 'open_to_anyone: true'");
  return out;
}

template <typename Enum>
Enum word_of(const YAML::Node& node, std::string_view key, std::string_view text, Enum last) {
  std::string known;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const auto value = static_cast<Enum>(i);
    if (name(value) == text) return value;
    known += (known.empty() ? "" : ", ") + std::string(name(value));
  }
  wrong(node, fmt::format("'{}' must be one of {}, seen '{}'", key, known, core::printable(text, 40)));
}

exporting::OutputSettings read_output(const YAML::Node& node) {
  exporting::OutputSettings out;
  if (!node.IsMap()) wrong(node, "an entry of 'outputs' is a map with at least 'name' and 'type'");
  only_keys(node, {"name",
                   "type",
                   "format",
                   "path",
                   "host",
                   "port",
                   "transport",
                   "facility",
                   "security",
                   "url",
                   "secret_file",
                   "authorization_file",
                   "proxy",
                   "from",
                   "to",
                   "user",
                   "password_file",
                   "ca_file",
                   "certificate_file",
                   "key_file",
                   "timeout",
                   "retry",
                   "attempts",
                   "spool",
                   "alerts_only",
                   "minimum_severity",
                   "kinds",
                   "grown_by",
                   "rate",
                   "organisation",
                   "report_host"});
  for (const auto& [key, text] : {std::pair<const char*, std::string*>{"name", &out.name},
                                  {"type", &out.type},
                                  {"format", &out.format},
                                  {"path", &out.path},
                                  {"host", &out.host},
                                  {"transport", &out.transport},
                                  {"facility", &out.facility},
                                  {"security", &out.security},
                                  {"url", &out.url},
                                  {"secret_file", &out.secret_file},
                                  {"authorization_file", &out.authorization_file},
                                  {"proxy", &out.proxy},
                                  {"from", &out.from},
                                  {"user", &out.user},
                                  {"password_file", &out.password_file},
                                  {"ca_file", &out.ca_file},
                                  {"certificate_file", &out.certificate_file},
                                  {"key_file", &out.key_file},
                                  {"organisation", &out.organisation},
                                  {"report_host", &out.report_host}})
    read(node, key, *text, "a text");
  read(node, "port", out.port, "a number");
  read_list(node, "to", out.to);
  std::chrono::milliseconds timeout = std::chrono::seconds(out.timeout_seconds);
  read_time(node, "timeout", timeout, 1000, 300'000);
  out.timeout_seconds = static_cast<unsigned>(timeout.count() / 1000);
  if (const YAML::Node retry = node["retry"]) {
    if (!retry.IsMap()) wrong(retry, "'retry' must be a map");
    only_keys(retry, {"first", "longest"});
    read_time(retry, "first", out.retry.first, 1, 86'400'000);
    read_time(retry, "longest", out.retry.longest, 1, 86'400'000);
  }
  read(node, "attempts", out.most_attempts, "a number");
  if (const YAML::Node spool = node["spool"]) {
    if (!spool.IsMap()) wrong(spool, "'spool' must be a map");
    only_keys(spool, {"most_alerts", "most_bytes"});
    read(spool, "most_alerts", out.spool.most_messages, "a number");
    read_size(spool, "most_bytes", out.spool.most_bytes, 64 << 10);
  }
  read(node, "alerts_only", out.rules.alerts_only, "true or false");
  if (node["minimum_severity"])
    out.rules.minimum_severity =
        word_of(node["minimum_severity"], "minimum_severity", text_of(node["minimum_severity"], "minimum_severity"),
                score::Severity::kCritical);
  std::vector<std::string> kinds;
  read_list(node, "kinds", kinds);
  for (const std::string& kind : kinds)
    out.rules.kinds.push_back(word_of(node["kinds"], "kinds", kind, detect::FindingKind::kDevice));
  read(node, "grown_by", out.rules.grown_by, "a number");
  if (const YAML::Node rate = node["rate"]) {
    if (!rate.IsMap()) wrong(rate, "'rate' must be a map");
    only_keys(rate, {"per_hour", "burst"});
    read(rate, "per_hour", out.rules.per_hour, "a number");
    read(rate, "burst", out.rules.burst, "a number");
  }
  if (const auto good = exporting::check(out); !good) wrong(node, good.error().text());
  return out;
}

}  // namespace

std::string_view name(CollectorType type) { return kTypes[static_cast<std::size_t>(type)]; }

void yaml::read_time(const YAML::Node& map, const char* key, std::chrono::milliseconds& out, std::uint64_t least,
                     std::uint64_t most) {
  const YAML::Node node = map[key];
  if (!node) return;
  const auto value = measured(text_of(node, key), kTimeUnits);
  if (!value) wrong(node, fmt::format("'{}' must be a time with its unit, such as 500ms, 60s, 15min, 1h or 30d", key));
  if (*value < least || *value > most)
    wrong(node, fmt::format("'{}' must be within {} s and {} s", key, static_cast<double>(least) / 1000,
                            static_cast<double>(most) / 1000));
  out = std::chrono::milliseconds(*value);
}

void yaml::read_size(const YAML::Node& map, const char* key, std::uint64_t& out, std::uint64_t least) {
  const YAML::Node node = map[key];
  if (!node) return;
  const auto value = measured(text_of(node, key), kSizeUnits);
  if (!value) wrong(node, fmt::format("'{}' must be a size with its unit, such as 512MiB or 4GiB", key));
  if (*value < least) wrong(node, fmt::format("'{}' must be at least {} KiB", key, least >> 10));
  out = *value;
}

ServiceConfig yaml::read_service(const YAML::Node& root) {
  ServiceConfig out;
  read(root, "state", out.state, "a folder");
  if (const YAML::Node collect = root["collect"]) {
    if (!collect.IsSequence()) wrong(collect, "'collect' must be a list");
    std::set<std::string> names;
    for (const auto& node : collect) {
      out.collect.push_back(read_collector(node));
      if (!names.insert(out.collect.back().name).second)
        wrong(node, fmt::format("two collectors are named '{}'", core::printable(out.collect.back().name, 80)));
    }
  }
  if (const YAML::Node journal = root["journal"]) {
    if (!journal.IsMap()) wrong(journal, "'journal' must be a map");
    only_keys(journal, {"most_bytes", "sync"});
    read_size(journal, "most_bytes", out.journal_bytes, 256ULL << 20);
    read_time(journal, "sync", out.journal_sync, 0, 60'000);
  }
  read_time(root, "checkpoint", out.checkpoint, 1000, 86'400'000);
  auto lateness = std::chrono::milliseconds(out.lateness / core::kMillisecond);
  read_time(root, "lateness", lateness, 1000, 365ULL * 86'400'000);
  out.lateness = lateness.count() * core::kMillisecond;
  if (const YAML::Node store = root["store"]) {
    if (!store.IsMap()) wrong(store, "'store' must be a map");
    only_keys(store, {"events", "keep", "most_bytes"});
    read(store, "events", out.store_events, "true or false");
    auto keep = std::chrono::milliseconds(std::chrono::hours(24) * out.keep_days);
    read_time(store, "keep", keep, 86'400'000, 3650ULL * 86'400'000);
    out.keep_days = static_cast<int>(keep / std::chrono::hours(24));
    read_size(store, "most_bytes", out.keep_bytes, 16ULL << 20);
  }
  if (const YAML::Node metrics = root["metrics"]) {
    if (!metrics.IsMap()) wrong(metrics, "'metrics' must be a map");
    only_keys(metrics, {"listen"});
    read(metrics, "listen", out.metrics_listen, "an address and a port");
    if (!out.metrics_listen.empty()) check_listen(metrics["listen"], out.metrics_listen);
  }
  if (const YAML::Node pseudonyms = root["pseudonyms"]) {
    if (!pseudonyms.IsMap()) wrong(pseudonyms, "'pseudonyms' must be a map");
    only_keys(pseudonyms, {"key_file", "raw_records"});
    read(pseudonyms, "key_file", out.pseudonyms.key_file, "a file");
    if (out.pseudonyms.key_file.empty())
      wrong(pseudonyms, "'pseudonyms' needs 'key_file' (`orbwatch pseudonym key` makes one)");
    read(pseudonyms, "raw_records", out.pseudonyms.raw_records, "true or false");
  }
  if (const YAML::Node outputs = root["outputs"]) {
    if (!outputs.IsSequence()) wrong(outputs, "'outputs' must be a list");
    std::set<std::string> names;
    for (const auto& node : outputs) {
      out.outputs.push_back(read_output(node));
      if (!names.insert(out.outputs.back().name).second)
        wrong(node, fmt::format("two outputs are named '{}'", out.outputs.back().name));
    }
  }
  return out;
}

}  // namespace orbwatch::pipeline

#include "pipeline/config_text.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/network_facts.h"
#include "core/text.h"
#include "export/output_settings.h"
#include "pipeline/texts.h"

namespace orbwatch::pipeline {

namespace {

// A tree that both forms are written from. yaml-cpp's own nodes do not know a text from a number.
struct Value {
  // kWord: a number, true or false. kMeasure: a number with its unit, which JSON has in quotes.
  enum class Kind : std::uint8_t { kText, kWord, kMeasure, kList, kMap };

  Kind kind = Kind::kWord;
  std::string text;
  std::vector<Value> parts;
  std::vector<std::string> keys;  // of a map: of each part
};

// What stands before "@" in an address is a user and a password.
std::string without_credentials(std::string_view text) {
  std::string out;
  while (true) {
    const auto scheme = text.find("://");
    if (scheme == text.npos) return out + std::string(text);
    const auto begin = scheme + 3;
    const auto end = std::min(text.find_first_of("/?# \t\n", begin), text.size());
    const auto at = text.substr(0, end).rfind('@');
    out += text.substr(0, begin);
    if (at != text.npos && at >= begin) {
      out += kRedacted;
      text.remove_prefix(at);
    } else {
      text.remove_prefix(begin);
    }
  }
}

// Of an address that may be a secret itself, scheme and host; the parser wants the scheme first.
std::string without_path(std::string_view url) {
  const auto scheme = url.find("://");
  const auto begin = scheme == url.npos ? 0 : scheme + 3;
  const auto end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::string shown = without_credentials(url.substr(0, end));
  const bool whole = end >= url.size() || url.substr(end) == "/";
  if (whole && shown.size() == end) return std::string(url);
  return fmt::format("{} {}", kRedacted, shown);
}

Value text(std::string_view value) { return {Value::Kind::kText, without_credentials(value), {}, {}}; }
template <typename T>
Value word(T value) {
  return {Value::Kind::kWord, fmt::format("{}", value), {}, {}};
}

template <std::size_t N>
Value measured(std::uint64_t value, const std::array<std::pair<std::uint64_t, std::string_view>, N>& units) {
  for (const auto& [factor, unit] : units) {
    if (value % factor == 0) return {Value::Kind::kMeasure, fmt::format("{}{}", value / factor, unit), {}, {}};
  }
  return {};
}

// In the largest unit that it is a whole number of.
Value time(std::chrono::milliseconds value) {
  using Unit = std::pair<std::uint64_t, std::string_view>;
  if (value.count() == 0) return {Value::Kind::kMeasure, "0s", {}, {}};
  return measured(
      static_cast<std::uint64_t>(value.count()),
      std::array{Unit{86'400'000, "d"}, Unit{3'600'000, "h"}, Unit{60'000, "min"}, Unit{1000, "s"}, Unit{1, "ms"}});
}
Value size(std::uint64_t value) {
  using Unit = std::pair<std::uint64_t, std::string_view>;
  return measured(value, std::array{Unit{1ULL << 40, "TiB"}, Unit{1ULL << 30, "GiB"}, Unit{1ULL << 20, "MiB"},
                                    Unit{1ULL << 10, "KiB"}, Unit{1, "B"}});
}

class Map {
 public:
  void add(std::string_view key, Value value) {
    value_.keys.emplace_back(key);
    value_.parts.push_back(std::move(value));
  }
  // Not at all if it is empty: a key whose default is that there is none.
  void add_given(std::string_view key, std::string_view value) {
    if (!value.empty()) add(key, text(value));
  }
  Value take() { return std::move(value_); }

 private:
  Value value_{Value::Kind::kMap, {}, {}, {}};
};

template <typename Range, typename Make>
Value list(const Range& range, Make make) {
  Value out{Value::Kind::kList, {}, {}, {}};
  for (const auto& item : range) out.parts.push_back(make(item));
  return out;
}
Value texts_of(const std::vector<std::string>& range) {
  return list(range, [](const std::string& item) { return text(item); });
}

Value network(const intel::DeclaredNetwork& n) {
  Map map;
  map.add("prefix", text(n.prefix.text()));
  map.add_given("name", n.name);
  if (n.type != core::NetworkType::kUnknown) map.add("type", text(core::name(n.type)));
  map.add_given("site", n.site);
  map.add_given("country", n.country);
  if (n.latitude != 0 || n.longitude != 0) {
    map.add("latitude", word(n.latitude));
    map.add("longitude", word(n.longitude));
  }
  map.add("own", word(n.own));
  map.add("allowed", word(n.allowed));
  return map.take();
}

Value collector(const CollectorSettings& c, const Config& config) {
  using enum CollectorType;
  const bool udp = c.type == kSyslogUdp || c.type == kFlowUdp;
  const bool tcp = c.type == kSyslogTcp || c.type == kFlowTcp || c.type == kRelp;
  const bool flows = c.type == kFlowUdp || c.type == kFlowTcp;
  Map map;
  map.add("type", text(name(c.type)));
  map.add("name", text(c.name));
  if (c.type == kTail) {
    map.add("paths", texts_of(c.paths));
    map.add("from", text(c.from_beginning ? "beginning" : "end"));
  } else {
    map.add("listen", text(c.listen));
    map.add("admit", list(c.admit, [](const core::Prefix& prefix) { return text(prefix.text()); }));
  }
  if (!flows) {
    map.add_given("format", c.format);
    const std::string& zone = c.timezone.empty() ? config.timezone : c.timezone;
    map.add("timezone", text(zone.empty() ? "UTC" : zone));
  }
  if (udp) {
    map.add("workers", word(c.workers));
    map.add("receive_buffer", size(c.receive_buffer));
  } else if (c.type != kTail) {
    map.add("connections", word(c.connections));
  }
  if (tcp) map.add("idle_timeout", time(c.idle_timeout));
  if (!c.tls.certificate.empty()) {
    Map tls;
    tls.add("certificate", text(c.tls.certificate));
    tls.add("key", text(c.tls.key));
    tls.add_given("client_ca", c.tls.client_ca);
    map.add("tls", tls.take());
  }
  if (c.type == kHttp) {
    map.add("token_hashes", list(c.token_hashes, [](const std::string&) { return text(kRedacted); }));
    map.add("open_to_anyone", word(c.open_to_anyone));
  }
  return map.take();
}

Value output(const exporting::OutputSettings& given) {
  const exporting::OutputSettings o = exporting::with_defaults(given);
  const bool syslog = o.type == "syslog", webhook = o.type == "webhook", email = o.type == "email";
  Map map;
  map.add("name", text(o.name));
  map.add("type", text(o.type));
  map.add("format", text(o.format));
  map.add_given("path", o.path);
  if (syslog || email) {
    map.add("host", text(o.host));
    map.add("port", word(o.port));
  }
  if (syslog) {
    map.add("transport", text(o.transport));
    map.add("facility", text(o.facility));
  }
  if (webhook) {
    map.add("url", text(without_path(o.url)));
    map.add_given("secret_file", o.secret_file);
    map.add_given("authorization_file", o.authorization_file);
    if (!o.proxy.empty()) map.add("proxy", text(without_path(o.proxy)));
  }
  if (email) {
    map.add("security", text(o.security));
    map.add("from", text(o.from));
    map.add("to", texts_of(o.to));
    map.add_given("user", o.user);
    map.add_given("password_file", o.password_file);
  }
  map.add_given("ca_file", o.ca_file);
  map.add_given("certificate_file", o.certificate_file);
  map.add_given("key_file", o.key_file);
  map.add("timeout", time(std::chrono::seconds(o.timeout_seconds)));
  Map retry;
  retry.add("first", time(o.retry.first));
  retry.add("longest", time(o.retry.longest));
  map.add("retry", retry.take());
  map.add("attempts", word(o.most_attempts));
  Map spool;
  spool.add("most_alerts", word(o.spool.most_messages));
  spool.add("most_bytes", size(o.spool.most_bytes));
  map.add("spool", spool.take());
  map.add("alerts_only", word(o.rules.alerts_only));
  map.add("minimum_severity", text(name(o.rules.minimum_severity)));
  map.add("kinds", list(o.rules.kinds, [](detect::FindingKind kind) { return text(name(kind)); }));
  map.add("grown_by", word(o.rules.grown_by));
  Map rate;
  rate.add("per_hour", word(o.rules.per_hour));
  rate.add("burst", word(o.rules.burst));
  map.add("rate", rate.take());
  map.add_given("organisation", o.organisation);
  map.add_given("report_host", o.report_host);
  return map.take();
}

Value feed(const intel::FeedSource& f) {
  Map map;
  map.add("name", text(f.name));
  map.add("from", text(f.from.find("://") == f.from.npos ? f.from : without_path(f.from)));
  map.add("protocol", text(name(f.protocol)));
  map.add_given("collection", f.collection);
  map.add_given("api_root", f.api_root);
  static constexpr std::string_view kAuthentication[] = {"none", "basic", "bearer", "header"};
  if (const auto kind = static_cast<std::size_t>(f.fetch.authentication); kind != 0)
    map.add("authentication", text(kAuthentication[kind]));
  map.add_given("user", f.fetch.user);
  map.add_given("header", f.fetch.header);
  map.add_given("secret_file", f.fetch.secret_file);
  map.add_given("secret_variable", f.fetch.secret_variable);
  map.add_given("ca_file", f.fetch.ca_file);
  map.add_given("certificate_file", f.fetch.certificate_file);
  map.add_given("key_file", f.fetch.key_file);
  if (!f.fetch.proxy.empty()) map.add("proxy", text(without_path(f.fetch.proxy)));
  map.add("format", text(f.format));
  map.add("kind", text(f.settings.kind));
  map.add_given("label", f.settings.label);
  map.add("known_good", word(f.settings.known_good));
  if (f.half_life_days > 0) map.add("half_life", word(f.half_life_days));
  if (f.price_per_year > 0) map.add("price_per_year", word(f.price_per_year));
  if (f.fetch.limits.total_timeout != intel::FetchLimits().total_timeout)
    map.add("timeout", time(f.fetch.limits.total_timeout));
  if (f.fetch.limits.most_bytes != intel::kMostFeedBytes) map.add("most_bytes", size(f.fetch.limits.most_bytes));
  map.add("most_addresses", word(f.most_addresses));
  map.add("most_shrinkage", word(f.most_shrinkage));
  if (f.settings.delimiter != 0) map.add("delimiter", text(std::string(1, f.settings.delimiter)));
  if (f.settings.skip != 0) map.add("skip", word(f.settings.skip));
  map.add_given("records", f.settings.records_path);
  Map mapping;
  const intel::FeedMapping& m = f.settings.mapping;
  const std::pair<const char*, const std::string*> fields[] = {{"value", &m.value},
                                                               {"kind", &m.kind},
                                                               {"label", &m.label},
                                                               {"port", &m.port},
                                                               {"first_seen", &m.first_seen},
                                                               {"last_seen", &m.last_seen},
                                                               {"valid_from", &m.valid_from},
                                                               {"valid_until", &m.valid_until},
                                                               {"confidence", &m.confidence},
                                                               {"modified", &m.modified},
                                                               {"tags", &m.tags},
                                                               {"id", &m.id}};
  bool any = false;
  for (const auto& [key, field] : fields) {
    mapping.add_given(key, *field);
    any |= !field->empty();
  }
  if (any) map.add("mapping", mapping.take());
  return map.take();
}

Value tree(const Config& c) {
  const ServiceConfig& s = c.service;
  Map map;
  map.add("alerts_per_day", word(c.alerts_per_day));
  map.add("timezone", text(c.timezone.empty() ? "UTC" : c.timezone));
  map.add("indicators", texts_of(c.indicators));
  map.add("mappings", texts_of(c.mappings));
  map.add_given("verdicts", c.verdicts);
  map.add("networks", list(c.networks, network));
  map.add("feeds", list(c.feeds, feed));
  map.add_given("feeds_folder", c.feeds_folder);
  map.add("learn_half_lives", word(c.learn_half_lives));
  map.add_given("state", s.state);
  map.add("collect", list(s.collect, [&](const CollectorSettings& item) { return collector(item, c); }));
  Map journal;
  journal.add("most_bytes", size(s.journal_bytes));
  journal.add("sync", time(s.journal_sync));
  map.add("journal", journal.take());
  map.add("checkpoint", time(s.checkpoint));
  map.add("lateness", time(std::chrono::milliseconds(s.lateness / core::kMillisecond)));
  Map store;
  store.add("events", word(s.store_events));
  store.add("keep", time(std::chrono::hours(24) * s.keep_days));
  if (s.keep_bytes != 0) store.add("most_bytes", size(s.keep_bytes));
  map.add("store", store.take());
  Map metrics;
  metrics.add("listen", text(s.metrics_listen));
  map.add("metrics", metrics.take());
  if (!s.pseudonyms.key_file.empty()) {
    Map pseudonyms;
    pseudonyms.add("key_file", text(s.pseudonyms.key_file));
    pseudonyms.add("raw_records", word(s.pseudonyms.raw_records));
    map.add("pseudonyms", pseudonyms.take());
  }
  map.add("outputs", list(s.outputs, output));
  return map.take();
}

// Plain is what no reader of YAML takes for anything else than this text.
bool plain(std::string_view text) {
  static constexpr std::string_view kWords[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto fits = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
  };
  return !text.empty() && (text[0] == '/' || letter(text[0])) && std::ranges::all_of(text, fits) &&
         std::ranges::none_of(kWords, [&](std::string_view w) { return core::equals_ignore_case(text, w); });
}

void write(YAML::Emitter& out, const Value& value) {
  switch (value.kind) {
    case Value::Kind::kWord:
    case Value::Kind::kMeasure: out << value.text; break;
    case Value::Kind::kText:
      if (!plain(value.text)) out << YAML::DoubleQuoted;
      out << value.text;
      break;
    case Value::Kind::kList:
      if (value.parts.empty()) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const Value& part : value.parts) write(out, part);
      out << YAML::EndSeq;
      break;
    case Value::Kind::kMap:
      out << YAML::BeginMap;
      for (std::size_t i = 0; i < value.parts.size(); ++i) {
        out << YAML::Key << value.keys[i] << YAML::Value;
        write(out, value.parts[i]);
      }
      out << YAML::EndMap;
      break;
  }
}

void write(std::string& out, const Value& value) {
  if (value.kind == Value::Kind::kWord) {
    out += value.text;
  } else if (value.kind == Value::Kind::kText || value.kind == Value::Kind::kMeasure) {
    core::append_json_string(out, value.text);
  } else {
    const bool map = value.kind == Value::Kind::kMap;
    out += map ? '{' : '[';
    for (std::size_t i = 0; i < value.parts.size(); ++i) {
      if (i != 0) out += ',';
      if (map) {
        core::append_json_string(out, value.keys[i]);
        out += ':';
      }
      write(out, value.parts[i]);
    }
    out += map ? '}' : ']';
  }
}

}  // namespace

std::string_view default_config() { return texts::orbwatch_yaml; }

std::string to_yaml(const Config& config) {
  YAML::Emitter out;
  write(out, tree(config));
  return std::string(out.c_str(), out.size()) + "\n";
}

std::string to_json(const Config& config) {
  std::string out;
  write(out, tree(config));
  return out + "\n";
}

}  // namespace orbwatch::pipeline

#include "pipeline/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>

#include "core/symbol.h"
#include "core/text.h"
#include "core/time.h"
#include "intel/feed/all.h"
#include "pipeline/service_config.h"
#include "pipeline/yaml.h"

namespace orbwatch::pipeline {
namespace {

using yaml::only_keys;
using yaml::read;
using yaml::wrong;
using yaml::Wrong;

intel::DeclaredNetwork network(const YAML::Node& node) {
  if (!node.IsMap()) wrong(node, "a network is a map with at least 'prefix'");
  only_keys(node, {"prefix", "name", "type", "site", "country", "latitude", "longitude", "own", "allowed"});
  intel::DeclaredNetwork out;
  std::string prefix;
  read(node, "prefix", prefix, "an address prefix");
  const auto parsed = core::Prefix::parse(prefix);
  if (!parsed)
    wrong(node["prefix"] ? node["prefix"] : node,
          fmt::format("'prefix' must be like 192.0.2.0/24 or 2001:db8::/32, seen '{}'", core::printable(prefix, 40)));
  out.prefix = *parsed;
  read(node, "name", out.name, "a text");
  read(node, "site", out.site, "a text");
  read(node, "country", out.country, "a two-letter country code");
  read(node, "latitude", out.latitude, "a number of degrees");
  read(node, "longitude", out.longitude, "a number of degrees");
  read(node, "own", out.own, "true or false");
  read(node, "allowed", out.allowed, "true or false");
  std::string type;
  read(node, "type", type, "a network type");
  if (!type.empty() && !core::parse_network_type(type, out.type)) {
    wrong(node["type"], fmt::format("unknown network type '{}' (consumer, mobile, cgnat, hosting, business, education, "
                                    "government, vpn, tor, satellite, internal)",
                                    core::printable(type, 40)));
  }
  if (!out.country.empty() && core::pack_country(out.country) == 0)
    wrong(node["country"], "'country' must be a two-letter code such as DE");
  if (!(out.latitude >= -90 && out.latitude <= 90)) wrong(node["latitude"], "'latitude' must be within -90 and 90");
  if (!(out.longitude >= -180 && out.longitude <= 180))
    wrong(node["longitude"], "'longitude' must be within -180 and 180");
  return out;
}

// How a feed's server is spoken to. What fits together is checked where it is used (intel/fetch).
void read_fetch(const YAML::Node& node, intel::FetchSettings& out) {
  using Authentication = intel::FetchSettings::Authentication;
  out.limits.most_bytes = intel::kMostFeedBytes;
  std::string authentication = "none";
  read(node, "authentication", authentication, "none, basic, bearer or header");
  const std::pair<std::string_view, Authentication> kinds[] = {{"none", Authentication::kNone},
                                                               {"basic", Authentication::kBasic},
                                                               {"bearer", Authentication::kBearer},
                                                               {"header", Authentication::kHeader}};
  const auto* found = std::ranges::find(kinds, authentication, &std::pair<std::string_view, Authentication>::first);
  if (found == std::end(kinds))
    wrong(node["authentication"], fmt::format("'authentication' must be none, basic, bearer or header, seen '{}'",
                                              core::printable(authentication, 40)));
  out.authentication = found->second;
  read(node, "user", out.user, "a text");
  read(node, "header", out.header, "the name of a header");
  read(node, "secret_file", out.secret_file, "a file");
  read(node, "secret_variable", out.secret_variable, "the name of a variable");
  read(node, "ca_file", out.ca_file, "a file");
  read(node, "certificate_file", out.certificate_file, "a file");
  read(node, "key_file", out.key_file, "a file");
  read(node, "proxy", out.proxy, "http://host:port");
  yaml::read_time(node, "timeout", out.limits.total_timeout, 1'000, 3'600'000);
  yaml::read_size(node, "most_bytes", out.limits.most_bytes, 1 << 10);
  if (out.limits.most_bytes > intel::kMostFeedBytes)
    wrong(node["most_bytes"], fmt::format("'most_bytes' must be at most {} MiB", intel::kMostFeedBytes >> 20));
}

intel::FeedSource feed(const YAML::Node& node) {
  if (!node.IsMap()) wrong(node, "a feed is a map with at least 'name' and 'from'");
  only_keys(node, {"name",           "from",
                   "format",         "kind",
                   "label",          "known_good",
                   "half_life",      "price_per_year",
                   "most_addresses", "most_shrinkage",
                   "mapping",        "delimiter",
                   "skip",           "records",
                   "protocol",       "collection",
                   "api_root",       "authentication",
                   "user",           "header",
                   "secret_file",    "secret_variable",
                   "ca_file",        "certificate_file",
                   "key_file",       "proxy",
                   "timeout",        "most_bytes"});
  intel::FeedSource out;
  read(node, "name", out.name, "a text");
  if (!intel::is_feed_name(out.name))
    wrong(node["name"] ? node["name"] : node,
          fmt::format("'name' must be of letters, digits, '-' and '_', 64 at most, seen '{}'",
                      core::printable(out.name, 70)));
  read(node, "from", out.from, "a file or a URL");
  if (out.from.empty()) wrong(node, fmt::format("feed '{}' needs 'from': a file or a URL", out.name));
  read(node, "format", out.format, "a text");
  if (out.format != "auto" && intel::find_feed_reader(out.format) == nullptr) {
    std::string all = "auto";
    for (const intel::FeedReader* reader : intel::feed_readers()) all += ", " + std::string(reader->name());
    wrong(node["format"], fmt::format("unknown format of feeds '{}' ({})", core::printable(out.format, 40), all));
  }
  read(node, "kind", out.settings.kind, "a kind of indicator");
  read(node, "label", out.settings.label, "a text");
  read(node, "known_good", out.settings.known_good, "true or false");
  read(node, "half_life", out.half_life_days, "a number of days");
  if (node["half_life"] && !(out.half_life_days > 0 && out.half_life_days <= 36'500))
    wrong(node["half_life"], "'half_life' must be days, above 0 and at most 36500");
  read(node, "price_per_year", out.price_per_year, "an amount");
  if (!(out.price_per_year >= 0 && out.price_per_year <= 1e12))
    wrong(node["price_per_year"], "'price_per_year' must be within 0 and 1e12");
  read(node, "most_addresses", out.most_addresses, "a number of addresses");
  read(node, "most_shrinkage", out.most_shrinkage, "a share");
  if (!(out.most_shrinkage >= 0 && out.most_shrinkage <= 1))
    wrong(node["most_shrinkage"], "'most_shrinkage' must be within 0 and 1");
  std::string protocol(intel::name(out.protocol));
  read(node, "protocol", protocol, "document, taxii or misp");
  if (!intel::parse_feed_protocol(protocol, out.protocol))
    wrong(node["protocol"],
          fmt::format("'protocol' must be document, taxii or misp, seen '{}'", core::printable(protocol, 40)));
  read(node, "collection", out.collection, "an id, an alias or a title");
  read(node, "api_root", out.api_root, "a title or an address");
  const bool taxii = out.protocol == intel::FeedProtocol::kTaxii;
  if (taxii && out.collection.empty())
    wrong(node, fmt::format("feed '{}' needs 'collection': id, alias or title", out.name));
  for (const char* key : {"collection", "api_root"}) {
    if (!taxii && node[key]) wrong(node[key], fmt::format("'{}' is for 'protocol: taxii'", key));
  }
  read_fetch(node, out.fetch);
  std::string delimiter;
  read(node, "delimiter", delimiter, "one character");
  if (delimiter.size() > 1) wrong(node["delimiter"], "'delimiter' must be one character");
  if (!delimiter.empty()) out.settings.delimiter = delimiter[0];
  read(node, "skip", out.settings.skip, "a number of records");
  read(node, "records", out.settings.records_path, "a path such as data.items");
  if (const YAML::Node mapping = node["mapping"]) {
    if (!mapping.IsMap()) wrong(mapping, "'mapping' must be a map: value, kind, label ... to a column or a path");
    only_keys(mapping, {"value", "kind", "label", "port", "first_seen", "last_seen", "valid_from", "valid_until",
                        "confidence", "modified", "tags", "id"});
    intel::FeedMapping& m = out.settings.mapping;
    const std::pair<const char*, std::string*> fields[] = {{"value", &m.value},
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
    for (const auto& [key, field] : fields) read(mapping, key, *field, "a column or a path");
  }
  return out;
}

// Of a file that was understood: its maps and lists are no deeper than their keys allow.
void note_values(const YAML::Node& node, const std::string& path, std::map<std::string, std::uint64_t>& out) {
  if (node.IsMap()) {
    for (const auto& item : node) {
      const auto key = item.first.as<std::string>();
      note_values(item.second, path.empty() ? key : fmt::format("{}.{}", path, key), out);
    }
    return;
  }
  if (!node.IsSequence() || node.size() == 0 || !node[0].IsMap()) {
    std::uint64_t& value = out[path];
    if (node.IsScalar()) value = core::hash64(node.Scalar());
    for (const auto& item : node) value = core::hash64(item.IsScalar() ? item.Scalar() : "", value);
    return;
  }
  std::size_t place = 0;
  for (const auto& item : node) {
    ++place;
    const YAML::Node name = item["name"];
    note_values(item, fmt::format("{}.{}", path, name && name.IsScalar() ? name.Scalar() : std::to_string(place)), out);
  }
}

Config parse(const YAML::Node& root) {
  Config config;
  if (!root || root.IsNull()) return config;
  if (!root.IsMap()) wrong(root, "the configuration must be a map of keys");
  only_keys(root, {"alerts_per_day", "timezone", "indicators", "mappings", "networks", "state", "collect", "journal",
                   "checkpoint", "lateness", "store", "metrics", "pseudonyms", "outputs", "verdicts", "feeds",
                   "feeds_folder", "learn_half_lives"});
  read(root, "alerts_per_day", config.alerts_per_day, "a number");
  if (!(config.alerts_per_day >= 0 && config.alerts_per_day <= 1e6))
    wrong(root["alerts_per_day"], "'alerts_per_day' must be within 0 and 1000000");
  read(root, "timezone", config.timezone, "the name of a time zone");
  if (!config.timezone.empty() && !core::TimeReader::make(config.timezone, 0)) {
    wrong(root["timezone"], fmt::format("unknown time zone '{}'", core::printable(config.timezone, 40)));
  }
  read(root, "indicators", config.indicators, "a list of files");
  if (const YAML::Node mappings = root["mappings"]; mappings && mappings.IsScalar()) {
    config.mappings.push_back(mappings.Scalar());
  } else {
    read(root, "mappings", config.mappings, "a folder or a list of files and folders");
  }
  read(root, "verdicts", config.verdicts, "a file");
  if (const YAML::Node networks = root["networks"]) {
    if (!networks.IsSequence()) wrong(networks, "'networks' must be a list");
    for (const auto& node : networks) config.networks.push_back(network(node));
    auto made = intel::Organisation::make(config.networks);
    if (!made) wrong(networks, made.error().text());
  }
  if (const YAML::Node feeds = root["feeds"]) {
    if (!feeds.IsSequence()) wrong(feeds, "'feeds' must be a list");
    for (const auto& node : feeds) {
      config.feeds.push_back(feed(node));
      const auto& name = config.feeds.back().name;
      if (std::ranges::count(config.feeds, name, &intel::FeedSource::name) > 1)
        wrong(node["name"], fmt::format("two feeds are called '{}'", name));
    }
  }
  read(root, "feeds_folder", config.feeds_folder, "a folder");
  read(root, "learn_half_lives", config.learn_half_lives, "true or false");
  config.service = yaml::read_service(root);
  note_values(root, "", config.values);
  return config;
}

}  // namespace

std::string feeds_folder_of(const Config& config) {
  if (!config.feeds_folder.empty()) return config.feeds_folder;
  return config.service.state.empty() ? std::string() : config.service.state + "/feeds";
}

void start_paths_from(const std::string& folder, Config& config) {
  const auto start = [&](std::string& path) {
    if (path.empty() || path.find("://") != path.npos || path.starts_with("file:")) return;
    path = (std::filesystem::path(folder) / path).lexically_normal().string();
  };
  for (intel::FeedSource& feed : config.feeds) {
    for (std::string* path :
         {&feed.from, &feed.fetch.secret_file, &feed.fetch.ca_file, &feed.fetch.certificate_file, &feed.fetch.key_file})
      start(*path);
  }
  start(config.feeds_folder);
}

std::vector<std::string> changed_keys(const Config& before, const Config& after) {
  std::vector<std::string> out;
  for (const auto& [key, value] : before.values) {
    const auto there = after.values.find(key);
    if (there == after.values.end() || there->second != value) out.push_back(key);
  }
  for (const auto& [key, value] : after.values) {
    if (!before.values.contains(key)) out.push_back(key);
  }
  std::ranges::sort(out);
  return out;
}

core::Expected<Config> parse_config(std::string_view yaml, std::string_view name) {
  try {
    return parse(YAML::Load(std::string(yaml)));
  } catch (const Wrong& e) {
    return core::fail(fmt::format("{}:{}: {}", name, e.mark.line + 1, e.message));
  } catch (const YAML::Exception& e) {
    return core::fail(fmt::format("{}:{}: {}", name, e.mark.line + 1, e.msg));
  }
}

}  // namespace orbwatch::pipeline

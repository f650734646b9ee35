#include "pipeline/kept_networks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "core/symbol.h"
#include "core/text.h"
#include "core/time.h"
#include "export/files.h"
#include "source/sockets.h"
#include "store/store.h"

namespace orbwatch::pipeline {
namespace {

using core::Nanoseconds;
using score::Network;
using simdjson::dom::element;
using source::Descriptor;
using std::string_view;

constexpr string_view kHead = "{\"orbwatch_networks\":1,";
constexpr std::size_t kLongestHead = 200;  // bytes of the first line

// Members of an object. What is missing is zero or empty, as it is not written; of a wrong type counts as missing.
string_view raw_text(const element& object, string_view key) {
  string_view text;
  return object.at_key(key).get(text) == simdjson::SUCCESS ? text : string_view();
}
std::string text_of(const element& object, string_view key) { return std::string(raw_text(object, key)); }
// Printed as it stands by who shows it.
std::string shown_text(const element& object, string_view key) {
  return core::printable(raw_text(object, key), core::kLongestSymbol);
}
double real_of(const element& object, string_view key) {
  double value = 0;
  return object.at_key(key).get(value) == simdjson::SUCCESS ? value : 0;
}
std::uint64_t count_of(const element& object, string_view key) {
  std::uint64_t value = 0;
  return object.at_key(key).get(value) == simdjson::SUCCESS ? value : 0;
}
Nanoseconds time_of(const element& object, string_view key) {
  string_view text = raw_text(object, key);
  // A day stands for its midnight.
  const std::string midnight = text.size() == 10 ? fmt::format("{}T00:00:00Z", text) : std::string();
  if (!midnight.empty()) text = midnight;
  const auto time = core::parse_iso8601(text, core::TimeReader());
  return time && text.empty() && *time > 0 ? *time : 0;
}

template <typename Take>
void each(const element& object, string_view key, Take take) {
  simdjson::dom::array all;
  if (object.at_key(key).get(all) != simdjson::SUCCESS) return;
  for (const element one : all) take(one);
}

std::vector<std::string> shown_texts(const element& object, string_view key) {
  std::vector<std::string> out;
  each(object, key, [&](const element& one) {
    if (string_view text; one.get(text) == simdjson::SUCCESS)
      out.push_back(core::printable(text, core::kLongestSymbol));
  });
  return out;
}

std::optional<score::Bounds> bounds_of(const element& object, string_view key) {
  element bounds;
  if (object.at_key(key).get(bounds) != simdjson::SUCCESS) return std::nullopt;
  score::Bounds out{real_of(bounds, "value"), real_of(bounds, "low"), std::numeric_limits<double>::infinity()};
  if (double high = 0; bounds.at_key("high").get(high) == simdjson::SUCCESS) out.high = high;
  return out;
}

std::vector<score::NetworkTrait> traits_of(const element& object, string_view key) {
  std::vector<score::NetworkTrait> out;
  each(object, key, [&](const element& one) {
    score::NetworkTrait& trait = out.emplace_back();
    trait.kind = shown_text(one, "kind");
    trait.text = text_of(one, "value");
    trait.nodes = count_of(one, "nodes");
    trait.share_inside = real_of(one, "share_inside");
    trait.share_background = real_of(one, "share_background");
    trait.lift = real_of(one, "lift");
  });
  return out;
}

template <typename Word>
std::optional<Word> word_of(string_view text, Word last) {
  for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i) {
    if (text == name(static_cast<Word>(i))) return static_cast<Word>(i);
  }
  return std::nullopt;
}

// By its label, as JSON has it.
core::NetworkType type_of(string_view text) {
  for (unsigned i = 0; i <= static_cast<unsigned>(core::NetworkType::kInternal); ++i) {
    if (text == core::label(static_cast<core::NetworkType>(i))) return static_cast<core::NetworkType>(i);
  }
  return core::NetworkType::kUnknown;
}

score::NetworkNode node_of(const element& one) {
  score::NetworkNode node;
  if (const auto ip = core::Ip::parse(raw_text(one, "ip"))) node.ip = *ip;
  node.first = time_of(one, "first");
  node.last = time_of(one, "last");
  bool active = false;
  node.active = one.at_key("active").get(active) == simdjson::SUCCESS && active;
  node.role = word_of(raw_text(one, "role"), score::NodeRole::kExit).value_or(score::NodeRole::kUnknown);
  node.role_why = text_of(one, "role_why");
  const std::uint64_t asn = count_of(one, "asn");
  node.asn = asn <= UINT32_MAX ? static_cast<std::uint32_t>(asn) : 0;
  node.provider = text_of(one, "org");
  node.country = text_of(one, "country");
  node.city = text_of(one, "city");
  node.latitude = real_of(one, "latitude");
  node.longitude = real_of(one, "longitude");
  node.type = type_of(raw_text(one, "network_type"));
  node.sightings = count_of(one, "sightings");
  node.evidence = real_of(one, "evidence");
  node.strength = real_of(one, "strength");
  return node;
}

bool is_id(string_view text) {
  return !text.empty() && text.size() <= 16 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void read_behaviour(const element& object, score::NetworkBehaviour& out) {
  out.attempts_per_account_day = real_of(object, "attempts_per_account_day");
  out.accounts_tried = count_of(object, "accounts_tried");
  out.accounts = traits_of(object, "accounts");
  out.gateways = traits_of(object, "gateways");
  out.ports = traits_of(object, "ports");
  std::size_t hour = 0;
  each(object, "sightings_by_hour", [&](const element& one) {
    if (hour < out.hours.size() && one.get(out.hours[hour]) != simdjson::SUCCESS) out.hours[hour] = 0;
    ++hour;
  });
}

core::Expected<Network> read_network(const element& root) {
  Network n;
  n.id = text_of(root, "id");
  if (!is_id(n.id)) return core::fail("network without an id", core::printable(n.id, 40));
  n.first = time_of(root, "first");
  n.last = time_of(root, "last");
  n.confidence = real_of(root, "confidence");
  n.cohesion = real_of(root, "cohesion");
  n.size = bounds_of(root, "size");
  n.size_day = time_of(root, "size_day");
  n.size_method = shown_text(root, "size_method");
  n.size_doubts = shown_texts(root, "size_doubts");
  n.half_life_days = bounds_of(root, "half_life_days");
  n.births_expected = bounds_of(root, "births_expected");
  each(root, "likely_providers", [&](const element& one) {
    const std::uint64_t asn = count_of(one, "asn");
    n.likely_providers.push_back({asn <= UINT32_MAX ? static_cast<std::uint32_t>(asn) : 0, text_of(one, "org"),
                                  bounds_of(one, "share").value_or(score::Bounds{})});
  });
  each(root, "overlaps", [&](const element& one) {
    n.overlaps.push_back({shown_text(one, "network"), count_of(one, "common"), real_of(one, "expected"),
                          real_of(one, "log10_p"), count_of(one, "onward"), count_of(one, "back"),
                          count_of(one, "together")});
  });
  each(root, "known", [&](const element& one) {
    n.known.push_back({text_of(one, "name"), real_of(one, "score"), text_of(one, "says")});
  });
  n.traits = traits_of(root, "traits");
  if (element behaviour; root.at_key("behaviour").get(behaviour) == simdjson::SUCCESS)
    read_behaviour(behaviour, n.behaviour);
  each(root, "providers", [&](const element& one) {
    const std::uint64_t asn = count_of(one, "asn");
    n.providers.push_back({asn <= UINT32_MAX ? static_cast<std::uint32_t>(asn) : 0, text_of(one, "org"),
                           count_of(one, "nodes"), real_of(one, "share"), real_of(one, "share_background")});
  });
  each(root, "nodes", [&](const element& one) { n.nodes.push_back(node_of(one)); });
  for (const score::NetworkNode& node : n.nodes) {
    if (!node.ip.present()) return core::fail("node without an address", n.id);
    n.active_nodes += node.active ? 1 : 0;
  }
  if (n.nodes.size() != count_of(root, "node_count"))
    return core::fail("not all nodes of the network are there", n.id, "an earlier version wrote it: hunt again");
  each(root, "births_by_day", [&](const element& one) {
    std::uint64_t births = 0;
    if (one.get(births) == simdjson::SUCCESS && births <= UINT32_MAX)
      n.births_by_day.push_back(static_cast<std::uint32_t>(births));
  });
  each(root, "survival", [&](const element& one) {
    double day = 0, share = 0;
    if (one.at(0).get(day) == simdjson::SUCCESS && one.at(1).get(share) == simdjson::SUCCESS)
      n.survival.emplace_back(day, share);
  });
  each(root, "history", [&](const element& one) {
    const auto kind = word_of(raw_text(one, "what"), score::NetworkChangeKind::kSplit);
    if (kind) n.history.push_back({time_of(one, "time"), *kind, shown_text(one, "other"), text_of(one, "why")});
  });
  bool within = true;
  each(root, "links", [&](const element& one) {
    const std::uint64_t a = count_of(one, "a"), b = count_of(one, "b");
    within = within && a < b && b < n.nodes.size();
    n.links.push_back(
        {static_cast<std::size_t>(a), static_cast<std::size_t>(b), real_of(one, "nats"), text_of(one, "why")});
  });
  if (!within) return core::fail("a link of the network is of no node", n.id);
  n.campaigns = shown_texts(root, "campaigns");
  n.findings = shown_texts(root, "findings");
  return n;
}

void order(std::vector<Network>& networks) {
  std::ranges::sort(networks, [](const Network& a, const Network& b) {
    return a.confidence != b.confidence ? a.confidence > b.confidence : a.id < b.id;
  });
}

// Gives each row's first value to a function.
class FirstValues : public store::RowSink {
 public:
  explicit FirstValues(std::function<void(string_view)> take) : take_(std::move(take)) {}
  void columns(std::span<const std::string>, std::span<const store::ColumnType>) override {}
  bool row(std::span<const std::optional<string_view>> values) override {
    take_(values.empty() ? string_view() : values[0].value_or(string_view()));
    return true;
  }

 private:
  std::function<void(string_view)> take_;
};

std::unexpected<core::Error> unwritten(const std::string& path, int why) {
  return std::unexpected(core::Error{"cannot write the networks", fmt::format("{}: {}", path, std::strerror(why)), "",
                                     core::ErrorKind::kOutput});
}

bool write_all(const Descriptor& file, string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ENOSPC;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

core::Expected<Network> parse_network(string_view json) {
  simdjson::dom::parser parser;
  element root;
  const simdjson::padded_string padded(json);
  simdjson::dom::object object;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || root.get(object) != simdjson::SUCCESS)
    return core::fail("no network", core::printable(json, 100));
  return read_network(root);
}

core::Expected<void> write_networks(const std::string& folder, std::span<const Network> networks) {
  const std::string path = fmt::format("{}/{}", folder, kNetworksFile);
  const std::string partial = path + ".partial";
  // One at a time: all of them together may be large.
  std::size_t bytes = kLongestHead;
  std::size_t whole = 0;
  {
    const Descriptor file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!file.open()) return unwritten(partial, errno);
    // The head is written last, for only then is it known; blanks keep its place.
    if (!write_all(file, std::string(kLongestHead - 1, ' ') + "\n")) return unwritten(partial, errno);
    for (const Network& network : networks) {
      const std::string line = score::to_whole_json(network) + "\n";
      if (bytes + line.size() > kMostNetworkBytes) continue;
      bytes += line.size();
      ++whole;
      if (!write_all(file, line)) return unwritten(partial, errno);
    }
    const std::string head = fmt::format("{}\"networks\":{},\"left_out\":{}}}", kHead, whole, networks.size() - whole);
    if (::pwrite(file.get(), head.data(), head.size(), 0) != static_cast<ssize_t>(head.size()) ||
        ::fsync(file.get()) != 0)
      return unwritten(partial, errno);
  }
  if (::rename(partial.c_str(), path.c_str()) != 0) return unwritten(path, errno);
  return {};
}

core::Expected<KeptNetworks> networks_in_state(const std::string& folder) {
  const std::string path = fmt::format("{}/{}", folder, kNetworksFile);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    return core::fail("no covert networks of a service", path,
                      "name the folder of a service's state; a service writes them with its first checkpoint");
  const auto text = exporting::read_bounded(path, kMostNetworkBytes);
  if (!text) return std::unexpected(text.error());
  string_view rest = *text;
  const string_view head = core::take_until(rest, '\n');
  simdjson::dom::parser parser;
  element root;
  if (!head.starts_with(kHead) || parser.parse(simdjson::padded_string(head)).get(root) != simdjson::SUCCESS)
    return core::fail("this file of networks is of another version of orbwatch", path,
                      "the service replaces it with its next checkpoint");
  KeptNetworks out;
  out.left_out = count_of(root, "left_out");
  while (!rest.empty()) {
    if (auto network = parse_network(core::take_until(rest, '\n'))) {
      out.networks.push_back(std::move(*network));
    } else {
      ++out.damaged;
    }
  }
  order(out.networks);
  return out;
}

core::Expected<bool> store_has_networks(const std::string& file) {
  bool has = false;
  FirstValues rows([&](string_view value) { has = value == "1"; });
  const auto asked =
      store::query(file, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'covert_networks'", rows);
  if (!asked) return std::unexpected(asked.error());
  return has;
}

core::Expected<KeptNetworks> networks_in_store(const std::string& file) {
  const auto has = store_has_networks(file);
  if (!has) return std::unexpected(has.error());
  if (!*has)
    return core::fail("the database has no covert networks", file,
                      "it was written by an earlier version of orbwatch, or is none of its databases: hunt again");
  KeptNetworks out;
  FirstValues rows([&](string_view json) {
    if (auto network = parse_network(json)) {
      out.networks.push_back(std::move(*network));
    } else {
      ++out.damaged;
    }
  });
  if (auto asked = store::query(file, "SELECT json FROM covert_networks", rows); !asked)
    return std::unexpected(asked.error());
  order(out.networks);
  return out;
}

}  // namespace orbwatch::pipeline

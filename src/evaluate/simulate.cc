#include "evaluate/simulate.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>

#include "core/text.h"
#include "evaluate/simulator.h"

namespace orbwatch::evaluate {
namespace {

// What a world of 150 users writes per user and day at noise 1, for `lines`. Measured: see tests (ScalesToLines).
constexpr double kLinesPerUserDay = 20.0;
constexpr double kTunnelLinesPerUserDay = 8.5;  // more, where the tunnels' traffic is logged

void append_truth(std::string& out, const TruthItem& item) {
  const auto text = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    fmt::format_to(std::back_inserter(out), ",\"{}\":", key);
    core::append_json_string(out, value);
  };
  const auto list = [&](std::string_view key, const std::vector<std::string>& values) {
    fmt::format_to(std::back_inserter(out), ",\"{}\":[", key);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out += ',';
      core::append_json_string(out, values[i]);
    }
    out += ']';
  };
  out += "{\"id\":";
  core::append_json_string(out, item.id);
  text("kind", item.kind);
  text("campaign", item.campaign);
  text("time", core::rfc3339(item.time));
  text("end", core::rfc3339(item.end));
  list("users", item.users);
  list("sources", item.sources);
  text("gateway", item.gateway);
  text("placement", item.placement);
  text("provider", item.provider);
  text("client", item.client);
  text("outcome", item.outcome);
  text("relay", item.relay);
  text("conduct", item.conduct);
  text("inside", item.inside);
  fmt::format_to(std::back_inserter(out), ",\"disguise\":{},\"grey\":{},\"lines\":{}}}\n", item.disguise, item.grey,
                 item.lines);
}

void append_happening(std::string& out, const Happening& happening) {
  out += "{\"ordinary\":";
  core::append_json_string(out, happening.kind);
  if (!happening.what.empty()) {
    out += ",\"what\":";
    core::append_json_string(out, happening.what);
  }
  if (happening.time != 0) {
    fmt::format_to(std::back_inserter(out), ",\"time\":\"{}\",\"end\":\"{}\"", core::rfc3339(happening.time),
                   core::rfc3339(happening.end));
  }
  out += ",\"users\":[";
  for (std::size_t i = 0; i < happening.users.size(); ++i) {
    if (i > 0) out += ',';
    core::append_json_string(out, happening.users[i]);
  }
  out += "]}\n";
}

std::optional<Sector> sector_of(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {"office", "hospital", "factory", "school"};
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<Sector>(at - kNames.begin());
}

std::optional<GatewaySet> gateway_set_of(std::string_view name, bool variety, std::uint64_t seed) {
  if (name == "asa") return GatewaySet::kAsa;
  if (name == "mixed") return GatewaySet::kMixed;
  if (name == "asa-only") return GatewaySet::kAsaOnly;
  if (!name.empty()) return std::nullopt;
  // Two worlds in five with other vendors' gateways.
  return variety && Rng(seed, {kGatewayChoice}).chance(0.4) ? GatewaySet::kMixed : GatewaySet::kAsa;
}

std::optional<CivilTime> parse_date(std::string_view text) {
  CivilTime date;
  const auto year = core::parse_number<int>(core::take_until(text, '-'));
  const auto month = core::parse_number<int>(core::take_until(text, '-'));
  const auto day = core::parse_number<int>(text);
  if (!year || !month || !day) return std::nullopt;
  date.year = *year;
  date.month = *month;
  date.day = *day;
  if (!core::valid(date) || date.year < 2000 || date.year > 2200) return std::nullopt;
  return date;
}

}  // namespace

core::Expected<SimulateResult> Simulator::run() {
  namespace fs = std::filesystem;
  const fs::path dir = options_.out;
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) return core::fail("cannot make the directory", options_.out, error.message());
  const auto path = [&](std::string_view file) { return (dir / file).string(); };
  const Nanoseconds half = world_.midnight(world_.days / 2);
  const Nanoseconds three_quarters = world_.midnight(world_.days * 3 / 4);
  const auto writes = [&](Gateway gateway, std::vector<LogFile::Part> parts) {
    if (!world_.stands(gateway)) return;
    logs_[static_cast<std::size_t>(gateway)] = std::make_unique<LogFile>(std::move(parts));
  };
  writes(Gateway::kAsa1,
         {{path("asa-1.log.2.gz"), half}, {path("asa-1.log.1"), three_quarters}, {path("asa-1.log"), INT64_MAX}});
  writes(Gateway::kAsa2, {{path("asa-2.log.1"), three_quarters}, {path("asa-2.log"), INT64_MAX}});
  writes(Gateway::kFortigate, {{path("fortigate.log"), INT64_MAX}});
  writes(Gateway::kBastion, {{path("bastion-auth.log"), INT64_MAX}});
  writes(Gateway::kPaloAlto, {{path("paloalto.log.1"), half}, {path("paloalto.log"), INT64_MAX}});
  writes(Gateway::kIvanti, {{path("ivanti.log"), INT64_MAX}});

  if (options_.tunnel_traffic == "logged") inside_ = std::make_unique<InsideNetwork>(world_);
  attacks();
  for (int day = 0; day < world_.days; ++day) {
    for (std::size_t user = 0; user < world_.users.size(); ++user) user_day(user, day);
    noise_day(day);
    services_day(day);
    const auto [from, to] = due_.equal_range(day);
    for (auto it = from; it != to; ++it) it->second();
    // No line of a later day lies before its midnight: what starts today is written, what ends later waits.
    for (const std::unique_ptr<LogFile>& file : logs_) {
      if (file == nullptr) continue;
      if (auto flushed = file->flush(world_.midnight(day + 1)); !flushed) return std::unexpected(flushed.error());
    }
  }
  SimulateResult result;
  for (const std::unique_ptr<LogFile>& log : logs_) {
    if (log == nullptr) continue;
    LogFile& file = *log;
    if (auto flushed = file.flush(INT64_MAX); !flushed) return std::unexpected(flushed.error());
    if (auto closed = file.close(); !closed) return std::unexpected(closed.error());
    result.lines += file.lines();
    result.bytes += file.bytes();
    for (const LogFile::Part& part : file.parts()) result.files.push_back(part.path);
  }
  std::ranges::sort(
      truth_, [](const TruthItem& a, const TruthItem& b) { return a.time != b.time ? a.time < b.time : a.id < b.id; });
  std::string text = fmt::format(
      "{{\"truth\":\"orbwatch "
      "simulate\",\"version\":\"{}\",\"seed\":{},\"region\":\"{}\",\"start\":\"{}\",\"users\":{},\"days\":{},\"noise\":"
      "{},"
      "\"attack_from\":{}}}\n",
      ORBWATCH_VERSION, world_.seed, world_.region, core::rfc3339(world_.start), world_.users.size(), world_.days,
      options_.noise, attack_from_);
  for (const TruthItem& item : truth_) append_truth(text, item);
  result.happenings = happenings();
  for (const Happening& happening : result.happenings) append_happening(text, happening);
  result.truth_file = path(kTruthFile);
  std::ofstream out(result.truth_file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return core::fail("cannot write the truth", result.truth_file, "is the disk full?");
  result.users = static_cast<int>(world_.users.size());
  result.region = world_.region;
  result.start = world_.start;
  result.days = world_.days;
  result.truth = std::move(truth_);
  return result;
}

core::Expected<SimulateResult> simulate(const SimulateOptions& options) {
  const auto date = parse_date(options.start);
  if (!date) return core::fail("no such date", options.start, "write --start YYYY-MM-DD");
  if (!options.region.empty() && options.region != "de" && options.region != "gb" && options.region != "us") {
    return core::fail("unknown region", options.region, "known: de, gb, us");
  }
  if (options.days < 2 || options.days > 1000)
    return core::fail("days out of range", fmt::format("{}", options.days), "2 to 1000");
  if (options.noise < 0 || options.noise > 1000 || std::isnan(options.noise)) {
    return core::fail("noise out of range", fmt::format("{}", options.noise), "0 to 1000");
  }
  if (options.out.empty()) return core::fail("no directory to write to", {}, "--out DIRECTORY");
  SimulateOptions settled = options;
  if (settled.tunnel_traffic.empty()) settled.tunnel_traffic = options.variety > 0 ? "logged" : "none";
  if (settled.tunnel_traffic != "logged" && settled.tunnel_traffic != "none")
    return core::fail("unknown tunnel traffic", options.tunnel_traffic, "known: none, logged");
  int users = options.users;
  if (options.lines > 0) {
    const double a_day = kLinesPerUserDay + (settled.tunnel_traffic == "logged" ? kTunnelLinesPerUserDay : 0);
    const double wanted = static_cast<double>(options.lines) / (options.days * a_day);
    users = static_cast<int>(std::clamp(wanted, 1.0, 200000.0));
  }
  if (users < 1 || users > 200000) return core::fail("users out of range", fmt::format("{}", users), "1 to 200000");
  if (options.covert_logins < 0 || options.sprays < 0 || options.scans < 0 || options.management_probes < 0) {
    return core::fail("negative number of attacks", {}, "0 or more of each kind");
  }
  if (options.spray_days < 1 || options.spray_days > 1000)
    return core::fail("days of a spray out of range", fmt::format("{}", options.spray_days), "1 to 1000");
  if (options.variety < 0 || options.variety > 1)
    return core::fail("variety out of range", fmt::format("{}", options.variety), "0 or 1");
  const auto sector = sector_of(options.sector);
  if (!sector) return core::fail("unknown sector", options.sector, "known: office, hospital, factory, school");
  const bool variety = options.variety > 0;
  const auto gateways = gateway_set_of(options.gateways, variety, options.seed);
  if (!gateways) return core::fail("unknown gateways", options.gateways, "known: asa, mixed, asa-only");
  Simulator simulator(settled, make_world({.seed = options.seed,
                                           .users = users,
                                           .days = options.days,
                                           .start = *date,
                                           .region = options.region,
                                           .variety = variety,
                                           .sector = *sector,
                                           .gateways = *gateways}));
  return simulator.run();
}

core::Expected<Truth> read_truth(const std::string& path) {
  simdjson::padded_string bytes;
  if (simdjson::padded_string::load(path).get(bytes) != simdjson::SUCCESS) {
    return core::fail("cannot read the truth", path, "`orbwatch simulate` writes it beside the logs");
  }
  Truth truth;
  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines;
  if (parser.parse_many(bytes).get(lines) != simdjson::SUCCESS) return core::fail("not a truth file", path);
  core::TimeReader utc;
  const auto text = [](const simdjson::dom::element& object, std::string_view key) {
    std::string_view value;
    return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
  };
  const auto number = [](const simdjson::dom::element& object, std::string_view key) {
    std::int64_t value = 0;
    return object[key].get(value) == simdjson::SUCCESS ? value : 0;
  };
  const auto time = [&](const simdjson::dom::element& object, std::string_view key) {
    const std::string value = text(object, key);
    std::string_view view = value;
    return core::parse_iso8601(view, utc).value_or(0);
  };
  const auto list = [](const simdjson::dom::element& object, std::string_view key) {
    std::vector<std::string> values;
    simdjson::dom::array array;
    if (object[key].get(array) != simdjson::SUCCESS) return values;
    for (const simdjson::dom::element element : array) {
      std::string_view value;
      if (element.get(value) == simdjson::SUCCESS) values.emplace_back(value);
    }
    return values;
  };
  bool header = true;
  for (auto line : lines) {
    simdjson::dom::element object;
    if (line.get(object) != simdjson::SUCCESS) return core::fail("not a truth file", path, "a line is no JSON object");
    if (header) {
      header = false;
      if (text(object, "truth") != "orbwatch simulate")
        return core::fail("not a truth file", path, "its first line says nothing of it");
      truth.seed = static_cast<std::uint64_t>(number(object, "seed"));
      truth.version = text(object, "version");
      truth.region = text(object, "region");
      truth.start = time(object, "start");
      truth.days = static_cast<int>(number(object, "days"));
      truth.attack_from = static_cast<int>(number(object, "attack_from"));
      continue;
    }
    if (std::string kind = text(object, "ordinary"); !kind.empty()) {
      Happening happening{std::move(kind), text(object, "what"), 0, 0, list(object, "users")};
      happening.time = time(object, "time");
      happening.end = time(object, "end");
      truth.happenings.push_back(std::move(happening));
      continue;
    }
    TruthItem item;
    item.id = text(object, "id");
    item.kind = text(object, "kind");
    item.campaign = text(object, "campaign");
    item.time = time(object, "time");
    item.end = time(object, "end");
    item.users = list(object, "users");
    item.sources = list(object, "sources");
    item.gateway = text(object, "gateway");
    item.placement = text(object, "placement");
    item.provider = text(object, "provider");
    item.client = text(object, "client");
    item.outcome = text(object, "outcome");
    item.relay = text(object, "relay");
    item.conduct = text(object, "conduct");
    item.inside = text(object, "inside");
    item.disguise = static_cast<int>(number(object, "disguise"));
    bool grey = false;
    item.grey = object["grey"].get(grey) == simdjson::SUCCESS && grey;
    item.lines = static_cast<std::uint64_t>(number(object, "lines"));
    truth.items.push_back(std::move(item));
  }
  if (header) return core::fail("not a truth file", path, "it is empty");
  return truth;
}

}  // namespace orbwatch::evaluate

// A document of the Elastic Common Schema 8.17 with event.kind "alert". What ECS has no field for stands below
// `orbwatch`. Source: ECS field reference (event, rule, threat, source, user, observer, related) and its allowed values
// of event.category and event.type.
#include <fmt/format.h>

#include <algorithm>

#include "export/finding_words.h"
#include "export/formats.h"
#include "export/json_text.h"

namespace orbwatch::exporting {
namespace {

using detect::FindingKind;
using score::Finding;
using score::SourceFacts;

std::vector<std::string_view> categories(FindingKind kind) {
  switch (kind) {
    case FindingKind::kLogin:
    case FindingKind::kSpray: return {"authentication", "intrusion_detection"};
    case FindingKind::kExposure: return {"vulnerability"};
    case FindingKind::kIntel: return {"threat"};
    case FindingKind::kRecon:
    case FindingKind::kRelay:
    case FindingKind::kDevice: break;
  }
  return {"network", "intrusion_detection"};
}

void source(JsonText& json, std::string_view key, const SourceFacts& s) {
  json.open(key);
  json.text("address", s.ip.text());
  json.text("ip", s.ip.text());
  json.open("as");
  json.count("number", s.asn);
  json.open("organization");
  json.text("name", s.org);
  json.close();
  json.close();
  json.open("geo");
  json.text("city_name", s.city);
  json.text("country_iso_code", s.country);
  if (s.latitude != 0 || s.longitude != 0) {
    json.open("location");
    json.number("lat", fmt::format("{:.4f}", std::clamp(s.latitude, -90.0, 90.0)));
    json.number("lon", fmt::format("{:.4f}", std::clamp(s.longitude, -180.0, 180.0)));
    json.close();
  }
  json.close();
  json.close();
}

}  // namespace

std::string render_ecs(const Finding& f, const RenderOptions& options) {
  const auto sources = sources_of(f);
  const auto users = users_of(f);
  const core::Nanoseconds moment = moment_of(f, options.now);
  JsonText json(options.longest_value);
  json.text("@timestamp", time_milliseconds(moment));
  json.text("message", summary(f, options.longest_value));
  json.open("ecs");
  json.text("version", "8.17.0");
  json.close();
  json.open("event");
  json.text("kind", "alert");
  json.texts("category", categories(f.kind));
  json.texts("type", {f.kind == FindingKind::kIntel ? "indicator" : "info"});
  json.text("module", "orbwatch");
  json.text("dataset", "orbwatch.finding");
  json.text("provider", "orbwatch");
  json.text("id", f.id);
  json.text("action", fmt::format("{}-finding", name(f.kind)));
  json.text("outcome", f.outcome == "success" || f.outcome == "failure" ? f.outcome : "unknown");
  json.number("severity", std::to_string(static_cast<int>(f.severity)));
  json.number("risk_score", std::to_string(score_percent(f)));
  json.text("reason", f.hypothesis);
  if (f.time != 0) json.text("start", time_milliseconds(f.time));
  if (f.end != 0) json.text("end", time_milliseconds(f.end));
  json.close();
  json.open("rule");
  json.text("id", fmt::format("orbwatch-{}", name(f.kind)));
  json.text("name", title(f));
  json.text("description", f.hypothesis);
  json.text("ruleset", "orbwatch");
  json.text("version", ORBWATCH_VERSION);
  json.close();
  std::vector<std::string_view> techniques, subtechniques;
  for (const std::string_view id : techniques_of(f)) {
    const std::string_view parent = id.substr(0, 5);
    if (std::ranges::find(techniques, parent) == techniques.end()) techniques.push_back(parent);
    if (id.size() == 9) subtechniques.emplace_back(id);
  }
  if (!techniques.empty()) {
    json.open("threat");
    json.text("framework", "MITRE ATT&CK");
    json.open("technique");
    json.texts("id", techniques);
    json.open_list("name");
    for (const std::string_view id : techniques) json.item(technique_name(id));
    json.close();
    json.open_list("reference");
    for (const std::string_view id : techniques) json.item(technique_url(id));
    json.close();
    json.open("subtechnique");
    json.texts("id", subtechniques);
    json.open_list("name");
    for (const std::string_view id : subtechniques) json.item(technique_name(id));
    json.close();
    json.close();
    json.close();
    json.close();
  }
  if (sources.size() == 1) source(json, "source", *sources[0]);
  if (users.size() == 1) {
    json.open("user");
    json.text("name", users[0]);
    json.close();
  }
  json.open("observer");
  json.text("name", f.gateway);
  json.close();
  json.open("related");
  json.open_list("ip");
  for (const SourceFacts* s : sources) json.item(s->ip.text());
  json.close();
  json.texts("user", users);
  json.open_list("hosts");
  json.item(f.gateway);
  if (f.device != f.gateway) json.item(f.device);
  json.close();
  json.close();
  json.open("orbwatch");
  json.text("kind", name(f.kind));
  json.number("score", score_text(f));
  json.text("severity", name(f.severity));
  json.flag("alert", f.alert);
  if (sources.size() == 1) {
    json.text("network_type", sources[0]->network_type);
    json.text("claims", sources[0]->claims);
  }
  json.text("device", f.device);
  json.count("source_count", std::max<std::uint64_t>(f.source_count, sources.size()));
  json.count("user_count", std::max<std::uint64_t>(f.user_count, users.size()));
  json.open_list("evidence");
  for (std::size_t i = 0; i < std::min(f.evidence.size(), Finding::kMostListed); ++i)
    json.item(f.evidence[i].says.empty() ? f.evidence[i].kind : std::string_view(f.evidence[i].says));
  json.close();
  json.text("record", first_record(f, options.longest_value));
  json.text("advice", f.advice);
  json.text("network", f.network);
  json.close();
  return json.take();
}

}  // namespace orbwatch::exporting

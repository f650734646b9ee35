// OCSF 1.4 Detection Finding (class 2004). Later versions of the schema accept it as well. Source: schema.ocsf.io,
// version 1.4.0 (classes, objects, enumerations).
#include <fmt/format.h>

#include <algorithm>

#include "export/finding_words.h"
#include "export/formats.h"
#include "export/json_text.h"

namespace orbwatch::exporting {
namespace {

using score::Finding;
using score::Severity;
using score::SourceFacts;

struct Level {
  int id;
  std::string_view name;
};

Level severity_of(const Finding& finding) {
  switch (finding.severity) {
    case Severity::kCritical: return {5, "Critical"};
    case Severity::kHigh: return {4, "High"};
    case Severity::kMedium: return {3, "Medium"};
    case Severity::kLow: return {2, "Low"};
    case Severity::kInformational: break;
  }
  return {1, "Informational"};
}

void technique(JsonText& json, std::string_view key, std::string_view id) {
  json.open(key);
  json.text("name", technique_name(id));
  json.text("src_url", technique_url(id));
  json.text("uid", id);
  json.close();
}

void endpoint(JsonText& json, const SourceFacts& s) {
  json.open("src_endpoint");
  json.text("ip", s.ip.text());
  if (s.asn != 0) {
    json.open("autonomous_system");
    json.count("number", s.asn);
    json.text("name", s.org);
    json.close();
  }
  // The schema wants a location to have at least one of city, country, postal code, region.
  if (!s.city.empty() || !s.country.empty()) {
    json.open("location");
    json.text("city", s.city);
    json.text("country", s.country);
    if (s.latitude != 0 || s.longitude != 0) {
      json.number("lat", fmt::format("{:.4f}", std::clamp(s.latitude, -90.0, 90.0)));
      json.number("long", fmt::format("{:.4f}", std::clamp(s.longitude, -180.0, 180.0)));
    }
    json.close();
  }
  json.close();
}

void observable(JsonText& json, std::string_view where, int type, std::string_view type_name, std::string_view value) {
  if (value.empty()) return;
  json.open();
  json.text("name", where);
  json.text("type", type_name);
  json.number("type_id", std::to_string(type));
  json.text("value", value);
  json.close();
}

}  // namespace

std::string render_ocsf(const Finding& f, const RenderOptions& options) {
  const auto sources = sources_of(f);
  const auto users = users_of(f);
  const std::string time = std::to_string(milliseconds(moment_of(f, options.now)));
  const Level severity = severity_of(f);
  JsonText json(options.longest_value);
  json.number("activity_id", "1");
  json.text("activity_name", "Create");
  json.number("category_uid", "2");
  json.text("category_name", "Findings");
  json.number("class_uid", "2004");
  json.text("class_name", "Detection Finding");
  json.number("type_uid", "200401");
  json.text("type_name", "Detection Finding: Create");
  json.number("time", time);
  json.number("start_time", time);
  if (f.end != 0) json.number("end_time", std::to_string(milliseconds(f.end)));
  json.number("severity_id", std::to_string(severity.id));
  json.text("severity", severity.name);
  json.number("status_id", "1");
  json.text("status", "New");
  json.number("confidence_score", std::to_string(score_percent(f)));
  json.flag("is_alert", f.alert);
  json.text("message", summary(f, options.longest_value));
  json.open("metadata");
  json.text("version", "1.4.0");
  json.text("uid", f.id);
  json.open("product");
  json.text("name", "orbwatch");
  json.text("vendor_name", "orbwatch");
  json.text("version", ORBWATCH_VERSION);
  json.close();
  json.close();
  json.open("finding_info");
  json.text("uid", f.id);
  json.text("title", title(f));
  json.text("desc", f.hypothesis);
  json.open_list("types");
  json.item(name(f.kind));
  json.close();
  if (f.time != 0) json.number("first_seen_time", std::to_string(milliseconds(f.time)));
  if (f.end != 0) json.number("last_seen_time", std::to_string(milliseconds(f.end)));
  json.open("analytic");
  json.text("name", f.evidence.empty() ? name(f.kind) : f.evidence[0].detector);
  json.number("type_id", "2");
  json.text("type", "Behavioral");
  json.close();
  json.open_list("attacks");
  for (const std::string_view id : techniques_of(f)) {
    json.open();
    json.text("version", "17");
    technique(json, "technique", id.substr(0, 5));
    if (id.size() == 9) technique(json, "sub_technique", id);
    json.close();
  }
  json.close();
  json.close();
  json.open_list("evidences");
  // Sources and users of a finding about many belong to the whole of it, not to each other.
  for (const SourceFacts* s : sources) {
    json.open();
    endpoint(json, *s);
    if (sources.size() == 1 && users.size() == 1) {
      json.open("actor");
      json.open("user");
      json.text("name", users[0]);
      json.close();
      json.close();
    }
    json.close();
  }
  if (sources.size() != 1 || users.size() != 1) {
    for (const std::string_view user : users) {
      json.open();
      json.open("actor");
      json.open("user");
      json.text("name", user);
      json.close();
      json.close();
      json.close();
    }
  }
  json.close();
  json.open_list("observables");
  for (const SourceFacts* s : sources) observable(json, "evidences.src_endpoint.ip", 2, "IP Address", s->ip.text());
  for (const std::string_view user : users) observable(json, "evidences.actor.user.name", 4, "User Name", user);
  json.close();
  if (!f.advice.empty()) {
    json.open("remediation");
    json.text("desc", f.advice);
    json.close();
  }
  json.open("unmapped");
  json.number("score", score_text(f));
  json.text("gateway", f.gateway);
  json.text("device", f.device);
  json.text("outcome", f.outcome);
  if (sources.size() == 1) json.text("network_type", sources[0]->network_type);
  json.count("source_count", std::max<std::uint64_t>(f.source_count, sources.size()));
  json.count("user_count", std::max<std::uint64_t>(f.user_count, users.size()));
  json.open_list("evidence");
  for (std::size_t i = 0; i < std::min(f.evidence.size(), Finding::kMostListed); ++i)
    json.item(f.evidence[i].says.empty() ? f.evidence[i].kind : std::string_view(f.evidence[i].says));
  json.close();
  json.text("record", first_record(f, options.longest_value));
  json.text("network", f.network);
  json.close();
  return json.take();
}

}  // namespace orbwatch::exporting

#include "pipeline/store_sink.h"

#include <fmt/format.h>

#include <algorithm>

#include "baseline/baseline.h"
#include "core/text.h"
#include "enrich/enrich.h"
#include "pipeline/event_days.h"

namespace orbwatch::pipeline {
namespace {

// The state of a user's profile as an analyst would ask for it. Weights are decayed counts at the user's last log-in.
std::string profile_json(const baseline::UserProfile& p) {
  std::string out = "{\"first_seen\":";
  core::append_json_string(out, core::rfc3339(p.first_seen));
  out += ",\"last_seen\":";
  core::append_json_string(out, core::rfc3339(p.last_seen));
  out += fmt::format(",\"logins\":{}", p.count);
  out += ",\"as_numbers\":[";
  for (std::size_t i = 0; i < p.systems.size(); ++i) out += fmt::format("{}{}", i == 0 ? "" : ",", p.systems.key(i));
  out += "],\"countries\":[";
  for (std::size_t i = 0; i < p.countries.size(); ++i) {
    if (i != 0) out += ',';
    core::append_json_string(out, core::unpack_country(p.countries.key(i)).view());
  }
  out += fmt::format("],\"prefixes\":{},\"clients\":{},\"last_ip\":", p.prefixes.size(), p.clients.size());
  core::append_json_string(out, p.last_ip.text());
  return out + "}";
}

}  // namespace

core::Expected<std::unique_ptr<StoreSink>> StoreSink::create(const std::string& path) {
  auto store = store::Store::create(path);
  if (!store) return std::unexpected(store.error());
  return std::unique_ptr<StoreSink>(new StoreSink(std::move(*store)));
}

core::Expected<void> StoreSink::begin(const enrich::Enricher& enricher) {
  facts_ = facts_lookup(enricher);
  return store_->begin();
}

core::Expected<void> StoreSink::events(const event::EventBatch& batch, const std::vector<std::string>& source_names) {
  return store_->append_events(batch, source_names, facts_);
}

core::Expected<void> StoreSink::end(const HuntResult& result, const baseline::Baseline& baseline) {
  std::vector<store::ProfileRow> profiles;
  baseline.each_user([&](core::Symbol name, const baseline::UserProfile& p) {
    profiles.push_back({"user", std::string(name.text()), profile_json(p)});
  });
  std::sort(profiles.begin(), profiles.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  if (auto ok = store_->append_findings(result.findings); !ok) return ok;
  if (auto ok = store_->append_inputs(result.inputs); !ok) return ok;
  if (auto ok = store_->append_hypotheses(result.hypotheses); !ok) return ok;
  if (auto ok = store_->append_profiles(profiles); !ok) return ok;
  if (auto ok = store_->replace_networks(result.networks); !ok) return ok;
  return store_->finish();
}

}  // namespace orbwatch::pipeline

#include "pipeline/knowledge.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "intel/networks.h"
#include "pipeline/config.h"
#include "pipeline/feeds.h"

namespace orbwatch::pipeline {
namespace {

core::Expected<std::unique_ptr<intel::Indicators>> load_indicators(const std::vector<std::string>& files,
                                                                   std::vector<std::string>& notes) {
  if (files.empty()) return std::unique_ptr<intel::Indicators>();
  auto indicators = std::make_unique<intel::Indicators>();
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (!in) return core::fail("cannot read indicators", file, "give a text file with one address or prefix a line");
    const auto counts = indicators->add_list(text.str(), file.substr(file.find_last_of('/') + 1));
    if (counts.rejected > 0) {
      notes.push_back(fmt::format("{}: {} of {} lines are no indicators, first line {}: {}", file, counts.rejected,
                                  counts.lines, counts.first_rejected_line, counts.first_rejected));
    }
  }
  return indicators;
}

// What is wrong with feeds is told and stops nothing: detection does not rest on them.
void add_feeds(const KnowledgeSources& sources, Knowledge& known) {
  if (sources.feeds_folder.empty()) {
    if (!sources.feeds.empty())
      known.notes.emplace_back("feeds are not used: it is not said where they are kept (`feeds_folder` or `state`)");
    return;
  }
  auto feeds = open_feeds(sources.feeds_folder, sources.feeds);
  if (!feeds) {
    known.notes.push_back("feeds are not used: " + feeds.error().text());
  } else if (*feeds == nullptr) {
    known.notes.push_back(
        fmt::format("feeds are not used: {} has no table yet (run `orbwatch feeds update`)", sources.feeds_folder));
  } else {
    if (known.indicators == nullptr) known.indicators = std::make_unique<intel::Indicators>();
    known.indicators->use_feeds(std::move(*feeds));
  }
}

}  // namespace

KnowledgeSources sources_of(const std::string& networks_file, const Config& config) {
  return {networks_file, config.networks, config.indicators,
          config.feeds.empty() ? std::string() : feeds_folder_of(config), config.feeds};
}

core::Expected<Knowledge> load_knowledge(const KnowledgeSources& sources) {
  Knowledge known;
  std::shared_ptr<const intel::Networks> networks;
  if (sources.networks_file.empty()) {
    known.notes.push_back(
        "no network facts: places, providers and network types are unknown (run `orbwatch intel build`)");
  } else {
    auto opened = intel::Networks::open(sources.networks_file);
    if (!opened) return std::unexpected(opened.error());
    auto shared = std::make_shared<intel::Networks>(std::move(*opened));
    for (const intel::SourceInfo& s : shared->info().sources) {
      // Several files of one publisher owe one attribution.
      if (!s.attribution.empty() &&
          std::find(known.notes.begin(), known.notes.end(), s.attribution) == known.notes.end()) {
        known.notes.push_back(s.attribution);
      }
    }
    networks = std::move(shared);
  }
  std::shared_ptr<const intel::Organisation> organisation;
  if (!sources.networks.empty()) {
    auto made = intel::Organisation::make(sources.networks);
    if (!made) return std::unexpected(made.error());
    organisation = std::make_shared<intel::Organisation>(std::move(*made));
  }
  known.enricher = std::make_unique<enrich::Enricher>(networks, organisation);
  auto indicators = load_indicators(sources.indicator_files, known.notes);
  if (!indicators) return std::unexpected(indicators.error());
  known.indicators = std::move(*indicators);
  add_feeds(sources, known);
  return known;
}

}  // namespace orbwatch::pipeline

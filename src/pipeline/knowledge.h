// What a hunt and the service know of addresses before they read a record: network facts, the organisation's own
// networks, indicators.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "enrich/enrich.h"
#include "intel/feed_store/feed_source.h"
#include "intel/indicators.h"
#include "intel/organisation.h"

namespace orbwatch::pipeline {

struct Config;

struct KnowledgeSources {
  std::string networks_file;                     // compiled network facts; "" = none: a note says so
  std::vector<intel::DeclaredNetwork> networks;  // the organisation's own description
  std::vector<std::string> indicator_files;
  std::string feeds_folder{};  // what `orbwatch feeds update` keeps; "" = none
  std::vector<intel::FeedSource> feeds{};
};
KnowledgeSources sources_of(const std::string& networks_file, const Config& config);

struct Knowledge {
  std::unique_ptr<enrich::Enricher> enricher;     // never null
  std::unique_ptr<intel::Indicators> indicators;  // null: none were named
  std::vector<std::string> notes;                 // attributions that are owed, lines that are no indicators
};

// Errors: an unreadable file, networks that contradict each other.
core::Expected<Knowledge> load_knowledge(const KnowledgeSources& sources);

}  // namespace orbwatch::pipeline

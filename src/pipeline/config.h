// The configuration file: one YAML file, every key with a default (docs/configuration.md lists them).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "intel/feed_store/feed_source.h"
#include "intel/organisation.h"
#include "pipeline/service_config.h"

namespace orbwatch::pipeline {

struct Config {
  double alerts_per_day = 5;
  std::string timezone;                 // for records without zone; "" = UTC
  std::vector<std::string> indicators;  // files
  std::vector<std::string> mappings;    // files and folders of users' own formats
  std::string verdicts;                 // file; "" = none for a hunt, the one in its state for a service
  std::vector<intel::DeclaredNetwork> networks;
  std::vector<intel::FeedSource> feeds;  // what `orbwatch feeds update` fetches
  std::string feeds_folder;              // "" = none given: see feeds_folder_of()
  bool learn_half_lives = true;          // feeds without one of their own decay by what covert networks here taught
  ServiceConfig service;                 // for `orbwatch run`; a hunt passes over it
  // A hash of each value as the file has it, by its path: "journal.sync", "collect.tcp.listen" (maps in a list by their
  // name, else by their place, from 1).
  std::map<std::string, std::uint64_t> values;
};

// Where feeds are kept: `feeds_folder`, else "feeds" in the state folder of the service, else "".
std::string feeds_folder_of(const Config& config);

// What `feeds` and `feeds_folder` name by a relative path lies at that path from `folder`, the configuration's own: a
// timer and a person at a terminal must read the same file.
void start_paths_from(const std::string& folder, Config& config);

// Paths of the keys whose values differ, or that only one of the two has; in order.
std::vector<std::string> changed_keys(const Config& before, const Config& after);

// `name` goes into errors: "orbwatch.yaml:12: unknown key 'netwroks'". Unknown keys are errors, so that a typing
// mistake is not a silent default.
core::Expected<Config> parse_config(std::string_view yaml, std::string_view name);

}  // namespace orbwatch::pipeline

// The configuration file: one YAML file, every key with a default (docs/configuration.md lists them).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "intel/organisation.h"
#include "pipeline/service_config.h"

namespace orbwatch::pipeline {

struct Config {
  double alerts_per_day = 5;
  std::string timezone;                 // for records without zone; "" = UTC
  std::vector<std::string> indicators;  // files
  std::vector<std::string> mappings;    // files and folders of users' own formats
  std::vector<intel::DeclaredNetwork> networks;
  ServiceConfig service;  // for `orbwatch run`; a hunt passes over it
};

// `name` goes into errors: "orbwatch.yaml:12: unknown key 'netwroks'". Unknown keys are errors, so that a typing
// mistake is not a silent default.
core::Expected<Config> parse_config(std::string_view yaml, std::string_view name);

}  // namespace orbwatch::pipeline

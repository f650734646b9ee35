// From the configuration of a collector to the collector.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/error.h"
#include "pipeline/service_config.h"
#include "source/collector.h"
#include "source/intake.h"

namespace orbwatch::pipeline {

// Not started yet. Errors: what the settings name cannot be used (a certificate, an address).
core::Expected<std::unique_ptr<source::Collector>> make_collector(const CollectorSettings& settings,
                                                                  std::uint32_t source, source::Intake& intake,
                                                                  const source::Log& log);

}  // namespace orbwatch::pipeline

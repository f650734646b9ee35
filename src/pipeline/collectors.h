// From the configuration of a collector to the collector.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "pipeline/service_config.h"
#include "source/collector.h"
#include "source/intake.h"

namespace orbwatch::pipeline {

// What the configuration keeps of a token for HTTP: its SHA-256, 64 digits. A token is made at random with 256 bits
// (`orbwatch token`), so that nothing slower is needed against guessing.
std::string token_hash(std::string_view token);

// Not started yet. Errors: what the settings name cannot be used (a certificate, an address).
core::Expected<std::unique_ptr<source::Collector>> make_collector(const CollectorSettings& settings,
                                                                  std::uint32_t source, source::Intake& intake,
                                                                  const source::Log& log);

}  // namespace orbwatch::pipeline

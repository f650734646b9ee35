// What the service says of itself: for Prometheus, and as one JSON object for people and scripts. docs/operations.md
// lists every metric.
#pragma once

#include <string>

#include "core/time.h"
#include "pipeline/service.h"

namespace orbwatch::serve {

// Text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), metrics in a fixed order.
std::string prometheus_text(const pipeline::ServiceStatus& status);

// The same facts, grouped by collector. One line.
std::string status_json(const pipeline::ServiceStatus& status);

// Why the service is not ready to be relied upon, "" if it is: the pipeline has ended, or what arrives cannot be kept.
std::string not_ready(const pipeline::ServiceStatus& status);

}  // namespace orbwatch::serve

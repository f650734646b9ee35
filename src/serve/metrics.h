// What the service says of itself: for Prometheus, and as one JSON object for people and scripts. docs/operations.md
// lists every metric.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"
#include "pipeline/service.h"

namespace orbwatch::serve {

// Text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), metrics in a fixed order.
std::string prometheus_text(const pipeline::ServiceStatus& status);

// The same facts, grouped by collector. One line.
std::string status_json(const pipeline::ServiceStatus& status);

// What status_json() wrote, for who asks a running service: without the reasons of records, and what is not ready
// stands in journal_trouble. Unknown members are passed over, missing ones are 0. Errors: it is no status.
core::Expected<pipeline::ServiceStatus> read_status(std::string_view json);

// Why the service is not ready to be relied upon, "" if it is: the pipeline has ended, or what arrives cannot be kept.
std::string not_ready(const pipeline::ServiceStatus& status);

}  // namespace orbwatch::serve

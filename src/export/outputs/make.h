// One function per type of output; make_output() chooses. Settings are checked and have their defaults
// before.
#pragma once

#include <memory>

#include "core/error.h"
#include "export/output.h"
#include "export/output_settings.h"

namespace orbwatch::exporting {

core::Expected<std::unique_ptr<Output>> make_file_output(const OutputSettings& settings);
core::Expected<std::unique_ptr<Output>> make_syslog_output(const OutputSettings& settings);
core::Expected<std::unique_ptr<Output>> make_webhook_output(const OutputSettings& settings);
core::Expected<std::unique_ptr<Output>> make_email_output(const OutputSettings& settings);

}  // namespace orbwatch::exporting

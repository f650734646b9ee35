// A feed that lies in a file.
#pragma once

#include <string>

#include "core/error.h"
#include "intel/fetch/fetch.h"

namespace orbwatch::intel {

// The regular file of at most `most` bytes. changed: it was written to while it was read, so that a second attempt may
// be better. A pipe, a device or a folder is refused, nothing is waited for.
core::Expected<Response> fetch_file(const std::string& path, const Request& request, std::uint64_t most, bool& changed);

}  // namespace orbwatch::intel

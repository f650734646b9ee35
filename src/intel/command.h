// `orbwatch intel ...` as a function: cli/ hands the words behind "intel" over and prints what comes back.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/time.h"

namespace orbwatch::intel {

//   build [--out FILE] [--mmdb FILE]... [--as FILE]... [--list TYPE:FILE]... [--no-shipped-lists]
//         [--place-version TEXT] [--as-version TEXT] [--attribution TEXT]
//   info [FILE]            what the table holds, sources and attribution
//   verify [--current] [FILE]  checks the whole file; --current: and that it was made with this program's shipped lists
//   lookup ADDRESS...      facts and claims [--table FILE]
//   check [FILE]           how well the AS-name rules agree with the curated types
// `now` is written into a table that is built. Text for standard output, or an error (exit code 2 if its message begins
// with "usage", else 3).
core::Expected<std::string> command(std::span<const std::string> words, core::Nanoseconds now,
                                    const std::function<void(std::string_view)>& progress = {});

}  // namespace orbwatch::intel

// Changes to the text of a configuration file that leave the rest of it as it is, comments and order included.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"
#include "intel/feed_store/feed_source.h"

namespace orbwatch::pipeline {

// The file with one feed more, behind the last of `feeds:`; the list is begun at the end of a file that has none.
// `name` goes into errors. Errors: the file is wrong, the name is taken, or the text is written in a way in which the
// place cannot be found safely, such as a list in brackets; the hint is what to write by hand. What is returned was
// read again: it has this feed and is otherwise the same.
core::Expected<std::string> with_feed(std::string_view yaml, std::string_view name, const intel::FeedSource& feed);

}  // namespace orbwatch::pipeline

// All formats of feeds.
#pragma once

#include <span>
#include <string_view>

#include "intel/feed/reader.h"

namespace orbwatch::intel {

std::span<const FeedReader* const> feed_readers();
// Null: no format of that name.
const FeedReader* find_feed_reader(std::string_view name);
// The format that claims most of a document's beginning (some 64 KiB), null if none does. A compressed or binary
// document is claimed by none.
const FeedReader* recognise_feed(std::string_view head, std::string_view file_name);

}  // namespace orbwatch::intel

// The statements that make the schema, from store/migrations/NNNN_*.sql in order (embedded at build time by
// cmake/embed.cmake). The number of files is the schema's version, kept in `meta`.
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace orbwatch::store::migrations {

extern const std::span<const std::pair<std::string_view, std::string_view>> all;

}  // namespace orbwatch::store::migrations

// `orbwatch sql FILE 'SELECT ...'`: runs a statement on a store file and writes the result as text.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace orbwatch::store {

enum class SqlFormat : std::uint8_t {
  kTable,  // aligned columns, cut to the width; the first kMeasuredRows rows decide how wide a column is. NULL is shown
           // as "-"
  kCsv,    // RFC 4180 with a header, lines end with \n; NULL is an empty field, an empty text is ""
  kJson,  // one object a line; numbers and booleans as such, NULL as null. Numbers that JSON has not (inf, nan) as text
};
constexpr std::size_t kMeasuredRows = 1000;

// Text goes to `write` in pieces as rows come; false from it (a closed pipe) ends the query without an error. Returns
// the number of rows. `width`: columns of the terminal for kTable, 0 = do not cut. Errors as query().
core::Expected<std::uint64_t> sql(const std::string& path, const std::string& statement, SqlFormat format, int width,
                                  const std::function<bool(std::string_view)>& write);

}  // namespace orbwatch::store

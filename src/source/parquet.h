// Parquet files (AWS Security Lake, VPC flow logs, data lakes) as lines of JSON, one a row, keys named as the columns.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"
#include "source/progress.h"
#include "source/reader.h"

namespace orbwatch::source {

// Whether a file that begins so is Parquet. 5 bytes are enough.
bool is_parquet(std::string_view head);

// Reads the regular file `descriptor`, which it owns, through DuckDB (which has columns decompressed by the row group,
// within kMostParquetMemory). `name` goes into error texts; `size` in bytes is what progress counts up to.
// compression() is "parquet". Errors: damaged or encrypted files, more memory needed than allowed, a build without
// DuckDB.
std::unique_ptr<ByteReader> read_parquet(int descriptor, std::string name, std::uint64_t size, Progress* progress);

constexpr std::uint64_t kMostParquetMemory = 1 << 30;  // bytes

}  // namespace orbwatch::source

// What the files of this room that speak to DuckDB share. Only in builds that have it.
#pragma once

#ifdef ORBWATCH_DUCKDB

#include <string>

#include "core/duckdb.h"
#include "core/error.h"
#include "store/store.h"

namespace orbwatch::store {

// Never fetches or loads an extension.
core::Expected<core::duckdb::Database> open_database(const std::string& path, bool read_only,
                                                     const StoreOptions& options);
core::Expected<core::duckdb::Connection> connect(const core::duckdb::Database& database);
// Runs a statement whose result is of no interest. Errors: DuckDB's message in one line.
core::Expected<void> execute(const core::duckdb::Connection& connection, const std::string& sql);
// True if the first block carries DuckDB's magic.
bool looks_like_duckdb(const std::string& path);

}  // namespace orbwatch::store

#endif

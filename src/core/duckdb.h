// DuckDB's C API with the lifetimes of C++ objects. Only in builds that have DuckDB (ORBWATCH_DUCKDB); the library is a
// shared object that may be newer than the header, so nothing but the C API is used.
#pragma once

#ifdef ORBWATCH_DUCKDB

#include <duckdb.h>

#include <string>
#include <string_view>
#include <utility>

#include "core/text.h"

namespace orbwatch::core::duckdb {

template <typename T, void (*destroy)(T*)>
struct Handle {
  T value = nullptr;
  Handle() = default;
  explicit Handle(T v) : value(v) {}
  Handle(Handle&& other) noexcept : value(std::exchange(other.value, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(value, other.value);
    return *this;
  }
  ~Handle() { reset(); }
  void reset() {
    if (value != nullptr) destroy(&value);
    value = nullptr;
  }
};
inline void destroy_appender(duckdb_appender* appender) { duckdb_appender_destroy(appender); }
using Database = Handle<duckdb_database, duckdb_close>;
using Connection = Handle<duckdb_connection, duckdb_disconnect>;
using Appender = Handle<duckdb_appender, destroy_appender>;
using Chunk = Handle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using LogicalType = Handle<duckdb_logical_type, duckdb_destroy_logical_type>;
using Config = Handle<duckdb_config, duckdb_destroy_config>;
using Statement = Handle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using Pending = Handle<duckdb_pending_result, duckdb_destroy_pending>;

struct Result {
  duckdb_result value{};
  Result() = default;
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  ~Result() { duckdb_destroy_result(&value); }
};

// DuckDB's messages span lines and carry advice for its own developers; a person needs the first line.
inline std::string one_line(const char* message) {
  std::string_view text = message == nullptr ? "unknown error" : message;
  text = text.substr(0, text.find('\n'));
  return printable(trim(text), 400);
}

}  // namespace orbwatch::core::duckdb

#endif

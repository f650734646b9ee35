#include "source/parquet.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "core/duckdb.h"
#include "core/text.h"

namespace orbwatch::source {

using core::Error;
using core::Expected;
using std::size_t;

// The magic number is text; what follows it, the first page's header, is not.
bool is_parquet(std::string_view head) {
  return head.size() > 4 && head.starts_with("PAR1") && static_cast<unsigned char>(head[4]) < ' ' && head[4] != '\n' &&
         head[4] != '\r' && head[4] != '\t';
}

namespace {

#ifdef ORBWATCH_DUCKDB

using namespace core::duckdb;

class ParquetReader : public ByteReader {
 public:
  ParquetReader(int descriptor, std::string name, std::uint64_t size, Progress* progress)
      : descriptor_(descriptor), name_(std::move(name)), size_(size), progress_(progress) {}
  ~ParquetReader() override { ::close(descriptor_); }
  ParquetReader(const ParquetReader&) = delete;
  ParquetReader& operator=(const ParquetReader&) = delete;

  Expected<size_t> read(char* out, size_t capacity) override {
    while (true) {
      if (at_ < lines_.size()) {
        const size_t n = std::min(capacity, lines_.size() - at_);
        std::memcpy(out, lines_.data() + at_, n);
        at_ += n;
        return n;
      }
      if (error_) return std::unexpected(*error_);
      if (ended_) return 0;
      lines_.clear();
      at_ = 0;
      if (!begun_) {
        begun_ = true;
        begin();
      } else {
        next();
      }
    }
  }
  std::uint64_t compressed_position() const override { return position_; }
  std::string compression() const override { return "parquet"; }

 private:
  void begin() {
    Config config;
    const auto set = [&](const char* key, const std::string& value) {
      return duckdb_set_config(config.value, key, value.c_str()) == DuckDBSuccess;
    };
    // No extension is fetched, nothing is written beside the file, and one file does not take all processors.
    if (duckdb_create_config(&config.value) != DuckDBSuccess || !set("autoinstall_known_extensions", "false") ||
        !set("autoload_known_extensions", "false") || !set("threads", "1") || !set("temp_directory", "") ||
        !set("memory_limit", std::to_string(kMostParquetMemory >> 20) + "MiB") ||
        duckdb_open_ext(nullptr, &database_.value, config.value, nullptr) != DuckDBSuccess ||
        duckdb_connect(database_.value, &connection_.value) != DuckDBSuccess) {
      error_ = Error{"DuckDB cannot be started to read Parquet", core::printable(name_), {}};
      return;
    }
    // The open descriptor is read, by a name without wildcards: the file's own name could be a pattern to DuckDB.
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor_);
    if (!run("SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata(?)", path, rows_result_)) return;
    if (const Chunk chunk(duckdb_fetch_chunk(rows_result_.value)); chunk.value != nullptr)
      rows_ = *static_cast<const std::int64_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.value, 0)));
    run("SELECT to_json(orbwatch_row)::VARCHAR FROM read_parquet(?, hive_partitioning = false) orbwatch_row", path,
        result_);
  }

  bool run(const char* sql, const std::string& path, Result& result) {
    Statement statement;
    Pending pending;
    if (duckdb_prepare(connection_.value, sql, &statement.value) != DuckDBSuccess)
      return fails(duckdb_prepare_error(statement.value));
    if (duckdb_bind_varchar(statement.value, 1, path.c_str()) != DuckDBSuccess ||
        duckdb_pending_prepared_streaming(statement.value, &pending.value) != DuckDBSuccess)
      return fails(duckdb_pending_error(pending.value));
    if (duckdb_execute_pending(pending.value, &result.value) != DuckDBSuccess)
      return fails(duckdb_result_error(&result.value));
    return true;
  }

  bool fails(const char* message) {
    std::string text = one_line(message);
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor_);
    for (size_t at; (at = text.find(path)) != std::string::npos;) text.replace(at, path.size(), "it");
    const bool memory = text.find("Out of Memory") != std::string::npos;
    error_ = Error{"cannot be read as Parquet, row " + std::to_string(done_ + 1) + ": " + text, core::printable(name_),
                   memory ? "write the file with smaller row groups" : "what came before was read; get the file again"};
    return false;
  }

  void next() {
    const Chunk chunk(duckdb_fetch_chunk(result_.value));
    if (chunk.value == nullptr) {
      if (const char* message = duckdb_result_error(&result_.value); message != nullptr && *message != 0) {
        fails(message);
        return;
      }
      ended_ = true;
      move_to(size_);
      return;
    }
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.value, 0);
    auto* rows = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
    const idx_t count = duckdb_data_chunk_get_size(chunk.value);
    for (idx_t i = 0; i < count; ++i) {
      lines_.append(duckdb_string_t_data(&rows[i]), duckdb_string_t_length(rows[i]));
      lines_ += '\n';
    }
    done_ += count;
    if (rows_ > 0)
      move_to(std::min(size_, static_cast<std::uint64_t>(static_cast<double>(size_) * static_cast<double>(done_) /
                                                         static_cast<double>(rows_))));
  }

  void move_to(std::uint64_t position) {
    if (progress_ != nullptr && position > position_)
      progress_->bytes_read.fetch_add(position - position_, std::memory_order_relaxed);
    position_ = std::max(position_, position);
  }

  int descriptor_;
  std::string name_;
  std::uint64_t size_;
  Progress* progress_;
  Database database_;
  Connection connection_;
  Result rows_result_;
  Result result_;
  std::int64_t rows_ = 0;
  std::uint64_t done_ = 0;      // rows given
  std::uint64_t position_ = 0;  // of the file, by the share of its rows
  std::string lines_;
  size_t at_ = 0;
  bool begun_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
};

#else

class ParquetReader : public ByteReader {
 public:
  ParquetReader(int descriptor, std::string name, std::uint64_t, Progress*) : name_(std::move(name)) {
    ::close(descriptor);
  }
  Expected<size_t> read(char*, size_t) override {
    return core::fail("this build of orbwatch reads no Parquet", core::printable(name_),
                      "build it with DuckDB (./dev setup), or export the table as JSON lines");
  }
  std::uint64_t compressed_position() const override { return 0; }
  std::string compression() const override { return "parquet"; }

 private:
  std::string name_;
};

#endif

}  // namespace

std::unique_ptr<ByteReader> read_parquet(int descriptor, std::string name, std::uint64_t size, Progress* progress) {
  return std::make_unique<ParquetReader>(descriptor, std::move(name), size, progress);
}

}  // namespace orbwatch::source

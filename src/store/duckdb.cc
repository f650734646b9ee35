// The store on DuckDB, through its C API only: the library is a shared object that may be newer than the header.
#include "store/store.h"

#ifdef ORBWATCH_DUCKDB

#include <absl/container/flat_hash_map.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "core/duckdb.h"
#include "core/text.h"
#include "store/database.h"
#include "store/migrations.h"

namespace orbwatch::store {

namespace fs = std::filesystem;
using core::Error;
using core::Expected;
using core::fail;
using core::Symbol;
using event::Event;
using namespace core::duckdb;

Expected<Database> open_database(const std::string& path, bool read_only, const StoreOptions& options) {
  Config config;
  if (duckdb_create_config(&config.value) != DuckDBSuccess) return fail("DuckDB cannot be configured");
  const auto set = [&](const char* key, const std::string& value) {
    return duckdb_set_config(config.value, key, value.c_str()) == DuckDBSuccess;
  };
  // No extension is ever fetched or loaded: orbwatch makes no request that the user did not ask for.
  bool ok = set("autoinstall_known_extensions", "false") && set("autoload_known_extensions", "false") &&
            set("threads", std::to_string(std::max(options.threads, 1))) &&
            set("memory_limit", std::to_string(options.memory_bytes >> 20) + "MiB");
  if (read_only) ok = ok && set("access_mode", "READ_ONLY");
  if (!ok) return fail("DuckDB does not know a setting that orbwatch needs", duckdb_library_version());
  Database database;
  char* message = nullptr;
  if (duckdb_open_ext(path.c_str(), &database.value, config.value, &message) != DuckDBSuccess) {
    const std::string text = one_line(message);
    duckdb_free(message);
    return fail("cannot open the database " + path, text);
  }
  return database;
}

Expected<Connection> connect(const Database& database) {
  Connection connection;
  if (duckdb_connect(database.value, &connection.value) != DuckDBSuccess) return fail("cannot connect to the database");
  return connection;
}

Expected<void> execute(const Connection& connection, const std::string& sql) {
  Result result;
  if (duckdb_query(connection.value, sql.c_str(), &result.value) != DuckDBSuccess) {
    return fail(one_line(duckdb_result_error(&result.value)));
  }
  return {};
}

// True if the first block carries DuckDB's magic, "DUCK" behind an eight-byte checksum (storage format, main header).
bool looks_like_duckdb(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  std::array<char, 12> head{};
  const bool same = ::read(file, head.data(), head.size()) == static_cast<ssize_t>(head.size()) &&
                    std::memcmp(&head[8], "DUCK", 4) == 0;
  ::close(file);
  return same;
}

namespace {

Error write_error(const std::string& path, const char* message) {
  const std::string text = one_line(message);
  const std::string whole = message == nullptr ? "" : message;
  if (whole.find("No space left on device") != whole.npos || whole.find("File too large") != whole.npos ||
      whole.find("Disk quota exceeded") != whole.npos || whole.find("could not be written") != whole.npos) {
    return {"no space left to write the database", path,
            "free some space or give --db another disk; the file was not touched"};
  }
  return {"cannot write the database " + path, text, ""};
}

bool written_by_orbwatch(const std::string& path) {
  auto database = open_database(path, true, {});
  if (!database) return false;
  auto connection = connect(*database);
  return connection && execute(*connection, "SELECT value FROM meta WHERE key = 'schema_version'").has_value();
}

// Whether another process holds DuckDB's lock (fcntl, whole file) on it.
bool locked_elsewhere(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool held = ::fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(file);
  return held;
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto n = core::utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

// DuckDB refuses text that is not UTF-8; log data need not be.
std::string utf8_or_replaced(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    if (const auto n = core::utf8_length(text); n != 0) {
      out += text.substr(0, n);
      text.remove_prefix(n);
    } else {
      out += "\xef\xbf\xbd";
      text.remove_prefix(1);
    }
  }
  return out;
}

// Microseconds as DuckDB counts them, rounded towards the past.
std::int64_t microseconds(core::Nanoseconds time) { return time >= 0 ? time / 1000 : (time - 999) / 1000; }

// Row-wise appending to the small tables.
class Rows {
 public:
  static Expected<Rows> open(const Connection& connection, const char* table, const std::string& path) {
    Rows rows;
    rows.path_ = path;
    if (duckdb_appender_create(connection.value, nullptr, table, &rows.appender_.value) != DuckDBSuccess) {
      return std::unexpected(write_error(path, duckdb_appender_error(rows.appender_.value)));
    }
    return rows;
  }
  Rows& text(std::string_view value) {
    if (value.empty()) return null();
    return required(value);
  }
  Rows& required(std::string_view value) {
    if (valid_utf8(value)) {
      check(duckdb_append_varchar_length(appender_.value, value.data(), value.size()));
    } else {
      const std::string replaced = utf8_or_replaced(value);
      check(duckdb_append_varchar_length(appender_.value, replaced.data(), replaced.size()));
    }
    return *this;
  }
  Rows& ip(const core::Ip& value) { return value.present() ? text(value.text()) : null(); }
  Rows& number(std::uint64_t value) { return check(duckdb_append_uint64(appender_.value, value)); }
  Rows& known(std::uint64_t value) { return value == 0 ? null() : number(value); }
  Rows& small(std::uint32_t value) { return value == 0 ? null() : index(value); }
  Rows& index(std::uint32_t value) { return check(duckdb_append_uint32(appender_.value, value)); }
  Rows& real(double value) {
    return std::isfinite(value) ? check(duckdb_append_double(appender_.value, value)) : null();
  }
  Rows& boolean(bool value) { return check(duckdb_append_bool(appender_.value, value)); }
  Rows& time(core::Nanoseconds value) {
    return value == 0 ? null() : check(duckdb_append_timestamp(appender_.value, {microseconds(value)}));
  }
  Rows& texts(const std::vector<std::string>& values) {
    const LogicalType varchar(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
    std::vector<duckdb_value> items;
    for (const auto& value : values) {
      const std::string text = utf8_or_replaced(value);
      items.push_back(duckdb_create_varchar_length(text.data(), text.size()));
    }
    duckdb_value nothing = nullptr;  // an empty list is made of no place as well, but not of a null pointer
    duckdb_value list = duckdb_create_list_value(varchar.value, items.empty() ? &nothing : items.data(), items.size());
    check(duckdb_append_value(appender_.value, list));
    duckdb_destroy_value(&list);
    for (auto& item : items) duckdb_destroy_value(&item);
    return *this;
  }
  Rows& null() { return check(duckdb_append_null(appender_.value)); }
  void end() { check(duckdb_appender_end_row(appender_.value)); }
  Expected<void> close() {
    if (failed_.empty()) check(duckdb_appender_close(appender_.value));
    if (!failed_.empty()) return std::unexpected(write_error(path_, failed_.c_str()));
    return {};
  }

 private:
  Rows& check(duckdb_state state) {
    if (state != DuckDBSuccess && failed_.empty()) {
      const char* message = duckdb_appender_error(appender_.value);
      failed_ = message == nullptr ? "append failed" : message;
    }
    return *this;
  }
  Appender appender_;
  std::string path_;
  std::string failed_;
};

// What repeats from event to event, as keys without padding so that they can be hashed as bytes.
struct ContextKey {
  core::Ip observer_ip;
  std::array<Symbol, 10> symbols{};
  std::array<std::uint32_t, 3> numbers{};
  std::array<std::uint8_t, 12> bytes{};

  friend bool operator==(const ContextKey&, const ContextKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ContextKey& key) {
    return H::combine_contiguous(std::move(h), reinterpret_cast<const unsigned char*>(&key), sizeof key);
  }
};
static_assert(std::has_unique_object_representations_v<ContextKey>);
using ActorKey = std::array<Symbol, 6>;
using HandshakeKey = std::array<Symbol, 6>;

// Rows of `addresses`, by chunks: there may be as many as events.
class AddressRows {
 public:
  static Expected<AddressRows> open(const Connection& connection, const char* table, const std::string& path) {
    AddressRows rows;
    rows.path_ = path;
    if (duckdb_appender_create(connection.value, nullptr, table, &rows.appender_.value) != DuckDBSuccess) {
      return std::unexpected(write_error(path, duckdb_appender_error(rows.appender_.value)));
    }
    std::array<duckdb_logical_type, 3> types{};
    for (std::size_t i = 0; i < types.size(); ++i) types[i] = duckdb_appender_column_type(rows.appender_.value, i);
    rows.chunk_ = Chunk(duckdb_create_data_chunk(types.data(), types.size()));
    for (auto& type : types) duckdb_destroy_logical_type(&type);
    return rows;
  }
  AddressRows& index(std::uint32_t id) {
    id_ = id;
    return *this;
  }
  void write(const core::Ip& ip, std::uint32_t network) {
    const auto vector = [this](idx_t i) { return duckdb_data_chunk_get_vector(chunk_.value, i); };
    static_cast<std::uint32_t*>(duckdb_vector_get_data(vector(0)))[used_] = id_;
    const std::string text = ip.text();
    duckdb_vector_assign_string_element_len(vector(1), used_, text.data(), text.size());
    static_cast<std::uint32_t*>(duckdb_vector_get_data(vector(2)))[used_] = network;
  }
  void end() {
    if (++used_ == duckdb_vector_size()) hand_over();
  }
  Expected<void> close() {
    if (used_ > 0) hand_over();
    if (failed_.empty() && duckdb_appender_close(appender_.value) != DuckDBSuccess)
      fail_with(duckdb_appender_error(appender_.value));
    if (!failed_.empty()) return std::unexpected(write_error(path_, failed_.c_str()));
    return {};
  }

 private:
  void fail_with(const char* message) { failed_ = message == nullptr ? "append failed" : message; }
  void hand_over() {
    duckdb_data_chunk_set_size(chunk_.value, used_);
    if (failed_.empty() && duckdb_append_data_chunk(appender_.value, chunk_.value) != DuckDBSuccess) {
      fail_with(duckdb_appender_error(appender_.value));
    }
    duckdb_data_chunk_reset(chunk_.value);
    used_ = 0;
  }
  Appender appender_;
  Chunk chunk_;
  std::string path_;
  std::string failed_;
  std::uint32_t id_ = 0;
  idx_t used_ = 0;
};

// Numbers for the rows of a table of what repeats; a key that is new appends its row. When kMost keys are held the
// memory of them starts anew, and a key that comes again gets a second row: memory is bounded whatever the events hold.
template <typename Key, typename Writer = Rows>
class Dictionary {
 public:
  explicit Dictionary(const char* table) : table_(table) {}
  const char* table() const { return table_; }
  // Of a file that has rows already.
  void count_from(std::uint32_t count) { count_ = count; }
  Expected<void> open(const Connection& connection, const std::string& path) {
    auto rows = Writer::open(connection, table_, path);
    if (!rows) return std::unexpected(rows.error());
    rows_ = std::move(*rows);
    return {};
  }
  Expected<void> close() {
    auto done = rows_.close();
    rows_ = Writer();
    return done;
  }
  template <typename WriteRow>
  std::uint32_t number(const Key& key, WriteRow write) {
    if (last_ != 0 && key == last_key_) return last_;
    last_key_ = key;
    if (const auto it = numbers_.find(key); it != numbers_.end()) return last_ = it->second;
    if (numbers_.size() >= kMost) numbers_.clear();
    last_ = ++count_;
    numbers_.emplace(key, last_);
    rows_.index(last_);
    write(rows_);
    rows_.end();
    return last_;
  }

 private:
  static constexpr std::size_t kMost = 1 << 20;
  const char* table_;
  Writer rows_;
  absl::flat_hash_map<Key, std::uint32_t> numbers_;
  Key last_key_{};
  std::uint32_t last_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace

bool available() { return true; }

struct Store::Impl {
  std::string path;     // the target
  std::string partial;  // what is being written
  std::string notice;
  Database database;
  Connection connection;
  bool in_transaction = false;
  bool finished = false;
  bool live = false;
  std::uint64_t position = 0;
  std::span<const std::pair<std::string_view, std::string_view>> steps = migrations::all;
  Expected<void> state;  // the first error; everything after it is refused

  // The appender of `event_rows` with its chunk: kept over batches, a chunk is handed over when it is full.
  static constexpr std::size_t kColumns = 18;
  Appender events;
  Chunk chunk;
  std::array<char*, kColumns> data{};
  std::uint64_t* time_validity = nullptr;
  std::size_t used = 0;
  std::size_t capacity = 0;

  std::vector<Symbol> files;
  Dictionary<ContextKey> contexts{"contexts"};
  Dictionary<ActorKey> actors{"actors"};
  Dictionary<HandshakeKey> handshakes{"handshakes"};
  Dictionary<std::uint32_t> networks{"networks"};
  Dictionary<core::Ip, AddressRows> addresses{"addresses"};

  Expected<void> broken(const char* message) {
    state = std::unexpected(write_error(path, message));
    return state;
  }
  Expected<void> run(const char* sql) {
    if (!state) return state;
    Result result;
    if (duckdb_query(connection.value, sql, &result.value) != DuckDBSuccess)
      return broken(duckdb_result_error(&result.value));
    return {};
  }
  // Appends one row an item; `fill` puts it into the rows.
  template <typename Items, typename Fill>
  Expected<void> append_rows(const char* table, const Items& items, Fill&& fill) {
    if (!state) return state;
    auto rows = Rows::open(connection, table, partial);
    if (!rows) return state = std::unexpected(rows.error());
    for (const auto& item : items) fill(*rows, item);
    return state = rows->close();
  }
  // The first value of a statement's result, 0 for NULL or none.
  Expected<std::uint64_t> number(const std::string& sql);
  Expected<void> make_schema();
  // The steps behind the first `from`, and that they were taken.
  Expected<void> migrate(std::uint64_t from);
  void close() {
    chunk.reset();
    events.reset();
    connection.reset();
    database.reset();
  }
  void remove_partial() const {
    std::error_code ignored;
    fs::remove(partial, ignored);
    fs::remove(partial + ".wal", ignored);
    fs::remove_all(partial + ".tmp", ignored);
  }

  Expected<void> open_events();
  Expected<void> close_events();
  Expected<void> hand_over();
  std::uint32_t address(const core::Ip& ip, std::uint32_t facts, const FactsLookup& lookup);
  void append(const Event& event, const FactsLookup& lookup);
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  if (impl_->finished) return;
  impl_->close();
  if (!impl_->live) impl_->remove_partial();
}

const std::string& Store::notice() const { return impl_->notice; }

Expected<std::unique_ptr<Store>> Store::create(const std::string& given, const StoreOptions& options) {
  std::error_code error;
  std::string path = given;
  if (path.empty()) return fail("the database needs a file name");
  if (fs::is_symlink(path, error)) path = fs::weakly_canonical(path, error).string();
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, error)) {
    return fail("the folder of the database does not exist", folder.string(), "create it first");
  }
  const auto status = fs::status(path, error);
  if (fs::exists(status)) {
    if (!fs::is_regular_file(status)) return fail("the database must be a file", path);
    const auto size = fs::file_size(path, error);
    if (size != 0 && !looks_like_duckdb(path)) {
      return fail("the file exists and is not a database", path, "it was not touched; give --db another name");
    }
    if (locked_elsewhere(path)) return fail("another process has the database open", path, "close it first");
    if (size != 0 && !written_by_orbwatch(path)) {
      return fail("the file exists and is not a database of orbwatch", path,
                  "it was not touched; give --db another name");
    }
  }

  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->partial = path + ".partial";
  if (fs::exists(impl->partial, error)) {
    if (locked_elsewhere(impl->partial)) return fail("another process is writing the same database", path);
    impl->remove_partial();
    if (fs::exists(impl->partial, error)) return fail("cannot remove what an interrupted run left", impl->partial);
    impl->notice = "removed " + impl->partial + ", left by an interrupted run";
  }
  auto database = open_database(impl->partial, false, options);
  if (!database) return std::unexpected(Error{"cannot create the database " + path, database.error().seen, ""});
  impl->database = std::move(*database);
  // From here on ~Store removes the partial file.
  std::unique_ptr<Store> store(new Store(std::move(impl)));
  Impl& my = *store->impl_;
  auto connection = connect(my.database);
  if (!connection) return std::unexpected(connection.error());
  my.connection = std::move(*connection);
  if (auto done = my.make_schema(); !done) return std::unexpected(done.error());
  return store;
}

Expected<void> Store::Impl::make_schema() {
  for (const auto& [name, sql] : steps) {
    if (auto done = run(std::string(sql).c_str()); !done) return done;
  }
  const std::string version = "INSERT INTO meta VALUES ('schema_version', '" + std::to_string(steps.size()) +
                              "'), ('orbwatch_version', '" ORBWATCH_VERSION "'), ('position', '0')";
  return run(version.c_str());
}

Expected<void> Store::Impl::migrate(std::uint64_t from) {
  for (const auto& [name, sql] : steps.subspan(from)) {
    if (auto done = run(std::string(sql).c_str()); !done)
      return fail("the database cannot be brought up to date",
                  path + ", step " + std::string(name) + ": " + done.error().seen,
                  "it was left as it was: go on with the version that wrote it, or move it away");
  }
  const std::string version = "UPDATE meta SET value = '" + std::to_string(steps.size()) +
                              "' WHERE key = 'schema_version'; "
                              "UPDATE meta SET value = '" ORBWATCH_VERSION "' WHERE key = 'orbwatch_version'";
  if (auto done = run(version.c_str()); !done) return done;
  notice = "brought " + path + " from schema " + std::to_string(from) + " to " + std::to_string(steps.size());
  return {};
}

Expected<std::uint64_t> Store::Impl::number(const std::string& sql) {
  Result result;
  if (duckdb_query(connection.value, sql.c_str(), &result.value) != DuckDBSuccess)
    return fail(one_line(duckdb_result_error(&result.value)));
  const Chunk first(duckdb_fetch_chunk(result.value));
  if (first.value == nullptr || duckdb_data_chunk_get_size(first.value) == 0) return std::uint64_t{0};
  const duckdb_vector vector = duckdb_data_chunk_get_vector(first.value, 0);
  std::uint64_t* const validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, 0)) return std::uint64_t{0};
  return *static_cast<const std::uint64_t*>(duckdb_vector_get_data(vector));
}

Expected<std::unique_ptr<Store>> Store::open_live(const std::string& path, const StoreOptions& options) {
  std::error_code error;
  if (path.empty()) return fail("the database needs a file name");
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, error))
    return fail("the folder of the database does not exist", folder.string(), "create it first");
  const bool there = fs::exists(path, error) && fs::file_size(path, error) != 0;
  if (there && !looks_like_duckdb(path))
    return fail("the file exists and is not a database", path, "it was not touched; name another one");
  if (there && locked_elsewhere(path)) return fail("another process has the database open", path, "close it first");
  auto impl = std::make_unique<Impl>();
  impl->path = impl->partial = path;
  impl->live = true;
  if (!options.steps.empty()) impl->steps = options.steps;
  auto database = open_database(path, false, options);
  if (!database) return std::unexpected(database.error());
  impl->database = std::move(*database);
  std::unique_ptr<Store> store(new Store(std::move(impl)));
  Impl& my = *store->impl_;
  auto connection = connect(my.database);
  if (!connection) return std::unexpected(connection.error());
  my.connection = std::move(*connection);
  // A kill can come while the schema is made: then there is none.
  const auto tables = my.number("SELECT count(*)::UBIGINT FROM duckdb_tables()");
  if (!tables) return std::unexpected(tables.error());
  if (auto done = store->begin(); !done) return std::unexpected(done.error());
  if (*tables == 0) {
    if (auto done = my.make_schema(); !done) return std::unexpected(done.error());
    if (auto done = store->checkpoint(0); !done) return std::unexpected(done.error());
    return store;
  }
  const auto version = my.number("SELECT value::UBIGINT FROM meta WHERE key = 'schema_version'");
  if (!version)
    return fail("the file exists and is not a database of orbwatch", path, "it was not touched; name another one");
  if (*version > my.steps.size())
    return fail("the database was written by a newer version of orbwatch", path,
                "install that version again, or move the file away: the service begins a new one");
  const auto position = my.number("SELECT value::UBIGINT FROM meta WHERE key = 'position'");
  if (!position) return std::unexpected(position.error());
  my.position = *position;
  if (*version < my.steps.size()) {
    if (auto done = my.migrate(*version); !done) return std::unexpected(done.error());
    if (auto done = store->checkpoint(*position); !done) return std::unexpected(done.error());
  }
  const auto count = [&](auto& dictionary) -> Expected<void> {
    const auto most = my.number("SELECT max(id)::UBIGINT FROM " + std::string(dictionary.table()));
    if (!most) return std::unexpected(most.error());
    dictionary.count_from(static_cast<std::uint32_t>(*most));
    return {};
  };
  for (const auto& counted :
       {count(my.contexts), count(my.actors), count(my.handshakes), count(my.networks), count(my.addresses)}) {
    if (!counted) return std::unexpected(counted.error());
  }
  return store;
}

Expected<void> Store::checkpoint(std::uint64_t position) {
  Impl& my = *impl_;
  if (auto done = my.close_events(); !done) return done;
  const std::string sql = "UPDATE meta SET value = '" + std::to_string(position) + "' WHERE key = 'position'";
  if (auto done = my.run(sql.c_str()); !done) return done;
  if (auto done = commit(); !done) return done;
  my.position = position;
  return begin();
}

std::uint64_t Store::position() const { return impl_->position; }

Expected<void> Store::replace_findings(std::span<const score::Finding> findings) {
  if (findings.empty()) return {};
  // The ids are our own: letters, digits and dashes.
  std::string ids;
  for (const score::Finding& f : findings) {
    std::string id = f.id;
    std::erase(id, '\'');
    ids += (ids.empty() ? "'" : ",'") + id + "'";
  }
  for (const auto& [table, column] :
       {std::pair{"findings", "id"}, std::pair{"evidence", "finding_id"}, std::pair{"finding_records", "finding_id"}}) {
    const std::string sql = std::string("DELETE FROM ") + table + " WHERE " + column + " IN (" + ids + ")";
    if (auto done = impl_->run(sql.c_str()); !done) return done;
  }
  return append_findings(findings);
}

Expected<void> Store::begin() {
  if (impl_->in_transaction) return fail("a transaction is already open");
  auto done = impl_->run("BEGIN TRANSACTION");
  if (done) impl_->in_transaction = true;
  return done;
}

Expected<void> Store::commit() {
  Impl& my = *impl_;
  if (!my.in_transaction) return fail("no transaction is open");
  if (auto done = my.close_events(); !done) return done;
  my.in_transaction = false;
  return my.run("COMMIT");
}

Expected<void> Store::Impl::open_events() {
  if (duckdb_appender_create(connection.value, nullptr, "event_rows", &events.value) != DuckDBSuccess) {
    return broken(duckdb_appender_error(events.value));
  }
  if (duckdb_appender_column_count(events.value) != kColumns)
    return broken("the table of events has other columns than expected");
  std::array<duckdb_logical_type, kColumns> types{};
  for (std::size_t i = 0; i < kColumns; ++i) types[i] = duckdb_appender_column_type(events.value, i);
  chunk = Chunk(duckdb_create_data_chunk(types.data(), kColumns));
  for (auto& type : types) duckdb_destroy_logical_type(&type);
  if (chunk.value == nullptr) return broken("out of memory");
  capacity = duckdb_vector_size();
  used = 0;
  for (const auto& opened :
       {contexts.open(connection, partial), actors.open(connection, partial), handshakes.open(connection, partial),
        networks.open(connection, partial), addresses.open(connection, partial)}) {
    if (!opened) return state = opened;
  }
  return {};
}

Expected<void> Store::Impl::close_events() {
  if (events.value == nullptr) return state;
  if (auto done = hand_over(); !done) return done;
  if (duckdb_appender_close(events.value) != DuckDBSuccess) return broken(duckdb_appender_error(events.value));
  events.reset();
  chunk.reset();
  for (const auto& closed :
       {contexts.close(), actors.close(), handshakes.close(), networks.close(), addresses.close()}) {
    if (!closed) return state = closed;
  }
  return {};
}

Expected<void> Store::Impl::hand_over() {
  if (!state) return state;
  if (events.value == nullptr || used == 0) return {};
  duckdb_data_chunk_set_size(chunk.value, used);
  if (duckdb_append_data_chunk(events.value, chunk.value) != DuckDBSuccess)
    return broken(duckdb_appender_error(events.value));
  duckdb_data_chunk_reset(chunk.value);
  used = 0;
  return {};
}

std::uint32_t Store::Impl::address(const core::Ip& ip, std::uint32_t index, const FactsLookup& lookup) {
  if (!ip.present()) return 0;
  return addresses.number(ip, [&](AddressRows& rows) {
    std::uint32_t network = 0;
    if (index != 0 && lookup) {
      network = networks.number(index, [&](Rows& row) {
        const FactsRow f = lookup(index);
        row.small(f.asn).text(f.org).text(f.country).text(f.city).text(f.network_type);
        if (f.latitude != 0 || f.longitude != 0) {
          row.real(f.latitude).real(f.longitude);
        } else {
          row.null().null();
        }
      });
    }
    rows.write(ip, network);
  });
}

void Store::Impl::append(const Event& e, const FactsLookup& lookup) {
  ContextKey context;
  context.observer_ip = e.observer_ip;
  context.symbols = {
      e.dataset, e.code,   e.reason, e.observer, e.application,
      e.ingress, e.egress, e.rule,   e.region,   e.record.source < files.size() ? files[e.record.source] : Symbol()};
  context.numbers = {e.sampling, e.ingress_index, e.egress_index};
  context.bytes = {static_cast<std::uint8_t>(e.event_class),
                   static_cast<std::uint8_t>(e.activity),
                   static_cast<std::uint8_t>(e.outcome),
                   static_cast<std::uint8_t>(e.action),
                   static_cast<std::uint8_t>(e.service),
                   static_cast<std::uint8_t>(e.direction),
                   static_cast<std::uint8_t>(e.auth_method),
                   static_cast<std::uint8_t>(e.mfa),
                   e.logon_type,
                   e.protocol,
                   0,
                   0};
  const std::uint32_t context_number = contexts.number(context, [&](Rows& rows) {
    rows.text(name(e.event_class))
        .text(name(e.activity))
        .text(name(e.outcome))
        .text(name(e.action))
        .text(name(e.service));
    rows.text(name(e.direction)).text(name(e.auth_method)).text(name(e.mfa)).small(e.logon_type).small(e.protocol);
    rows.small(e.sampling).small(e.ingress_index).small(e.egress_index);
    rows.text(e.dataset.text()).text(e.code.text()).text(e.reason.text()).text(e.observer.text()).ip(e.observer_ip);
    rows.text(e.application.text())
        .text(e.ingress.text())
        .text(e.egress.text())
        .text(e.rule.text())
        .text(e.region.text());
    rows.text(context.symbols.back().text());
  });
  const auto number_of = [](auto& dictionary, const auto& key) {
    if (std::none_of(key.begin(), key.end(), [](Symbol s) { return s.present(); })) return std::uint32_t{0};
    return dictionary.number(key, [&](Rows& rows) {
      for (const Symbol s : key) rows.text(s.text());
    });
  };
  const ActorKey actor{e.user, e.user_domain, e.group, e.client_host, e.client_os, e.user_agent};
  const HandshakeKey handshake{e.fingerprint,         e.server_fingerprint,      e.certificate_issuer,
                               e.certificate_subject, e.certificate_fingerprint, e.banner};

  std::size_t column = 0;
  const auto put = [&]<typename T>(T value) {
    // Aligned by DuckDB; memcpy keeps the type rules.
    std::memcpy(data[column++] + used * sizeof(T), &value, sizeof(T));
  };
  // In the order of the table.
  put(microseconds(e.time));
  duckdb_validity_set_row_validity(time_validity, used, e.time != 0);
  put(context_number);
  put(number_of(actors, actor));
  put(number_of(handshakes, handshake));
  put(address(e.source_ip, e.source_facts, lookup));
  put(address(e.destination_ip, e.destination_facts, lookup));
  put(address(e.assigned_ip, 0, lookup));
  put(e.source_port);
  put(e.destination_port);
  put(e.tcp_flags);
  put(e.duration);
  put(e.source_bytes);
  put(e.destination_bytes);
  put(e.source_packets);
  put(e.destination_packets);
  put(e.session_id);
  put(e.record.line);
  put(e.record.offset);
  ++used;
}

Expected<void> Store::append_events(const event::EventBatch& batch, const std::vector<std::string>& source_names,
                                    const FactsLookup& lookup) {
  Impl& my = *impl_;
  if (!my.state) return my.state;
  if (!my.in_transaction) return fail("events are appended inside a transaction");
  if (batch.empty()) return {};
  if (my.events.value == nullptr) {
    if (auto done = my.open_events(); !done) return done;
  }
  // Names are only ever added; paths are few beside the events in them.
  for (std::size_t i = my.files.size(); i < source_names.size(); ++i) my.files.push_back(core::intern(source_names[i]));
  for (const Event& event : batch) {
    if (my.used == my.capacity) {
      if (auto done = my.hand_over(); !done) return done;
    }
    if (my.used == 0) {
      for (std::size_t i = 0; i < Impl::kColumns; ++i) {
        const duckdb_vector vector = duckdb_data_chunk_get_vector(my.chunk.value, i);
        my.data[i] = static_cast<char*>(duckdb_vector_get_data(vector));
        if (i != 0) continue;
        duckdb_vector_ensure_validity_writable(vector);
        my.time_validity = duckdb_vector_get_validity(vector);
      }
    }
    my.append(event, lookup);
  }
  return {};
}

Expected<void> Store::append_findings(std::span<const score::Finding> findings) {
  Impl& my = *impl_;
  if (!my.state) return my.state;
  auto rows = Rows::open(my.connection, "findings", my.partial);
  auto evidence = Rows::open(my.connection, "evidence", my.partial);
  auto records = Rows::open(my.connection, "finding_records", my.partial);
  for (const auto* opened : {&rows, &evidence, &records}) {
    if (!*opened) return my.state = std::unexpected(opened->error());
  }
  for (const score::Finding& f : findings) {
    rows->required(f.id).time(f.time).time(f.end).required(detect::name(f.kind));
    rows->real(std::isfinite(f.score) ? f.score : 0).real(std::isfinite(f.log_odds) ? f.log_odds : 0);
    rows->required(score::name(f.severity)).boolean(f.alert).text(f.outcome).text(f.user).known(f.user_count);
    rows->ip(f.source.ip).known(f.source_count).small(f.source.asn).text(f.source.org).text(f.source.country);
    rows->text(f.source.city).text(f.source.network_type).text(f.source.claims);
    if (f.source.latitude != 0 || f.source.longitude != 0) {
      rows->real(f.source.latitude).real(f.source.longitude);
    } else {
      rows->null().null();
    }
    rows->text(f.gateway).text(f.device).text(f.hypothesis).texts(f.attack).text(f.advice).text(f.network);
    rows->required(score::to_json(f, true));
    rows->text(f.verdict.says).text(f.verdict.id);
    const score::VerdictNote& by = f.suppressed_by;
    rows->text(by.id).text(by.reason).text(by.author).time(by.expires).end();
    std::uint32_t rank = 0;
    for (const auto& e : f.evidence) {
      evidence->required(f.id).index(++rank).text(e.kind).text(e.detector).real(e.llr).text(e.says).end();
    }
    rank = 0;
    for (const auto& r : f.records) {
      records->required(f.id).index(++rank).text(r.file).small(r.line).number(r.offset).text(r.raw).end();
    }
  }
  for (auto* opened : {&rows, &evidence, &records}) {
    if (auto done = (*opened)->close(); !done) return my.state = done;
  }
  return {};
}

Expected<void> Store::replace_networks(std::span<const score::Network> networks) {
  Impl& my = *impl_;
  if (!my.state) return my.state;
  for (const char* sql : {"DELETE FROM covert_networks", "DELETE FROM covert_network_nodes"}) {
    if (auto done = my.run(sql); !done) return done;
  }
  auto rows = Rows::open(my.connection, "covert_networks", my.partial);
  auto nodes = Rows::open(my.connection, "covert_network_nodes", my.partial);
  if (!rows) return my.state = std::unexpected(rows.error());
  if (!nodes) return my.state = std::unexpected(nodes.error());
  for (const score::Network& n : networks) {
    rows->required(n.id).time(n.first).time(n.last).real(n.confidence).number(n.active_nodes).number(n.nodes.size());
    if (n.size) {
      rows->real(n.size->value).real(n.size->low).real(n.size->high);
    } else {
      rows->null().null().null();
    }
    if (n.half_life_days) {
      rows->real(n.half_life_days->value);
    } else {
      rows->null();
    }
    rows->text(n.known.empty() ? std::string_view() : std::string_view(n.known.front().name));
    rows->required(score::to_whole_json(n)).end();
    for (const score::NetworkNode& node : n.nodes) {
      nodes->required(n.id).ip(node.ip).time(node.first).time(node.last).boolean(node.active);
      nodes->required(score::name(node.role)).small(node.asn).text(node.provider).text(node.country).text(node.city);
      nodes->text(node.type == core::NetworkType::kUnknown ? std::string_view() : core::label(node.type));
      nodes->number(node.sightings).end();
    }
  }
  for (auto* opened : {&rows, &nodes}) {
    if (auto done = (*opened)->close(); !done) return my.state = done;
  }
  return {};
}

Expected<void> Store::append_inputs(std::span<const score::InputReport> inputs) {
  Impl& my = *impl_;
  if (!my.state) return my.state;
  auto rows = Rows::open(my.connection, "inputs", my.partial);
  auto reasons = Rows::open(my.connection, "input_reasons", my.partial);
  if (!rows) return my.state = std::unexpected(rows.error());
  if (!reasons) return my.state = std::unexpected(reasons.error());
  for (const score::InputReport& in : inputs) {
    const event::Counts& c = in.counts;
    rows->required(in.path).text(in.format).boolean(in.recognised).text(in.error).number(in.bytes);
    rows->number(c.records).number(c.events).number(c.ignored).number(c.rejected).time(in.first).time(in.last).end();
    using Fate = std::pair<const char*, const core::SymbolCounts*>;
    for (const auto& [fate, counts] :
         {Fate{"event", &c.events_by}, Fate{"ignored", &c.ignored_by}, Fate{"rejected", &c.rejected_by}}) {
      // The map's order changes from run to run, the file must not.
      std::vector<std::pair<std::string_view, std::uint64_t>> sorted;
      for (const auto& [reason, count] : *counts) sorted.emplace_back(reason.text(), count);
      std::sort(sorted.begin(), sorted.end());
      for (const auto& [reason, count] : sorted)
        reasons->required(in.path).required(fate).required(reason).number(count).end();
    }
  }
  if (auto done = rows->close(); !done) return my.state = done;
  if (auto done = reasons->close(); !done) return my.state = done;
  return {};
}

Expected<void> Store::append_hypotheses(std::span<const score::HypothesisReport> hypotheses) {
  return impl_->append_rows("hypotheses", hypotheses, [](Rows& rows, const score::HypothesisReport& h) {
    rows.required(h.detector).text(h.hypothesis).boolean(h.tested).text(h.why_not).number(h.events).end();
  });
}

Expected<void> Store::append_profiles(std::span<const ProfileRow> profiles) {
  return impl_->append_rows("profiles", profiles, [](Rows& rows, const ProfileRow& p) {
    rows.required(p.kind).required(p.key).required(p.json).end();
  });
}

Expected<void> Store::finish() {
  Impl& my = *impl_;
  if (my.finished) return fail("the database is already finished");
  if (!my.state) return my.state;
  if (my.in_transaction) {
    if (auto done = commit(); !done) return done;
  }
  if (auto done = my.run("CHECKPOINT"); !done) return done;
  my.close();
  std::error_code error;
  const std::string log = my.partial + ".wal";
  if (fs::exists(log, error)) return my.broken("DuckDB kept a write-ahead log after the checkpoint");
  // A log that somebody else's session left beside the old file would be replayed into the new one.
  fs::remove(my.path + ".wal", error);
  if (::rename(my.partial.c_str(), my.path.c_str()) != 0) return my.broken(std::strerror(errno));
  my.finished = true;
  my.state = fail("the database is already finished");
  // The name, too, must survive a power cut; DuckDB has synced the content.
  const fs::path folder = fs::path(my.path).parent_path();
  const int directory = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    ::fsync(directory);
    ::close(directory);
  }
  return {};
}

namespace {

struct TypeFacts {
  ColumnType column;
  bool plain;  // append_value writes it itself. A result with any other is asked for again as text (see query).
};

TypeFacts facts_of(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return {ColumnType::kBoolean, true};
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE: return {ColumnType::kNumber, true};
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_DECIMAL: return {ColumnType::kNumber, false};
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_VARCHAR: return {ColumnType::kText, true};
    default: return {ColumnType::kText, false};
  }
}

template <typename T>
void append_number(std::string& out, T value) {
  char text[64];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_huge(std::string& out, const duckdb_hugeint& huge) {
  __extension__ using Wide = unsigned __int128;
  Wide rest = static_cast<Wide>(static_cast<std::uint64_t>(huge.upper)) << 64 | huge.lower;
  const bool negative = huge.upper < 0;
  if (negative) rest = ~rest + 1;
  char digits[40];
  char* p = digits + sizeof digits;
  do {
    *--p = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (negative) out += '-';
  out.append(p, digits + sizeof digits);
}

void append_two(std::string& out, int value) {
  out += static_cast<char>('0' + value / 10 % 10);
  out += static_cast<char>('0' + value % 10);
}

void append_timestamp(std::string& out, duckdb_timestamp time) {
  if (!duckdb_is_finite_timestamp(time)) {
    out += time.micros < 0 ? "-infinity" : "infinity";
    return;
  }
  const duckdb_timestamp_struct t = duckdb_from_timestamp(time);
  append_number(out, t.date.year);
  out += '-';
  append_two(out, t.date.month);
  out += '-';
  append_two(out, t.date.day);
  out += ' ';
  append_two(out, t.time.hour);
  out += ':';
  append_two(out, t.time.min);
  out += ':';
  append_two(out, t.time.sec);
  if (t.time.micros == 0) return;
  std::string fraction = std::to_string(1'000'000 + t.time.micros);
  fraction[0] = '.';
  while (fraction.back() == '0') fraction.pop_back();
  out += fraction;
}

// Value `row` of a vector of a plain type; false for NULL.
bool append_value(std::string& out, duckdb_vector vector, duckdb_type type, std::size_t row) {
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return false;
  const void* data = duckdb_vector_get_data(vector);
  const auto at = [&]<typename T>(const T*) -> const T& { return static_cast<const T*>(data)[row]; };
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: out += at(static_cast<const bool*>(nullptr)) ? "true" : "false"; return true;
    case DUCKDB_TYPE_TINYINT: append_number(out, int{at(static_cast<const std::int8_t*>(nullptr))}); return true;
    case DUCKDB_TYPE_SMALLINT: append_number(out, at(static_cast<const std::int16_t*>(nullptr))); return true;
    case DUCKDB_TYPE_INTEGER: append_number(out, at(static_cast<const std::int32_t*>(nullptr))); return true;
    case DUCKDB_TYPE_BIGINT: append_number(out, at(static_cast<const std::int64_t*>(nullptr))); return true;
    case DUCKDB_TYPE_UTINYINT: append_number(out, unsigned{at(static_cast<const std::uint8_t*>(nullptr))}); return true;
    case DUCKDB_TYPE_USMALLINT: append_number(out, at(static_cast<const std::uint16_t*>(nullptr))); return true;
    case DUCKDB_TYPE_UINTEGER: append_number(out, at(static_cast<const std::uint32_t*>(nullptr))); return true;
    case DUCKDB_TYPE_UBIGINT: append_number(out, at(static_cast<const std::uint64_t*>(nullptr))); return true;
    case DUCKDB_TYPE_HUGEINT: append_huge(out, at(static_cast<const duckdb_hugeint*>(nullptr))); return true;
    case DUCKDB_TYPE_FLOAT: append_number(out, at(static_cast<const float*>(nullptr))); return true;
    case DUCKDB_TYPE_DOUBLE: append_number(out, at(static_cast<const double*>(nullptr))); return true;
    case DUCKDB_TYPE_TIMESTAMP: append_timestamp(out, at(static_cast<const duckdb_timestamp*>(nullptr))); return true;
    case DUCKDB_TYPE_VARCHAR: {
      duckdb_string_t text = at(static_cast<const duckdb_string_t*>(nullptr));
      out.append(duckdb_string_t_data(&text), duckdb_string_t_length(text));
      return true;
    }
    default: return false;
  }
}

}  // namespace

Expected<void> query(const std::string& path, const std::string& sql, RowSink& sink) {
  std::error_code error;
  if (!fs::exists(path, error))
    return fail("no such database", path, "write one with: orbwatch hunt LOGS --db " + path);
  if (!looks_like_duckdb(path)) return fail("not a DuckDB database", path);
  auto database = open_database(path, true, {.threads = 2, .memory_bytes = std::size_t{4} << 30});
  if (!database) return std::unexpected(database.error());
  auto connection = connect(*database);
  if (!connection) return std::unexpected(connection.error());
  // Nor may a statement switch on what open_database switched off.
  if (auto done = execute(*connection, "SET lock_configuration = true"); !done) return done;

  Statement statement;
  if (duckdb_prepare(connection->value, sql.c_str(), &statement.value) != DuckDBSuccess) {
    const char* message = duckdb_prepare_error(statement.value);
    // DuckDB's message shows the place in the statement on further lines: worth having here.
    return fail(std::string(core::trim(message == nullptr ? "unknown error" : message)));
  }
  if (duckdb_nparams(statement.value) != 0)
    return fail("the statement has parameters (? or $1)", "", "write the values into it");
  const std::size_t columns = duckdb_prepared_statement_column_count(statement.value);
  std::vector<std::string> names(columns);
  std::vector<ColumnType> types(columns);
  bool plain_only = true;
  for (std::size_t i = 0; i < columns; ++i) {
    const char* name = duckdb_prepared_statement_column_name(statement.value, i);
    names[i] = name == nullptr ? "" : name;
    duckdb_free(const_cast<char*>(name));
    const duckdb_type type = duckdb_prepared_statement_column_type(statement.value, i);
    const TypeFacts facts = facts_of(type);
    types[i] = facts.column;
    plain_only = plain_only && facts.plain;
  }

  // Lists, enumerations, decimals and so on: DuckDB casts them to text by its own rules, in a statement around this
  // one.
  if (!plain_only) {
    std::string_view inner = core::trim(sql);
    while (inner.ends_with(';')) inner = core::trim(inner.substr(0, inner.size() - 1));
    const std::string outer = "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (" + std::string(inner) + "\n)";
    statement.reset();
    if (duckdb_prepare(connection->value, outer.c_str(), &statement.value) != DuckDBSuccess) {
      return fail("cannot show this result as text", one_line(duckdb_prepare_error(statement.value)),
                  "cast its columns to VARCHAR");
    }
  }

  Result result;
  if (duckdb_execute_prepared_streaming(statement.value, &result.value) != DuckDBSuccess) {
    return fail(std::string(core::trim(duckdb_result_error(&result.value))));
  }
  sink.columns(names, types);
  std::vector<duckdb_type> stored(columns);
  for (std::size_t i = 0; i < columns; ++i) stored[i] = duckdb_column_type(&result.value, i);
  std::vector<std::string> texts(columns);
  std::vector<std::optional<std::string_view>> row(columns);
  while (true) {
    const Chunk chunk(duckdb_fetch_chunk(result.value));
    if (chunk.value == nullptr) break;
    const std::size_t rows = duckdb_data_chunk_get_size(chunk.value);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        texts[c].clear();
        const bool present = append_value(texts[c], duckdb_data_chunk_get_vector(chunk.value, c), stored[c], r);
        row[c] = present ? std::optional<std::string_view>(texts[c]) : std::nullopt;
      }
      if (!sink.row(row)) return {};
    }
  }
  if (const char* message = duckdb_result_error(&result.value); message != nullptr && *message != 0) {
    return fail(std::string(core::trim(message)));
  }
  return {};
}

}  // namespace orbwatch::store

#else  // without DuckDB

namespace orbwatch::store {
namespace {
std::unexpected<core::Error> missing() {
  return core::fail("this build of orbwatch has no database", "",
                    "build it with DuckDB: tools/fetch-duckdb.sh, then configure again");
}
}  // namespace

bool available() { return false; }
struct Store::Impl {
  std::string notice;
};
Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;
const std::string& Store::notice() const { return impl_->notice; }
core::Expected<std::unique_ptr<Store>> Store::create(const std::string&, const StoreOptions&) { return missing(); }
core::Expected<std::unique_ptr<Store>> Store::open_live(const std::string&, const StoreOptions&) { return missing(); }
core::Expected<void> Store::checkpoint(std::uint64_t) { return missing(); }
std::uint64_t Store::position() const { return 0; }
core::Expected<void> Store::replace_findings(std::span<const score::Finding>) { return missing(); }
core::Expected<void> Store::begin() { return missing(); }
core::Expected<void> Store::commit() { return missing(); }
core::Expected<void> Store::append_events(const event::EventBatch&, const std::vector<std::string>&,
                                          const FactsLookup&) {
  return missing();
}
core::Expected<void> Store::append_findings(std::span<const score::Finding>) { return missing(); }
core::Expected<void> Store::append_inputs(std::span<const score::InputReport>) { return missing(); }
core::Expected<void> Store::append_hypotheses(std::span<const score::HypothesisReport>) { return missing(); }
core::Expected<void> Store::append_profiles(std::span<const ProfileRow>) { return missing(); }
core::Expected<void> Store::replace_networks(std::span<const score::Network>) { return missing(); }
core::Expected<void> Store::finish() { return missing(); }
core::Expected<void> query(const std::string&, const std::string&, RowSink&) { return missing(); }

}  // namespace orbwatch::store

#endif

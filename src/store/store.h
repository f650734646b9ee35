// The embedded store: one DuckDB file that an analyst can query. The only room that knows SQL.
//
// A file that create() makes is written whole or not at all. Everything goes into `FILE.partial` beside the target;
// finish() commits, writes a checkpoint and renames it over FILE. A kill at any moment therefore leaves either the old
// FILE (or none) or the complete new one; what is left of `FILE.partial` is removed by the next create() for the same
// FILE. An existing FILE is replaced only if orbwatch wrote it.
//
// A file that open_live() opens grows as long as a service runs. What lies between two calls of checkpoint() is there
// whole or not at all, whenever the process is killed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "event/batch.h"
#include "score/report.h"

namespace orbwatch::store {

// False if the program was built without DuckDB; every function below then fails with a clear error.
bool available();

// What is known of an address; empty or zero means unknown. The views need to live only until the call-back returns.
struct FactsRow {
  std::uint32_t asn = 0;
  std::string_view org;
  std::string_view country;
  std::string_view city;
  std::string_view network_type;
  double latitude = 0;  // degrees; both 0 = unknown
  double longitude = 0;
};
// Answers for Event::source_facts and destination_facts (never asked for 0); asked about once for each number that
// occurs.
using FactsLookup = std::function<FactsRow(std::uint32_t)>;

// A row of the generic table of profiles: kind ("user", "gateway", ...), the entity's key, its state as a JSON object.
struct ProfileRow {
  std::string kind;
  std::string key;
  std::string json;
};

struct StoreOptions {
  int threads = 1;  // that DuckDB may use; appending itself is done by the caller's thread
  std::size_t memory_bytes = std::size_t{1} << 30;  // DuckDB's own limit for its buffers
  // Name and statements of each step of the schema; empty = those of this version (store/migrations). For tests.
  std::span<const std::pair<std::string_view, std::string_view>> steps{};
};

// Not thread-safe: one thread at a time. Destroying a Store without finish() removes the partial file.
class Store {
 public:
  // Errors: the folder is missing or not writable; the target exists and is not a file that orbwatch wrote (nothing is
  // touched); another process is writing the same file.
  static core::Expected<std::unique_ptr<Store>> create(const std::string& path, const StoreOptions& options = {});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // For a service: the file is made if it is not there, and kept however the Store ends; what was appended since the
  // last checkpoint() is then gone. A transaction is always open. A file of an older version is brought up to date
  // first, whole or not at all; notice() says so. Errors as create(), and a schema of a newer version.
  static core::Expected<std::unique_ptr<Store>> open_live(const std::string& path, const StoreOptions& options = {});
  // Makes everything appended so far durable together with `position`, the caller's place in its input.
  core::Expected<void> checkpoint(std::uint64_t position);
  // What the last checkpoint() said, also that of an earlier run; 0 for a new file.
  std::uint64_t position() const;
  // As append_findings(), in place of what the file has of the same ids.
  core::Expected<void> replace_findings(std::span<const score::Finding> findings);

  // What create() wants the user to know, "" if nothing: "removed FILE.partial, left by an interrupted run",
  // "brought FILE from schema 1 to 2".
  const std::string& notice() const;

  // Rows are appended inside a transaction. One transaction for a whole hunt is fine: full row groups go to the disk
  // while it lasts.
  core::Expected<void> begin();
  core::Expected<void> commit();

  // `source_names` gives the path for RecordRef::source; an index beyond it is stored as NULL.
  core::Expected<void> append_events(const event::EventBatch& batch, const std::vector<std::string>& source_names,
                                     const FactsLookup& facts = {});
  core::Expected<void> append_findings(std::span<const score::Finding> findings);
  core::Expected<void> append_inputs(std::span<const score::InputReport> inputs);
  core::Expected<void> append_hypotheses(std::span<const score::HypothesisReport> hypotheses);
  core::Expected<void> append_profiles(std::span<const ProfileRow> profiles);
  // In place of all networks that the file has; `json` holds all of each (score::to_whole_json). A reader sees what
  // stood there before until the transaction is committed.
  core::Expected<void> replace_networks(std::span<const score::Network> networks);

  // Commits an open transaction, writes the checkpoint, closes and renames. After it, or after an error, the Store
  // takes no more rows.
  core::Expected<void> finish();

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The type of a result column as far as an output format needs to know it.
enum class ColumnType : std::uint8_t { kText, kNumber, kBoolean };

class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void columns(std::span<const std::string> names, std::span<const ColumnType> types) = 0;
  // A value of nullopt is NULL. The views live until the call returns. False ends the query early.
  virtual bool row(std::span<const std::optional<std::string_view>> values) = 0;
};

// Runs one statement on a store file, which is opened read-only. DuckDB's own files-as-tables (read_csv('list.csv'))
// work, so that a list of addresses can be joined; extensions are never loaded from the network. Errors: no such file,
// not a DuckDB file, being written by another process, or DuckDB's message about the statement.
core::Expected<void> query(const std::string& path, const std::string& sql, RowSink& sink);

}  // namespace orbwatch::store

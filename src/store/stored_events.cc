#include "store/stored_events.h"

#ifdef ORBWATCH_DUCKDB

#include <absl/container/flat_hash_map.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "core/duckdb.h"
#include "store/database.h"
#include "store/migrations.h"

namespace orbwatch::store {
namespace {

namespace fs = std::filesystem;
using core::Expected;
using core::fail;
using core::Symbol;
using event::Event;
using namespace core::duckdb;

// One chunk of a result, read by column and row. A NULL is an empty text or 0.
class Rows {
 public:
  explicit Rows(duckdb_data_chunk chunk) : chunk_(chunk), size_(duckdb_data_chunk_get_size(chunk)) {}
  std::size_t size() const { return size_; }
  std::string_view text(std::size_t column, std::size_t row) const {
    const auto* values = data<duckdb_string_t>(column, row);
    if (values == nullptr) return {};
    // The letters of a short text lie in the value itself.
    auto* value = const_cast<duckdb_string_t*>(values + row);
    return {duckdb_string_t_data(value), duckdb_string_t_length(*value)};
  }
  template <typename T>
  T number(std::size_t column, std::size_t row) const {
    const auto* values = data<T>(column, row);
    return values == nullptr ? T{} : values[row];
  }

 private:
  template <typename T>
  const T* data(std::size_t column, std::size_t row) const {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk_, column);
    std::uint64_t* const validity = duckdb_vector_get_validity(vector);
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return nullptr;
    return static_cast<const T*>(duckdb_vector_get_data(vector));
  }
  duckdb_data_chunk chunk_;
  std::size_t size_;
};

// A member of an enumeration by its name; the first one, "unknown", for a name that this version does not have.
template <typename Enum>
Enum member(std::string_view text, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (event::name(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  return Enum{};
}

}  // namespace

struct StoredEvents::Impl {
  std::string folder;  // for DuckDB's sorting; removed at the end
  Database database;
  Connection connection;
  Statement statement;
  std::unique_ptr<Result> result;
  std::uint64_t count = 0;
  std::vector<Event> contexts;  // by number: what each of these tables says of an event
  std::vector<std::array<Symbol, 6>> actors;
  std::vector<std::array<Symbol, 6>> handshakes;

  ~Impl() {
    result.reset();
    statement.reset();
    connection.reset();
    database.reset();
    std::error_code ignored;
    if (!folder.empty()) fs::remove_all(folder, ignored);
  }

  // Visits each chunk of a result.
  template <typename Visit>
  Expected<void> each(const std::string& sql, Visit&& visit) {
    Result rows;
    if (duckdb_query(connection.value, sql.c_str(), &rows.value) != DuckDBSuccess)
      return fail(one_line(duckdb_result_error(&rows.value)));
    while (true) {
      const Chunk chunk(duckdb_fetch_chunk(rows.value));
      if (chunk.value == nullptr) return {};
      if (auto ok = visit(Rows(chunk.value)); !ok) return ok;
    }
  }
  Expected<void> load_contexts(std::vector<std::string>& names);
  Expected<void> load_names(const char* table, const char* columns, std::vector<std::array<Symbol, 6>>& to);
};

namespace {

// Room for the row of this number.
template <typename T>
Expected<T*> place(std::vector<T>& rows, std::uint32_t number) {
  if (number > kMostStoredNames)
    return fail("the database holds more names than can be read back", std::to_string(number));
  if (number >= rows.size()) rows.resize(number + std::size_t{1});
  return &rows[number];
}

}  // namespace

Expected<void> StoredEvents::Impl::load_contexts(std::vector<std::string>& names) {
  absl::flat_hash_map<std::string, std::uint32_t> inputs;
  for (std::uint32_t i = 0; i < names.size(); ++i) inputs.emplace(names[i], i);
  return each(
      "SELECT id, class::VARCHAR, activity::VARCHAR, outcome::VARCHAR, action::VARCHAR, service::VARCHAR, "
      "direction::VARCHAR, auth_method::VARCHAR, mfa::VARCHAR, logon_type, protocol, sampling, ingress_index, "
      "egress_index, dataset, code, reason, observer, observer_ip, application, ingress, egress, rule, region, file "
      "FROM contexts",
      [&](const Rows& rows) -> Expected<void> {
        for (std::size_t r = 0; r < rows.size(); ++r) {
          auto at = place(contexts, rows.number<std::uint32_t>(0, r));
          if (!at) return std::unexpected(at.error());
          Event& e = **at;
          e.event_class = member(rows.text(1, r), event::Class::kDevice);
          e.activity = member(rows.text(2, r), event::Activity::kAlert);
          e.outcome = member(rows.text(3, r), event::Outcome::kFailure);
          e.action = member(rows.text(4, r), event::Action::kDenied);
          e.service = member(rows.text(5, r), event::Service::kOther);
          e.direction = member(rows.text(6, r), event::Direction::kExternal);
          e.auth_method = member(rows.text(7, r), event::AuthMethod::kOther);
          e.mfa = member(rows.text(8, r), event::Mfa::kYes);
          e.logon_type = rows.number<std::uint8_t>(9, r);
          e.protocol = rows.number<std::uint8_t>(10, r);
          e.sampling = rows.number<std::uint32_t>(11, r);
          e.ingress_index = rows.number<std::uint32_t>(12, r);
          e.egress_index = rows.number<std::uint32_t>(13, r);
          Symbol* const symbols[] = {&e.dataset, &e.code, &e.reason, &e.observer};
          for (std::size_t i = 0; i < std::size(symbols); ++i) *symbols[i] = core::intern(rows.text(14 + i, r));
          e.observer_ip = core::Ip::parse(rows.text(18, r)).value_or(core::Ip{});
          Symbol* const more[] = {&e.application, &e.ingress, &e.egress, &e.rule, &e.region};
          for (std::size_t i = 0; i < std::size(more); ++i) *more[i] = core::intern(rows.text(19 + i, r));
          const auto [input, fresh] = inputs.emplace(rows.text(24, r), static_cast<std::uint32_t>(names.size()));
          if (fresh) names.push_back(input->first);
          e.record.source = input->second;
        }
        return {};
      });
}

Expected<void> StoredEvents::Impl::load_names(const char* table, const char* columns,
                                              std::vector<std::array<Symbol, 6>>& to) {
  return each(std::string("SELECT id, ") + columns + " FROM " + table, [&](const Rows& rows) -> Expected<void> {
    for (std::size_t r = 0; r < rows.size(); ++r) {
      auto at = place(to, rows.number<std::uint32_t>(0, r));
      if (!at) return std::unexpected(at.error());
      for (std::size_t i = 0; i < 6; ++i) (**at)[i] = core::intern(rows.text(1 + i, r));
    }
    return {};
  });
}

StoredEvents::StoredEvents(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StoredEvents::~StoredEvents() = default;

std::uint64_t StoredEvents::count() const { return impl_->count; }

Expected<std::unique_ptr<StoredEvents>> StoredEvents::open(const std::string& path, std::vector<std::string>& names,
                                                           const std::string& folder) {
  std::error_code error;
  if (!fs::exists(path, error))
    return fail("no such database", path, "write one with: orbwatch hunt LOGS --db " + path);
  if (!looks_like_duckdb(path)) return fail("not a DuckDB database", path);
  auto impl = std::make_unique<Impl>();
  auto database = open_database(path, true, {.threads = 2});
  if (!database) return std::unexpected(database.error());
  impl->database = std::move(*database);
  auto connection = connect(impl->database);
  if (!connection) return std::unexpected(connection.error());
  impl->connection = std::move(*connection);

  std::uint64_t version = 0;
  const auto read_version = impl->each("SELECT value FROM meta WHERE key = 'schema_version'", [&](const Rows& rows) {
    if (rows.size() > 0) version = std::strtoull(std::string(rows.text(0, 0)).c_str(), nullptr, 10);
    return Expected<void>{};
  });
  if (!read_version || version == 0) return fail("not a database of orbwatch", path);
  if (version > migrations::all.size())
    return fail("the database was written by a newer version of orbwatch", path, "use that version");

  // Beside the file may be no place to write.
  std::string pattern = (folder.empty() ? fs::temp_directory_path(error) : fs::path(folder)) / "orbwatch-sort-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) return fail("cannot make a folder to sort in", pattern, "set TMPDIR");
  impl->folder = pattern;
  std::string quoted;
  for (const char c : pattern) quoted += c == '\'' ? "''" : std::string(1, c);
  if (auto ok = execute(impl->connection, "SET temp_directory = '" + quoted + "'"); !ok)
    return std::unexpected(ok.error());

  if (auto ok = impl->load_contexts(names); !ok) return std::unexpected(ok.error());
  if (auto ok = impl->load_names("actors", "user_name, user_domain, user_group, client_host, client_os, user_agent",
                                 impl->actors);
      !ok)
    return std::unexpected(ok.error());
  if (auto ok = impl->load_names("handshakes",
                                 "fingerprint, server_fingerprint, certificate_issuer, certificate_subject, "
                                 "certificate_fingerprint, banner",
                                 impl->handshakes);
      !ok)
    return std::unexpected(ok.error());
  const auto counted = impl->each("SELECT count(*)::UBIGINT FROM event_rows", [&](const Rows& rows) {
    if (rows.size() > 0) impl->count = rows.number<std::uint64_t>(0, 0);
    return Expected<void>{};
  });
  if (!counted) return std::unexpected(counted.error());

  const std::string sql =
      "SELECT e.time, e.context, e.actor, e.handshake, s.ip, d.ip, t.ip, e.source_port, e.destination_port, "
      "e.tcp_flags, e.duration_ns, e.source_bytes, e.destination_bytes, e.source_packets, e.destination_packets, "
      "e.session_id, e.line, e.byte_offset FROM event_rows e "
      "JOIN contexts c ON c.id = e.context "
      "JOIN addresses s ON s.id = e.source JOIN addresses d ON d.id = e.destination "
      "JOIN addresses t ON t.id = e.assigned "
      "ORDER BY c.class IS DISTINCT FROM 'device', e.time NULLS FIRST, e.rowid";
  if (duckdb_prepare(impl->connection.value, sql.c_str(), &impl->statement.value) != DuckDBSuccess)
    return fail("cannot read the events of the database", one_line(duckdb_prepare_error(impl->statement.value)));
  return std::unique_ptr<StoredEvents>(new StoredEvents(std::move(impl)));
}

Expected<void> StoredEvents::next(event::EventBatch& batch) {
  batch.clear();
  Impl& my = *impl_;
  if (my.result == nullptr) {
    my.result = std::make_unique<Result>();
    if (duckdb_execute_prepared_streaming(my.statement.value, &my.result->value) != DuckDBSuccess)
      return fail("cannot read the events of the database", one_line(duckdb_result_error(&my.result->value)));
  }
  const Chunk chunk(duckdb_fetch_chunk(my.result->value));
  if (chunk.value == nullptr) {
    if (const char* message = duckdb_result_error(&my.result->value); message != nullptr && *message != 0)
      return fail("cannot read the events of the database", one_line(message));
    return {};
  }
  const Rows rows(chunk.value);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto context = rows.number<std::uint32_t>(1, r);
    const auto actor = rows.number<std::uint32_t>(2, r);
    const auto handshake = rows.number<std::uint32_t>(3, r);
    if (context >= my.contexts.size() || actor >= my.actors.size() || handshake >= my.handshakes.size())
      return fail("the database names rows that it does not have", "a context, an actor or a handshake");
    Event& e = batch.next();
    e = my.contexts[context];
    e.time = rows.number<std::int64_t>(0, r) * 1000;
    const auto& [user, domain, group, host, os, agent] = my.actors[actor];
    e.user = user;
    e.user_domain = domain;
    e.group = group;
    e.client_host = host;
    e.client_os = os;
    e.user_agent = agent;
    const auto& [client, server, issuer, subject, certificate, banner] = my.handshakes[handshake];
    e.fingerprint = client;
    e.server_fingerprint = server;
    e.certificate_issuer = issuer;
    e.certificate_subject = subject;
    e.certificate_fingerprint = certificate;
    e.banner = banner;
    e.source_ip = core::Ip::parse(rows.text(4, r)).value_or(core::Ip{});
    e.destination_ip = core::Ip::parse(rows.text(5, r)).value_or(core::Ip{});
    e.assigned_ip = core::Ip::parse(rows.text(6, r)).value_or(core::Ip{});
    e.source_port = rows.number<std::uint16_t>(7, r);
    e.destination_port = rows.number<std::uint16_t>(8, r);
    e.tcp_flags = rows.number<std::uint16_t>(9, r);
    e.duration = rows.number<std::int64_t>(10, r);
    e.source_bytes = rows.number<std::uint64_t>(11, r);
    e.destination_bytes = rows.number<std::uint64_t>(12, r);
    e.source_packets = rows.number<std::uint64_t>(13, r);
    e.destination_packets = rows.number<std::uint64_t>(14, r);
    e.session_id = rows.number<std::uint64_t>(15, r);
    e.record.line = rows.number<std::uint32_t>(16, r);
    e.record.offset = rows.number<std::uint64_t>(17, r);
    batch.keep();
  }
  return {};
}

}  // namespace orbwatch::store

#else  // without DuckDB

namespace orbwatch::store {

struct StoredEvents::Impl {};
StoredEvents::StoredEvents(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StoredEvents::~StoredEvents() = default;
core::Expected<std::unique_ptr<StoredEvents>> StoredEvents::open(const std::string&, std::vector<std::string>&,
                                                                 const std::string&) {
  return core::fail("this build of orbwatch has no database", "",
                    "build it with DuckDB: tools/fetch-duckdb.sh, then configure again");
}
std::uint64_t StoredEvents::count() const { return 0; }
core::Expected<void> StoredEvents::next(event::EventBatch&) { return {}; }

}  // namespace orbwatch::store

#endif

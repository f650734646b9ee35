#include "store/store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/text.h"
#include "store/migrations.h"
#include "store/sql.h"
#include "support/sample_networks.h"
#include "support/sample_report.h"

namespace orbwatch::store {
namespace {

namespace fs = std::filesystem;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "built without DuckDB";
    std::string name = (fs::temp_directory_path() / "orbwatch_store_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = (folder_ / "hunt.duckdb").string();
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  std::string ask(const std::string& statement, SqlFormat format = SqlFormat::kCsv, int width = 0) {
    std::string out;
    const auto rows = sql(path_, statement, format, width, [&](std::string_view text) {
      out += text;
      return true;
    });
    return rows ? out : "error: " + rows.error().text();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
  std::string path_;
};

#define OK(...)                                             \
  do {                                                      \
    const auto& done_ = (__VA_ARGS__);                      \
    ASSERT_TRUE(done_.has_value()) << done_.error().text(); \
  } while (false)

event::Event login() {
  event::Event e;
  e.time = 1'763'985'600 * core::kSecond + 123'456'789;
  e.duration = 1500 * core::kMillisecond;
  e.event_class = event::Class::kAuthentication;
  e.activity = event::Activity::kLogon;
  e.outcome = event::Outcome::kSuccess;
  e.service = event::Service::kVpn;
  e.source_ip = *core::Ip::parse("203.0.113.7");
  e.source_port = 50000;
  e.destination_ip = *core::Ip::parse("2001:db8::1");
  e.observer = core::intern("vpn1");
  e.user = core::intern("alice");
  e.user_agent = core::intern("broken \xff utf-8, longer than twelve bytes");
  e.dataset = core::intern("cisco_asa");
  e.source_facts = 7;
  e.source_bytes = std::uint64_t{1} << 63;
  e.record.line = 42;
  return e;
}

FactsRow facts(std::uint32_t index) {
  EXPECT_EQ(index, 7u);
  return {64496, "Example Cable", "DE", "Köln", "consumer broadband", 50.94, 6.96};
}

TEST_F(StoreTest, EventsComeBackAsAnAnalystReadsThem) {
  event::EventBatch batch;
  batch.next() = login();
  batch.keep();
  batch.next();  // knows nothing
  batch.keep();
  auto store = Store::create(path_);
  OK(store);
  OK((*store)->begin());
  OK((*store)->append_events(batch, {"vpn.log"}, facts));
  OK((*store)->commit());
  EXPECT_FALSE(fs::exists(path_)) << "not before finish()";
  OK((*store)->finish());
  EXPECT_EQ(files(), 1u) << "no partial file, no log";

  EXPECT_EQ(ask("SELECT time, duration_s, class, activity, outcome, service, user_name, observer, dataset, file, line "
                "FROM events WHERE user_name = 'alice'"),
            "time,duration_s,class,activity,outcome,service,user_name,observer,dataset,file,line\n"
            "2025-11-24 12:00:00.123456,1.5,authentication,logon,success,vpn,alice,vpn1,cisco_asa,vpn.log,42\n");
  EXPECT_EQ(
      ask("SELECT source_ip, source_port, source_asn, source_org, source_country, source_city, source_network_type, "
          "source_latitude,"
          " destination_ip, destination_asn, source_bytes FROM logins"),
      "source_ip,source_port,source_asn,source_org,source_country,source_city,source_network_type,source_latitude,"
      "destination_ip,"
      "destination_asn,source_bytes\n"
      "203.0.113.7,50000,64496,Example Cable,DE,Köln,consumer broadband,50.94,2001:db8::1,,9223372036854775808\n");
  EXPECT_EQ(ask("SELECT user_agent FROM logins"),
            "user_agent\n\"broken \xef\xbf\xbd utf-8, longer than twelve bytes\"\n");
  EXPECT_EQ(ask("SELECT time, class, source_ip, source_bytes, user_name, line, duration_s FROM events WHERE user_name "
                "IS NULL"),
            "time,class,source_ip,source_bytes,user_name,line,duration_s\n,,,,,,\n");
  EXPECT_EQ(ask("SELECT value FROM meta WHERE key = 'schema_version'"), "value\n3\n");
}

// The ENUM types must know every name that the schema can give.
TEST_F(StoreTest, EveryEnumerationMemberIsStored) {
  event::EventBatch batch;
  const auto each = [&batch](auto event::Event::* member, int last) {
    for (int i = 0; i <= last; ++i) {
      event::Event& e = batch.next();
      e.*member = static_cast<std::remove_reference_t<decltype(e.*member)>>(i);
      batch.keep();
    }
  };
  each(&event::Event::event_class, static_cast<int>(event::Class::kDevice));
  each(&event::Event::activity, static_cast<int>(event::Activity::kAlert));
  each(&event::Event::outcome, static_cast<int>(event::Outcome::kFailure));
  each(&event::Event::action, static_cast<int>(event::Action::kDenied));
  each(&event::Event::direction, static_cast<int>(event::Direction::kExternal));
  each(&event::Event::mfa, static_cast<int>(event::Mfa::kYes));
  each(&event::Event::auth_method, static_cast<int>(event::AuthMethod::kOther));
  each(&event::Event::service, static_cast<int>(event::Service::kOther));
  auto store = Store::create(path_);
  OK(store);
  OK((*store)->begin());
  OK((*store)->append_events(batch, {}));
  OK((*store)->finish());
  const std::string counts = ask(
      "SELECT count(*), count(class), count(activity), count(outcome), count(action), count(direction), count(mfa), "
      "count(auth_method), count(service) FROM events");
  EXPECT_TRUE(counts.ends_with("\n" + std::to_string(batch.size()) + ",6,9,2,2,4,2,9,8\n")) << counts;
  EXPECT_EQ(ask("SELECT string_agg(DISTINCT service::VARCHAR, ' ' ORDER BY service::VARCHAR) AS s FROM events"),
            "s\nkerberos management other rdp ssh vpn web windows\n");
}

TEST_F(StoreTest, ManyBatchesOfOddSizesKeepEveryRow) {
  auto store = Store::create(path_);
  OK(store);
  OK((*store)->begin());
  std::uint64_t rows = 0, bytes = 0;
  for (std::size_t size = 1; size < 3000; size = size * 3 + 1) {
    for (int repeat = 0; repeat < 3; ++repeat) {
      event::EventBatch batch;
      for (std::size_t i = 0; i < size; ++i) {
        event::Event& e = batch.next();
        e.source_ip = core::Ip::v4(static_cast<std::uint32_t>(0x01000000 + rows));
        e.time = rows % 2 == 0 ? 0 : static_cast<core::Nanoseconds>(rows) * core::kSecond;
        e.source_bytes = ++rows;
        bytes += rows;
        batch.keep();
      }
      OK((*store)->append_events(batch, {}));
    }
  }
  OK((*store)->finish());
  EXPECT_EQ(
      ask("SELECT count(*) AS n, sum(source_bytes) AS b, count(DISTINCT source_ip) AS i, count(time) AS t FROM events"),
      "n,b,i,t\n" + std::to_string(rows) + "," + std::to_string(bytes) + "," + std::to_string(rows) + "," +
          std::to_string(rows / 2) + "\n");
}

TEST_F(StoreTest, FindingsInputsHypothesesAndProfiles) {
  const auto report = testing::sample_report(40);
  auto store = Store::create(path_);
  OK(store);
  OK((*store)->begin());
  OK((*store)->append_findings(report.findings));
  OK((*store)->append_inputs(report.inputs));
  OK((*store)->append_hypotheses(report.hypotheses));
  const std::vector<ProfileRow> profiles{{"user", "alice", R"({"logins":3})"}};
  OK((*store)->append_profiles(profiles));
  OK((*store)->finish());
  EXPECT_EQ(ask("SELECT count(*) AS n, sum(alert::INT) AS a, count(DISTINCT id) AS i FROM findings"),
            "n,a,i\n40,6,40\n");
  EXPECT_EQ(ask("SELECT attack FROM findings LIMIT 1"), "attack\n\"[T1090.003, T1584.008, T1078]\"\n");
  EXPECT_EQ(ask("SELECT count(*) AS n FROM evidence e JOIN findings f ON f.id = e.finding_id"), "n\n160\n");
  EXPECT_EQ(ask("SELECT json FROM findings ORDER BY score DESC LIMIT 1", SqlFormat::kCsv).substr(0, 12),
            "json\n\"{\"\"id\"");
  EXPECT_EQ(ask("SELECT sum(records) - sum(events) - sum(ignored) - sum(rejected) AS lost FROM inputs"), "lost\n0\n");
  EXPECT_EQ(ask("SELECT fate, reason, records FROM input_reasons WHERE path = 'logs/flows.pcap' ORDER BY ALL"),
            "fate,reason,records\nevent,netflow_v9,51203\nignored,message 305011,12\n");
  EXPECT_EQ(ask("SELECT detector FROM hypotheses WHERE NOT tested ORDER BY 1"),
            "detector\nmanagement-exposure\nsoho-source\n");
  EXPECT_EQ(ask("SELECT kind, key, json FROM profiles"), "kind,key,json\nuser,alice,\"{\"\"logins\"\":3}\"\n");
}

TEST_F(StoreTest, HostileTextIsOnlyText) {
  const auto report = testing::sample_report(20, true);
  auto store = Store::create(path_);
  OK(store);
  OK((*store)->append_findings(report.findings));
  OK((*store)->finish());
  EXPECT_EQ(ask("SELECT count(*) AS n FROM findings WHERE user_name = '<img src=x onerror=\"window.pwned=1\">'"),
            "n\n2\n");
  const std::string table = ask("SELECT user_name, gateway FROM findings", SqlFormat::kTable, 60);
  for (const char c : table) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
}

TEST_F(StoreTest, FormatsOfResults) {
  auto store = Store::create(path_);
  OK(store);
  OK((*store)->finish());
  const std::string values = "SELECT * FROM (VALUES (1, 'a,\"b\"', true, NULL), (-20, '', false, 2.5)) t(n, s, b, x)";
  EXPECT_EQ(ask(values), "n,s,b,x\n1,\"a,\"\"b\"\"\",true,\n-20,\"\",false,2.5\n");
  EXPECT_EQ(ask(values, SqlFormat::kJson),
            "{\"n\":1,\"s\":\"a,\\\"b\\\"\",\"b\":true,\"x\":null}\n{\"n\":-20,\"s\":\"\",\"b\":false,\"x\":2.5}\n");
  EXPECT_EQ(ask(values, SqlFormat::kTable, 80),
            "  n  s      b        x\n───  ─────  ─────  ───\n  1  a,\"b\"  true     -\n-20         false  2.5\n");
  EXPECT_EQ(ask("SELECT repeat('x', 100) AS long, 1 AS n", SqlFormat::kTable, 20),
            "long               n\n─────────────────  ─\nxxxxxxxxxxxxxxxx…  1\n");
  EXPECT_EQ(ask("SELECT 'inf'::DOUBLE AS d, sum(i) AS s FROM range(3) t(i)", SqlFormat::kJson),
            "{\"d\":\"inf\",\"s\":3}\n");
  EXPECT_EQ(ask("SELECT [1, 2] AS l, {'a': 1} AS s, DATE '2025-11-24' AS d, INTERVAL 1 DAY AS i;  "),
            "l,s,d,i\n\"[1, 2]\",{'a': 1},2025-11-24,1 day\n");
  EXPECT_EQ(ask("SELECT TIMESTAMP '1969-12-31 23:59:59.5' AS t"), "t\n1969-12-31 23:59:59.5\n");
}

TEST_F(StoreTest, QueriesCannotWriteAndErrorsAreClear) {
  auto store = Store::create(path_);
  OK(store);
  OK((*store)->finish());
  EXPECT_NE(ask("DELETE FROM events").find("error: "), std::string::npos);
  EXPECT_NE(ask("CREATE TABLE x (i INT)").find("read-only"), std::string::npos);
  EXPECT_NE(ask("SET autoload_known_extensions = true").find("error: "), std::string::npos);
  EXPECT_NE(ask("SELECT nothing FROM events").find("nothing"), std::string::npos);
  EXPECT_NE(ask("SELECT 1; SELECT 2").find("error: "), std::string::npos);
  EXPECT_NE(ask("").find("error: "), std::string::npos);
  std::ofstream(folder_ / "text.duckdb") << "not a database at all";
  path_ = (folder_ / "text.duckdb").string();
  EXPECT_EQ(ask("SELECT 1"), "error: not a DuckDB database: " + path_);
  path_ = (folder_ / "absent.duckdb").string();
  EXPECT_TRUE(ask("SELECT 1").starts_with("error: no such database"));
}

TEST_F(StoreTest, AnEarlyEndOfTheReaderIsNoError) {
  auto store = Store::create(path_);
  OK(store);
  OK((*store)->finish());
  int lines = 0;
  const auto rows =
      sql(path_, "SELECT * FROM range(100000)", SqlFormat::kJson, 0, [&](std::string_view) { return ++lines < 3; });
  OK(rows);
  EXPECT_EQ(lines, 3);
}

TEST_F(StoreTest, OtherFilesAreNotOverwritten) {
  std::ofstream(path_) << "precious notes of somebody";
  auto store = Store::create(path_);
  ASSERT_FALSE(store.has_value());
  EXPECT_NE(store.error().text().find("not a database"), std::string::npos) << store.error().text();
  EXPECT_EQ(fs::file_size(path_), 26u);
  EXPECT_EQ(files(), 1u);
  EXPECT_FALSE(Store::create((folder_ / "absent" / "x.duckdb").string()).has_value());
  EXPECT_FALSE(Store::create(folder_.string()).has_value());
  EXPECT_FALSE(Store::create("").has_value());
}

TEST_F(StoreTest, AnOldDatabaseIsReplacedOnlyBySuccess) {
  const auto write = [&](std::uint64_t findings, bool finish) {
    auto store = Store::create(path_);
    ASSERT_TRUE(store.has_value()) << store.error().text();
    ASSERT_TRUE((*store)->append_findings(testing::sample_report(findings).findings).has_value());
    if (finish) {
      ASSERT_TRUE((*store)->finish().has_value());
      EXPECT_FALSE((*store)->begin().has_value()) << "it takes nothing more";
    }
  };
  write(3, true);
  write(5, false);
  EXPECT_EQ(files(), 1u) << "the partial file is gone with its Store";
  EXPECT_EQ(ask("SELECT count(*) AS n FROM findings"), "n\n3\n");
  write(5, true);
  EXPECT_EQ(ask("SELECT count(*) AS n FROM findings"), "n\n5\n");
}

TEST_F(StoreTest, EventsNeedATransaction) {
  auto store = Store::create(path_);
  OK(store);
  event::EventBatch batch;
  batch.next();
  batch.keep();
  EXPECT_FALSE((*store)->append_events(batch, {}).has_value());
  EXPECT_FALSE((*store)->commit().has_value());
  OK((*store)->begin());
  EXPECT_FALSE((*store)->begin().has_value());
}

// docs/output.md: every statement runs, and the list of columns is the view's.
TEST_F(StoreTest, TheDocumentedQueriesWork) {
  auto store = Store::create(path_);
  OK(store);
  OK((*store)->append_findings(testing::sample_report(3).findings));
  OK((*store)->finish());
  std::ofstream(folder_ / "watch.csv") << "ip,note\n203.0.113.7,seen before\n";
  std::ifstream file(std::string(ORBWATCH_ROOT) + "/docs/output.md");
  std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto name = page.find("'watch.csv'");
  ASSERT_NE(name, page.npos);
  page.replace(name, 11, "'" + (folder_ / "watch.csv").string() + "'");
  int statements = 0;
  for (auto at = page.find("```sql\n"); at != page.npos; at = page.find("```sql\n", at + 1)) {
    std::string_view block(page);
    block = block.substr(at + 7, page.find("```", at + 7) - at - 7);
    while (!core::trim(block).empty()) {
      const std::string statement(core::take_until(block, ';'));
      const std::string answer = ask(statement);
      EXPECT_FALSE(answer.starts_with("error: ")) << statement << "\n" << answer;
      ++statements;
    }
  }
  EXPECT_GE(statements, 7);

  std::string columns;
  const auto from = page.find("`time`, `duration_s`");
  for (const char c : page.substr(from, page.find('.', page.find("`byte_offset`")) - from)) {
    if ((c >= 'a' && c <= 'z') || c == '_' || c == ',') columns += c;
  }
  std::string expected = ask("SELECT * FROM events LIMIT 0");
  expected.pop_back();
  for (const char* remark : {"theformat", "thevendorsmessagenumber"}) {
    const auto at = columns.find(remark);
    ASSERT_NE(at, columns.npos) << columns;
    columns.erase(at, std::string_view(remark).size());
  }
  EXPECT_EQ(columns, expected);
}

// Writes without end until it is killed.
[[noreturn]] void write_for_ever(const std::string& path, int ready) {
  auto store = Store::create(path);
  if (!store || !(*store)->begin()) ::_exit(1);
  event::EventBatch batch;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    event::Event& e = batch.next();
    e.source_ip = core::Ip::v4(i * 2654435761u);
    e.session_id = i * 0x9E3779B97F4A7C15u;
    batch.keep();
  }
  const char go = 'g';
  if (::write(ready, &go, 1) != 1) ::_exit(1);
  for (int i = 0;; ++i) {
    if (!(*store)->append_events(batch, {"x.log"})) ::_exit(2);
    // Transactions end here and there, so that the kill may fall into a commit or between two of them.
    if (i % 37 == 36 && (!(*store)->commit() || !(*store)->begin())) ::_exit(3);
  }
}

TEST_F(StoreTest, AKillAtAnyMomentLeavesTheOldFile) {
  {
    auto store = Store::create(path_);
    OK(store);
    OK((*store)->append_findings(testing::sample_report(3).findings));
    OK((*store)->finish());
  }
  for (const int milliseconds : {0, 5, 40, 150, 400, 900}) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_for_ever(path_, ready[1]);
    ::close(ready[1]);
    char go = 0;
    ASSERT_EQ(::read(ready[0], &go, 1), 1) << "the writer did not start";
    ::close(ready[0]);
    if (milliseconds == 40) {
      const auto second = Store::create(path_);
      ASSERT_FALSE(second.has_value()) << "two writers of one file";
      EXPECT_NE(second.error().text().find("another process is writing"), std::string::npos) << second.error().text();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself, status " << WEXITSTATUS(status);
    EXPECT_TRUE(fs::exists(path_ + ".partial"));
    EXPECT_EQ(ask("SELECT count(*) AS n FROM findings"), "n\n3\n") << "after " << milliseconds << " ms";
  }
  // The next run says what it found, cleans up, and works.
  auto store = Store::create(path_);
  OK(store);
  EXPECT_EQ((*store)->notice(), "removed " + path_ + ".partial, left by an interrupted run");
  OK((*store)->append_findings(testing::sample_report(4).findings));
  OK((*store)->finish());
  EXPECT_EQ(ask("SELECT count(*) AS n FROM findings"), "n\n4\n");
  EXPECT_EQ(files(), 1u);
}

// A full disk, as a limit on the size of files.
TEST_F(StoreTest, AFullDiskIsOneClearLineAndTheOldFileStays) {
  {
    auto store = Store::create(path_);
    OK(store);
    OK((*store)->finish());
  }
  const auto before = fs::file_size(path_);
  int result[2];
  ASSERT_EQ(::pipe(result), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{8 << 20, 8 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::string text = "no error";
    {
      auto store = Store::create(path_);
      event::EventBatch batch;
      std::uint64_t x = 1;
      for (std::uint32_t i = 0; i < 20000; ++i) {
        event::Event& e = batch.next();
        e.session_id = x = x * 6364136223846793005u + 1442695040888963407u;
        e.source_bytes = x >> 3;
        batch.keep();
      }
      core::Expected<void> done = (*store)->begin();
      for (int i = 0; done && i < 100; ++i) done = (*store)->append_events(batch, {});
      if (done) done = (*store)->finish();
      if (!done) text = done.error().text();
    }
    if (::write(result[1], text.data(), text.size()) < 0) ::_exit(1);
    ::_exit(0);
  }
  ::close(result[1]);
  std::string text(2000, '\0');
  const auto n = ::read(result[0], text.data(), text.size());
  ::close(result[0]);
  text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(text.starts_with("no space left to write the database: ")) << text;
  EXPECT_EQ(text.find('\n'), text.npos) << text;
  EXPECT_EQ(fs::file_size(path_), before);
}

TEST_F(StoreTest, LiveFileGrowsFromRunToRun) {
  event::EventBatch batch;
  for (int i = 0; i < 3; ++i) {
    batch.next() = login();
    batch.keep();
  }
  {
    auto store = Store::open_live(path_);
    OK(store);
    EXPECT_EQ((*store)->position(), 0U);
    OK((*store)->append_events(batch, {"udp"}, facts));
    OK((*store)->checkpoint(100));
    OK((*store)->append_events(batch, {"udp"}, facts));  // never made durable
  }
  EXPECT_EQ(ask("SELECT count(*) FROM events"), "count_star()\n3\n");
  {
    auto store = Store::open_live(path_);
    OK(store);
    EXPECT_EQ((*store)->position(), 100U);
    batch[0].user = core::intern("bob");
    OK((*store)->append_events(batch, {"udp"}, facts));
    OK((*store)->checkpoint(250));
    EXPECT_EQ((*store)->position(), 250U);
  }
  EXPECT_EQ(ask("SELECT user_name, count(*) FROM events GROUP BY ALL ORDER BY ALL"),
            "user_name,count_star()\nalice,5\nbob,1\n");
  EXPECT_EQ(ask("SELECT count(*) FROM events WHERE source_asn IS NULL"), "count_star()\n0\n");
}

TEST_F(StoreTest, AnOlderLiveFileIsBroughtUpToDateWholeOrNotAtAll) {
  using Step = std::pair<std::string_view, std::string_view>;
  event::EventBatch batch;
  batch.next() = login();
  batch.keep();
  {
    auto store = Store::open_live(path_);
    OK(store);
    OK((*store)->append_events(batch, {"udp"}, facts));
    OK((*store)->checkpoint(100));
  }
  std::vector<Step> steps(migrations::all.begin(), migrations::all.end());
  const auto first = std::to_string(steps.size());
  const auto version = [this] { return ask("SELECT value FROM meta WHERE key = 'schema_version'"); };
  steps.emplace_back("0002_note.sql", "ALTER TABLE findings ADD COLUMN note VARCHAR; CREATE TABLE later (x INTEGER)");
  steps.emplace_back("0003_wrong.sql", "CREATE TABLE later (x INTEGER)");
  StoreOptions newer;
  newer.steps = steps;
  const auto failed = Store::open_live(path_, newer);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text().find("0003_wrong.sql"), std::string::npos) << failed.error().text();
  EXPECT_EQ(version(), "value\n" + first + "\n");
  EXPECT_EQ(ask("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'later'"), "count_star()\n0\n");
  steps.pop_back();
  newer.steps = steps;
  {
    auto store = Store::open_live(path_, newer);
    OK(store);
    EXPECT_EQ((*store)->position(), 100U);
    EXPECT_NE((*store)->notice().find("from schema " + first), std::string::npos);
    OK((*store)->append_events(batch, {"udp"}, facts));
    OK((*store)->checkpoint(200));
  }
  EXPECT_EQ(version(), "value\n" + std::to_string(steps.size()) + "\n");
  EXPECT_EQ(ask("SELECT (SELECT count(*) FROM events) AS n, (SELECT count(*) FROM later) AS m"), "n,m\n2,0\n");
  // And not back.
  const auto back = Store::open_live(path_);
  ASSERT_FALSE(back);
  EXPECT_NE(back.error().text().find("newer version"), std::string::npos) << back.error().text();
  OK(Store::open_live(path_, newer));
}

TEST_F(StoreTest, LiveFindingsAreReplaced) {
  score::HuntResult report = testing::sample_report();
  ASSERT_GT(report.findings.size(), 1U);
  auto store = Store::open_live(path_);
  OK(store);
  OK((*store)->replace_findings(report.findings));
  OK((*store)->checkpoint(1));
  report.findings[0].score = 0.125;
  OK((*store)->replace_findings({report.findings.data(), 1}));
  OK((*store)->checkpoint(2));
  store->reset();
  EXPECT_EQ(ask("SELECT count(*), count(DISTINCT id) FROM findings"),
            "count_star(),count(DISTINCT id)\n" + std::to_string(report.findings.size()) + "," +
                std::to_string(report.findings.size()) + "\n");
  EXPECT_EQ(ask("SELECT score FROM findings WHERE id = '" + report.findings[0].id + "'"), "score\n0.125\n");
  EXPECT_EQ(ask("SELECT count(*) FROM evidence WHERE finding_id = '" + report.findings[0].id + "'"),
            "count_star()\n" + std::to_string(report.findings[0].evidence.size()) + "\n");
}

// A reader sees the networks of one moment, whole, whatever was being written when the service ended.
TEST_F(StoreTest, LiveNetworksAreReplacedWithACheckpoint) {
  const std::vector<score::Network> first = {testing::sample_network("aa", 12), testing::sample_network("bb", 8)};
  const std::vector<score::Network> second = {testing::sample_network("bb", 9), testing::sample_network("cc", 5)};
  const std::string ids =
      "SELECT n.id, n.active_nodes, count(*) AS rows FROM covert_networks n JOIN covert_network_nodes k ON "
      "k.network_id "
      "= n.id GROUP BY ALL ORDER BY 1";
  {
    auto store = Store::open_live(path_);
    OK(store);
    OK((*store)->replace_networks(first));
    OK((*store)->checkpoint(1));
    OK((*store)->replace_networks(second));
  }
  EXPECT_EQ(ask(ids), "id,active_nodes,rows\naa,6,12\nbb,4,8\n") << "no checkpoint, as in a kill";
  {
    auto store = Store::open_live(path_);
    OK(store);
    OK((*store)->replace_networks(second));
    OK((*store)->checkpoint(2));
  }
  EXPECT_EQ(ask(ids), "id,active_nodes,rows\nbb,4,9\ncc,2,5\n");
  EXPECT_EQ(
      ask("SELECT json FROM covert_networks WHERE id = 'bb'", SqlFormat::kJson).find("node_count") != std::string::npos,
      true);
  {
    auto store = Store::open_live(path_);
    OK(store);
    OK((*store)->replace_networks({}));
    OK((*store)->checkpoint(3));
  }
  EXPECT_EQ(ask("SELECT count(*) FROM covert_network_nodes"), "count_star()\n0\n");
}

TEST_F(StoreTest, AKillOfALiveFileLosesOnlyWhatWasNotCheckpointed) {
  for (int round = 0; round < 5; ++round) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = Store::open_live(path_);
      event::EventBatch batch;
      batch.next() = login();
      batch.keep();
      for (std::uint64_t i = 1; store; ++i) {
        if (!(*store)->append_events(batch, {"udp"}, {}) || !(*store)->checkpoint(i)) break;
        if (::write(pipe[1], &i, sizeof(i)) != sizeof(i)) break;
      }
      ::_exit(1);
    }
    ::close(pipe[1]);
    std::uint64_t last = 0;
    for (int n = 0; n < 20 + 7 * round; ++n) ASSERT_EQ(::read(pipe[0], &last, sizeof(last)), ssize_t{sizeof(last)});
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (::read(pipe[0], &last, sizeof(last)) == ssize_t{sizeof(last)}) {
    }
    ::close(pipe[0]);
    std::uint64_t position = 0;
    {
      auto store = Store::open_live(path_);
      OK(store);
      position = (*store)->position();
    }
    EXPECT_GE(position, last);
    EXPECT_LE(position, last + 1);
    EXPECT_EQ(ask("SELECT count(*) FROM event_rows"), "count_star()\n" + std::to_string(position) + "\n");
  }
}

}  // namespace
}  // namespace orbwatch::store

// Parquet as data lakes hold it, beside other files.
#include "core/duckdb.h"

#include <gtest/gtest.h>

#include "e2e/hunt.h"

namespace orbwatch::test {
namespace {

#ifdef ORBWATCH_DUCKDB

void write(const std::string& path, const std::string& sql) {
  namespace duck = core::duckdb;
  duck::Database database;
  duck::Connection connection;
  duck::Result result;
  ASSERT_EQ(duckdb_open(nullptr, &database.value), DuckDBSuccess);
  ASSERT_EQ(duckdb_connect(database.value, &connection.value), DuckDBSuccess);
  ASSERT_EQ(
      duckdb_query(connection.value, ("COPY (" + sql + ") TO '" + path + "' (FORMAT parquet)").c_str(), &result.value),
      DuckDBSuccess)
      << duckdb_result_error(&result.value);
}

TEST(Parquet, IsReadAsTheFormatOfItsRows) {
  const TempDir dir;
  const std::string vpc = (dir / "flows.parquet").string(), lake = (dir / "lake.gz.parquet").string();
  write(
      vpc,
      "SELECT 2 AS version, '123456789010' AS account_id, 'eni-1' AS interface_id, '203.0.113.' || (i % 250 + 1) AS "
      "srcaddr, '10.0.0.5' AS dstaddr, 40000 + i AS srcport, 443 AS dstport, 6::BIGINT AS protocol, 3::BIGINT AS "
      "packets, 400::BIGINT AS bytes, 1795336500 + i AS start, 1795336560 + i AS \"end\", 'ACCEPT' AS action, 'OK' AS "
      "log_status FROM range(3000) t(i)");
  write(
      lake,
      "SELECT 3002 AS class_uid, 1 AS activity_id, 300201 AS type_uid, 1 AS status_id, 1795336801000 AS time, "
      "{'name': 'alice'} AS \"user\", {'ip': '203.0.113.7'} AS src_endpoint, {'version': '1.1.0', 'product': {'name': "
      "'x'}} AS metadata");
  const HuntRun h = hunt({dir.path().string()});
  ASSERT_TRUE(h.summarised) << h.run.err;
  EXPECT_EQ(h.summary.of(vpc).format, "aws_vpc_flow");
  EXPECT_EQ(h.summary.of(vpc).counts.events, 3000U);
  EXPECT_EQ(h.summary.of(lake).format, "ocsf");
  EXPECT_EQ(h.summary.of(lake).counts.events, 1U);
  EXPECT_TRUE(h.summary.total.balanced());
}

TEST(Parquet, DamageIsReportedAndTheOthersAreRead) {
  const TempDir dir;
  const std::string good = (dir / "a.parquet").string(), bad = (dir / "b.parquet").string();
  write(good, "SELECT 1 AS n");
  const std::string bytes = read_file(good);
  dir.write("b.parquet", bytes.substr(0, bytes.size() / 2));
  const std::string log = dir.write("vpn.log", asa_login("alice", "203.0.113.7")).string();
  const HuntRun h = hunt({dir.path().string()});
  EXPECT_EQ(h.run.exit_code, 3);
  EXPECT_NE(h.summary.of(bad).error.find("cannot be read as Parquet"), std::string::npos) << h.summary.of(bad).error;
  EXPECT_EQ(h.summary.of(log).counts.events, 1U);
}

#endif

}  // namespace
}  // namespace orbwatch::test

#include "source/parquet.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "core/duckdb.h"
#include "source/source_test_util.h"

namespace orbwatch::source {
namespace {

TEST(Parquet, IsToldFromText) {
  EXPECT_TRUE(is_parquet("PAR1\x15\x04"));
  EXPECT_FALSE(is_parquet("PAR1"));
  EXPECT_FALSE(is_parquet("PAR1\n"));
  EXPECT_FALSE(is_parquet("PAR1: a switch\n"));
}

#ifdef ORBWATCH_DUCKDB

class ParquetTest : public ::testing::Test {
 protected:
  // Writes what `sql` selects.
  std::string write(const std::string& name, const std::string& sql) {
    namespace duck = core::duckdb;
    const std::string path = dir_.path(name);
    duck::Database database;
    duck::Connection connection;
    duck::Result result;
    EXPECT_EQ(duckdb_open(nullptr, &database.value), DuckDBSuccess);
    EXPECT_EQ(duckdb_connect(database.value, &connection.value), DuckDBSuccess);
    const std::string copy = "COPY (" + sql + ") TO '" + path + "' (FORMAT parquet, ROW_GROUP_SIZE 2048)";
    EXPECT_EQ(duckdb_query(connection.value, copy.c_str(), &result.value), DuckDBSuccess)
        << duckdb_result_error(&result.value);
    return path;
  }
  struct Content {
    std::string bytes;
    std::string error;
  };
  static Content content(const std::string& path, std::size_t block = 4096, Progress* progress = nullptr) {
    Input input;
    input.path = path;
    Content out;
    auto reader = open(input, progress);
    if (!reader) return {{}, reader.error().text()};
    std::string buffer(block, 0);
    while (true) {
      const auto n = (*reader)->read(buffer.data(), buffer.size());
      if (!n) {
        out.error = n.error().text();
        EXPECT_FALSE((*reader)->read(buffer.data(), buffer.size())) << "an error stays";
        break;
      }
      if (*n == 0) {
        EXPECT_EQ((*reader)->compression(), "parquet");
        EXPECT_EQ((*reader)->read(buffer.data(), buffer.size()).value_or(1), 0U);
        break;
      }
      out.bytes.append(buffer, 0, *n);
    }
    return out;
  }
  test::TempDir dir_;
};

TEST_F(ParquetTest, GivesALineOfJsonARow) {
  const std::string path =
      write("rows.parquet",
            "SELECT 2 AS version, '203.0.113.7' AS srcaddr, 12345678901234::BIGINT AS bytes, NULL::INTEGER AS none, "
            "{'ip': '192.0.2.1', 'ports': [22, 443]} AS src_endpoint, TIMESTAMP '2026-11-22 08:00:00.25' AS time_dt, "
            "'a \"quoted\"' || chr(10) || 'line' AS message");
  const Content c = content(path);
  EXPECT_EQ(c.error, "");
  EXPECT_EQ(
      c.bytes,
      "{\"version\":2,\"srcaddr\":\"203.0.113.7\",\"bytes\":12345678901234,\"none\":null,\"src_endpoint\":{\"ip\":"
      "\"192.0.2.1\",\"ports\":[22,443]},\"time_dt\":\"2026-11-22 08:00:00.25\",\"message\":\"a "
      "\\\"quoted\\\"\\nline\"}\n");
  EXPECT_EQ(content(path, 1).bytes, c.bytes);
}

TEST_F(ParquetTest, ReadsManyRowGroupsInOrderAndCountsProgress) {
  const std::string path = write("many[1]*.parquet", "SELECT i AS n FROM range(50000) t(i)");
  Progress progress;
  const Content c = content(path, 65536, &progress);
  EXPECT_EQ(c.error, "");
  std::string expected;
  for (int i = 0; i < 50000; ++i) expected += "{\"n\":" + std::to_string(i) + "}\n";
  EXPECT_TRUE(c.bytes == expected) << "the file's name is no pattern";
  EXPECT_EQ(progress.bytes_read, std::filesystem::file_size(path));
}

TEST_F(ParquetTest, AnEmptyTableIsEmpty) {
  const Content c = content(write("empty.parquet", "SELECT 1 AS n WHERE false"));
  EXPECT_EQ(c.error, "");
  EXPECT_EQ(c.bytes, "");
}

TEST_F(ParquetTest, BinaryColumnsStayText) {
  const Content c = content(write("blob.parquet", "SELECT '\\xAA\\x00B'::BLOB AS raw, 1 AS n"));
  EXPECT_EQ(c.error, "");
  EXPECT_EQ(c.bytes, "{\"raw\":\"\\\\xAA\\\\x00B\",\"n\":1}\n");
}

TEST_F(ParquetTest, DamageIsOneLine) {
  const std::string path = write("good.parquet", "SELECT i AS n, 'user' || i AS name FROM range(5000) t(i)");
  std::ifstream in(path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), {});
  const auto damaged = [&](const std::string& bytes) { return content(dir_.write("bad.parquet", bytes)); };
  const Content cut = damaged(good.substr(0, good.size() / 2));
  EXPECT_NE(cut.error.find("cannot be read as Parquet"), std::string::npos) << cut.error;
  EXPECT_EQ(cut.error.find('\n'), std::string::npos);
  EXPECT_EQ(cut.error.find("/proc/"), std::string::npos);
  // Whatever is damaged: rows, an error, or both; nothing else.
  std::mt19937 random(7);
  for (int i = 0; i < 50; ++i) {
    std::string bytes = good;
    for (int k = 0; k < 1 + i % 5; ++k) bytes[5 + random() % (bytes.size() - 5)] = static_cast<char>(random());
    const Content c = damaged(bytes);
    EXPECT_EQ(c.error.find('\n'), std::string::npos);
  }
}

TEST_F(ParquetTest, AsksForTheFileItself) {
  const std::string path = write("pipe.parquet", "SELECT 1 AS n");
  std::ifstream in(path, std::ios::binary);
  auto reader = read_memory(std::string((std::istreambuf_iterator<char>(in)), {}), "standard input");
  char buffer[64];
  const auto n = reader->read(buffer, sizeof buffer);
  ASSERT_FALSE(n);
  EXPECT_EQ(n.error().text().find("is Parquet within a pipe or a compressed file"), 0U) << n.error().text();
}

#endif

}  // namespace
}  // namespace orbwatch::source

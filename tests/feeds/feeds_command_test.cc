// `orbwatch feeds update` with servers on the loopback: the real binary, a web server and a TAXII 2.1 server that
// answer as they should, or lie.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "support/peer.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

const std::string kTaxii = "application/taxii+json;version=2.1";
const std::string kCollection = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";

std::string answer(const std::string& body, const std::string& type = "text/plain", const std::string& more = {}) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}", type,
                     body.size(), more, body);
}

std::string indicator(int i) {
  return fmt::format(
      R"({{"type":"indicator","spec_version":"2.1","id":"indicator--5a8e{:04x}-0000-4000-8000-000000000000",)"
      R"("created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z",)"
      R"("valid_from":"2026-01-01T00:00:00Z","pattern":"[ipv4-addr:value = '5.44.100.{}']","pattern_type":"stix"}})",
      i, i);
}

// Answers each request by its first line and headers.
class Server {
 public:
  using Answer = std::function<std::string(const std::string& path, const std::string& headers)>;
  explicit Server(Answer reply)
      : reply_(std::move(reply)), peer_([this](Client& client) {
          const std::string first = client.line();
          std::string headers;
          for (std::string line = client.line(); line.size() > 2; line = client.line()) headers += line;
          const auto begin = first.find(' ') + 1;
          client.write(reply_(first.substr(begin, first.find(' ', begin) - begin), headers));
        }) {}
  std::string url(const std::string& path) const { return fmt::format("http://127.0.0.1:{}{}", peer_.port(), path); }

 private:
  Answer reply_;
  Peer peer_;
};

class FeedsCommand : public ::testing::Test {
 protected:
  std::string config(const std::string& feeds) {
    return dir_.write("orbwatch.yaml", fmt::format("feeds_folder: {}\nfeeds:\n{}", (dir_ / "kept").string(), feeds))
        .string();
  }
  static RunResult feeds(std::vector<std::string> words) {
    std::vector<std::string> argv = {orbwatch_binary(), "feeds"};
    argv.insert(argv.end(), words.begin(), words.end());
    return run(argv);
  }
  std::string looked_up(const std::string& file, const std::string& value) {
    return feeds({"lookup", "--networks", "none", "--config", file, value}).out;
  }
  TempDir dir_;
};

TEST_F(FeedsCommand, FilesAndATaxiiServer) {
  std::atomic<int> pages = 0;
  Server* here = nullptr;
  Server server([&](const std::string& path, const std::string& headers) {
    EXPECT_NE(headers.find("Authorization: Basic"), headers.npos) << path;
    if (path.starts_with("/taxii2"))
      return answer(fmt::format(R"({{"title":"t","api_roots":["{0}"],"default":"{0}"}})", here->url("/group/")),
                    kTaxii);
    if (path == "/group/")
      return answer(R"({"title":"g","versions":["application/taxii+json;version=2.1"],"max_content_length":9999999})",
                    kTaxii);
    if (path == "/group/collections/")
      return answer(fmt::format(R"({{"collections":[{{"id":"{}","title":"nodes","can_read":true,"can_write":false,)"
                                R"("media_types":["application/stix+json;version=2.1"]}}]}})",
                                kCollection),
                    kTaxii);
    ++pages;
    const bool second = path.find("next=") != path.npos;
    return answer(fmt::format(R"({{"more":{}{},"objects":[{}]}})", second ? "false" : "true",
                              second ? "" : R"(,"next":"2")", second ? indicator(2) : indicator(1)),
                  kTaxii,
                  fmt::format("X-TAXII-Date-Added-First: 2026-01-0{0}T00:00:00Z\r\n"
                              "X-TAXII-Date-Added-Last: 2026-01-0{0}T00:00:00Z\r\n",
                              second ? 2 : 1));
  });
  here = &server;
  const std::string secret = dir_.write("secret", "word\n").string();
  ASSERT_EQ(::chmod(secret.c_str(), 0600), 0);
  const std::string list = dir_.write("list.txt", "5.45.113.7\n").string();
  const std::string file = config(
      fmt::format("  - {{name: list, from: {}}}\n  - {{name: group, from: '{}', protocol: taxii, collection: nodes, "
                  "authentication: basic, user: me, secret_file: {}}}\n",
                  list, server.url("/taxii2/"), secret));
  const RunResult r = feeds({"update", "--config", file});
  EXPECT_EQ(r.exit_code, 0) << r.err << r.out;
  EXPECT_EQ(pages, 2);
  EXPECT_NE(r.out.find("group: 2 indicators (2 new, 0 gone), read as stix"), r.out.npos) << r.out;
  for (const char* value : {"5.44.100.1", "5.44.100.2", "5.45.113.7"})
    EXPECT_EQ(looked_up(file, value).find("in no feed"), std::string::npos) << value;
}

TEST_F(FeedsCommand, WhatHasNotChangedIsNotReadAgain) {
  std::atomic<int> whole = 0, unchanged = 0;
  const Server server([&](const std::string&, const std::string& headers) {
    if (headers.find("If-None-Match: \"v1\"") != headers.npos) {
      ++unchanged;
      return std::string("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
    }
    ++whole;
    return answer("ip,malware\n5.44.100.1,Quad7\n", "text/csv", "ETag: \"v1\"\r\n");
  });
  std::string file = config(fmt::format("  - {{name: a, from: '{}'}}\n", server.url("/list.csv")));
  EXPECT_EQ(feeds({"update", "--config", file}).exit_code, 0);
  const RunResult again = feeds({"update", "--config", file});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.out.find("a: nothing new"), again.out.npos) << again.out;
  EXPECT_NE(looked_up(file, "5.44.100.1").find("Quad7"), std::string::npos);
  EXPECT_EQ(whole, 1);
  EXPECT_EQ(unchanged, 1);
  // Read in another way it is another document.
  file =
      config(fmt::format("  - {{name: a, from: '{}', label: L, mapping: {{value: ip}}}}\n", server.url("/list.csv")));
  EXPECT_EQ(feeds({"update", "--config", file}).exit_code, 0);
  EXPECT_EQ(whole, 2);
}

// Each gives one clear line, exit code 3, and leaves what the feed said before.
TEST_F(FeedsCommand, AServerThatFailsOrLiesChangesNothing) {
  std::mutex lock;
  std::string reply;
  const Server server([&](const std::string&, const std::string&) {
    const std::lock_guard guard(lock);
    return reply;
  });
  const auto now = [&](std::string text) {
    const std::lock_guard guard(lock);
    reply = std::move(text);
  };
  const std::string file = config(fmt::format("  - {{name: a, from: '{}'}}\n", server.url("/list.txt")));
  std::string all;
  for (int i = 1; i <= 100; ++i) all += fmt::format("5.44.100.{}\n", i);
  now(answer(all));
  ASSERT_EQ(feeds({"update", "--config", file}).exit_code, 0);
  const auto refused = [&](const std::string& text, const std::string& says) {
    now(text);
    const RunResult r = feeds({"update", "--config", file});
    EXPECT_EQ(r.exit_code, 3) << says << r.out;
    EXPECT_NE(r.err.find("feed a stays as it was"), r.err.npos) << r.err;
    EXPECT_NE(r.err.find(says), r.err.npos) << r.err;
    EXPECT_EQ(std::ranges::count(r.err, '\n'), 1) << r.err;
    EXPECT_EQ(looked_up(file, "5.44.100.50").find("in no feed"), std::string::npos);
  };
  refused("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "404");
  refused("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "401");
  refused(answer("<html><body>Please log in</body></html>", "text/html"), "looks like no feed");
  refused(answer("5.44.100.1\n"), "lost most");
  refused(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n5.44.100.1\n",
                      std::uint64_t{1} << 40),
          "");  // larger than any feed may be
  refused("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "");
}

TEST_F(FeedsCommand, ATaxiiServerThatNeverEndsChangesNothing) {
  Server* here = nullptr;
  Server server([&](const std::string& path, const std::string&) {
    if (path.starts_with("/taxii2"))
      return answer(fmt::format(R"({{"title":"t","api_roots":["{0}"],"default":"{0}"}})", here->url("/group/")),
                    kTaxii);
    if (path == "/group/")
      return answer(R"({"title":"g","versions":["application/taxii+json;version=2.1"],"max_content_length":9999999})",
                    kTaxii);
    if (path == "/group/collections/")
      return answer(
          fmt::format(R"({{"collections":[{{"id":"{}","title":"nodes","can_read":true,"can_write":false}}]}})",
                      kCollection),
          kTaxii);
    return answer(fmt::format(R"({{"more":true,"next":"same","objects":[{}]}})", indicator(1)), kTaxii);
  });
  here = &server;
  const std::string file = config(
      fmt::format("  - {{name: group, from: '{}', protocol: taxii, collection: nodes}}\n", server.url("/taxii2/")));
  const RunResult r = feeds({"update", "--config", file});
  EXPECT_EQ(r.exit_code, 3) << r.out;
  EXPECT_NE(r.err.find("feed group stays as it was"), r.err.npos) << r.err;
  EXPECT_NE(looked_up(file, "5.44.100.1").find("in no feed"), std::string::npos);
}

}  // namespace
}  // namespace orbwatch::test

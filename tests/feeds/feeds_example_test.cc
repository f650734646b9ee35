// packaging/feeds.example.yaml, as it is shipped, with the real binary and a TAXII 2.1 server on the loopback; then
// each of its feeds broken, oversized, slow or lying.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/peer.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

namespace fs = std::filesystem;

const fs::path kPackaging = fs::path(ORBWATCH_ROOT) / "packaging";
const std::string kTaxii = "application/taxii+json;version=2.1";

std::string answer(const std::string& body, const std::string& type = kTaxii) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", type,
                     body.size(), body);
}

// A TAXII server with one collection. What it does with a request for objects may be changed.
class TaxiiServer {
 public:
  TaxiiServer() : peer_([this](Client& client) { serve(client); }) {}
  unsigned port() const { return peer_.port(); }
  void objects_by(std::function<void(Client&)> reply) {
    const std::lock_guard guard(lock_);
    reply_ = std::move(reply);
  }

 private:
  void serve(Client& client) {
    const std::string first = client.line();
    for (std::string line = client.line(); line.size() > 2;) line = client.line();
    if (first.find("/objects/") != first.npos) {
      const std::lock_guard guard(lock_);
      return reply_(client);
    }
    const std::string root = fmt::format("http://127.0.0.1:{}/api/", port());
    if (first.find(" /taxii2/ ") != first.npos)
      return client.write(answer(fmt::format(R"({{"title":"t","api_roots":["{0}"],"default":"{0}"}})", root)));
    if (first.find(" /api/ ") != first.npos)
      return client.write(
          answer(R"({"title":"g","versions":["application/taxii+json;version=2.1"],"max_content_length":9999})"));
    client.write(answer(R"({"collections":[{"id":"91a7b528-80eb-42ed-a74d-c6fbd5a26116","title":"indicators",)"
                        R"("can_read":true,"can_write":false}]})"));
  }
  std::mutex lock_;
  std::function<void(Client&)> reply_;
  Peer peer_;
};

std::string envelope(const std::string& address) {
  return answer(fmt::format(
      R"({{"more":false,"objects":[{{"type":"indicator","spec_version":"2.1","id":"indicator--5a8e0001-0000-4000-8000-000000000000",)"
      R"("created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","valid_from":"2026-01-01T00:00:00Z",)"
      R"("pattern":"[ipv4-addr:value = '{}']","pattern_type":"stix"}}]}})",
      address));
}

class ShippedFeeds : public ::testing::Test {
 protected:
  // As installed: the configuration and its folder beside it, whatever the current folder is.
  void install() {
    fs::create_directories(dir_ / "examples");
    fs::copy(kPackaging / "feeds.example", dir_ / "examples/feeds.example", fs::copy_options::recursive);
    std::string text = read_file(kPackaging / "feeds.example.yaml");
    const std::string shipped = "http://127.0.0.1:6200/taxii2/";
    ASSERT_NE(text.find(shipped), text.npos);
    text.replace(text.find(shipped), shipped.size(), fmt::format("http://127.0.0.1:{}/taxii2/", server_.port()));
    config_ = dir_.write("examples/feeds.example.yaml", text).string();
  }
  RunResult feeds(const std::string& verb, const std::vector<std::string>& more = {}) {
    std::vector<std::string> argv = {orbwatch_binary(),       "feeds", verb, "--config", config_, "--feeds",
                                     (dir_ / "kept").string()};
    argv.insert(argv.end(), more.begin(), more.end());
    return run(argv, {}, {.directory = dir_.path()});
  }
  std::string looked_up(const std::string& value) { return feeds("lookup", {"--networks", "none", value}).out; }
  // The settings of a feed, with another line behind its name.
  void set(const std::string& feed, const std::string& line) {
    std::string text = read_file(config_);
    const std::string name = "  - name: " + feed + "\n";
    const auto at = text.find(name);
    ASSERT_NE(at, text.npos);
    dir_.write("examples/feeds.example.yaml", text.insert(at + name.size(), "    " + line + "\n"));
  }

  TempDir dir_;
  TaxiiServer server_;
  std::string config_;
};

TEST_F(ShippedFeeds, AreReadFromWhereTheyLie) {
  install();
  server_.objects_by([](Client& c) { c.write(envelope("203.0.113.55")); });
  const RunResult r = feeds("update");
  EXPECT_EQ(r.exit_code, 0) << r.err << r.out;
  for (const char* line : {"example-nodes: 4 indicators (4 new, 0 gone), read as text",
                           "example-sightings: 2 indicators", "read as csv", "example-bundle: 2 indicators",
                           "example-event: 1 indicators", "read as misp\n", "example-harmless: 2 indicators",
                           "read as misp_warninglist", "example-group: 1 indicators", "11 indicators in"}) {
    EXPECT_NE(r.out.find(line), r.out.npos) << line << "\n" << r.out;
  }
  const RunResult listed = feeds("list");
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_EQ(std::ranges::count(listed.out, '\n'), 7) << listed.out;
  for (const auto& [value, says] : std::vector<std::pair<std::string, std::string>>{
           {"203.0.113.7", "in example-nodes: Example relays"},
           {"203.0.113.70", "203.0.113.64/28 in example-nodes"},
           {"2001:db8:7::1", "in example-nodes"},
           {"relay.example", "in example-nodes"},
           {"203.0.113.21", "in example-sightings: Example scanners, port 8443, last seen 2026-01-05"},
           {"203.0.113.33", "half of it goes in 20 days (the configuration)"},
           {"control.example", "in example-bundle: Control server of an example network"},
           {"203.0.113.44", "in example-event"},
           {"203.0.113.22", "known as harmless"},
           {"203.0.113.55", "in example-group"}})
    EXPECT_NE(looked_up(value).find(says), std::string::npos) << value << "\n" << looked_up(value);
}

// From the source tree, too: only the server is not there.
TEST_F(ShippedFeeds, AreReadFromTheSources) {
  install();
  config_ = (kPackaging / "feeds.example.yaml").string();
  const RunResult r =
      feeds("update", {"example-nodes", "example-sightings", "example-bundle", "example-event", "example-harmless"});
  EXPECT_EQ(r.exit_code, 0) << r.err << r.out;
  EXPECT_NE(looked_up("203.0.113.33").find("example-bundle"), std::string::npos);
}

// One line on standard error for the feed that is wrong, exit code 3, the others as ever, and what was known stays.
TEST_F(ShippedFeeds, OneThatGoesWrongChangesNothing) {
  install();
  server_.objects_by([](Client& c) { c.write(envelope("203.0.113.55")); });
  ASSERT_EQ(feeds("update").exit_code, 0);
  const auto refused = [&](const std::string& feed, const std::string& value, const std::string& says) {
    const std::string before = read_file(dir_ / "kept" / (feed + ".feed"));
    const RunResult r = feeds("update", {feed});
    EXPECT_EQ(r.exit_code, 3) << feed << r.out;
    EXPECT_NE(r.err.find("feed " + feed + " stays as it was"), r.err.npos) << r.err;
    EXPECT_NE(r.err.find(says), r.err.npos) << r.err;
    EXPECT_EQ(std::ranges::count(r.err, '\n'), 1) << r.err;
    EXPECT_EQ(read_file(dir_ / "kept" / (feed + ".feed")), before) << feed;
    EXPECT_NE(looked_up(value).find(feed), std::string::npos) << value;
    EXPECT_NE(feeds("list").out.find(says), std::string::npos);
  };
  // Corrupted.
  const auto cut = [&](const std::string& file) {
    const fs::path path = dir_ / "examples/feeds.example" / file;
    fs::resize_file(path, fs::file_size(path) / 2);
  };
  cut("bundle.json");
  refused("example-bundle", "203.0.113.33", "JSON");
  cut("event.json");
  refused("example-event", "203.0.113.44", "JSON");
  cut("harmless.json");
  refused("example-harmless", "203.0.113.22", "JSON");
  dir_.write("examples/feeds.example/sightings.csv", "address;port\n\x01\x02;x\n\xff\xfe;y\n");
  refused("example-sightings", "203.0.113.21", "");
  dir_.write("examples/feeds.example/nodes.txt", std::string("\0\1\2\3", 4));
  refused("example-nodes", "203.0.113.7", "");
  server_.objects_by([](Client& c) { c.write(answer(R"({"more":false,"objects":[{"type":"indic)")); });
  refused("example-group", "203.0.113.55", "JSON");
  // Oversized: by its length, by what it says of it, and by what comes.
  set("example-nodes", "most_bytes: 2KiB");
  dir_.write("examples/feeds.example/nodes.txt", std::string(4096, '#'));
  refused("example-nodes", "203.0.113.7", "more than 2048 bytes");
  set("example-group", "most_bytes: 4KiB");
  server_.objects_by([](Client& c) {
    c.write("HTTP/1.1 200 OK\r\nContent-Type: " + kTaxii + "\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n" +
            std::string(5000, ' '));
  });
  refused("example-group", "203.0.113.55", "larger than 4096 bytes");
  server_.objects_by([](Client& c) {
    c.write("HTTP/1.1 200 OK\r\nContent-Type: " + kTaxii + "\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 20; ++i) c.write(std::string(1000, ' '));
  });
  refused("example-group", "203.0.113.55", "larger than 4096 bytes");
  // Lying: another length than it says, another media type, an answer to something else.
  server_.objects_by([](Client& c) { c.write(answer("<html>Please log in</html>", "text/html")); });
  refused("example-group", "203.0.113.55", "does not answer in TAXII");
  server_.objects_by([](Client& c) { c.write(answer(R"({"more":true,"objects":[]})")); });
  refused("example-group", "203.0.113.55", "it says that there is more but not where");
  server_.objects_by([](Client& c) {
    c.write("HTTP/1.1 304 Not Modified\r\nContent-Type: " + kTaxii + "\r\nConnection: close\r\n\r\n");
  });
  refused("example-group", "203.0.113.55", "of what was never had");
  // Slow: a byte now and then.
  set("example-group", "timeout: 1s");
  server_.objects_by([](Client& c) {
    c.write("HTTP/1.1 200 OK\r\nContent-Type: " + kTaxii + "\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 15; ++i) {
      c.write(" ");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  refused("example-group", "203.0.113.55", "the time is over");
}

}  // namespace
}  // namespace orbwatch::test

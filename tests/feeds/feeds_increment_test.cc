// Only what is new of a TAXII collection and of a MISP feed, through pipeline::update_feeds and through the binary:
// what is asked for, what is known afterwards, and that a reading that fails half-way changes nothing.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/feeds.h"
#include "support/peer.h"
#include "support/run.h"
#include "support/temp_dir.h"

namespace orbwatch::test {
namespace {

using core::kDay;

constexpr core::Nanoseconds kStart = 20'500 * kDay;  // 2026-02-16
const std::string kTaxii = "application/taxii+json;version=2.1";

struct Object {
  int number = 0;
  std::string address;
  int day = 1;  // of 2026-01, of its newest version and of its date at the server
  bool revoked = false;
};

std::string json_of(const Object& o) {
  return fmt::format(
      R"({{"type":"indicator","spec_version":"2.1","id":"indicator--5a8e{:04x}-0000-4000-8000-000000000000",)"
      R"("created":"2026-01-01T00:00:00.000Z","modified":"2026-01-{:02}T00:00:00.000Z","revoked":{},)"
      R"("valid_from":"2026-01-01T00:00:00Z","pattern":"[ipv4-addr:value = '{}']","pattern_type":"stix"}})",
      o.number, o.day, o.revoked, o.address);
}

// A TAXII server with pages of two objects, in the order of their dates.
class TaxiiServer {
 public:
  TaxiiServer() : peer_([this](Client& client) { serve(client); }) {}
  std::string url() const { return fmt::format("http://127.0.0.1:{}/taxii2/", peer_.port()); }
  void put(const Object& o) {
    const std::lock_guard guard(lock_);
    std::erase_if(objects_, [&](const Object& old) { return old.number == o.number; });
    objects_.push_back(o);
    std::ranges::stable_sort(objects_, {}, &Object::day);
  }
  void remove(int number) {
    const std::lock_guard guard(lock_);
    std::erase_if(objects_, [&](const Object& old) { return old.number == number; });
  }
  void fail_at_page(int page) {
    const std::lock_guard guard(lock_);
    fails_at_ = page;
  }
  void collection(const std::string& id) {
    const std::lock_guard guard(lock_);
    collection_ = id;
  }
  // The values of added_after since the last call; "" = asked for everything.
  std::vector<std::string> asked() {
    const std::lock_guard guard(lock_);
    return std::exchange(asked_, {});
  }

 private:
  static std::string answer(const std::string& body, const std::string& more = {}) {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}",
                       kTaxii, body.size(), more, body);
  }
  static std::string value(const std::string& path, const std::string& name) {
    const auto at = path.find(name + "=");
    if (at == path.npos) return {};
    const auto begin = at + name.size() + 1;
    return path.substr(begin, std::min(path.find('&', begin), path.size()) - begin);
  }
  void serve(Client& client) {
    const std::string first = client.line();
    for (std::string line = client.line(); line.size() > 2;) line = client.line();
    const auto begin = first.find(' ') + 1;
    const std::string path = first.substr(begin, first.find(' ', begin) - begin);
    const std::lock_guard guard(lock_);
    if (path.starts_with("/taxii2"))
      return client.write(answer(R"({"title":"t","api_roots":["/api/"],"default":"/api/"})"));
    if (path == "/api/collections/")
      return client.write(answer(fmt::format(
          R"({{"collections":[{{"id":"{}","title":"nodes","can_read":true,"can_write":false}}]}})", collection_)));
    const std::string after = value(path, "added_after");
    const std::string next = value(path, "next");
    if (next.empty()) asked_.push_back(after);
    const std::size_t from = next.empty() ? 0 : std::stoul(next);
    if (fails_at_ > 0 && from / 2 + 1 == static_cast<std::size_t>(fails_at_))
      return client.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    std::vector<Object> found;
    for (const Object& o : objects_) {
      if (after.empty() || fmt::format("2026-01-{:02}", o.day) > after.substr(0, 10)) found.push_back(o);
    }
    std::string list;
    std::size_t i = from;
    for (; i < std::min(from + 2, found.size()); ++i) list += (list.empty() ? "" : ",") + json_of(found[i]);
    const bool more = i < found.size();
    std::string date;
    if (i > from) date = fmt::format("X-TAXII-Date-Added-Last: 2026-01-{:02}T00:00:00Z\r\n", found[i - 1].day);
    client.write(answer(
        fmt::format(R"({{"more":{}{},"objects":[{}]}})", more, more ? fmt::format(R"(,"next":"{}")", i) : "", list),
        date));
  }
  std::mutex lock_;
  std::vector<Object> objects_;
  std::vector<std::string> asked_;
  std::string collection_ = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
  int fails_at_ = 0;
  Peer peer_;
};

class OnlyWhatIsNew : public ::testing::Test {
 protected:
  OnlyWhatIsNew() {
    source_.name = "group";
    source_.from = server_.url();
    source_.protocol = intel::FeedProtocol::kTaxii;
    source_.collection = "nodes";
    for (int i = 1; i <= 3; ++i) server_.put({i, fmt::format("5.44.100.{}", i), i});
  }
  pipeline::FeedOutcome update(core::Nanoseconds now, bool whole = false) {
    pipeline::FeedsRequest request;
    request.sources = {source_};
    request.folder = folder_;
    request.now = now;
    request.whole = whole;
    const auto done = pipeline::update_feeds(request);
    EXPECT_TRUE(done) << (done ? "" : done.error().text());
    return done ? done->feeds.at(0) : pipeline::FeedOutcome{};
  }
  // Flags of what the table says of an address; none: nothing.
  std::optional<int> said(const std::string& address) const {
    const auto table = intel::IndicatorTable::open(folder_ + "/indicators.table");
    EXPECT_TRUE(table);
    const std::uint32_t entry = table->find(*core::Ip::parse(address));
    intel::IndicatorStatement s;
    if (entry == intel::IndicatorTable::kNone || !table->statements(entry).next(s)) return std::nullopt;
    return s.flags;
  }
  TempDir dir_;
  std::string folder_ = (dir_ / "kept").string();
  TaxiiServer server_;
  intel::FeedSource source_;
};

TEST_F(OnlyWhatIsNew, OfACollection) {
  auto first = update(kStart);
  ASSERT_TRUE(first.update) << first.error;
  EXPECT_FALSE(first.update->only_new);
  EXPECT_EQ(server_.asked(), std::vector<std::string>{""});
  EXPECT_TRUE(update(kStart + kDay).unchanged);
  EXPECT_EQ(server_.asked(), std::vector<std::string>{"2026-01-03T00%3A00%3A00Z"});

  server_.put({4, "5.44.100.4", 4});
  server_.put({1, "5.44.100.9", 5});        // a newer version
  server_.put({2, "5.44.100.2", 6, true});  // revoked
  const auto second = update(kStart + 2 * kDay);
  ASSERT_TRUE(second.update) << second.error;
  EXPECT_TRUE(second.update->only_new);
  EXPECT_EQ(second.update->parts, 3U);
  EXPECT_EQ(second.update->listed, 4U);
  for (const char* address : {"5.44.100.3", "5.44.100.4", "5.44.100.9"}) EXPECT_EQ(said(address), 0) << address;
  EXPECT_EQ(said("5.44.100.2"), intel::kRevoked);
}

TEST_F(OnlyWhatIsNew, APageThatFailsChangesNothing) {
  ASSERT_TRUE(update(kStart).update);
  for (int i = 4; i <= 8; ++i) server_.put({i, fmt::format("5.44.100.{}", i), i});
  server_.fail_at_page(2);
  const std::string before = read_file(folder_ + "/group.feed");
  const auto failed = update(kStart + kDay);
  EXPECT_FALSE(failed.update);
  EXPECT_NE(failed.error.find("403"), std::string::npos) << failed.error;
  EXPECT_EQ(read_file(folder_ + "/group.feed"), before);
  EXPECT_FALSE(said("5.44.100.4"));
  server_.fail_at_page(0);
  server_.asked();
  const auto again = update(kStart + kDay);
  ASSERT_TRUE(again.update) << again.error;
  EXPECT_EQ(server_.asked(), std::vector<std::string>{"2026-01-03T00%3A00%3A00Z"}) << "from where it was";
  EXPECT_EQ(again.update->listed, 8U);
}

TEST_F(OnlyWhatIsNew, TheWholeIsReadWhereItMust) {
  ASSERT_TRUE(update(kStart).update);
  server_.remove(1);  // without revoking it: only the whole shows it
  EXPECT_TRUE(update(kStart + 6 * kDay).unchanged);
  auto outcome = update(kStart + 7 * kDay);
  ASSERT_TRUE(outcome.update) << "a week later";
  EXPECT_FALSE(outcome.update->only_new);
  EXPECT_EQ(outcome.update->removed, 1U);
  EXPECT_TRUE(update(kStart + 8 * kDay).unchanged) << "and then what is new again";

  server_.asked();
  outcome = update(kStart + 8 * kDay, true);
  ASSERT_TRUE(outcome.update) << "because it was asked for";
  EXPECT_EQ(server_.asked(), std::vector<std::string>{""});

  server_.collection("91a7b528-80eb-42ed-a74d-c6fbd5a26117");
  outcome = update(kStart + 9 * kDay);
  ASSERT_TRUE(outcome.update) << "another collection of that name";
  EXPECT_FALSE(outcome.update->only_new);
  EXPECT_EQ(server_.asked().back(), "");

  source_.settings.label = "another";
  outcome = update(kStart + 9 * kDay);
  ASSERT_TRUE(outcome.update) << "other settings";
  EXPECT_FALSE(outcome.update->only_new);
}

class OnlyNewEvents : public OnlyWhatIsNew {
 protected:
  OnlyNewEvents() {
    source_.protocol = intel::FeedProtocol::kMisp;
    source_.collection.clear();
    source_.from = (dir_ / "feed").string();
  }
  static std::string uuid(int i) { return fmt::format("22222222-2222-4222-8222-0000000000{}", 10 + i); }
  void event(int i, const std::string& address) {
    dir_.write("feed/" + uuid(i) + ".json",
               fmt::format(R"({{"Event":{{"uuid":"{}","info":"i","analysis":"2","Attribute":[{{"type":"ip-dst",)"
                           R"("to_ids":true,"value":"{}"}}]}}}})",
                           uuid(i), address));
  }
  void manifest(const std::vector<std::pair<int, int>>& timestamps) {
    std::string all;
    for (const auto& [i, time] : timestamps)
      all += fmt::format(R"({}"{}":{{"info":"i","timestamp":"{}"}})", all.empty() ? "" : ",", uuid(i), time);
    dir_.write("feed/manifest.json", "{" + all + "}");
  }
};

TEST_F(OnlyNewEvents, OfAMispFeed) {
  event(1, "5.44.100.1");
  event(2, "5.44.100.2");
  manifest({{1, 100}, {2, 100}});
  auto outcome = update(kStart);
  ASSERT_TRUE(outcome.update) << outcome.error;
  EXPECT_EQ(outcome.update->listed, 2U);
  EXPECT_TRUE(update(kStart + kDay).unchanged);

  // What did not change in the manifest is not opened: the file may be broken.
  dir_.write("feed/" + uuid(1) + ".json", "{ broken");
  event(2, "5.44.100.22");
  event(3, "5.44.100.3");
  manifest({{1, 100}, {2, 200}, {3, 150}});
  outcome = update(kStart + 2 * kDay);
  ASSERT_TRUE(outcome.update) << outcome.error;
  EXPECT_TRUE(outcome.update->only_new);
  EXPECT_EQ(outcome.update->parts, 2U);
  EXPECT_EQ(outcome.update->listed, 3U);
  EXPECT_EQ(outcome.update->removed, 1U) << "what the changed event no longer names";

  manifest({{2, 200}, {3, 150}});
  outcome = update(kStart + 3 * kDay);
  ASSERT_TRUE(outcome.update) << outcome.error;
  EXPECT_EQ(outcome.update->listed, 2U) << "the event that left the manifest";

  // One of the new ones is broken: none is taken.
  event(4, "5.44.100.4");
  dir_.write("feed/" + uuid(5) + ".json", R"({"Event":{}},{"Event":{)");
  manifest({{2, 200}, {3, 150}, {4, 300}, {5, 250}});
  outcome = update(kStart + 4 * kDay);
  EXPECT_FALSE(outcome.update);
  EXPECT_NE(outcome.error.find("is no JSON"), std::string::npos) << outcome.error;
  EXPECT_FALSE(said("5.44.100.4"));
  event(5, "5.44.100.5");
  outcome = update(kStart + 4 * kDay);
  ASSERT_TRUE(outcome.update) << outcome.error;
  EXPECT_EQ(outcome.update->parts, 2U);
  EXPECT_EQ(outcome.update->listed, 4U);
}

TEST_F(OnlyWhatIsNew, TheCommandSaysSo) {
  const std::string config =
      dir_.write(
              "orbwatch.yaml",
              fmt::format(
                  "feeds_folder: kept\nfeeds:\n  - {{name: group, from: '{}', protocol: taxii, collection: nodes}}\n",
                  server_.url()))
          .string();
  const auto feeds = [&](std::vector<std::string> words) {
    std::vector<std::string> argv = {orbwatch_binary(), "feeds", "update", "--config", config};
    argv.insert(argv.end(), words.begin(), words.end());
    return run(argv);
  };
  EXPECT_NE(feeds({}).out.find("group: 3 indicators (3 new, 0 gone), read as stix\n"), std::string::npos);
  server_.put({4, "5.44.100.4", 4});
  const RunResult more = feeds({});
  EXPECT_NE(more.out.find("group: 4 indicators (1 new, 0 gone), read as stix, only what is new (1 fetched)"),
            more.out.npos)
      << more.out << more.err;
  const RunResult whole = feeds({"--whole"});
  EXPECT_NE(whole.out.find("group: 4 indicators (0 new, 0 gone), read as stix\n"), whole.out.npos) << whole.out;
}

}  // namespace
}  // namespace orbwatch::test

// The TAXII server: what it says (taxii_answers.h), what it keeps (taxii_folder.h), and over sockets, by our own client
// and by whoever means no good. By another client: tests/e2e/taxii_client.sh.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <simdjson.h>
#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "core/text.h"
#include "intel/fetch/taxii.h"
#include "serve/taxii_server.h"
#include "support/certificates.h"
#include "support/temp_dir.h"

namespace orbwatch::serve {
namespace {

namespace fs = std::filesystem;
using orbwatch::test::TempDir;

std::string uuid(int i) { return fmt::format("{:08x}-0000-4000-8000-000000000000", i); }
std::string indicator(int i, std::string_view modified = "2026-01-01T00:00:00.000Z") {
  return fmt::format(
      R"({{"type":"indicator","spec_version":"2.1","id":"indicator--{}","created":"2026-01-01T00:00:00.000Z","modified":"{}","pattern":"[ipv4-addr:value = '198.51.100.{}']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}})",
      uuid(i), modified, i);
}
std::string address(int i, std::string_view more = "") {
  return fmt::format(R"({{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--{}","value":"198.51.100.{}"{}}})",
                     uuid(i), i, more);
}
std::string bundle(const std::vector<std::string>& objects) {
  std::string out = R"({"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[)";
  for (const std::string& object : objects) out += (out.ends_with('[') ? "" : ",") + object;
  return out + "]}";
}
std::vector<std::string> indicators(int from, int to) {
  std::vector<std::string> out;
  for (int i = from; i < to; ++i) out.push_back(indicator(i));
  return out;
}

struct Said {
  std::mutex mutex;
  std::string text;
  source::Log log() {
    return [this](source::LogLevel, const std::string& line) {
      const std::scoped_lock lock(mutex);
      text += line + "\n";
    };
  }
};

// A folder, and requests to it without a socket.
class Taxii : public testing::Test {
 protected:
  void open() {
    auto opened = TaxiiFolder::open(dir_.path().string(), said_.log());
    ASSERT_TRUE(opened) << opened.error().text();
    folder_ = std::move(*opened);
  }
  TaxiiResponse get(const std::string& path, const std::vector<std::pair<std::string, std::string>>& query = {}) {
    request_.path = path;
    request_.query = query;
    TaxiiResponse response = answer_taxii(request_, *folder_->collections(), access_, "http://h", limits_);
    simdjson::dom::parser parser;
    EXPECT_EQ(parser.parse(response.body).error(), simdjson::SUCCESS) << response.body;
    return response;
  }
  std::string objects() const { return "/share/collections/" + id() + "/objects/"; }
  std::string id() const { return folder_->collections()->at(0)->id; }
  static std::string header(const TaxiiResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }
  // The ids of objects in an answer, cut to their number.
  static std::string ids(const TaxiiResponse& response) {
    std::string out;
    std::string_view rest = response.body;
    while (const auto id = core::between(rest, "\"id\":\"", "\"")) {
      out += (out.empty() ? "" : " ") + std::string(id->substr(id->find("--") + 2 + 6, 2));
      rest.remove_prefix(static_cast<std::size_t>(id->data() - rest.data()));
    }
    return out;
  }

  TempDir dir_;
  Said said_;
  std::unique_ptr<TaxiiFolder> folder_;
  TaxiiRequest request_{"GET", "", {}, std::string(kTaxiiMediaType), ""};
  TaxiiAccess access_;
  TaxiiLimits limits_;
};

TEST_F(Taxii, SaysWhatThereIs) {
  dir_.write("a.json", bundle(indicators(1, 3)));
  dir_.write("b.json", bundle({}));
  dir_.write("notes.txt", "no bundle");
  open();
  const TaxiiResponse discovery = get("/taxii2/");
  EXPECT_EQ(discovery.status, 200);
  EXPECT_NE(discovery.body.find(R"("api_roots":["http://h/share/"])"), std::string::npos) << discovery.body;
  EXPECT_EQ(get("/taxii2").body, discovery.body);
  EXPECT_NE(get("/share/").body.find(R"("versions":["application/taxii+json;version=2.1"])"), std::string::npos);
  const TaxiiResponse collections = get("/share/collections/");
  EXPECT_NE(collections.body.find(R"("title":"a")"), std::string::npos) << collections.body;
  EXPECT_NE(collections.body.find(R"("title":"b")"), std::string::npos);
  EXPECT_EQ(collections.body.find("notes"), std::string::npos);
  EXPECT_NE(get("/share/collections/" + id() + "/").body.find(R"("can_read":true,"can_write":false)"),
            std::string::npos);
  const TaxiiResponse all = get(objects());
  EXPECT_EQ(ids(all), "01 02");
  EXPECT_NE(all.body.find(indicator(2)), std::string::npos) << "the object as the file has it";
  EXPECT_NE(all.body.find("\"more\":false"), std::string::npos);
  EXPECT_NE(header(all, "X-TAXII-Date-Added-First"), "");
  EXPECT_LT(header(all, "X-TAXII-Date-Added-First"), header(all, "X-TAXII-Date-Added-Last"));
  EXPECT_EQ(get("/share/collections/" + folder_->collections()->at(1)->id + "/objects/").body, "{\"more\":false}");
  const TaxiiResponse manifest = get("/share/collections/" + id() + "/manifest/");
  EXPECT_NE(
      manifest.body.find(R"("version":"2026-01-01T00:00:00.000Z","media_type":"application/stix+json;version=2.1")"),
      std::string::npos);
  EXPECT_NE(manifest.body.find("\"date_added\":\"" + header(all, "X-TAXII-Date-Added-First")), std::string::npos);
}

TEST_F(Taxii, RefusesByTheCodesOfTheStandard) {
  dir_.write("a.json", bundle(indicators(1, 3)));
  open();
  for (const char* path : {"/", "", "/taxii2/x", "//", "/share/x/", "/share/collections/x/", "/share/status/1/"})
    EXPECT_EQ(get(path).status, 404) << path;
  for (const std::string below : {"x/", "objects/x/", "objects/indicator--1/", "manifest/x/"})
    EXPECT_EQ(get("/share/collections/" + id() + "/" + below).status, 404) << below;
  EXPECT_EQ(get(objects() + "indicator--" + uuid(1) + "/x/").status, 404);
  EXPECT_EQ(get(objects() + "indicator--" + uuid(1) + "/versions/x/").status, 404);
  const auto error = get("/share/x/");
  EXPECT_NE(error.body.find("\"title\":"), std::string::npos);
  EXPECT_NE(error.body.find("\"http_status\":\"404\""), std::string::npos);

  for (const char* accept : {"application/json", "application/taxii+json;version=2.0", "text/html", "",
                             "application/vnd.oasis.taxii+json", "application/taxii+json;version=2.1;q=0"}) {
    request_.accept = accept;
    EXPECT_EQ(get(objects()).status, 406) << accept;
  }
  request_.accept.reset();
  EXPECT_EQ(get(objects()).status, 406);
  for (const char* accept : {"application/taxii+json; version=2.1", "application/taxii+json", "*/*",
                             "text/html, Application/TAXII+json;VERSION=\"2.1\";q=0.5"}) {
    request_.accept = accept;
    EXPECT_EQ(get(objects()).status, 200) << accept;
  }
  request_.accept = kTaxiiMediaType;
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"limit", "0"},
                                                        {"limit", "-1"},
                                                        {"limit", "x"},
                                                        {"limit", ""},
                                                        {"limit", "99999999999999999999"},
                                                        {"added_after", "yesterday"},
                                                        {"added_after", "2026-01-01"},
                                                        {"added_after", "2026-01-01T00:00:00"},
                                                        {"next", "1"},
                                                        {"next", "1-0000000000000000"},
                                                        {"match[type]", ""},
                                                        {"match[type]", "a,,b"},
                                                        {"match[version]", "newest"},
                                                        {"match[pattern]", "x"}})
    EXPECT_EQ(get(objects(), {{key, value}}).status, 400) << key << "=" << value;
  EXPECT_EQ(get(objects(), {{"limit", "1"}, {"limit", "2"}}).status, 400);
  EXPECT_EQ(get(objects(), {{"of_somebody_else", "1"}}).status, 200);
  for (const char* method : {"POST", "DELETE"}) {
    request_.method = method;
    EXPECT_EQ(get(objects()).status, 403);
    EXPECT_EQ(get("/taxii2/").status, 405);
  }
  request_.method = "PUT";
  EXPECT_EQ(get(objects()).status, 405);
  EXPECT_EQ(header(get(objects()), "Allow"), "GET, HEAD");
}

TEST_F(Taxii, AdmitsWhoMayRead) {
  dir_.write("a.json", bundle(indicators(1, 2)));
  open();
  access_.admit_user("ann", "hush:hush");
  access_.admit_token("0123456789abcdef");
  EXPECT_FALSE(access_.open());
  for (const char* wrong :
       {"", "Basic", "Basic ", "Basic ====", "Basic YW5uOmh1c2g=", "Basic \xff", "Bearer", "Bearer ann:hush:hush",
        "Bearer 0123456789abcde", "Basic MDEyMzQ1Njc4OWFiY2RlZg==", "Digest x", "bearer ann:hush:hush"}) {
    request_.authorization = wrong;
    const TaxiiResponse refused = get("/share/nothing/");
    EXPECT_EQ(refused.status, 401) << wrong;
    EXPECT_NE(header(refused, "WWW-Authenticate"), "");
  }
  request_.authorization = "Bearer " + std::string(100'000, 'a');
  EXPECT_EQ(get(objects()).status, 401);
  for (const char* right : {"Basic YW5uOmh1c2g6aHVzaA==", "basic  YW5uOmh1c2g6aHVzaA==", "Bearer 0123456789abcdef"}) {
    request_.authorization = right;
    EXPECT_EQ(get(objects()).status, 200) << right;
  }
}

TEST_F(Taxii, FiltersAndPages) {
  std::vector<std::string> all = indicators(1, 8);
  all.push_back(address(8));
  all.push_back(indicator(3, "2026-02-01T00:00:00.000Z"));
  all.push_back(indicator(3, "2026-03-01T00:00:00.000Z"));
  dir_.write("a.json", bundle(all));
  open();
  EXPECT_EQ(ids(get(objects())), "01 02 04 05 06 07 08 03") << "the newest version of each";
  EXPECT_EQ(ids(get(objects(), {{"match[type]", "ipv4-addr"}})), "08");
  EXPECT_EQ(ids(get(objects(), {{"match[type]", "ipv4-addr, indicator"}, {"limit", "2"}})), "01 02");
  EXPECT_EQ(ids(get(objects(), {{"match[id]", "indicator--" + uuid(2) + ",ipv4-addr--" + uuid(8)}})), "02 08");
  EXPECT_EQ(ids(get(objects(), {{"match[spec_version]", "2.0"}})), "");
  EXPECT_EQ(ids(get(objects(), {{"match[version]", "all"}, {"match[id]", "indicator--" + uuid(3)}})), "03 03 03");
  const std::string third = objects() + "indicator--" + uuid(3) + "/";
  EXPECT_NE(get(third).body.find("2026-03-01"), std::string::npos);
  EXPECT_EQ(ids(get(third)), "03");
  EXPECT_NE(get(third, {{"match[version]", "first"}}).body.find("\"modified\":\"2026-01-01"), std::string::npos);
  EXPECT_NE(get(third, {{"match[version]", "2026-02-01T00:00:00Z"}}).body.find("\"modified\":\"2026-02-01"),
            std::string::npos);
  EXPECT_EQ(ids(get(third, {{"match[version]", "first,last"}})), "03 03");
  const TaxiiResponse versions = get(third + "versions/");
  EXPECT_NE(versions.body.find(
                R"("versions":["2026-01-01T00:00:00.000Z","2026-02-01T00:00:00.000Z","2026-03-01T00:00:00.000Z"])"),
            std::string::npos)
      << versions.body;

  // By `next`, whatever is changed on the way.
  std::string seen, next;
  for (int page = 0; page < 10; ++page) {
    std::vector<std::pair<std::string, std::string>> query = {{"limit", "3"}};
    if (!next.empty()) query.emplace_back("next", next);
    const TaxiiResponse response = get(objects(), query);
    ASSERT_EQ(response.status, 200) << response.body;
    seen += ids(response) + " ";
    const auto more = core::between(response.body, "\"next\":\"", "\"");
    if (page == 0) {
      all.push_back(indicator(9));
      dir_.write("a.json", bundle(all));
      folder_->look();
    }
    if (!more) break;
    next = *more;
  }
  EXPECT_EQ(seen, "01 02 04 05 06 07 08 03 09 ");
  // A place in another query is none.
  EXPECT_EQ(get(objects(), {{"match[type]", "indicator"}, {"next", next}}).status, 400);
  // By the date of the last object.
  const TaxiiResponse first = get(objects(), {{"limit", "5"}});
  EXPECT_EQ(ids(get(objects(), {{"added_after", header(first, "X-TAXII-Date-Added-Last")}})), "07 08 03 09");
  // A page is bounded by its bytes as well, and is never empty.
  limits_.most_page_bytes = 1;
  EXPECT_EQ(ids(get(objects())), "01");
  limits_.most_page_bytes = std::size_t{4} << 20;
  limits_.most_page = 2;
  EXPECT_EQ(ids(get(objects(), {{"limit", "1000"}})), "01 02");
}

TEST_F(Taxii, DatesOutliveRestartsAndNewExports) {
  dir_.write("a.json", bundle({indicator(1), indicator(2), address(3)}));
  open();
  const std::string first_id = id();
  const TaxiiResponse before = get("/share/collections/" + id() + "/manifest/");
  const std::string last = header(before, "X-TAXII-Date-Added-Last");
  open();
  EXPECT_EQ(id(), first_id);
  EXPECT_EQ(get("/share/collections/" + id() + "/manifest/").body, before.body);
  // In another order, one changed, one gone, one new, an observable of another content.
  dir_.write("a.json", bundle({indicator(4), address(3, R"(,"x":1)"), indicator(2, "2026-05-01T00:00:00.000Z")}));
  open();
  EXPECT_EQ(ids(get(objects(), {{"added_after", last}})), "04 03 02");
  dir_.write("a.json",
             bundle({indicator(4), address(3, R"(,"x":1)"), indicator(2, "2026-05-01T00:00:00.000Z"), indicator(5)}));
  folder_->look();
  EXPECT_EQ(ids(get(objects(), {{"added_after", last}})), "04 03 02 05");
  // What the sidecar says of the future holds: a clock that was put back moves no date back.
  dir_.write(".a.added",
             "orbwatch dates of TAXII 1 2099-01-01T00:00:00.000001Z\n2099-01-01T00:00:00.000001Z indicator--" +
                 uuid(4) + " 2026-01-01T00:00:00.000Z\n");
  open();
  EXPECT_GT(header(get(objects()), "X-TAXII-Date-Added-Last"), "2099-01-01T00:00:00.000001Z");
  EXPECT_EQ(ids(get(objects())).substr(0, 2), "04");
}

TEST_F(Taxii, AFileThatIsNoGoodChangesNothing) {
  dir_.write("a.json", bundle(indicators(1, 3)));
  open();
  for (const std::string& broken :
       std::vector<std::string>{"", "{", bundle(indicators(1, 3)).substr(0, 200), "[]", R"({"type":"indicator"})",
                                bundle({R"({"type":"indicator","id":"indicator--1"})"}), bundle({"5"}),
                                bundle({indicator(1, "soon")}), bundle({"\xff"}), std::string(2000, '[')}) {
    dir_.write("a.json", broken);
    folder_->look();
    EXPECT_EQ(ids(get(objects())), "01 02") << broken;
  }
  EXPECT_NE(said_.text.find("a.json is damaged, the collection stays as it was"), std::string::npos) << said_.text;
  const std::string told = said_.text;
  folder_->look();
  EXPECT_EQ(said_.text, told) << "once";
  dir_.write("a.json", bundle(indicators(1, 4)));
  folder_->look();
  EXPECT_EQ(ids(get(objects())), "01 02 03");
  // Without its dates a client would miss what is new.
  dir_.write(".a.added", "garbage");
  open();
  EXPECT_TRUE(folder_->collections()->empty());
  EXPECT_NE(said_.text.find("the dates on which objects were added cannot be read"), std::string::npos);
  fs::remove(dir_ / ".a.added");
  open();
  fs::remove(dir_ / "a.json");
  folder_->look();
  EXPECT_TRUE(folder_->collections()->empty());
  EXPECT_FALSE(TaxiiFolder::open((dir_ / "none").string(), {}));
}

TEST_F(Taxii, FilesAreBounded) {
  TaxiiFolderLimits limits;
  limits.most_file = 500;
  limits.most_collections = 2;
  dir_.write("a.json", bundle(indicators(1, 20)));
  dir_.write("b.json", bundle(indicators(1, 2)));
  dir_.write("c.json", bundle(indicators(1, 2)));
  dir_.write(std::string(200, 'n') + ".json", bundle(indicators(1, 2)));
  fs::create_symlink("/dev/zero", dir_ / "d.json");
  auto opened = TaxiiFolder::open(dir_.path().string(), said_.log(), limits);
  ASSERT_TRUE(opened);
  ASSERT_EQ((*opened)->collections()->size(), 1U);
  EXPECT_EQ((*opened)->collections()->at(0)->title, "b");
  EXPECT_NE(said_.text.find("a.json is not shown"), std::string::npos) << said_.text;
  EXPECT_NE(said_.text.find("files beyond 2"), std::string::npos) << said_.text;
  limits.most_objects = 1;
  EXPECT_FALSE(read_taxii_bundle(bundle(indicators(1, 3)), limits));
}

// The real server.
class TaxiiSockets : public Taxii {
 protected:
  void serve(const std::function<void(TaxiiServerOptions&)>& change = {}) {
    options_.folder = dir_.path().string();
    options_.listen = *source::Endpoint::parse("127.0.0.1:0");
    options_.look_every = std::chrono::milliseconds(10);
    if (change) change(options_);
    auto started = TaxiiServer::start(options_, said_.log());
    ASSERT_TRUE(started) << started.error().text();
    server_ = std::move(*started);
  }
  // Everything that the server sends until it closes or is silent for a while.
  std::string raw(std::string_view bytes, bool half_close = false) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(server_->port());
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    if (half_close) ::shutdown(fd, SHUT_WR);
    std::string out;
    char buffer[4096];
    pollfd p{fd, POLLIN, 0};
    while (::poll(&p, 1, 5'000) > 0) {
      const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) break;
      out.append(buffer, static_cast<std::size_t>(n));
      if (out.find("\r\n\r\n{") != out.npos && out.ends_with('}')) break;
    }
    ::close(fd);
    return out;
  }
  static std::string request(std::string_view target, std::string_view more = "") {
    return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\nAccept: {}\r\n{}\r\n", target, kTaxiiMediaType, more);
  }
  bool lives() { return raw(request("/taxii2/")).starts_with("HTTP/1.1 200"); }

  TaxiiServerOptions options_;
  std::unique_ptr<TaxiiServer> server_;
};

TEST_F(TaxiiSockets, OurOwnClientReadsIt) {
  dir_.write("given.json", bundle(indicators(1, 26)));
  const fs::path secret = dir_.write("secret", "hush\n");
  fs::permissions(secret, fs::perms::owner_read);
  serve([](TaxiiServerOptions& o) { o.access.admit_user("ann", "hush"); });
  intel::FetchSettings fetching;
  fetching.authentication = intel::FetchSettings::Authentication::kBasic;
  fetching.user = "ann";
  fetching.secret_file = secret;
  const auto fetcher = intel::Fetcher::make(fetching);
  ASSERT_TRUE(fetcher) << fetcher.error().text();
  intel::TaxiiSettings settings;
  settings.url = fmt::format("http://127.0.0.1:{}/taxii2/", server_->port());
  settings.collection = "given";
  std::set<std::string> patterns;
  const auto read = [&](const std::string& after) {
    patterns.clear();
    return intel::read_taxii(**fetcher, settings, after, [&](std::string_view envelope) -> core::Expected<void> {
      while (const auto pattern = core::between(envelope, "\"pattern\":\"", "\"")) {
        patterns.emplace(*pattern);
        envelope.remove_prefix(static_cast<std::size_t>(pattern->data() - envelope.data()));
      }
      return {};
    });
  };
  std::string last;
  for (const unsigned page : {1'000U, 4U}) {
    settings.page_size = page;
    const auto all = read("");
    ASSERT_TRUE(all) << all.error().text();
    EXPECT_EQ(patterns.size(), 25U);
    EXPECT_EQ(all->pages, page == 4 ? 7U : 1U);
    last = all->added_after;
  }
  const auto none = read(last);
  ASSERT_TRUE(none) << none.error().text();
  EXPECT_EQ(none->objects, 0U);
  // A new export: the partner gets what is new, and nothing twice.
  auto more = indicators(1, 28);
  more[4] = indicator(5, "2026-06-01T00:00:00.000Z");
  dir_.write("new", bundle(more));
  fs::rename(dir_ / "new", dir_ / "given.json");
  for (int i = 0; i < 500 && patterns.size() < 3; ++i) {
    ASSERT_TRUE(read(last));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(patterns,
            (std::set<std::string>{"[ipv4-addr:value = '198.51.100.5']", "[ipv4-addr:value = '198.51.100.26']",
                                   "[ipv4-addr:value = '198.51.100.27']"}));
  settings.types = {"malware"};
  ASSERT_TRUE(read(""));
  EXPECT_TRUE(patterns.empty());
}

TEST_F(TaxiiSockets, AnswersOverTls) {
  dir_.write("given.json", bundle(indicators(1, 4)));
  const auto authority = test::issue("authority", "", nullptr);
  const auto own = test::issue("server", "IP:127.0.0.1", &authority);
  authority.write(dir_ / "ca.pem", dir_ / "ca.key");
  own.write(dir_ / "own.pem", dir_ / "own.key");
  serve([&](TaxiiServerOptions& o) {
    o.tls.emplace();
    o.tls->certificate = (dir_ / "own.pem").string();
    o.tls->key = (dir_ / "own.key").string();
  });
  intel::FetchSettings fetching;
  fetching.ca_file = dir_ / "ca.pem";
  const auto fetcher = intel::Fetcher::make(fetching);
  ASSERT_TRUE(fetcher) << fetcher.error().text();
  intel::TaxiiSettings settings;
  settings.url = fmt::format("https://127.0.0.1:{}/taxii2/", server_->port());
  settings.collection = "given";
  const auto read =
      intel::read_taxii(**fetcher, settings, "", [](std::string_view) -> core::Expected<void> { return {}; });
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->objects, 3U);
  EXPECT_EQ(raw(request("/taxii2/")).find("HTTP/1.1 200"), std::string::npos) << "without TLS";
}

TEST_F(TaxiiSockets, WhoIsHostileGetsAnErrorAndTheServerLives) {
  dir_.write("a.json", bundle(indicators(1, 5)));
  serve([](TaxiiServerOptions& o) {
    o.connections = 2;
    o.idle = std::chrono::seconds(1);
    o.request = std::chrono::seconds(1);
  });
  const std::string root = "/share/collections/";
  EXPECT_TRUE(raw(request(root)).starts_with("HTTP/1.1 200"));
  EXPECT_NE(raw(request(root)).find("Content-Type: application/taxii+json;version=2.1"), std::string::npos);
  const std::vector<std::string> hostile = {
      std::string(100'000, 'A'),
      std::string(100'000, '\r'),
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "\r\n\r\n",
      std::string(4, '\0') + "\r\n\r\n",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
      request("/" + std::string(7'000, 'a')),
      request("/" + std::string(100'000, 'a')),
      request("/taxii2/?" + std::string(7'000, '&')),
      request(root + "?limit=1&limit=2"),
      request(root + "%00%ff%2e%2e/../../etc/passwd"),
      request("/taxii2/?a=%zz%"),
      request("/taxii2/", "Range: bytes=" + std::string(7'000, '1') + "-\r\n"),
      request(
          "/taxii2/", "Range: bytes=0-1" +
                          [] {
                            std::string out;
                            for (int i = 0; i < 1'500; ++i) out += ",0-1";
                            return out;
                          }() +
                          "\r\n"),
      request("/taxii2/", "X: " + std::string(100'000, 'a') + "\r\n"),
      request("/taxii2/",
              [] {
                std::string out;
                for (int i = 0; i < 20'000; ++i) out += "X: y\r\n";
                return out;
              }()),
      request("/taxii2/", "Host: \r\nAuthorization: Basic " + std::string(5'000, '=') + "\r\n"),
      request("/taxii2/", "Content-Length: 99999999999\r\n") + "body",
      request("/taxii2/", "Content-Length: -1\r\n"),
      request("/taxii2/", "Transfer-Encoding: chunked\r\n") + "ffffffffffffffff\r\nx\r\n",
      request("/taxii2/", "Expect: 100-continue\r\nContent-Length: 5\r\n"),
      "POST " + root + " HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x'),
      "CONNECT h:1 HTTP/1.1\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  };
  for (const std::string& bytes : hostile) {
    const std::string said = raw(bytes, true);
    const bool good = said.empty() || said.starts_with("HTTP/1.1 ");
    EXPECT_TRUE(good) << core::printable(bytes, 60) << " -> " << core::printable(said);
    EXPECT_EQ(said.find("HTTP/1.1 5"), std::string::npos) << core::printable(bytes, 60);
    ASSERT_TRUE(lives()) << core::printable(bytes, 60);
  }
  // A name that is none does not get into our addresses.
  EXPECT_EQ(raw("GET /taxii2/ HTTP/1.1\r\nHost: a\"b<script>\r\nAccept: */*\r\n\r\n").find("<script"),
            std::string::npos);
  EXPECT_NE(raw(request("/taxii2/")).find("http://h/share/"), std::string::npos);
  // A body is not waited for.
  EXPECT_NE(raw(request("/taxii2/", "Content-Length: 5\r\n")).find("Connection: close"), std::string::npos);
  // Who sends a byte now and then does not hold a thread for longer than a request may last.
  std::vector<std::thread> slow;
  slow.reserve(4);
  for (int i = 0; i < 4; ++i) slow.emplace_back([this] { raw("GET /tax"); });
  for (std::thread& one : slow) one.join();
  EXPECT_TRUE(lives());
  // Two requests behind each other in one piece.
  const std::string both = raw(request("/taxii2/") + request("/nothing", "Connection: close\r\n"), true);
  EXPECT_NE(both.find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(TaxiiSockets, OthersAreNotLetInByAccident) {
  dir_.write("a.json", bundle(indicators(1, 5)));
  options_.folder = dir_.path().string();
  options_.listen = *source::Endpoint::parse("0.0.0.0:0");
  EXPECT_FALSE(TaxiiServer::start(options_, {}));
  options_.access.admit_token("0123456789abcdef");
  const auto refused = TaxiiServer::start(options_, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("--insecure"), std::string::npos);
  options_.insecure = true;
  EXPECT_TRUE(TaxiiServer::start(options_, {}));
  options_.insecure = false;
  options_.listen = *source::Endpoint::parse("[::]:0");
  EXPECT_FALSE(TaxiiServer::start(options_, {}));
}

}  // namespace
}  // namespace orbwatch::serve

#include "intel/fetch/taxii.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <map>

#include "intel/fetch/fetch_test_util.h"

namespace orbwatch::intel {
namespace {

using test::error_of;
using test::HttpServer;
using test::World;

const std::string kId = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
const std::string kObjects = "/api1/collections/" + kId + "/objects/";

struct Answer {
  std::string body;
  std::string last{};  // X-TAXII-Date-Added-Last
  std::string type = "application/taxii+json;version=2.1";
  int status = 200;
};

std::string collection(const std::string& id, const std::string& title, const std::string& more = "") {
  return R"({"id":")" + id + R"(","title":")" + title + R"(","can_read":true,"can_write":false)" + more + "}";
}

// A small TAXII server: answers by path; what is asked of the objects goes to a function.
class Taxii {
 public:
  std::map<std::string, Answer> pages{
      {"/taxii2/", {R"({"title":"Test","default":"/api1/","api_roots":["/api1/","/api2/"]})"}},
      {"/api1/",
       {R"({"title":"First","versions":["application/taxii+json;version=2.1"],"max_content_length":1000000})"}},
      {"/api2/",
       {R"({"title":"Second","versions":["application/taxii+json;version=2.1"],"max_content_length":1000000})"}},
      {"/api1/collections/", {R"({"collections":[)" + collection(kId, "High value", R"(,"alias":"high")") + "]}"}},
      {"/api2/collections/",
       {R"({"collections":[)" + collection("52892447-4d7e-4f70-b94d-d7f22742ff63", "Others") + "]}"}}};
  std::function<Answer(const httplib::Request&)> objects = [](const httplib::Request&) {
    return Answer{R"({"objects":[{"id":"indicator--1"}]})", "2026-01-01T00:00:00.123456Z"};
  };

  HttpServer server{[this](const httplib::Request& request, httplib::Response& response) {
    Answer answer{"{}", "", "application/taxii+json;version=2.1", 404};
    if (request.path.ends_with("/objects/")) {
      answer = objects(request);
    } else if (const auto found = pages.find(request.path); found != pages.end()) {
      answer = found->second;
    }
    if (!answer.last.empty()) response.set_header("X-TAXII-Date-Added-Last", answer.last);
    response.status = answer.status;
    response.set_content(answer.body, answer.type);
  }};
  World world;
  std::unique_ptr<Fetcher> fetcher = world.fetcher();
  TaxiiSettings settings = [this] {
    TaxiiSettings s;
    s.url = server.url("/taxii2/");
    s.collection = kId;
    return s;
  }();
  std::vector<std::string> taken;

  core::Expected<TaxiiReading> read(const std::string& added_after = "") {
    taken.clear();
    return read_taxii(*fetcher, settings, added_after, [this](std::string_view envelope) {
      taken.emplace_back(envelope);
      return core::Expected<void>{};
    });
  }
  std::string why(const std::string& added_after = "") { return error_of(read(added_after)); }
  std::vector<std::string> asked_of_objects() const {
    std::vector<std::string> all;
    for (const auto& asked : server.asked()) {
      if (asked.path.find("/objects/") != std::string::npos) all.push_back(asked.path);
    }
    return all;
  }
};

TEST(Taxii, ReadsACollectionAndGivesTheCursor) {
  Taxii taxii;
  taxii.settings.types = {"indicator", "ipv4-addr"};
  const auto read = taxii.read("2025-12-31T00:00:00Z");
  ASSERT_TRUE(read) << error_of(read);
  EXPECT_EQ(read->added_after, "2026-01-01T00:00:00.123456Z");
  EXPECT_EQ(read->pages, 1U);
  EXPECT_EQ(read->objects, 1U);
  EXPECT_EQ(read->collection.title, "High value");
  EXPECT_EQ(taxii.taken, std::vector<std::string>{R"({"objects":[{"id":"indicator--1"}]})"});
  EXPECT_EQ(taxii.asked_of_objects(),
            std::vector<std::string>{kObjects + "?added_after=2025-12-31T00%3A00%3A00Z&limit=1000"
                                                "&match%5Btype%5D=indicator%2Cipv4-addr"});
  for (const auto& asked : taxii.server.asked())
    EXPECT_EQ(asked.header("Accept"), "application/taxii+json;version=2.1");
}

TEST(Taxii, NothingNewLeavesTheCursor) {
  Taxii taxii;
  taxii.objects = [](const httplib::Request&) { return Answer{"{}"}; };
  const auto read = taxii.read("2026-01-01T00:00:00.5Z");
  ASSERT_TRUE(read) << error_of(read);
  EXPECT_EQ(read->added_after, "2026-01-01T00:00:00.5Z");
  EXPECT_TRUE(taxii.taken.empty());
  // An older date than what is had does not take it back.
  taxii.objects = [](const httplib::Request&) { return Answer{R"({"objects":[{}]})", "2020-01-01T00:00:00Z"}; };
  EXPECT_EQ(taxii.read("2026-01-01T00:00:00.5Z")->added_after, "2026-01-01T00:00:00.5Z");
}

TEST(Taxii, PagesByNextWithTheSameQuery) {
  Taxii taxii;
  taxii.settings.page_size = 2;
  taxii.objects = [](const httplib::Request& request) {
    const std::string next = request.get_param_value("next");
    if (next.empty()) return Answer{R"({"more":true,"next":"a&b","objects":[{},{}]})", "2026-01-01T00:00:00Z"};
    if (next == "a&b") return Answer{R"({"more":true,"next":"c","objects":[{},{}]})", "2026-01-02T00:00:00Z"};
    return Answer{R"({"more":false,"next":"a&b","objects":[{}]})", "2026-01-03T00:00:00Z"};
  };
  const auto read = taxii.read("2025-01-01T00:00:00Z");
  ASSERT_TRUE(read) << error_of(read);
  EXPECT_EQ(read->pages, 3U);
  EXPECT_EQ(read->objects, 5U);
  EXPECT_EQ(read->added_after, "2026-01-03T00:00:00Z");
  EXPECT_EQ(taxii.taken.size(), 3U);
  EXPECT_EQ(taxii.asked_of_objects()[1], kObjects + "?added_after=2025-01-01T00%3A00%3A00Z&limit=2&next=a%26b");
}

// As medallion has it: `next` names a session, what was read is gone from it.
TEST(Taxii, ASessionsPagesHaveOneNameAndAreAskedForOnce) {
  Taxii taxii;
  int page = 0, trouble = 0;
  taxii.objects = [&](const httplib::Request&) {
    if (page == 2 && trouble != 0) return Answer{"", "", "application/taxii+json;version=2.1", trouble};
    ++page;
    return Answer{R"({"more":)" + std::string(page < 4 ? "true" : "false") + R"(,"next":"session","objects":[)" +
                      std::to_string(page) + "]}",
                  "2026-01-0" + std::to_string(page) + "T00:00:00Z"};
  };
  const auto read = taxii.read();
  ASSERT_TRUE(read) << error_of(read);
  EXPECT_EQ(read->objects, 4U);
  EXPECT_EQ(read->added_after, "2026-01-04T00:00:00Z");
  page = 0;
  trouble = 500;
  EXPECT_NE(taxii.why().find("HTTP status 500"), std::string::npos);
  EXPECT_TRUE(taxii.world.slept.empty());
  page = 0;
  trouble = 429;
  EXPECT_NE(taxii.why().find("HTTP status 429"), std::string::npos);
  EXPECT_EQ(taxii.world.slept.size(), 3U);
}

TEST(Taxii, PagesByDateWhereThereIsNoNext) {
  Taxii taxii;
  taxii.settings.page_size = 0;
  taxii.objects = [](const httplib::Request& request) {
    const std::string after = request.get_param_value("added_after");
    if (after.empty()) return Answer{R"({"more":true,"objects":[{}]})", "2026-01-01T00:00:00.000001Z"};
    if (after == "2026-01-01T00:00:00.000001Z")
      return Answer{R"({"more":true,"next":null,"objects":[{}]})", "2026-01-01T00:00:00.000002Z"};
    return Answer{R"({"objects":[{}]})", "2026-01-01T00:00:00.000003Z"};
  };
  const auto read = taxii.read();
  ASSERT_TRUE(read) << error_of(read);
  EXPECT_EQ(read->pages, 3U);
  EXPECT_EQ(read->added_after, "2026-01-01T00:00:00.000003Z");
  EXPECT_EQ(taxii.asked_of_objects()[0], kObjects);
}

TEST(Taxii, ALyingServerIsGivenUp) {
  Taxii taxii;
  int page = 0;
  taxii.objects = [&](const httplib::Request&) { return Answer{R"({"more":true,"next":"x","objects":[{}]})"}; };
  EXPECT_NE(taxii.why().find("a page that was read before comes again"), std::string::npos) << taxii.why();
  EXPECT_EQ(taxii.taken.size(), 1U);

  taxii.objects = [&](const httplib::Request&) {  // two that name each other
    return Answer{R"({"more":true,"next":")" + std::string(page++ % 2 == 0 ? "x" : "y") + R"(","objects":[{}]})"};
  };
  EXPECT_NE(taxii.why().find("a page that was read before comes again"), std::string::npos);
  EXPECT_EQ(taxii.taken.size(), 2U);

  taxii.objects = [&](const httplib::Request&) {  // for ever
    return Answer{R"({"more":true,"next":"x","objects":[{},)" + std::to_string(page++) + "]}"};
  };
  taxii.settings.limits.most_pages = 5;
  EXPECT_NE(taxii.why().find("more than 5 pages"), std::string::npos);
  EXPECT_EQ(taxii.taken.size(), 5U);
  taxii.settings.limits.most_pages = 1'000;
  taxii.settings.limits.most_objects = 7;
  EXPECT_NE(taxii.why().find("more than 7 objects"), std::string::npos);
  EXPECT_EQ(taxii.taken.size(), 3U);
  taxii.settings.limits.most_objects = 1'000;
  taxii.settings.limits.most_bytes = 100;
  EXPECT_NE(taxii.why().find("more than 100 bytes"), std::string::npos);
  taxii.settings.limits = {};

  taxii.objects = [&](const httplib::Request&) {  // pages without objects
    return Answer{R"({"more":true,"next":")" + std::to_string(page++) + R"("})"};
  };
  EXPECT_NE(taxii.why().find("4 pages in a row hold nothing"), std::string::npos) << taxii.why();
  EXPECT_TRUE(taxii.taken.empty());

  taxii.objects = [&](const httplib::Request&) {
    return Answer{R"({"more":true,"objects":[)" + std::to_string(page++) + "]}", "2026-01-01T00:00:00Z"};
  };
  EXPECT_NE(taxii.why().find("does not move"), std::string::npos);
  EXPECT_NE(taxii.why("2026-01-01T00:00:00Z").find("does not move"), std::string::npos);
  taxii.objects = [&](const httplib::Request&) { return Answer{R"({"more":true,"objects":[{}]})"}; };
  EXPECT_NE(taxii.why().find("but not where"), std::string::npos);
}

TEST(Taxii, TakesNoLongerThanItsTime) {
  Taxii taxii;
  core::Nanoseconds now = test::kNow;
  FetchEnvironment environment = taxii.world.environment();
  environment.now = [&now] { return now; };
  taxii.fetcher = std::move(*Fetcher::make({}, environment));
  int page = 0;
  taxii.objects = [&](const httplib::Request&) {
    now += 600 * core::kSecond;
    return Answer{R"({"more":true,"next":")" + std::to_string(page++) + R"(","objects":[{}]})"};
  };
  EXPECT_NE(taxii.why().find("longer than 3600 s"), std::string::npos) << taxii.why();
}

TEST(Taxii, ADateOfTheFutureIsNotTakenForTheCursor) {
  Taxii taxii;
  taxii.objects = [](const httplib::Request&) { return Answer{R"({"objects":[{}]})", "9999-12-31T00:00:00Z"}; };
  EXPECT_NE(taxii.why(), "");
  taxii.objects = [](const httplib::Request&) { return Answer{R"({"objects":[{}]})", "2200-01-01T00:00:00Z"}; };
  EXPECT_NE(taxii.why().find("future"), std::string::npos) << taxii.why();
  taxii.objects = [](const httplib::Request&) { return Answer{R"({"objects":[{}]})", "yesterday&limit=1"}; };
  EXPECT_NE(taxii.why().find("is none"), std::string::npos) << taxii.why();
  EXPECT_NE(taxii.why("yesterday").find("damaged"), std::string::npos);
}

TEST(Taxii, AFailureInTheMiddleGivesNoCursor) {
  Taxii taxii;
  taxii.objects = [](const httplib::Request& request) {
    if (request.get_param_value("next").empty())
      return Answer{R"({"more":true,"next":"2","objects":[{}]})", "2026-01-01T00:00:00Z"};
    return Answer{"", "", "application/taxii+json;version=2.1", 403};
  };
  EXPECT_NE(taxii.why().find("HTTP status 403"), std::string::npos);
  EXPECT_EQ(taxii.taken.size(), 1U);
  const auto refused = read_taxii(*taxii.fetcher, taxii.settings, "",
                                  [](std::string_view) -> core::Expected<void> { return core::fail("disk full"); });
  EXPECT_EQ(error_of(refused), "disk full");
}

TEST(Taxii, FindsTheCollectionByIdAliasOrTitle) {
  Taxii taxii;
  for (const std::string& name : {kId, std::string("high"), std::string("High value")}) {
    taxii.settings.collection = name;
    EXPECT_EQ(taxii.why(), "") << name;
    EXPECT_TRUE(taxii.asked_of_objects().back().starts_with(kObjects));
  }
  taxii.settings.collection = "Others";
  EXPECT_EQ(taxii.why(), "");
  EXPECT_TRUE(taxii.asked_of_objects().back().starts_with("/api2/"));
  taxii.settings.collection = "None";
  EXPECT_NE(taxii.why().find("no such collection: None (known: High value, Others)"), std::string::npos) << taxii.why();
  taxii.settings.collection = "";
  EXPECT_NE(taxii.why(), "");
}

TEST(Taxii, FindsTheApiRoot) {
  Taxii taxii;
  taxii.settings.collection = "Others";
  for (const std::string& root :
       {std::string("Second"), std::string("/api2/"), std::string("/api2"), taxii.server.url("/api2/")}) {
    taxii.settings.api_root = root;
    EXPECT_EQ(taxii.why(), "") << root;
  }
  taxii.settings.api_root = "First";
  EXPECT_NE(taxii.why().find("no such collection"), std::string::npos);
  taxii.settings.api_root = "Third";
  EXPECT_NE(taxii.why().find("no API root of that name: Third"), std::string::npos) << taxii.why();
  taxii.settings.api_root = "";
  taxii.settings.url = taxii.server.url("/api2");  // an API root itself, without its slash
  taxii.pages["/api2"] = taxii.pages["/api2/"];
  EXPECT_EQ(taxii.why(), "");
}

TEST(Taxii, ARootThatCannotBeReadDoesNotHideAnother) {
  Taxii taxii;
  taxii.settings.collection = "Others";
  taxii.pages["/api1/collections/"].status = 403;
  EXPECT_EQ(taxii.why(), "");
  EXPECT_EQ(taxii_collections(*taxii.fetcher, taxii.settings)->size(), 1U);
  taxii.settings.collection = "High value";  // may stand in the one that cannot be read
  EXPECT_NE(taxii.why().find("HTTP status 403 (this account may not read"), std::string::npos) << taxii.why();
  taxii.pages["/api2/collections/"].status = 403;
  EXPECT_FALSE(taxii_collections(*taxii.fetcher, taxii.settings));
}

TEST(Taxii, SecretsStayWithTheServerThatTheyAreFor) {
  HttpServer other([](const httplib::Request&, httplib::Response&) {});
  Taxii taxii;
  taxii.pages["/taxii2/"].body = R"({"title":"T","api_roots":[")" + other.url("/api1/") + R"("]})";
  EXPECT_NE(taxii.why().find("of another server only"), std::string::npos) << taxii.why();
  EXPECT_TRUE(other.asked().empty());
  taxii.pages["/taxii2/"].body = R"({"title":"T","api_roots":["file:///etc/passwd",7,""]})";
  EXPECT_NE(taxii.why().find("names no API roots"), std::string::npos);
}

TEST(Taxii, ListsCollections) {
  Taxii taxii;
  taxii.pages["/api1/collections/"].body = R"({"collections":[{"id":".."},{"id":""},7,)" +
                                           collection("a/../b", "Odd", R"(,"media_types":["text/x"])") + "," +
                                           R"({"id":"closed","title":"Closed","can_read":false},)" +
                                           collection("x1", "Twice") + "," + collection("x2", "Twice") + "]}";
  const auto all = taxii_collections(*taxii.fetcher, taxii.settings);
  ASSERT_TRUE(all) << error_of(all);
  ASSERT_EQ(all->size(), 5U);
  EXPECT_EQ((*all)[4].title, "Others");
  EXPECT_FALSE((*all)[1].can_read);
  taxii.settings.collection = "Closed";
  EXPECT_NE(taxii.why().find("may not be read"), std::string::npos);
  taxii.settings.collection = "Twice";
  EXPECT_NE(taxii.why().find("several collections of that name"), std::string::npos);
  taxii.settings.collection = "Odd";
  EXPECT_NE(taxii.why().find("holds no STIX"), std::string::npos);
  taxii.pages["/api1/collections/"].body = R"({"collections":[)" + collection("a/../b", "Odd") + "]}";
  EXPECT_EQ(taxii.why(), "");
  EXPECT_TRUE(taxii.asked_of_objects().back().starts_with("/api1/collections/a%2F..%2Fb/objects/"));
}

TEST(Taxii, StatusesAndMediaTypesAreExplained) {
  Taxii taxii;
  Answer answer{"{}"};
  taxii.objects = [&](const httplib::Request&) { return answer; };
  for (const auto& [status, words] : std::map<int, std::string>{{400, "does not understand"},
                                                                {401, "check the user, token or key"},
                                                                {403, "may not read the collection"},
                                                                {404, "no such API root or collection"},
                                                                {406, "does not speak TAXII 2.1"},
                                                                {416, "page_size"}}) {
    answer.status = status;
    const auto error = taxii.why();
    EXPECT_NE(error.find("HTTP status " + std::to_string(status)), std::string::npos) << error;
    EXPECT_NE(error.find(words), std::string::npos) << error;
  }
  EXPECT_TRUE(taxii.world.slept.empty());
  answer.status = 200;
  for (const auto& [type, words] :
       std::map<std::string, std::string>{{"application/taxii+json", ""},
                                          {"Application/TAXII+JSON; Version=2.1; charset=utf-8", ""},
                                          {"application/taxii+json;version=2.0", "another version"},
                                          {"application/vnd.oasis.taxii+json; version=2.0", "another version"},
                                          {"text/html", "does not answer in TAXII"},
                                          {"application/json", "does not answer in TAXII"}}) {
    answer.type = type;
    const auto error = taxii.why();
    if (words.empty()) {
      EXPECT_EQ(error, "") << type;
    } else {
      EXPECT_NE(error.find(words), std::string::npos) << type << ": " << error;
    }
  }
}

TEST(Taxii, HostileDocumentsAreErrors) {
  Taxii taxii;
  Answer answer;
  taxii.objects = [&](const httplib::Request&) { return answer; };
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("[]"), std::string("7"), std::string(R"({"objects":7})"),
        std::string(R"({"more":"yes"})"), std::string(R"({"more":true,"next":7,"objects":[{}]})"),
        R"({"more":true,"next":")" + std::string(5'000, 'x') + R"(","objects":[{}]})", R"({"objects":)" + deep + "}",
        std::string("{\"objects\":[\"\xff\"]}")}) {
    answer.body = body;
    EXPECT_NE(taxii.why(), "") << body.substr(0, 50);
    EXPECT_TRUE(taxii.taken.empty());
  }
  answer.body = R"({"objects":[")" + std::string(2'000, 'x') + R"("]})";
  taxii.settings.limits.most_page_bytes = 1'000;
  EXPECT_NE(taxii.why().find("larger than 1000 bytes"), std::string::npos) << taxii.why();
  taxii.settings.limits = {};
  for (const char* page : {"/taxii2/", "/api1/collections/"}) {
    Taxii fresh;
    for (const std::string& body : {std::string("7"), std::string("["), deep}) {
      fresh.pages[page].body = body;
      EXPECT_NE(fresh.why(), "") << page << body.substr(0, 10);
    }
  }
}

}  // namespace
}  // namespace orbwatch::intel

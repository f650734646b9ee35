#include "intel/fetch/fetch.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/stat.h>
#include <zlib.h>

#include <atomic>
#include <filesystem>

#include "intel/fetch/fetch_test_util.h"
#include "support/certificates.h"
#include "support/peer.h"
#include "support/temp_dir.h"

namespace orbwatch::intel {
namespace {

namespace fs = std::filesystem;
using orbwatch::test::Client;
using orbwatch::test::Peer;
using orbwatch::test::TempDir;
using std::chrono::milliseconds;
using test::error_of;
using test::HttpServer;
using test::request_of;
using test::World;

std::string gzip(std::string_view text) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// A server that writes these bytes after each request and closes.
Peer::Serve says(std::string bytes) {
  return [bytes = std::move(bytes)](Client& client) {
    while (true) {
      const std::string line = client.line();
      if (line.empty() || line == "\r\n") break;
    }
    client.write(bytes);
  };
}

std::string url_of(const Peer& peer, const std::string& scheme = "http") {
  return scheme + "://127.0.0.1:" + std::to_string(peer.port()) + "/list";
}

FetchSettings small(std::uint64_t most_bytes) {
  FetchSettings s;
  s.limits.most_bytes = most_bytes;
  return s;
}

TEST(Fetch, GivesBodyTypeAndHeaders) {
  HttpServer server([](const httplib::Request&, httplib::Response& response) {
    response.set_header("X-Thing", "one");
    response.set_content("192.0.2.1\n", "text/csv; charset=utf-8");
  });
  World world;
  Request request = request_of(server.url("/list.csv?x=1"));
  request.accept = "text/csv";
  const auto got = world.fetcher()->get(request);
  ASSERT_TRUE(got) << error_of(got);
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "192.0.2.1\n");
  EXPECT_EQ(got->content_type, "text/csv; charset=utf-8");
  EXPECT_EQ(got->header("x-thing"), "one");
  EXPECT_EQ(got->attempts, 1U);
  ASSERT_EQ(server.asked().size(), 1U);
  EXPECT_EQ(server.asked()[0].path, "/list.csv?x=1");
  EXPECT_EQ(server.asked()[0].header("Accept"), "text/csv");
  EXPECT_TRUE(server.asked()[0].header("User-Agent").starts_with("orbwatch/"));
}

TEST(Fetch, AsksConditionally) {
  HttpServer server([](const httplib::Request& request, httplib::Response& response) {
    response.set_header("ETag", "\"v1\"");
    response.set_header("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    if (request.get_header_value("If-None-Match") == "\"v1\"") {
      response.status = 304;
    } else {
      response.set_content("list", "text/plain");
    }
  });
  World world;
  const auto fetcher = world.fetcher();
  Request request = request_of(server.url("/list"));
  const auto first = fetcher->get(request);
  ASSERT_TRUE(first) << error_of(first);
  EXPECT_FALSE(first->not_modified);
  EXPECT_EQ(first->validators.etag, "\"v1\"");
  EXPECT_EQ(first->validators.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
  request.known = first->validators;
  const auto second = fetcher->get(request);
  ASSERT_TRUE(second) << error_of(second);
  EXPECT_TRUE(second->not_modified);
  EXPECT_EQ(second->body, "");
  EXPECT_EQ(second->validators.etag, "\"v1\"");
  EXPECT_EQ(server.asked()[1].header("If-Modified-Since"), "Sun, 06 Nov 1994 08:49:37 GMT");
  // A stored validator cannot bring lines of its own.
  request.known.etag = "x\r\nX-Forged: yes";
  EXPECT_NE(error_of(fetcher->get(request)), "");
  EXPECT_EQ(server.asked().size(), 2U);
}

TEST(Fetch, NotModifiedWithoutAConditionIsAnError) {
  HttpServer server([](const httplib::Request&, httplib::Response& response) { response.status = 304; });
  World world;
  EXPECT_NE(error_of(world.fetcher()->get(request_of(server.url("/x")))).find("not modified"), std::string::npos);
}

TEST(Fetch, ReadsFilesAndSeesThatTheyAreTheSame) {
  const TempDir dir;
  const auto file = dir.write("a list.csv", "192.0.2.1\n");
  World world;
  const auto fetcher = world.fetcher();
  for (const std::string& url : {file.string(), "file://" + (dir.path() / "a%20list.csv").string()}) {
    Request request = request_of(url);
    const auto got = fetcher->get(request);
    ASSERT_TRUE(got) << error_of(got);
    EXPECT_EQ(got->body, "192.0.2.1\n");
    request.known = got->validators;
    const auto same = fetcher->get(request);
    ASSERT_TRUE(same);
    EXPECT_TRUE(same->not_modified);
    fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
    const auto touched = fetcher->get(request);
    ASSERT_TRUE(touched);
    EXPECT_FALSE(touched->not_modified);
    // Another file of the same size and time.
    request.known = touched->validators;
    const auto time = fs::last_write_time(file);
    fs::rename(dir.write("other", "192.0.2.2\n"), file);
    fs::last_write_time(file, time);
    const auto other = fetcher->get(request);
    ASSERT_TRUE(other);
    EXPECT_FALSE(other->not_modified);
    EXPECT_EQ(other->body, "192.0.2.2\n");
    dir.write("a list.csv", "192.0.2.1\n");
  }
}

TEST(Fetch, FilesThatAreNoneAndTooLargeOnesAreRefused) {
  const TempDir dir;
  World world;
  const auto fetcher = world.fetcher(small(9));
  EXPECT_EQ(fetcher->get(request_of(dir.write("nine", "123456789")))->body, "123456789");
  EXPECT_NE(error_of(fetcher->get(request_of(dir.write("ten", "1234567890")))).find("too large"), std::string::npos);
  const auto pipe = dir / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_NE(error_of(fetcher->get(request_of(pipe))).find("no regular file"), std::string::npos);
  EXPECT_NE(error_of(fetcher->get(request_of(dir.path()))).find("no regular file"), std::string::npos);
  Request missing = request_of(dir / "none");
  EXPECT_NE(error_of(fetcher->get(missing)).find("No such file"), std::string::npos);
  missing.also_answers = {404};
  EXPECT_EQ(fetcher->get(missing)->status, 404);
  EXPECT_TRUE(world.slept.empty());
}

// With Content-Length, without it (to the end of the connection), and in chunks.
TEST(Fetch, ABodyThatIsTooLargeIsAborted) {
  const std::string body(200'000, 'x');
  std::string chunks;
  for (int i = 0; i < 20; ++i) chunks += "2710\r\n" + body.substr(0, 10'000) + "\r\n";
  for (const std::string& answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + body, "HTTP/1.1 200 OK\r\n\r\n" + body,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n"}) {
    Peer peer(says(answer));
    World world;
    Request request = request_of(url_of(peer));
    EXPECT_EQ(error_of(world.fetcher(small(100'000))->get(request)),
              url_of(peer) + " was not fetched: the body is larger than 100000 bytes (raise the limit of the feed)");
    request.too_large_is_answer = true;
    const auto answered = world.fetcher(small(100'000))->get(request);
    ASSERT_TRUE(answered) << error_of(answered);
    EXPECT_TRUE(answered->too_large);
    EXPECT_EQ(answered->body, "");
    request.too_large_is_answer = false;
    request.most_bytes = 100'000;  // the request's own bound
    EXPECT_NE(error_of(world.fetcher()->get(request)), "");
    request.most_bytes = 200'000;
    const auto whole = world.fetcher()->get(request);
    ASSERT_TRUE(whole) << error_of(whole);
    EXPECT_EQ(whole->body, body);
    EXPECT_TRUE(world.slept.empty()) << "a body that is too large is not asked for again";
  }
}

TEST(Fetch, GzipIsReadAndABombBounded) {
  const std::string list = "192.0.2.1\n192.0.2.2\n";
  std::string sent = gzip(list) + gzip(list);  // two members
  std::string coding = "gzip";
  HttpServer server([&](const httplib::Request& request, httplib::Response& response) {
    EXPECT_EQ(request.get_header_value("Accept-Encoding"), "gzip");
    response.set_header("Content-Encoding", coding);
    response.set_content(sent, "application/octet-stream");
  });
  World world;
  FetchSettings settings = small(1'000'000);
  settings.retry.most_attempts = 2;
  const auto fetcher = world.fetcher(settings);
  const auto got = fetcher->get(request_of(server.url("/")));
  ASSERT_TRUE(got) << error_of(got);
  EXPECT_EQ(got->body, list + list);
  std::string zeros;
  zeros.resize(50'000'000);
  sent = gzip(zeros);
  ASSERT_LT(sent.size(), 100'000U);
  EXPECT_NE(error_of(fetcher->get(request_of(server.url("/")))).find("larger than 1000000 bytes"), std::string::npos);
  sent = gzip(std::string(1'000'000, 'x'));
  EXPECT_EQ(fetcher->get(request_of(server.url("/")))->body.size(), 1'000'000U);
  sent = gzip(list);
  sent.resize(sent.size() - 4);
  EXPECT_NE(error_of(fetcher->get(request_of(server.url("/")))).find("ends too early"), std::string::npos);
  sent = gzip(list);
  sent[sent.size() - 8] ^= 1;  // its check sum
  EXPECT_NE(error_of(fetcher->get(request_of(server.url("/")))).find("damaged"), std::string::npos);
  sent = gzip(list) + "more";
  EXPECT_NE(error_of(fetcher->get(request_of(server.url("/")))).find("damaged"), std::string::npos);
  sent = gzip(gzip(list));
  coding = "gzip, gzip";
  EXPECT_NE(error_of(fetcher->get(request_of(server.url("/")))).find("coding"), std::string::npos);
  coding = "br";
  EXPECT_NE(error_of(fetcher->get(request_of(server.url("/")))).find("coding"), std::string::npos);
}

TEST(Fetch, ABodyThatEndsTooEarlyIsAskedForAgain) {
  for (const std::string& answer :
       {std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), std::string()}) {
    Peer peer(says(answer));
    World world;
    FetchSettings settings;
    settings.retry.most_attempts = 3;
    const auto error = error_of(world.fetcher(settings)->get(request_of(url_of(peer))));
    EXPECT_NE(error.find("3 attempts"), std::string::npos) << error;
    EXPECT_EQ(peer.connections(), 3);
    ASSERT_EQ(world.slept.size(), 2U);
    EXPECT_GE(world.slept[0], 500);
    EXPECT_LE(world.slept[0], 1'000);
    EXPECT_GE(world.slept[1], 1'000);
    EXPECT_LE(world.slept[1], 2'000);
  }
}

TEST(Fetch, WaitsAreThoseOfTheSeed) {
  std::vector<std::vector<std::int64_t>> all;
  for (int i = 0; i < 2; ++i) {
    Peer peer(says(""));
    World world;
    EXPECT_NE(error_of(world.fetcher()->get(request_of(url_of(peer)))), "");
    all.push_back(world.slept);
  }
  EXPECT_EQ(all[0].size(), 3U);
  EXPECT_EQ(all[0], all[1]);
}

TEST(Fetch, HeadersAreBounded) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 2'000; ++i) many += "X-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n";
  std::string interim;
  for (int i = 0; i < 10'000; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  for (const std::string& answer : {many + "\r\nlist", interim + "HTTP/1.1 200 OK\r\n\r\nlist"}) {
    Peer peer(says(answer));
    World world;
    const auto error = error_of(world.fetcher()->get(request_of(url_of(peer))));
    EXPECT_NE(error.find("header lines are longer than 65536 bytes"), std::string::npos) << error;
  }
}

TEST(Fetch, AServerThatDripsIsGivenUpAtOnce) {
  std::atomic<bool> done = false;
  Peer peer([&](Client& client) {
    client.line();
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    for (int i = 0; i < 300 && !done; ++i) {
      client.write("x");
      std::this_thread::sleep_for(milliseconds(50));
    }
  });
  World world;
  FetchSettings settings;
  settings.limits.low_speed_bytes = 1'000;
  settings.limits.low_speed_time = std::chrono::seconds(1);
  const auto error = error_of(world.fetcher(settings)->get(request_of(url_of(peer))));
  done = true;
  EXPECT_NE(error.find("sends too slowly"), std::string::npos) << error;
  EXPECT_TRUE(world.slept.empty());
}

TEST(Fetch, HasATimeForAllAndOneForConnecting) {
  std::atomic<bool> done = false;
  Peer silent([&](Client& client) {
    client.line();
    while (!done) std::this_thread::sleep_for(milliseconds(5));
  });
  World world;
  FetchSettings settings;
  settings.retry.most_attempts = 1;
  settings.limits.total_timeout = milliseconds(200);
  EXPECT_NE(error_of(world.fetcher(settings)->get(request_of(url_of(silent)))).find("the time is over"),
            std::string::npos);
  settings.limits.total_timeout = milliseconds(600'000);  // longer than the test may take
  settings.limits.connect_timeout = milliseconds(200);
  EXPECT_NE(error_of(world.fetcher(settings)->get(request_of(url_of(silent, "https")))).find("the time is over"),
            std::string::npos);
  done = true;
}

TEST(Fetch, TooManyRequestsAndTroubleAreTriedAgain) {
  std::vector<int> statuses = {503, 429, 500, 200};
  std::size_t calls = 0;
  HttpServer server([&](const httplib::Request&, httplib::Response& response) {
    response.status = statuses[std::min(calls++, statuses.size() - 1)];
    if (response.status == 429) response.set_header("Retry-After", "90");
    if (response.status == 503) response.set_header("Retry-After", "Thu, 28 May 2026 20:27:40 GMT");  // kNow + 60 s
    response.set_content("list", "text/plain");
  });
  World world;
  const auto got = world.fetcher()->get(request_of(server.url("/")));
  ASSERT_TRUE(got) << error_of(got);
  EXPECT_EQ(got->attempts, 4U);
  ASSERT_EQ(world.slept.size(), 3U);
  EXPECT_EQ(world.slept[0], 60'000);
  EXPECT_EQ(world.slept[1], 90'000);
  EXPECT_LE(world.slept[2], 4'000);

  calls = 0;
  statuses = {500};
  EXPECT_NE(error_of(world.fetcher()->get(request_of(server.url("/")))).find("HTTP status 500, 4 attempts"),
            std::string::npos);
  EXPECT_EQ(calls, 4U);
}

TEST(Fetch, AServerThatWantsALongWaitIsGivenUp) {
  HttpServer server([&](const httplib::Request&, httplib::Response& response) {
    response.status = 429;
    response.set_header("Retry-After", "3600");
  });
  World world;
  const auto error = error_of(world.fetcher()->get(request_of(server.url("/"))));
  EXPECT_NE(error.find("asked again in 3600 s"), std::string::npos) << error;
  EXPECT_TRUE(world.slept.empty());
  EXPECT_EQ(server.asked().size(), 1U);
}

TEST(Fetch, OtherErrorsOfTheRequestAreNotTriedAgain) {
  int status = 0;
  HttpServer server([&](const httplib::Request&, httplib::Response& response) {
    response.status = status;
    response.set_content(std::string(1'000'000, 'x'), "text/html");  // the page is of no interest
  });
  World world;
  const auto fetcher = world.fetcher(small(1'000));
  for (const int code : {400, 401, 403, 404, 406, 410, 418, 206, 202}) {
    status = code;
    const auto error = error_of(fetcher->get(request_of(server.url("/x"))));
    EXPECT_NE(error.find("HTTP status " + std::to_string(code)), std::string::npos) << error;
  }
  EXPECT_TRUE(world.slept.empty());
  EXPECT_EQ(server.asked().size(), 9U);
  status = 404;
  Request request = request_of(server.url("/x"));
  request.hint = [](int seen) { return seen == 404 ? "no such collection" : ""; };
  EXPECT_NE(error_of(fetcher->get(request)).find("(no such collection)"), std::string::npos);
  request.also_answers = {404};
  request.too_large_is_answer = true;
  EXPECT_EQ(fetcher->get(request)->status, 404);
}

TEST(Fetch, RedirectsAreFewAndSafe) {
  std::string to;
  HttpServer other(
      [](const httplib::Request&, httplib::Response& response) { response.set_content("elsewhere", "text/plain"); });
  HttpServer server([&](const httplib::Request& request, httplib::Response& response) {
    if (request.path == "/end") {
      response.set_content("end", "text/plain");
    } else {
      response.status = 302;
      response.set_header("Location", to);
    }
  });
  World world;
  world.variable = "hush";
  FetchSettings settings;
  settings.authentication = FetchSettings::Authentication::kHeader;
  settings.header = "X-Api-Key";
  settings.secret_variable = "KEY";
  const auto fetcher = world.fetcher(settings);
  to = "end";
  const auto relative = fetcher->get(request_of(server.url("/begin")));
  ASSERT_TRUE(relative) << error_of(relative);
  EXPECT_EQ(relative->body, "end");
  EXPECT_EQ(relative->redirects, 1U);
  EXPECT_EQ(server.asked()[1].header("X-Api-Key"), "hush") << "the same origin is told the key";
  to = other.url("/x");
  EXPECT_EQ(fetcher->get(request_of(server.url("/begin")))->body, "elsewhere");
  EXPECT_EQ(other.asked()[0].header("X-Api-Key"), "") << "another origin is not";

  to = "/begin";  // for ever
  const auto before = server.asked().size();
  EXPECT_NE(error_of(fetcher->get(request_of(server.url("/begin")))).find("redirects more than 3 times"),
            std::string::npos);
  EXPECT_EQ(server.asked().size() - before, 4U);
  const TempDir dir;
  for (const std::string& wrong : {"file://" + dir.write("own", "own").string(), std::string("gopher://127.0.0.1/"),
                                   std::string("http://user:hush@127.0.0.1/"), std::string()}) {
    to = wrong;
    const auto error = error_of(fetcher->get(request_of(server.url("/begin"))));
    EXPECT_NE(error.find("redirects to nowhere good"), std::string::npos) << error;
    EXPECT_EQ(error.find("hush"), std::string::npos) << error;
  }
  EXPECT_TRUE(world.slept.empty());
}

TEST(Fetch, AuthenticatesAndNeverShowsTheSecret) {
  int status = 200;
  HttpServer server([&](const httplib::Request&, httplib::Response& response) {
    response.status = status;
    response.set_content("list", "text/plain");
  });
  World world;
  const TempDir dir;
  const auto file = dir.write("secret", "hush\n");
  fs::permissions(file, fs::perms::owner_read);
  using Authentication = FetchSettings::Authentication;
  struct Case {
    Authentication kind;
    const char *user, *header, *sent_as, *sent;
  };
  for (const Case& c : {Case{Authentication::kBasic, "ann", "", "Authorization", "Basic YW5uOmh1c2g="},
                        Case{Authentication::kBearer, "", "", "Authorization", "Bearer hush"},
                        Case{Authentication::kHeader, "", "X-API-Key", "X-API-Key", "hush"}}) {
    FetchSettings settings;
    settings.authentication = c.kind;
    settings.user = c.user;
    settings.header = c.header;
    settings.secret_file = file;
    const auto fetcher = world.fetcher(settings);
    status = 200;
    EXPECT_EQ(error_of(fetcher->get(request_of(server.url("/")))), "");
    EXPECT_EQ(server.asked().back().header(c.sent_as), c.sent);
    status = 401;
    const auto error = error_of(fetcher->get(request_of(server.url("/?token=hush"))));
    EXPECT_EQ(error,
              server.url("/?...") + " was not fetched: HTTP status 401 (check the user, token or key of the feed)");
    EXPECT_NE(error_of(fetcher->get(request_of("http://feeds.example/x"))).find("by https only"), std::string::npos);
  }
}

TEST(Fetch, SettingsAreChecked) {
  World world;
  using Authentication = FetchSettings::Authentication;
  const auto wrong = [&](const std::function<void(FetchSettings&)>& change) {
    FetchSettings settings;
    change(settings);
    return error_of(Fetcher::make(settings, world.environment()));
  };
  EXPECT_EQ(wrong([](FetchSettings&) {}), "");
  world.variable = "hu\nsh";
  EXPECT_EQ(wrong([](FetchSettings& s) {
              s.authentication = Authentication::kBearer;
              s.secret_variable = "FEED_KEY";
            }),
            "the secret in the variable FEED_KEY holds control characters");
  world.variable = "";
  EXPECT_NE(wrong([](FetchSettings& s) {
              s.authentication = Authentication::kBearer;
              s.secret_variable = "FEED_KEY";
            }),
            "");
  world.variable = "hush";
  const std::vector<std::function<void(FetchSettings&)>> changes = {
      [](FetchSettings& s) { s.authentication = Authentication::kBearer; },
      [](FetchSettings& s) { s.secret_variable = "K"; },
      [](FetchSettings& s) { s.authentication = Authentication::kBasic, s.secret_variable = "K"; },
      [](FetchSettings& s) { s.authentication = Authentication::kBasic, s.secret_variable = "K", s.user = "a:b"; },
      [](FetchSettings& s) { s.authentication = Authentication::kHeader, s.secret_variable = "K"; },
      [](FetchSettings& s) { s.authentication = Authentication::kHeader, s.secret_variable = "K", s.header = "Host"; },
      [](FetchSettings& s) { s.authentication = Authentication::kHeader, s.secret_variable = "K", s.header = "A: b"; },
      [](FetchSettings& s) { s.authentication = Authentication::kBearer, s.secret_file = "/nowhere/secret"; },
      [](FetchSettings& s) { s.certificate_file = "a.pem"; },
      [](FetchSettings& s) { s.proxy = "socks5://127.0.0.1"; },
      [](FetchSettings& s) { s.proxy = "http://user:hush@127.0.0.1:3128"; },
      [](FetchSettings& s) { s.limits.most_bytes = 0; },
      [](FetchSettings& s) { s.retry.most_attempts = 0; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const std::string error = wrong(changes[i]);
    EXPECT_NE(error, "") << i;
    EXPECT_EQ(error.find("hush"), std::string::npos) << error;
  }
}

TEST(Fetch, NobodyThereIsTriedAgainAndExplained) {
  unsigned port = 0;
  ::close(orbwatch::test::bound_socket(SOCK_STREAM, port));
  World world;
  const auto error = error_of(world.fetcher()->get(request_of("http://127.0.0.1:" + std::to_string(port) + "/")));
  EXPECT_NE(error.find("4 attempts (check the port"), std::string::npos) << error;
  EXPECT_EQ(world.slept.size(), 3U);
  const auto unknown = error_of(world.fetcher()->get(request_of("http://nowhere.invalid/list")));
  EXPECT_NE(unknown.find("nowhere.invalid"), std::string::npos) << unknown;
}

TEST(Fetch, GoesThroughAProxy) {
  HttpServer proxy(
      [](const httplib::Request&, httplib::Response& response) { response.set_content("by the proxy", "text/plain"); });
  World world;
  FetchSettings settings;
  settings.proxy = proxy.url("");
  const auto got = world.fetcher(settings)->get(request_of("http://feeds.example.invalid/list"));
  ASSERT_TRUE(got) << error_of(got);
  EXPECT_EQ(got->body, "by the proxy");
  world.variable = "hush";
  settings.authentication = FetchSettings::Authentication::kBearer;
  settings.secret_variable = "KEY";
  EXPECT_NE(error_of(world.fetcher(settings)->get(request_of("http://localhost/list"))).find("by https only"),
            std::string::npos)
      << "a proxy would see the secret";
}

TEST(Fetch, EndsWhenItIsStopped) {
  std::stop_source stop;
  Peer peer([&](Client& client) {
    client.line();
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    stop.request_stop();
    while (!client.line().empty()) {
    }
  });
  World world;
  const auto error = error_of(world.fetcher()->get(request_of(url_of(peer)), stop.get_token()));
  EXPECT_NE(error.find("stopped"), std::string::npos) << error;
  EXPECT_TRUE(world.slept.empty());
  FetchSettings settings;
  settings.retry.first_wait = settings.retry.longest_wait = milliseconds(3'600'000);
  std::stop_source during_the_wait;
  Peer broken([&](Client& client) {
    client.line();
    std::thread([&] { during_the_wait.request_stop(); }).join();
  });
  const auto real = Fetcher::make(settings);
  ASSERT_TRUE(real);
  EXPECT_NE(error_of((*real)->get(request_of(url_of(broken)), during_the_wait.get_token())), "");
}

class FetchTls : public testing::Test {
 protected:
  FetchTls() {
    server_.write(dir_ / "server.pem", dir_ / "server.key");
    client_.write(dir_ / "client.pem", dir_ / "client.key");
    authority_.write(dir_ / "ca.pem", dir_ / "ca.key");
    settings_.ca_file = dir_ / "ca.pem";
  }
  std::unique_ptr<httplib::Server> tls(bool wants_certificate) const {
    const std::string ca = (dir_ / "ca.pem").string();
    return std::make_unique<httplib::SSLServer>((dir_ / "server.pem").c_str(), (dir_ / "server.key").c_str(),
                                                wants_certificate ? ca.c_str() : nullptr);
  }
  TempDir dir_;
  orbwatch::test::Issued authority_ = orbwatch::test::issue("authority", "", nullptr);
  orbwatch::test::Issued server_ = orbwatch::test::issue("localhost", "DNS:localhost,IP:127.0.0.1", &authority_);
  orbwatch::test::Issued client_ = orbwatch::test::issue("reader", "DNS:reader", &authority_);
  FetchSettings settings_;
  World world_;
};

const HttpServer::Answer kList = [](const httplib::Request&, httplib::Response& response) {
  response.set_content("list", "text/plain");
};

TEST_F(FetchTls, ChecksTheServer) {
  HttpServer server(kList, tls(false));
  const auto got = world_.fetcher(settings_)->get(request_of(server.url("/", "https")));
  ASSERT_TRUE(got) << error_of(got);
  EXPECT_EQ(got->body, "list");
  const auto unknown = error_of(world_.fetcher()->get(request_of(server.url("/", "https"))));
  EXPECT_NE(unknown.find("ca_file"), std::string::npos) << unknown;
  // The certificate is of another name.
  const auto stranger =
      error_of(world_.fetcher(settings_)->get(request_of("https://127.0.0.2:" + std::to_string(server.port()) + "/")));
  EXPECT_NE(stranger, "");
  settings_.ca_file = dir_ / "none.pem";
  EXPECT_NE(error_of(world_.fetcher(settings_)->get(request_of(server.url("/", "https")))).find("check ca_file"),
            std::string::npos);
}

TEST_F(FetchTls, ShowsTheClientsCertificateToItsOriginOnly) {
  HttpServer server(kList, tls(true));
  settings_.retry.most_attempts = 1;
  EXPECT_NE(error_of(world_.fetcher(settings_)->get(request_of(server.url("/", "https")))), "");
  settings_.certificate_file = dir_ / "client.pem";
  settings_.key_file = dir_ / "client.key";
  EXPECT_EQ(error_of(world_.fetcher(settings_)->get(request_of(server.url("/", "https")))), "");
  HttpServer other(
      [&](const httplib::Request&, httplib::Response& response) {
        response.status = 302;
        response.set_header("Location", server.url("/", "https"));
      },
      tls(false));
  EXPECT_NE(error_of(world_.fetcher(settings_)->get(request_of(other.url("/", "https")))), "");
  settings_.key_file = dir_ / "server.key";  // not of this certificate
  EXPECT_NE(error_of(world_.fetcher(settings_)->get(request_of(server.url("/", "https")))).find("key_file"),
            std::string::npos);
}

TEST_F(FetchTls, NeverRedirectsToPlainHttp) {
  HttpServer plain(kList);
  HttpServer server(
      [&](const httplib::Request&, httplib::Response& response) {
        response.status = 301;
        response.set_header("Location", plain.url("/list"));
      },
      tls(false));
  const auto error = error_of(world_.fetcher(settings_)->get(request_of(server.url("/", "https"))));
  EXPECT_NE(error.find("redirects from https to http"), std::string::npos) << error;
  EXPECT_TRUE(plain.asked().empty());
  HttpServer upwards([&](const httplib::Request&, httplib::Response& response) {
    response.status = 301;
    response.set_header("Location", "https://127.0.0.1:" + std::to_string(server.port()) + "/");
  });
  EXPECT_NE(error_of(world_.fetcher(settings_)->get(request_of(upwards.url("/")))).find("from https to http"),
            std::string::npos)
      << "upwards is allowed, from there downwards not";
}

}  // namespace
}  // namespace orbwatch::intel

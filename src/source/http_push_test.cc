#include "source/http_push.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>

#include "source/collector_test_util.h"
#include "source/source_test_util.h"
#include "source/tls_test_util.h"

namespace orbwatch::source {
namespace {

using test::connect_to;
using test::eventually;
using test::MemoryIntake;
using test::Said;
using test::send_all;

const httplib::Headers kToken = {{"Authorization", "Splunk right"}};

HttpOptions local() {
  HttpOptions options;
  options.source = 11;
  options.listen = test::loopback();
  options.connections = 8;
  return options;
}

struct Server {
  explicit Server(const HttpOptions& options)
      : collector(
            make_http_push(options, [](std::string_view token) { return token == "right"; }, intake, said.log())) {
    const auto started = collector->start();
    EXPECT_TRUE(started) << (started ? "" : started.error().text());
  }
  httplib::Client client() const {
    httplib::Client client("127.0.0.1", collector->port());
    client.set_tcp_nodelay(true);
    return client;
  }
  Counters counters() const { return collector->counters(); }

  // Status and body of the answer; status 0: none came.
  std::pair<int, std::string> post(const std::string& path, const std::string& body,
                                   const httplib::Headers& headers = kToken) const {
    auto http = client();
    const auto result = http.Post(path, headers, body, "text/plain");
    return result ? std::pair(result->status, result->body) : std::pair(0, std::string());
  }

  MemoryIntake intake;
  Said said;
  std::unique_ptr<Collector> collector;
};

using Reply = std::pair<int, std::string>;
const Reply kOk = {200, R"({"text":"Success","code":0})"};

httplib::Headers with(httplib::Headers headers, const std::string& name, const std::string& value) {
  headers.emplace(name, value);
  return headers;
}

// What comes back for the very bytes, until the server closes.
std::string raw(std::uint16_t port, std::string_view bytes) {
  const auto socket = connect_to(SOCK_STREAM, port);
  send_all(socket.get(), bytes);
  std::string reply;
  char piece[4096];
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd wait{socket.get(), POLLIN, 0};
    if (::poll(&wait, 1, 1000) <= 0) continue;
    const ssize_t n = ::recv(socket.get(), piece, sizeof piece, 0);
    if (n <= 0) return reply;
    reply.append(piece, static_cast<std::size_t>(n));
  }
  ADD_FAILURE() << "the connection stays open";
  return reply;
}

TEST(HttpPush, IngestTakesLines) {
  Server server(local());
  EXPECT_EQ(server.post("/ingest", "<13>one\r\n\n<13>two\n<13>three"), kOk);
  EXPECT_EQ(server.intake.bytes(), "<13>one\n<13>two\n<13>three\n");
  const auto stored = server.intake.stored();
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].arrival.source, 11u);
  EXPECT_EQ(stored[0].arrival.kind, ArrivalKind::kLines);
  EXPECT_EQ(stored[0].arrival.peer.text(), "127.0.0.1");
  EXPECT_EQ(stored[0].arrival.stream, 0u);
  EXPECT_EQ(server.counters().records, 3u);
  EXPECT_EQ(server.counters().empty, 1u);
  EXPECT_EQ(server.counters().bytes, server.intake.bytes().size());
  EXPECT_TRUE(eventually([&] { return server.counters().requests == 1; }));  // counted once it is answered
}

TEST(HttpPush, LargeBodiesBecomeSeveralArrivalsOfOneCall) {
  Server server(local());
  std::string body;
  for (int i = 0; body.size() < 5'000'000; ++i) body += "<13>record " + std::to_string(i) + "\n";
  EXPECT_EQ(server.post("/ingest", body, with(kToken, "Idempotency-Key", "large")), kOk);
  EXPECT_TRUE(server.intake.bytes() == body);
  EXPECT_EQ(server.intake.calls(), 1u);
  const auto stored = server.intake.stored();
  ASSERT_GE(stored.size(), 5u);
  std::uint64_t before = 0;
  for (const auto& each : stored) {
    EXPECT_GT(each.arrival.position, before);
    before = each.arrival.position;
  }
  EXPECT_EQ(before, body.size());
}

TEST(HttpPush, TokensAreAskedFor) {
  Server server(local());
  EXPECT_EQ(server.post("/ingest", "x", {}), Reply(401, R"({"text":"Token is required","code":2})"));
  EXPECT_EQ(server.post("/ingest", "x", {{"Authorization", "Splunk"}}).first, 401);
  EXPECT_EQ(server.post("/ingest", "x", {{"Authorization", "Basic cmlnaHQ="}}),
            Reply(401, R"({"text":"Invalid authorization","code":3})"));
  EXPECT_EQ(server.post("/services/collector", "{}", {{"Authorization", "Splunk wrong"}}),
            Reply(403, R"({"text":"Invalid token","code":4})"));
  EXPECT_EQ(server.counters().unauthorized, 4u);
  EXPECT_EQ(server.intake.calls(), 0u);
  EXPECT_EQ(server.post("/ingest", "x", {{"Authorization", "Bearer right"}}), kOk);
  EXPECT_EQ(server.post("/ingest", "x", {{"Authorization", "splunk  right "}}), kOk);
  EXPECT_TRUE(server.said.has("without a valid token"));
  EXPECT_FALSE(server.said.has("wrong")) << "tokens are secret";
}

TEST(HttpPush, HecEventsAreRecordsWithTheirEnvelope) {
  Server server(local());
  const std::string one = R"({"time":1795305600.5,"host":"fw1","event":"<13>text with } and \" in it"})";
  const std::string two = R"({"event":{"a":[1,{"b":2}]},"fields":{"c":"d"}})";
  std::string body = one;
  for (const std::string& part : {two, std::string("\n \r\n"), one}) body += part;
  for (const std::string path : {"/services/collector", "/services/collector/event", "/services/collector/event/1.0"}) {
    EXPECT_EQ(server.post(path, body), kOk);
  }
  EXPECT_EQ(server.intake.lines(), (std::vector<std::string>{one, two, one, one, two, one, one, two, one}));
  server.intake.forget_records();
  EXPECT_EQ(server.post("/services/collector", "{\n  \"event\":\r\n \"pretty\"\n}\n"), kOk);
  EXPECT_EQ(server.intake.bytes(), "{   \"event\":   \"pretty\" }\n");
}

TEST(HttpPush, HecSaysWhatIsWrong) {
  Server server(local());
  const auto said = [&](const std::string& body) { return server.post("/services/collector/event", body); };
  EXPECT_EQ(said(""), Reply(400, R"({"text":"No data","code":5})"));
  EXPECT_EQ(said(" \n"), Reply(400, R"({"text":"No data","code":5})"));
  EXPECT_EQ(said("text"), Reply(400, R"({"text":"Invalid data format","code":6,"invalid-event-number":0})"));
  EXPECT_EQ(said(R"({"event":"a"}{"event":tru})"),
            Reply(400, R"({"text":"Invalid data format","code":6,"invalid-event-number":1})"));
  EXPECT_EQ(said(R"({"event":"a"}{"event":"b")").first, 400);
  EXPECT_EQ(said(R"([{"event":"a"}])").first, 400);
  EXPECT_EQ(said(R"({"host":"a"})"),
            Reply(400, R"({"text":"Event field is required","code":12,"invalid-event-number":0})"));
  EXPECT_EQ(said(R"({"event":""})").second,
            R"({"text":"Event field cannot be blank","code":13,"invalid-event-number":0})");
  EXPECT_EQ(said("{\"event\":\"" + std::string(kMostArrival, 'x') + "\"}").first, 413);
  EXPECT_EQ(said("{\"event\":" + std::string(100'000, '[')).first, 400);
  EXPECT_EQ(said("{\"event\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}").first, 400);
  EXPECT_EQ(server.intake.calls(), 0u) << "a request is taken as a whole or not at all";
  EXPECT_EQ(server.counters().invalid, 10u);
  EXPECT_EQ(server.counters().refused, 1u);
}

TEST(HttpPush, HecRaw) {
  Server server(local());
  EXPECT_EQ(server.post("/services/collector/raw?channel=1&sourcetype=syslog", "<13>one\n<13>two\n"), kOk);
  EXPECT_EQ(server.post("/services/collector/raw/1.0", "<13>three"), kOk);
  EXPECT_EQ(server.intake.bytes(), "<13>one\n<13>two\n<13>three\n");
  EXPECT_EQ(server.post("/services/collector/raw", "\n"), Reply(400, R"({"text":"No data","code":5})"));
  EXPECT_EQ(server.post("/services/collector/ack", "{}"), Reply(400, R"({"text":"ACK is disabled","code":14})"));
}

TEST(HttpPush, AFullIntakeIsBusyAndUnhealthy) {
  Server server(local());
  auto http = server.client();
  EXPECT_EQ(http.Get("/services/collector/health")->body, R"({"text":"HEC is healthy","code":17})");
  server.intake.answer(Intake::Taken::kFull);
  const auto result = http.Post("/ingest", kToken, "x", "text/plain");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 503);
  EXPECT_EQ(result->body, R"({"text":"Server is busy","code":9})");
  EXPECT_FALSE(result->get_header_value("Retry-After").empty());
  EXPECT_EQ(http.Get("/services/collector/health")->status, 503);
  server.intake.answer(Intake::Taken::kFailed);
  EXPECT_EQ(server.post("/ingest", "x"), Reply(500, R"({"text":"Internal server error","code":8})"));
  server.intake.answer(Intake::Taken::kYes);
  EXPECT_EQ(server.post("/ingest", "x"), kOk);
  EXPECT_EQ(http.Get("/services/collector/health/1.0")->status, 200);
  EXPECT_EQ(server.counters().intake_full, 1u);
  EXPECT_EQ(server.counters().intake_failed, 1u);
  EXPECT_EQ(server.counters().records, 1u);
}

TEST(HttpPush, AKeyIsTakenOnce) {
  Server server(local());
  const auto key = with(kToken, "Idempotency-Key", "7f0a");
  server.intake.answer(Intake::Taken::kFull);
  EXPECT_EQ(server.post("/ingest", "<13>one\n", key).first, 503);
  server.intake.answer(Intake::Taken::kYes);
  EXPECT_EQ(server.post("/ingest", "<13>one\n", key), kOk);
  EXPECT_EQ(server.post("/ingest", "<13>one\n", key), kOk);
  EXPECT_EQ(server.post("/ingest", "<13>another\n", key).first, 422);
  EXPECT_EQ(server.intake.bytes(), "<13>one\n");
  EXPECT_EQ(server.counters().repeated, 1u);
  EXPECT_EQ(server.post("/ingest", "<13>two\n", with(kToken, "Idempotency-Key", "7f0b")), kOk);
  EXPECT_EQ(server.post("/ingest", "<13>x\n", with(kToken, "Idempotency-Key", std::string(300, 'k'))).first, 400);
  EXPECT_EQ(server.intake.lines().size(), 2u);
}

// What a kill in the middle of take() leaves: the first part of a request that was not answered.
TEST(HttpPush, ARequestThatWasTakenInPartIsCompleted) {
  std::string body;
  for (int i = 0; body.size() < 3'000'000; ++i) body += "<13>record " + std::to_string(i) + "\n";
  const auto key = with(kToken, "Idempotency-Key", "7f0a");
  Server server(local());
  EXPECT_EQ(server.post("/ingest", body, key), kOk);
  const auto stored = server.intake.stored();
  ASSERT_GE(stored.size(), 3u);
  Arrival part = stored[0].arrival;
  part.bytes = stored[0].bytes;
  Server other(local());
  ASSERT_EQ(other.intake.take({&part, 1}), Intake::Taken::kYes);
  EXPECT_EQ(other.post("/ingest", body, key), kOk);
  EXPECT_TRUE(other.intake.bytes() == body);
  EXPECT_EQ(other.post("/ingest", body, key), kOk);
  EXPECT_EQ(other.counters().repeated, 1u);
}

TEST(HttpPush, AKeyThatIsJustBeingTakenIsAConflict) {
  Server server(local());
  const auto key = with(kToken, "Idempotency-Key", "7f0a");
  server.intake.close(true);
  std::thread first([&] { EXPECT_EQ(server.post("/ingest", "<13>one\n", key), kOk); });
  EXPECT_TRUE(eventually([&] { return server.intake.waiting() == 1; }));
  EXPECT_EQ(server.post("/ingest", "<13>one\n", key).first, 409);
  server.intake.close(false);
  first.join();
  EXPECT_EQ(server.post("/ingest", "<13>one\n", key), kOk);
  EXPECT_EQ(server.intake.bytes(), "<13>one\n");
}

TEST(HttpPush, GzipIsDecompressedWithinLimits) {
  HttpOptions options = local();
  options.most_body = 100'000;
  Server server(options);
  const auto gzip = with(kToken, "Content-Encoding", "gzip");
  EXPECT_EQ(server.post("/ingest", test::gzip("<13>one\n") + test::gzip("<13>two\n"), gzip), kOk);
  EXPECT_EQ(server.intake.bytes(), "<13>one\n<13>two\n");
  EXPECT_EQ(server.post("/services/collector", test::gzip(R"({"event":"a"})"), gzip), kOk);
  server.intake.forget_records();
  // A bomb: hundreds of times as large as it seems.
  const std::string bomb = test::gzip(std::string(5'000'000, 'x'));
  ASSERT_LT(bomb.size(), options.most_body);
  EXPECT_EQ(server.post("/ingest", bomb, gzip).first, 413);
  const std::string whole = test::gzip(test::log_text(500));
  EXPECT_EQ(server.post("/ingest", whole.substr(0, whole.size() / 2), gzip).first, 400);
  EXPECT_EQ(server.post("/ingest", "<13>not gzip", gzip).first, 400);
  EXPECT_EQ(server.post("/ingest", test::gzip(test::gzip("twice")), gzip).first, 400);
  for (const std::string encoding : {"br", "deflate", "zstd", "gzip, gzip"}) {
    EXPECT_EQ(server.post("/ingest", "x", with(kToken, "Content-Encoding", encoding)).first, 415) << encoding;
  }
  EXPECT_EQ(server.intake.bytes(), "");
}

TEST(HttpPush, BodiesAreLimited) {
  HttpOptions options = local();
  options.most_body = 100'000;
  options.longest_record = 1000;
  Server server(options);
  EXPECT_EQ(server.post("/ingest", std::string(5000, 'x') + "\nshort\n"), kOk);
  EXPECT_EQ(server.intake.bytes(), std::string(1000, 'x') + "\nshort\n");
  EXPECT_EQ(server.counters().oversize, 1u);
  EXPECT_EQ(server.post("/ingest", std::string(100'001, 'x')).first, 413);
  // Chunked, so that the length is not known at first.
  auto http = server.client();
  const auto result = http.Post(
      "/ingest", kToken,
      [](std::size_t offset, httplib::DataSink& sink) {
        const std::string piece(10'000, 'y');
        if (offset < 300'000) {
          sink.write(piece.data(), piece.size());
        } else {
          sink.done();
        }
        return true;
      },
      "text/plain");
  EXPECT_TRUE(!result || result->status == 413);
  ASSERT_TRUE(eventually([&] { return server.counters().refused == 2; }));
  const auto small = http.Post(
      "/ingest", kToken,
      [](std::size_t /*offset*/, httplib::DataSink& sink) {
        sink.write("chunked\n", 8);
        sink.done();
        return true;
      },
      "text/plain");
  ASSERT_TRUE(small);
  EXPECT_EQ(small->status, 200);
  EXPECT_EQ(server.intake.lines().back(), "chunked");
}

TEST(HttpPush, AllBodiesTogetherAreLimited) {
  HttpOptions options = local();
  options.most_in_flight = 500'000;
  Server server(options);
  EXPECT_EQ(server.post("/ingest", std::string(400'000, 'x')).first, 503);
  EXPECT_EQ(server.post("/ingest", std::string(200'000, 'x')), kOk);
  EXPECT_EQ(server.post("/ingest", std::string(200'000, 'x')), kOk) << "what was held is given back";
}

TEST(HttpPush, OtherPathsMethodsAndForms) {
  Server server(local());
  EXPECT_EQ(server.post("/other", "x").first, 404);
  EXPECT_EQ(server.post("/", "x").first, 404);
  EXPECT_EQ(server.post("/ingest/", "x").first, 404);
  auto http = server.client();
  EXPECT_EQ(http.Get("/ingest", kToken)->status, 405);
  EXPECT_EQ(http.Put("/ingest", kToken, "x", "text/plain")->status, 405);
  EXPECT_EQ(server.client().Post("/ingest", kToken, httplib::MultipartFormDataItems{{"a", "b", "c", "d"}})->status,
            415);
  EXPECT_EQ(server.intake.calls(), 0u);
}

TEST(HttpPush, AConnectionCarriesManyRequests) {
  Server server(local());
  auto http = server.client();
  http.set_keep_alive(true);
  for (int i = 0; i < 100; ++i) {
    const auto result = http.Post("/ingest", kToken, "<13>" + std::to_string(i), "text/plain");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 200);
  }
  EXPECT_EQ(server.intake.lines().size(), 100u);
  EXPECT_EQ(server.counters().connections, 1u);
}

TEST(HttpPush, HostileRequestsAreAnsweredOrClosed) {
  HttpOptions options = local();
  options.request = std::chrono::seconds(1);
  options.idle = std::chrono::seconds(1);
  Server server(options);
  const std::uint16_t port = server.collector->port();
  const std::string head = "POST /ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Splunk right\r\n";
  raw(port, "");
  raw(port, "no HTTP\r\n\r\n");
  std::string endless;
  endless.resize(10'000'000, 'a');
  raw(port, endless);
  raw(port, "POST /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n");
  raw(port, "GET /ingest HTTP/1.1\r\nRange: bytes=" + std::string(8000, '1') + "-\r\n\r\n");
  std::string ranges = "0-1";
  while (ranges.size() < 8000) ranges += ",0-1";
  raw(port, "GET /ingest HTTP/1.1\r\nRange: bytes=" + ranges + "\r\n\r\n");
  std::string many = head;
  while (many.size() < 200'000) many += "X: y\r\n";
  raw(port, many + "\r\n");
  EXPECT_NE(raw(port, head + "\r\n").find(" 411 "), std::string::npos);
  EXPECT_NE(raw(port, head + "Content-Length: -5\r\n\r\nabc").find(" 400 "), std::string::npos);
  EXPECT_NE(raw(port, head + "Content-Length: 99999999999999999999\r\n\r\nabc").find(" 400 "), std::string::npos);
  // The body stays away.
  raw(port, head + "Content-Length: 100\r\n\r\nabc");
  raw(port, head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  raw(port, head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nabc");
  raw(port, head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
  // What is behind a body that was not read must not be taken for a request.
  const std::string smuggled = head + "Content-Length: 5\r\n\r\nsmugg";
  EXPECT_NE(
      raw(port, "POST /other HTTP/1.1\r\nContent-Length: " + std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled)
          .find(" 404 "),
      std::string::npos);
  EXPECT_EQ(server.intake.bytes(), "");
  EXPECT_EQ(server.post("/ingest", "alive"), kOk);
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 0; }));
}

// A slow client holds one thread, and that not for ever.
TEST(HttpPush, SlowClientsAreCutOff) {
  HttpOptions options = local();
  options.connections = 1;
  options.request = std::chrono::seconds(1);
  Server server(options);
  const auto slow = connect_to(SOCK_STREAM, server.collector->port());
  std::atomic<bool> go{true};
  std::thread sender([&] {
    send_all(slow.get(), "POST /ingest HTTP/1.1\r\nX-Long: ");
    while (go.load() && send_all(slow.get(), "y")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  EXPECT_EQ(server.post("/ingest", "waits"), kOk);
  go.store(false);
  sender.join();
}

TEST(HttpPush, ManyClientsAtOnceAndStopUnderLoad) {
  Server server(local());
  std::atomic<bool> go{true};
  std::atomic<std::uint64_t> accepted{0};
  std::vector<std::thread> senders;
  senders.reserve(6);
  for (int s = 0; s < 6; ++s) {
    senders.emplace_back([&] {
      auto http = server.client();
      http.set_keep_alive(true);
      while (go.load()) {
        const auto result = http.Post("/ingest", kToken, "<13>one\n<13>two\n", "text/plain");
        if (result && result->status == 200) accepted.fetch_add(2);
        if (!result) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  ASSERT_TRUE(eventually([&] { return accepted.load() > 500; }));
  server.collector->stop();
  go.store(false);
  for (auto& thread : senders) thread.join();
  const auto lines = server.intake.lines();
  EXPECT_EQ(lines.size(), server.counters().records);
  // What was said to be taken was; an answer may have got lost on its way.
  EXPECT_GE(lines.size(), accepted.load());
  EXPECT_LE(lines.size(), accepted.load() + 12);
}

TEST(HttpPush, StopsWhileConnectionsAreIdleOrHalf) {
  Server server(local());
  const auto idle = connect_to(SOCK_STREAM, server.collector->port());
  const auto half = connect_to(SOCK_STREAM, server.collector->port());
  send_all(half.get(), "POST /ingest HTTP/1.1\r\n");
  ASSERT_TRUE(eventually([&] { return server.counters().open_connections == 2; }));
  server.collector->stop();
  server.collector->stop();
  EXPECT_TRUE(test::closed_by_peer(idle.get()));
}

TEST(HttpPush, RefusesSendersThatAreNotAdmitted) {
  HttpOptions options = local();
  options.admitted = {*core::Prefix::parse("192.0.2.0/24")};
  Server server(options);
  EXPECT_EQ(server.post("/ingest", "x").first, 0);
  EXPECT_GE(server.counters().refused, 1u);
}

TEST(HttpPush, NeedsSomebodyToAskAboutTokens) {
  MemoryIntake intake;
  EXPECT_FALSE(make_http_push(local(), {}, intake)->start());
}

// A request of one log record with that text, by the field numbers of OTLP (each below 128 bytes).
std::string otlp(const std::string& text) {
  std::string message = text;
  for (const char field : {'\x0a', '\x2a', '\x12', '\x12', '\x0a'}) {
    const char head[] = {field, static_cast<char>(message.size())};
    message.insert(0, head, sizeof(head));
  }
  return message;
}
std::string otlp_json(const std::string& records) {
  return R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[)" + records + "]}]}]}";
}
struct OtlpReply {
  int status = 0;
  std::string type;
  std::string body;
  std::string retry_after;
  friend bool operator==(const OtlpReply&, const OtlpReply&) = default;
};
OtlpReply post_otlp(const Server& server, const std::string& body, const std::string& type,
                    const httplib::Headers& headers = {{"Authorization", "Bearer right"}}) {
  auto http = server.client();
  const auto result = http.Post("/v1/logs", headers, body, type);
  if (!result) return {};
  return {result->status, result->get_header_value("Content-Type"), result->body,
          result->get_header_value("Retry-After")};
}
constexpr const char* kProtobuf = "application/x-protobuf";
constexpr const char* kJson = "application/json";

TEST(HttpPush, OtlpIsTakenInBothEncodings) {
  Server server(local());
  EXPECT_EQ(post_otlp(server, otlp("<13>one\ntwo\n"), kProtobuf), (OtlpReply{200, kProtobuf, "", ""}));
  EXPECT_EQ(post_otlp(server, otlp_json(R"({"body":{"stringValue":"<13>three"}})"), "application/json; charset=utf-8"),
            (OtlpReply{200, kJson, "{}", ""}));
  EXPECT_EQ(post_otlp(server, test::gzip(otlp("four")), kProtobuf,
                      {{"Authorization", "Bearer right"}, {"Content-Encoding", "gzip"}})
                .status,
            200);
  EXPECT_EQ(server.intake.bytes(), "<13>one two\n<13>three\nfour\n");
  EXPECT_EQ(server.counters().records, 3u);
  EXPECT_EQ(server.intake.stored()[0].arrival.kind, ArrivalKind::kLines);
  EXPECT_EQ(server.intake.stored()[0].arrival.peer.text(), "127.0.0.1");
  // Nothing in it is no mistake.
  EXPECT_EQ(post_otlp(server, "{}", kJson), (OtlpReply{200, kJson, "{}", ""}));
  EXPECT_EQ(post_otlp(server, otlp_json(""), kJson).status, 200);
  EXPECT_EQ(post_otlp(server, "", kProtobuf), (OtlpReply{200, kProtobuf, "", ""}));
  EXPECT_EQ(server.intake.calls(), 3u);
  EXPECT_EQ(server.counters().invalid, 0u);
}

TEST(HttpPush, OtlpTellsWhichRecordsWereRefused) {
  HttpOptions options = local();
  options.longest_record = 50;
  Server server(options);
  const std::string body = otlp_json(R"({"body":{"stringValue":"good"}},{"body":{"stringValue":")" +
                                     std::string(51, 'x') + R"("}},{"body":{"stringValue":""}})");
  const OtlpReply reply = post_otlp(server, body, kJson);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"1 longer than 50 bytes, )"
                        R"(1 without body and attributes"}})");
  EXPECT_EQ(server.intake.bytes(), "good\n");
  EXPECT_EQ(server.counters().records, 1u);
  EXPECT_EQ(server.counters().refused_records, 2u);
  EXPECT_NE(post_otlp(server, otlp(std::string(60, 'x')), kProtobuf).body.find("1 longer than 50 bytes"),
            std::string::npos);
  EXPECT_EQ(server.intake.calls(), 1u);
}

TEST(HttpPush, OtlpRefusesAsItsSpecificationSays) {
  HttpOptions options = local();
  options.most_body = 5000;
  options.longest_record = 5000;
  Server server(options);
  EXPECT_EQ(post_otlp(server, "{", kJson),
            (OtlpReply{400, kJson,
                       R"({"code":3,"message":"The body is no ExportLogsServiceRequest: this is not JSON"})", ""}));
  const OtlpReply damaged = post_otlp(server, otlp("text").substr(0, 9), kProtobuf);
  EXPECT_EQ(damaged.status, 400);
  EXPECT_EQ(damaged.type, kProtobuf);
  EXPECT_EQ(damaged.body.substr(0, 3), "\x08\x03\x12") << "a Status";
  // One record is wrong: none is taken.
  EXPECT_EQ(post_otlp(server, otlp_json(R"({"body":{"stringValue":"good"}},3)"), kJson).status, 400);
  EXPECT_EQ(server.counters().invalid, 3u);
  EXPECT_EQ(post_otlp(server, otlp_json(R"({"body":{"stringValue":")" + std::string(5000, 'x') + "\"}}"), kJson).status,
            413);
  const std::string bomb = test::gzip(std::string(1'000'000, ' '));
  EXPECT_EQ(post_otlp(server, bomb, kJson, {{"Authorization", "Bearer right"}, {"Content-Encoding", "gzip"}}),
            (OtlpReply{413, kJson, R"({"code":8,"message":"Request entity too large"})", ""}));
  EXPECT_EQ(post_otlp(server, "text", "text/plain").status, 415);
  EXPECT_EQ(post_otlp(server, otlp("x"), kProtobuf, {}).status, 401);
  EXPECT_EQ(post_otlp(server, "{}", kJson, {{"Authorization", "Bearer wrong"}}),
            (OtlpReply{403, kJson, R"({"code":7,"message":"Invalid token"})", ""}));
  // Small records in large envelopes.
  std::string many;
  for (int i = 0; i < 130; ++i) many += std::string(i == 0 ? "" : ",") + R"({"body":{"intValue":1}})";
  const std::string grown =
      R"({"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":")" +
      std::string(250, 'h') + R"("}}]},"scopeLogs":[{"logRecords":[)" + many + "]}]}]}";
  ASSERT_LT(grown.size(), 5000u);
  EXPECT_EQ(post_otlp(server, grown, kJson).status, 413);
  EXPECT_EQ(server.intake.calls(), 0u);
}

TEST(HttpPush, OtlpIsToldToComeLater) {
  Server server(local());
  for (const auto answer : {Intake::Taken::kFull, Intake::Taken::kFailed}) {
    server.intake.answer(answer);
    const OtlpReply reply = post_otlp(server, otlp("text"), kProtobuf);
    EXPECT_EQ(reply.status, 503) << "any other 5xx would have the sender throw it away";
    EXPECT_EQ(reply.type, kProtobuf);
    EXPECT_NE(reply.retry_after, "");
    EXPECT_EQ(reply.body.substr(0, 2), "\x08\x0e");
  }
  server.intake.answer(Intake::Taken::kYes);
  EXPECT_EQ(post_otlp(server, otlp("text"), kProtobuf).status, 200);
  EXPECT_EQ(server.intake.bytes(), "text\n");
  HttpOptions options = local();
  options.most_in_flight = 1000;
  Server small(options);
  EXPECT_EQ(post_otlp(small, otlp_json(R"({"body":{"stringValue":"x"}})"), kJson).status, 503)
      << "JSON takes more memory than its bytes";
  EXPECT_EQ(post_otlp(small, otlp("x"), kProtobuf).status, 200);
}

TEST(HttpPush, Https) {
  test::TempDir folder;
  const test::TestCertificates certificates(folder.path());
  HttpOptions options = local();
  options.tls = certificates.options;
  Server server(options);
  httplib::SSLClient http("127.0.0.1", server.collector->port());
  http.enable_server_certificate_verification(false);
  http.set_keep_alive(true);
  const std::string body = test::log_text(50'000);
  for (int i = 0; i < 3; ++i) {
    const auto result = http.Post("/ingest", kToken, body, "text/plain");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 200);
  }
  EXPECT_TRUE(server.intake.bytes() == body + body + body);
  EXPECT_EQ(server.counters().connections, 1u);
  raw(server.collector->port(), "GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return server.counters().failed_handshakes == 1; }));
  server.collector->stop();
}

}  // namespace
}  // namespace orbwatch::source

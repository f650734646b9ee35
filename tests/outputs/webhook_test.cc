// Webhooks against a real HTTP server.
#include <gtest/gtest.h>
#include <httplib.h>

#include <cstdlib>
#include <mutex>

#include "export/delivery.h"
#include "export/digest.h"
#include "export/output_settings.h"
#include "support/certificates.h"
#include "support/sample_report.h"
#include "support/temp_dir.h"

namespace orbwatch::exporting {
namespace {

struct Call {
  std::string body;
  httplib::Headers headers;
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

// Answers each call with the next status of the list, the last one for ever.
class HttpServer {
 public:
  explicit HttpServer(std::vector<int> statuses, std::unique_ptr<httplib::Server> server = nullptr)
      : statuses_(std::move(statuses)), server_(server ? std::move(server) : std::make_unique<httplib::Server>()) {
    server_->Post("/hook/S3CRET", [this](const httplib::Request& request, httplib::Response& response) {
      const std::scoped_lock lock(mutex_);
      calls_.push_back({request.body, request.headers});
      response.status = statuses_[std::min(calls_.size(), statuses_.size()) - 1];
      if (response.status == 302) response.set_header("Location", "/elsewhere");
      if (response.status == 429) response.set_header("Retry-After", "7");
      response.set_content("the answer repeats: " + request.get_header_value("Authorization"), "text/plain");
    });
    server_->Post("/elsewhere", [this](const httplib::Request&, httplib::Response&) { redirected_ = true; });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~HttpServer() {
    server_->stop();
    thread_.join();
  }
  std::vector<Call> calls() {
    const std::scoped_lock lock(mutex_);
    return calls_;
  }
  int port() const { return port_; }
  bool redirected() const { return redirected_; }

 private:
  std::vector<int> statuses_;
  std::unique_ptr<httplib::Server> server_;
  std::mutex mutex_;
  std::vector<Call> calls_;
  std::atomic<bool> redirected_ = false;
  int port_ = 0;
  std::thread thread_;
};

OutputSettings settings_for(int port, const std::string& scheme = "http") {
  OutputSettings s;
  s.name = "hook";
  s.type = "webhook";
  s.url = scheme + "://127.0.0.1:" + std::to_string(port) + "/hook/S3CRET";
  s.timeout_seconds = 10;
  return s;
}

Message message_of(const OutputSettings& settings, std::uint64_t i = 0) {
  return *make_message(testing::sample_finding(i, false), settings, 1);
}

std::string secret_file(const test::TempDir& dir, const std::string& name, const std::string& secret) {
  const auto file = dir.write(name, secret + "\n");
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  return file;
}

Delivered deliver(const OutputSettings& settings, const Message& message) {
  auto output = make_output(settings);
  EXPECT_TRUE(output) << output.error().text();
  return (*output)->deliver(message, {});
}

TEST(Webhook, PostsTheFindingAndSignsIt) {
  const test::TempDir dir;
  HttpServer server({200});
  OutputSettings s = settings_for(server.port());
  s.format = "ocsf";
  s.secret_file = secret_file(dir, "key", "correct horse");
  s.authorization_file = secret_file(dir, "token", "Bearer t0ken");
  const Message message = message_of(s);
  const Delivered delivered = deliver(s, message);
  ASSERT_TRUE(delivered) << delivered.error().error.text();
  ASSERT_EQ(server.calls().size(), 1U);
  const Call call = server.calls()[0];
  EXPECT_EQ(call.body, message.body);
  EXPECT_NE(call.body.find("\"class_uid\":2004"), std::string::npos);
  EXPECT_EQ(call.header("Content-Type"), "application/json");
  EXPECT_EQ(call.header("X-Orbwatch-Delivery"), message.id);
  EXPECT_EQ(call.header("Authorization"), "Bearer t0ken");
  const std::string timestamp = call.header("X-Orbwatch-Timestamp");
  EXPECT_GT(std::stoll(timestamp), 1'700'000'000);
  EXPECT_EQ(call.header("X-Orbwatch-Signature"), "v1=" + hmac_sha256_hex("correct horse", timestamp + "." + call.body));
}

TEST(Webhook, TellsWhatMayBeTriedAgainFromWhatMayNot) {
  for (const auto& [status, permanent] : {std::pair{400, true},
                                          {401, true},
                                          {404, true},
                                          {413, true},
                                          {408, false},
                                          {429, false},
                                          {500, false},
                                          {503, false},
                                          {302, true}}) {
    HttpServer server({status});
    const OutputSettings s = settings_for(server.port());
    const Delivered delivered = deliver(s, message_of(s));
    ASSERT_FALSE(delivered) << status;
    EXPECT_EQ(delivered.error().permanent, permanent) << status;
    EXPECT_NE(delivered.error().error.text().find(std::to_string(status)), std::string::npos);
    EXPECT_EQ(delivered.error().retry_after.count(), status == 429 ? 7 : 0);
    EXPECT_FALSE(server.redirected()) << "a redirection is not followed";
  }
}

TEST(Webhook, IsRepeatedUntilItIsTaken) {
  const test::TempDir dir;
  HttpServer server({503, 500, 408, 200});
  OutputSettings s = settings_for(server.port());
  s.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(4)};
  Delivery delivery(*make_output(s), *Spool::open(dir / "spool", {}), s.retry);
  ASSERT_TRUE(delivery.give(message_of(s, 0)));
  ASSERT_TRUE(delivery.give(message_of(s, 1)));
  ASSERT_TRUE(delivery.wait_until_empty(std::chrono::seconds(30)));
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 5U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(calls[i].header("X-Orbwatch-Delivery"), message_of(s, 0).id) << "in order";
  EXPECT_EQ(calls[4].header("X-Orbwatch-Delivery"), message_of(s, 1).id);
  const auto status = delivery.status();
  EXPECT_EQ(status.attempts, 5U);
  EXPECT_EQ(status.counts.delivered, 2U);
  EXPECT_TRUE(status.counts.balanced());
}

TEST(Webhook, BuriesWhatIsRefusedAndGoesOn) {
  const test::TempDir dir;
  HttpServer server({422, 200});
  const OutputSettings s = settings_for(server.port());
  Delivery delivery(*make_output(s), *Spool::open(dir / "spool", {}));
  ASSERT_TRUE(delivery.give(message_of(s, 0)));
  ASSERT_TRUE(delivery.give(message_of(s, 1)));
  ASSERT_TRUE(delivery.wait_until_empty(std::chrono::seconds(30)));
  EXPECT_EQ(delivery.status().counts.dead, 1U);
  EXPECT_EQ(delivery.status().counts.delivered, 1U);
  const auto dead = delivery.dead_letters();
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].message.id, message_of(s, 0).id);
  EXPECT_NE(dead[0].reason.find("422"), std::string::npos) << dead[0].reason;
  // And once the receiver takes it, by hand.
  EXPECT_EQ(*delivery.retry_dead(), 1U);
  ASSERT_TRUE(delivery.wait_until_empty(std::chrono::seconds(30)));
  EXPECT_EQ(server.calls().back().header("X-Orbwatch-Delivery"), message_of(s, 0).id);
  EXPECT_TRUE(delivery.status().counts.balanced());
}

TEST(Webhook, DoesNotWaitForASlowServerForEver) {
  auto slow = std::make_unique<httplib::Server>();
  std::atomic<bool> end = false;
  slow->set_pre_routing_handler([&end](const httplib::Request&, httplib::Response&) {
    for (int i = 0; i < 1'000 && !end; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return httplib::Server::HandlerResponse::Unhandled;
  });
  HttpServer server({200}, std::move(slow));
  OutputSettings s = settings_for(server.port());
  s.timeout_seconds = 1;
  const Delivered late = deliver(s, message_of(s));
  ASSERT_FALSE(late);
  EXPECT_FALSE(late.error().permanent);
  // A stop ends an attempt that would last longer.
  s.timeout_seconds = 300;
  std::stop_source stop;
  auto output = make_output(s);
  std::jthread stopper([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  const Delivered stopped = (*output)->deliver(message_of(s), stop.get_token());
  EXPECT_FALSE(stopped);
  end = true;
}

TEST(Webhook, TrustsNoUnknownAuthority) {
  const test::TempDir dir;
  const auto authority = test::issue("Test authority", "", nullptr);
  authority.write(dir / "ca.pem", dir / "ca.key");
  test::issue("127.0.0.1", "IP:127.0.0.1", &authority).write(dir / "server.pem", dir / "server.key");
  test::issue("other.example", "DNS:other.example", &authority).write(dir / "other.pem", dir / "other.key");
  {
    HttpServer server({200},
                      std::make_unique<httplib::SSLServer>((dir / "server.pem").c_str(), (dir / "server.key").c_str()));
    OutputSettings s = settings_for(server.port(), "https");
    const Delivered unknown = deliver(s, message_of(s));
    ASSERT_FALSE(unknown) << "its authority is not the system's";
    EXPECT_FALSE(unknown.error().permanent) << "nothing is lost while the certificate is put right";
    EXPECT_NE(unknown.error().error.text().find("certificate"), std::string::npos) << unknown.error().error.text();
    EXPECT_TRUE(server.calls().empty());
    s.ca_file = dir / "ca.pem";
    EXPECT_TRUE(deliver(s, message_of(s)));
    EXPECT_EQ(server.calls().size(), 1U);
  }
  HttpServer server({200},
                    std::make_unique<httplib::SSLServer>((dir / "other.pem").c_str(), (dir / "other.key").c_str()));
  OutputSettings s = settings_for(server.port(), "https");
  s.ca_file = dir / "ca.pem";
  EXPECT_FALSE(deliver(s, message_of(s))) << "the certificate is another host's";
  EXPECT_TRUE(server.calls().empty());
}

TEST(Webhook, UsesNoProxyOfTheEnvironment) {
  HttpServer server({200}), proxy({200});
  const std::string address = "http://127.0.0.1:" + std::to_string(proxy.port());
  ::setenv("http_proxy", address.c_str(), 1);
  ::setenv("all_proxy", address.c_str(), 1);
  OutputSettings s = settings_for(server.port());
  EXPECT_TRUE(deliver(s, message_of(s)));
  EXPECT_EQ(server.calls().size(), 1U);
  EXPECT_TRUE(proxy.calls().empty());
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  s.proxy = address;
  // The peer is no real proxy, but it sees the call that was meant for it.
  EXPECT_FALSE(deliver(s, message_of(s)));
  EXPECT_EQ(server.calls().size(), 1U);
}

TEST(Webhook, KeepsItsSecretsInErrors) {
  const test::TempDir dir;
  HttpServer server({403});
  OutputSettings s = settings_for(server.port());
  s.secret_file = secret_file(dir, "key", "S3CRETKEY");
  s.authorization_file = secret_file(dir, "token", "Bearer S3CRETTOKEN");
  auto output = make_output(s);
  const Delivered refused = (*output)->deliver(message_of(s), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.text().find("S3CRET"), std::string::npos) << refused.error().error.text();
  EXPECT_EQ((*output)->target().find("S3CRET"), std::string::npos);
  s.url = "http://127.0.0.1:1/hook/S3CRET";
  const Delivered unreachable = deliver(s, message_of(s));
  ASSERT_FALSE(unreachable);
  EXPECT_FALSE(unreachable.error().permanent);
  EXPECT_EQ(unreachable.error().error.text().find("S3CRET"), std::string::npos) << unreachable.error().error.text();
}

TEST(Webhook, LetsNoMessageAddAHeader) {
  HttpServer server({200});
  const OutputSettings s = settings_for(server.port());
  Message message = message_of(s);
  message.id = "x\r\nX-Forged: yes";
  message.media_type = "text/plain\r\nX-Forged: yes";
  EXPECT_TRUE(deliver(s, message));
  EXPECT_EQ(server.calls().at(0).header("X-Forged"), "");
}

}  // namespace
}  // namespace orbwatch::exporting

#include "serve/status_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <thread>
#include <utility>

#include "serve/metrics.h"
#include "source/sockets.h"

namespace orbwatch::serve {

struct StatusServer::Impl {
  httplib::Server server;
  std::thread thread;
  int port = 0;
};

StatusServer::StatusServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

StatusServer::~StatusServer() {
  impl_->server.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

int StatusServer::port() const { return impl_->port; }

core::Expected<std::unique_ptr<StatusServer>> StatusServer::start(
    const std::string& listen, const std::function<pipeline::ServiceStatus()>& status) {
  const auto endpoint = source::Endpoint::parse(listen);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto impl = std::make_unique<Impl>();
  httplib::Server& server = impl->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(2); };
  // The library would share the port with another program (SO_REUSEPORT), which nobody would notice.
  server.set_socket_options([](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  server.set_read_timeout(5);
  server.set_write_timeout(5);
  server.set_keep_alive_max_count(100);
  server.set_payload_max_length(1024);
  server.Get("/metrics", [status](const httplib::Request&, httplib::Response& response) {
    response.set_content(prometheus_text(status()), "text/plain; version=0.0.4; charset=utf-8");
  });
  server.Get("/status", [status](const httplib::Request&, httplib::Response& response) {
    response.set_content(status_json(status()), "application/json");
  });
  server.Get("/live", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("alive\n", "text/plain");
  });
  server.Get("/ready", [status](const httplib::Request&, httplib::Response& response) {
    const std::string why = not_ready(status());
    response.status = why.empty() ? 200 : 503;
    response.set_content(why.empty() ? "ready\n" : why + "\n", "text/plain");
  });
  const std::string host = endpoint->address.present() ? endpoint->address.text() : "::";
  if (endpoint->port == 0) {
    impl->port = server.bind_to_any_port(host.c_str());
  } else if (server.bind_to_port(host.c_str(), endpoint->port)) {
    impl->port = endpoint->port;
  }
  if (impl->port <= 0)
    return core::fail("cannot listen for metrics", listen, "is the address this computer's and the port free?");
  auto thread = source::quiet_thread("metrics", [&server] { server.listen_after_bind(); });
  if (!thread) return std::unexpected(thread.error());
  impl->thread = std::move(*thread);
  return std::unique_ptr<StatusServer>(new StatusServer(std::move(impl)));
}

}  // namespace orbwatch::serve

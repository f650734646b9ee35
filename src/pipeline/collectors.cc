#include "pipeline/collectors.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "source/flow_udp.h"
#include "source/http_push.h"
#include "source/relp.h"
#include "source/syslog_tcp.h"
#include "source/syslog_udp.h"
#include "source/tail.h"

namespace orbwatch::pipeline {
namespace {

using Made = core::Expected<std::unique_ptr<source::Collector>>;

std::optional<source::TlsOptions> tls_of(const TlsSettings& settings) {
  if (settings.certificate.empty()) return std::nullopt;
  return source::TlsOptions{settings.certificate, settings.key, settings.client_ca};
}

Made udp(const CollectorSettings& settings, const source::Endpoint& listen, std::uint32_t source,
         source::Intake& intake, const source::Log& log) {
  source::UdpOptions options;
  options.source = source;
  options.listen = listen;
  options.workers = settings.workers;
  options.admitted = settings.admit;
  options.receive_buffer = settings.receive_buffer;
  return settings.type == CollectorType::kSyslogUdp ? source::make_syslog_udp(options, intake, log)
                                                    : source::make_flow_udp(options, intake, log);
}

Made tcp(const CollectorSettings& settings, const source::Endpoint& listen, std::uint32_t source,
         source::Intake& intake, const source::Log& log) {
  source::TcpOptions options;
  options.source = source;
  options.listen = listen;
  options.tls = tls_of(settings.tls);
  options.most_connections = static_cast<std::size_t>(settings.connections);
  options.idle = settings.idle_timeout;
  options.admitted = settings.admit;
  switch (settings.type) {
    case CollectorType::kRelp: return source::make_relp(options, intake, log);
    case CollectorType::kFlowTcp: return source::make_ipfix_tcp(options, intake, log);
    default: return source::make_syslog_tcp(options, intake, log);
  }
}

Made tail(const CollectorSettings& settings, std::uint32_t source, source::Intake& intake, const source::Log& log) {
  source::TailOptions options;
  options.source = source;
  options.paths = settings.paths;
  options.start = settings.from_beginning ? source::TailOptions::Start::kBeginning : source::TailOptions::Start::kEnd;
  return source::make_tail(options, intake, log);
}

Made http(const CollectorSettings& settings, const source::Endpoint& listen, std::uint32_t source,
          source::Intake& intake, const source::Log& log) {
  source::HttpOptions options;
  options.source = source;
  options.listen = listen;
  options.tls = tls_of(settings.tls);
  options.connections = static_cast<std::size_t>(settings.connections);
  options.admitted = settings.admit;
  const auto allowed = [hashes = settings.token_hashes, anyone = settings.open_to_anyone](std::string_view token) {
    return anyone || std::ranges::find(hashes, token_hash(token)) != hashes.end();
  };
  return source::make_http_push(options, allowed, intake, log);
}

}  // namespace

std::string token_hash(std::string_view token) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_Digest(token.data(), token.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned i = 0; i < size; ++i) fmt::format_to(std::back_inserter(out), "{:02x}", digest[i]);
  return out;
}

Made make_collector(const CollectorSettings& settings, std::uint32_t source, source::Intake& intake,
                    const source::Log& log) {
  if (settings.type == CollectorType::kTail) return tail(settings, source, intake, log);
  const auto listen = source::Endpoint::parse(settings.listen);
  if (!listen) return std::unexpected(listen.error());
  switch (settings.type) {
    case CollectorType::kSyslogUdp:
    case CollectorType::kFlowUdp: return udp(settings, *listen, source, intake, log);
    case CollectorType::kHttp: return http(settings, *listen, source, intake, log);
    default: return tcp(settings, *listen, source, intake, log);
  }
}

}  // namespace orbwatch::pipeline

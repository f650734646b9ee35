// `orbwatch taxii`: bundles of a folder for partners.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/secret.h"
#include "core/text.h"
#include "serve/taxii_server.h"

namespace orbwatch::cli {
namespace {

struct Options {
  std::string folder;
  std::string listen = "127.0.0.1:6200";
  std::string tls;
  std::string user;
  std::string secret_file;
  std::string token_file;
  std::string public_url;
  bool insecure = false;
};

core::Expected<serve::TaxiiServerOptions> server_options(const Options& o) {
  serve::TaxiiServerOptions out;
  out.folder = o.folder;
  auto listen = source::Endpoint::parse(o.listen);
  if (!listen) return std::unexpected(listen.error());
  out.listen = *listen;
  if (!o.tls.empty()) {
    std::string_view key = o.tls;
    source::TlsOptions tls;
    tls.certificate = core::take_until(key, ',');
    tls.key = key;
    if (tls.certificate.empty() || tls.key.empty())
      return core::fail("--tls must be two files", o.tls, "CERTIFICATE,KEY");
    out.tls = tls;
  }
  if (o.user.empty() != o.secret_file.empty()) return core::fail("--user and --secret-file belong together");
  if (!o.user.empty()) {
    // RFC 7617: the first colon parts the user from the password.
    if (o.user.find(':') != o.user.npos) return core::fail("a user's name cannot hold a colon", o.user);
    const auto secret = core::read_secret(o.secret_file);
    if (!secret) return std::unexpected(secret.error());
    out.access.admit_user(o.user, *secret);
  }
  if (!o.token_file.empty()) {
    const auto token = core::read_secret(o.token_file);
    if (!token) return std::unexpected(token.error());
    out.access.admit_token(*token);
  }
  out.public_url = o.public_url;
  while (out.public_url.ends_with('/')) out.public_url.pop_back();
  if (!o.public_url.empty() && !out.public_url.starts_with("https://") && !out.public_url.starts_with("http://"))
    return core::fail("--public-url must begin with https:// or http://", o.public_url);
  out.insecure = o.insecure;
  return out;
}

int run(const Options& o) {
  const auto options = server_options(o);
  if (!options) {
    complain(options.error().text());
    return kUsage;
  }
  // Before there are threads, so that all of them leave the signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, s);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const auto server = serve::TaxiiServer::start(
      *options, [](source::LogLevel, const std::string& text) { complain(core::printable(text, 2'000)); });
  if (!server) {
    complain(server.error().text());
    return kUsage;
  }
  source::Endpoint at = options->listen;
  at.port = (*server)->port();
  complain(fmt::format("serving {} by {}://{}/taxii2/", o.folder, options->tls ? "https" : "http", at.text()));
  // Changed files and renewed certificates are found without a signal; SIGHUP is only kept from ending the program.
  while (true) {
    int got = 0;
    if (::sigwait(&signals, &got) == 0 && got != SIGHUP) return kOk;
  }
}

}  // namespace

void add_taxii(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("taxii", "Serve STIX bundles to partners by TAXII 2.1");
  sub->add_option("--folder", o->folder, "Folder whose *.json are STIX bundles, each a collection")->required();
  sub->add_option("--listen", o->listen, "Address and port");
  sub->add_option("--tls", o->tls, "Files of certificate and key, as CERTIFICATE,KEY");
  sub->add_option("--user", o->user, "Who may read, with --secret-file (HTTP Basic)");
  sub->add_option("--secret-file", o->secret_file, "File with the user's password");
  sub->add_option("--token-file", o->token_file, "File with a token that may read (Authorization: Bearer)");
  sub->add_option("--public-url", o->public_url, "The server's address as partners see it, behind a proxy");
  sub->add_flag("--insecure", o->insecure, "Let others reach it without TLS or without credentials");
  takes(*sub, "DIR", {"--folder"});
  takes(*sub, "ADDRESS", {"--listen"});
  takes(*sub, "FILES", {"--tls"});
  takes(*sub, "NAME", {"--user"});
  takes(*sub, "FILE", {"--secret-file", "--token-file"});
  takes(*sub, "URL", {"--public-url"});
  sub->footer(
      "It reads and writes nothing but the folder: beside each bundle it keeps when each object was added. Changed "
      "files\nare read again. SIGTERM ends it.\n"
      "Example:\n  orbwatch taxii --folder /srv/share --listen 0.0.0.0:6200 --tls cert.pem,key.pem --user partner "
      "--secret-file partner.secret");
  sub->callback([o, &exit_code] { exit_code = run(*o); });
}

}  // namespace orbwatch::cli

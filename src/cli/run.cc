// `orbwatch run`: the service.
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/text.h"
#include "pipeline/config.h"
#include "pipeline/service.h"
#include "serve/audit.h"
#include "serve/metrics.h"
#include "serve/notify.h"
#include "serve/status_server.h"

namespace orbwatch::cli {
namespace {

struct Options {
  std::string config;
  std::string state;
  std::string networks;
  bool json = false;
  bool all = false;
};

// One line for each rare event on standard error. With the priorities that journald reads where it listens there,
// with the time of day elsewhere.
class LogLines {
 public:
  LogLines() : journald_(std::getenv("JOURNAL_STREAM") != nullptr) {}

  void say(source::LogLevel level, const std::string& text) {
    static constexpr const char* kNames[] = {"note", "warning", "error"};
    static constexpr int kPriorities[] = {5, 4, 3};
    const auto index = static_cast<std::size_t>(level);
    const std::string clean = core::printable(text, 2000);
    const std::string line = journald_ ? fmt::format("<{}>{}\n", kPriorities[index], clean)
                                       : fmt::format("{} {}: {}\n", core::rfc3339(source::now()), kNames[index], clean);
    const std::lock_guard lock(mutex_);
    std::fputs(line.c_str(), stderr);
  }

 private:
  std::mutex mutex_;
  bool journald_;
};

core::Expected<pipeline::Config> read_config(const Options& o) {
  auto config = cli::read_config(o.config);
  if (config && !o.state.empty()) config->service.state = o.state;
  return config;
}

struct Signal {
  int number = 0;                     // 0: none came within the time
  std::optional<std::uint32_t> from;  // user of the process that sent it
};

Signal wait_for_signal(const sigset_t& signals, std::chrono::milliseconds most) {
  const timespec wait{most.count() / 1000, most.count() % 1000 * 1'000'000};
  siginfo_t info{};
  const int got = ::sigtimedwait(&signals, &info, &wait);
  if (got <= 0) return {};
  return {got, info.si_code <= 0 ? std::optional<std::uint32_t>(info.si_uid) : std::nullopt};
}

// What the audit log cannot take is told, and the service goes on.
void audit(LogLines& lines, const std::string& state, serve::AuditEntry entry) {
  entry.time = source::now();
  if (const auto done = serve::audit(state, entry); !done) lines.say(source::LogLevel::kError, done.error().text());
}

int run(const Options& o) {
  auto config = read_config(o);
  if (!config) {
    complain(config.error().text());
    return kUsage;
  }
  // Before there are threads, so that all of them leave the signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, s);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(S_IWGRP | S_IRWXO);  // the state holds names of users

  LogLines lines;
  pipeline::ServiceOptions options;
  options.config = *config;
  options.networks_file = networks_file(o.networks);
  options.log = [&lines](source::LogLevel level, const std::string& text) { lines.say(level, text); };
  if (o.json) {
    options.findings = [&o](std::span<const score::Finding> findings) {
      for (const score::Finding& f : findings) {
        if (f.alert || o.all) print(score::to_json(f) + "\n");
      }
      flush_output();
    };
  }
  auto service = pipeline::Service::start(options);
  if (!service) {
    complain(service.error().text());
    return service.error().kind == core::ErrorKind::kOutput ? kOutput : kUsage;
  }
  std::unique_ptr<serve::StatusServer> watch;
  if (!config->service.metrics_listen.empty()) {
    auto server =
        serve::StatusServer::start(config->service.metrics_listen, [&service] { return (*service)->status(); });
    if (!server) {
      complain(server.error().text());
      return kUsage;
    }
    watch = std::move(*server);
    lines.say(source::LogLevel::kNote, fmt::format("metrics on port {}", watch->port()));
  }
  for (const auto& c : (*service)->status().collectors) {
    lines.say(source::LogLevel::kNote,
              c.port != 0 ? fmt::format("{} listens on port {}", c.name, c.port) : fmt::format("{} reads", c.name));
  }
  const std::string state = config->service.state;
  serve::AuditEntry started;
  started.action = "start";
  started.facts = {{"version", ORBWATCH_VERSION}, {"config", o.config}};
  audit(lines, state, std::move(started));
  lines.say(source::LogLevel::kNote, "ready");
  serve::notify("READY=1");

  constexpr auto kTick = std::chrono::milliseconds(500);
  const auto watchdog = serve::watchdog_interval();
  auto last_watchdog = std::chrono::steady_clock::now();
  std::optional<std::uint32_t> stopped_by;
  while (true) {
    const Signal signal = wait_for_signal(signals, kTick);
    if (signal.number == SIGTERM || signal.number == SIGINT) {
      stopped_by = signal.from;
      break;
    }
    if (signal.number == SIGHUP) {
      serve::notify("RELOADING=1");
      (*service)->renew_certificates();
      auto fresh = read_config(o);
      const auto done = fresh ? (*service)->reload(*fresh) : core::Expected<void>(std::unexpected(fresh.error()));
      lines.say(done ? source::LogLevel::kNote : source::LogLevel::kError,
                done ? "the configuration was read anew" : "the configuration was not taken: " + done.error().text());
      serve::AuditEntry entry;
      entry.action = "reload";
      entry.outcome = done ? "accepted" : "refused";
      entry.asked_by = signal.from;
      if (fresh) entry.changed = pipeline::changed_keys(*config, *fresh);
      if (!done) entry.facts.emplace_back("reason", done.error().text());
      audit(lines, state, std::move(entry));
      if (done) config = std::move(fresh);
      serve::notify("READY=1");
    }
    (*service)->tick();
    const auto now = std::chrono::steady_clock::now();
    if (watchdog.count() != 0 && now - last_watchdog >= watchdog) {
      serve::notify("WATCHDOG=1");
      last_watchdog = now;
    }
  }
  serve::notify("STOPPING=1");
  const auto done = (*service)->stop();
  if (!done) lines.say(source::LogLevel::kError, done.error().text());
  serve::AuditEntry stopped;
  stopped.action = "stop";
  stopped.asked_by = stopped_by;
  if (!done) stopped.facts.emplace_back("reason", done.error().text());
  audit(lines, state, std::move(stopped));
  print(o.json ? "" : serve::status_json((*service)->status()));
  flush_output();
  if (!done) return kOutput;
  lines.say(source::LogLevel::kNote, "stopped; everything accepted is kept");
  return kOk;
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("run", "The service: collect logs and flows, and find what is worth looking at");
  sub->add_option("--config", o->config, "Configuration file (YAML)")->required();
  sub->add_option("--state", o->state, "Folder of the service's state, instead of the configuration's");
  sub->add_option("--networks", o->networks,
                  "Compiled network facts, or none (default: the table of `orbwatch intel build`)");
  sub->add_flag("--json", o->json, "Alerts as JSON on standard output, one a line, each time one comes up or grows");
  sub->add_flag("--all", o->all, "With --json: also the findings below the alert budget");
  takes(*sub, "FILE", {"--config", "--networks"});
  takes(*sub, "FOLDER", {"--state"});
  sub->footer(
      "SIGTERM and SIGINT end it, SIGHUP reads the configuration and TLS certificates anew.\n"
      "docs/operations.md says more.\n"
      "Examples:\n"
      "  orbwatch run --config /etc/orbwatch/orbwatch.yaml\n"
      "  orbwatch run --config orbwatch.yaml --state ./state --json");
  sub->callback([o, &exit_code] { exit_code = run(*o); });
}

}  // namespace orbwatch::cli

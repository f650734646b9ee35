#include "serve/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/text.h"
#include "serve/metrics.h"

namespace orbwatch::serve {
namespace {

using core::kDay;
using core::kHour;
using core::kMinute;
using core::kSecond;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
// A clock before this is one that was never set.
constexpr core::Nanoseconds kThisYear = 1'735'689'600 * kSecond;  // 2025-01-01
constexpr core::Nanoseconds kOldFacts = 180 * kDay;
constexpr core::Nanoseconds kCertificateDue = 21 * kDay;
constexpr const char* kRenew = "renew it; the service takes new files by itself within two minutes";
constexpr core::Nanoseconds kSilent = kHour;
constexpr std::uint64_t kLittleDisk = 512 * kMiB;
// Fewer records than this say nothing about shares.
constexpr std::uint64_t kEnoughRecords = 100;

std::string size(std::uint64_t bytes) {
  if (bytes >= 10'000 * kMiB) return fmt::format("{} GiB", bytes / (1024 * kMiB));
  if (bytes >= kMiB) return fmt::format("{} MiB", bytes / kMiB);
  return fmt::format("{} KiB", bytes / 1024);
}

class Checks {
 public:
  void good(std::string about, std::string says) { add(std::move(about), Health::kGood, std::move(says), {}); }
  void warn(std::string about, std::string says, std::string advice) {
    add(std::move(about), Health::kWarning, std::move(says), std::move(advice));
  }
  void bad(std::string about, std::string says, std::string advice) {
    add(std::move(about), Health::kBad, std::move(says), std::move(advice));
  }
  std::vector<Check> take() { return std::move(all_); }

 private:
  void add(std::string about, Health health, std::string says, std::string advice) {
    all_.push_back({std::move(about), health, std::move(says), std::move(advice)});
  }
  std::vector<Check> all_;
};

void look_at_state(const Facts& f, Checks& out) {
  const pipeline::ServiceConfig& service = f.config.service;
  if (service.state.empty()) {
    out.bad("state", "the configuration names no folder for the service's state", "set 'state'");
    return;
  }
  if (!f.state_trouble.empty()) {
    out.bad("state", fmt::format("{}: {}", service.state, f.state_trouble),
            "make it writable for the user that the service runs as, and run doctor as that user");
    return;
  }
  out.good("state", f.state_in_use   ? fmt::format("{}, in use by a running service", service.state)
                    : f.state_exists ? fmt::format("{} can be written", service.state)
                                     : fmt::format("{} is not there yet, the service will make it", service.state));
  const std::uint64_t growth = service.journal_bytes > f.journal_bytes ? service.journal_bytes - f.journal_bytes : 0;
  if (f.state_free < kLittleDisk) {
    out.bad("disk", fmt::format("{} free", size(f.state_free)),
            "make room: without it nothing that arrives can be kept");
  } else if (f.state_free < growth) {
    out.warn("disk", fmt::format("{} free, and the journal may grow by {}", size(f.state_free), size(growth)),
             "make room, or lower journal.most_bytes");
  } else {
    out.good("disk", fmt::format("{} free, the journal may grow by {}", size(f.state_free), size(growth)));
  }
}

void look_at_clock(const Facts& f, Checks& out) {
  if (f.now < kThisYear) {
    out.bad("clock", fmt::format("it says {}", core::rfc3339(f.now / kSecond * kSecond)),
            "set the clock: events of right clocks would all lie ahead");
  } else if (!f.clock_synchronised) {
    out.warn("clock", "the system does not say whether it is synchronised", "see that NTP runs");
  } else if (!*f.clock_synchronised) {
    out.warn("clock", "it is not synchronised", "let NTP run: timedatectl set-ntp true");
  } else {
    out.good("clock", "it is synchronised");
  }
}

const pipeline::CollectorStatus* collector_of(const Facts& f, std::string_view name) {
  if (!f.service) return nullptr;
  const auto found = std::ranges::find(f.service->collectors, name, &pipeline::CollectorStatus::name);
  return found == f.service->collectors.end() ? nullptr : &*found;
}

void look_at_network(const Facts& f, Checks& out) {
  for (const auto& l : f.listeners) {
    const std::string about = "port of " + l.of;
    switch (l.port) {
      case Facts::Port::kFree:
        if (f.state_in_use) {
          out.warn(about, fmt::format("nobody listens on {}, though the service runs", l.listen),
                   "the service runs with another configuration: reload or restart it");
        } else {
          out.good(about, l.listen + " is free");
        }
        break;
      case Facts::Port::kHeld:
        if (f.state_in_use) {
          out.good(about, l.listen + " is in use, as it should be while the service runs");
        } else {
          out.bad(about, l.listen + " is held by another program",
                  fmt::format("end it (ss -lntup shows it), or choose another port for {}", l.of));
        }
        break;
      case Facts::Port::kForbidden:
        out.warn(about, fmt::format("this user may not open {}", l.listen),
                 "ports below 1024 need CAP_NET_BIND_SERVICE, which packaging/orbwatch.service grants");
        break;
      case Facts::Port::kNoAddress:
        out.bad(about, fmt::format("{} is no address of this computer", l.listen),
                "name one that `ip address` shows, or 0.0.0.0");
        break;
    }
  }
  for (const auto& c : f.config.service.collect) {
    if (c.type != pipeline::CollectorType::kSyslogUdp && c.type != pipeline::CollectorType::kFlowUdp) continue;
    const std::string about = "receive buffer of " + c.name;
    if (const auto* running = collector_of(f, c.name);
        running != nullptr && running->counters.receive_buffer_asked != 0 &&
        running->counters.receive_buffer >= running->counters.receive_buffer_asked) {
      out.good(about, fmt::format("{}, as asked", size(running->counters.receive_buffer)));
    } else if (!f.most_receive_buffer) {
      out.warn(about, "the system does not say how much it gives", "see sysctl net.core.rmem_max");
    } else if (*f.most_receive_buffer < c.receive_buffer) {
      out.warn(about,
               fmt::format("the system gives {} of the {} asked for: bursts will be dropped sooner",
                           size(*f.most_receive_buffer), size(c.receive_buffer)),
               fmt::format("sysctl -w net.core.rmem_max={}, and restart the service", c.receive_buffer));
    } else {
      out.good(about, fmt::format("the system gives the {} asked for", size(c.receive_buffer)));
    }
  }
}

// What new connections get is not always what lies on the disk.
void look_at_certificate_in_use(const Facts& f, const Facts::Certificate& file, Checks& out) {
  const auto* const running = collector_of(f, file.of);
  if (running == nullptr || running->certificate.expires == 0) return;
  const std::string about = "certificate in use of " + file.of;
  if (!running->certificate.trouble.empty()) {
    out.bad(about, "the service does not take the files that lie there now: " + running->certificate.trouble,
            "put right files there; systemctl reload orbwatch has it look at once");
  }
  if (running->certificate.expires == file.not_after) return;
  const core::Nanoseconds left = running->certificate.expires - f.now;
  if (left <= 0) {
    out.bad(about, fmt::format("it has expired {} ago", in_words(-left)), kRenew);
  } else if (left < kCertificateDue) {
    out.warn(about, fmt::format("it expires in {}", in_words(left)), kRenew);
  }
}

void look_at_files(const Facts& f, Checks& out) {
  for (const auto& c : f.certificates) {
    const std::string about = "certificate of " + c.of;
    const core::Nanoseconds left = c.not_after - f.now;
    if (!c.trouble.empty()) {
      out.bad(about, fmt::format("{}: {}", c.path, c.trouble), "put the right file there, readable for the service");
    } else if (left <= 0) {
      out.bad(about, fmt::format("{} has expired {} ago", c.path, in_words(-left)), kRenew);
    } else if (left < kCertificateDue) {
      out.warn(about, fmt::format("{} expires in {}", c.path, in_words(left)), kRenew);
    } else {
      out.good(about, fmt::format("{} is good for {}", c.path, in_words(left)));
    }
    look_at_certificate_in_use(f, c, out);
  }
  std::size_t readable = 0;
  for (const auto& file : f.files) {
    if (file.trouble.empty()) {
      ++readable;
    } else {
      out.bad(file.use, fmt::format("{}: {}", file.path, file.trouble), "put it there, readable for the service");
    }
  }
  if (readable != 0) out.good("files", fmt::format("{} files that the configuration names can be read", readable));
  if (!f.knowledge_trouble.empty()) out.bad("networks and indicators", f.knowledge_trouble, "correct it");
  for (const std::string& trouble : f.mapping_troubles)
    out.bad("mapping", trouble, "correct it: `orbwatch format test` shows what it does");
  if (f.networks_file.empty()) {
    out.warn("network facts", "there is no table: findings know no places and no kinds of networks",
             "see `orbwatch intel build` and set ORBWATCH_NETWORKS");
  } else if (!f.networks_trouble.empty()) {
    out.bad("network facts", f.networks_trouble, "build the table anew: `orbwatch intel build`");
  } else if (f.networks_built != 0 && f.now - f.networks_built > kOldFacts) {
    out.warn("network facts", fmt::format("{} is {} old", f.networks_file, in_words(f.now - f.networks_built)),
             "fetch newer data and build it anew");
  } else {
    out.good("network facts", fmt::format("{} is {} old", f.networks_file,
                                          in_words(std::max<core::Nanoseconds>(f.now - f.networks_built, 0))));
  }
  if (f.store_available) {
    out.good("store", "DuckDB is there");
  } else if (f.config.service.store_events) {
    out.warn("store", "this build has no DuckDB: events and findings are not stored",
             "use a build with it, or say store: {events: false}");
  }
}

void look_at_collector(const Facts& f, const pipeline::CollectorStatus& c, Checks& out) {
  const std::string about = "collector " + c.name;
  const event::Counts& n = c.records.counts;
  bool well = true;
  const auto warn = [&](std::string says, std::string advice) {
    well = false;
    out.warn(about, std::move(says), std::move(advice));
  };
  if (c.records.last_arrival == 0) {
    warn("it has sent nothing yet", "see that the sender sends to this address, and the firewall between");
  } else if (const core::Nanoseconds silent = f.now - c.records.last_arrival; silent > kSilent) {
    warn(fmt::format("it has sent nothing for {}, since {}", in_words(silent),
                     core::rfc3339(c.records.last_arrival / kSecond * kSecond)),
         "see whether the sender still sends, and the way to here");
  }
  if (c.counters.shed != 0)
    warn(fmt::format("{} records lost since the start: the journal did not take them", c.counters.shed),
         "see disk and backlog; raise journal.most_bytes if bursts are that long");
  if (c.counters.kernel_drops != 0)
    warn(fmt::format("{} datagrams dropped by the kernel since the start", c.counters.kernel_drops),
         "raise receive_buffer (and net.core.rmem_max), or workers");
  // A reordered datagram or an exporter that starts anew counts a little, too.
  if (const std::uint64_t lost = c.records.lost_flows + c.records.lost_datagrams; lost * 100 > n.events + lost)
    warn(fmt::format("{} flows and {} flow datagrams never came, by the exporters' sequence numbers",
                     c.records.lost_flows, c.records.lost_datagrams),
         "lost in the network if kernel_drops and shed do not account for them: see the way from the exporters");
  if (c.counters.intake_failed != 0)
    warn(fmt::format("the journal could not be written {} times since the start", c.counters.intake_failed),
         "see disk and the service's log");
  if (c.counters.refused != 0)
    warn(fmt::format("{} senders or requests refused since the start", c.counters.refused),
         "see connections and sizes in docs/collectors.md");
  if (c.counters.unauthorized != 0)
    warn(fmt::format("{} requests without a token that is admitted", c.counters.unauthorized),
         "give the sender its token: `orbwatch token`");
  if (c.counters.failed_handshakes != 0)
    warn(fmt::format("{} TLS handshakes failed since the start", c.counters.failed_handshakes),
         "see which authority and which version the senders use");
  if (n.records >= kEnoughRecords && n.rejected * 20 > n.records)
    warn(fmt::format("{} of {} records are not understood ({} %)", n.rejected, n.records, n.rejected * 100 / n.records),
         "rejected_by in /status has the reasons; `orbwatch explain` shows how a line fares");
  if (c.records.ahead != 0)
    warn(fmt::format("{} events lie more than an hour ahead", c.records.ahead),
         "a device's clock or time zone is wrong: they are stored, and not judged");
  if (n.events >= kEnoughRecords && c.records.late * 20 > n.events)
    warn(fmt::format("{} of {} events came too late to be judged", c.records.late, n.events),
         "a device's clock or time zone is wrong, or lateness is too short");
  if (well) {
    out.good(about, fmt::format("{} records, the last one {} ago", n.records,
                                in_words(std::max<core::Nanoseconds>(f.now - c.records.last_arrival, 0))));
  }
}

void look_at_output(const exporting::Alerts::Status& o, Checks& out) {
  const std::string about = "output " + o.name;
  const exporting::SpoolCounts& n = o.delivery.counts;
  bool well = true;
  if (o.delivery.failures_in_row != 0) {
    well = false;
    const std::string says = fmt::format("{} waiting, the last {} attempts failed: {}", n.waiting,
                                         o.delivery.failures_in_row, o.delivery.last_error);
    const std::string advice = "see that the receiver can be reached and takes them; they are tried again";
    if (o.delivery.failures_in_row >= 5) {
      out.bad(about, says, advice);
    } else {
      out.warn(about, says, advice);
    }
  }
  if (n.dead != 0) {
    well = false;
    out.warn(about, fmt::format("{} refused by the receiver for good", n.dead),
             "the reasons stand in the folder dead/ of its spool");
  }
  if (const std::uint64_t lost = n.dropped + n.damaged + o.not_spooled; lost != 0) {
    well = false;
    out.warn(about, fmt::format("{} lost: too many waited, or the disk failed", lost),
             "raise spool.most_alerts, and see why the receiver took none");
  }
  if (well) out.good(about, fmt::format("{} delivered, {} waiting", n.delivered, n.waiting));
}

// "40 events a minute", "3 events an hour".
std::string rate(double per_minute) {
  return per_minute >= 1 ? fmt::format("{:.0f} events a minute", per_minute)
                         : fmt::format("{:.1f} events an hour", per_minute * 60);
}

void look_at_service(const Facts& f, Checks& out) {
  if (!f.service) {
    if (f.service_address.empty()) {
      if (f.state_in_use)
        out.warn("service", "it runs, and cannot be asked how it is", "set metrics.listen, or give --ask ADDRESS");
    } else if (f.state_in_use) {
      out.bad("service", fmt::format("it runs, and does not answer on {}: {}", f.service_address, f.service_trouble),
              "see its log; if metrics.listen has changed, restart it");
    } else {
      out.warn("service", fmt::format("it does not run here, and nobody answers on {}", f.service_address),
               "systemctl start orbwatch");
    }
    return;
  }
  const pipeline::ServiceStatus& s = *f.service;
  if (const std::string why = not_ready(s); !why.empty()) {
    out.bad("service", "it is not ready: " + why, "see its log and the disk; what arrives may be lost");
  } else if (!s.live.trouble.empty()) {
    out.bad("service", s.live.trouble, "it is tried again; see the disk and its log");
  } else {
    out.good("service", fmt::format("ready, {} findings, {} checkpoints", s.live.findings, s.live.checkpoints));
  }
  const std::uint64_t backlog = s.live.journal_end > s.live.position ? s.live.journal_end - s.live.position : 0;
  const std::uint64_t most = std::max<std::uint64_t>(f.config.service.journal_bytes, 1);
  const std::string says = fmt::format("{} not worked on yet, of {} that it may hold", size(backlog), size(most));
  if (backlog > most / 4 * 3) {
    out.bad("journal", says, "more comes than this machine works on: send less, or give it more");
  } else if (backlog > most / 4) {
    out.warn("journal", says, "see whether it shrinks; if not, more comes than this machine works on");
  } else {
    out.good("journal", says);
  }
  if (s.journal_refused != 0)
    out.warn("journal", fmt::format("it was full {} times since the start", s.journal_refused),
             "raise journal.most_bytes, or see why the pipeline fell behind");
  if (s.journal_damaged_bytes != 0)
    out.bad("journal", fmt::format("{} could not be read back", size(s.journal_damaged_bytes)),
            "the disk or the file system is damaged: see the kernel's log");
  for (const auto& c : s.collectors) look_at_collector(f, c, out);
  for (const auto& d : s.live.devices) {
    if (!d.silent) continue;
    out.warn(
        "device " + d.name,
        fmt::format("it has sent nothing for {}, since {}; usually {} at this hour of the week, {:.0f} are missing",
                    in_words(std::max<core::Nanoseconds>(f.now - d.last_arrival, 0)),
                    core::rfc3339(d.last_arrival / kSecond * kSecond), rate(d.usual_per_minute), d.missing),
        "see whether it runs, whether its logging is still switched on and goes to here, and who changed that");
  }
  if (s.live.all_devices != 0 && s.live.silent_devices == 0)
    out.good("devices", fmt::format("{} devices send as they usually do", s.live.all_devices));
  for (const auto& o : s.outputs) look_at_output(o, out);
}

}  // namespace

std::string_view name(Health health) {
  static constexpr std::string_view kNames[] = {"good", "warning", "bad"};
  return kNames[static_cast<std::size_t>(health)];
}

std::string in_words(core::Nanoseconds duration) {
  if (duration >= 2 * kDay) return fmt::format("{} days", duration / kDay);
  if (duration >= 2 * kHour) return fmt::format("{} h", duration / kHour);
  if (duration >= 2 * kMinute) return fmt::format("{} min", duration / kMinute);
  return fmt::format("{} s", duration / kSecond);
}

std::vector<Check> examine(const Facts& facts) {
  Checks out;
  if (facts.config_error) {
    out.bad("configuration", facts.config_error->text(),
            "correct it; `orbwatch config check` says whether it is right");
    return out.take();
  }
  if (facts.config.service.collect.empty()) {
    out.bad("configuration", "it collects nothing", "list collectors under 'collect'");
  } else {
    out.good("configuration", fmt::format("{} is right, {} collectors, {} outputs", facts.config_file,
                                          facts.config.service.collect.size(), facts.config.service.outputs.size()));
  }
  look_at_state(facts, out);
  look_at_clock(facts, out);
  look_at_network(facts, out);
  look_at_files(facts, out);
  look_at_service(facts, out);
  return out.take();
}

Health worst(const std::vector<Check>& checks) {
  Health out = Health::kGood;
  for (const Check& c : checks) out = std::max(out, c.health);
  return out;
}

std::string to_json(const std::vector<Check>& checks) {
  std::string out = fmt::format("{{\"health\":\"{}\",\"checks\":[", name(worst(checks)));
  bool first = true;
  for (const Check& c : checks) {
    out += first ? "{\"about\":" : ",{\"about\":";
    first = false;
    core::append_json_string(out, c.about);
    out += fmt::format(",\"health\":\"{}\",\"says\":", name(c.health));
    core::append_json_string(out, c.says);
    if (!c.advice.empty()) {
      out += ",\"advice\":";
      core::append_json_string(out, c.advice);
    }
    out += '}';
  }
  return out + "]}\n";
}

std::string to_text(const std::vector<Check>& checks) {
  std::string out;
  for (const Check& c : checks) {
    std::string line = fmt::format("{}: {}", c.about, c.says);
    if (!c.advice.empty()) line += " -> " + c.advice;
    fmt::format_to(std::back_inserter(out), "{:<8} {}\n", name(c.health), core::printable(line, 1000));
  }
  return out;
}

}  // namespace orbwatch::serve

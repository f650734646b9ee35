#include "serve/metrics.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "core/text.h"
#include "core/time.h"
#include "export/alerts.h"

namespace orbwatch::serve {
namespace {

using pipeline::CollectorStatus;
using pipeline::LiveCounts;
using pipeline::ServiceStatus;

std::string label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

class Text {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <typename T>
  void value(T value, std::string_view labels = {}) {
    fmt::format_to(std::back_inserter(out_), "{}{}{}{} {}\n", name_, labels.empty() ? "" : "{", labels,
                   labels.empty() ? "" : "}", value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string_view name_;
  std::string out_;
};

std::vector<std::pair<std::string_view, std::uint64_t>> sorted(const core::SymbolCounts& counts) {
  std::vector<std::pair<std::string_view, std::uint64_t>> out;
  for (const auto& [reason, n] : counts) out.emplace_back(reason.text(), n);
  std::sort(out.begin(), out.end());
  return out;
}

double seconds(core::Nanoseconds time) { return static_cast<double>(time) / 1e9; }

// Bytes of memory that the process holds; 0 if the system does not say.
std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  in >> size >> resident;
  return in ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::uint64_t behind(std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; }

}  // namespace

std::string not_ready(const ServiceStatus& status) {
  if (!status.failure.empty()) return "the pipeline has ended: " + status.failure;
  if (!status.working) return "the pipeline is not running";
  if (!status.journal_trouble.empty()) return status.journal_trouble;
  return {};
}

std::string prometheus_text(const ServiceStatus& status) {
  Text text;
  const auto of = [](const CollectorStatus& c) {
    return fmt::format("collector=\"{}\",type=\"{}\"", label(c.name), pipeline::name(c.type));
  };
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto&& value) {
    text.begin(name, type, help);
    for (const CollectorStatus& c : status.collectors) text.value(value(c), of(c));
  };
  text.begin("orbwatch_build_info", "gauge", "The version that runs.");
  text.value(1, "version=\"" ORBWATCH_VERSION "\"");
  text.begin("orbwatch_ready", "gauge", "1 if what arrives is kept and worked on.");
  text.value(not_ready(status).empty() ? 1 : 0);

  for (const source::CounterField& field : source::counter_fields()) {
    each(fmt::format("orbwatch_collector_{}{}", field.name, field.level ? "" : "_total"),
         field.level ? "gauge" : "counter", field.meaning,
         [&](const CollectorStatus& c) { return c.counters.*field.field; });
  }
  each("orbwatch_last_arrival_timestamp_seconds", "gauge", "When the newest record came that was worked on, 0 if none.",
       [](const CollectorStatus& c) { return seconds(c.records.last_arrival); });
  text.begin("orbwatch_tls_certificate_expiry_timestamp_seconds", "gauge",
             "When the certificate expires that new connections get.");
  for (const CollectorStatus& c : status.collectors) {
    if (c.certificate.expires != 0) text.value(c.certificate.expires / core::kSecond, of(c));
  }
  text.begin("orbwatch_tls_certificate_refused", "gauge",
             "1 if what lies in the certificate's files now is not used; /status says why.");
  for (const CollectorStatus& c : status.collectors) {
    if (c.certificate.expires != 0) text.value(c.certificate.trouble.empty() ? 0 : 1, of(c));
  }
  using Count = std::uint64_t event::Counts::*;
  for (const auto& [name, count, help] :
       {std::tuple<const char*, Count, const char*>{"records", &event::Counts::records, "Records read."},
        {"events", &event::Counts::events, "Records that became events."},
        {"ignored", &event::Counts::ignored, "Records that are of no use here."},
        {"rejected", &event::Counts::rejected, "Records that are damaged or of no known format."}}) {
    each(fmt::format("orbwatch_{}_total", name), "counter", help,
         [&](const CollectorStatus& c) { return c.records.counts.*count; });
  }
  text.begin("orbwatch_events_by_format_total", "counter", "Events by the format of their record.");
  for (const CollectorStatus& c : status.collectors) {
    for (const auto& [format, n] : sorted(c.records.counts.events_by))
      text.value(n, fmt::format("{},format=\"{}\"", of(c), label(format)));
  }
  text.begin("orbwatch_rejected_by_reason_total", "counter", "Rejected records by reason.");
  for (const CollectorStatus& c : status.collectors) {
    for (const auto& [reason, n] : sorted(c.records.counts.rejected_by))
      text.value(n, fmt::format("{},reason=\"{}\"", of(c), label(reason)));
  }
  each("orbwatch_late_events_total", "counter", "Events older than the lateness allows: stored, not judged.",
       [](const CollectorStatus& c) { return c.records.late; });
  each("orbwatch_ahead_events_total", "counter", "Events too far in the future (a wrong clock): stored, not judged.",
       [](const CollectorStatus& c) { return c.records.ahead; });
  each("orbwatch_lost_flows_total", "counter", "Flows that never came, by sequence numbers: NetFlow v5, v7, IPFIX.",
       [](const CollectorStatus& c) { return c.records.lost_flows; });
  each("orbwatch_lost_datagrams_total", "counter",
       "Flow datagrams that never came, by sequence numbers: NetFlow v9, sFlow.",
       [](const CollectorStatus& c) { return c.records.lost_datagrams; });

  const pipeline::LiveStatus& live = status.live;
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.begin(name, type, help);
    text.value(value);
  };
  one("orbwatch_journal_bytes", "gauge", "Bytes that the journal holds.", behind(live.journal_begin, live.journal_end));
  one("orbwatch_journal_backlog_bytes", "gauge", "Bytes of the journal that are not worked on yet.",
      behind(live.position, live.journal_end));
  one("orbwatch_journal_refused_total", "counter", "Times that the journal was full.", status.journal_refused);
  one("orbwatch_journal_damaged_bytes_total", "counter", "Bytes of the journal that could not be read back.",
      status.journal_damaged_bytes);
  one("orbwatch_devices", "gauge", "Devices whose usual rate is learned.", live.all_devices);
  one("orbwatch_silent_devices", "gauge",
      "Devices that miss far more events than they ever paused; /status names them.", live.silent_devices);
  one("orbwatch_untracked_device_events_total", "counter", "Events of devices beyond those whose rate is learned.",
      live.untracked_device_events);
  one("orbwatch_newest_event_timestamp_seconds", "gauge", "Time of the newest event.", seconds(live.newest_event));
  one("orbwatch_findings_total", "counter", "Findings handed out, new ones and changes.", live.findings);
  one("orbwatch_covert_networks", "gauge", "Covert networks, as they were written last.", live.networks);
  one("orbwatch_covert_networks_seconds", "gauge", "How long it took to write them.",
      static_cast<double>(live.last_networks_took.count()) / 1000);
  one("orbwatch_checkpoints_total", "counter", "Checkpoints written.", live.checkpoints);
  one("orbwatch_checkpoint_seconds", "gauge", "How long the last checkpoint took.",
      static_cast<double>(live.last_checkpoint_took.count()) / 1000);
  one("orbwatch_trouble", "gauge", "1 if something fails at present (a full disk ...); /status says what.",
      live.trouble.empty() && status.journal_trouble.empty() && status.failure.empty() ? 0 : 1);
  using Delivered = std::uint64_t exporting::SpoolCounts::*;
  const auto each_output = [&](std::string_view name, std::string_view type, std::string_view help, auto&& value) {
    text.begin(name, type, help);
    for (const auto& output : status.outputs)
      text.value(value(output), fmt::format("output=\"{}\"", label(output.name)));
  };
  for (const auto& [name, count, type, help] :
       {std::tuple<const char*, Delivered, const char*, const char*>{
            "delivered_total", &exporting::SpoolCounts::delivered, "counter", "Messages that the receiver took."},
        {"waiting", &exporting::SpoolCounts::waiting, "gauge", "Messages that wait in the spool."},
        {"dead_total", &exporting::SpoolCounts::dead, "counter", "Messages refused for good."},
        {"dropped_total", &exporting::SpoolCounts::dropped, "counter", "Messages dropped because too many waited."},
        {"damaged_total", &exporting::SpoolCounts::damaged, "counter", "Messages that could not be read back."}}) {
    each_output(fmt::format("orbwatch_output_{}", name), type, help,
                [&](const exporting::Alerts::Status& o) { return o.delivery.counts.*count; });
  }
  each_output("orbwatch_output_not_spooled_total", "counter", "Findings that did not get into the spool.",
              [](const exporting::Alerts::Status& o) { return o.not_spooled; });
  each_output("orbwatch_output_held_back", "gauge", "Findings held back by the rate limit, not yet summed up.",
              [](const exporting::Alerts::Status& o) { return o.held_back; });
  each_output("orbwatch_output_failures_in_row", "gauge", "Attempts that failed since the last good one.",
              [](const exporting::Alerts::Status& o) { return o.delivery.failures_in_row; });
  text.begin("orbwatch_reloads_total", "counter", "Configurations read anew.");
  text.value(status.reloads, "outcome=\"good\"");
  text.value(status.failed_reloads, "outcome=\"refused\"");
  one("process_resident_memory_bytes", "gauge", "Memory that the process holds.", resident_bytes());
  return text.take();
}

std::string status_json(const ServiceStatus& status) {
  std::string out = fmt::format("{{\"version\":\"{}\",\"ready\":", ORBWATCH_VERSION);
  const std::string why = not_ready(status);
  out += why.empty() ? "true" : "false";
  const auto text = [&out](const char* key, std::string_view value) {
    if (value.empty()) return;
    out += fmt::format(",\"{}\":", key);
    core::append_json_string(out, value);
  };
  if (status.loading) out += ",\"loading\":true";
  text("why_not_ready", why);
  text("trouble", status.live.trouble);
  const pipeline::LiveStatus& live = status.live;
  out += fmt::format(
      ",\"position\":{},\"journal_begin\":{},\"journal_end\":{},\"checkpoint\":{},\"checkpoints\":{},\"findings\":{}",
      live.position, live.journal_begin, live.journal_end, live.checkpoint_position, live.checkpoints, live.findings);
  out += fmt::format(",\"journal_refused\":{},\"journal_damaged_bytes\":{}", status.journal_refused,
                     status.journal_damaged_bytes);
  if (live.newest_event != 0) text("newest_event", core::rfc3339(live.newest_event));
  const auto reasons = [&out](const char* key, const core::SymbolCounts& counts) {
    out += fmt::format(",\"{}\":{{", key);
    bool first = true;
    for (const auto& [reason, n] : sorted(counts)) {
      if (!first) out += ',';
      first = false;
      core::append_json_string(out, reason);
      out += fmt::format(":{}", n);
    }
    out += '}';
  };
  const auto records = [&](const LiveCounts& r) {
    const event::Counts& c = r.counts;
    out += fmt::format(
        ",\"bytes\":{},\"records\":{},\"events\":{},\"ignored\":{},\"rejected\":{},\"late\":{},\"ahead\":{}", r.bytes,
        c.records, c.events, c.ignored, c.rejected, r.late, r.ahead);
    if (r.lost_flows != 0) out += fmt::format(",\"lost_flows\":{}", r.lost_flows);
    if (r.lost_datagrams != 0) out += fmt::format(",\"lost_datagrams\":{}", r.lost_datagrams);
    if (r.last_arrival != 0) text("last_arrival", core::rfc3339(r.last_arrival));
    reasons("events_by", c.events_by);
    reasons("ignored_by", c.ignored_by);
    reasons("rejected_by", c.rejected_by);
  };
  out += ",\"collectors\":[";
  bool first = true;
  for (const CollectorStatus& c : status.collectors) {
    out += first ? "{\"name\":" : ",{\"name\":";
    first = false;
    core::append_json_string(out, c.name);
    out += fmt::format(",\"type\":\"{}\",\"port\":{}", pipeline::name(c.type), c.port);
    out += ",\"received\":{";
    bool first_field = true;
    for (const source::CounterField& field : source::counter_fields()) {
      const std::uint64_t n = c.counters.*field.field;
      if (n == 0) continue;
      out += fmt::format("{}\"{}\":{}", first_field ? "" : ",", field.name, n);
      first_field = false;
    }
    out += '}';
    if (c.certificate.expires != 0) {
      text("certificate_expires", core::rfc3339(c.certificate.expires));
      text("certificate_trouble", c.certificate.trouble);
    }
    records(c.records);
    out += '}';
  }
  out += ']';
  if (live.sources.size() > status.collectors.size() && live.sources.back().counts.records != 0) {
    out += ",\"no_longer_configured\":{\"name\":\"\"";
    records(live.sources.back());
    out += '}';
  }
  out += fmt::format(",\"devices\":{{\"all\":{},\"silent\":{},\"untracked_events\":{},\"first\":[", live.all_devices,
                     live.silent_devices, live.untracked_device_events);
  first = true;
  for (const pipeline::DeviceStatus& d : live.devices) {
    out += first ? "{\"name\":" : ",{\"name\":";
    first = false;
    core::append_json_string(out, d.name);
    out += fmt::format(",\"events\":{},\"usual_per_minute\":{:.3g},\"missing\":{:.0f},\"silent\":{}", d.events,
                       d.usual_per_minute, d.missing, d.silent);
    if (d.last_arrival != 0) text("last_arrival", core::rfc3339(d.last_arrival));
    out += '}';
  }
  out += "]},\"outputs\":[";
  first = true;
  for (const exporting::Alerts::Status& o : status.outputs) {
    out += first ? "{\"name\":" : ",{\"name\":";
    first = false;
    core::append_json_string(out, o.name);
    text("target", o.delivery.target);
    const exporting::SpoolCounts& n = o.delivery.counts;
    out += fmt::format(
        ",\"given\":{},\"delivered\":{},\"waiting\":{},\"dead\":{},\"dropped\":{},\"damaged\":{},\"not_spooled\":{},"
        "\"held_back\":{},\"failures_in_row\":{}",
        n.given, n.delivered, n.waiting, n.dead, n.dropped, n.damaged, o.not_spooled, o.held_back,
        o.delivery.failures_in_row);
    text("last_error", o.delivery.last_error);
    out += '}';
  }
  return out + "]}\n";
}

core::Expected<ServiceStatus> read_status(std::string_view json) {
  namespace dom = simdjson::dom;
  const simdjson::padded_string padded(json);
  dom::parser parser;
  dom::element root;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || !root.is_object())
    return core::fail("this is not the status of a service", core::printable(json, 80));
  const auto number = [](dom::element of, std::string_view key, std::uint64_t& out) {
    std::uint64_t n = 0;
    if (of[key].get(n) == simdjson::SUCCESS) out = n;
  };
  const auto word = [](dom::element of, std::string_view key) {
    std::string_view text;
    return of[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
  };
  const auto utc = core::TimeReader::make("", 0);
  const auto moment = [&](dom::element of, std::string_view key) {
    const std::string text = word(of, key);
    std::string_view rest = text;
    return utc ? core::parse_iso8601(rest, *utc).value_or(0) : 0;
  };
  bool ready = false;
  if (root["ready"].get(ready) != simdjson::SUCCESS)
    return core::fail("this is not the status of a service", core::printable(json, 80));
  ServiceStatus out;
  out.working = true;
  if (!ready) {
    out.journal_trouble = word(root, "why_not_ready");
    if (out.journal_trouble.empty()) out.working = false;
  }
  out.live.trouble = word(root, "trouble");
  number(root, "position", out.live.position);
  number(root, "journal_begin", out.live.journal_begin);
  number(root, "journal_end", out.live.journal_end);
  number(root, "checkpoint", out.live.checkpoint_position);
  number(root, "checkpoints", out.live.checkpoints);
  number(root, "findings", out.live.findings);
  number(root, "journal_refused", out.journal_refused);
  number(root, "journal_damaged_bytes", out.journal_damaged_bytes);
  out.live.newest_event = moment(root, "newest_event");
  dom::array list;
  if (root["collectors"].get(list) == simdjson::SUCCESS) {
    for (const dom::element one : list) {
      CollectorStatus c;
      c.name = word(one, "name");
      const std::string type = word(one, "type");
      for (int i = 0; i <= static_cast<int>(pipeline::CollectorType::kRelp); ++i) {
        const auto known = static_cast<pipeline::CollectorType>(i);
        if (pipeline::name(known) == type) c.type = known;
      }
      std::uint64_t port = 0;
      number(one, "port", port);
      c.port = static_cast<std::uint16_t>(port);
      if (dom::element received; one["received"].get(received) == simdjson::SUCCESS) {
        for (const source::CounterField& field : source::counter_fields())
          number(received, field.name, c.counters.*field.field);
      }
      c.certificate = {moment(one, "certificate_expires"), word(one, "certificate_trouble")};
      number(one, "bytes", c.records.bytes);
      number(one, "records", c.records.counts.records);
      number(one, "events", c.records.counts.events);
      number(one, "ignored", c.records.counts.ignored);
      number(one, "rejected", c.records.counts.rejected);
      number(one, "late", c.records.late);
      number(one, "ahead", c.records.ahead);
      number(one, "lost_flows", c.records.lost_flows);
      number(one, "lost_datagrams", c.records.lost_datagrams);
      c.records.last_arrival = moment(one, "last_arrival");
      out.collectors.push_back(std::move(c));
    }
  }
  if (dom::element devices; root["devices"].get(devices) == simdjson::SUCCESS) {
    number(devices, "all", out.live.all_devices);
    number(devices, "silent", out.live.silent_devices);
    number(devices, "untracked_events", out.live.untracked_device_events);
    if (devices["first"].get(list) == simdjson::SUCCESS) {
      for (const dom::element one : list) {
        pipeline::DeviceStatus d;
        d.name = word(one, "name");
        number(one, "events", d.events);
        if (one["usual_per_minute"].get(d.usual_per_minute) != simdjson::SUCCESS) d.usual_per_minute = 0;
        if (one["missing"].get(d.missing) != simdjson::SUCCESS) d.missing = 0;
        if (one["silent"].get(d.silent) != simdjson::SUCCESS) d.silent = false;
        d.last_arrival = moment(one, "last_arrival");
        out.live.devices.push_back(std::move(d));
      }
    }
  }
  if (root["outputs"].get(list) == simdjson::SUCCESS) {
    for (const dom::element one : list) {
      exporting::Alerts::Status o;
      o.name = word(one, "name");
      o.delivery.target = word(one, "target");
      exporting::SpoolCounts& n = o.delivery.counts;
      number(one, "given", n.given);
      number(one, "delivered", n.delivered);
      number(one, "waiting", n.waiting);
      number(one, "dead", n.dead);
      number(one, "dropped", n.dropped);
      number(one, "damaged", n.damaged);
      number(one, "not_spooled", o.not_spooled);
      number(one, "held_back", o.held_back);
      number(one, "failures_in_row", o.delivery.failures_in_row);
      o.delivery.last_error = word(one, "last_error");
      out.outputs.push_back(std::move(o));
    }
  }
  return out;
}

}  // namespace orbwatch::serve

// `orbwatch explain 'RAW LINE'`: what a line decodes to.
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/app.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "core/text.h"
#include "decode/all.h"
#include "enrich/enrich.h"

namespace orbwatch::cli {
namespace {

struct Options {
  std::string line;
  decode::Options decode;
  std::string networks;
};

std::string facts_json(const enrich::Enricher& enricher, std::string_view key, std::uint32_t index) {
  const enrich::Description d = enricher.describe(index);
  std::string out = "{\"" + std::string(key) + "\":{";
  bool first = true;
  const auto text = [&](std::string_view k, std::string_view value) {
    if (value.empty()) return;
    if (!first) out += ',';
    first = false;
    core::append_json_string(out, k);
    out += ':';
    core::append_json_string(out, value);
  };
  if (d.asn != 0) text("asn", std::to_string(d.asn));
  text("org", d.org);
  text("country", d.country);
  text("city", d.city);
  if (d.network_type != core::NetworkType::kUnknown) text("network_type", core::label(d.network_type));
  text("claims", d.type_text);
  return first ? std::string() : out + "}}\n";
}

int run(Options& o) {
  if (o.line == "-") o.line.assign(std::istreambuf_iterator<char>(std::cin), {});
  o.decode.reference =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  o.line.reserve(o.line.size() + core::kPadding);
  const decode::Recognised what = decode::recognise(o.line, o.decode);
  auto decoder = decode::make_decoder(what, o.decode);
  if (!decoder) {
    complain(decoder.error().text());
    return o.decode.format.empty() ? kInput : kUsage;
  }
  event::EventBatch batch;
  (*decoder)->feed(o.line, batch);
  (*decoder)->finish(batch);
  std::shared_ptr<const intel::Networks> networks;
  if (const std::string file = networks_file(o.networks); !file.empty()) {
    auto opened = intel::Networks::open(file);
    if (!opened) {
      complain(opened.error().text());
      return kInput;
    }
    networks = std::make_shared<const intel::Networks>(std::move(*opened));
  }
  const enrich::Enricher enricher(networks);
  enrich::Enricher::Scratch scratch;
  enricher.enrich(batch, scratch);
  for (const event::Event& e : batch) {
    print(event::to_json(e) + "\n");
    print(facts_json(enricher, "source", e.source_facts));
    print(facts_json(enricher, "destination", e.destination_facts));
  }
  for (const auto& [reason, n] : batch.counts.ignored_by) print("ignored: " + std::string(reason.text()) + "\n");
  for (const event::Reject& r : batch.rejects)
    print("rejected: " + std::string(r.reason.text()) + ": " + r.seen + "\n");
  return flush_output() ? kOk : kOutput;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("explain", "Show what a raw record decodes to");
  sub->add_option("line", o->line, "The record; - reads standard input")->required();
  sub->add_option("--format", o->decode.format, "Read it as this format");
  sub->add_option("--tz", o->decode.zone, "Time zone of a record that states none");
  sub->add_option("--year", o->decode.year, "Year of a record that states none");
  sub->add_option("--networks", o->networks, "Compiled network facts, or none");
  takes(*sub, "FORMAT", {"--format"});
  takes(*sub, "ZONE", {"--tz"});
  takes(*sub, "YEAR", {"--year"});
  takes(*sub, "FILE", {"--networks"});
  sub->footer(
      "Examples:\n"
      "  orbwatch explain '<166>Nov 22 2026 08:15:00 gw1 : %ASA-6-605005: Login permitted from 192.0.2.7/50122 to "
      "outside:198.51.100.1/ssh for user \"alice\"'\n"
      "  tail -n 1 vpn.log | orbwatch explain -");
  sub->callback([o, &exit_code] { exit_code = run(*o); });
}

}  // namespace orbwatch::cli

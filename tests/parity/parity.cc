// ./dev parity: orbwatch's decoders beside the golden expectations of other tools. See docs/parity.md.
//
//   parity [FORMAT] [--differences] [--explained]
//
// Exit codes: 0 the bar is met, 1 it is not, 2 a table is wrong, 77 shared/data is not there.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "parity/tables.h"

namespace orbwatch::parity {
namespace {

constexpr double kBar = 99.0;  // per cent of the compared fields

struct Tally {
  std::uint64_t records = 0;
  std::uint64_t decoded = 0;
  std::uint64_t left_out = 0;  // no event, explained
  std::uint64_t missed = 0;    // no event, not explained
  std::uint64_t compared = 0;
  std::uint64_t equal = 0;
  std::uint64_t different = 0;
  std::uint64_t explained = 0;
  std::map<std::string, std::uint64_t> peers;

  double share() const {
    const std::uint64_t counted = equal + different;
    return counted == 0 ? 100.0 : 100.0 * static_cast<double>(equal) / static_cast<double>(counted);
  }
};

class Runner {
 public:
  Runner(const Inputs& inputs, Known& known, std::string only)
      : inputs_(inputs), known_(known), only_(std::move(only)) {}

  void run(const Case& c) {
    const Input* row = inputs_.of(c.file);
    if (row == nullptr) {
      errors.push_back(c.file + " is not in inputs.yaml");
      return;
    }
    if (!row->none.empty()) return;  // the table says why
    if (!only_.empty() && row->decoder() != only_) return;
    Tally& tally = tallies[row->decoder()];
    tally.records += c.records.size();
    tally.peers[c.peer] += c.records.size();
    if (!has_decoder(row->decoder())) return;
    here_ = {.peer = c.peer, .format = row->decoder(), .file = c.file};
    Outcome outcome = decode_input(c.input, c.reference);
    if (outcome.batch.empty() && !row->envelope.empty() &&
        (outcome.what.format.empty() || outcome.what.format != row->decoder())) {
      outcome = decode_input(enveloped(c.input, row->envelope), c.reference);
    }
    if (!outcome.what.format.empty() && outcome.what.format != "text" && outcome.what.format != row->decoder() &&
        (c.pairing == Pairing::kLine || c.pairing == Pairing::kOrder || outcome.what.binary)) {
      differ(tally, "file", "format", outcome.what.format, row->decoder());
    }
    for (const Count& count : c.counts) {
      const std::uint64_t mine = count.ours(outcome);
      ++tally.compared;
      if (mine == count.expected) {
        ++tally.equal;
      } else {
        differ(tally, "file", "count " + count.name, std::to_string(mine), std::to_string(count.expected));
      }
    }
    if (c.pairing == Pairing::kSums) add_up(outcome);
    pair(c, outcome, tally);
  }

  std::map<std::string, Tally> tallies;
  std::vector<Difference> differences;
  std::vector<std::pair<Difference, std::string>> explained;
  std::vector<std::string> errors;

 private:
  static std::string enveloped(const std::string& input, const std::string& envelope) {
    std::string out;
    for (const std::string& line : lines_of(input)) {
      if (!line.empty()) out += envelope + (line.starts_with(' ') ? line.substr(1) : line) + "\n";
    }
    return out;
  }

  // Notes a difference; true if it is explained.
  bool note(const std::string& place, const std::string& field, std::string ours, std::string theirs) {
    Difference d = here_;
    d.place = place;
    d.field = field;
    d.ours = std::move(ours);
    d.theirs = std::move(theirs);
    for (Explanation& e : known_.explanations) {
      if (!e.fits(d)) continue;
      ++e.used;
      explained.emplace_back(std::move(d), e.reason);
      return true;
    }
    differences.push_back(std::move(d));
    return false;
  }

  void differ(Tally& tally, const std::string& place, const std::string& field, std::string ours, std::string theirs) {
    ++(note(place, field, std::move(ours), std::move(theirs)) ? tally.explained : tally.different);
  }

  void missing(Tally& tally, const Record& record, const std::string& why) {
    ++(note(record.place, "record", why, "event") ? tally.left_out : tally.missed);
  }

  void compare(Tally& tally, const Record& record, const event::Event& event) {
    ++tally.decoded;
    if (is_turned(record, event)) {
      ++tally.compared;
      const auto arrow = [](const event::Event& e) { return e.source_ip.text() + " > " + e.destination_ip.text(); };
      const event::Event other = turned(event);
      differ(tally, record.place, "ends", std::string(event.code.text()) + ": " + arrow(event), arrow(other));
      compare_fields(tally, record, other);
    } else {
      compare_fields(tally, record, event);
    }
  }

  // Both addresses differ, and are each other's.
  static bool is_turned(const Record& record, const event::Event& event) {
    if (event.source_ip == event.destination_ip) return false;
    int ends = 0;
    const event::Event other = turned(event);
    for (const Claim& claim : record.claims) {
      if (claim.field == "source.ip" || claim.field == "destination.ip") ends += same(claim.field, other, claim);
    }
    return ends == 2;
  }

  void compare_fields(Tally& tally, const Record& record, const event::Event& event) {
    for (const Claim& claim : record.claims) {
      if (!applies(claim.field, event, record)) continue;
      ++tally.compared;
      if (same(claim.field, event, claim)) {
        ++tally.equal;
        continue;
      }
      std::string theirs = claim.values.front();
      for (std::size_t i = 1; i < claim.values.size(); ++i) theirs += " or " + claim.values[i];
      differ(tally, record.place, claim.field, ours(event, claim.field), theirs);
    }
  }

  static std::size_t distance(const Record& record, const event::Event& event) {
    std::size_t out = 0;
    for (const Claim& claim : record.claims) {
      if (!applies(claim.field, event, record) || same(claim.field, event, claim)) continue;
      out += claim.field.ends_with(".ip") ? 100 : 1;  // who spoke with whom says which flow it is
    }
    return out;
  }

  void pair(const Case& c, Outcome& outcome, Tally& tally) {
    if (c.pairing == Pairing::kLine) return pair_lines(c, outcome, tally);
    if (c.pairing == Pairing::kOrder) {
      for (std::size_t i = 0; i < c.records.size(); ++i) {
        if (i < outcome.batch.size()) {
          compare(tally, c.records[i], outcome.batch[i]);
        } else {
          missing(tally, c.records[i], outcome.without_event());
        }
      }
      return;
    }
    std::vector<const event::Event*> left;
    for (const event::Event& e : outcome.batch) left.push_back(&e);
    // First those that fit without a difference, so that none of them is taken by another record.
    std::vector<const Record*> open;
    for (const Record& record : c.records) {
      const auto fits =
          std::find_if(left.begin(), left.end(), [&](const event::Event* e) { return distance(record, *e) == 0; });
      if (fits == left.end()) {
        open.push_back(&record);
        continue;
      }
      compare(tally, record, **fits);
      if (c.pairing != Pairing::kFind) left.erase(fits);
    }
    for (const Record* record : open) {
      const auto nearest = std::min_element(left.begin(), left.end(), [&](const auto* a, const auto* b) {
        return distance(*record, *a) < distance(*record, *b);
      });
      if (nearest == left.end() || distance(*record, **nearest) >= 200) {
        missing(tally, *record, outcome.without_event());
        continue;
      }
      compare(tally, *record, **nearest);
      if (c.pairing != Pairing::kFind) left.erase(nearest);
    }
    if (!c.complete) return;
    for (const event::Event* e : left) {
      ++tally.compared;
      differ(tally, "event " + std::to_string(e->record.line), "extra",
             e->source_ip.text() + " > " + e->destination_ip.text(), "none");
    }
  }

  void pair_lines(const Case& c, const Outcome& outcome, Tally& tally) {
    std::map<std::uint32_t, const event::Event*> by_line;
    for (const event::Event& e : outcome.batch) by_line.emplace(e.record.line, &e);
    std::vector<std::string> lines;
    for (const Record& record : c.records) {
      if (const auto found = by_line.find(record.line); found != by_line.end()) {
        compare(tally, record, *found->second);
        continue;
      }
      if (c.records.size() == 1) {
        missing(tally, record, outcome.without_event());
        continue;
      }
      // Why the line gave nothing: asked of the line alone, with the header lines before it.
      if (lines.empty()) lines = lines_of(c.input);
      std::string alone;
      for (const std::string& line : lines) {
        if (!line.starts_with('#')) break;
        alone += line + "\n";
      }
      if (record.line <= lines.size()) alone += lines[record.line - 1] + "\n";
      missing(tally, record, decode_input(alone, c.reference).without_event());
    }
  }

  static void add_up(Outcome& outcome) {
    std::map<std::tuple<core::Ip, core::Ip, std::uint16_t, std::uint16_t>, event::Event> sums;
    for (event::Event& e : outcome.batch) {
      if (e.protocol == 1 || e.protocol == 58) e.destination_port = 0;
      const auto [at, is_new] = sums.try_emplace({e.source_ip, e.destination_ip, e.source_port, e.destination_port}, e);
      if (is_new) continue;
      at->second.source_bytes += e.source_bytes;
      at->second.source_packets += e.source_packets;
    }
    outcome.batch.clear();
    for (const auto& [key, e] : sums) {
      outcome.batch.next() = e;
      outcome.batch.keep();
    }
  }

  const Inputs& inputs_;
  Known& known_;
  std::string only_;
  Difference here_;
};

void print_differences(const Runner& runner, bool explained) {
  const auto line = [](const Difference& d, const std::string& reason) {
    fmt::print("{} {} {} {}: ours \"{}\", theirs \"{}\"{}\n", d.format, d.file, d.place, d.field, d.ours, d.theirs,
               reason.empty() ? "" : " (" + reason + ")");
  };
  for (const Difference& d : runner.differences) line(d, "");
  if (!explained) return;
  for (const auto& [d, reason] : runner.explained) line(d, reason);
}

void print_table(const Runner& runner) {
  fmt::print(
      "| format | peers | records | decoded | left out | missed | fields | equal | different | explained | equal % "
      "|\n");
  fmt::print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
  for (const auto& [format, t] : runner.tallies) {
    std::string peers;
    for (const auto& [peer, count] : t.peers) peers += (peers.empty() ? "" : ", ") + peer;
    if (!has_decoder(format)) continue;
    fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.2f} |\n", format, peers, t.records, t.decoded,
               t.left_out, t.missed, t.compared, t.equal, t.different, t.explained, t.share());
  }
  for (const auto& [format, t] : runner.tallies) {
    if (has_decoder(format)) continue;
    std::string peers;
    for (const auto& [peer, count] : t.peers) peers += (peers.empty() ? "" : ", ") + peer;
    fmt::print("| {} | {} | {} | no decoder | | | | | | | |\n", format, peers, t.records);
  }
}

// What breaks the bar, one line each.
std::vector<std::string> failures(const Runner& runner, const Known& known, bool all) {
  std::vector<std::string> out = runner.errors;
  for (const auto& [format, t] : runner.tallies) {
    if (!has_decoder(format)) continue;
    const auto exception = std::find_if(known.exceptions.begin(), known.exceptions.end(),
                                        [&](const Exception& e) { return e.format == format; });
    const bool excepted = exception != known.exceptions.end();
    const double bar = excepted ? exception->equal : kBar;
    // The figure is written with two digits.
    if (t.share() < bar - 0.005) {
      out.push_back(
          fmt::format("{}: {:.2f} % of the fields are equal, at least {:.2f} % must be", format, t.share(), bar));
    }
    if (excepted && t.share() >= kBar) out.push_back(fmt::format("{}: meets the bar, its exception is stale", format));
    if (t.missed != 0) out.push_back(fmt::format("{}: {} records are missed", format, t.missed));
    if (t.records != 0 && t.decoded == 0 && t.left_out == 0) out.push_back(format + ": nothing was decoded");
  }
  if (!all) return out;
  for (const Explanation& e : known.explanations) {
    if (e.used == 0 && has_decoder(e.format))
      out.push_back(fmt::format("stale explanation: {} {} {}: {}", e.peer, e.format, e.field, e.reason));
  }
  for (const Exception& e : known.exceptions) {
    if (!runner.tallies.contains(e.format)) out.push_back("stale exception: " + e.format);
  }
  return out;
}

int run(const std::string& only, bool list, bool explained) {
  const fs::path data = find_data();
  if (data.empty()) {
    fmt::print("skipped: ../shared/data is not there\n");
    return 77;
  }
  const fs::path folder = fs::path(ORBWATCH_ROOT) / "tests/parity";
  const auto inputs = read_inputs(folder / "inputs.yaml");
  auto known = read_known(folder / "known-differences.yaml");
  if (!inputs || !known) {
    fmt::print(stderr, "{}\n", inputs ? known.error().text() : inputs.error().text());
    return 2;
  }
  Runner runner(*inputs, *known, only);
  for (const auto& read : {read_akvorado, read_crowdsec, read_elastic, read_loghub, read_logstash, read_metron,
                           read_nfdump, read_pmacct, read_sekoia, read_tcpdump, read_telegraf, read_zeek}) {
    read(data, [&](const Case& c) { runner.run(c); });
  }
  if (list || explained) print_differences(runner, explained);
  print_table(runner);
  const auto failed = failures(runner, *known, only.empty());
  for (const std::string& line : failed) fmt::print("FAILED {}\n", line);
  return failed.empty() ? 0 : 1;
}

}  // namespace
}  // namespace orbwatch::parity

int main(int argc, char** argv) {
  std::string only;
  bool list = false;
  bool explained = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--differences") {
      list = true;
    } else if (word == "--explained") {
      explained = true;
    } else if (word.starts_with('-')) {
      fmt::print(stderr, "usage: parity [FORMAT] [--differences] [--explained]\n");
      return 2;
    } else {
      only = word;
    }
  }
  return orbwatch::parity::run(only, list, explained);
}

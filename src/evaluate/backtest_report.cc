#include "evaluate/backtest_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

#include "core/display.h"
#include "core/text.h"
#include "evaluate/evaluate.h"
#include "export/html/assets.h"
#include "export/html_report.h"
#include "score/budget.h"

namespace orbwatch::evaluate {
namespace {

using core::append_json_string;
using core::kDay;
using core::kHour;
using core::kMinute;

// So near the line that a little more evidence would have been an alert (log-odds).
constexpr double kNear = 1.0;

struct Share {
  std::uint64_t found = 0;
  std::uint64_t all = 0;
  void add(bool caught) {
    ++all;
    found += caught ? 1 : 0;
  }
  double value() const { return all == 0 ? 0 : static_cast<double>(found) / static_cast<double>(all); }
};

std::string percent(const Share& share) { return share.all == 0 ? "-" : fmt::format("{:.0f} %", 100 * share.value()); }

// "67 % (39-86)"
std::string with_interval(const Share& share) {
  if (share.all == 0) return "-";
  const Interval i = wilson(share.found, share.all);
  return fmt::format("{:.0f} % ({:.0f}-{:.0f})", 100 * share.value(), 100 * i.low, 100 * i.high);
}

std::string budget_text(double budget) { return fmt::format("{}", budget); }
std::string alerts_text(double budget) { return fmt::format("{} alert{} a day", budget, budget == 1 ? "" : "s"); }

// The budget that tables of one budget are about.
std::size_t main_budget(const BacktestResult& r) {
  const auto at = std::ranges::find(r.options.budgets, r.options.hunt.alerts_per_day);
  return at != r.options.budgets.end() ? static_cast<std::size_t>(at - r.options.budgets.begin()) : 0;
}

std::string_view experience_of(const Intrusion& i) {
  return i.experience < 10 ? "under 10 log-ins" : i.experience < 30 ? "10 to 29 log-ins" : "30 log-ins and more";
}

std::string gateway_of(const Intrusion& i) {
  return i.gateway.present() ? std::string(i.gateway.text()) : std::string("(without a name)");
}

std::string duration_text(Nanoseconds d) {
  if (d < 2 * kHour) return fmt::format("{} min", d / kMinute);
  if (d < 2 * kDay) return fmt::format("{} h", d / kHour);
  return fmt::format("{} days", d / kDay);
}

std::string date(Nanoseconds time) { return core::rfc3339(time).substr(0, 10); }

double a_day(std::uint64_t count, Nanoseconds length) {
  return static_cast<double>(count) / std::max(1.0, static_cast<double>(length) / static_cast<double>(kDay));
}

Share recall(const BacktestResult& r, std::size_t budget, const std::function<bool(const TestedIntrusion&)>& which) {
  Share share;
  for (const TestedIntrusion& t : r.intrusions) {
    if (which(t)) share.add(t.outcome.caught[budget]);
  }
  return share;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

struct Cell {
  std::string text;
  double share = -1;  // 0..1: a bar is drawn; -1 = none
};
struct Section {
  std::string title;
  std::vector<std::string> says;  // sentences before the table
  std::vector<std::string> head;  // first column is text, the others numbers
  std::vector<std::vector<Cell>> rows;
};

Cell cell(const Share& share) { return {with_interval(share), share.all == 0 ? -1 : share.value()}; }

// A table of recall at each budget, one row a value of `key`.
template <typename Key>
void add_rows(Section& section, const BacktestResult& r, const std::vector<Key>& keys,
              const std::function<std::string(const Key&)>& title,
              const std::function<bool(const TestedIntrusion&, const Key&)>& is) {
  for (const Key& key : keys) {
    const auto which = [&](const TestedIntrusion& t) { return is(t, key); };
    std::vector<Cell> row = {{title(key)}, {fmt::format("{}", recall(r, 0, which).all)}};
    for (std::size_t b = 0; b < r.options.budgets.size(); ++b) row.push_back(cell(recall(r, b, which)));
    section.rows.push_back(std::move(row));
  }
}

std::vector<std::string> recall_head(const BacktestResult& r, std::string first) {
  std::vector<std::string> head = {std::move(first), "tried"};
  for (const double budget : r.options.budgets) head.push_back(budget_text(budget) + " a day");
  return head;
}

constexpr InjectionTier kAllTiers[] = {InjectionTier::kOtherCountry, InjectionTier::kOtherProvider,
                                       InjectionTier::kSameTownOtherProvider, InjectionTier::kOwnProvider,
                                       InjectionTier::kOwnProviderCopied};

Section tiers(const BacktestResult& r) {
  Section s;
  s.title = "What would have been caught";
  s.says.push_back(
      "Share of the intrusions put in that were alerts, with the 95 % interval (Wilson), at budgets of so "
      "many alerts a day.");
  s.head = recall_head(r, "where the intruder came from");
  add_rows<InjectionTier>(
      s, r, {std::begin(kAllTiers), std::end(kAllTiers)}, [](const InjectionTier& t) { return std::string(label(t)); },
      [](const TestedIntrusion& t, const InjectionTier& tier) { return t.intrusion.tier == tier; });
  std::vector<Cell> all = {{"all"}, {fmt::format("{}", r.intrusions.size())}};
  for (std::size_t b = 0; b < r.options.budgets.size(); ++b)
    all.push_back(cell(recall(r, b, [](const TestedIntrusion&) { return true; })));
  s.rows.push_back(std::move(all));
  return s;
}

Section clients(const BacktestResult& r) {
  Section s;
  s.title = "By client";
  s.head = recall_head(r, "what the intruder's client said");
  for (const ClientChoice c : {ClientChoice::kOther, ClientChoice::kCopied, ClientChoice::kUnlogged}) {
    const auto which = [&](const TestedIntrusion& t) { return t.intrusion.client == c; };
    if (recall(r, 0, which).all == 0) continue;
    add_rows<ClientChoice>(
        s, r, {c},
        [](const ClientChoice& choice) -> std::string {
          return choice == ClientChoice::kOther    ? "another client than the user's"
                 : choice == ClientChoice::kCopied ? "the user's client, copied"
                                                   : "the gateway logs no client";
        },
        [](const TestedIntrusion& t, const ClientChoice& choice) { return t.intrusion.client == choice; });
  }
  return s;
}

Section gateways(const BacktestResult& r) {
  Section s;
  s.title = "By gateway";
  s.head = recall_head(r, "gateway");
  std::set<std::string> names;
  for (const TestedIntrusion& t : r.intrusions) names.insert(gateway_of(t.intrusion));
  add_rows<std::string>(
      s, r, {names.begin(), names.end()},
      [&](const std::string& name) {
        const auto facts = r.gateways.find(name);
        if (facts == r.gateways.end()) return name;
        return fmt::format("{} (client logged in {} of log-ins)", name,
                           percent({facts->second.with_client, facts->second.logins}));
      },
      [](const TestedIntrusion& t, const std::string& name) { return gateway_of(t.intrusion) == name; });
  return s;
}

Section experience(const BacktestResult& r) {
  Section s;
  s.title = "By how well the user was known";
  s.head = recall_head(r, "log-ins of the user before");
  add_rows<std::string>(
      s, r, {"under 10 log-ins", "10 to 29 log-ins", "30 log-ins and more"}, [](const std::string& g) { return g; },
      [](const TestedIntrusion& t, const std::string& g) { return experience_of(t.intrusion) == g; });
  std::erase_if(s.rows, [](const auto& row) { return row[1].text == "0"; });
  return s;
}

Section sprays(const BacktestResult& r) {
  Section s;
  s.title = "Password sprays";
  if (r.sprays.empty()) {
    for (const auto& [why, count] : r.no_spray) s.says.push_back(fmt::format("None could be tried: {}.", why));
    if (r.no_spray.empty()) s.says.push_back("None were asked for.");
    return s;
  }
  s.head = {"cadence", "attempts", "accounts", "nodes"};
  for (const double budget : r.options.budgets) s.head.push_back(budget_text(budget) + " a day");
  for (const TestedSpray& t : r.sprays) {
    std::vector<Cell> row = {
        {fmt::format("{}, at {}", label(t.spray.cadence),
                     t.spray.gateway.present() ? t.spray.gateway.text() : "a gateway without a name")},
        {fmt::format("{}", t.spray.attempts)},
        {fmt::format("{}", t.spray.accounts.size())},
        {fmt::format("{}", t.spray.nodes.size())}};
    for (std::size_t b = 0; b < r.options.budgets.size(); ++b) {
      row.push_back({!t.outcome.caught[b]      ? "not caught"
                     : t.outcome.after[b] >= 0 ? "after " + duration_text(t.outcome.after[b])
                                               : "caught"});
    }
    s.rows.push_back(std::move(row));
  }
  for (const auto& [why, count] : r.no_spray) s.says.push_back(fmt::format("{} could not be tried: {}.", count, why));
  return s;
}

Section time_to_detect(const BacktestResult& r) {
  Section s;
  s.title = "How soon";
  s.says.push_back(
      "Of those that were caught: from the intruder's first line to the moment at which a running service "
      "would have told. Some log-ins are only strange in the light of what came after.");
  s.head = {"budget", "caught", "within 10 min", "within a day", "median"};
  for (std::size_t b = 0; b < r.options.budgets.size(); ++b) {
    Share soon, day;
    std::vector<double> times;
    for (const TestedIntrusion& t : r.intrusions) {
      if (!t.outcome.caught[b] || t.outcome.after[b] < 0) continue;
      soon.add(t.outcome.after[b] <= 10 * kMinute);
      day.add(t.outcome.after[b] <= kDay);
      times.push_back(static_cast<double>(t.outcome.after[b]));
    }
    s.rows.push_back({{budget_text(r.options.budgets[b]) + " a day"},
                      {fmt::format("{}", times.size())},
                      {percent(soon)},
                      {percent(day)},
                      {times.empty() ? "-" : duration_text(static_cast<Nanoseconds>(median(times)))}});
  }
  return s;
}

Section evidence(const BacktestResult& r) {
  const std::size_t b = main_budget(r);
  Section s;
  s.title = "What caught them";
  s.head = {"evidence", "strongest", "second"};
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> kinds;
  for (const TestedIntrusion& t : r.intrusions) {
    if (!t.outcome.caught[b]) continue;
    if (!t.outcome.evidence.empty()) ++kinds[t.outcome.evidence].first;
    if (!t.outcome.further.empty()) ++kinds[t.outcome.further].second;
  }
  std::vector<std::pair<std::string, std::pair<std::uint64_t, std::uint64_t>>> sorted(kinds.begin(), kinds.end());
  std::ranges::stable_sort(sorted, std::greater<>(), [](const auto& k) { return k.second; });
  for (const auto& [kind, counts] : sorted)
    s.rows.push_back({{kind}, {fmt::format("{}", counts.first)}, {fmt::format("{}", counts.second)}});
  s.says.push_back(
      fmt::format("At {}; each caught intrusion counts once in each column.", alerts_text(r.options.budgets[b])));
  return s;
}

// How the missed ones look at one budget, by tier.
struct Missed {
  std::uint64_t all = 0, unseen = 0, near = 0;
  std::vector<double> below;  // how far under the line, of those that a finding shows
};
Missed missed(const BacktestResult& r, std::size_t b, const std::function<bool(const TestedIntrusion&)>& which) {
  Missed m;
  for (const TestedIntrusion& t : r.intrusions) {
    if (t.outcome.caught[b] || !which(t)) continue;
    ++m.all;
    if (t.outcome.best == Outcome::kUnseen) {
      ++m.unseen;
      continue;
    }
    const double below = r.ordinary[b].line - t.outcome.best;
    m.below.push_back(below);
    m.near += below <= kNear ? 1 : 0;
  }
  return m;
}

Section missed_section(const BacktestResult& r) {
  const std::size_t b = main_budget(r);
  Section s;
  s.title = "What was missed";
  s.says.push_back(
      fmt::format("At {}, where the line lies at {:.2f} log-odds. \"Not shown\": so ordinary that no "
                  "finding was made.",
                  alerts_text(r.options.budgets[b]), r.ordinary[b].line));
  s.head = {"where the intruder came from", "missed", "not shown", "within 1.0 of the line", "median below the line"};
  for (const InjectionTier tier : kAllTiers) {
    const Missed m = missed(r, b, [&](const TestedIntrusion& t) { return t.intrusion.tier == tier; });
    if (m.all == 0) continue;
    s.rows.push_back({{std::string(label(tier))},
                      {fmt::format("{}", m.all)},
                      {fmt::format("{}", m.unseen)},
                      {fmt::format("{}", m.near)},
                      {m.below.empty() ? "-" : fmt::format("{:.1f}", median(m.below))}});
  }
  if (s.rows.empty()) s.says = {"Nothing at this budget."};
  if (s.rows.empty()) s.head.clear();
  return s;
}

Section ordinary(const BacktestResult& r) {
  Section s;
  s.title = "Alerts of the history as it is";
  s.says.push_back(
      "Without anything put in. Nobody knows how many of them are false: they are the upper bound of false "
      "alerts.");
  s.head = {"budget", "line (log-odds)", "alerts", "a day", "a day in the tested time"};
  for (std::size_t b = 0; b < r.ordinary.size(); ++b) {
    const OrdinaryAlerts& o = r.ordinary[b];
    s.rows.push_back({{budget_text(r.options.budgets[b]) + " a day"},
                      {fmt::format("{:.2f}", o.line)},
                      {fmt::format("{}", o.all)},
                      {fmt::format("{:.2f}", a_day(o.all, r.last - r.first))},
                      {fmt::format("{:.2f}", a_day(o.tested, r.last - r.from))}});
  }
  for (std::size_t b = 0; b < r.ordinary.size(); ++b) {
    if (r.ordinary[b].line > score::kLeastAlertLogOdds) continue;
    s.says.push_back(
        fmt::format("The budget of {} is not spent: the line stands at its lowest, below which evidence "
                    "hardly speaks for an intruder at all. A larger one catches no more.",
                    alerts_text(r.options.budgets[b])));
    break;
  }
  if (!r.intrusions.empty() || !r.sprays.empty()) {
    s.says.push_back(fmt::format("What was put in changed {} of {} alerts about others, over all runs.",
                                 r.others_changed, r.others));
  }
  return s;
}

Section untestable(const BacktestResult& r) {
  Section s;
  s.title = "What could not be tested";
  s.head = {"reason", "number"};
  for (const auto& [why, count] : r.untestable) s.rows.push_back({{"users: " + why}, {fmt::format("{}", count)}});
  for (const auto& [key, count] : r.skipped)
    s.rows.push_back({{fmt::format("{}: {}", label(key.first), key.second)}, {fmt::format("{}", count)}});
  for (const auto& [why, count] : r.no_spray) s.rows.push_back({{"spray: " + why}, {fmt::format("{}", count)}});
  if (s.rows.empty()) {
    s.says.push_back("Every user could be tested in every tier.");
    s.head.clear();
  } else {
    s.says.push_back(
        fmt::format("{} of {} users can be victims. Of a tier that is not possible for a user the next one "
                    "is taken, and the reason is counted here once a run.",
                    r.victims, r.users));
  }
  return s;
}

std::string summary(const BacktestResult& r) {
  std::set<std::string_view> people;
  for (const TestedIntrusion& t : r.intrusions) people.insert(t.intrusion.user.text());
  std::string out = fmt::format(
      "History from {} to {}: {} events, {} users who log in from outside{}. Tested: the time from {} on, {} "
      "intrusions against {} users in {} {}, exit nodes with a median life of {} days, at the {} hours; seed {}.",
      date(r.first), date(r.last), r.events, r.users,
      r.sampled > 1 ? fmt::format(" (a sample of one in {})", r.sampled) : std::string(), date(r.from),
      r.intrusions.size(), people.size(), r.options.runs, r.options.runs == 1 ? "run" : "runs",
      r.options.node_median_days, r.options.hours == Hours::kVictim ? "victims'" : "operators'", r.options.seed);
  return out;
}

constexpr std::string_view kLimits =
    "What this cannot tell: it believes that the history is clean; an intruder who is already in it was learned as "
    "ordinary. It tests the log-in and not what an intruder does behind it, nor marks of hijacked devices that scans, "
    "flows or lists of bad addresses would show. The figures are about this history and these detectors.";

std::vector<Section> sections(const BacktestResult& r) {
  std::vector<Section> out = {tiers(r)};
  Section advice;
  advice.title = "What follows";
  advice.says = recommendations(r);
  if (advice.says.empty()) advice.says = {"Nothing stands out in these numbers."};
  out.push_back(std::move(advice));
  out.push_back(gateways(r));
  out.push_back(clients(r));
  out.push_back(experience(r));
  out.push_back(time_to_detect(r));
  out.push_back(evidence(r));
  out.push_back(missed_section(r));
  out.push_back(sprays(r));
  out.push_back(ordinary(r));
  out.push_back(untestable(r));
  return out;
}

// Breaks at blanks.
void wrap(std::string& out, std::string_view text, std::size_t width, std::string_view indent) {
  std::size_t column = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view word = core::take_until(rest, ' ');
    const std::size_t w = core::display_width(word);
    if (column > 0 && column + 1 + w > width) {
      out += '\n';
      column = 0;
    }
    if (column == 0) {
      out += indent;
      column = indent.size();
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += w;
  }
  out += '\n';
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// Beside what the report's style says.
constexpr std::string_view kStyle = R"(
table.shares { width: 100%; border-collapse: collapse; font-size: .92rem; }
table.shares th, table.shares td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right; font-variant-numeric: tabular-nums; vertical-align: top; }
table.shares th:first-child, table.shares td:first-child { text-align: left; }
table.shares thead th { color: var(--muted); font-weight: 600; }
table.shares th[scope=row] { font-weight: normal; overflow-wrap: anywhere; }
table.shares svg { margin: .2rem 0 0 auto; }
table.shares .track { fill: var(--soft); } table.shares .share { fill: var(--accent); }
.scroll { overflow-x: auto; }
.says { max-width: 60rem; margin: .2rem 0 .6rem; }
ul.says { padding-left: 1.2rem; }
)";

}  // namespace

std::vector<std::string> recommendations(const BacktestResult& r) {
  std::vector<std::string> out;
  if (r.intrusions.empty()) return out;
  const std::size_t b = main_budget(r);
  const std::string budget = budget_text(r.options.budgets[b]);
  const auto own = [](const TestedIntrusion& t) {
    return t.intrusion.tier == InjectionTier::kOwnProvider || t.intrusion.tier == InjectionTier::kOwnProviderCopied;
  };
  const Share all = recall(r, b, [](const TestedIntrusion&) { return true; });
  out.push_back(fmt::format("At {} {} of {} intrusions would have been caught ({}).", alerts_text(r.options.budgets[b]),
                            all.found, all.all, percent(all)));

  // Gateways that do not say what the client is, beside the best of those that do.
  const auto own_at = [&](const std::string& gateway) {
    return recall(r, b, [&](const TestedIntrusion& t) { return own(t) && gateway_of(t.intrusion) == gateway; });
  };
  std::string best;
  Share best_share;
  for (const auto& [gateway, facts] : r.gateways) {
    if (facts.with_client * 2 < facts.logins) continue;
    const Share share = own_at(gateway);
    if (share.all >= kLeastCompared && (best.empty() || share.value() > best_share.value())) {
      best = gateway;
      best_share = share;
    }
  }
  for (const auto& [gateway, facts] : r.gateways) {
    if (facts.logins == 0 || facts.with_client * 20 >= facts.logins) continue;
    const Share share = own_at(gateway);
    std::string text =
        fmt::format("Gateway {} logs no client: what it runs cannot be compared with the user's.", gateway);
    if (share.all >= kLeastCompared && !best.empty() && share.value() < best_share.value()) {
      text = fmt::format(
          "Gateway {} logs no client: of intruders who come through the user's own provider {} are caught there, "
          "against {} at {}.",
          gateway, percent(share), percent(best_share), best);
    }
    out.push_back(text + " Let it log the client's software, if it can.");
  }

  // What copying the client is worth to an intruder.
  const auto tier = [](InjectionTier which, bool logged) {
    return [=](const TestedIntrusion& t) {
      return t.intrusion.tier == which && (!logged || t.intrusion.client != ClientChoice::kUnlogged);
    };
  };
  const Share other = recall(r, b, tier(InjectionTier::kOwnProvider, true));
  const Share copied = recall(r, b, tier(InjectionTier::kOwnProviderCopied, true));
  if (other.all >= kLeastCompared && copied.all >= kLeastCompared && copied.value() + 0.15 < other.value()) {
    out.push_back(
        fmt::format("An intruder on the user's own provider who copies the client is caught in {} of cases, one "
                    "who does not in {}: a second factor that cannot be copied (a machine certificate) would "
                    "close what the logs cannot show.",
                    percent(copied), percent(other)));
  }

  // A larger budget.
  for (std::size_t more = b + 1; more < r.options.budgets.size(); ++more) {
    const Share share = recall(r, more, [](const TestedIntrusion&) { return true; });
    const auto gained = share.found - std::min(share.found, all.found);
    if (static_cast<double>(gained) >= 0.1 * static_cast<double>(all.all)) {
      out.push_back(
          fmt::format("{} instead of {} would catch {} instead of {}, for {:.1f} alerts a day in "
                      "this history instead of {:.1f}.",
                      alerts_text(r.options.budgets[more]), budget, percent(share), percent(all),
                      a_day(r.ordinary[more].all, r.last - r.first), a_day(r.ordinary[b].all, r.last - r.first)));
      break;
    }
  }
  for (std::size_t less = 0; less < b; ++less) {
    const Share share = recall(r, less, [](const TestedIntrusion&) { return true; });
    if (share.found == all.found && r.ordinary[less].all < r.ordinary[b].all) {
      out.push_back(fmt::format("{} would catch as many as {}.", alerts_text(r.options.budgets[less]), budget));
      break;
    }
  }

  const Missed m = missed(r, b, [](const TestedIntrusion&) { return true; });
  if (m.near * 4 >= m.all && m.near >= 3) {
    out.push_back(
        fmt::format("{} of {} missed intrusions lie within {:.1f} of the line: the findings just below it are "
                    "worth a look (`orbwatch hunt --all`).",
                    m.near, m.all, kNear));
  }

  const auto known_as = [&](std::string_view group) {
    return recall(r, b, [&](const TestedIntrusion& t) { return experience_of(t.intrusion) == group; });
  };
  const Share little = known_as("under 10 log-ins");
  const Share well = known_as("30 log-ins and more");
  if (little.all >= kLeastCompared && well.all >= kLeastCompared && little.value() + 0.15 < well.value()) {
    out.push_back(
        fmt::format("Of users with under 10 log-ins {} are protected, of those with 30 and more {}: a longer "
                    "history helps.",
                    percent(little), percent(well)));
  }
  if (const std::uint64_t missing = r.users - std::min(r.users, r.victims); missing * 5 > r.users) {
    out.push_back(
        fmt::format("{} of {} users could not be tested, so these figures are not about them.", missing, r.users));
  }

  std::uint64_t fewest = UINT64_MAX;
  for (const InjectionTier which : kAllTiers) fewest = std::min(fewest, recall(r, b, tier(which, false)).all);
  if (fewest < 20) {
    out.push_back(
        fmt::format("Some rows rest on few tries (the fewest: {}), hence the wide intervals: more --runs or a "
                    "longer history narrow them.",
                    fewest));
  }
  return out;
}

std::string backtest_text(const BacktestResult& r, int width) {
  const auto columns = static_cast<std::size_t>(std::clamp(width, 40, 120));
  std::string out = "Backtest: covert log-ins put into this history\n\n";
  wrap(out, summary(r), columns, "");
  for (const Section& s : sections(r)) {
    out += '\n' + s.title + '\n';
    const bool list = s.head.empty() && s.says.size() > 1;
    for (const std::string& text : s.says) {
      std::string wrapped;
      wrap(wrapped, core::printable(text, 1000), columns, list ? "    " : "  ");
      if (list) wrapped.replace(2, 1, "-");
      out += wrapped;
    }
    if (s.rows.empty()) continue;
    std::vector<std::size_t> widths(s.head.size());
    for (std::size_t c = 0; c < s.head.size(); ++c) {
      widths[c] = core::display_width(s.head[c]);
      for (const auto& row : s.rows)
        widths[c] = std::max(widths[c], core::display_width(core::printable(row[c].text, 200)));
    }
    const auto line = [&](const std::function<std::string(std::size_t)>& text) {
      std::string whole = "  ";
      for (std::size_t c = 0; c < s.head.size(); ++c) {
        const std::string shown = core::printable(text(c), 200);
        const std::string blanks(widths[c] - std::min(widths[c], core::display_width(shown)), ' ');
        if (c > 0) whole += "  ";
        whole += c == 0 ? shown + blanks : blanks + shown;
      }
      whole.erase(whole.find_last_not_of(' ') + 1);
      out += whole + '\n';
    };
    line([&](std::size_t c) { return s.head[c]; });
    for (const auto& row : s.rows) line([&](std::size_t c) { return row[c].text; });
  }
  out += '\n';
  wrap(out, kLimits, columns, "");
  for (const std::string& note : r.notes) wrap(out, core::printable(note, 1000), columns, "  ");
  return out;
}

std::string backtest_html(const BacktestResult& r) {
  const std::string style = std::string(exporting::assets::report_css) + std::string(kStyle);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '" +
      exporting::csp_hash(style) +
      "'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>orbwatch backtest</title>\n<style>" +
      style + "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#s0\">Skip to the results</a>\n" +
      "<header class=\"top\"><div class=\"brand\"><div><h1>orbwatch backtest</h1><p>" +
      fmt::format("{} to {}", date(r.first), date(r.last)) + "</p></div></div></header>\n<main>\n<p class=\"says\">" +
      escaped(summary(r)) + "</p>\n";
  const std::size_t b = main_budget(r);
  out += "<div class=\"tiles\">\n";
  for (const InjectionTier tier : kAllTiers) {
    const Share share = recall(r, b, [&](const TestedIntrusion& t) { return t.intrusion.tier == tier; });
    out += fmt::format("<div class=\"tile\"><b>{}</b><span>{}, at {}</span></div>\n", percent(share),
                       escaped(label(tier)), alerts_text(r.options.budgets[b]));
  }
  out += "</div>\n";
  std::size_t number = 0;
  for (const Section& s : sections(r)) {
    out += fmt::format(
        "<section class=\"card\" id=\"s{0}\" aria-labelledby=\"h{0}\" tabindex=\"-1\">\n<h2 id=\"h{0}\">{1}</h2>\n",
        number++, escaped(s.title));
    if (s.head.empty() && s.says.size() > 1) {
      out += "<ul class=\"says\">\n";
      for (const std::string& text : s.says) out += "<li>" + escaped(text) + "</li>\n";
      out += "</ul>\n";
    } else {
      for (const std::string& text : s.says) out += "<p class=\"says\">" + escaped(text) + "</p>\n";
    }
    if (!s.rows.empty()) {
      out += "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"" + escaped(s.title) +
             "\"><table class=\"shares\">\n<thead><tr>";
      for (const std::string& head : s.head) out += "<th scope=\"col\">" + escaped(head) + "</th>";
      out += "</tr></thead>\n<tbody>\n";
      for (const auto& row : s.rows) {
        out += "<tr>";
        for (std::size_t c = 0; c < row.size(); ++c) {
          out += c == 0 ? "<th scope=\"row\">" : "<td>";
          out += escaped(row[c].text);
          if (row[c].share >= 0) {
            out += fmt::format(
                "<svg width=\"96\" height=\"6\" aria-hidden=\"true\"><rect class=\"track\" width=\"96\" "
                "height=\"6\" rx=\"3\"/><rect class=\"share\" width=\"{:.0f}\" height=\"6\" rx=\"3\"/></svg>",
                96 * row[c].share);
          }
          out += c == 0 ? "</th>" : "</td>";
        }
        out += "</tr>\n";
      }
      out += "</tbody>\n</table></div>\n";
    }
    out += "</section>\n";
  }
  out += "<section class=\"card\" aria-label=\"Limits and notes\">\n<p class=\"says\">" + escaped(kLimits) + "</p>\n";
  for (const std::string& note : r.notes) out += "<p class=\"hint\">" + escaped(note) + "</p>\n";
  return out + "</section>\n</main>\n</body>\n</html>\n";
}

std::string backtest_json(const BacktestResult& r) {
  std::string out;
  const auto text = [&](std::string_view key, std::string_view value) {
    append_json_string(out, key);
    out += ':';
    append_json_string(out, value);
  };
  const auto number = [&](std::string_view key, const auto& value) {
    append_json_string(out, key);
    out += fmt::format(":{}", value);
  };
  const auto list = [&](std::string_view key, const auto& items, const auto& each) {
    append_json_string(out, key);
    out += ":[";
    bool first = true;
    for (const auto& item : items) {
      if (!first) out += ',';
      first = false;
      each(item);
    }
    out += ']';
  };
  const auto shares = [&](const std::function<bool(const TestedIntrusion&)>& which) {
    std::vector<std::size_t> budgets(r.options.budgets.size());
    for (std::size_t b = 0; b < budgets.size(); ++b) budgets[b] = b;
    number("tried", recall(r, 0, which).all);
    out += ',';
    list("recall", budgets, [&](std::size_t b) {
      const Share share = recall(r, b, which);
      const Interval i = wilson(share.found, share.all);
      out += fmt::format(R"({{"alerts_per_day":{},"caught":{},"low":{:.4f},"high":{:.4f}}})", r.options.budgets[b],
                         share.found, i.low, i.high);
    });
  };
  const auto outcome = [&](const Outcome& o) {
    std::vector<std::size_t> budgets(o.caught.size());
    for (std::size_t b = 0; b < budgets.size(); ++b) budgets[b] = b;
    if (o.best != Outcome::kUnseen) {
      number("best_log_odds", fmt::format("{:.4f}", o.best));
      out += ',';
    }
    if (!o.evidence.empty()) {
      text("evidence", o.evidence);
      out += ',';
    }
    list("budgets", budgets, [&](std::size_t b) {
      out += fmt::format(R"({{"alerts_per_day":{},"caught":{})", r.options.budgets[b], o.caught[b]);
      if (o.after[b] >= 0) out += fmt::format(R"(,"seconds_to_detect":{})", o.after[b] / core::kSecond);
      out += '}';
    });
  };
  out += '{';
  text("first", core::rfc3339(r.first));
  out += ',';
  text("last", core::rfc3339(r.last));
  out += ',';
  text("tested_from", core::rfc3339(r.from));
  out += fmt::format(R"(,"seed":{},"runs":{},"events":{},"users":{},"sampled_one_in":{},"victims":{},)", r.options.seed,
                     r.options.runs, r.events, r.users, r.sampled, r.victims);
  std::vector<std::size_t> budgets(r.ordinary.size());
  for (std::size_t b = 0; b < budgets.size(); ++b) budgets[b] = b;
  list("ordinary", budgets, [&](std::size_t b) {
    const OrdinaryAlerts& o = r.ordinary[b];
    out += fmt::format(
        R"({{"alerts_per_day":{},"line_log_odds":{:.4f},"alerts":{},"alerts_in_tested_time":{},"a_day":{:.4f}}})",
        r.options.budgets[b], o.line, o.all, o.tested, a_day(o.all, r.last - r.first));
  });
  out += ',';
  list("tiers", kAllTiers, [&](InjectionTier tier) {
    out += '{';
    text("tier", name(tier));
    out += ',';
    shares([&](const TestedIntrusion& t) { return t.intrusion.tier == tier; });
    out += '}';
  });
  out += ',';
  list("gateways", r.gateways, [&](const auto& g) {
    out += '{';
    text("gateway", g.first);
    out += fmt::format(R"(,"logins":{},"with_client":{},)", g.second.logins, g.second.with_client);
    shares([&](const TestedIntrusion& t) { return gateway_of(t.intrusion) == g.first; });
    out += '}';
  });
  out += ',';
  const std::string_view groups[] = {"under 10 log-ins", "10 to 29 log-ins", "30 log-ins and more"};
  list("experience", groups, [&](std::string_view group) {
    out += '{';
    text("group", group);
    out += ',';
    shares([&](const TestedIntrusion& t) { return experience_of(t.intrusion) == group; });
    out += '}';
  });
  out += ',';
  list("intrusions", r.intrusions, [&](const TestedIntrusion& t) {
    out += '{';
    number("run", t.run);
    out += ',';
    text("tier", name(t.intrusion.tier));
    out += ',';
    text("client", name(t.intrusion.client));
    out += ',';
    text("user", t.intrusion.user.text());
    out += ',';
    text("gateway", t.intrusion.gateway.text());
    out += ',';
    number("experience", t.intrusion.experience);
    out += ',';
    list("logins", t.intrusion.logins, [&](Nanoseconds time) { append_json_string(out, core::rfc3339(time)); });
    out += ',';
    list("sources", t.intrusion.nodes, [&](const core::Ip& ip) { append_json_string(out, ip.text()); });
    out += ',';
    outcome(t.outcome);
    out += '}';
  });
  out += ',';
  list("sprays", r.sprays, [&](const TestedSpray& t) {
    out += '{';
    text("cadence", name(t.spray.cadence));
    out += ',';
    text("gateway", t.spray.gateway.text());
    out += fmt::format(R"(,"attempts":{},"accounts":{},"nodes":{},)", t.spray.attempts, t.spray.accounts.size(),
                       t.spray.nodes.size());
    text("first", core::rfc3339(t.spray.first));
    out += ',';
    text("last", core::rfc3339(t.spray.last));
    out += ',';
    outcome(t.outcome);
    out += '}';
  });
  out += ',';
  list("untestable", r.untestable, [&](const auto& item) {
    out += '{';
    text("why", item.first);
    out += fmt::format(R"(,"users":{}}})", item.second);
  });
  out += ',';
  list("skipped", r.skipped, [&](const auto& item) {
    out += '{';
    text("tier", name(item.first.first));
    out += ',';
    text("why", item.first.second);
    out += fmt::format(R"(,"times":{}}})", item.second);
  });
  out += ',';
  list("no_spray", r.no_spray, [&](const auto& item) {
    out += '{';
    text("why", item.first);
    out += fmt::format(R"(,"times":{}}})", item.second);
  });
  out += fmt::format(R"(,"alerts_about_others":{},"alerts_about_others_changed":{},)", r.others, r.others_changed);
  list("recommendations", recommendations(r), [&](const std::string& s) { append_json_string(out, s); });
  out += ',';
  list("notes", r.notes, [&](const std::string& s) { append_json_string(out, s); });
  return out + '}';
}

}  // namespace orbwatch::evaluate

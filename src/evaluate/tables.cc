#include "evaluate/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/text.h"

namespace orbwatch::evaluate {
namespace {

using core::Nanoseconds;

constexpr std::array<double, 9> kFalseSteps = {0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50};  // a day
constexpr std::array<double, 6> kRecallSteps = {0.25, 0.5, 0.75, 0.9, 0.95, 0.99};
constexpr std::size_t kMostCurvePoints = 200;

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }
std::string percent(const Ratio& r) { return r.all == 0 ? "-" : percent(r.share()); }
std::string interval(const Ratio& r) {
  const Interval i = wilson(r.found, r.all);
  return r.all == 0 ? "-" : fmt::format("{:.0f}-{:.0f} %", 100 * i.low, 100 * i.high);
}
std::string a_day(const Period& p) { return p.days == 0 ? "-" : fmt::format("{:.2f}", p.a_day()); }

std::string duration(const std::optional<Nanoseconds>& time) {
  if (!time) return "never";
  const double s = static_cast<double>(*time) / core::kSecond;
  if (s < 120) return fmt::format("{:.0f} s", s);
  if (s < 7200) return fmt::format("{:.0f} min", s / 60);
  if (s < 172800) return fmt::format("{:.1f} h", s / 3600);
  return fmt::format("{:.1f} days", s / 86400);
}

std::string factor_text(const Comparison& c) {
  return c.factor ? fmt::format("{}{:.1f}", c.at_least ? "more than " : "", *c.factor) : "-";
}

std::string seed_text(const std::vector<std::uint64_t>& seeds) {
  std::string text;
  for (std::size_t i = 0; i < seeds.size();) {
    std::size_t j = i;
    while (j + 1 < seeds.size() && seeds[j + 1] == seeds[j] + 1) ++j;
    if (!text.empty()) text += ", ";
    text += i == j ? fmt::format("{}", seeds[i]) : fmt::format("{} to {}", seeds[i], seeds[j]);
    i = j + 1;
  }
  return text;
}

// ---- Markdown

class Page {
 public:
  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }
  // A row of a table.
  void row(const std::vector<std::string>& cells) {
    text_ += "| " + fmt::format("{}", fmt::join(cells, " | ")) + " |\n";
  }
  void head(const std::vector<std::string>& cells) {
    row(cells);
    text_ += "|";
    for (std::size_t i = 0; i < cells.size(); ++i) text_ += "---|";
    text_ += "\n";
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string bar_value(const Bar& bar, double value) {
  if (bar.name == "references") return fmt::format("{:.1f}", value);
  return bar.at_most ? fmt::format("{:.2f}", value) : fmt::format("{:.1f} %", 100 * value);
}

void bars(Page& page, const Measures& m) {
  page.add("## Bars\n\nAt {} alerts a day.\n\n", m.budgets[m.main]);
  page.head({"bar", "required", "measured", "holds"});
  for (const Bar& b : m.bars) {
    page.row({b.text, fmt::format("{} {}", b.at_most ? "at most" : "at least", bar_value(b, b.required)),
              b.measured ? bar_value(b, *b.measured) : "nothing to measure", b.holds() ? "yes" : "**no**"});
  }
  page.add("\n");
}

void tiers(Page& page, const Measures& m) {
  page.add(
      "An item is one log-in of an intrusion, a spray one campaign. Recall with its 95 % interval, at so many "
      "alerts a day.\n\n");
  std::vector<std::string> head = {"exit node, as the victim's history sees it", "bar", "items"};
  for (const double budget : m.budgets) {
    head.push_back(fmt::format("found at {}", budget));
    head.emplace_back("recall");
    head.emplace_back("interval");
  }
  head.emplace_back("among all findings");
  page.head(head);
  for (const TierRow& r : m.tiers) {
    const auto required = bar(r.tier);
    std::vector<std::string> cells = {std::string(text(r.tier)), required ? percent(*required) : "-",
                                      fmt::format("{}", r.at.front().all)};
    for (const Ratio& at : r.at) {
      cells.push_back(fmt::format("{}", at.found));
      cells.push_back(percent(at));
      cells.push_back(interval(at));
    }
    cells.push_back(fmt::format("{}", r.seen));
    page.row(cells);
  }
  page.add("\n");
}

void false_alerts(Page& page, const Measures& m) {
  page.head({"budget, alerts a day", "days before the attack", "false alerts a day", "days during it",
             "false alerts a day", "days after it", "false alerts a day", "first 7 days", "true among all alerts"});
  for (std::size_t b = 0; b < m.budgets.size(); ++b) {
    const FalseAlerts& f = m.false_alerts[b];
    page.row({fmt::format("{}", m.budgets[b]), fmt::format("{}", f.before.days), a_day(f.before),
              fmt::format("{}", f.during.days), a_day(f.during), fmt::format("{}", f.after.days), a_day(f.after),
              a_day(f.learning), percent(m.precision[b])});
  }
  page.add("\n");
}

void trade_off(Page& page, const Measures& m) {
  std::vector<const Curve*> curves = {&m.own};
  for (const Curve& c : m.references) curves.push_back(&c);
  page.add(
      "Recall of intrusions (log-ins found of {}) at the lowest line with at most so many false alerts a day, in "
      "{} days behind the learning days. A rule without degrees has one line only.\n\n",
      m.own.items, m.own.days);
  std::vector<std::string> head = {"false alerts a day, at most"};
  for (const double step : kFalseSteps) head.push_back(fmt::format("{}", step));
  head.emplace_back("finds at most");
  page.head(head);
  for (const Curve* c : curves) {
    std::vector<std::string> cells = {c->name};
    for (const double step : kFalseSteps) {
      const CurvePoint* p = c->at_false(step);
      cells.push_back(p == nullptr ? "-" : percent(c->recall(*p)));
    }
    cells.push_back(c->points.empty() ? "0 %" : percent(c->recall(c->points.back())));
    page.row(cells);
  }
  page.add(
      "\nPrecision (alerts that find an intrusion, of these and the false ones) at the highest line with at least "
      "this recall; the area under the curve of precision by recall.\n\n");
  head = {"recall, at least"};
  for (const double step : kRecallSteps) head.push_back(percent(step));
  head.emplace_back("area");
  page.head(head);
  for (const Curve* c : curves) {
    std::vector<std::string> cells = {c->name};
    for (const double step : kRecallSteps) {
      const CurvePoint* p = c->at_recall(step);
      cells.push_back(p == nullptr ? "-" : percent(Curve::precision(*p)));
    }
    cells.push_back(fmt::format("{:.3f}", c->area()));
    page.row(cells);
  }
  page.add(
      "\nFalse alerts a day at equal recall: that of orbwatch at {} alerts a day ({}), or the most that the "
      "reference finds if that is less.\n\n",
      m.budgets[m.main], percent(m.recall));
  page.head({"reference", "recall", "orbwatch, a day", "reference, a day", "times fewer"});
  for (const Comparison& c : m.comparisons) {
    page.row({c.reference, percent(c.recall) + (c.reaches ? "" : ", its most"), fmt::format("{:.3f}", c.own_a_day),
              fmt::format("{:.3f}", c.reference_a_day), factor_text(c)});
  }
  page.add("\n");
}

void time_to_detect(Page& page, const Measures& m) {
  page.add(
      "From an intrusion's first log-in to the event time at which a running service would first have handed out "
      "an alert about it (asked every 10 s, with the line that it draws over the 28 days before). \"Of all\" "
      "counts what the service never told as never.\n\n");
  page.head({"what", "number", "median", "90th percentile", "median of all", "90th of all", "service and hunt",
             "service only", "hunt only", "neither"});
  const auto row = [&](std::string what, const Delays& d) {
    const bool any = d.both + d.only_live > 0;
    page.row({std::move(what), fmt::format("{}", d.all), any ? duration(d.median) : "-", any ? duration(d.ninety) : "-",
              duration(d.median_of_all), duration(d.ninety_of_all), fmt::format("{}", d.both),
              fmt::format("{}", d.only_live), fmt::format("{}", d.only_hunt),
              fmt::format("{}", d.all - d.both - d.only_live - d.only_hunt)});
  };
  row("all intrusions", m.intrusions);
  for (const auto& [tier, delays] : m.intrusions_by_tier) row(std::string(text(tier)), delays);
  row("sprays, from the first attempt", m.sprays.delays);
  page.add("\nAccounts tried twice when the alert about a spray came: at most {:.1f} % of those of its first day.\n\n",
           100 * m.sprays.most_twice);
}

std::string edge(double value) { return std::isinf(value) ? "" : fmt::format("{:.0f}", value); }

// A share in per cent with three digits that count.
std::string small(double share) {
  return share >= 0.0995 ? fmt::format("{:.0f}", 100 * share) : fmt::format("{:.3g}", 100 * share);
}

void reliability_table(Page& page, const Reliability& r) {
  page.add(
      "Findings about log-ins, alerts or not, behind the learning days: what the score says beside what was the case. "
      "The worlds hold {} covert log-ins in {}, {:.1f} times the share that the score assumes before any evidence (one "
      "in {:.0f}). By Bayes' rule another share multiplies the odds of every finding by one and the same factor, "
      "whatever its evidence. So each covert finding counts {:.3g} here, each ordinary one 1: what is shown is how the "
      "score would stand in an organisation that is attacked as rarely as the score assumes. Expected calibration "
      "error: "
      "{:.5f}, the mean distance of predicted and observed over all findings in this weighing.\n\n",
      r.covert_logins, r.logins, 1 / r.weight, 1 / r.prior, r.weight, r.error);
  page.head({"log-odds from", "to", "covert", "ordinary", "predicted", "observed", "95 % interval"});
  for (const Bin& b : r.bins) {
    page.row({edge(b.from), edge(b.to), fmt::format("{}", b.covert), fmt::format("{}", b.ordinary),
              fmt::format("{} %", small(b.predicted)), fmt::format("{} %", small(b.observed)),
              fmt::format("{}-{} %", small(b.interval.low), small(b.interval.high))});
  }
  page.add("\n");
}

void kinds(Page& page, const Measures& m) {
  page.head({"kind", "items", "found", "recall", "95 % interval", "among all findings", "campaigns",
             "campaigns with an item found"});
  for (const auto& [kind, k] : m.kinds) {
    page.row({kind, fmt::format("{}", k.items.all), fmt::format("{}", k.items.found), percent(k.items),
              interval(k.items), fmt::format("{}", k.seen), fmt::format("{}", k.campaigns.size()),
              fmt::format("{}", std::ranges::count_if(k.campaigns, [](const auto& c) { return c.second; }))});
  }
  page.add("\n");
  const auto table = [&](std::string head, const std::map<std::string, Ratio>& rows) {
    page.head({std::move(head), "items", "found", "recall", "95 % interval"});
    for (const auto& [name, r] : rows)
      page.row({name, fmt::format("{}", r.all), fmt::format("{}", r.found), percent(r), interval(r)});
    page.add("\n");
  };
  table("client software of intrusions", m.clients);
  table("disguise of intrusions (0 plain, 5 best)", m.disguises);
}

void worlds_table(Page& page, const std::vector<WorldResult>& worlds, std::size_t main) {
  page.head({"seed", "region", "users", "lines", "log-ins", "items", "found", "false alerts a day before", "during"});
  for (const WorldResult& w : worlds) {
    const auto best = best_of(w);
    const double line = w.lines_of_budgets[main];
    Period before, during;
    for (int day = kLearningDays; day < w.days; ++day) {
      before.days += day < w.attack_from ? 1 : 0;
      during.days += day >= w.attack_from && day <= w.attack_last ? 1 : 0;
    }
    for (const Judgement& j : w.findings) {
      if (j.worth != AlertClass::kFalse || j.strength < line || j.day < kLearningDays) continue;
      before.alerts += j.day < w.attack_from ? 1 : 0;
      during.alerts += j.day >= w.attack_from && j.day <= w.attack_last ? 1 : 0;
    }
    page.row({fmt::format("{}", w.seed), w.region, fmt::format("{}", w.users), fmt::format("{}", w.lines),
              fmt::format("{}", w.watched.logins), fmt::format("{}", w.items.size()),
              fmt::format("{}", std::ranges::count_if(best, [&](const auto& b) { return b && *b >= line; })),
              a_day(before), a_day(during)});
  }
  page.add("\n");
}

// What was not found, by what it is; each item stands in the JSON.
void not_found(Page& page, const std::vector<WorldResult>& worlds, std::size_t main) {
  struct Row {
    std::uint64_t items = 0, unseen = 0;
    std::optional<double> nearest;  // log-odds below the line
  };
  std::map<std::vector<std::string>, Row> rows;
  const auto or_dash = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
  for (const WorldResult& w : worlds) {
    const auto best = best_of(w);
    for (std::size_t i = 0; i < w.items.size(); ++i) {
      const TruthItem& item = w.items[i];
      const double line = w.lines_of_budgets[main];
      if (best[i] && *best[i] >= line) continue;
      Row& row = rows[{item.kind, or_dash(item.placement), or_dash(item.provider), or_dash(item.client)}];
      ++row.items;
      row.unseen += best[i] ? 0 : 1;
      if (best[i] && (!row.nearest || line - *best[i] < *row.nearest)) row.nearest = line - *best[i];
    }
  }
  if (rows.empty()) {
    page.add("None.\n");
    return;
  }
  page.head({"kind", "place", "provider", "client", "items", "without any finding", "nearest to the line, log-odds"});
  for (const auto& [what, row] : rows) {
    std::vector<std::string> cells = what;
    cells.push_back(fmt::format("{}", row.items));
    cells.push_back(fmt::format("{}", row.unseen));
    cells.push_back(row.nearest ? fmt::format("{:.1f} below", *row.nearest) : "-");
    page.row(cells);
  }
}

}  // namespace

std::string markdown(const Evaluation& evaluation) {
  const EvaluateOptions& o = evaluation.options;
  const Measures m = measure(evaluation.worlds, o.alerts_per_day);
  Page page;
  page.add(
      "# Detection results\n\nMade by `{}` of orbwatch {}; do not edit. How worlds are made, how things are "
      "counted and what the figures mean: [evaluation.md](evaluation.md).\n\n",
      o.command.empty() ? "orbwatch evaluate" : o.command, ORBWATCH_VERSION);
  std::uint64_t lines = 0;
  for (const WorldResult& w : evaluation.worlds) lines += w.lines;
  page.add(
      "Worlds: seeds {}; {} users, {} days each, {} lines in all. Alert budget: {} alerts on an ordinary day; "
      "other budgets are derived from the same findings.\n\n",
      seed_text(o.seeds), o.world.lines > 0 ? "scaled" : fmt::format("{}", o.world.users), o.world.days, lines,
      o.alerts_per_day);
  bars(page, m);
  page.add("## Recall\n\n");
  tiers(page, m);
  page.add("## False alerts\n\n");
  false_alerts(page, m);
  page.add("## Beside reference rules\n\n");
  trade_off(page, m);
  page.add("## Time to detect\n\n");
  time_to_detect(page, m);
  page.add("## Reliability of the score\n\n");
  reliability_table(page, m.reliability);
  if (!evaluation.large.empty()) {
    const Measures l = measure(evaluation.large, o.alerts_per_day);
    page.add("## A larger organisation\n\n{} users, seeds {}, all else the same. No bars.\n\n", o.large_users,
             seed_text(o.large_seeds));
    tiers(page, l);
    false_alerts(page, l);
    page.head({"reference, at equal recall", "recall", "orbwatch, a day", "reference, a day", "times fewer"});
    for (const Comparison& c : l.comparisons) {
      page.row({c.reference, percent(c.recall) + (c.reaches ? "" : ", its most"), fmt::format("{:.3f}", c.own_a_day),
                fmt::format("{:.3f}", c.reference_a_day), factor_text(c)});
    }
    page.add("\n");
    worlds_table(page, evaluation.large, l.main);
  }
  page.add("## By kind, client and disguise\n\nAt {} alerts a day.\n\n", m.budgets[m.main]);
  kinds(page, m);
  page.add(
      "## Alerts\n\nAt {} alerts a day: {} true, {} false, {} about a victim's own session after an intrusion, {} "
      "about known exposures (the last two are counted neither way).\n\n",
      m.budgets[m.main], m.true_alerts, m.false_count, m.aftermath, m.grey);
  if (!m.false_by_evidence.empty()) {
    page.head({"false alerts by kind and strongest evidence", "number"});
    for (const auto& [kind, count] : m.false_by_evidence) page.row({kind, fmt::format("{}", count)});
    page.add("\n");
  }
  page.add("## Worlds\n\n");
  worlds_table(page, evaluation.worlds, m.main);
  page.add("## Items not found\n\n");
  not_found(page, evaluation.worlds, m.main);
  return page.take();
}

// ---- JSON

namespace {

class Json {
 public:
  Json& key(std::string_view name) {
    comma();
    core::append_json_string(text_, name);
    text_ += ':';
    fresh_ = true;
    return *this;
  }
  Json& open(char bracket) {
    comma();
    text_ += bracket;
    fresh_ = true;
    return *this;
  }
  Json& close(char bracket) {
    text_ += bracket;
    fresh_ = false;
    return *this;
  }
  Json& value(std::string_view v) {
    comma();
    core::append_json_string(text_, v);
    return *this;
  }
  Json& value(bool v) { return raw(v ? "true" : "false"); }
  Json& value(double v) { return raw(std::isfinite(v) ? fmt::format("{:.6g}", v) : "null"); }
  Json& value(std::uint64_t v) { return raw(fmt::format("{}", v)); }
  template <typename T>
  Json& value(const std::optional<T>& v) {
    return v ? value(*v) : raw("null");
  }
  template <typename T>
  Json& pair(std::string_view name, const T& v) {
    return key(name).value(v);
  }
  std::string take() { return std::move(text_) + "\n"; }

 private:
  Json& raw(std::string_view v) {
    comma();
    text_ += v;
    return *this;
  }
  void comma() {
    if (!fresh_) text_ += ',';
    fresh_ = false;
  }

  std::string text_;
  bool fresh_ = true;
};

std::optional<double> seconds(const std::optional<Nanoseconds>& t) {
  return t ? std::optional(static_cast<double>(*t) / core::kSecond) : std::nullopt;
}

void ratio(Json& j, const Ratio& r) {
  const Interval i = wilson(r.found, r.all);
  j.pair("items", r.all).pair("found", r.found);
  j.pair("recall", r.all > 0 ? std::optional(r.share()) : std::nullopt).pair("low", i.low).pair("high", i.high);
}

void period(Json& j, std::string_view name, const Period& p) {
  j.key(name).open('{').pair("days", p.days).pair("alerts", p.alerts);
  j.pair("a_day", p.days > 0 ? std::optional(p.a_day()) : std::nullopt).close('}');
}

void delays(Json& j, const Delays& d) {
  j.pair("number", d.all).pair("both", d.both).pair("service_only", d.only_live).pair("hunt_only", d.only_hunt);
  j.pair("median_s", seconds(d.median)).pair("p90_s", seconds(d.ninety));
  j.pair("median_of_all_s", seconds(d.median_of_all)).pair("p90_of_all_s", seconds(d.ninety_of_all));
}

void curve(Json& j, const Curve& c) {
  j.open('{').pair("name", c.name).pair("items", c.items).pair("days", c.days).pair("area", c.area());
  // Where recall steps up, thinned evenly; the last one always.
  std::vector<const CurvePoint*> steps;
  for (const CurvePoint& p : c.points) {
    if (steps.empty() ? p.found > 0 : p.found > steps.back()->found) steps.push_back(&p);
  }
  const std::size_t every = (steps.size() + kMostCurvePoints - 1) / kMostCurvePoints;
  j.key("points").open('[');
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i % every != 0 && i + 1 != steps.size()) continue;
    const CurvePoint& p = *steps[i];
    j.open('{').pair("line", p.line).pair("found", p.found).pair("recall", c.recall(p));
    j.pair("true_alerts", p.true_alerts).pair("false_alerts", p.false_alerts);
    j.pair("false_a_day", c.false_a_day(p)).pair("precision", Curve::precision(p)).close('}');
  }
  j.close(']').close('}');
}

void measures(Json& j, const Measures& m) {
  j.key("tiers").open('[');
  for (const TierRow& r : m.tiers) {
    j.open('{').pair("tier", name(r.tier)).pair("bar", bar(r.tier)).pair("seen", r.seen).key("at").open('[');
    for (std::size_t b = 0; b < m.budgets.size(); ++b) {
      j.open('{').pair("budget", m.budgets[b]);
      ratio(j, r.at[b]);
      j.close('}');
    }
    j.close(']').close('}');
  }
  j.close(']').key("false_alerts").open('[');
  for (std::size_t b = 0; b < m.budgets.size(); ++b) {
    const FalseAlerts& f = m.false_alerts[b];
    j.open('{').pair("budget", m.budgets[b]);
    period(j, "learning", f.learning);
    period(j, "before", f.before);
    period(j, "during", f.during);
    period(j, "after", f.after);
    j.pair("precision", m.precision[b].all > 0 ? std::optional(m.precision[b].share()) : std::nullopt).close('}');
  }
  j.close(']').pair("recall", m.recall).key("curves").open('[');
  curve(j, m.own);
  for (const Curve& c : m.references) curve(j, c);
  j.close(']').key("equal_recall").open('[');
  for (const Comparison& c : m.comparisons) {
    j.open('{').pair("reference", c.reference).pair("recall", c.recall).pair("reaches", c.reaches);
    j.pair("own_a_day", c.own_a_day).pair("reference_a_day", c.reference_a_day);
    j.pair("factor", c.factor).pair("at_least", c.at_least).close('}');
  }
  j.close(']').key("time_to_detect").open('{').key("intrusions").open('{');
  delays(j, m.intrusions);
  j.close('}').key("tiers").open('[');
  for (const auto& [tier, d] : m.intrusions_by_tier) {
    j.open('{').pair("tier", name(tier));
    delays(j, d);
    j.close('}');
  }
  j.close(']').key("sprays").open('{');
  delays(j, m.sprays.delays);
  j.pair("most_tried_twice", m.sprays.most_twice).close('}').close('}');
  const Reliability& r = m.reliability;
  j.key("reliability").open('{').pair("logins", r.logins).pair("covert_logins", r.covert_logins);
  j.pair("prior", r.prior).pair("weight", r.weight).pair("expected_calibration_error", r.error).key("bins").open('[');
  for (const Bin& b : r.bins) {
    j.open('{').pair("from", b.from).pair("to", b.to).pair("covert", b.covert).pair("ordinary", b.ordinary);
    j.pair("predicted", b.predicted).pair("observed", b.observed);
    j.pair("low", b.interval.low).pair("high", b.interval.high).close('}');
  }
  j.close(']').close('}').key("kinds").open('[');
  for (const auto& [kind, k] : m.kinds) {
    j.open('{').pair("kind", kind).pair("seen", k.seen);
    ratio(j, k.items);
    j.pair("campaigns", std::uint64_t{k.campaigns.size()});
    j.pair("campaigns_found",
           static_cast<std::uint64_t>(std::ranges::count_if(k.campaigns, [](const auto& c) { return c.second; })));
    j.close('}');
  }
  for (const auto& [name, rows] : {std::pair("clients", &m.clients), std::pair("disguises", &m.disguises)}) {
    j.close(']').key(name).open('[');
    for (const auto& [what, r2] : *rows) {
      j.open('{').pair("name", what);
      ratio(j, r2);
      j.close('}');
    }
  }
  j.close(']').key("alerts").open('{').pair("true", m.true_alerts).pair("false", m.false_count);
  j.pair("aftermath", m.aftermath).pair("grey", m.grey).key("false_by_evidence").open('{');
  for (const auto& [evidence, count] : m.false_by_evidence) j.pair(evidence, count);
  j.close('}').close('}');
}

void world_list(Json& j, const std::vector<WorldResult>& worlds, const Measures& m) {
  j.key("worlds").open('[');
  for (const WorldResult& w : worlds) {
    j.open('{').pair("seed", w.seed).pair("region", w.region);
    j.pair("users", static_cast<std::uint64_t>(w.users)).pair("days", static_cast<std::uint64_t>(w.days));
    j.pair("lines", w.lines).pair("logins", w.watched.logins).key("budget_lines").open('[');
    for (const double line : w.lines_of_budgets) j.value(line);
    j.close(']').key("items").open('[');
    const auto best = best_of(w);
    for (std::size_t i = 0; i < w.items.size(); ++i) {
      const TruthItem& item = w.items[i];
      j.open('{').pair("id", item.id).pair("kind", item.kind).pair("campaign", item.campaign);
      j.pair("placement", item.placement).pair("provider", item.provider).pair("client", item.client);
      j.pair("disguise", static_cast<std::uint64_t>(item.disguise)).pair("log_odds", best[i]);
      j.pair("found", best[i] && *best[i] >= w.lines_of_budgets[m.main]);
      const Nanoseconds alerted = w.watched.alerted[i];
      j.pair("service_after_s", seconds(alerted != 0 ? std::optional<Nanoseconds>(alerted - item.time) : std::nullopt));
      j.close('}');
    }
    j.close(']').close('}');
  }
  j.close(']');
}

}  // namespace

std::string json(const Evaluation& evaluation) {
  const EvaluateOptions& o = evaluation.options;
  const Measures m = measure(evaluation.worlds, o.alerts_per_day);
  Json j;
  j.open('{').pair("evaluation", std::string_view("orbwatch evaluate")).pair("schema", std::uint64_t{1});
  j.pair("version", std::string_view(ORBWATCH_VERSION)).pair("command", o.command);
  j.pair("alerts_per_day", o.alerts_per_day).key("budgets").open('[');
  for (const double budget : m.budgets) j.value(budget);
  j.close(']').key("bars").open('[');
  for (const Bar& b : m.bars) {
    j.open('{').pair("name", b.name).pair("required", b.required).pair("at_most", b.at_most);
    j.pair("measured", b.measured).pair("holds", b.holds()).close('}');
  }
  j.close(']');
  measures(j, m);
  world_list(j, evaluation.worlds, m);
  if (!evaluation.large.empty()) {
    const Measures l = measure(evaluation.large, o.alerts_per_day);
    j.key("large").open('{');
    measures(j, l);
    world_list(j, evaluation.large, l);
    j.close('}');
  }
  j.close('}');
  return j.take();
}

}  // namespace orbwatch::evaluate

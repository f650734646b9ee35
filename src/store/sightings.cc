#include "store/sightings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.h"
#include "store/store.h"

namespace orbwatch::store {
namespace {

using core::Expected;

constexpr std::size_t kTextsAtOnce = 500;  // of one statement
constexpr char kBetween = '\x1f';          // names in one column; a name that holds it is shown as two

using Row = std::span<const std::optional<std::string_view>>;

class Rows final : public RowSink {
 public:
  explicit Rows(std::function<bool(Row)> each) : each_(std::move(each)) {}
  void columns(std::span<const std::string>, std::span<const ColumnType>) override {}
  bool row(Row values) override { return each_(values); }

 private:
  std::function<bool(Row)> each_;
};

std::string text_of(const std::optional<std::string_view>& value) { return std::string(value.value_or("")); }

core::Nanoseconds moment_of(const std::optional<std::string_view>& microseconds) {
  constexpr std::int64_t kMost = INT64_MAX / core::kMicrosecond;
  const auto number = core::parse_number<std::int64_t>(microseconds.value_or("0")).value_or(0);
  return std::clamp(number, std::int64_t{0}, kMost) * core::kMicrosecond;
}

std::vector<std::string> names_of(const std::optional<std::string_view>& joined) {
  std::vector<std::string> out;
  std::string_view rest = joined.value_or("");
  while (!rest.empty()) out.emplace_back(core::take_until(rest, kBetween));
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\0') continue;  // the end of a statement; no subject of a feed has one
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

struct Place {
  SubjectKind kind;
  const char* column;  // of handshakes
};
constexpr std::array kHandshakes = {
    Place{SubjectKind::kClientFingerprint, "fingerprint"}, Place{SubjectKind::kServerFingerprint, "server_fingerprint"},
    Place{SubjectKind::kCertificate, "certificate_fingerprint"}, Place{SubjectKind::kBanner, "banner"}};

// Rows of events with `text`, what of them is one of the list.
std::string events_with(SubjectKind kind, const std::string& list) {
  if (kind == SubjectKind::kAddress) {
    const auto side = [&](const char* column, const char* and_not) {
      return fmt::format(
          "SELECT x.ip AS text, e.time, e.actor, e.context FROM event_rows e JOIN addresses x ON x.id = e.{} "
          "WHERE x.ip IN ({}){}",
          column, list, and_not);
    };
    // An event from an address to itself counts once.
    return side("source", "") + " UNION ALL " + side("destination", " AND e.source <> e.destination");
  }
  const auto* place = std::ranges::find(kHandshakes, kind, &Place::kind);
  return fmt::format(
      "SELECT h.{0} AS text, e.time, e.actor, e.context FROM event_rows e JOIN handshakes h ON h.id = e.handshake "
      "WHERE h.{0} IN ({1})",
      place->column, list);
}

}  // namespace

Expected<std::vector<StoredEvidence>> evidence_of(const std::string& path, std::string_view detector) {
  std::vector<StoredEvidence> out;
  bool full = false;
  Rows rows([&](Row v) {
    full = out.size() == kMostStoredEvidence;
    if (full) return false;
    out.push_back({text_of(v[0]), text_of(v[1]), moment_of(v[2]), text_of(v[3])});
    return true;
  });
  const auto done =
      query(path,
            fmt::format("SELECT f.id, f.verdict, epoch_us(f.time), e.says FROM evidence e JOIN findings f "
                        "ON f.id = e.finding_id WHERE e.detector = {} ORDER BY f.time, f.id, e.rank",
                        quoted(detector)),
            rows);
  if (!done) return std::unexpected(done.error());
  if (full) return core::fail("there is more evidence than can be read", fmt::format("{}", kMostStoredEvidence));
  return out;
}

Expected<std::pair<core::Nanoseconds, core::Nanoseconds>> span_of_findings(const std::string& path) {
  std::pair<core::Nanoseconds, core::Nanoseconds> out;
  Rows rows([&](Row v) {
    out = {moment_of(v[0]), moment_of(v[1])};
    return false;
  });
  const auto done =
      query(path, "SELECT epoch_us(min(time)), epoch_us(max(coalesce(end_time, time))) FROM findings", rows);
  if (!done) return std::unexpected(done.error());
  return out;
}

Expected<void> each_subject(const std::string& path, const std::function<bool(SubjectKind, std::string_view)>& visit) {
  std::string all = "SELECT DISTINCT 0 AS kind, ip AS text FROM addresses WHERE ip IS NOT NULL";
  for (const Place& place : kHandshakes) {
    all += fmt::format(" UNION ALL SELECT DISTINCT {0} AS kind, {1} AS text FROM handshakes WHERE {1} IS NOT NULL",
                       static_cast<int>(place.kind), place.column);
  }
  Rows rows([&](Row v) {
    const auto kind = core::parse_number<unsigned>(v[0].value_or("")).value_or(0);
    return visit(static_cast<SubjectKind>(std::min(kind, 4U)), v[1].value_or(""));
  });
  return query(path, all, rows);
}

Expected<std::vector<Sighting>> sightings_of(const std::string& path, SubjectKind kind,
                                             std::span<const std::string> texts) {
  std::vector<Sighting> out;
  for (std::size_t from = 0; from < texts.size(); from += kTextsAtOnce) {
    std::string list;
    for (const std::string& text : texts.subspan(from, std::min(kTextsAtOnce, texts.size() - from)))
      list += (list.empty() ? "" : ", ") + quoted(text);
    Rows rows([&](Row v) {
      Sighting s;
      s.kind = kind;
      s.text = text_of(v[0]);
      s.first = moment_of(v[1]);
      s.last = moment_of(v[2]);
      s.events = core::parse_number<std::uint64_t>(v[3].value_or("")).value_or(0);
      s.users = names_of(v[4]);
      s.user_count = core::parse_number<std::uint64_t>(v[5].value_or("")).value_or(0);
      s.gateways = names_of(v[6]);
      out.push_back(std::move(s));
      return true;
    });
    const auto named = [](const char* column) {
      return fmt::format("array_to_string(list_sort(list(DISTINCT {0}) FILTER ({0} IS NOT NULL))[1:{1}], chr({2}))",
                         column, kMostNamed, static_cast<int>(kBetween));
    };
    const auto done = query(
        path,
        fmt::format("SELECT x.text, epoch_us(min(x.time)), epoch_us(max(x.time)), count(*), {}, count(DISTINCT "
                    "a.user_name), {} FROM ({}) x JOIN actors a ON a.id = x.actor JOIN contexts c ON c.id = x.context "
                    "GROUP BY x.text",
                    named("a.user_name"), named("c.observer"), events_with(kind, list)),
        rows);
    if (!done) return std::unexpected(done.error());
  }
  return out;
}

}  // namespace orbwatch::store

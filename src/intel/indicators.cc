#include "intel/indicators.h"

#include <algorithm>

#include "core/text.h"
#include "intel/feed/readers.h"
#include "intel/feed_table.h"

namespace orbwatch::intel {
namespace {

__extension__ typedef unsigned __int128 u128;

u128 number_of(const core::Ip& ip) { return u128{ip.high()} << 64 | ip.low(); }

core::Ip ip_of(u128 address) {
  core::Ip ip;
  for (int i = 15; i >= 0; --i, address >>= 8)
    ip.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(address);
  return ip;
}

int trailing_zeros(u128 v) {
  const auto low = static_cast<std::uint64_t>(v), high = static_cast<std::uint64_t>(v >> 64);
  if (low != 0) return __builtin_ctzll(low);
  return high != 0 ? 64 + __builtin_ctzll(high) : 128;
}

// Keeps addresses, and URLs whose host is one.
class AddressSink final : public FeedSink {
 public:
  AddressSink(Indicators& indicators, IndicatorCounts& counts, core::Symbol list)
      : indicators_(indicators), counts_(counts), list_(list) {}
  void take(const FeedItem& item) override {
    if (item.kind != FeedKind::kPrefix && (item.kind != FeedKind::kUrl || !item.host.empty())) return;
    if (item.record != counted_) ++counts_.indicators;
    counted_ = item.record;
    Indicator indicator;
    indicator.prefix = item.prefix;
    indicator.list = list_;
    indicator.label = item.label.empty() ? core::Symbol() : core::intern(core::printable(item.label, 100));
    indicator.first_seen = item.first_seen;
    indicator.last_seen = item.last_seen;
    indicator.line = static_cast<std::uint32_t>(item.record);
    ++(indicators_.add(indicator) ? counts_.prefixes : counts_.duplicates);
  }

 private:
  Indicators& indicators_;
  IndicatorCounts& counts_;
  core::Symbol list_;
  std::uint64_t counted_ = 0;
};

}  // namespace

std::string refang(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  static constexpr std::pair<std::string_view, std::string_view> kReplacements[] = {
      {"[.]", "."}, {"(.)", "."}, {"{.}", "."},     {"[dot]", "."}, {"(dot)", "."}, {"{dot}", "."},
      {"[:]", ":"}, {"(:)", ":"}, {"[://]", "://"}, {"[@]", "@"},   {"[/]", "/"},   {"\\.", "."}};
  for (std::size_t i = 0; i < text.size();) {
    // Nothing else begins a replacement; this loop sees every byte of a feed.
    if (std::string_view("[({\\.").find(text[i]) == std::string_view::npos) {
      out += text[i++];
      continue;
    }
    bool replaced = false;
    for (const auto& [from, to] : kReplacements) {
      if (core::equals_ignore_case(text.substr(i, from.size()), from)) {
        out += to;
        i += from.size();
        replaced = true;
        break;
      }
    }
    // "[." and ".]" alone are a habit of some lists.
    if (!replaced && (text.substr(i, 2) == "[." || text.substr(i, 2) == ".]")) {
      out += '.';
      i += 2;
      replaced = true;
    }
    if (!replaced) out += text[i++];
  }
  for (const std::string_view scheme : {"hxxp", "hXXp", "HXXP", "h**p"}) {
    if (out.starts_with(scheme)) out.replace(0, 4, "http");
  }
  return out;
}

std::vector<core::Prefix> cover_range(const core::Ip& first, const core::Ip& last, std::size_t most) {
  std::vector<core::Prefix> out;
  if (first.is_v4() != last.is_v4() || first > last) return out;
  const int width = first.is_v4() ? 32 : 128;
  u128 at = number_of(first);
  const u128 end = number_of(last);
  for (;;) {
    // The largest block that begins here, is aligned here and does not reach beyond the end.
    int host = std::min(trailing_zeros(at), width);
    while (host > 0 && (host == 128 ? at != 0 || end != ~u128{0} : end - at < (u128{1} << host) - 1)) --host;
    if (out.size() == most) return {};
    out.push_back(core::Prefix::of(ip_of(at), width - host));
    if (host == 128) return out;
    const u128 size = u128{1} << host;
    if (end - at < size) return out;
    at += size;
    if (at > end) return out;
  }
}

Indicators::Indicators() = default;
Indicators::Indicators(Indicators&&) noexcept = default;
Indicators& Indicators::operator=(Indicators&&) noexcept = default;
Indicators::~Indicators() = default;

void Indicators::use_feeds(std::unique_ptr<const FeedTable> feeds) { feeds_ = std::move(feeds); }

std::size_t Indicators::count() const { return indicators_.size() + (feeds_ == nullptr ? 0 : feeds_->table.size()); }

IndicatorCounts Indicators::add_list(std::string_view text, std::string_view list_name) {
  IndicatorCounts counts;
  AddressSink sink(*this, counts, core::intern(list_name));
  const auto read = text_feed().read(text, FeedSettings{}, sink);
  if (!read) {
    // Larger than any list: nothing of it was read.
    counts.lines = counts.rejected = core::count_lines(text) + 1;
    counts.first_rejected = read.error().text();
    return counts;
  }
  counts.lines = read->records;
  counts.rejected = read->rejected_total();
  counts.ignored = counts.lines - counts.indicators - counts.rejected;
  if (!read->first_rejected.empty()) {
    const FeedRejection& first = read->first_rejected.front();
    counts.first_rejected = first.text;
    counts.first_rejected_line =
        core::parse_number<std::uint32_t>(std::string_view(first.place).substr(first.place.find(' ') + 1)).value_or(0);
  }
  return counts;
}

bool Indicators::add(const Indicator& indicator) {
  if (prefixes_.insert(indicator.prefix, static_cast<std::uint32_t>(indicators_.size()))) {
    indicators_.push_back(indicator);
    return true;
  }
  Indicator& known = indicators_[prefixes_.exact(indicator.prefix)];
  if (indicator.first_seen != 0 && (known.first_seen == 0 || indicator.first_seen < known.first_seen)) {
    known.first_seen = indicator.first_seen;
  }
  known.last_seen = std::max(known.last_seen, indicator.last_seen);
  return false;
}

const Indicator* Indicators::find(const core::Ip& ip) const {
  const std::uint32_t at = prefixes_.longest(ip);
  return at == PrefixMap::kNone ? nullptr : &indicators_[at];
}

}  // namespace orbwatch::intel

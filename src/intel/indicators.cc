#include "intel/indicators.h"

#include <algorithm>

#include "core/text.h"
#include "intel/csv.h"

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

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

// "example.org", MD5/SHA-1/SHA-256/SHA-512, "user@example.org": indicators of other kinds, which this table does not
// hold.
bool other_kind(std::string_view item) {
  if ((item.size() == 32 || item.size() == 40 || item.size() == 64 || item.size() == 128) && is_hex(item)) return true;
  const auto dot = item.rfind('.');
  if (dot == item.npos || dot + 2 > item.size()) return false;
  const std::string_view last = item.substr(dot + 1);
  const bool letters = last.size() >= 2 && std::all_of(last.begin(), last.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || (c >= '0' && c <= '9');
                       });
  return letters && !(last.front() >= '0' && last.front() <= '9');
}

bool too_wide(const core::Prefix& p) { return p.bits < (p.base.is_v4() ? 8 : 16); }

// What can be an indicator: an address that is met on the Internet. Documentation ranges are let through: examples use
// them.
bool usable(const core::Ip& ip) { return ip.is_global() || ip.is_documentation(); }

enum class Kind { kNothing, kOther, kBad, kFound };

// Removes "scheme://" and what follows the host. Sets `was_url` if there was a scheme or a path.
std::string_view host_of(std::string_view item, bool& was_url) {
  if (const auto scheme = item.find("://"); scheme != item.npos) {
    was_url = true;
    item.remove_prefix(scheme + 3);
    if (const auto at = item.find('@'); at != item.npos && at < item.find('/')) item.remove_prefix(at + 1);
    item = item.substr(0, item.find_first_of("/?#"));
  }
  if (!item.empty() && item.front() == '[') {
    const auto close = item.find(']');
    return close == item.npos ? item : item.substr(1, close - 1);
  }
  // One colon separates a port; more are an IPv6 address.
  if (const auto colon = item.find(':'); colon != item.npos && item.find(':', colon + 1) == item.npos) {
    item = item.substr(0, colon);
  }
  return item;
}

Kind parse_item(std::string_view item, std::vector<core::Prefix>& out) {
  if (item.empty()) return Kind::kNothing;
  if (const auto dash = item.find('-'); dash != item.npos) {
    const auto first = core::Ip::parse(core::trim(item.substr(0, dash)));
    const auto last = core::Ip::parse(core::trim(item.substr(dash + 1)));
    if (first && last) {
      if (!usable(*first) || !usable(*last)) return Kind::kBad;
      out = cover_range(*first, *last);
      if (out.empty() || std::any_of(out.begin(), out.end(), too_wide)) return Kind::kBad;
      return Kind::kFound;
    }
  }
  bool was_url = false;
  std::string_view text = item;
  // "192.0.2.0/24" is a prefix, "192.0.2.1/index.html" a URL without scheme.
  auto prefix = core::Prefix::parse(text);
  if (!prefix) {
    text = host_of(text, was_url);
    prefix = core::Prefix::parse(text);
    if (!prefix && !was_url) {
      if (const auto slash = text.find('/'); slash != text.npos) {
        const std::string_view behind = text.substr(slash + 1);
        const bool looks_like_prefix = !behind.empty() && behind.front() >= '0' && behind.front() <= '9';
        if (!looks_like_prefix) {
          was_url = true;
          text = text.substr(0, slash);
          prefix = core::Prefix::parse(text);
        }
      }
    }
  }
  if (!prefix) return other_kind(text) || was_url ? Kind::kOther : Kind::kBad;
  if (too_wide(*prefix) || !usable(prefix->base)) return Kind::kBad;
  out.assign(1, *prefix);
  return Kind::kFound;
}

}  // namespace

std::string refang(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  static constexpr std::pair<std::string_view, std::string_view> kReplacements[] = {
      {"[.]", "."}, {"(.)", "."}, {"{.}", "."},     {"[dot]", "."}, {"(dot)", "."}, {"{dot}", "."},
      {"[:]", ":"}, {"(:)", ":"}, {"[://]", "://"}, {"[@]", "@"},   {"[/]", "/"},   {"\\.", "."}};
  for (std::size_t i = 0; i < text.size();) {
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

IndicatorCounts Indicators::add_list(std::string_view text, std::string_view list_name) {
  IndicatorCounts counts;
  const core::Symbol list = core::intern(list_name);
  std::vector<core::Prefix> prefixes;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::string_view whole = take_line(text);
    ++counts.lines;
    std::string_view line = core::trim(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';' || line.starts_with("//")) {
      ++counts.ignored;
      continue;
    }
    std::string_view rest = line;
    std::string_view field = take_field(rest);
    // A comment behind the indicator names it; a blank in front of the sign tells it from a URL's fragment.
    std::string_view label = take_field(rest);
    for (const std::string_view sign : {" #", "\t#", " ;", "\t;", " //", "\t//"}) {
      if (const auto at = field.find(sign); at != field.npos) {
        label = core::trim(field.substr(at + sign.size()));
        field = core::trim(field.substr(0, at));
      }
    }
    if (!label.empty() && label.front() == '#') label = core::trim(label.substr(1));
    std::string item = refang(field);
    prefixes.clear();
    Kind kind = parse_item(item, prefixes);
    if (kind == Kind::kBad) {
      // "192.0.2.1 text" and "192.0.2.1<tab>text": the first word counts, the others name it.
      if (const auto blank = item.find_first_of(" \t"); blank != item.npos) {
        const Kind first_word = parse_item(std::string_view(item).substr(0, blank), prefixes);
        if (first_word == Kind::kFound) {
          kind = first_word;
          if (label.empty()) label = core::trim(field.substr(std::min(field.size(), field.find_first_of(" \t"))));
        }
      }
    }
    switch (kind) {
      case Kind::kNothing:
      case Kind::kOther: ++counts.ignored; break;
      case Kind::kBad:
        // The first line of a CSV file names the columns.
        if (counts.lines == 1 && whole.find(',') != whole.npos) {
          ++counts.ignored;
          break;
        }
        if (counts.rejected++ == 0) {
          counts.first_rejected_line = static_cast<std::uint32_t>(counts.lines);
          counts.first_rejected = core::printable(whole, 100);
        }
        break;
      case Kind::kFound: {
        ++counts.indicators;
        Indicator indicator;
        indicator.list = list;
        indicator.label = label.empty() ? core::Symbol() : core::intern(core::printable(label, 100));
        indicator.line = static_cast<std::uint32_t>(counts.lines);
        for (const core::Prefix& prefix : prefixes) {
          indicator.prefix = prefix;
          if (add(indicator)) {
            ++counts.prefixes;
          } else {
            ++counts.duplicates;
          }
        }
        break;
      }
    }
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

#include "baseline/client.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "core/symbol.h"
#include "event/event.h"

namespace orbwatch::baseline {
namespace {

constexpr std::size_t kLongest = 400;  // of a text looked at

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Calls text(part) for what stands between version numbers and number(value) for each of their parts. "4.10.07061",
// "129" after a blank, slash or bracket and "v8.20" are versions; "Win64", "SM-G991B" and "x64" are names.
template <typename OnText, typename OnNumber>
void split(std::string_view s, OnText&& on_text, OnNumber&& on_number) {
  s = s.substr(0, kLongest);
  const auto in_name = [&](std::size_t i) { return is_letter(s[i]) || is_digit(s[i]) || s[i] == '-' || s[i] == '_'; };
  std::size_t begin = 0;  // of the text not yet handed on
  for (std::size_t i = 0; i < s.size();) {
    const bool v = i > 0 && (s[i - 1] == 'v' || s[i - 1] == 'V') && (i < 2 || !in_name(i - 2));
    if (!is_digit(s[i]) || (i > 0 && in_name(i - 1) && !v)) {
      ++i;
      continue;
    }
    on_text(s.substr(begin, i - begin));
    while (i < s.size() && is_digit(s[i])) {
      std::uint64_t value = 0;
      for (; i < s.size() && is_digit(s[i]); ++i) {
        if (value < UINT64_MAX / 100) value = value * 10 + static_cast<std::uint64_t>(s[i] - '0');
      }
      on_number(value);
      const bool goes_on = i + 1 < s.size() && (s[i] == '.' || s[i] == '-' || s[i] == '_') && is_digit(s[i + 1]);
      if (goes_on) ++i;
    }
    begin = i;
  }
  on_text(s.substr(begin));
}

// Products that changed their name, not their kind.
struct Renamed {
  std::string_view before;
  std::string_view now;
};
constexpr Renamed kRenamed[] = {{"AnyConnect", "Secure Client"}, {"Pulse Secure", "Ivanti Secure Access"}};

std::uint64_t hash_names(std::string_view s, std::uint64_t seed) {
  std::string names;
  split(s, [&](std::string_view part) { names += part; }, [](std::uint64_t) {});
  for (const auto& [before, now] : kRenamed) {
    const std::size_t at = names.find(before);
    if (at != std::string::npos) names.replace(at, before.size(), now);
  }
  return core::hash64(names, seed);
}

struct Numbers {
  std::array<std::uint64_t, 24> values{};
  std::size_t count = 0;
  void add(std::string_view s) {
    split(
        s, [](std::string_view) {},
        [&](std::uint64_t n) {
          if (count < values.size()) values[count++] = n;
        });
  }
};

}  // namespace

Client client_of(const event::Event& e) { return {e.user_agent, e.client_os}; }

std::uint64_t model_key(const Client& c) {
  if (!c.present()) return 0;
  const std::uint64_t key = hash_names(c.software.text(), 1) ^ hash_names(c.system.text(), 2);
  return key == 0 ? 1 : key;
}

std::uint64_t version_key(const Client& c) {
  const std::uint64_t key = core::hash64(c.software.text(), 3) ^ core::hash64(c.system.text(), 4);
  return key == 0 ? 1 : key;
}

std::strong_ordering compare_versions(const Client& a, const Client& b) {
  Numbers x, y;
  for (const auto& [numbers, client] : {std::pair(&x, &a), std::pair(&y, &b)}) {
    numbers->add(client->software.text());
    numbers->add(client->system.text());
  }
  return x.values <=> y.values;  // what is not stated counts as 0
}

}  // namespace orbwatch::baseline

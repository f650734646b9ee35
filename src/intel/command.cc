#include "intel/command.h"

#include <fmt/format.h>

#include "core/ip.h"
#include "intel/compile.h"
#include "intel/network_type.h"
#include "intel/networks.h"

namespace orbwatch::intel {
namespace {

constexpr std::string_view kUsage =
    "usage: orbwatch intel build [--out FILE] [--mmdb FILE]... [--as FILE]... [--list TYPE:FILE]... "
    "[--no-shipped-lists]\n"
    "                            [--place-version TEXT] [--as-version TEXT] [--attribution TEXT]\n"
    "       orbwatch intel info [FILE]\n"
    "       orbwatch intel verify [--current] [FILE]\n"
    "       orbwatch intel check [FILE]\n"
    "       orbwatch intel lookup ADDRESS... [--table FILE]";

std::unexpected<core::Error> usage(std::string_view what, std::string seen = {}) {
  return core::fail("usage: " + std::string(what), std::move(seen), std::string(kUsage));
}

class NamesOf final : public AsNames {
 public:
  explicit NamesOf(const Networks& networks) : networks_(networks) {}
  std::string_view name_of(std::uint32_t asn) const override { return networks_.name_of_as(asn); }

 private:
  const Networks& networks_;
};

core::Expected<std::string> build(std::span<const std::string> words, core::Nanoseconds now,
                                  const std::function<void(std::string_view)>& progress) {
  BuildOptions options;
  options.output = Networks::default_path();
  options.built = now;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--no-shipped-lists") {
      options.shipped_lists = false;
      continue;
    }
    if (!word.starts_with("--")) return usage("unexpected word", word);
    if (i + 1 >= words.size()) return usage("a value is missing", word);
    const std::string& value = words[++i];
    if (word == "--out") {
      options.output = value;
    } else if (word == "--mmdb") {
      options.mmdb.push_back(value);
    } else if (word == "--as") {
      options.as_csv.push_back(value);
    } else if (word == "--list") {
      TypeListFile list;
      const auto colon = value.find(':');
      if (colon == value.npos || !core::parse_network_type(value.substr(0, colon), list.type)) {
        return usage("a list is given as TYPE:FILE, for example vpn:/etc/vpn.txt", value);
      }
      list.path = value.substr(colon + 1);
      options.user_lists.push_back(std::move(list));
    } else if (word == "--place-version") {
      options.place_version = value;
    } else if (word == "--as-version") {
      options.as_version = value;
    } else if (word == "--attribution") {
      options.attribution = value;
    } else {
      return usage("unknown option", word);
    }
  }
  const auto report = build_networks(options, progress);
  if (!report) return std::unexpected(report.error());
  return report->text() + "written: " + options.output + "\n";
}

std::string describe(const Networks& networks, const core::Ip& ip) {
  const std::uint32_t index = networks.lookup(ip);
  const NetworkFacts& f = networks.facts(index);
  std::string out = ip.text() + "\n";
  const auto line = [&](std::string_view what, std::string_view value) {
    if (!value.empty()) out += fmt::format("  {:<8} {}\n", what, value);
  };
  if (f.asn != 0) line("AS", fmt::format("{} {}", f.asn, networks.text(f.as_name)));
  line("country", core::unpack_country(f.country).view());
  line("region", networks.text(f.region));
  line("city", networks.text(f.city));
  if (f.located()) line("place", fmt::format("{:.4f} {:.4f}", f.latitude, f.longitude));
  const auto claims = networks.claims(index);
  line("type", fmt::format("{}{}", core::label(f.type), decide_type(claims).disputed ? " (disputed)" : ""));
  line("because", explain_type(claims));
  return out;
}

}  // namespace

core::Expected<std::string> command(std::span<const std::string> words, core::Nanoseconds now,
                                    const std::function<void(std::string_view)>& progress) {
  if (words.empty()) return usage("what shall be done?");
  const std::string& verb = words[0];
  words = words.subspan(1);
  if (verb == "build") return build(words, now, progress);

  if (verb == "lookup") {
    std::string path = Networks::default_path();
    std::vector<core::Ip> ips;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == "--table" && i + 1 < words.size()) {
        path = words[++i];
      } else if (const auto ip = core::Ip::parse(words[i])) {
        ips.push_back(*ip);
      } else {
        return usage("not an address", words[i]);
      }
    }
    if (ips.empty()) return usage("no address is given");
    const auto networks = Networks::open(path);
    if (!networks) return std::unexpected(networks.error());
    std::string out;
    for (const core::Ip& ip : ips) out += describe(*networks, ip);
    return out;
  }

  if (verb == "help" || verb == "--help" || verb == "-h") return std::string(kUsage) + "\n";

  if (verb != "info" && verb != "verify" && verb != "check") return usage("unknown command", verb);
  const bool current = verb == "verify" && !words.empty() && words[0] == "--current";
  if (current) words = words.subspan(1);
  if (words.size() > 1) return usage("unexpected word", words[1]);
  const std::string path = words.empty() ? Networks::default_path() : words[0];
  const auto networks = Networks::open(path);
  if (!networks) return std::unexpected(networks.error());
  if (verb == "info") return networks->info_text();
  if (verb == "check") return check_name_rules(NamesOf(*networks)).text();
  if (auto sound = networks->verify(); !sound) return std::unexpected(sound.error());
  if (current) {
    bool same = false;
    for (const SourceInfo& source : networks->info().sources) {
      same |= source.name == "as-types.csv" && source.version == shipped_data_version();
    }
    if (!same) {
      return core::fail("the table was made with other shipped lists than this program has", path,
                        "build it again with `orbwatch intel build`");
    }
  }
  return "sound: " + path + "\n";
}

}  // namespace orbwatch::intel

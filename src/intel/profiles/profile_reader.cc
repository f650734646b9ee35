#include "intel/profiles/profile_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <sstream>
#include <string>
#include <utility>

#include "core/text.h"
#include "core/time.h"

namespace orbwatch::intel::profiles {
namespace {

// Thrown and caught within this file only.
struct Wrong {
  YAML::Mark mark;
  std::string message;
  std::string seen;
  std::string hint;
};

[[noreturn]] void wrong(const YAML::Mark& mark, std::string message, std::string_view seen = {},
                        std::string hint = {}) {
  throw Wrong{mark, std::move(message), core::printable(seen, 60), std::move(hint)};
}

// Walks the events without building anything. yaml-cpp itself stops at a depth of 500 with an exception.
class Limits final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { node(mark, {}, anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string&) override {
    node(mark, tag, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    node(mark, tag, anchor);
    open(mark);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    node(mark, tag, anchor);
    open(mark);
  }
  void OnMapEnd() override { --depth_; }

 private:
  [[noreturn]] static void refuse_anchor(const YAML::Mark& mark) { wrong(mark, "anchor or alias: a profile has none"); }
  void node(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) refuse_anchor(mark);
    // "?" a plain value, "!" a quoted one.
    if (!tag.empty() && tag != "?" && tag != "!") wrong(mark, "wrong type: tags are not allowed", tag);
    if (++nodes_ > kMostNodes) wrong(mark, fmt::format("too many values: more than {}", kMostNodes));
  }
  void open(const YAML::Mark& mark) {
    if (++depth_ > kDeepest)
      wrong(mark, fmt::format("too deep: more than {} lists and maps inside each other", kDeepest));
  }

  std::size_t nodes_ = 0;
  int depth_ = 0;
};

void check_limits(std::string_view yaml) {
  std::istringstream in{std::string(yaml)};
  YAML::Parser parser(in);
  Limits limits;
  if (!parser.HandleNextDocument(limits)) wrong(YAML::Mark(), "not YAML: the file is empty");
  Limits second;
  if (parser.HandleNextDocument(second)) wrong(YAML::Mark(), "not YAML: more than one document in the file");
}

void only_keys(const YAML::Node& map, std::initializer_list<std::string_view> known) {
  if (!map.IsMap()) wrong(map.Mark(), "wrong type: a map of keys and values is expected");
  std::vector<std::string_view> seen;
  for (const auto& item : map) {
    if (!item.first.IsScalar()) wrong(item.first.Mark(), "wrong type: a key must be text");
    const std::string_view key = item.first.Scalar();
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      wrong(item.first.Mark(), "unknown key", key, fmt::format("known here: {}", fmt::join(known, ", ")));
    }
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) wrong(item.first.Mark(), "key stands twice", key);
    seen.push_back(key);
  }
}

std::string text_of(const YAML::Node& node, std::string_view what) {
  if (!node.IsScalar()) wrong(node.Mark(), fmt::format("wrong type: '{}' must be text", what));
  const std::string& text = node.Scalar();
  if (text.size() > kLongestText) wrong(node.Mark(), fmt::format("too long: '{}'", what), text);
  if (core::trim(text).empty()) wrong(node.Mark(), fmt::format("bad value: '{}' is empty", what));
  if (core::printable(text, kLongestText) != text) {
    wrong(node.Mark(), fmt::format("bad value: '{}' holds characters that cannot be shown", what), text);
  }
  return text;
}

YAML::Node needed(const YAML::Node& map, const char* key) {
  YAML::Node node = map[key];
  if (!node) wrong(map.Mark(), fmt::format("missing key '{}'", key));
  return node;
}

std::string needed_text(const YAML::Node& map, const char* key) { return text_of(needed(map, key), key); }

std::string optional_text(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  return node ? text_of(node, key) : std::string();
}

template <typename Number>
Number number_of(const YAML::Node& node, std::string_view what, Number least, Number most) {
  if (!node.IsScalar()) wrong(node.Mark(), fmt::format("wrong type: '{}' must be a number", what));
  const std::string& text = node.Scalar();
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    wrong(node.Mark(), fmt::format("wrong type: '{}' must be a number", what), text);
  }
  // Written so that "nan" is out of range, too.
  if (!(value >= least && value <= most)) {
    wrong(node.Mark(), fmt::format("bad value: '{}' must lie in {}..{}", what, least, most), text);
  }
  return value;
}

template <typename Number>
std::optional<Number> optional_number(const YAML::Node& map, const char* key, Number least, Number most) {
  const YAML::Node node = map[key];
  if (!node) return std::nullopt;
  return number_of<Number>(node, key, least, most);
}

std::optional<bool> optional_bool(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node) return std::nullopt;
  if (node.IsScalar() && node.Scalar() == "true") return true;
  if (node.IsScalar() && node.Scalar() == "false") return false;
  wrong(node.Mark(), fmt::format("wrong type: '{}' must be true or false", key));
}

// One of the names that name(Enum) gives for the values 0..last.
template <typename Enum>
Enum word_of(const YAML::Node& node, std::string_view what, Enum last) {
  const std::string text = text_of(node, what);
  std::string all;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const auto value = static_cast<Enum>(i);
    if (name(value) == text) return value;
    all += (all.empty() ? "" : ", ") + std::string(name(value));
  }
  wrong(node.Mark(), fmt::format("bad value: '{}'", what), text, "one of " + all);
}

void check_list(const YAML::Node& node, std::string_view what) {
  if (!node.IsSequence()) wrong(node.Mark(), fmt::format("wrong type: '{}' must be a list", what));
  if (node.size() == 0) wrong(node.Mark(), fmt::format("bad value: '{}' is empty; leave it out", what));
  if (node.size() > kMostItems) {
    wrong(node.Mark(), fmt::format("too many values: '{}' has more than {}", what, kMostItems));
  }
}

std::vector<std::string> texts(const YAML::Node& map, const char* key) {
  std::vector<std::string> out;
  const YAML::Node list = map[key];
  if (!list) return out;
  check_list(list, key);
  for (const auto& item : list) out.push_back(text_of(item, key));
  return out;
}

std::uint16_t port_of(const YAML::Node& node, std::string_view what) {
  if (!node.IsScalar()) wrong(node.Mark(), fmt::format("bad port: '{}' must be a number", what));
  const auto port = core::parse_number<std::uint16_t>(node.Scalar());
  if (!port || *port == 0) {
    wrong(node.Mark(), fmt::format("bad port: '{}' must be a number of 1..65535", what), node.Scalar());
  }
  return *port;
}

ReportedDate date_of(const YAML::Node& node, std::string_view what) {
  const std::string text = text_of(node, what);
  std::string_view rest = text;
  const std::string_view year = core::take_until(rest, '-');
  const std::string_view month = core::take_until(rest, '-');
  const std::string_view day = rest;
  ReportedDate out;
  bool good = year.size() == 4 && (text.size() == 4 || text.size() == 7 || text.size() == 10);
  out.year = core::parse_number<int>(year).value_or(0);
  good = good && out.year >= 1990 && out.year <= 2200;
  if (text.size() > 4) {
    out.month = month.size() == 2 ? core::parse_number<int>(month).value_or(0) : 0;
    good = good && out.month > 0;
  }
  if (text.size() > 7) {
    out.day = day.size() == 2 ? core::parse_number<int>(day).value_or(0) : 0;
    good = good && out.day > 0;
  }
  core::CivilTime civil;
  civil.year = out.year;
  civil.month = std::max(out.month, 1);
  civil.day = std::max(out.day, 1);
  if (!good || !core::valid(civil)) {
    wrong(node.Mark(), fmt::format("bad date: '{}'", what), text, "2024, 2024-10 or 2024-10-31");
  }
  return out;
}

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// T1090 or T1090.003.
bool is_technique(std::string_view id) {
  if (id.size() != 5 && id.size() != 9) return false;
  if (id[0] != 'T' || !digits(id.substr(1, 4))) return false;
  return id.size() == 5 || (id[5] == '.' && digits(id.substr(6)));
}

// Campaign C0035, group G1017, software S1154.
bool is_attack_object(std::string_view id) {
  return id.size() == 5 && (id[0] == 'C' || id[0] == 'G' || id[0] == 'S') && digits(id.substr(1));
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

class Reader {
 public:
  Profile read(const YAML::Node& root) {
    only_keys(root, {"name",         "aliases",      "part_of", "summary", "families", "catalogues",
                     "used_by",      "activity",     "devices", "layers",  "ports",    "banners",
                     "certificates", "fingerprints", "clients", "cadence", "targets",  "network_types",
                     "countries",    "providers",    "attack",  "sources"});
    profile_.name = needed_text(root, "name");
    profile_.aliases = texts(root, "aliases");
    profile_.part_of = optional_text(root, "part_of");
    profile_.summary = needed_text(root, "summary");
    profile_.families = texts(root, "families");
    read_sources(needed(root, "sources"));
    read_catalogues(root);
    read_activity(needed(root, "activity"));
    read_who(root);
    read_wire(root);
    read_behaviour(root);
    read_places(root);
    for (std::size_t i = 0; i < used_.size(); ++i) {
      if (!used_[i]) {
        wrong(root["sources"][i].Mark(), "unused source: no trait names it", profile_.sources[i].id);
      }
    }
    return std::move(profile_);
  }

 private:
  void read_sources(const YAML::Node& list) {
    check_list(list, "sources");
    for (const auto& item : list) {
      only_keys(item, {"id", "title", "publisher", "date", "url"});
      Source s;
      s.id = needed_text(item, "id");
      s.title = needed_text(item, "title");
      s.publisher = needed_text(item, "publisher");
      s.date = date_of(needed(item, "date"), "date");
      s.url = optional_text(item, "url");
      if (!s.url.empty() && !s.url.starts_with("https://") && !s.url.starts_with("http://")) {
        wrong(item["url"].Mark(), "bad value: 'url' must begin with https:// or http://", s.url);
      }
      if (s.url.empty() && !s.title.starts_with('[')) {
        wrong(item.Mark(), "missing key 'url'", s.title, "without it the title is a description in [brackets]");
      }
      for (const Source& other : profile_.sources) {
        if (other.id == s.id) wrong(item.Mark(), "bad value: two sources have the id", s.id);
      }
      profile_.sources.push_back(std::move(s));
    }
    used_.assign(profile_.sources.size(), false);
  }

  std::uint16_t source_of(const YAML::Node& node) {
    const std::string id = text_of(node, "source");
    for (std::size_t i = 0; i < profile_.sources.size(); ++i) {
      if (profile_.sources[i].id != id) continue;
      used_[i] = true;
      return static_cast<std::uint16_t>(i);
    }
    wrong(node.Mark(), "unknown source", id, "it must be the id of one of 'sources'");
  }

  std::vector<std::uint16_t> sources_of(const YAML::Node& map) {
    const YAML::Node node = map["source"];
    if (!node) wrong(map.Mark(), "missing source: every trait names where it is published");
    if (node.IsScalar()) return {source_of(node)};
    check_list(node, "source");
    std::vector<std::uint16_t> out;
    for (const auto& item : node) out.push_back(source_of(item));
    return out;
  }

  void reported(const YAML::Node& map, Reported& out) {
    out.line = static_cast<std::uint32_t>(map.Mark().line + 1);
    out.sources = sources_of(map);
    out.family = optional_text(map, "family");
    if (out.family.empty()) return;
    const auto& known = profile_.families;
    if (std::find(known.begin(), known.end(), out.family) == known.end()) {
      wrong(map["family"].Mark(), "bad value: 'family' is not one of 'families'", out.family);
    }
  }

  // Calls one(item) for each item of the list `key`, which may be absent. `keys` are those besides source and family.
  template <typename One>
  void each(const YAML::Node& root, const char* key, std::initializer_list<std::string_view> keys, One one) {
    const YAML::Node list = root[key];
    if (!list) return;
    check_list(list, key);
    for (const auto& item : list) {
      only_keys(item, keys);
      one(item);
    }
  }

  static std::optional<Weight> weight_of(const YAML::Node& map) {
    const YAML::Node node = map["weight"];
    if (!node) return std::nullopt;
    return word_of(node, "weight", Weight::kStrong);
  }

  void read_catalogues(const YAML::Node& root) {
    each(root, "catalogues", {"catalogue", "id", "title"}, [&](const YAML::Node& item) {
      CatalogueEntry e{needed_text(item, "catalogue"), needed_text(item, "id"), needed_text(item, "title")};
      if (e.catalogue == "MITRE ATT&CK" && !is_attack_object(e.id)) {
        wrong(item["id"].Mark(), "bad ATT&CK id", e.id, "C0035, G1017 or S1154");
      }
      profile_.catalogues.push_back(std::move(e));
    });
  }

  void read_activity(const YAML::Node& map) {
    only_keys(map, {"first", "last", "source"});
    profile_.activity_sources = sources_of(map);
    if (const YAML::Node first = map["first"]) profile_.first_activity = date_of(first, "first");
    if (const YAML::Node last = map["last"]) profile_.last_activity = date_of(last, "last");
    if (earlier(profile_.last_activity, profile_.first_activity)) {
      wrong(map["last"].Mark(), "bad date: 'last' lies before 'first'", profile_.last_activity.text());
    }
  }

  void read_who(const YAML::Node& root) {
    each(root, "used_by", {"actor", "aliases", "confidence", "source"}, [&](const YAML::Node& item) {
      User u;
      reported(item, u);
      u.actor = needed_text(item, "actor");
      u.aliases = texts(item, "aliases");
      u.confidence = word_of(needed(item, "confidence"), "confidence", Confidence::kHigh);
      profile_.used_by.push_back(std::move(u));
    });
    each(root, "devices", {"kind", "maker", "model", "share", "family", "source"}, [&](const YAML::Node& item) {
      Device d;
      reported(item, d);
      d.kind = word_of(needed(item, "kind"), "kind", DeviceKind::kServer);
      d.maker = optional_text(item, "maker");
      d.model = optional_text(item, "model");
      d.share = optional_number<double>(item, "share", 0, 1);
      profile_.devices.push_back(std::move(d));
    });
    each(root, "layers", {"title", "roles", "life_days", "nodes", "meaning", "family", "source"},
         [&](const YAML::Node& item) {
           Layer l;
           reported(item, l);
           l.title = needed_text(item, "title");
           const YAML::Node roles = needed(item, "roles");
           check_list(roles, "roles");
           for (const auto& role : roles) l.roles.push_back(word_of(role, "roles", LayerRole::kScanner));
           l.life_days = optional_number<double>(item, "life_days", 0.01, 10'000);
           l.nodes = optional_number<std::uint64_t>(item, "nodes", 1, 1'000'000'000).value_or(0);
           l.meaning = optional_text(item, "meaning");
           profile_.layers.push_back(std::move(l));
         });
  }

  void read_port(const YAML::Node& item) {
    Port p;
    reported(item, p);
    const bool single = static_cast<bool>(item["port"]);
    if (single == (item["from"] || item["to"])) {
      wrong(item.Mark(), "bad port: either 'port' or 'from' and 'to'");
    }
    p.first = port_of(needed(item, single ? "port" : "from"), single ? "port" : "from");
    p.last = single ? p.first : port_of(needed(item, "to"), "to");
    if (p.last < p.first) wrong(item["to"].Mark(), "bad port: 'to' is below 'from'", item["to"].Scalar());
    const std::string protocol = needed_text(item, "protocol");
    if (protocol != "tcp" && protocol != "udp") {
      wrong(item["protocol"].Mark(), "bad value: 'protocol'", protocol, "tcp or udp");
    }
    p.protocol = protocol == "tcp" ? 6 : 17;
    p.meaning = needed_text(item, "meaning");
    p.weight = weight_of(item);
    profile_.ports.push_back(std::move(p));
  }

  void read_certificate(const YAML::Node& item) {
    Certificate c;
    reported(item, c);
    c.issuer = optional_text(item, "issuer");
    c.subject = optional_text(item, "subject");
    c.sha256 = optional_text(item, "sha256");
    if (!c.sha256.empty() && (c.sha256.size() != 64 || !is_hex(c.sha256))) {
      wrong(item["sha256"].Mark(), "bad value: 'sha256' must be 64 lower-case hex digits", c.sha256);
    }
    if (c.issuer.empty() && c.subject.empty() && c.sha256.empty()) {
      wrong(item.Mark(), "missing key: a certificate has an 'issuer', a 'subject' or a 'sha256'");
    }
    c.self_signed = optional_bool(item, "self_signed");
    c.valid_days = optional_number<double>(item, "valid_days", 0.01, 100'000);
    c.meaning = optional_text(item, "meaning");
    c.weight = weight_of(item);
    profile_.certificates.push_back(std::move(c));
  }

  void read_wire(const YAML::Node& root) {
    each(root, "ports", {"port", "from", "to", "protocol", "meaning", "weight", "family", "source"},
         [&](const YAML::Node& item) { read_port(item); });
    each(root, "banners", {"text", "match", "port", "weight", "family", "source"}, [&](const YAML::Node& item) {
      Banner b;
      reported(item, b);
      b.text = needed_text(item, "text");
      b.match = word_of(needed(item, "match"), "match", TextMatch::kPrefix);
      if (const YAML::Node port = item["port"]) {
        b.port = port_of(port, "port");
        const auto same = [&](const Port& p) { return p.first == b.port && p.last == b.port && p.protocol == 6; };
        if (std::none_of(profile_.ports.begin(), profile_.ports.end(), same)) {
          wrong(port.Mark(), "bad port: the banner's port is not one of 'ports'", port.Scalar());
        }
      }
      b.weight = weight_of(item);
      profile_.banners.push_back(std::move(b));
    });
    each(root, "certificates",
         {"issuer", "subject", "sha256", "self_signed", "valid_days", "meaning", "weight", "family", "source"},
         [&](const YAML::Node& item) { read_certificate(item); });
    each(root, "fingerprints", {"kind", "value", "weight", "family", "source"}, [&](const YAML::Node& item) {
      Fingerprint f;
      reported(item, f);
      f.kind = word_of(needed(item, "kind"), "kind", FingerprintKind::kHasshServer);
      f.value = needed_text(item, "value");
      f.weight = weight_of(item);
      profile_.fingerprints.push_back(std::move(f));
    });
    each(root, "clients", {"text", "match", "weight", "family", "source"}, [&](const YAML::Node& item) {
      Client c;
      reported(item, c);
      c.text = needed_text(item, "text");
      c.match = word_of(needed(item, "match"), "match", TextMatch::kPrefix);
      c.weight = weight_of(item);
      profile_.clients.push_back(std::move(c));
    });
  }

  void read_behaviour(const YAML::Node& root) {
    each(root, "cadence", {"attempts_per_account_and_day", "share", "from_hour", "to_hour", "family", "source"},
         [&](const YAML::Node& item) {
           Cadence c;
           reported(item, c);
           c.attempts_per_account_and_day = optional_number<double>(item, "attempts_per_account_and_day", 0.001, 1e6);
           c.share = optional_number<double>(item, "share", 0, 1);
           c.from_hour = optional_number<int>(item, "from_hour", 0, 23);
           c.to_hour = optional_number<int>(item, "to_hour", 0, 23);
           if (c.from_hour.has_value() != c.to_hour.has_value() || (c.from_hour && *c.from_hour == *c.to_hour)) {
             wrong(item.Mark(), "bad value: 'from_hour' and 'to_hour' go together and differ");
           }
           if (!c.attempts_per_account_and_day && !c.from_hour) {
             wrong(item.Mark(), "missing key: a cadence has 'attempts_per_account_and_day' or hours");
           }
           profile_.cadence.push_back(std::move(c));
         });
    each(root, "targets", {"ports", "services", "sectors", "family", "source"}, [&](const YAML::Node& item) {
      Target t;
      reported(item, t);
      if (const YAML::Node ports = item["ports"]) {
        check_list(ports, "ports");
        for (const auto& port : ports) t.ports.push_back(port_of(port, "ports"));
        std::sort(t.ports.begin(), t.ports.end());
        t.ports.erase(std::unique(t.ports.begin(), t.ports.end()), t.ports.end());
      }
      t.services = texts(item, "services");
      t.sectors = texts(item, "sectors");
      if (t.ports.empty() && t.services.empty() && t.sectors.empty()) {
        wrong(item.Mark(), "missing key: a target has 'ports', 'services' or 'sectors'");
      }
      profile_.targets.push_back(std::move(t));
    });
    each(root, "attack", {"id", "source"}, [&](const YAML::Node& item) {
      Technique t;
      reported(item, t);
      t.id = needed_text(item, "id");
      if (!is_technique(t.id)) wrong(item["id"].Mark(), "bad ATT&CK id", t.id, "T1090 or T1090.003");
      profile_.attack.push_back(std::move(t));
    });
  }

  void read_places(const YAML::Node& root) {
    each(root, "network_types", {"type", "family", "source"}, [&](const YAML::Node& item) {
      NetworkTypeTrait t;
      reported(item, t);
      const std::string word = needed_text(item, "type");
      if (!core::parse_network_type(word, t.type) || core::name(t.type) != word) {
        wrong(item["type"].Mark(), "bad value: 'type'", word, "consumer, mobile, hosting, business, vpn, tor ...");
      }
      profile_.network_types.push_back(std::move(t));
    });
    each(root, "countries", {"country", "family", "source"}, [&](const YAML::Node& item) {
      Country c;
      reported(item, c);
      const std::string code = needed_text(item, "country");
      c.code = core::pack_country(code);
      if (c.code == 0 || core::unpack_country(c.code).view() != code) {
        wrong(item["country"].Mark(), "bad value: 'country'", code, "two capital letters of ISO 3166");
      }
      profile_.countries.push_back(std::move(c));
    });
    each(root, "providers", {"asn", "title", "family", "source"}, [&](const YAML::Node& item) {
      Provider p;
      reported(item, p);
      p.asn = number_of<std::uint32_t>(needed(item, "asn"), "asn", 1, 0xffff'ffffU);
      p.title = needed_text(item, "title");
      profile_.providers.push_back(std::move(p));
    });
  }

  Profile profile_;
  std::vector<bool> used_;  // sources that some trait names
};

core::Error placed(std::string_view file, const YAML::Mark& mark, std::string message, std::string seen,
                   std::string hint) {
  // A null mark has line -1; the whole file is meant then.
  const int line = std::max(mark.line + 1, 1);
  return {fmt::format("{}:{}: {}", file, line, message), std::move(seen), std::move(hint)};
}

}  // namespace

core::Expected<Profile> read_profile(std::string_view yaml, std::string_view file) {
  if (yaml.size() > kLongestProfile) {
    return core::fail(fmt::format("{}:1: too long: more than {} bytes", file, kLongestProfile));
  }
  try {
    check_limits(yaml);
    Profile profile = Reader().read(YAML::Load(std::string(yaml)));
    profile.file = file;
    return profile;
  } catch (const Wrong& w) {
    return std::unexpected(placed(file, w.mark, w.message, w.seen, w.hint));
  } catch (const YAML::Exception& e) {
    const bool deep = dynamic_cast<const YAML::DeepRecursion*>(&e) != nullptr;
    return std::unexpected(
        placed(file, e.mark, (deep ? "too deep: " : "not YAML: ") + core::printable(e.msg, 120), {}, {}));
  } catch (const std::exception& e) {  // what yaml-cpp lets through of the standard library
    return core::fail(fmt::format("{}:1: not YAML: {}", file, core::printable(e.what(), 120)));
  }
}

}  // namespace orbwatch::intel::profiles

#include "serve/taxii_answers.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "core/symbol.h"
#include "core/text.h"

namespace orbwatch::serve {
namespace {

using std::string_view;

constexpr string_view kStixMediaType = "application/stix+json;version=2.1";
constexpr std::size_t kLongestAuthorization = 1024;
constexpr std::size_t kMostValues = 1'000;  // of one filter

std::string digest(string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), out.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(out.data()), size};
}

// RFC 4648, with padding; nullopt if it is none.
std::optional<std::string> decode_base64(string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  // The function counts padding as bytes.
  std::size_t length = static_cast<std::size_t>(size);
  for (std::size_t i = 0; i < 2 && text.ends_with('='); ++i, --length) text.remove_suffix(1);
  out.resize(length);
  return out;
}

// Whether one of the media ranges (RFC 9110, 12.5.1) is TAXII in its version 2.1 or in none.
bool accepts_taxii(string_view header) {
  while (!header.empty()) {
    string_view range = core::take_until(header, ',');
    const std::string type = core::lower(core::trim(core::take_until(range, ';')));
    bool good = type == "application/taxii+json" || type == "application/*" || type == "*/*";
    while (good && !range.empty()) {
      string_view value = core::take_until(range, ';');
      const std::string key = core::lower(core::trim(core::take_until(value, '=')));
      value = core::trim(value);
      if (value.size() >= 2 && value.front() == '"' && value.ends_with('"')) value = value.substr(1, value.size() - 2);
      if (key == "version") good = value == "2.1";
      if (key == "q") good = value.find_first_of("123456789") != value.npos;
    }
    if (good) return true;
  }
  return false;
}

// What an answer is restricted to.
struct Filter {
  std::optional<core::Nanoseconds> added_after;
  std::optional<core::Nanoseconds> behind;  // `next`: the date of the last object that was given
  std::size_t limit = 0;
  std::set<std::string, std::less<>> ids, types, spec_versions;
  // match[version]
  bool first = false, last = true, all = false;
  std::set<core::Nanoseconds> versions;
  std::uint64_t hash = 0;  // of all but `next` and `limit`

  bool takes(const TaxiiObject& o) const {
    if (added_after && o.added <= *added_after) return false;
    if (!ids.empty() && !ids.contains(o.id)) return false;
    if (!types.empty() && !types.contains(o.type)) return false;
    if (!spec_versions.empty() && !spec_versions.contains(o.spec_version)) return false;
    return all || (last && o.last) || (first && o.first) || versions.contains(o.version_time);
  }
};

std::optional<core::Nanoseconds> moment(string_view text) {
  // A zone is demanded.
  if (text.size() < 20 || text.size() > 40 || text[10] != 'T') return std::nullopt;
  const bool zone = text.ends_with('Z') || text.substr(19).find_first_of("+-") != string_view::npos;
  const auto time = core::parse_iso8601(text, core::TimeReader());
  return zone && time && text.empty() ? time : std::nullopt;
}

bool each_value(string_view list, const std::function<bool(string_view)>& take) {
  for (std::size_t n = 0; !list.empty(); ++n) {
    const string_view value = core::trim(core::take_until(list, ','));
    if (value.empty() || n >= kMostValues || !take(value)) return false;
  }
  return true;
}

// What is wrong with the query; "" if nothing is.
std::string read_filter(const TaxiiRequest& request, std::size_t most, Filter& f) {
  f.limit = most;
  std::string next, rest;
  std::set<string_view> seen;
  for (const auto& [key, value] : request.query) {
    const auto collect = [&value](std::set<std::string, std::less<>>& into) {
      return each_value(value, [&](string_view one) { return into.emplace(one), true; }) && !into.empty();
    };
    const bool known = key == "added_after" || key == "limit" || key == "next" || key.starts_with("match[");
    if (!known) continue;  // a parameter of somebody else's
    if (!seen.insert(key).second) return "a parameter that is given twice: " + core::printable(key, 40);
    bool good = true;
    if (key == "added_after") {
      f.added_after = moment(value);
      good = f.added_after.has_value();
    } else if (key == "limit") {
      const auto limit = core::parse_number<std::uint64_t>(value);
      good = limit && *limit > 0;
      if (good) f.limit = static_cast<std::size_t>(std::min<std::uint64_t>(*limit, most));
    } else if (key == "next") {
      next = value;
    } else if (key == "match[id]") {
      good = collect(f.ids);
    } else if (key == "match[type]") {
      good = collect(f.types);
    } else if (key == "match[spec_version]") {
      good = collect(f.spec_versions);
    } else if (key == "match[version]") {
      f.last = false;
      good = !value.empty() && each_value(value, [&f](string_view one) {
        if (one == "all") return f.all = true;
        if (one == "first") return f.first = true;
        if (one == "last") return f.last = true;
        const auto time = moment(one);
        if (time) f.versions.insert(*time);
        return time.has_value();
      });
    } else {
      return "a filter that this server does not know: " + core::printable(key, 40);
    }
    if (!good) return fmt::format("{} has a value that it cannot have: {}", key, core::printable(value, 60));
    if (key != "limit" && key != "next") rest += fmt::format("{}={}\n", key, value);
  }
  f.hash = core::hash64(rest, core::hash64(request.path));
  if (next.empty()) return {};
  string_view hash = next;
  const auto behind = core::parse_number<std::int64_t>(core::take_until(hash, '-'));
  if (!behind || *behind < 0 || *behind > INT64_MAX / core::kMicrosecond || hash != fmt::format("{:016x}", f.hash))
    return "next is not of an answer to this query: " + core::printable(next, 60);
  f.behind = *behind * core::kMicrosecond;
  return {};
}

struct Page {
  std::vector<const TaxiiObject*> objects;
  bool more = false;
};

Page page_of(const TaxiiCollection& collection, const Filter& f, std::size_t most_bytes) {
  Page page;
  std::size_t bytes = 0;
  const core::Nanoseconds from = std::max(f.behind.value_or(-1), f.added_after.value_or(-1));
  auto at = std::ranges::upper_bound(collection.objects, from, {}, &TaxiiObject::added);
  for (; at != collection.objects.end(); ++at) {
    if (!f.takes(*at)) continue;
    if (page.objects.size() >= f.limit || (!page.objects.empty() && bytes + at->json.size() > most_bytes)) {
      page.more = true;
      break;
    }
    bytes += at->json.size();
    page.objects.push_back(&*at);
  }
  return page;
}

void member(std::string& out, string_view key, string_view text) {
  if (!out.ends_with('{')) out += ',';
  core::append_json_string(out, key);
  out += ':';
  core::append_json_string(out, text);
}

// An envelope or its kin: `list` names what holds the things that `write` appends.
TaxiiResponse paged(const Page& page, const Filter& f, string_view list,
                    const std::function<void(std::string&, const TaxiiObject&)>& write) {
  TaxiiResponse response;
  std::string& out = response.body;
  out = fmt::format("{{\"more\":{}", page.more);
  if (page.more)
    out += fmt::format(",\"next\":\"{}-{:016x}\"", page.objects.back()->added / core::kMicrosecond, f.hash);
  if (!page.objects.empty()) {
    out += fmt::format(",\"{}\":[", list);
    for (const TaxiiObject* object : page.objects) {
      if (!out.ends_with('[')) out += ',';
      write(out, *object);
    }
    out += ']';
    response.headers.emplace_back("X-TAXII-Date-Added-First", taxii_date(page.objects.front()->added));
    response.headers.emplace_back("X-TAXII-Date-Added-Last", taxii_date(page.objects.back()->added));
  }
  out += '}';
  return response;
}

void write_collection(std::string& out, const TaxiiCollection& collection) {
  out += '{';
  member(out, "id", collection.id);
  member(out, "title", collection.title);
  out += fmt::format(R"(,"can_read":true,"can_write":false,"media_types":["{}"]}})", kStixMediaType);
}

TaxiiResponse discovery(const std::string& base) {
  TaxiiResponse response;
  response.body = "{";
  member(response.body, "title", "orbwatch");
  member(response.body, "description", "What this organisation gives of covert relay networks");
  member(response.body, "default", base + "/share/");
  response.body += ",\"api_roots\":[";
  core::append_json_string(response.body, base + "/share/");
  response.body += "]}";
  return response;
}

TaxiiResponse api_root() {
  TaxiiResponse response;
  // A length is demanded although nothing is taken.
  response.body = fmt::format(R"({{"title":"orbwatch","versions":["{}"],"max_content_length":1}})", kTaxiiMediaType);
  return response;
}

TaxiiResponse collections_of(const TaxiiFolder::Collections& collections) {
  TaxiiResponse response;
  response.body = "{";
  if (!collections.empty()) {
    response.body += "\"collections\":[";
    for (const auto& one : collections) {
      if (!response.body.ends_with('[')) response.body += ',';
      write_collection(response.body, *one);
    }
    response.body += ']';
  }
  response.body += '}';
  return response;
}

// A path cut at its slashes.
std::vector<string_view> parts_of(string_view path) {
  std::vector<string_view> parts;
  if (!core::skip_prefix(path, "/")) return parts;
  while (!path.empty() && parts.size() < 8) parts.push_back(core::take_until(path, '/'));
  if (!path.empty()) parts.clear();
  return parts;
}

const TaxiiCollection* find(const TaxiiFolder::Collections& collections, string_view id) {
  const auto at = std::ranges::find_if(collections, [&](const auto& one) { return one->id == id; });
  return at == collections.end() ? nullptr : at->get();
}

TaxiiResponse not_found() { return taxii_error(404, "Not found", "There is no such resource on this server."); }

// Below a collection.
TaxiiResponse contents(const TaxiiRequest& request, const std::vector<string_view>& parts,
                       const TaxiiCollection& collection, const TaxiiLimits& limits) {
  Filter filter;
  const bool manifest = parts[3] == "manifest" && parts.size() == 4;
  const bool versions = parts.size() == 6;
  if (const std::string wrong = read_filter(request, limits.most_page, filter); !wrong.empty())
    return taxii_error(400, "The query cannot be understood", wrong);
  if (parts.size() >= 5) {
    const bool there = std::ranges::any_of(collection.objects, [&](const TaxiiObject& o) { return o.id == parts[4]; });
    if (!there) return not_found();
    filter.ids = {std::string(parts[4])};
    filter.types.clear();
  }
  if (versions) filter.all = true;
  const Page page = page_of(collection, filter, limits.most_page_bytes);
  if (manifest) {
    return paged(page, filter, "objects", [](std::string& out, const TaxiiObject& o) {
      out += '{';
      member(out, "id", o.id);
      member(out, "date_added", taxii_date(o.added));
      member(out, "version", o.version);
      member(out, "media_type", fmt::format("application/stix+json;version={}", o.spec_version));
      out += '}';
    });
  }
  if (versions)
    return paged(page, filter, "versions",
                 [](std::string& out, const TaxiiObject& o) { core::append_json_string(out, o.version); });
  return paged(page, filter, "objects", [](std::string& out, const TaxiiObject& o) { out += o.json; });
}

}  // namespace

void TaxiiAccess::admit_user(string_view user, string_view secret) {
  hashes_.push_back(digest(fmt::format("basic {}:{}", user, secret)));
}
void TaxiiAccess::admit_token(string_view token) { hashes_.push_back(digest(fmt::format("bearer {}", token))); }

bool TaxiiAccess::admits(string_view authorization) const {
  if (open()) return true;
  authorization = core::trim(authorization);
  if (authorization.size() > kLongestAuthorization) return false;
  const string_view scheme = core::take_until(authorization, ' ');
  authorization = core::trim(authorization);
  std::string said;
  if (core::equals_ignore_case(scheme, "Bearer")) {
    said = fmt::format("bearer {}", authorization);
  } else if (core::equals_ignore_case(scheme, "Basic")) {
    const auto plain = decode_base64(authorization);
    if (!plain) return false;
    said = fmt::format("basic {}", *plain);
  }
  const std::string hash = digest(said);
  bool admitted = false;
  for (const std::string& known : hashes_) admitted |= CRYPTO_memcmp(hash.data(), known.data(), hash.size()) == 0;
  return admitted;
}

TaxiiResponse taxii_error(int status, string_view title, string_view description) {
  TaxiiResponse response;
  response.status = status;
  response.body = "{";
  member(response.body, "title", title);
  if (!description.empty()) member(response.body, "description", description);
  member(response.body, "http_status", std::to_string(status));
  response.body += '}';
  return response;
}

TaxiiResponse answer_taxii(const TaxiiRequest& request, const TaxiiFolder::Collections& collections,
                           const TaxiiAccess& access, const std::string& base, const TaxiiLimits& limits) {
  if (!access.admits(request.authorization)) {
    TaxiiResponse refused = taxii_error(401, "Unauthorized", "A user's name and password, or a token, is needed.");
    refused.headers.emplace_back("WWW-Authenticate", "Basic realm=\"TAXII\", charset=\"UTF-8\"");
    refused.headers.emplace_back("WWW-Authenticate", "Bearer");
    return refused;
  }
  const std::vector<string_view> parts = parts_of(request.path);
  const TaxiiCollection* collection = nullptr;
  const bool is_discovery = parts.size() == 1 && parts[0] == "taxii2";
  if (!is_discovery) {
    if (parts.empty() || parts[0] != "share" || parts.size() > 6) return not_found();
    if (parts.size() > 1 && parts[1] != "collections") return not_found();
    if (parts.size() > 2) {
      collection = find(collections, parts[2]);
      if (collection == nullptr) return not_found();
    }
    if (parts.size() > 3 && parts[3] != "objects" && (parts[3] != "manifest" || parts.size() > 4)) return not_found();
    if (parts.size() > 5 && parts[5] != "versions") return not_found();
  }
  if (request.method != "GET" && request.method != "HEAD") {
    if (parts.size() > 3 && parts[3] == "objects" && (request.method == "POST" || request.method == "DELETE"))
      return taxii_error(403, "Forbidden", "This collection can be read and not written.");
    TaxiiResponse refused = taxii_error(405, "Method not allowed", "This server is read with GET.");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return refused;
  }
  if (!request.accept || !accepts_taxii(*request.accept))
    return taxii_error(406, "Not acceptable", fmt::format("Accept must allow {}", kTaxiiMediaType));
  if (is_discovery) return discovery(base);
  if (parts.size() == 1) return api_root();
  if (parts.size() == 2) return collections_of(collections);
  if (parts.size() == 3) {
    TaxiiResponse response;
    write_collection(response.body, *collection);
    return response;
  }
  return contents(request, parts, *collection, limits);
}

}  // namespace orbwatch::serve

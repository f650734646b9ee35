#include "intel/fetch/taxii.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "core/text.h"
#include "intel/fetch/bounded_json.h"
#include "intel/fetch/url.h"

namespace orbwatch::intel {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kMediaType = "application/taxii+json;version=2.1";
constexpr std::size_t kMostRoots = 32;
constexpr std::size_t kMostCollections = 1'000;
constexpr std::size_t kLongestName = 256;  // of titles, ids and aliases
constexpr std::size_t kLongestNext = 4'096;
// A server's clock may be ahead by so much. A date further off would hide all that is added until then.
constexpr core::Nanoseconds kMostAhead = core::kDay;

std::string hint_of(int status) {
  switch (status) {
    case 400:
      return "the server does not understand added_after, limit or match[type]; set page_size to 0, name no types";
    case 403: return "this account may not read the collection";
    case 404: return "no such API root or collection, or this account may not see it";
    case 406:
    case 415: return "the server does not speak TAXII 2.1; 2.0 and 1.x are not read";
    case 416: return "the server refuses the range; set page_size to 0 or less than the server's bound";
    default: return "";
  }
}

core::Expected<void> check_media_type(const std::string& shown, std::string_view content_type) {
  std::string type = core::lower(content_type);
  std::erase_if(type, [](char c) { return core::is_space(c) || c == '"'; });
  std::string_view rest = type;
  const std::string_view base = core::take_until(rest, ';');
  if (base == "application/taxii+json") {
    while (!rest.empty()) {
      std::string_view parameter = core::take_until(rest, ';');
      if (core::skip_prefix(parameter, "version=") && parameter != "2.1")
        return core::fail(shown + " answers in another version of TAXII", core::printable(parameter, 20),
                          "2.1 is read and no other");
    }
    return {};
  }
  const std::string seen = content_type.empty() ? "no media type" : core::printable(content_type, 80);
  if (base == "application/vnd.oasis.taxii+json")
    return core::fail(shown + " answers in another version of TAXII", seen, "2.1 is read and no other");
  return core::fail(shown + " does not answer in TAXII", seen, "is it the address of the discovery or of an API root?");
}

// once: the server may have moved on when it is asked a second time.
core::Expected<Response> ask(Fetcher& fetcher, const std::string& url, const TaxiiLimits& limits,
                             const std::stop_token& stop, bool once = false) {
  Request request;
  request.url = url;
  request.accept = kMediaType;
  request.most_bytes = limits.most_page_bytes;
  request.hint = hint_of;
  request.again_only_if_refused = once;
  auto response = fetcher.get(request, stop);
  if (!response) return response;
  if (auto typed = check_media_type(shown_url(url), response->content_type); !typed)
    return std::unexpected(typed.error());
  return response;
}

std::string with_slash(std::string url) {
  if (!url.ends_with('/')) url += '/';
  return url;
}

std::string bounded(std::string_view text) { return std::string(text.substr(0, kLongestName)); }

// Addresses of API roots, those to be tried first in front.
core::Expected<std::vector<std::string>> roots_of(Fetcher& fetcher, const TaxiiSettings& settings,
                                                  const std::stop_token& stop) {
  const auto base = Url::parse(settings.url);
  if (!base) return std::unexpected(base.error());
  const std::string shown = shown_url(settings.url);
  if (base->scheme == Url::Scheme::kFile) return core::fail("TAXII is spoken by https or http only", shown);
  const auto response = ask(fetcher, settings.url, settings.limits, stop);
  if (!response) return std::unexpected(response.error());
  dom::parser parser;
  const auto root = parse_bounded_json(parser, response->body, "the answer of " + shown);
  if (!root) return std::unexpected(root.error());
  dom::array listed;
  if ((*root)["api_roots"].get(listed) != simdjson::SUCCESS) {
    dom::array versions;
    if ((*root)["versions"].get(versions) == simdjson::SUCCESS) return std::vector{with_slash(base->text)};
    return core::fail(shown + " names no API roots", "",
                      "give the address of an API root, or log in: a server may hide them");
  }
  std::vector<std::string> roots;
  std::string elsewhere;
  const auto add = [&](std::string_view text) {
    auto url = resolve_url(*base, std::string(text));
    if (!url) return;
    std::string address = with_slash(std::move(url->text));
    if (url->origin != base->origin) {
      if (elsewhere.empty()) elsewhere = shown_url(address);
    } else if (roots.size() < kMostRoots && std::ranges::find(roots, address) == roots.end()) {
      roots.push_back(std::move(address));
    }
  };
  if (const auto text = json_text(*root, "default"); !text.empty()) add(text);
  for (const dom::element& entry : listed) {
    std::string_view text;
    if (entry.get(text) == simdjson::SUCCESS) add(text);
  }
  if (roots.empty() && !elsewhere.empty())
    return core::fail(shown + " names API roots of another server only", elsewhere,
                      "if you trust it with the secret of this feed, give that address");
  if (roots.empty()) return core::fail(shown + " names no API roots");
  if (settings.api_root.empty()) return roots;

  if (const auto wanted = resolve_url(*base, settings.api_root)) {
    const std::string address = with_slash(wanted->text);
    if (std::ranges::find(roots, address) != roots.end()) return std::vector{address};
  }
  std::vector<std::string> titled;
  for (const std::string& address : roots) {
    const auto information = ask(fetcher, address, settings.limits, stop);
    if (!information) continue;
    const auto document = parse_bounded_json(parser, information->body, "");
    if (document && json_text(*document, "title") == settings.api_root) titled.push_back(address);
  }
  if (titled.size() == 1) return titled;
  std::string names;
  for (const std::string& address : roots) names += (names.empty() ? "" : ", ") + shown_url(address);
  return core::fail(fmt::format("{} has {} API root of that name", shown, titled.empty() ? "no" : "more than one"),
                    core::printable(settings.api_root, 100), core::printable("known: " + names, 400));
}

core::Expected<std::vector<TaxiiCollection>> collections_of(Fetcher& fetcher, const std::string& root,
                                                            const TaxiiLimits& limits, const std::stop_token& stop) {
  const auto response = ask(fetcher, root + "collections/", limits, stop);
  if (!response) return std::unexpected(response.error());
  dom::parser parser;
  const std::string shown = shown_url(root + "collections/");
  const auto document = parse_bounded_json(parser, response->body, "the answer of " + shown);
  if (!document) return std::unexpected(document.error());
  if (!document->is_object()) return core::fail("the answer of " + shown + " is no object");
  std::vector<TaxiiCollection> collections;
  dom::array listed;
  if ((*document)["collections"].get(listed) != simdjson::SUCCESS) return collections;  // none that may be seen
  for (const dom::element& entry : listed) {
    TaxiiCollection collection;
    collection.api_root = root;
    collection.id = json_text(entry, "id");
    collection.title = bounded(json_text(entry, "title"));
    collection.alias = bounded(json_text(entry, "alias"));
    if (entry["can_read"].get(collection.can_read) != simdjson::SUCCESS) collection.can_read = false;
    dom::array types;
    if (entry["media_types"].get(types) == simdjson::SUCCESS) {
      for (const dom::element& type : types) {
        std::string_view text;
        if (type.get(text) == simdjson::SUCCESS && collection.media_types.size() < 16)
          collection.media_types.push_back(bounded(text));
      }
    }
    // An id becomes a part of the address; "." and ".." would be folded away.
    if (collection.id.empty() || collection.id.size() > kLongestName || collection.id == "." || collection.id == "..")
      continue;
    if (collections.size() == kMostCollections)
      return core::fail(shown + " names too many collections", fmt::format("more than {}", kMostCollections));
    collections.push_back(std::move(collection));
  }
  return collections;
}

// The one that the settings name; an id before an alias before a title. nullopt if the root has none.
core::Expected<std::optional<TaxiiCollection>> choose(const std::vector<TaxiiCollection>& all,
                                                      const std::string& wanted) {
  for (const auto name : {&TaxiiCollection::id, &TaxiiCollection::alias, &TaxiiCollection::title}) {
    std::vector<const TaxiiCollection*> found;
    for (const TaxiiCollection& collection : all) {
      if (collection.*name == wanted) found.push_back(&collection);
    }
    if (found.size() > 1)
      return core::fail("there are several collections of that name", core::printable(wanted, 100),
                        core::printable("give an id, such as " + found.front()->id, 200));
    if (found.size() == 1) return std::optional(*found.front());
  }
  return std::optional<TaxiiCollection>{};
}

core::Expected<void> check_readable(const TaxiiCollection& collection) {
  const std::string name = core::printable(collection.title.empty() ? collection.id : collection.title, 100);
  if (!collection.can_read)
    return core::fail("the collection may not be read by this account", name, "ask who runs the server");
  if (collection.media_types.empty()) return {};
  for (const std::string& type : collection.media_types) {
    if (core::lower(type).starts_with("application/stix+json")) return {};
  }
  return core::fail("the collection holds no STIX 2",
                    name + ": " + core::printable(collection.media_types.front(), 80));
}

core::Expected<TaxiiCollection> find_collection(Fetcher& fetcher, const TaxiiSettings& settings,
                                                const std::stop_token& stop) {
  if (settings.collection.empty())
    return core::fail("the collection of the TAXII feed is missing", "", "its id, alias or title");
  const auto roots = roots_of(fetcher, settings, stop);
  if (!roots) return std::unexpected(roots.error());
  std::optional<core::Error> trouble;
  std::string names;
  for (const std::string& root : *roots) {
    const auto all = collections_of(fetcher, root, settings.limits, stop);
    if (!all) {
      if (!trouble) trouble = all.error();
      continue;
    }
    auto chosen = choose(*all, settings.collection);
    if (!chosen) return std::unexpected(chosen.error());
    if (*chosen) {
      if (auto readable = check_readable(**chosen); !readable) return std::unexpected(readable.error());
      return std::move(**chosen);
    }
    for (const TaxiiCollection& collection : *all) {
      if (names.size() < 400)
        names += (names.empty() ? "" : ", ") + (collection.title.empty() ? collection.id : collection.title);
    }
  }
  // The collection may stand in the root that could not be read.
  if (trouble) return std::unexpected(*trouble);
  return core::fail(shown_url(settings.url) + " has no such collection", core::printable(settings.collection, 100),
                    names.empty() ? "this account sees none at all" : core::printable("known: " + names, 400));
}

// A date as TAXII writes it, with a zone.
std::optional<core::Nanoseconds> moment_of(std::string_view text) {
  if (text.size() > 40 || text.size() < 20 || !(text.ends_with('Z') || text.ends_with('z'))) return std::nullopt;
  const auto moment = core::parse_iso8601(text, core::TimeReader{});
  if (!moment || *moment == 0 || !text.empty()) return std::nullopt;
  return moment;
}

struct Page {
  std::uint64_t objects = 0;
  bool more = false;
  std::string next;
  std::string last;  // X-TAXII-Date-Added-Last
  core::Nanoseconds last_moment = 0;
};

core::Expected<Page> page_of(const Response& response, const std::string& shown, core::Nanoseconds now) {
  dom::parser parser;
  const auto envelope = parse_bounded_json(parser, response.body, "the answer of " + shown);
  if (!envelope) return std::unexpected(envelope.error());
  if (!envelope->is_object()) return core::fail("the answer of " + shown + " is no envelope");
  Page page;
  dom::element member;
  if ((*envelope)["objects"].get(member) == simdjson::SUCCESS) {
    dom::array objects;
    if (member.get(objects) != simdjson::SUCCESS)
      return core::fail("the answer of " + shown + " is no envelope", "its objects are no list");
    // Counted one by one: simdjson's own number stops at 16,777,215.
    for ([[maybe_unused]] const dom::element& object : objects) ++page.objects;
  }
  if ((*envelope)["more"].get(member) == simdjson::SUCCESS && member.get(page.more) != simdjson::SUCCESS)
    return core::fail("the answer of " + shown + " is no envelope", "its \"more\" is neither true nor false");
  if ((*envelope)["next"].get(member) == simdjson::SUCCESS && !member.is_null()) {
    std::string_view next;
    if (member.get(next) != simdjson::SUCCESS || next.size() > kLongestNext)
      return core::fail("the answer of " + shown + " is no envelope", "its \"next\" is no text or too long");
    page.next = next;
  }
  page.last = response.header("x-taxii-date-added-last");
  if (!page.last.empty()) {
    const auto moment = moment_of(page.last);
    if (!moment)
      return core::fail(shown + " says a date of the last object that is none", core::printable(page.last, 60));
    if (*moment > now + kMostAhead)
      return core::fail(shown + " says a date of the last object that lies in the future",
                        core::printable(page.last, 60), "one of the two clocks is wrong");
    page.last_moment = *moment;
  }
  return page;
}

}  // namespace

core::Expected<std::vector<TaxiiCollection>> taxii_collections(Fetcher& fetcher, const TaxiiSettings& settings,
                                                               const std::stop_token& stop) {
  const auto roots = roots_of(fetcher, settings, stop);
  if (!roots) return std::unexpected(roots.error());
  std::vector<TaxiiCollection> all;
  std::optional<core::Error> trouble;
  bool one_was_read = false;
  for (const std::string& root : *roots) {
    auto some = collections_of(fetcher, root, settings.limits, stop);
    if (!some) {
      if (!trouble) trouble = some.error();
      continue;
    }
    one_was_read = true;
    all.insert(all.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
  }
  if (!one_was_read && trouble) return std::unexpected(*trouble);
  return all;
}

core::Expected<TaxiiReading> read_taxii(Fetcher& fetcher, const TaxiiSettings& settings, const std::string& added_after,
                                        const TaxiiSink& sink, const std::stop_token& stop) {
  const core::Nanoseconds begin = fetcher.now();
  core::Nanoseconds newest = 0;
  if (!added_after.empty()) {
    const auto moment = moment_of(added_after);
    if (!moment)
      return core::fail("the date up to which the feed was read is damaged", core::printable(added_after, 60),
                        "forget it, and all is read anew");
    newest = *moment;
  }
  auto collection = find_collection(fetcher, settings, stop);
  if (!collection) return std::unexpected(collection.error());
  TaxiiReading reading;
  reading.added_after = added_after;
  reading.collection = std::move(*collection);
  const TaxiiLimits& limits = settings.limits;
  const std::string objects_url =
      reading.collection.api_root + "collections/" + escape_url(reading.collection.id) + "/objects/";
  const std::string shown = shown_url(objects_url);
  const auto gives_up = [&](std::string why, std::string hint = "") {
    return core::fail("the TAXII server at " + shown + " is given up", std::move(why), std::move(hint));
  };
  std::string types;
  for (const std::string& type : settings.types) types += (types.empty() ? "" : ",") + type;

  // The query stays the same where `next` is used (3.5); where there is none, added_after moves. A page behind `next`
  // is asked for once: medallion keeps the place in a session and would leave out what was lost on the way.
  std::string after = added_after, next;
  core::Nanoseconds after_moment = newest;
  std::set<std::size_t> seen_pages;  // hashes of the pages behind which there is more
  std::uint64_t empty_pages = 0;
  for (;;) {
    if (fetcher.now() - begin > static_cast<core::Nanoseconds>(limits.most_time.count()) * core::kSecond)
      return gives_up(fmt::format("it takes longer than {} s", limits.most_time.count()));
    if (reading.pages >= limits.most_pages)
      return gives_up(fmt::format("more than {} pages", limits.most_pages), "raise the limit or the size of a page");
    std::vector<std::pair<std::string, std::string>> query;
    if (!after.empty()) query.emplace_back("added_after", after);
    if (settings.page_size != 0) query.emplace_back("limit", std::to_string(settings.page_size));
    if (!types.empty()) query.emplace_back("match[type]", types);
    if (!next.empty()) query.emplace_back("next", next);
    const auto response = ask(fetcher, with_query(objects_url, query), limits, stop, !next.empty());
    if (!response) return std::unexpected(response.error());
    const auto page = page_of(*response, shown, fetcher.now());
    if (!page) return std::unexpected(page.error());
    ++reading.pages;
    reading.objects += page->objects;
    reading.bytes += response->body.size();
    if (reading.objects > limits.most_objects)
      return gives_up(fmt::format("more than {} objects", limits.most_objects), "raise the limit or name the types");
    if (reading.bytes > limits.most_bytes)
      return gives_up(fmt::format("more than {} bytes", limits.most_bytes), "raise the limit or name the types");
    empty_pages = page->objects == 0 ? empty_pages + 1 : 0;
    if (page->more && empty_pages > limits.most_empty_pages)
      return gives_up(fmt::format("it says that there is more, but {} pages in a row hold nothing", empty_pages));
    // A `next` that comes again is no proof: for some servers it names the session, and each answer moves on.
    if (page->more && page->objects > 0 && !seen_pages.insert(std::hash<std::string_view>{}(response->body)).second)
      return gives_up("a page that was read before comes again");
    if (page->objects > 0) {
      if (auto taken = sink(response->body); !taken) return std::unexpected(taken.error());
    }
    if (page->last_moment > newest) {
      newest = page->last_moment;
      reading.added_after = page->last;
    }
    if (!page->more) return reading;
    next = page->next;
    if (!next.empty()) continue;
    if (page->last.empty()) return gives_up("it says that there is more but not where");
    if (page->last_moment <= after_moment)
      return gives_up("the date of the last object does not move", core::printable(page->last, 60));
    after = page->last;
    after_moment = page->last_moment;
  }
}

}  // namespace orbwatch::intel

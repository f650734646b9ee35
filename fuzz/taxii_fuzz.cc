// Fuzz target of the TAXII server (serve/taxii_answers.h, taxii_folder.h). The input is a request: method, path,
// accept, authorization on a line each, then a parameter and its value on two lines each, as often as wanted; and it is
// a bundle. Beside crashes and hangs, each run checks that every answer is JSON with a status of the standard, that
// nobody reads without credentials, and that pages move on.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/text.h"
#include "serve/taxii_answers.h"

namespace {

using namespace orbwatch;

[[noreturn]] void broken(const char* promise) {
  std::fprintf(stderr, "%s\n", promise);
  std::abort();
}

serve::TaxiiFolder::Collections make_collections() {
  auto one = std::make_shared<serve::TaxiiCollection>();
  one->id = "c";
  one->title = "c";
  for (int i = 0; i < 8; ++i) {
    serve::TaxiiObject o;
    o.type = i % 2 == 0 ? "indicator" : "malware";
    o.id = o.type + "--" + std::to_string(i / 4);
    o.spec_version = "2.1";
    o.version_time = (1'767'225'600 + i) * core::kSecond;
    o.version = core::rfc3339(o.version_time);
    o.added = (1'767'225'600 + i) * core::kSecond;
    o.json = "{}";
    o.first = i < 4;
    o.last = i >= 4;
    one->objects.push_back(std::move(o));
  }
  return {one};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const serve::TaxiiFolder::Collections collections = make_collections();
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::string_view rest = text;
  serve::TaxiiRequest request;
  request.method = core::take_until(rest, '\n');
  request.path = core::take_until(rest, '\n');
  request.accept = std::string(core::take_until(rest, '\n'));
  request.authorization = core::take_until(rest, '\n');
  while (!rest.empty()) {
    const std::string_view key = core::take_until(rest, '\n');
    request.query.emplace_back(key, core::take_until(rest, '\n'));
  }
  serve::TaxiiAccess access;
  access.admit_user("ann", "hush");
  serve::TaxiiLimits limits;
  limits.most_page = 3;
  simdjson::dom::parser parser;
  // As who asks, as somebody who may, and on without limit.
  for (const bool admitted : {false, true}) {
    if (admitted) request.authorization = "Basic YW5uOmh1c2g=";
    for (int page = 0;; ++page) {
      const auto response = serve::answer_taxii(request, collections, access, "http://h", limits);
      simdjson::dom::element root;
      if (parser.parse(response.body).get(root) != simdjson::SUCCESS) broken("an answer that is no JSON");
      switch (response.status) {
        case 200:
        case 400:
        case 401:
        case 403:
        case 404:
        case 405:
        case 406: break;
        default: broken("a status that is none of the standard");
      }
      if (!admitted && response.status != 401 && !access.admits(request.authorization)) broken("read by anybody");
      std::string_view next;
      if (response.status != 200 || root["next"].get(next) != simdjson::SUCCESS) break;
      if (page > 8) broken("pages that do not move on");
      std::erase_if(request.query, [](const auto& one) { return one.first == "next"; });
      request.query.emplace_back("next", next);
    }
  }
  const auto objects = serve::read_taxii_bundle(text, {});
  if (!objects) return 0;
  for (const serve::TaxiiObject& o : *objects) {
    if (!o.id.starts_with(o.type + "--")) broken("an object whose id is of another type");
    if (parser.parse(o.json).error() != simdjson::SUCCESS) broken("an object that is no JSON");
  }
  return 0;
}

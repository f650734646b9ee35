// What a read-only TAXII 2.1 server (OASIS Standard, 10 June 2021) says to a request: discovery (4.1), API root (4.2),
// collections (5.1, 5.2), manifest (5.3), objects (5.4), one object (5.6) and its versions (5.8), with the filters of
// 3.4 and the paging of 3.5. Pure: no socket, no clock; any thread may call it. Nothing in a request can make it fail.
//
//   /taxii2/                                         discovery
//   /share/                                          the one API root
//   /share/collections/[ID/[manifest/|objects/[OBJECT/[versions/]]]]      ID: the collection's id
//
// A path may lack its last slash. What would write (POST, DELETE of objects) is refused with 403, other methods with
// 405.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/taxii_folder.h"

namespace orbwatch::serve {

inline constexpr std::string_view kTaxiiMediaType = "application/taxii+json;version=2.1";

struct TaxiiRequest {
  std::string method;                                      // "GET"
  std::string path;                                        // decoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded
  std::optional<std::string> accept;                       // the header
  std::string authorization;                               // the header
};

struct TaxiiResponse {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Who may read. Secrets are kept as SHA-256 and compared in constant time.
class TaxiiAccess {
 public:
  void admit_user(std::string_view user, std::string_view secret);  // HTTP Basic
  void admit_token(std::string_view token);                         // Authorization: Bearer
  bool open() const { return hashes_.empty(); }                     // to everybody
  bool admits(std::string_view authorization) const;

 private:
  std::vector<std::string> hashes_;
};

struct TaxiiLimits {
  std::size_t most_page = 1'000;                       // objects of one answer, whatever `limit` says
  std::size_t most_page_bytes = std::size_t{4} << 20;  // of their texts; one object is given in any case
};

// `base`: the server's address as clients see it, without a slash at its end.
TaxiiResponse answer_taxii(const TaxiiRequest& request, const TaxiiFolder::Collections& collections,
                           const TaxiiAccess& access, const std::string& base, const TaxiiLimits& limits = {});
// An error message of TAXII (3.6.1).
TaxiiResponse taxii_error(int status, std::string_view title, std::string_view description = {});

}  // namespace orbwatch::serve

// What the outputs that go through libcurl have in common: time-outs, verified TLS, no proxy that was not asked for, a
// stop that ends a call.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <stop_token>
#include <string>

#include "export/output_settings.h"

namespace orbwatch::exporting {

class CurlCall {
 public:
  CurlCall();

  // The handle, with all options as every call wants them; connections of earlier calls are used again.
  CURL* prepare(const OutputSettings& settings, std::stop_token stop);

  struct Result {
    CURLcode code = CURLE_OK;
    long response = 0;     // HTTP status or SMTP reply; 0 = none came
    long retry_after = 0;  // seconds
    std::string detail;    // what libcurl says of a failed connection or certificate; no address, no secret
  };
  Result perform();

 private:
  struct Free {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  std::unique_ptr<CURL, Free> curl_;
  std::stop_token stop_;
};

// A list of header lines or addresses for libcurl.
class CurlList {
 public:
  CurlList() = default;
  CurlList(const CurlList&) = delete;
  CurlList& operator=(const CurlList&) = delete;
  ~CurlList() { curl_slist_free_all(list_); }
  void add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

}  // namespace orbwatch::exporting

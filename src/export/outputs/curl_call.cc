#include "export/outputs/curl_call.h"

#include <algorithm>

#include "core/no_sigpipe.h"

namespace orbwatch::exporting {
namespace {

// The answer's body is of no interest; how long it can be is bounded by the time-out.
std::size_t discard(char*, std::size_t size, std::size_t count, void*) { return size * count; }

int stopped(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

}  // namespace

CurlCall::CurlCall() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised == CURLE_OK) curl_.reset(curl_easy_init());
}

CURL* CurlCall::prepare(const OutputSettings& settings, std::stop_token stop) {
  stop_ = std::move(stop);
  CURL* curl = curl_.get();
  if (curl == nullptr) return nullptr;
  curl_easy_reset(curl);
  const long timeout = static_cast<long>(settings.timeout_seconds);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, std::min(timeout, 10L));
  curl_easy_setopt(curl, CURLOPT_PROXY, settings.proxy.c_str());  // "": none, whatever the environment says
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // this one and no other
  }
  if (!settings.certificate_file.empty()) curl_easy_setopt(curl, CURLOPT_SSLCERT, settings.certificate_file.c_str());
  if (!settings.key_file.empty()) curl_easy_setopt(curl, CURLOPT_SSLKEY, settings.key_file.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stopped);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop_);
  return curl;
}

CurlCall::Result CurlCall::perform() {
  const core::NoSigpipe no_sigpipe;
  Result result;
  char detail[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(curl_.get(), CURLOPT_ERRORBUFFER, detail);
  result.code = curl_easy_perform(curl_.get());
  curl_easy_setopt(curl_.get(), CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &result.response);
  curl_off_t after = 0;
  curl_easy_getinfo(curl_.get(), CURLINFO_RETRY_AFTER, &after);
  result.retry_after = static_cast<long>(std::clamp<curl_off_t>(after, 0, 3600));
  result.detail = curl_easy_strerror(result.code);
  // Only where libcurl speaks of the connection: other texts may quote what was sent.
  switch (result.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      if (detail[0] != '\0') result.detail = detail;
      break;
    default: break;
  }
  return result;
}

}  // namespace orbwatch::exporting

// POST of each message to a URL. Signed, if there is a secret: X-Orbwatch-Signature is "v1=" and HMAC-SHA256 over
// "<X-Orbwatch-Timestamp>.<body>" in hexadecimal, so that a receiver can tell a forged or replayed call.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/text.h"
#include "export/digest.h"
#include "export/files.h"
#include "export/outputs/curl_call.h"
#include "export/outputs/make.h"

namespace orbwatch::exporting {
namespace {

// Scheme, host and port: the path of a webhook is often its secret.
std::string origin_of(std::string_view url) {
  const auto begin = url.find("://");
  return std::string(url.substr(0, url.find_first_of("/?#", begin == url.npos ? 0 : begin + 3)));
}

// A value that can stand in a header line.
std::string header_value(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c >= ' ' && c < 0x7f ? c : '?';
  return out;
}

class WebhookOutput final : public Output {
 public:
  WebhookOutput(OutputSettings settings, std::string secret, std::string authorization)
      : settings_(std::move(settings)), secret_(std::move(secret)), authorization_(std::move(authorization)) {}

  Delivered deliver(const Message& message, std::stop_token stop) override {
    CURL* curl = call_.prepare(settings_, std::move(stop));
    if (curl == nullptr) return try_again("libcurl could not be initialised");
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string timestamp = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
    CurlList headers;
    headers.add("Content-Type: " + header_value(message.media_type));
    headers.add("User-Agent: orbwatch/" ORBWATCH_VERSION);
    headers.add("X-Orbwatch-Delivery: " + header_value(message.id));
    headers.add("X-Orbwatch-Timestamp: " + timestamp);
    if (!secret_.empty())
      headers.add("X-Orbwatch-Signature: v1=" + hmac_sha256_hex(secret_, timestamp + "." + message.body));
    if (!authorization_.empty()) headers.add("Authorization: " + authorization_);
    headers.add("Expect:");  // no wait for "100 Continue"
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_URL, settings_.url.c_str());
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(message.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, message.body.data());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    const CurlCall::Result result = call_.perform();
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, nullptr);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, nullptr);
    if (result.code != CURLE_OK) return try_again(target() + " was not reached", result.detail);
    const std::string seen = fmt::format("HTTP status {}", result.response);
    if (result.response >= 200 && result.response < 300) return {};
    if (result.response >= 300 && result.response < 400)
      return refused(target() + " answers with a redirection", seen, "give the address that it leads to");
    if (result.response >= 400 && result.response < 500 && result.response != 408 && result.response != 429)
      return refused(target() + " refused the message", seen);
    return try_again(target() + " could not take the message", seen, "", std::chrono::seconds(result.retry_after));
  }

  std::string target() const override { return "webhook " + origin_of(settings_.url); }

 private:
  OutputSettings settings_;
  std::string secret_;
  std::string authorization_;
  CurlCall call_;
};

}  // namespace

core::Expected<std::unique_ptr<Output>> make_webhook_output(const OutputSettings& settings) {
  std::string secret, authorization;
  for (const auto& [file, to] :
       {std::pair{&settings.secret_file, &secret}, std::pair{&settings.authorization_file, &authorization}}) {
    if (file->empty()) continue;
    auto text = read_secret(*file);
    if (!text) return std::unexpected(text.error());
    *to = std::move(*text);
  }
  return std::make_unique<WebhookOutput>(settings, std::move(secret), std::move(authorization));
}

}  // namespace orbwatch::exporting
